// SPDX-License-Identifier: MIT

package ouro

import (
	"errors"

	"ouro/internal/raw"
)

// A Set holds each of its elements once; goroutines share it, and each operation takes effect at one moment. Its order
// is that in which they came. What can be one, and which are the same, is as for keys of a Dict.
type Set struct{ handle }

func newSet(word uint64, err error) (*Set, error) {
	if err != nil {
		return nil, err
	}
	s := &Set{}
	s.hold(word)
	return s, nil
}

func (s *Set) ref() *handle {
	if s == nil {
		return nil
	}
	return &s.handle
}

// NewSet makes a set of values. ErrClosed, ErrEncoding, ErrNoMemory.
func NewSet(values ...any) (*Set, error) {
	word := give(values, raw.Set_from)
	return newSet(word, check("NewSet(values)", word))
}

// Close lets go of the set: see Object.
func (s *Set) Close() error { return s.ref().close() }

// String shows the set: {1, "a"}.
func (s *Set) String() string { return s.ref().text("set") }

// Len is the number of elements; 0 if the set is closed.
func (s *Set) Len() int { return s.ref().length(raw.Set_length) }

// Has is whether value is an element.
func (s *Set) Has(value any) (bool, error) {
	word, err := s.ref().put("Set.Has(value)", value, raw.SetHas)
	return word == trueWord, err
}

// Add puts a value in. added: it was not there.
func (s *Set) Add(value any) (added bool, err error) {
	word, err := s.ref().put("Set.Add(value)", value, raw.SetAdd)
	return word == trueWord, err
}

// Append puts values in, all at one moment.
func (s *Set) Append(values ...any) error {
	return s.ref().do("Set.Append(values)", func(s uint64) uint64 {
		return give(values, func(v []uint64) uint64 { return raw.Set_add_all(s, v) })
	})
}

// Discard takes a value out. removed: it was there.
func (s *Set) Discard(value any) (removed bool, err error) {
	word, err := s.ref().put("Set.Discard(value)", value, raw.SetDiscard)
	return word == trueWord, err
}

// Delete takes a value out. ErrKey: it was not there.
func (s *Set) Delete(value any) error { return s.ref().do1("Set.Delete(value)", value, raw.Set_remove) }

// Pop takes out the element that came first. ErrKey: the set is empty.
func (s *Set) Pop() (any, error) {
	v, err := s.ref().get("Set.Pop", raw.SetPop)
	if errors.Is(err, ErrKey) {
		return nil, says("Set.Pop", ErrKey, "the set is empty")
	}
	return v, err
}

// Clear takes all elements out.
func (s *Set) Clear() error { return s.ref().do("Set.Clear", raw.Set_clear) }

// Update puts in what the iteration of another value gives. ErrType, ErrChanged.
func (s *Set) Update(other any) error {
	return s.ref().do1("Set.Update(other)", other, raw.Set_update)
}

// Union makes a set of the elements that are in one of the two.
func (s *Set) Union(other *Set) (*Set, error) { return s.and("Set.Union(other)", other, raw.Set_union) }

// Intersection makes a set of those that are in both.
func (s *Set) Intersection(other *Set) (*Set, error) {
	return s.and("Set.Intersection(other)", other, raw.Set_intersection)
}

// Difference makes a set of those that are not in the other.
func (s *Set) Difference(other *Set) (*Set, error) {
	return s.and("Set.Difference(other)", other, raw.Set_difference)
}

// SymmetricDifference makes a set of those that are in just one of the two.
func (s *Set) SymmetricDifference(other *Set) (*Set, error) {
	return s.and("Set.SymmetricDifference(other)", other, raw.Set_symmetric_difference)
}

func (s *Set) and(op string, other *Set, f func(s, other uint64) uint64) (*Set, error) {
	return newSet(s.ref().call1(op, other, f))
}

// IsSubset is whether all elements are in the other.
func (s *Set) IsSubset(other *Set) (bool, error) {
	word, err := s.ref().call1("Set.IsSubset(other)", other, raw.Set_is_subset)
	return word == trueWord, err
}

// IsDisjoint is whether none is.
func (s *Set) IsDisjoint(other *Set) (bool, error) {
	word, err := s.ref().call1("Set.IsDisjoint(other)", other, raw.Set_is_disjoint)
	return word == trueWord, err
}

// Copy makes a set of the same elements.
func (s *Set) Copy() (*Set, error) { return newSet(s.ref().call("Set.Copy", raw.Copy)) }

// Iterator gives an iterator over the elements. It fails with ErrChanged once an element has been put in or taken out.
func (s *Set) Iterator() (*Iterator, error) {
	return newIterator(s.ref().call("Set.Iterator", raw.Iterate))
}

// ToSlice gives all elements, as they are at one moment.
func (s *Set) ToSlice() ([]any, error) {
	copy, err := newSet(s.ref().call("Set.ToSlice", raw.Copy))
	if err != nil {
		return nil, err
	}
	defer copy.Close()
	it, err := copy.Iterator()
	if err != nil {
		return nil, err
	}
	defer it.Close()
	values := make([]any, 0, copy.Len())
	it.chunks(func(v any) bool {
		values = append(values, v)
		return true
	})
	return values, nil
}

// All gives the elements, for range: those that there are when the loop begins, whatever happens to the set meanwhile.
// A closed set has none.
func (s *Set) All() func(yield func(any) bool) {
	return func(yield func(any) bool) {
		copy, err := s.Copy()
		if err != nil {
			return
		}
		defer copy.Close()
		it, err := copy.Iterator()
		if err != nil {
			return
		}
		defer it.Close()
		it.chunks(yield)
	}
}
