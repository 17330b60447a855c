// SPDX-License-Identifier: MIT

package ouro

import (
	"sync"

	"ouro/internal/raw"
)

// ---- many values to the library ----

// A batch is many values on their way to the library, in one piece of memory without Go pointers: how many, their
// items, the bytes of strings.
type batch struct {
	words []uint64
	text  []byte
	uses  []arg // of objects
}

var batches = sync.Pool{New: func() any { return new(batch) }}

func newBatch(room int) *batch {
	b := batches.Get().(*batch)
	if n := 1 + 3*room; cap(b.words) < n {
		b.words = make([]uint64, 1, n)
	}
	b.words = append(b.words[:0], 0)
	return b
}

func (b *batch) add(v any) error {
	var a arg
	if err := a.set(v); err != nil {
		return err
	}
	b.addArg(&a)
	if a.h != nil {
		b.uses = append(b.uses, a)
	}
	return nil
}

func (b *batch) addArg(a *arg) {
	b.words[0]++
	if a.Word == raw.String || a.Word == raw.Bytes {
		b.words = append(b.words, a.Word, uint64(len(b.text)), a.Data)
		b.text = append(b.text, textOf(a)...)
	} else {
		b.words = append(b.words, a.Word, a.Data, 0)
	}
}

func (b *batch) addAll(values []any) error {
	for _, v := range values {
		if err := b.add(v); err != nil {
			return err
		}
	}
	return nil
}

func addSlice[T any](b *batch, s []T) error {
	var a arg
	switch s := any(s).(type) {
	case []any:
		return b.addAll(s)
	case []int:
		for _, v := range s {
			a.setInt(int64(v))
			b.addArg(&a)
		}
	case []int64:
		for _, v := range s {
			a.setInt(v)
			b.addArg(&a)
		}
	case []float64:
		for _, v := range s {
			a.setFloat(v)
			b.addArg(&a)
		}
	case []string:
		for _, v := range s {
			a.setString(v)
			b.addArg(&a)
		}
	case []bool:
		for _, v := range s {
			a.setBool(v)
			b.addArg(&a)
		}
	default:
		for _, v := range s.([]T) {
			if err := b.add(v); err != nil {
				return err
			}
		}
	}
	return nil
}

// finish gives what the library takes.
func (b *batch) finish() []uint64 {
	at := uint64(8 * len(b.words))
	if len(b.text) > 0 {
		for i := 1; i < len(b.words); i += 3 {
			if w := b.words[i]; w == raw.String || w == raw.Bytes {
				b.words[i+1] += at
			}
		}
		n := len(b.words)
		for i := 0; i < len(b.text); i += 8 {
			b.words = append(b.words, 0)
		}
		copy(bytesOf(b.words[n:]), b.text)
	}
	return b.words
}

const batchKept = 1 << 16 // words: a larger batch is not kept for the next

// done is for every batch, also one that failed. handed: the library has been given it, and so all handles in it.
func (b *batch) done(handed bool) {
	for i := range b.uses {
		b.uses[i].done()
		b.uses[i] = arg{}
	}
	for i := 1; !handed && i+2 < len(b.words) && i <= 3*int(b.words[0]); i += 3 {
		if b.words[i] == raw.Host {
			dispose(b.words[i+1])
		}
	}
	if cap(b.words)+cap(b.text) <= batchKept {
		b.text, b.uses = b.text[:0], b.uses[:0]
		batches.Put(b)
	}
}

// give fills a batch and hands it to a call; it gives the call's word, or an error.
func give[T any](values []T, call func(words []uint64) uint64) uint64 {
	b := newBatch(len(values))
	if err := addSlice(b, values); err != nil {
		b.done(false)
		return errorWord(err, int(b.words[0])+1)
	}
	word := call(b.finish())
	b.done(true)
	return word
}

// ---- many values from the library ----

const chunk = 128

// A reader takes values from the library a chunk at a time.
type reader struct {
	items  [chunk]raw.Item
	values [chunk]any
	count  int
	next   int
}

var readers = sync.Pool{New: func() any { return new(reader) }}

func newReader() *reader { return readers.Get().(*reader) }

// took is told what the call that filled the items has said. Values are copied at once; handles are made when they are
// asked for.
func (r *reader) took(word uint64) {
	r.count, r.next = 0, 0
	if isError(word) {
		return
	}
	r.count = number(word)
	texts := false
	for i := range r.items[:r.count] {
		item := &r.items[i]
		copied := isCopied(item.Word >> raw.KindShift)
		if item.Word&3 != 0 || item.Word == nilWord || copied {
			r.values[i] = itemValue(item)
			texts = texts || copied && item.Word&3 == 0
		}
	}
	if texts {
		raw.ReleaseTexts(r.items[:r.count])
	}
}

// more is whether there is another value; take gives it.
func (r *reader) more() bool { return r.next < r.count }

func (r *reader) take() any {
	i := r.next
	r.next++
	if w := r.items[i].Word; w&3 == 0 && w != nilWord && !isCopied(w>>raw.KindShift) {
		return newObject(w>>raw.KindShift, w&raw.Reference)
	}
	return r.values[i]
}

// done drops what was not taken.
func (r *reader) done() {
	for ; r.next < r.count; r.next++ {
		if w := r.items[r.next].Word; w&3 == 0 && w != nilWord && !isCopied(w>>raw.KindShift) {
			raw.Release(w & raw.Reference)
		}
	}
	for i := range r.values {
		r.values[i] = nil
	}
	readers.Put(r)
}

// readAll appends all that fill gives to a slice. fill is told how many there have been. short: less than a chunk is
// the end.
func readAll(to []any, short bool, fill func(start int, items []raw.Item) uint64) ([]any, uint64) {
	r := newReader()
	defer r.done()
	for {
		word := fill(len(to), r.items[:])
		r.took(word)
		for r.more() {
			to = append(to, r.take())
		}
		if isError(word) || r.count == 0 || short && r.count < chunk {
			return to, word
		}
	}
}
