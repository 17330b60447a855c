// SPDX-License-Identifier: MIT

package ouro

import (
	"errors"
	"fmt"
	"sync/atomic"

	"ouro/internal/raw"
)

// An Iterator gives values one after the other. Goroutines may share it: each value goes to one of them.
type Iterator struct {
	handle
	failed atomic.Value // of failure
}

type failure struct{ err error }

func newIterator(word uint64, err error) (*Iterator, error) {
	if err != nil {
		return nil, err
	}
	it := &Iterator{}
	it.hold(word)
	return it, nil
}

func (it *Iterator) ref() *handle {
	if it == nil {
		return nil
	}
	return &it.handle
}

// Iterate gives an iterator over any value that has one: the elements of a list, tuple or set, the keys of a dict, the
// values of a record, the code points of a string, as strings, the bytes of bytes; of an iterator, itself. ErrType.
func Iterate(v any) (*Iterator, error) {
	return newIterator(one("Iterate(v)", v, raw.Iterate))
}

// NewRange gives an iterator over start, start + step, ... before stop. ErrInvalid: step is 0.
func NewRange(start, stop, step int) (*Iterator, error) {
	if step == 0 {
		return nil, says("NewRange(step)", ErrInvalid, "step is 0")
	}
	word := raw.Iterate_range(start, stop, step)
	return newIterator(word, check("NewRange(step)", word))
}

// NewGenerator gives an iterator over what next gives, until that fails with ErrEnd. Any other error is that of the
// call that asked for the value, and of no later one. next is called by one goroutine at a time (another that asks
// meanwhile gets ErrBusy), on whichever asks; a panic in it becomes a PanicError. Handles that it gives are its own
// still, to close. It is locked to its thread then, so functions of iter.Pull cannot be called in it.
func NewGenerator(next func() (any, error)) (*Iterator, error) {
	if next == nil {
		return nil, says("NewGenerator(next)", ErrInvalid, "next is nil")
	}
	h := newHeld(next, false)
	word, number := raw.Generate(h.handle)
	if number != 0 {
		dispose(h.handle)
		return nil, fail("NewGenerator(next)", fromStatus(number))
	}
	return newIterator(word, nil)
}

// generate is what the library calls.
func generate(handle uint64) (word uint64) {
	v, err := callNext(heldValue(handle).(func() (any, error)))
	if err == nil {
		var t temporary
		if err = t.set(v); err == nil {
			return t.take()
		}
	}
	if errors.Is(err, ErrEnd) {
		return errorWord(ErrEnd, 0)
	}
	setFailure(err)
	return statusHost<<8 | raw.Error
}

func callNext(next func() (any, error)) (v any, err error) {
	defer guard(&err)
	return next()
}

// Close lets go of the iterator: see Object.
func (it *Iterator) Close() error { return it.ref().close() }

// String shows that it is one.
func (it *Iterator) String() string { return it.ref().text("iterator") }

// Next gives the next value. ErrEnd: there is none, now and for ever. ErrChanged: keys or elements came or went.
func (it *Iterator) Next() (any, error) {
	u := it.ref().enter()
	if u == nil {
		return nil, closed("Iterator.Next")
	}
	a := raw.IteratorNext(it.word)
	it.leave(u)
	if isError(a.Word) {
		return nil, failed("Iterator.Next", a.Word)
	}
	return value(&a), nil
}

// NextPair gives the next key and value of Dict.Items. ErrEnd, ErrChanged; ErrType: it is over something else.
func (it *Iterator) NextPair() (key, value any, err error) {
	return it.ref().getPair("Iterator.NextPair", raw.IteratorNextPair)
}

// NextMany gives up to n values, at least one. ErrEnd, ErrChanged.
func (it *Iterator) NextMany(n int) ([]any, error) {
	u := it.ref().enter()
	if u == nil {
		return nil, closed("Iterator.NextMany(n)")
	}
	defer it.leave(u)
	if n <= 0 {
		return nil, says("Iterator.NextMany(n)", ErrInvalid, fmt.Sprintf("n is %d", n))
	}
	values, word := readAll(nil, false, func(at int, items []raw.Item) uint64 {
		if n-at < len(items) {
			items = items[:n-at]
		}
		if len(items) == 0 {
			return zeroWord
		}
		return raw.IteratorNextAll(it.word, items)
	})
	if len(values) == 0 {
		return nil, failed("Iterator.NextMany(n)", word)
	}
	return values, nil // an error that came after some comes again
}

// All gives the values that are left, for range. Err says whether it was the end that ended it.
func (it *Iterator) All() func(yield func(any) bool) {
	return func(yield func(any) bool) {
		if err := it.each("Iterator.All", yield); it != nil {
			it.failed.Store(failure{err})
		}
	}
}

// Err is what ended the last loop over All, if it was not the end of the values or of the loop.
func (it *Iterator) Err() error {
	if it == nil {
		return closed("Iterator.Err")
	}
	f, _ := it.failed.Load().(failure)
	return f.err
}

// each takes one value at a time: what is taken is gone from the iterator, even if the loop ends before it gets there.
func (it *Iterator) each(op string, yield func(any) bool) error {
	for {
		v, err := it.ref().get(op, raw.IteratorNext)
		if errors.Is(err, ErrEnd) {
			return nil
		}
		if err != nil {
			return err
		}
		if !yield(v) {
			return nil
		}
	}
}

// The rest is for iterators that nobody else has. They take many at a time.

// chunks is each.
func (it *Iterator) chunks(yield func(any) bool) {
	r := newReader()
	defer r.done()
	for {
		r.took(raw.IteratorNextAll(it.word, r.items[:]))
		if !r.more() {
			return
		}
		for r.more() {
			if !yield(r.take()) {
				return
			}
		}
	}
}

// pairs is the same for keys and values.
func (it *Iterator) pairs(yield func(key, value any) bool) {
	r := newReader()
	defer r.done()
	for {
		r.took(raw.IteratorNextPairs(it.word, r.items[:]))
		if !r.more() {
			return
		}
		for r.more() {
			key := r.take()
			if !yield(key, r.take()) {
				return
			}
		}
	}
}

func init() { raw.OnNext = generate }
