// SPDX-License-Identifier: MIT

package ouro

import (
	"errors"
	"fmt"
	"math"

	"ouro/internal/raw"
)

// Omitted is a start or stop of a slice that is not given: the end from which, or to which, the step leads.
const Omitted = math.MinInt

// A List is a list that goroutines share. Each operation takes effect at one moment.
//
// Indexes below 0 count from the end. Starts and stops of slices are cut to what there is.
type List struct{ handle }

// newList takes over a reference, if there is one.
func newList(word uint64, err error) (*List, error) {
	if err != nil {
		return nil, err
	}
	l := &List{}
	l.hold(word)
	return l, nil
}

func (l *List) ref() *handle {
	if l == nil {
		return nil
	}
	return &l.handle
}

// NewList makes a list of values. ErrClosed, ErrEncoding, ErrNoMemory.
func NewList(values ...any) (*List, error) { return makeList("NewList(values)", values) }

// FromSlice makes a list of a slice's values.
func FromSlice[T any](values []T) (*List, error) { return makeList("FromSlice(values)", values) }

func makeList[T any](op string, values []T) (*List, error) {
	word := give(values, raw.List_from)
	return newList(word, check(op, word))
}

// Close lets go of the list: see Object.
func (l *List) Close() error { return l.ref().close() }

// String shows the list: [1, "a", 2.5].
func (l *List) String() string { return l.ref().text("list") }

// Len is the number of elements; 0 if the list is closed.
func (l *List) Len() int { return l.ref().length(raw.List_length) }

// Get gives an element. ErrIndex.
func (l *List) Get(index int) (any, error) {
	u := l.ref().enter()
	if u == nil {
		return nil, closed("List.Get(index)")
	}
	var a raw.Answer
	raw.ListGet(l.word, index, &a)
	l.leave(u)
	if isError(a.Word) {
		return nil, failedIndex("List.Get(index)", a.Word, index, l.Len())
	}
	return value(&a), nil
}

// Set replaces an element. ErrIndex.
func (l *List) Set(index int, value any) error {
	u := l.ref().enter()
	if u == nil {
		return closed("List.Set(index, value)")
	}
	var a arg
	if err := a.set(value); err != nil {
		l.leave(u)
		return wrong("List.Set(index, value)", err, lastOne, value)
	}
	word := raw.ListSet(l.word, index, a.Arg)
	l.leave(u)
	a.done()
	if isError(word) {
		return failedIndex("List.Set(index, value)", word, index, l.Len())
	}
	return nil
}

// Swap replaces an element and gives the old one. ErrIndex.
func (l *List) Swap(index int, value any) (any, error) {
	old, err := l.ref().get1("List.Swap(index, value)", value, func(l uint64, v raw.Arg) raw.Answer { return raw.ListSwap(l, index, v) })
	return old, l.atIndex(err, index)
}

// CompareAndSwap replaces an element if it is the very value that was expected: the same object, or the same nil,
// boolean or integer. (A float or string that Go gives is another object each time.) ErrIndex.
func (l *List) CompareAndSwap(index int, expected, value any) (bool, error) {
	word, err := l.ref().call2("List.CompareAndSwap(index, expected, value)", expected, value, func(l, expected, value uint64) uint64 {
		return raw.List_compare_set(l, index, expected, value)
	})
	return word == trueWord, l.atIndex(err, index)
}

// Append puts values at the end, all at one moment.
func (l *List) Append(values ...any) error {
	if len(values) != 1 {
		return appendSlice("List.Append(values)", l, values)
	}
	u := l.ref().enter()
	if u == nil {
		return closed("List.Append(values)")
	}
	var a arg
	if err := a.set(values[0]); err != nil {
		l.leave(u)
		return &opError{op: "List.Append(values)", err: err, about: lastOne, nth: 1}
	}
	word := raw.ListAppend(l.word, a.Arg)
	l.leave(u)
	a.done()
	if isError(word) {
		return failedKey("List.Append(values)", word|1<<16, values[0])
	}
	return nil
}

// AppendAll puts a slice's values at the end, all at one moment.
func (l *List) AppendAll(values []any) error { return appendSlice("List.AppendAll(values)", l, values) }

// AppendSlice is AppendAll for slices of any type.
func AppendSlice[T any](l *List, values []T) error {
	return appendSlice("AppendSlice(values)", l, values)
}

