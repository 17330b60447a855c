// SPDX-License-Identifier: MIT

package ouro

import (
	"sync/atomic"
	"unsafe"

	"ouro/internal/raw"
)

// An Object is a value that Go sees by a handle: *List, *Dict, *Set, *Tuple, *Record, *Iterator, *WeakMap, *WeakSet,
// *Weak, *Opaque.
//
// Each handle holds one counted reference, until Close, or until the garbage collector finds the handle unreachable.
// Any number of handles may stand for one object (Same tells); closing one does nothing to the others, nor to the
// object as long as something else holds it.
type Object interface {
	// Close lets go of the object. A second Close does nothing; all else fails with ErrClosed from then on. Calls that are under way in other
	// goroutines are not disturbed. It returns nil.
	Close() error
	// String shows the object as the library does: [1, "a", 2.5].
	String() string

	ref() *handle
}

// A handle is one counted reference and its users.
//
// A call enters the handle, uses the word, and leaves. Close only marks the handle; the reference is dropped by
// whoever finds it marked and without users: Close itself, or the last that leaves. So the word is good between
// entering and leaving, whatever other goroutines do.
//
// Users are counted in `users`, and, as soon as two have met there, in one of several counters on cache lines of their
// own, chosen by goroutine: then many can read one object without being in each other's way. All operations are
// sequentially consistent, which this needs: one that enters adds itself first and looks at the mark then; one that
// marks looks at the counters then; so one of the two sees the other. A counter that was seen at zero with the mark
// set has only visitors from then on, who find the mark and leave.
type handle struct {
	word   uint64 // written when the handle is made, and by drop, atomically
	users  atomic.Int64
	spread atomic.Pointer[counters]
	marked atomic.Bool
	net    net // drops the reference of a handle that was forgotten
}

type counters [16]struct {
	users atomic.Int64
	_     [120]byte
}

// A use is where a user has been counted.
type use = *atomic.Int64

// enter counts a user. nil: the handle is closed, or there is none.
func (h *handle) enter() use {
	if h == nil {
		return nil
	}
	var u use
	s := h.spread.Load()
	if s == nil {
		u = &h.users
		if u.Add(1) != 1 {
			h.spread.CompareAndSwap(nil, new(counters))
		}
	} else {
		u = s.mine()
		u.Add(1)
	}
	if h.marked.Load() || h.word == 0 {
		h.leave(u)
		return nil
	}
	return u
}

// mine is the same for most calls of a goroutine, and mostly another for another goroutine: their stacks lie apart.
func (s *counters) mine() use {
	var here byte
	at := uint64(uintptr(unsafe.Pointer(&here))) >> 11
	return &s[at*0x9e3779b97f4a7c15>>60].users
}

func (h *handle) leave(u use) {
	u.Add(-1)
	if h.marked.Load() {
		h.drop()
	}
	raw.LookForMessages()
}

// drop drops the reference of a marked handle, if nobody uses it, once.
func (h *handle) drop() {
	if h.users.Load() != 0 {
		return
	}
	if s := h.spread.Load(); s != nil {
		for i := range s {
			if s[i].users.Load() != 0 {
				return
			}
		}
	}
	if word := atomic.SwapUint64(&h.word, 0); word != 0 {
		h.net.remove(h)
		raw.Release(word)
	}
}

func (h *handle) close() error {
	if h != nil {
		h.marked.Store(true)
		h.drop()
	}
	return nil
}

// hold makes the handle that it is given that of a reference, which it takes over. The handle is the first thing in
// its object.
func (h *handle) hold(word uint64) {
	h.word = word
	h.net.spread(h, word)
}
