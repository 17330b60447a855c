// SPDX-License-Identifier: MIT

package ouro

import "sync"

// Functions of the program's that the library's events call run here, one after the other, on a goroutine that is there as long as there are any: never in the
// middle of an operation, whose caller may hold a lock that the function wants.

var queue struct {
	sync.Mutex
	functions []func()
	running   bool
}

func later(f func()) {
	queue.Lock()
	defer queue.Unlock()
	queue.functions = append(queue.functions, f)
	if !queue.running {
		queue.running = true
		go runQueue()
	}
}

func runQueue() {
	for {
		queue.Lock()
		functions := queue.functions
		queue.functions = nil
		queue.running = len(functions) > 0
		queue.Unlock()
		if len(functions) == 0 {
			return
		}
		for _, f := range functions {
			f()
		}
	}
}