func appendSlice[T any](op string, l *List, values []T) error {
	return l.ref().do(op, func(l uint64) uint64 {
		return give(values, func(v []uint64) uint64 { return raw.List_append_all(l, v) })
	})
}

// Extend puts what the iteration of another value gives at the end; of a container, what is in it at one moment.
// ErrType, ErrChanged.
func (l *List) Extend(other any) error {
	return l.ref().do1("List.Extend(other)", other, raw.List_extend)
}

// Insert puts a value before the element at index; beyond the ends, at the ends.
func (l *List) Insert(index int, value any) error {
	_, err := l.ref().put("List.Insert(index, value)", value, func(l uint64, v raw.Arg) uint64 { return raw.ListInsert(l, index, v) })
	return err
}

// Pop takes an element out and gives it: Pop(-1) the last. ErrIndex.
func (l *List) Pop(index int) (any, error) {
	v, err := l.ref().get("List.Pop(index)", func(l uint64) raw.Answer { return raw.ListPop(l, index) })
	return v, l.atIndex(err, index)
}

// Delete takes an element out. ErrIndex.
func (l *List) Delete(index int) error {
	return l.atIndex(l.ref().do("List.Delete(index)", func(l uint64) uint64 { return raw.List_delete(l, index) }), index)
}

// atIndex says more of an error.
func (l *List) atIndex(err error, index int) error {
	if e, ok := err.(*opError); ok && e.err == ErrIndex {
		e.about, e.index, e.count = anIndex, index, l.Len()
	}
	return err
}

// Remove takes out the first element that equals value. ErrKey.
func (l *List) Remove(value any) error {
	return l.ref().do1("List.Remove(value)", value, raw.List_remove)
}

// Clear takes all elements out.
func (l *List) Clear() error { return l.ref().do("List.Clear", raw.List_clear) }

// Index gives the place of the first element that equals value. ErrKey.
func (l *List) Index(value any) (int, error) {
	word, err := l.ref().call1("List.Index(value)", value, func(l, v uint64) uint64 { return raw.List_index(l, v, 0, math.MaxInt) })
	return number(word), err
}

// Has is whether an element equals value.
func (l *List) Has(value any) (bool, error) {
	_, err := l.Index(value)
	return hasKey(err)
}

// Count gives how many elements equal value.
func (l *List) Count(value any) (int, error) {
	word, err := l.ref().call1("List.Count(value)", value, raw.List_count)
	return number(word), err
}

// GetMany gives the elements at some places, one after the other. ErrIndex, and then nothing.
func (l *List) GetMany(indexes ...int) ([]any, error) {
	u := l.ref().enter()
	if u == nil {
		return nil, closed("List.GetMany(indexes)")
	}
	defer l.leave(u)
	values, word := readAll(make([]any, 0, len(indexes)), false, func(at int, items []raw.Item) uint64 {
		n := len(indexes) - at
		if n == 0 {
			return zeroWord
		}
		if n > len(items) {
			n = len(items)
		}
		return raw.ListGetMany(l.word, indexes[at:at+n], items[:n])
	})
	if isError(word) {
		closeAll(values)
		which := int(word >> 16)
		return nil, failedIndex("List.GetMany(indexes)", word, indexes[len(values)+which], l.Len())
	}
	return values, nil
}

// ToSlice gives all elements, as they are at one moment.
func (l *List) ToSlice() ([]any, error) { return l.toSlice("List.ToSlice") }

// toSlice reads a short list in one call, which is one moment; of a longer one it makes a copy to read.
func (l *List) toSlice(op string) ([]any, error) {
	u := l.ref().enter()
	if u == nil {
		return nil, closed(op)
	}
	r := newReader()
	defer r.done()
	r.took(raw.ListGetRange(l.word, 0, r.items[:]))
	l.leave(u)
	if r.count == chunk {
		return l.slice(op, Omitted, Omitted)
	}
	values := make([]any, 0, r.count)
	for r.more() {
		values = append(values, r.take())
	}
	return values, nil
}

// Slice gives the elements from start to before stop, as they are at one moment.
func (l *List) Slice(start, stop int) ([]any, error) { return l.slice("List.Slice", start, stop) }

func (l *List) slice(op string, start, stop int) ([]any, error) {
	part, err := l.sub(op, start, stop, 1)
	if err != nil {
		return nil, err
	}
	defer part.Close()
	return readList(make([]any, 0, part.Len()), part.word), nil
}

