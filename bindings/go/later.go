// SPDX-License-Identifier: MIT

package ouro

import (
	"log"
	"runtime/debug"
	"sync"
)

// Functions of the program's that the library's events call run here, one after the other, on a goroutine that is
// there as long as there are any: never in the middle of an operation, whose caller may hold a lock that the function
// wants.

var queue struct {
	sync.Mutex
	functions []func()
	running   bool
	onPanic   func(*PanicError)
}

// OnPanic has f told of panics in functions of AddCleanup and OnGC, which end the function and nothing else. At first,
// and with nil, package log is.
func OnPanic(f func(*PanicError)) {
	queue.Lock()
	defer queue.Unlock()
	queue.onPanic = f
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
	ended := false
	defer func() {
		if !ended {
			go runQueue() // a function has called runtime.Goexit
		}
	}()
	for f := next(); f != nil; f = next() {
		call(f)
	}
	ended = true
}

// next takes a function out of the queue. nil: there is none, and no goroutine for any from then on.
func next() func() {
	queue.Lock()
	defer queue.Unlock()
	queue.running = len(queue.functions) > 0
	if !queue.running {
		queue.functions = nil
		return nil
	}
	f := queue.functions[0]
	queue.functions[0] = nil
	queue.functions = queue.functions[1:]
	return f
}

func call(f func()) {
	defer func() {
		if v := recover(); v != nil {
			tell(&PanicError{v, debug.Stack()})
		}
	}()
	f()
}

func tell(p *PanicError) {
	queue.Lock()
	f := queue.onPanic
	queue.Unlock()
	if f != nil {
		f(p)
		return
	}
	log.Printf("ouro: %v\n%s", p, p.Stack)
}
