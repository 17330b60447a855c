// SPDX-License-Identifier: MIT

package raw

// #include "calls.h"
import "C"

import "unsafe"

// Tags, and where a reference's kind is: crossing.h says what they mean.
const (
	Error  = C.OURO_GO_ERROR
	Float  = C.OURO_GO_FLOAT
	String = C.OURO_GO_STRING
	Bytes  = C.OURO_GO_BYTES
	Host   = C.OURO_GO_HOST
	Int64  = C.OURO_GO_INT64
	Uint64 = C.OURO_GO_UINT64

	KindShift = C.OURO_GO_KIND_SHIFT
	Reference = 1<<KindShift - 1
)

// Parts of a dict or weak map.
const (
	Values = C.OURO_VALUES
	Items  = C.OURO_ITEMS
)

// IteratePart makes an iterator over one.
func IteratePart(v uint64, part int) uint64 { return Iterate_part(v, Enum_SS_ouro_part(part)) }

// An Item is a value on its way to or from C.
type Item struct{ Word, Data, Size uint64 }

// An Answer is a value from C, with the content of a short string.
type Answer struct {
	Item
	Text [40]byte
}

// An Arg is a value on its way to C. Text is the content of a string.
type Arg struct {
	Word, Data uint64
	Text       *byte
}

func answer(a C.struct_ouro_go_answer) Answer { return *(*Answer)(unsafe.Pointer(&a)) }

func room(a *Answer) *C.struct_ouro_go_answer { return (*C.struct_ouro_go_answer)(unsafe.Pointer(a)) }

func pair(p C.struct_ouro_go_pair) (Answer, Answer) {
	return answer(p.first), answer(p.second)
}

func items(i []Item) (*C.struct_ouro_go_item, C.uint64_t) {
	return (*C.struct_ouro_go_item)(unsafe.Pointer(&i[0])), C.uint64_t(len(i))
}

func u(x uint64) C.uint64_t { return C.uint64_t(x) }
func text(p *byte) *C.char  { return (*C.char)(unsafe.Pointer(p)) }

// Empty does nothing: what a call to C costs.
func Empty() { C.ouro_go_empty() }

// Release drops a reference.
func Release(v uint64) {
	C.ouro_go_release(u(v))
	LookForMessages()
}

// Retain adds one.
func Retain(v uint64) { C.ouro_go_retain(u(v)) }

// New makes a value of a tag.
func New(a Arg) uint64 { return uint64(C.ouro_go_new(u(a.Word), u(a.Data), text(a.Text))) }

// Describe says what a new reference is, which it takes over.
func Describe(v uint64) Answer { return answer(C.ouro_go_describe(u(v))) }

// Those that are called most put the answer where the caller has room for it.

func ListGet(l uint64, i int, to *Answer) { *room(to) = C.ouro_go_list_get(u(l), C.int64_t(i)) }

func TupleGet(t uint64, i int, to *Answer) { *room(to) = C.ouro_go_tuple_get(u(t), C.int64_t(i)) }

func DictGet(d uint64, k Arg, to *Answer) {
	*room(to) = C.ouro_go_dict_get(u(d), u(k.Word), u(k.Data), text(k.Text))
}

func RecordGet(r uint64, f Arg, to *Answer) {
	*room(to) = C.ouro_go_record_get(u(r), u(f.Word), u(f.Data), text(f.Text))
}

func ListSet(l uint64, i int, a Arg) uint64 {
	return uint64(C.ouro_go_list_set(u(l), C.int64_t(i), u(a.Word), u(a.Data), text(a.Text)))
}

func ListSwap(l uint64, i int, a Arg) Answer {
	return answer(C.ouro_go_list_swap(u(l), C.int64_t(i), u(a.Word), u(a.Data), text(a.Text)))
}

func ListAppend(l uint64, a Arg) uint64 {
	return uint64(C.ouro_go_list_append(u(l), u(a.Word), u(a.Data), text(a.Text)))
}

func ListInsert(l uint64, i int, a Arg) uint64 {
	return uint64(C.ouro_go_list_insert(u(l), C.int64_t(i), u(a.Word), u(a.Data), text(a.Text)))
}

func ListPop(l uint64, i int) Answer { return answer(C.ouro_go_list_pop(u(l), C.int64_t(i))) }

func DictHas(d uint64, k Arg) uint64 {
	return uint64(C.ouro_go_dict_has(u(d), u(k.Word), u(k.Data), text(k.Text)))
}

func DictSet(d uint64, k, v Arg) uint64 {
	return uint64(C.ouro_go_dict_set(u(d), u(k.Word), u(k.Data), text(k.Text), u(v.Word), u(v.Data), text(v.Text)))
}

