// SPDX-License-Identifier: MIT

package raw

// #include "library.h"
// #include "callbacks.h"
// #include "messages.h"
// extern _Thread_local uint64_t ouro_go_failure;
// static uint64_t swap_failure(uint64_t handle) { uint64_t old = ouro_go_failure; ouro_go_failure = handle; return old; }
import "C"

import (
	"sync"
	"sync/atomic"
	"unsafe"
)

// What C calls. Package ouro sets them before anything is called, and none of them panics.
var (
	OnDispose    func(handle uint64)
	OnRepr       func(handle uint64) (string, bool)
	OnNext       func(handle uint64) uint64
	OnDead       func(handle uint64)
	OnCollection func(id uint64, c *Collection)
)

// A Collection is what a callback at collections is told.
type Collection struct {
	Phase, Generation, Reason                 int
	Candidates, Found, Freed, DurationNanosec uint64
}

//export ouroGoDispose
func ouroGoDispose(handle C.uint64_t) { OnDispose(uint64(handle)) }

//export ouroGoRepr
func ouroGoRepr(handle C.uint64_t, buffer *C.char, room C.size_t) C.int64_t {
	s, ok := OnRepr(uint64(handle))
	if !ok {
		return -1
	}
	if room > 0 {
		copy(unsafe.Slice((*byte)(unsafe.Pointer(buffer)), int(room)), s)
	}
	return C.int64_t(len(s))
}

//export ouroGoNext
func ouroGoNext(handle C.uint64_t) C.uint64_t { return C.uint64_t(OnNext(uint64(handle))) }

//export ouroGoDead
func ouroGoDead(handle C.uint64_t) { OnDead(uint64(handle)) }

//export ouroGoMessages
func ouroGoMessages() { ReadMessages() }

var reading sync.Mutex

// ReadMessages does what the messages ask for that there are (messages.h). When it returns, that has been done.
func ReadMessages() {
	func() {
		reading.Lock()
		defer reading.Unlock()
		read()
	}()
	LookForMessages()
}

// LookForMessages is for the end of each call, and small enough to be in line there.
func LookForMessages() {
	if atomic.LoadUint32(hasMessages) != 0 {
		lookAtMessages()
	}
}

var hasMessages = (*uint32)(unsafe.Pointer(&C.ouro_go_has_messages))

// One call does not do this for all goroutines for ever.
const rounds = 8

// Somebody else may be reading them: then they are his, who looks again when he has.
func lookAtMessages() {
	for round := 1; atomic.LoadUint32(hasMessages) != 0; round++ {
		if round > rounds && bool(C.ouro_go_messages_leave()) || !tryRead() {
			return
		}
	}
}

func tryRead() bool {
	if !reading.TryLock() {
		return false
	}
	defer reading.Unlock()
	read()
	return true
}

func read() {
	first := C.ouro_go_messages_take()
	if first == nil {
		return
	}
	for m := first; m != nil; m = m.next {
		switch m.kind {
		case C.OURO_GO_DISPOSE:
			OnDispose(uint64(m.id))
		case C.OURO_GO_DEAD:
			OnDead(uint64(m.id))
		case C.OURO_GO_COLLECTION:
			OnCollection(uint64(m.id), &Collection{int(m.phase), int(m.generation), int(m.reason), uint64(m.candidates),
				uint64(m.found), uint64(m.freed), uint64(m.duration_ns)})
		}
	}
	C.ouro_go_messages_free(first)
}

// SwapFailure leaves a handle for the call that the callback on this thread is part of, and gives the one that nobody
// asked for.
func SwapFailure(handle uint64) uint64 { return uint64(C.swap_failure(C.uint64_t(handle))) }

// Generate makes an iterator of a Go function, and gives it or an error's number.
func Generate(handle uint64) (uint64, int) {
	var v C.ouro_value
	status := C.ouro_go_generate(C.uint64_t(handle), &v)
	return uint64(v), -int(status)
}

// Watch makes a weak reference with a callback.
func Watch(target, handle uint64) (uint64, int) {
	var v C.ouro_value
	status := C.ouro_go_watch(C.ouro_value(target), C.uint64_t(handle), &v)
	return uint64(v), -int(status)
}

// WatchCollections gives a callback's number, or a negative status.
func WatchCollections(id uint64) int { return int(C.ouro_go_watch_collections(C.uint64_t(id))) }

// UnwatchCollections ends it; it may be running still.
func UnwatchCollections(number int) { C.ouro_gc_remove_callback(C.int(number)) }
