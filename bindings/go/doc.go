// SPDX-License-Identifier: MIT

// Package ouro has lists, dicts, sets, tuples and records that goroutines share: with references counted, objects
// freed at once when the last one goes, weak references, and a collector of cycles that stops nobody.
//
// A handle, such as a *List, holds a reference to an object until it is closed; a forgotten one is found by Go's
// garbage collector. Everything may be called by any goroutine at any time. What can go wrong is returned as an error,
// for errors.Is with ErrClosed, ErrIndex, ErrKey and the others.
package ouro
