// SPDX-License-Identifier: MIT

package ouro

import (
	"errors"

	"ouro/internal/raw"
)

// Kind is what a value is to the library: nil, bool, int, float, string, bytes, tuple, list, dict, set, record,
// iterator, weak, weak map, weak set; object, if it is of a program's own type; host, if it is any other value of
// Go's.
func Kind(v any) string {
	switch v.(type) {
	case nil:
		return "nil"
	case bool:
		return "bool"
	case int, int8, int16, int32, int64, uint, uint8, uint16, uint32, uint64, uintptr:
		return "int"
	case float32, float64:
		return "float"
	case string, *Interned:
		return "string"
	case []byte:
		return "bytes"
	case *Tuple:
		return "tuple"
	case *List:
		return "list"
	case *Dict:
		return "dict"
	case *Set:
		return "set"
	case *Record:
		return "record"
	case *Iterator:
		return "iterator"
	case *WeakMap:
		return "weak map"
	case *WeakSet:
		return "weak set"
	case *Opaque:
		return "object"
	case Object:
		return "weak"
	}
	return "host"
}

// Len is the number of elements of any value; of a string, that of code points. ErrType: it has none.
func Len(v any) (int, error) {
	word, err := one("Len(v)", v, raw.Length)
	return number(word), err
}

// Truth is false for nil, false, numbers that are 0, and what has no elements.
func Truth(v any) (is bool, err error) {
	_, err = one("Truth(v)", v, func(v uint64) uint64 {
		is = raw.Truth(v)
		return nilWord
	})
	return is, err
}

// An Interned is a string that there is once: two of the same content are the same object, so that comparing them,
// also as keys, is quick. Out of a container it comes as a string like any other.
type Interned struct{ handle }

func (s *Interned) ref() *handle {
	if s == nil {
		return nil
	}
	return &s.handle
}

// Intern gives the string of this content. It is there as long as something holds it. ErrEncoding, ErrNoMemory.
func Intern(s string) (*Interned, error) {
	word, err := one("Intern(s)", s, raw.Intern)
	if err != nil {
		return nil, err
	}
	i := &Interned{}
	i.hold(word)
	return i, nil
}

// Value is the content; "" if it is closed.
func (s *Interned) Value() string {
	var content string
	s.ref().do("Interned.Value", func(word uint64) uint64 {
		raw.Retain(word)
		content = textOfWord(word)
		return nilWord
	})
	return content
}

// Close lets go of the string: see Object.
func (s *Interned) Close() error { return s.ref().close() }

// String shows the string as in a list: "text".
func (s *Interned) String() string { return s.ref().text("string") }

// Export gives a number by which another language in the process, which shares the library (build with -tags
// ouro_shared), can import the value, once; until then it is held. ErrNoMemory.
func Export(v any) (token int64, err error) {
	word, err := one("Export(v)", v, raw.Export)
	return int64(number(word)), err
}

// Import gives the value that was exported with this token. ErrKey: there is none, or no more.
func Import(token int64) (any, error) {
	word := raw.Import_token(int(token))
	if isError(word) {
		err := failed("Import(token)", word)
		if errors.Is(err, ErrKey) {
			return nil, says("Import(token)", ErrKey, "token is not that of an exported value")
		}
		return nil, err
	}
	a := raw.Describe(word)
	return value(&a), nil
}
