// SPDX-License-Identifier: MIT

package ouro

import (
	"errors"
	"sync"

	"ouro/internal/raw"
)

// A Weak names an object without keeping it alive.
type Weak[T Object] struct {
	handle
	asking sync.Mutex
	dead   chan struct{}
}

func (w *Weak[T]) ref() *handle {
	if w == nil {
		return nil
	}
	return &w.handle
}

// MakeWeak makes a weak reference to an object. (One that comes out of a container is a *Weak[Object].) ErrClosed,
// ErrNoMemory.
func MakeWeak[T Object](x T) (*Weak[T], error) {
	word, err := refOf(x).call("MakeWeak(x)", raw.Weak_ref_new)
	if err != nil {
		return nil, err
	}
	w := &Weak[T]{}
	w.hold(word)
	return w, nil
}

// refOf is the handle of an object that may be nil.
func refOf(o Object) *handle {
	if o == nil {
		return nil
	}
	return o.ref()
}

// Value gives the object, by a handle of its own, to be closed, as long as it is alive.
func (w *Weak[T]) Value() (x T, ok bool) {
	v, err := w.ref().get("Weak.Value", raw.WeakGet)
	if err != nil || v == nil {
		return x, false
	}
	x, ok = v.(T)
	return x, ok
}

// Alive is whether Value would give the object now.
func (w *Weak[T]) Alive() bool {
	x, ok := w.Value()
	if ok {
		x.Close()
	}
	return ok
}

// Dead gives a channel that is closed once the object is dead. (Of a closed weak reference that was not asked before:
// at once.) nil, which is never closed: there was no memory for it.
func (w *Weak[T]) Dead() <-chan struct{} {
	if w == nil {
		return closedChannel
	}
	w.asking.Lock()
	defer w.asking.Unlock()
	if w.dead == nil {
		w.dead = w.whenDead()
	}
	return w.dead
}

func (w *Weak[T]) whenDead() chan struct{} {
	x, ok := w.Value()
	if !ok {
		return closedChannel
	}
	defer x.Close()
	dead := make(chan struct{})
	if _, err := AddCleanup(x, func(c chan struct{}) { close(c) }, dead); err != nil {
		return nil
	}
	return dead
}

var closedChannel = func() chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}()

// Close lets go of the weak reference: see Object.
func (w *Weak[T]) Close() error { return w.ref().close() }

// String shows that it is one.
func (w *Weak[T]) String() string { return w.ref().text("weak") }

// ---- cleanups ----

// A Cleanup is a function that is called when an object has died.
type Cleanup struct {
	id   uint64
	f    func()
	weak uint64 // a weak reference; kept until the call, or Stop
}

var cleanups struct {
	sync.Mutex
	waiting map[uint64]*Cleanup
	last    uint64
}

// AddCleanup has f called with arg, once, some time after the object has died, on a goroutine for all such functions:
// one that waits makes others wait. It is about the object, not the handle, which may be closed. arg must not lead to
// the object, or it will not die.
func AddCleanup[T Object, S any](x T, f func(S), arg S) (*Cleanup, error) {
	c := &Cleanup{f: func() { f(arg) }}
	_, err := refOf(x).call("AddCleanup(x)", c.watch)
	if err != nil {
		return nil, err
	}
	return c, nil
}

func (c *Cleanup) watch(target uint64) uint64 {
	cleanups.Lock()
	defer cleanups.Unlock() // the call may come before we have the weak reference
	cleanups.last++
	word, number := raw.Watch(target, cleanups.last)
	if number != 0 {
		return uint64(number)<<8 | raw.Error
	}
	if cleanups.waiting == nil {
		cleanups.waiting = make(map[uint64]*Cleanup)
	}
	c.id, c.weak = cleanups.last, word
	cleanups.waiting[c.id] = c
	return word
}

// Stop gives up the call, if it has not been made, or is not about to be.
func (c *Cleanup) Stop() {
	if c.take() {
		raw.Release(c.weak)
	}
}

