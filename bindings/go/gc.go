// SPDX-License-Identifier: MIT

package ouro

import (
	"fmt"
	"sync"
	"time"

	"ouro/internal/raw"
)

// A CollectResult is what a collection has done.
type CollectResult struct {
	Generation int
	Collected  int // objects that were found unreachable; all are freed, some of them after their finalizers
	Duration   time.Duration
}

// Collect looks for cycles that nothing refers to, among objects that are new (1) or all (2), and frees them; other
// goroutines go on. What Go shares is never in generation 0. ErrInvalid: no such generation.
func Collect(generation int) (CollectResult, error) {
	start := time.Now()
	n := raw.Gc_collect(generation)
	raw.ReadMessages()
	if n < 0 {
		return CollectResult{}, failedGeneration("Collect(generation)", -n, generation)
	}
	return CollectResult{generation, n, time.Since(start)}, nil
}

// CollectAsync has the library's own thread do it, and returns at once.
func CollectAsync(generation int) error {
	if word := raw.Gc_collect_async(generation); isError(word) {
		return failedGeneration("CollectAsync(generation)", statusOf(word), generation)
	}
	return nil
}

func failedGeneration(op string, status, generation int) error {
	if status == statusInvalid {
		return says(op, ErrInvalid, fmt.Sprintf("generation is %d, not 0, 1 or 2", generation))
	}
	return fail(op, fromStatus(status))
}

// EnableGC turns automatic collection on, which it is at first.
func EnableGC() { raw.Gc_enable() }

// DisableGC turns it off. What is dropped is still freed at once, if it is not in a cycle; and Collect collects.
func DisableGC() { raw.Gc_disable() }

// GCEnabled is whether it is on.
func GCEnabled() bool { return raw.Gc_is_enabled() }

// PauseGC turns automatic collection off until the function that it gives is called: defer ouro.PauseGC()(). It is on
// again when all that paused it have ended that.
func PauseGC() (resume func()) {
	pauses.Lock()
	defer pauses.Unlock()
	if pauses.count == 0 {
		pauses.enabled = GCEnabled()
		DisableGC()
	}
	pauses.count++
	var once sync.Once
	return func() { once.Do(resumeGC) }
}

var pauses struct {
	sync.Mutex
	count   int
	enabled bool
}

func resumeGC() {
	pauses.Lock()
	defer pauses.Unlock()
	if pauses.count--; pauses.count == 0 && pauses.enabled {
		EnableGC()
	}
}

// Threshold gives the thresholds of automatic collection; 0: the library chooses.
func Threshold() (t [3]int) {
	raw.Gc_get_threshold(t[:])
	return t
}

// SetThreshold sets them and gives the old ones: objects made before a generation 0 collection, of those before one of
// generation 1, and of those before one of generation 2. ErrInvalid: one is negative.
func SetThreshold(t [3]int) (old [3]int, err error) {
	for i, n := range t {
		if n < 0 {
			return old, says("SetThreshold(t)", ErrInvalid, fmt.Sprintf("t[%d] is negative: %d", i, n))
		}
	}
	old = Threshold()
	return old, check("SetThreshold(t)", raw.Gc_set_threshold(t[:]))
}

// Counts gives how far it is to the thresholds. Reading them changes nothing.
func Counts() (c [3]int) {
	raw.Gc_get_count(c[:])
	return c
}

// DebugFlags are for SetDebug. Their numbers are those of Python's gc.
type DebugFlags uint

// What is printed to the standard error, and whether garbage is kept.
const (
	DebugStats         DebugFlags = 1  // a line for each collection
	DebugCollectable   DebugFlags = 2  // a line for each object found
	DebugUncollectable DebugFlags = 4  // there are none
	DebugSaveAll       DebugFlags = 32 // objects found are kept: Garbage
	DebugLeak          DebugFlags = 38 // the last three
)

// SetDebug sets debugging and gives what it was.
func SetDebug(flags DebugFlags) (old DebugFlags) {
	old = Debug()
	raw.Gc_set_debug(uint(flags))
	return old
}

// Debug gives what debugging there is.
func Debug() DebugFlags { return DebugFlags(raw.Gc_get_debug()) }

// Garbage gives the objects that DebugSaveAll has kept.
func Garbage() ([]any, error) { return visited("Garbage", raw.Gc_garbage()) }

// ClearGarbage lets go of them.
func ClearGarbage() { raw.Gc_clear_garbage() }

// Freeze takes all objects that there are out of collections' sight.
func Freeze() { raw.Gc_freeze() }

// Unfreeze takes them back.
func Unfreeze() { raw.Gc_unfreeze() }

