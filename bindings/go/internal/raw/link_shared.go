// SPDX-License-Identifier: MIT

//go:build ouro_shared

package raw

// The installed library: one heap for all languages of the process.

// #cgo CFLAGS: -DOURO_GO_SHARED
// #cgo pkg-config: ouro
import "C"
