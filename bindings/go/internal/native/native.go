// SPDX-License-Identifier: MIT

// Package native does operations many times over in C alone, for benchmarks: what the library itself takes of a call's
// time.
package native

// #cgo CFLAGS: -O2 -std=gnu11 -D_GNU_SOURCE -I${SRCDIR}/../raw
// #cgo !ouro_shared CFLAGS: -DOURO_API= -DOURO_DEBUG=0 -DNDEBUG
// #cgo ouro_shared CFLAGS: -DOURO_GO_SHARED
// #cgo ouro_shared pkg-config: ouro
// #include "native.h"
import "C"

import _ "ouro/internal/raw"

// Each returns how many of the times were right.

func ListLength(list uint64, times int) int {
	return int(C.native_list_length(C.uint64_t(list), C.long(times)))
}

func ListGet(list uint64, times int) int {
	return int(C.native_list_get(C.uint64_t(list), C.long(times)))
}

func ListSet(list uint64, times int) int {
	return int(C.native_list_set(C.uint64_t(list), C.long(times)))
}

func ListAppend(list uint64, times int) int {
	return int(C.native_list_append(C.uint64_t(list), C.long(times)))
}

func DictGet(dict, key uint64, times int) int {
	return int(C.native_dict_get(C.uint64_t(dict), C.uint64_t(key), C.long(times)))
}

func DictSet(dict, key uint64, times int) int {
	return int(C.native_dict_set(C.uint64_t(dict), C.uint64_t(key), C.long(times)))
}
