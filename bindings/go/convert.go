// SPDX-License-Identifier: MIT

package ouro

import (
	"math"
	"unsafe"

	"ouro/internal/raw"
)

// Kinds of references, by the library's numbers.
const (
	kindString   = 4
	kindBytes    = 5
	kindTuple    = 6
	kindList     = 7
	kindDict     = 8
	kindSet      = 9
	kindRecord   = 10
	kindIterator = 12
	kindWeak     = 13
	kindWeakMap  = 14
	kindWeakSet  = 15
	kindHost     = 16
)

const (
	nilWord   = 0
	falseWord = 2
	trueWord  = 6
	zeroWord  = 1

	minInt = -1 << 61
	maxInt = 1<<61 - 1
)

// An arg is a value on its way to the library. Objects are in use until done.
type arg struct {
	raw.Arg
	h *handle
	u use
}

func (a *arg) done() {
	if a.h != nil {
		a.h.leave(a.u)
	}
}

// undo is for one that no call has been given.
func (a *arg) undo() {
	a.done()
	if a.Word == raw.Host {
		dispose(a.Data)
	}
}

func (a *arg) setInt(i int64) {
	if minInt <= i && i <= maxInt {
		a.Word = uint64(i)<<2 | 1
	} else {
		a.Word, a.Data = raw.Int64, uint64(i)
	}
}

func (a *arg) setUint(i uint64) {
	if i <= math.MaxInt64 {
		a.setInt(int64(i))
	} else {
		a.Word, a.Data = raw.Uint64, i
	}
}

func (a *arg) setFloat(f float64) { a.Word, a.Data = raw.Float, math.Float64bits(f) }

func (a *arg) setString(s string) {
	a.Word, a.Data, a.Text = raw.String, uint64(len(s)), *(**byte)(unsafe.Pointer(&s))
}

func (a *arg) setBytes(b []byte) {
	a.Word, a.Data, a.Text = raw.Bytes, uint64(len(b)), *(**byte)(unsafe.Pointer(&b))
}

func (a *arg) setBool(b bool) {
	a.Word = falseWord
	if b {
		a.Word = trueWord
	}
}

// set makes it that of a Go value. It fails for closed objects only, and then nothing is to be done.
func (a *arg) set(v any) error {
	switch v := v.(type) {
	case nil:
	case int:
		a.setInt(int64(v))
	case string:
		a.setString(v)
	case bool:
		a.setBool(v)
	case float64:
		a.setFloat(v)
	case Object:
		return a.setObject(v)
	case []byte:
		a.setBytes(v)
	default:
		a.setOther(v)
	}
	return nil
}

func (a *arg) setObject(o Object) error {
	h := o.ref()
	u := h.enter()
	if u == nil {
		return ErrClosed
	}
	a.Word, a.h, a.u = h.word, h, u
	return nil
}

func (a *arg) setOther(v any) {
	switch v := v.(type) {
	case int8:
		a.setInt(int64(v))
	case int16:
		a.setInt(int64(v))
	case int32:
		a.setInt(int64(v))
	case int64:
		a.setInt(v)
	case uint:
		a.setUint(uint64(v))
	case uint8:
		a.setUint(uint64(v))
	case uint16:
		a.setUint(uint64(v))
	case uint32:
		a.setUint(uint64(v))
	case uint64:
		a.setUint(v)
	case uintptr:
		a.setUint(uint64(v))
	case float32:
		a.setFloat(float64(v))
	default:
		a.Word, a.Data = raw.Host, keep(v)
	}
}

// A temporary is an argument for the calls that take no tags: a value is made for it.
type temporary struct {
	arg
	made bool
}

func (t *temporary) set(v any) error {
	if err := t.arg.set(v); err != nil {
		return err
	}
	if t.Word&3 != 3 {
		return nil
	}
	word := raw.New(t.Arg)
	if isError(word) {
		return fromStatus(int(word >> 8 & 0xff))
	}
	t.Word, t.made = word, true
	return nil
}

func (t *temporary) done() {
	t.arg.done()
	if t.made {
		raw.Release(t.Word)
	}
}

// take gives up the value as a new reference, and is done.
func (t *temporary) take() uint64 {
	if !t.made {
		raw.Retain(t.Word)
	}
	t.arg.done()
	return t.Word
}

// value makes a Go value of an answer that is no error.
func value(a *raw.Answer) any {
	if a.Word&3 == 1 {
		return int(int64(a.Word) >> 2)
	}
	return otherValue(a)
}

func otherValue(a *raw.Answer) any {
	if a.Word == raw.String {
		return string(a.Text[:a.Size])
	}
	if a.Word == raw.Bytes {
		return append([]byte{}, a.Text[:a.Size]...)
	}
	v := itemValue(&a.Item)
	if a.Word&3 == 0 && isCopied(a.Word>>raw.KindShift) {
		raw.Release(a.Word & raw.Reference)
	}
	return v
}

// isCopied tells the kinds of what Go does not see by handles of its own.
func isCopied(kind uint64) bool { return kind == kindString || kind == kindBytes || kind == kindHost }

// itemValue is the same for an item; what is copied is not released.
func itemValue(i *raw.Item) any {
	switch i.Word & 3 {
	case 1:
		return int(int64(i.Word) >> 2)
	case 2:
		return i.Word == trueWord
	case 3:
		switch i.Word {
		case raw.Float:
			return math.Float64frombits(i.Data)
		case raw.Int64:
			return int(i.Data)
		default:
			return i.Data // raw.Uint64
		}
	}
	if i.Word == nilWord {
		return nil
	}
	switch word := i.Word & raw.Reference; i.Word >> raw.KindShift {
	case kindString:
		return string(content(i))
	case kindBytes:
		return append([]byte{}, content(i)...)
	case kindHost:
		return heldValue(i.Data)
	default:
		return newObject(i.Word>>raw.KindShift, word)
	}
}

// content is the library's memory, good while the item's reference is held.
func content(i *raw.Item) []byte {
	if i.Size == 0 {
		return nil
	}
	return unsafe.Slice(*(**byte)(unsafe.Pointer(&i.Data)), int(i.Size))
}

// number is the integer in a word, which is one.
func number(word uint64) int { return int(word >> 2) }

// newObject makes the handle that takes over a reference.
func newObject(kind, word uint64) Object {
	var o interface {
		Object
		hold(word uint64)
	}
	switch kind {
	case kindList:
		o = &List{}
	case kindTuple:
		o = &Tuple{}
	case kindDict:
		o = &Dict{}
	case kindSet:
		o = &Set{}
	case kindRecord:
		o = &Record{}
	case kindIterator:
		o = &Iterator{}
	case kindWeak:
		o = &Weak[Object]{}
	case kindWeakMap:
		o = &WeakMap{}
	case kindWeakSet:
		o = &WeakSet{}
	default:
		o = &Opaque{}
	}
	o.hold(word)
	return o
}

// textOf is the content of an argument that is a string or bytes.
func textOf(a *arg) []byte {
	if a.Data == 0 {
		return nil
	}
	return unsafe.Slice(a.Text, int(a.Data))
}

func bytesOf(words []uint64) []byte {
	if len(words) == 0 {
		return nil
	}
	return unsafe.Slice((*byte)(unsafe.Pointer(&words[0])), 8*len(words))
}
