// SPDX-License-Identifier: MIT

// Package raw is the library as Go calls it: words and numbers, no errors, nothing closed. Package ouro is made of it.
//
// raw.go and raw_wrap.c are made by SWIG from bindings/swig/ouro.i; lib_*.[ch] and ouro_*.h are copies of the
// library's sources. bindings/go/sync.sh makes them all. The rest is written by hand.
package raw

// #cgo CFLAGS: -O2 -std=gnu11 -D_GNU_SOURCE -Wno-unused-parameter
import "C"
