// SPDX-License-Identifier: MIT

package ouro

import (
	"errors"
	"fmt"
	"runtime/debug"
	"strings"
	"unicode/utf8"

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
	statusInvalid  = 3
	statusType     = 6
	statusIndex    = 7
	statusEncoding = 11
	statusHost     = 12

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

// An opError is what all methods return. Its message is made when it is asked for: most errors are only compared.
type opError struct {
	op    string // the method and its parameters: List.Set(index, value)
	err   error
	about subject
	nth   int // in a parameter that is many values: from 1
	value any // the argument
	index int
	count int    // elements there are
	says  string // all there is to say, if it is not ""
}

// What an error is about: nothing, the receiver, or a parameter, counted from the last one.
type subject int

const (
	receiver subject = iota - 1
	nothing
	lastOne
	lastButOne
)

// The first of a method's parameters, and that it was not there.
const (
	aKey subject = iota + 100
	anIndex
)

func (e *opError) Error() string {
	name, parameters, _ := strings.Cut(strings.TrimSuffix(e.op, ")"), "(")
	return "ouro: " + name + ": " + e.what(name, strings.Split(parameters, ", "))
}

func (e *opError) what(name string, parameters []string) string {
	if e.says != "" {
		return e.says
	}
	kind, _, isMethod := strings.Cut(name, ".")
	kind = strings.ToLower(kind)
	subject := parameters[0]
	switch {
	case e.about == anIndex:
		return fmt.Sprintf("%s %d is out of range for a %s of %d", subject, e.index, kind, e.count)
	case e.about == aKey:
		return fmt.Sprintf("%s %s is not in the %s", subject, shown(e.value), kind)
	case e.about == nothing, subject == "" && e.about != receiver:
		return e.err.Error()
	case e.about == receiver && isMethod:
		subject = "the " + kind
	case e.about > nothing:
		if at := len(parameters) - int(e.about); at > 0 {
			subject = parameters[at]
		}
	}
	if e.nth > 0 {
		subject = fmt.Sprintf("%s[%d]", subject, e.nth-1)
	}
	switch e.err {
	case ErrClosed:
		return subject + " is closed or nil"
	case ErrEncoding:
		return subject + " is not UTF-8"
	case ErrType:
		return fmt.Sprintf("%s is of the wrong type: %T", subject, e.value)
	case ErrInvalid:
		return subject + " is not valid"
	}
	return e.err.Error()
}

func (e *opError) Unwrap() error { return e.err }

// shown is a key as it is written in a program, cut if it is long.
func shown(key any) string {
	var s string
	switch k := key.(type) {
	case string:
		s = fmt.Sprintf("%q", k)
	case []byte:
		s = fmt.Sprintf("%q", k)
	case Object:
		s = k.String()
	default:
		s = fmt.Sprint(k)
	}
	if r := []rune(s); len(r) > 60 {
		s = string(r[:57]) + "..."
	}
	return s
}

func fail(op string, err error) error { return &opError{op: op, err: err} }

// closed is for a receiver that is. (Of a function: the first parameter.)
func closed(op string) error { return &opError{op: op, err: ErrClosed, about: receiver} }

// says is an error in words.
func says(op string, err error, words string) error { return &opError{op: op, err: err, says: words} }

// wrong is for an argument.
func wrong(op string, err error, which subject, value any) error {
	return &opError{op: op, err: err, about: which, value: value}
}

func isError(word uint64) bool { return word&0xff == raw.Error }

func statusOf(word uint64) int { return int(word >> 8 & 0xff) }

// failed is the error that a call gave. (There is one: see isError.) In its upper part is the handle of a callback's
// error, or which of many values it is about.
func failed(op string, word uint64) error {
	upper := word >> 16
	switch number := statusOf(word); number {
	case statusHost:
		if upper != 0 {
			return fail(op, takeFailure(upper))
		}
		return fail(op, ErrCallback)
	case statusType, statusInvalid, statusEncoding, statusClosed:
		return &opError{op: op, err: fromStatus(number), about: lastOne, nth: int(upper)}
	default:
		return fail(op, fromStatus(number))
	}
}

// check is nil if the word is no error.
func check(op string, word uint64) error {
	if !isError(word) {
		return nil
	}
	return failed(op, word)
}

// The same, and more is known: an index that was not there; a key that was not, or is what is wrong; a key or value
// that is wrong.

func failedIndex(op string, word uint64, index, count int) error {
	if statusOf(word) != statusIndex {
		return failed(op, word)
	}
	return &opError{op: op, err: ErrIndex, about: anIndex, index: index, count: count}
}

func failedKey(op string, word uint64, key any) error {
	err := failed(op, word)
	if e := err.(*opError); e.err == ErrKey {
		e.about, e.value = aKey, key
	} else {
		e.value = key
	}
	return err
}

func failedPair(op string, word uint64, key, value any) error {
	err := failedKey(op, word, key)
	if e := err.(*opError); e.about == lastOne {
		if s, is := key.(string); is && e.err == ErrEncoding && !utf8.ValidString(s) {
			e.about = lastButOne
		} else {
			e.value = value
		}
	}
	return err
}

// about says of an error which argument it was.
func about(err error, argument any) error {
	if e, ok := err.(*opError); ok {
		e.value = argument
	}
	return err
}

// aboutKey says of an error which key it was.
func aboutKey(err error, key any) error {
	if e, ok := err.(*opError); ok && e.err == ErrKey {
		e.about, e.value = aKey, key
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

// errorWord is an error as a word; nth: as in opError.
func errorWord(err error, nth int) uint64 {
	for number, e := range byStatus {
		if e == err {
			return uint64(nth)<<16 | uint64(number)<<8 | raw.Error
		}
	}
	return statusInvalid<<8 | raw.Error
}
