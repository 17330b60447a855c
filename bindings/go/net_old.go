// SPDX-License-Identifier: MIT

//go:build !go1.24

package ouro

import (
	"runtime"

	"ouro/internal/raw"
)

// A net catches the reference of a handle that is unreachable and was not closed.
type net struct{}

func (net) spread(h *handle, _ uint64) {
	runtime.SetFinalizer(h, func(h *handle) { raw.Release(h.word) })
}

func (net) remove(h *handle) { runtime.SetFinalizer(h, nil) }
