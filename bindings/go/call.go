// SPDX-License-Identifier: MIT

package ouro

import (
	"errors"

	"ouro/internal/raw"
)

// Ways in which methods call the library. Each enters the handle, makes what the call takes of Go values, and leaves.
// Those that are called most (List.Get, Dict.Set and the like) do so by themselves.

// call gives the word, if that is no error.
func (h *handle) call(op string, f func(word uint64) uint64) (uint64, error) {
	u := h.enter()
	if u == nil {
		return 0, closed(op)
	}
	word := f(h.word)
	h.leave(u)
	return word, check(op, word)
}

func (h *handle) do(op string, f func(word uint64) uint64) error {
	_, err := h.call(op, f)
	return err
}

// call1 is the same with a value, which is a key if one was not found.
func (h *handle) call1(op string, v any, f func(word, v uint64) uint64) (uint64, error) {
	u := h.enter()
	if u == nil {
		return 0, closed(op)
	}
	defer h.leave(u)
	var t temporary
	if err := t.set(v); err != nil {
		return 0, wrong(op, err, lastOne, v)
	}
	word := f(h.word, t.Word)
	t.done()
	if isError(word) {
		return 0, failedKey(op, word, v)
	}
	return word, nil
}

func (h *handle) do1(op string, v any, f func(word, v uint64) uint64) error {
	_, err := h.call1(op, v, f)
	return err
}

// call2 is the same with two.
func (h *handle) call2(op string, v, w any, f func(word, v, w uint64) uint64) (uint64, error) {
	var t temporary
	if err := t.set(w); err != nil {
		return 0, wrong(op, err, lastOne, w)
	}
	defer t.done()
	word, err := h.call1(op, v, func(word, v uint64) uint64 { return f(word, v, t.Word) })
	if e, ok := err.(*opError); ok && e.about == lastOne {
		e.about = lastButOne
	}
	return word, err
}

// put is for calls that take a value in the crossing; put2, two.
func (h *handle) put(op string, v any, f func(word uint64, v raw.Arg) uint64) (uint64, error) {
	u := h.enter()
	if u == nil {
		return 0, closed(op)
	}
	defer h.leave(u)
	var a arg
	if err := a.set(v); err != nil {
		return 0, wrong(op, err, lastOne, v)
	}
	word := f(h.word, a.Arg)
	a.done()
	if isError(word) {
		return 0, failedKey(op, word, v)
	}
	return word, nil
}

func (h *handle) put2(op string, v, w any, f func(word uint64, v, w raw.Arg) uint64) (uint64, error) {
	u := h.enter()
	if u == nil {
		return 0, closed(op)
	}
	defer h.leave(u)
	var a, b arg
	if err := set2(op, &a, &b, v, w); err != nil {
		return 0, err
	}
	word := f(h.word, a.Arg, b.Arg)
	a.done()
	b.done()
	if isError(word) {
		return 0, failedPair(op, word, v, w)
	}
	return word, nil
}

// get is for calls that give a value in the crossing; get1, also take one; get2, two.
func (h *handle) get(op string, f func(word uint64) raw.Answer) (any, error) {
	u := h.enter()
	if u == nil {
		return nil, closed(op)
	}
	a := f(h.word)
	h.leave(u)
	if isError(a.Word) {
		return nil, failed(op, a.Word)
	}
	return value(&a), nil
}

func (h *handle) get1(op string, v any, f func(word uint64, v raw.Arg) raw.Answer) (any, error) {
	u := h.enter()
	if u == nil {
		return nil, closed(op)
	}
	defer h.leave(u)
	var a arg
	if err := a.set(v); err != nil {
		return nil, wrong(op, err, lastOne, v)
	}
	got := f(h.word, a.Arg)
	a.done()
	if isError(got.Word) {
		return nil, failedKey(op, got.Word, v)
	}
	return value(&got), nil
}

func (h *handle) get2(op string, v, w any, f func(word uint64, v, w raw.Arg) raw.Answer) (any, error) {
	u := h.enter()
	if u == nil {
		return nil, closed(op)
	}
	defer h.leave(u)
	var a, b arg
	if err := set2(op, &a, &b, v, w); err != nil {
		return nil, err
	}
	got := f(h.word, a.Arg, b.Arg)
	a.done()
	b.done()
	if isError(got.Word) {
		return nil, failedPair(op, got.Word, v, w)
	}
	return value(&got), nil
}

// getPair is for calls that give two values.
func (h *handle) getPair(op string, f func(word uint64) (raw.Answer, raw.Answer)) (any, any, error) {
	u := h.enter()
	if u == nil {
		return nil, nil, closed(op)
	}
	a, b := f(h.word)
	h.leave(u)
	if isError(a.Word) {
		err := failed(op, a.Word)
		switch {
		case errors.Is(err, ErrKey):
			return nil, nil, says(op, ErrKey, "it is empty")
		case errors.Is(err, ErrType):
			return nil, nil, says(op, ErrType, "it gives no pairs")
		}
		return nil, nil, err
	}
	return value(&a), value(&b), nil
}

// set2 makes two arguments, or none.
func set2(op string, a, b *arg, v, w any) error {
	if err := a.set(v); err != nil {
		return wrong(op, err, lastButOne, v)
	}
	if err := b.set(w); err != nil {
		a.undo()
		return wrong(op, err, lastOne, w)
	}
	return nil
}

// length is what a call says, or 0.
func (h *handle) length(f func(word uint64) uint64) int {
	u := h.enter()
	if u == nil {
		return 0
	}
	word := f(h.word)
	h.leave(u)
	if isError(word) {
		return 0
	}
	return number(word)
}

// all goes over places and elements of a list or tuple.
func (h *handle) all(fill func(word uint64, start int, items []raw.Item) uint64) func(yield func(int, any) bool) {
	return func(yield func(int, any) bool) {
		r := newReader()
		defer r.done()
		for at := 0; ; {
			u := h.enter()
			if u == nil {
				return
			}
			r.took(fill(h.word, at, r.items[:]))
			h.leave(u)
			if !r.more() {
				return
			}
			for ; r.more(); at++ {
				if !yield(at, r.take()) {
					return
				}
			}
		}
	}
}

// text shows an object.
func (h *handle) text(name string) string {
	word, err := h.call(name, raw.Repr)
	if err != nil {
		if h == nil || h.marked.Load() {
			return "<closed " + name + ">"
		}
		return "<" + name + ">"
	}
	a := raw.Describe(word)
	s, _ := value(&a).(string)
	return s
}

// closeAll closes those of some values that are objects: what was made for a result that is not given.
func closeAll(values []any) {
	for _, v := range values {
		if o, ok := v.(Object); ok {
			o.Close()
		}
	}
}
