// SPDX-License-Identifier: MIT

package ouro

import (
	"errors"
	"fmt"

	"ouro/internal/raw"
)

// Same is whether two handles stand for one object.
func Same(a, b Object) (bool, error) {
	word, err := refOf(a).call1("Same(a, b)", b, func(a, b uint64) uint64 {
		if a == b {
			return trueWord
		}
		return falseWord
	})
	return word == trueWord, err
}

// Equal compares two values by their contents, to any depth: numbers by what they are worth, containers by their
// elements; NaN differs from all. ErrChanged: other goroutines went on changing them.
func Equal(a, b any) (bool, error) {
	word, err := two("Equal(a, b)", a, b, raw.Equal)
	return word == trueWord, err
}

// KeyEqual is whether two values are one key to a Dict or Set.
func KeyEqual(a, b any) (bool, error) {
	word, err := two("KeyEqual(a, b)", a, b, raw.Key_equal)
	return word == trueWord, err
}

// Hash is the hash that goes with KeyEqual. It differs between processes; that of a Go value, also between times at
// which the library held none that is equal to it.
func Hash(v any) (uint64, error) {
	word, err := one("Hash(v)", v, raw.Hash)
	return word >> 2, err
}

// Compare is negative, 0 or positive: the order of Sort. ErrType: the two have none, as a number and a string, or NaN
// and anything.
func Compare(a, b any) (int, error) {
	word, err := two("Compare(a, b)", a, b, raw.Compare)
	if errors.Is(err, ErrType) {
		return 0, says("Compare(a, b)", ErrType, fmt.Sprintf("a and b have no order: %T and %T", a, b))
	}
	if err != nil {
		return 0, err
	}
	const unordered = 2 // OURO_UNORDERED
	order := int(int64(word) >> 2)
	if order == unordered {
		return 0, says("Compare(a, b)", ErrType, "a and b have no order: one is NaN")
	}
	return order, nil
}

// Repr shows any value as the library does.
func Repr(v any) (string, error) {
	var s string
	_, err := one("Repr(v)", v, func(v uint64) uint64 {
		word := raw.Repr(v)
		if isError(word) {
			return word
		}
		s = textOfWord(word)
		return nilWord
	})
	return s, err
}

// DeepCopy copies an object and all containers in it, to any depth; what is shared or cyclic in it is so in the copy.
// What cannot be copied is in both. ErrType: the object itself cannot be.
func DeepCopy[T Object](x T) (T, error) {
	var none T
	word, err := refOf(x).call("DeepCopy(x)", raw.Copy_deep)
	if err != nil {
		return none, about(err, x)
	}
	a := raw.Describe(word)
	to, _ := value(&a).(T)
	return to, nil
}

// one and two are for functions of any values.
func one(op string, v any, f func(v uint64) uint64) (uint64, error) {
	var t temporary
	if err := t.set(v); err != nil {
		return 0, wrong(op, err, lastOne, v)
	}
	defer t.done()
	word := f(t.Word)
	if isError(word) {
		return 0, failedKey(op, word, v)
	}
	return word, nil
}

func two(op string, a, b any, f func(a, b uint64) uint64) (uint64, error) {
	var t, u temporary
	if err := t.set(a); err != nil {
		return 0, wrong(op, err, lastButOne, a)
	}
	defer t.done()
	if err := u.set(b); err != nil {
		return 0, wrong(op, err, lastOne, b)
	}
	defer u.done()
	word := f(t.Word, u.Word)
	if isError(word) {
		return 0, failedPair(op, word, a, b)
	}
	return word, nil
}