// take is true once.
func (c *Cleanup) take() bool {
	cleanups.Lock()
	defer cleanups.Unlock()
	_, is := cleanups.waiting[c.id]
	delete(cleanups.waiting, c.id)
	return is
}

// dead is what the library calls, perhaps in the middle of any other call.
func dead(id uint64) {
	later(func() {
		cleanups.Lock()
		c := cleanups.waiting[id]
		cleanups.Unlock()
		if c != nil && c.take() {
			raw.Release(c.weak)
			c.f()
		}
	})
}

func init() { raw.OnDead = dead }

// ---- weak maps and sets ----

// What a WeakMap does not keep alive: keys, values, or both.
const (
	WeakKeys   = 1
	WeakValues = 2
)

// A WeakMap maps keys to values and does not keep the ones, or the others, or both alive: an entry goes with the first
// that goes. With WeakKeys, keys are objects and compared by identity; a value that leads to its own key keeps both.
type WeakMap struct{ handle }

func (m *WeakMap) ref() *handle {
	if m == nil {
		return nil
	}
	return &m.handle
}

// NewWeakMap makes a weak map; which: WeakKeys, WeakValues, or both. ErrInvalid, ErrNoMemory.
func NewWeakMap(which uint) (*WeakMap, error) {
	word := raw.Weak_map_new(which)
	if err := check("NewWeakMap(which)", word); err != nil {
		return nil, err
	}
	m := &WeakMap{}
	m.hold(word)
	return m, nil
}

// Close lets go of the map: see Object.
func (m *WeakMap) Close() error { return m.ref().close() }

// String shows that it is one.
func (m *WeakMap) String() string { return m.ref().text("weakmap") }

// Len is the number of entries at a moment; 0 if the map is closed.
func (m *WeakMap) Len() int { return m.ref().length(raw.Weak_map_length) }

// Get gives a key's value. ErrKey. ErrType: not a key.
func (m *WeakMap) Get(key any) (any, error) {
	return m.ref().get1("WeakMap.Get(key)", key, raw.WeakMapGet)
}

// Has is whether there is such a key.
func (m *WeakMap) Has(key any) (bool, error) {
	word, err := m.ref().call1("WeakMap.Has(key)", key, raw.Weak_map_has)
	return word == trueWord, err
}

// Set gives a key a value. ErrType: they cannot be held weakly.
func (m *WeakMap) Set(key, value any) error {
	_, err := m.ref().put2("WeakMap.Set(key, value)", key, value, raw.WeakMapSet)
	return err
}

// SetDefault gives the key's value; if it had none, value, which it has from then on.
func (m *WeakMap) SetDefault(key, value any) (any, error) {
	return m.ref().get2("WeakMap.SetDefault(key, value)", key, value, raw.WeakMapSetdefault)
}

// Delete takes a key out. ErrKey.
func (m *WeakMap) Delete(key any) error {
	return m.ref().do1("WeakMap.Delete(key)", key, raw.Weak_map_delete)
}

// Pop takes a key out and gives its value. ErrKey.
func (m *WeakMap) Pop(key any) (any, error) {
	return m.ref().get1("WeakMap.Pop(key)", key, raw.WeakMapPop)
}

// Clear takes all entries out.
func (m *WeakMap) Clear() error { return m.ref().do("WeakMap.Clear", raw.Weak_map_clear) }

// Keys gives an iterator over the keys that are alive.
func (m *WeakMap) Keys() (*Iterator, error) {
	return newIterator(m.ref().call("WeakMap.Keys", raw.Iterate))
}

// Values gives one over the values.
func (m *WeakMap) Values() (*Iterator, error) {
	return newIterator(m.ref().call("WeakMap.Values", func(m uint64) uint64 { return raw.IteratePart(m, raw.Values) }))
}

// Items gives one whose NextPair gives keys and values.
func (m *WeakMap) Items() (*Iterator, error) {
	return newIterator(m.ref().call("WeakMap.Items", func(m uint64) uint64 { return raw.IteratePart(m, raw.Items) }))
}

