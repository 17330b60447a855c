// SPDX-License-Identifier: MIT

package ouro

import (
	"errors"
	"fmt"
	"runtime/debug"
	"strings"

	"ouro/internal/raw"
)

// What can go wrong; compare with errors.Is. What was done, and with what, is in the message.
var (
	ErrClosed   = errors.New("closed")                     // the object was closed, or is nil
	ErrIndex    = errors.New("index out of range")         // beyond the ends
	ErrKey      = errors.New("no such key")                // no such key, element or field
	ErrType     = errors.New("wrong type")                 // a value is of a kind that the call is not for
	ErrInvalid  = errors.New("invalid argument")           // an argument is out of range
	ErrEncoding = errors.New("not UTF-8")                  // a string that is not UTF-8; []byte may be anything
	ErrNoMemory = errors.New("out of memory")              // or the limit is reached
	ErrChanged  = errors.New("changed while in use")       // the container was changed meanwhile
	ErrEnd      = errors.New("no more values")             // an iterator's end
	ErrBusy     = errors.New("busy")                       // another goroutine is at it, or there are too many threads
	ErrUsage    = errors.New("not allowed here")           // such as a collection asked for in a callback
	ErrSystem   = errors.New("the system refused")         // what the call needs
	ErrCallback = errors.New("a callback of another host") // failed, and there are no details
)

// In the order of OURO_E_..., by their numbers.
var byStatus = [...]error{nil, ErrNoMemory, ErrBusy, ErrInvalid, ErrUsage, ErrSystem, ErrType, ErrIndex, ErrKey, ErrChanged, ErrEnd,
	ErrEncoding, ErrCallback, ErrClosed}

const (
	statusIndex = 7
	statusKey   = 8
	statusHost  = 12

	statusClosed = 13 // of Go's own
)

func fromStatus(number int) error {
	if number < 0 || number >= len(byStatus) {
		return ErrInvalid
	}
	return byStatus[number]
}

// A PanicError is the panic of a function that was called from an operation.
type PanicError struct {
	Value any    // what the function panicked with
	Stack []byte // where
}

func (e *PanicError) Error() string { return fmt.Sprintf("panic in a callback: %v", e.Value) }

// Unwrap gives the value, if that is an error.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}

// guard is deferred: it makes a panic an error.
func guard(err *error) {
	if v := recover(); v != nil {
		*err = &PanicError{v, debug.Stack()}
	}
}

// An opError is what all methods return. Its message is made when it is asked for.
type opError struct {
	op    string // such as List.Get
	err   error
	about about
	key   any
	index int
	count int
}

type about int

const (
	nothing about = iota
	aKey
	anIndex
)

func (e *opError) Error() string {
	kind := e.op
	if dot := strings.IndexByte(kind, '.'); dot >= 0 {
		kind = strings.ToLower(kind[:dot])
	}
	switch e.about {
	case anIndex:
		return fmt.Sprintf("ouro: %s: index %d is out of range for a %s of %d", e.op, e.index, kind, e.count)
	case aKey:
		return fmt.Sprintf("ouro: %s: %s is not in the %s", e.op, shown(e.key), kind)
	}
	return "ouro: " + e.op + ": " + e.err.Error()
}

func (e *opError) Unwrap() error { return e.err }

// shown is a key as it is written in a program, cut if it is long.
func shown(key any) string {
	s := ""
	switch k := key.(type) {
	case string:
		s = fmt.Sprintf("%q", k)
	default:
		s = fmt.Sprint(k)
	}
	if r := []rune(s); len(r) > 60 {
		s = string(r[:57]) + "..."
	}
	return s
}

func fail(op string, err error) error { return &opError{op: op, err: err} }

func isError(word uint64) bool { return word&0xff == raw.Error }

// failed is the error that a call gave. (There is one: see isError.)
func failed(op string, word uint64) error {
	number := int(word >> 8 & 0xff)
	if handle := word >> 16; number == statusHost && handle != 0 {
		return fail(op, takeFailure(handle))
	}
	return fail(op, fromStatus(number))
}

// check is nil if the word is no error.
func check(op string, word uint64) error {
	if !isError(word) {
		return nil
	}
	return failed(op, word)
}

// The same, and an index or key that was not there is in the message.

func failedIndex(op string, word uint64, index, count int) error {
	if int(word>>8&0xff) != statusIndex {
		return failed(op, word)
	}
	return &opError{op: op, err: ErrIndex, about: anIndex, index: index, count: count}
}

func failedKey(op string, word uint64, key any) error {
	if int(word>>8&0xff) != statusKey {
		return failed(op, word)
	}
	return &opError{op: op, err: ErrKey, about: aKey, key: key}
}

// aboutKey says of an error which key it was.
func aboutKey(err error, key any) error {
	if e, ok := err.(*opError); ok && e.err == ErrKey {
		e.about, e.key = aKey, key
	}
	return err
}

// hasKey is what an error says of a key.
func hasKey(err error) (bool, error) {
	if errors.Is(err, ErrKey) {
		return false, nil
	}
	return err == nil, err
}

// word is a status as a word.
func errorWord(err error) uint64 {
	for number, e := range byStatus {
		if e == err {
			return uint64(number)<<8 | raw.Error
		}
	}
	return statusClosed<<8 | raw.Error
}