// FreezeCount is how many are frozen.
func FreezeCount() int { return raw.Gc_get_freeze_count() }

// Objects gives the objects that collections of a generation look at: 1, those that the next one of generation 1 will
// look at; 2, the others; -1, all.
func Objects(generation int) ([]any, error) {
	return visited("Objects(generation)", raw.Gc_objects(generation))
}

// Referents gives what an object refers to.
func Referents(o Object) ([]any, error) {
	word, err := refOf(o).call("Referents(o)", raw.Gc_referents)
	if err != nil {
		return nil, err
	}
	return visited("Referents(o)", word)
}

// Referrers gives the objects that refer to one: who keeps it alive. It looks at all objects. Handles do not count.
func Referrers(o Object) ([]any, error) {
	word, err := refOf(o).call("Referrers(o)", raw.Gc_referrers)
	if err != nil {
		return nil, err
	}
	return visited("Referrers(o)", word)
}

// visited takes over a tuple.
func visited(op string, word uint64) ([]any, error) {
	if err := check(op, word); err != nil {
		return nil, err
	}
	defer raw.Release(word)
	return tupleSlice(op, word)
}

// IsTracked is whether a cycle could pass through the object.
func IsTracked(o Object) bool { return refOf(o).is("IsTracked(o)", raw.Value_is_tracked) }

// IsFinalized is whether its finalizer has run.
func IsFinalized(o Object) bool { return refOf(o).is("IsFinalized(o)", raw.Value_is_finalized) }

// RefCount is how many references there are to the object, handles included: a moment's estimate, for tests and tools.
// 0: closed.
func RefCount(o Object) (n int) {
	refOf(o).do("RefCount(o)", func(word uint64) uint64 {
		n = raw.Value_refcount(word)
		return nilWord
	})
	return n
}

func (h *handle) is(op string, f func(word uint64) bool) (is bool) {
	h.do(op, func(word uint64) uint64 {
		is = f(word)
		return nilWord
	})
	return is
}

// A GCPhase is when a callback at collections is called.
type GCPhase int

// Before a collection, and after it.
const (
	GCStart GCPhase = iota
	GCStop
)

// A GCReason is why there was a collection.
type GCReason int

// Reasons.
const (
	GCAsked  GCReason = iota // Collect, CollectAsync
	GCCount                  // a threshold
	GCGrowth                 // memory in use has grown
	GCMemory                 // it is short
	GCOwner                  // dropped references have waited too long for a thread
)

// A GCEvent is the beginning or end of a collection.
type GCEvent struct {
	Phase      GCPhase
	Generation int
	Reason     GCReason

	// At the end only.
	Candidates int // objects looked at
	Collected  int // of these, found unreachable
	Freed      int // of these, freed; the others wait for finalizers
	Duration   time.Duration
}

// OnGC has f called for each collection's beginning and end, a little later, in their order, on the goroutine of
// cleanups. ErrNoMemory: there are too many such functions.
func OnGC(f func(GCEvent)) (cancel func(), err error) {
	watchers.Lock()
	defer watchers.Unlock()
	watchers.last++
	id := watchers.last
	number := raw.WatchCollections(id)
	if number < 0 {
		return nil, fail("OnGC(f)", fromStatus(-number))
	}
	if watchers.functions == nil {
		watchers.functions = make(map[uint64]func(GCEvent))
	}
	watchers.functions[id] = f
	var once sync.Once
	return func() { once.Do(func() { unwatch(id, number) }) }, nil
}

// NotifyGC has each collection's beginning and end sent to c, in their order. What finds c full is lost, as with
// signal.Notify.
func NotifyGC(c chan<- GCEvent) (cancel func(), err error) {
	if c == nil {
		return nil, says("NotifyGC(c)", ErrInvalid, "c is nil")
	}
	return OnGC(func(e GCEvent) {
		select {
		case c <- e:
		default:
		}
	})
}

var watchers struct {
	sync.Mutex
	functions map[uint64]func(GCEvent)
	last      uint64
}

func unwatch(id uint64, number int) {
	raw.UnwatchCollections(number)
	watchers.Lock()
	defer watchers.Unlock()
	delete(watchers.functions, id)
}

// collection is what the library calls, on the thread that collects.
func collection(id uint64, c *raw.Collection) {
	e := GCEvent{GCPhase(c.Phase), c.Generation, GCReason(c.Reason), int(c.Candidates), int(c.Found), int(c.Freed), time.Duration(c.DurationNanosec)}
	later(func() {
		watchers.Lock()
		f := watchers.functions[id]
		watchers.Unlock()
		if f != nil {
			f(e)
		}
	})
}

func init() { raw.OnCollection = collection }