// readList appends all elements of a list that nobody changes meanwhile.
func readList(to []any, word uint64) []any {
	to, _ = readAll(to, true, func(at int, items []raw.Item) uint64 { return raw.ListGetRange(word, at, items) })
	return to
}

// SliceOf gives all elements of a list, as they are at one moment, if they are all of one type: such as
// SliceOf[int](l). ErrType.
func SliceOf[T any](l *List) ([]T, error) {
	values, err := l.toSlice("SliceOf(l)")
	if err != nil {
		return nil, err
	}
	to := make([]T, len(values))
	for i, v := range values {
		var ok bool
		if to[i], ok = v.(T); !ok {
			closeAll(values)
			return nil, says("SliceOf(l)", ErrType, fmt.Sprintf("element %d of l is a %T", i, v))
		}
	}
	return to, nil
}

// Sub makes a list of the elements start, start + step, ... before stop. ErrInvalid: step is 0.
func (l *List) Sub(start, stop, step int) (*List, error) {
	return l.sub("List.Sub(start, stop, step)", start, stop, step)
}

func (l *List) sub(op string, start, stop, step int) (*List, error) {
	return newList(l.ref().call(op, func(l uint64) uint64 { return raw.List_slice(l, start, stop, step) }))
}

// SetSlice puts values in the place of the elements start, start + step, ... before stop, at one moment; there are as
// many of them, unless step is 1. ErrInvalid: step is 0, or there are not.
func (l *List) SetSlice(start, stop, step int, values ...any) error {
	err := l.ref().do("List.SetSlice(start, stop, step, values)", func(l uint64) uint64 {
		return give(values, func(v []uint64) uint64 { return raw.List_set_slice(l, start, stop, step, v) })
	})
	if errors.Is(err, ErrInvalid) {
		return says("List.SetSlice", ErrInvalid, "step is 0, or values are not as many as elements")
	}
	return err
}

// DeleteSlice takes out the elements start, start + step, ... before stop. ErrInvalid: step is 0.
func (l *List) DeleteSlice(start, stop, step int) error {
	return l.ref().do("List.DeleteSlice(start, stop, step)", func(l uint64) uint64 { return raw.List_delete_slice(l, start, stop, step) })
}

// Concat makes a list of the elements of both.
func (l *List) Concat(other *List) (*List, error) {
	return newList(l.ref().call1("List.Concat(other)", other, raw.List_concat))
}

// Repeat makes a list of the elements, so many times. ErrInvalid: times is negative.
func (l *List) Repeat(times int) (*List, error) {
	if times < 0 {
		return nil, says("List.Repeat(times)", ErrInvalid, fmt.Sprintf("times is negative: %d", times))
	}
	return newList(l.ref().call("List.Repeat(times)", func(l uint64) uint64 { return raw.List_repeat(l, times) }))
}

// Reverse turns the order of the elements round.
func (l *List) Reverse() error { return l.ref().do("List.Reverse", raw.List_reverse) }

// Sort puts the elements in the order that Compare gives; equal ones stay in theirs. ErrType: two have no order;
// ErrChanged: another goroutine changed the list meanwhile. Then it is as it was.
func (l *List) Sort(descending bool) error {
	err := l.ref().do("List.Sort", func(l uint64) uint64 { return raw.List_sort(l, descending) })
	if errors.Is(err, ErrType) {
		return says("List.Sort", ErrType, "two elements have no order")
	}
	return err
}

// Copy makes a list of the same elements.
func (l *List) Copy() (*List, error) { return newList(l.ref().call("List.Copy", raw.Copy)) }

// Iterator gives an iterator over the elements. Those that are appended meanwhile are seen.
func (l *List) Iterator() (*Iterator, error) {
	return newIterator(l.ref().call("List.Iterator", raw.Iterate))
}

// Reversed gives an iterator from the end to the beginning.
func (l *List) Reversed() (*Iterator, error) {
	return newIterator(l.ref().call("List.Reversed", raw.Iterate_reversed))
}

// All gives places and elements, for range. Elements are looked at by their places, a few at a time; those that are
// appended meanwhile are seen. A closed list has none, and one that is closed meanwhile no more.
func (l *List) All() func(yield func(int, any) bool) {
	return l.ref().all(raw.ListGetRange)
}