func DictSwap(d uint64, k, v Arg) (old, was Answer) {
	return pair(C.ouro_go_dict_swap(u(d), u(k.Word), u(k.Data), text(k.Text), u(v.Word), u(v.Data), text(v.Text)))
}

func DictSetdefault(d uint64, k, v Arg) Answer {
	return answer(C.ouro_go_dict_setdefault(u(d), u(k.Word), u(k.Data), text(k.Text), u(v.Word), u(v.Data), text(v.Text)))
}

func DictDelete(d uint64, k Arg) uint64 {
	return uint64(C.ouro_go_dict_delete(u(d), u(k.Word), u(k.Data), text(k.Text)))
}

func DictPop(d uint64, k Arg) Answer {
	return answer(C.ouro_go_dict_pop(u(d), u(k.Word), u(k.Data), text(k.Text)))
}

func DictPopItem(d uint64, first bool) (key, value Answer) {
	var f C.int
	if first {
		f = 1
	}
	return pair(C.ouro_go_dict_pop_item(u(d), f))
}

func SetHas(s uint64, a Arg) uint64 {
	return uint64(C.ouro_go_set_has(u(s), u(a.Word), u(a.Data), text(a.Text)))
}

func SetAdd(s uint64, a Arg) uint64 {
	return uint64(C.ouro_go_set_add(u(s), u(a.Word), u(a.Data), text(a.Text)))
}

func SetDiscard(s uint64, a Arg) uint64 {
	return uint64(C.ouro_go_set_discard(u(s), u(a.Word), u(a.Data), text(a.Text)))
}

func SetPop(s uint64) Answer { return answer(C.ouro_go_set_pop(u(s))) }

func WeakMapGet(m uint64, k Arg) Answer {
	return answer(C.ouro_go_weak_map_get(u(m), u(k.Word), u(k.Data), text(k.Text)))
}

func WeakMapSet(m uint64, k, v Arg) uint64 {
	return uint64(C.ouro_go_weak_map_set(u(m), u(k.Word), u(k.Data), text(k.Text), u(v.Word), u(v.Data), text(v.Text)))
}

func WeakMapSetdefault(m uint64, k, v Arg) Answer {
	return answer(C.ouro_go_weak_map_setdefault(u(m), u(k.Word), u(k.Data), text(k.Text), u(v.Word), u(v.Data), text(v.Text)))
}

func WeakMapPop(m uint64, k Arg) Answer {
	return answer(C.ouro_go_weak_map_pop(u(m), u(k.Word), u(k.Data), text(k.Text)))
}

func RecordSet(r uint64, f, v Arg) uint64 {
	return uint64(C.ouro_go_record_set(u(r), u(f.Word), u(f.Data), text(f.Text), u(v.Word), u(v.Data), text(v.Text)))
}

func RecordSwap(r uint64, f, v Arg) Answer {
	return answer(C.ouro_go_record_swap(u(r), u(f.Word), u(f.Data), text(f.Text), u(v.Word), u(v.Data), text(v.Text)))
}

func IteratorNext(i uint64) Answer { return answer(C.ouro_go_iterator_next(u(i))) }

func IteratorNextPair(i uint64) (key, value Answer) { return pair(C.ouro_go_iterator_next_pair(u(i))) }

func WeakGet(w uint64) Answer { return answer(C.ouro_go_weak_get(u(w))) }

// The rest fill items, of which there is at least one, and give their number.

func ListGetRange(l uint64, start int, to []Item) uint64 {
	p, n := items(to)
	return uint64(C.ouro_go_list_get_range(u(l), C.uint64_t(start), p, n))
}

// ListGetMany takes as many indexes as there are items.
func ListGetMany(l uint64, indexes []int, to []Item) uint64 {
	p, n := items(to)
	return uint64(C.ouro_go_list_get_many(u(l), (*C.int64_t)(unsafe.Pointer(&indexes[0])), p, n))
}

func TupleGetRange(t uint64, start int, to []Item) uint64 {
	p, n := items(to)
	return uint64(C.ouro_go_tuple_get_range(u(t), C.uint64_t(start), p, n))
}

func IteratorNextAll(i uint64, to []Item) uint64 {
	p, n := items(to)
	return uint64(C.ouro_go_iterator_next_all(u(i), p, n))
}

// IteratorNextPairs gives keys and values in turn; len(to) is even.
func IteratorNextPairs(i uint64, to []Item) uint64 {
	p, n := items(to)
	return uint64(C.ouro_go_iterator_next_pairs(u(i), p, n))
}

// ReleaseTexts drops the references to those items whose content has been copied.
func ReleaseTexts(of []Item) {
	p, n := items(of)
	C.ouro_go_release_texts(p, n)
}
