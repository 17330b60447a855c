// SPDX-License-Identifier: MIT

package main

import (
	"sync/atomic"
	"time"
)

// entry is a node whose references may be changed while others read.
type entry struct {
	left, right atomic.Pointer[entry]
	key, value  uint64
}

func (e *entry) child(key uint64) *atomic.Pointer[entry] {
	if key < e.key {
		return &e.left
	}
	return &e.right
}

const lookups = 10000

var root atomic.Pointer[entry]

func treeBuild() {
	r := random(seed)
	for _, key := range shuffled(size, &r) {
		at := &root
		for e := at.Load(); e != nil; e = at.Load() {
			at = e.child(uint64(key))
		}
		at.Store(&entry{key: uint64(key)})
	}
}

// replace puts a node with the same key and children, and a value one higher, in the place of one.
func replace(key uint64) {
	at := &root
	old := at.Load()
	for old.key != key {
		at = old.child(key)
		old = at.Load()
	}
	fresh := &entry{key: key, value: old.value + 1}
	fresh.left.Store(old.left.Load())
	fresh.right.Store(old.right.Load())
	at.Store(fresh)
}

func (e *entry) totals() (count, values uint64) {
	if e == nil {
		return 0, 0
	}
	leftCount, leftValues := e.left.Load().totals()
	rightCount, rightValues := e.right.Load().totals()
	return 1 + leftCount + rightCount, e.value + leftValues + rightValues
}

func look(isChanging bool) {
	before := live()
	treeBuild()
	type reader struct {
		_ [128]byte
		r random
	}
	readers := make([]reader, threads)
	for i := range readers {
		readers[i].r = random(seed + 2 + i)
	}
	var isOver atomic.Bool
	done := make(chan uint64, 1)
	if isChanging {
		go func() {
			r, replaced := random(seed+1), uint64(0)
			for !isOver.Load() {
				replace(r.below(size))
				replaced++
			}
			done <- replaced
		}()
	}
	begin := time.Now()
	t := repeat(func(index int) uint64 {
		var hops, missed uint64
		r := &readers[index].r
		for i := 0; i < lookups; i++ {
			key := r.below(size)
			e := root.Load()
			hops++
			for e != nil && e.key != key {
				e = e.child(key).Load()
				hops++
			}
			if e == nil {
				missed++
			}
		}
		check(missed == 0, "a key was not found")
		return hops
	})
	var replaced uint64
	if isChanging {
		isOver.Store(true)
		replaced = <-done
	}
	took := time.Since(begin).Seconds()
	count, values := root.Load().totals()
	check(count == size && values == replaced, "nodes or replacements have been lost")
	root.Store(nil)
	checkLive(before)
	if isChanging {
		t.cpu = 0 // the writer's is in it
	}
	t.report("ns/hop")
	if isChanging {
		report("replaced", float64(replaced)/took, "/s", replaced)
	}
}

func lookup()       { look(false) }
func lookupWriter() { look(true) }
