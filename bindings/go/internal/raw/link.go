// SPDX-License-Identifier: MIT

//go:build !ouro_shared

package raw

// The library's sources are compiled into the program, and nothing of them is seen from outside. Its only dependency
// is liburcu.

// #cgo CFLAGS: -DOURO_API= -DOURO_DEBUG=0 -DNDEBUG -fvisibility=hidden
// #cgo LDFLAGS: -lurcu-bp -lurcu-cds -lpthread -lm
import "C"