// All gives keys and values, for range: those that are alive when the loop begins, each by a handle to be closed. A
// closed map has none.
func (m *WeakMap) All() func(yield func(key, value any) bool) {
	return func(yield func(key, value any) bool) {
		entries, _ := atOnce(m.Items, func(it *Iterator) ([]any, error) {
			key, value, err := it.NextPair()
			return []any{key, value}, err
		})
		for i := 0; i < len(entries); i += 2 {
			if !yield(entries[i], entries[i+1]) {
				closeAll(entries[i+2:])
				return
			}
		}
	}
}

// atOnce gives all that an iterator gives if nothing is put in or taken out meanwhile: so it begins anew when
// something was.
func atOnce(iterator func() (*Iterator, error), next func(*Iterator) ([]any, error)) ([]any, error) {
	for {
		it, err := iterator()
		if err != nil {
			return nil, err
		}
		var all, more []any
		for {
			if more, err = next(it); err != nil {
				break
			}
			all = append(all, more...)
		}
		it.Close()
		if errors.Is(err, ErrEnd) {
			return all, nil
		}
		closeAll(all)
		if !errors.Is(err, ErrChanged) {
			return nil, err
		}
	}
}

// A WeakSet holds objects, by identity, without keeping them alive.
type WeakSet struct{ handle }

func (s *WeakSet) ref() *handle {
	if s == nil {
		return nil
	}
	return &s.handle
}

// NewWeakSet makes a weak set of objects. ErrType: one is none.
func NewWeakSet(objects ...any) (*WeakSet, error) {
	word := raw.Weak_set_new()
	if err := check("NewWeakSet(objects)", word); err != nil {
		return nil, err
	}
	s := &WeakSet{}
	s.hold(word)
	for _, o := range objects {
		if _, err := s.add("NewWeakSet(objects)", o); err != nil {
			s.Close()
			return nil, err
		}
	}
	return s, nil
}

// Close lets go of the set: see Object.
func (s *WeakSet) Close() error { return s.ref().close() }

// String shows that it is one.
func (s *WeakSet) String() string { return s.ref().text("weakset") }

// Len is the number of elements at a moment; 0 if the set is closed.
func (s *WeakSet) Len() int { return s.ref().length(raw.Weak_set_length) }

// Has is whether an object is an element.
func (s *WeakSet) Has(object any) (bool, error) {
	word, err := s.ref().call1("WeakSet.Has(object)", object, raw.Weak_set_has)
	return word == trueWord, err
}

// Add puts an object in. added: it was not there.
func (s *WeakSet) Add(object any) (added bool, err error) {
	return s.add("WeakSet.Add(object)", object)
}

func (s *WeakSet) add(op string, object any) (bool, error) {
	word, err := s.ref().call1(op, object, raw.Weak_set_add)
	return word == trueWord, err
}

// Discard takes an object out. removed: it was there.
func (s *WeakSet) Discard(object any) (removed bool, err error) {
	word, err := s.ref().call1("WeakSet.Discard(object)", object, raw.Weak_set_discard)
	return word == trueWord, err
}

// Clear takes all elements out.
func (s *WeakSet) Clear() error { return s.ref().do("WeakSet.Clear", raw.Weak_set_clear) }

// Iterator gives an iterator over the elements that are alive.
func (s *WeakSet) Iterator() (*Iterator, error) {
	return newIterator(s.ref().call("WeakSet.Iterator", raw.Iterate))
}

// ToSlice gives the elements that are alive at one moment, each by a handle to be closed.
func (s *WeakSet) ToSlice() ([]any, error) {
	return atOnce(s.Iterator, func(it *Iterator) ([]any, error) { return it.NextMany(chunk) })
}

// All gives the elements, for range: those that are alive when the loop begins. A closed set has none.
func (s *WeakSet) All() func(yield func(any) bool) {
	return func(yield func(any) bool) {
		all, _ := s.ToSlice()
		for i, o := range all {
			if !yield(o) {
				closeAll(all[i+1:])
				return
			}
		}
	}
}
