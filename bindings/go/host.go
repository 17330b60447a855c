// SPDX-License-Identifier: MIT

package ouro

import (
	"fmt"
	"reflect"
	"runtime/cgo"
	"sync"
	"sync/atomic"

	"ouro/internal/raw"
)

// Go values that the library has no kind for are kept here while it refers to them by their handles. A value that is
// equal to itself has one handle at a time, however often it is stored: so the library compares keys by their handles,
// and calls nothing of Go's for it.

type held struct {
	value  any
	handle uint64
	refs   atomic.Int64 // the library's objects with this handle
	unique bool         // it is in heldByValue
}

// Not a sync.Map: those of old Go hold on to keys that were deleted.
var heldByValue = struct {
	sync.RWMutex
	m map[any]*held
}{m: make(map[any]*held)}

func newHeld(value any, unique bool) *held {
	h := &held{value: value, unique: unique}
	h.refs.Store(1)
	h.handle = uint64(cgo.NewHandle(h))
	return h
}

// keep gives the value's handle, counted once more.
func keep(value any) uint64 {
	if !equalsItself(value) {
		return newHeld(value, false).handle
	}
	heldByValue.RLock()
	h := heldByValue.m[value]
	is := h.again()
	heldByValue.RUnlock()
	if is {
		return h.handle
	}
	heldByValue.Lock()
	defer heldByValue.Unlock()
	if h = heldByValue.m[value]; !h.again() { // if there is one, it is about to go from the map
		h = newHeld(value, true)
		heldByValue.m[value] = h
	}
	return h.handle
}

// again counts once more what there is and has not gone.
func (h *held) again() bool {
	for h != nil {
		n := h.refs.Load()
		if n == 0 {
			break
		}
		if h.refs.CompareAndSwap(n, n+1) {
			return true
		}
	}
	return false
}

// equalsItself is false for what cannot be compared, and for NaN and what has one inside.
func equalsItself(value any) (is bool) {
	defer func() {
		if recover() != nil {
			is = false
		}
	}()
	other := value
	return value == other
}

// heldValue is the value of a handle. nil: its object was garbage, has been disposed of, and was got at through a weak
// reference all the same.
func heldValue(handle uint64) any {
	defer func() { _ = recover() }() // no handle comes a second time
	h := cgo.Handle(handle).Value().(*held)
	h.refs.Load() // what was done to the value before it was stored last has happened before
	return h.value
}

// dispose is called when an object of the library's with the handle has died.
func dispose(handle uint64) {
	h := cgo.Handle(handle).Value().(*held)
	if h.refs.Add(-1) != 0 {
		return
	}
	if h.unique {
		heldByValue.Lock()
		if heldByValue.m[h.value] == h {
			delete(heldByValue.m, h.value)
		}
		heldByValue.Unlock()
	}
	cgo.Handle(handle).Delete()
}

// repr shows a Go value, without looking into what other goroutines may be changing.
func repr(handle uint64) (s string, ok bool) {
	var err error
	defer func() {
		if ok = err == nil; !ok {
			setFailure(err)
		}
	}()
	defer guard(&err)
	switch v := heldValue(handle).(type) {
	case fmt.Stringer:
		s = v.String()
	case error:
		s = v.Error()
	default:
		switch k := reflect.TypeOf(v).Kind(); {
		case k <= reflect.Complex128, k == reflect.String:
			s = fmt.Sprint(v)
		default:
			s = fmt.Sprintf("<%T>", v)
		}
	}
	return s, true
}

// A callback that fails leaves its error with the thread; the call that it is part of takes it along (see
// ouro_go_failure).

func setFailure(err error) {
	if forgotten := raw.SwapFailure(uint64(cgo.NewHandle(err))); forgotten != 0 {
		cgo.Handle(forgotten).Delete()
	}
}

func takeFailure(handle uint64) error {
	h := cgo.Handle(handle)
	defer h.Delete()
	return h.Value().(error)
}

func init() {
	raw.OnDispose = dispose
	raw.OnRepr = repr
}
