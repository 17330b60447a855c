// SPDX-License-Identifier: MIT

//go:build go1.24

package ouro

import (
	"runtime"

	"ouro/internal/raw"
)

// A net catches the reference of a handle that is unreachable and was not closed.
type net struct{ cleanup runtime.Cleanup }

func (n *net) spread(h *handle, word uint64) { n.cleanup = runtime.AddCleanup(h, raw.Release, word) }

func (n *net) remove(h *handle) {
	n.cleanup.Stop()
	runtime.KeepAlive(h)
}
