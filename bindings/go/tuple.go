// SPDX-License-Identifier: MIT

package ouro

import (
	"math"

	"ouro/internal/raw"
)

// A Tuple is a row of values that does not change. Tuples with equal elements are equal, also as keys.
type Tuple struct{ handle }

func newTuple(word uint64, err error) (*Tuple, error) {
	if err != nil {
		return nil, err
	}
	t := &Tuple{}
	t.hold(word)
	return t, nil
}

func (t *Tuple) ref() *handle {
	if t == nil {
		return nil
	}
	return &t.handle
}

// NewTuple makes a tuple of values. ErrClosed, ErrEncoding, ErrNoMemory.
func NewTuple(values ...any) (*Tuple, error) {
	word := give(values, raw.Tuple_new)
	return newTuple(word, check("NewTuple(values)", word))
}

// Close lets go of the tuple: see Object.
func (t *Tuple) Close() error { return t.ref().close() }

// String shows the tuple: (1, "a", 2.5).
func (t *Tuple) String() string { return t.ref().text("tuple") }

// Len is the number of elements; 0 if the tuple is closed.
func (t *Tuple) Len() int { return t.ref().length(raw.Tuple_length) }

// Get gives an element; an index below 0 counts from the end. ErrIndex.
func (t *Tuple) Get(index int) (any, error) {
	u := t.ref().enter()
	if u == nil {
		return nil, closed("Tuple.Get(index)")
	}
	var a raw.Answer
	raw.TupleGet(t.word, index, &a)
	t.leave(u)
	if isError(a.Word) {
		return nil, failedIndex("Tuple.Get(index)", a.Word, index, t.Len())
	}
	return value(&a), nil
}

// Index gives the place of the first element that equals value. ErrKey.
func (t *Tuple) Index(value any) (int, error) {
	word, err := t.ref().call1("Tuple.Index(value)", value, func(t, v uint64) uint64 { return raw.Tuple_index(t, v, 0, math.MaxInt) })
	return number(word), err
}

// Has is whether an element equals value.
func (t *Tuple) Has(value any) (bool, error) {
	_, err := t.Index(value)
	return hasKey(err)
}

// Count gives how many elements equal value.
func (t *Tuple) Count(value any) (int, error) {
	word, err := t.ref().call1("Tuple.Count(value)", value, raw.Tuple_count)
	return number(word), err
}

// Sub makes a tuple of the elements start, start + step, ... before stop; starts and stops are as for lists.
// ErrInvalid: step is 0.
func (t *Tuple) Sub(start, stop, step int) (*Tuple, error) {
	return newTuple(t.ref().call("Tuple.Sub(start, stop, step)", func(t uint64) uint64 { return raw.Tuple_slice(t, start, stop, step) }))
}

// Concat makes a tuple of the elements of both.
func (t *Tuple) Concat(other *Tuple) (*Tuple, error) {
	return newTuple(t.ref().call1("Tuple.Concat(other)", other, raw.Tuple_concat))
}

// ToSlice gives all elements.
func (t *Tuple) ToSlice() ([]any, error) {
	u := t.ref().enter()
	if u == nil {
		return nil, closed("Tuple.ToSlice")
	}
	defer t.leave(u)
	return tupleSlice("Tuple.ToSlice", t.word)
}

func tupleSlice(op string, word uint64) ([]any, error) {
	values, end := readAll(nil, true, func(at int, items []raw.Item) uint64 { return raw.TupleGetRange(word, at, items) })
	return values, check(op, end)
}

// Iterator gives an iterator over the elements.
func (t *Tuple) Iterator() (*Iterator, error) {
	return newIterator(t.ref().call("Tuple.Iterator", raw.Iterate))
}

// Reversed gives an iterator from the end to the beginning.
func (t *Tuple) Reversed() (*Iterator, error) {
	return newIterator(t.ref().call("Tuple.Reversed", raw.Iterate_reversed))
}

// All gives places and elements, for range. A closed tuple has none.
func (t *Tuple) All() func(yield func(int, any) bool) { return t.ref().all(raw.TupleGetRange) }
