// SPDX-License-Identifier: MIT

package main

import (
	"runtime"
	"sync"
	"time"
)

// A server with sessions, under a load that does not wait for it: a request's latency counts from when it was due.

const (
	sessionCount = 16384
	sessionSize  = 10
	answerDepth  = 5
	lockCount    = 64
)

func server() {
	before := live()
	sessions := make([]*node, sessionCount)
	for i := range sessions {
		sessions[i] = ringMake(sessionSize)
	}
	locks := make([]sync.Mutex, lockCount)
	serve := func(key uint64) bool {
		fresh, lock := ringMake(sessionSize), &locks[key%lockCount]
		lock.Lock()
		sum := ringSum(sessions[key], sessionSize)
		sessions[key] = fresh
		lock.Unlock()
		return sum == sessionSize*(sessionSize-1)/2 && treeMake(answerDepth).count() == treeNodes(answerDepth)
	}
	type worker struct {
		_           [128]byte
		latencies   histogram
		random      random
		due, served uint64
	}
	workers := make([]worker, threads)
	for i := range workers {
		workers[i].random = random(seed + i)
	}
	repeat(func(index int) uint64 {
		w, ok := &workers[index], true
		mean, end := uint64(threads)*1000000000/size, uint64(seconds*1e9)
		begin := time.Now()
		waitUntil := func(due uint64) {
			for uint64(time.Since(begin)) < due {
				runtime.Gosched()
			}
		}
		for arrival := w.random.below(2 * mean); arrival < end; arrival += w.random.below(2 * mean) {
			w.due++
			if uint64(time.Since(begin)) >= 2*end {
				continue // could not be served in time
			}
			waitUntil(arrival)
			ok = serve(w.random.below(sessionCount)) && ok
			w.latencies.add(uint64(time.Since(begin)) - arrival)
			w.served++
		}
		waitUntil(end)
		check(ok, "a session or an answer is not what was made")
		return w.served
	})
	var all histogram
	var due, served uint64
	for i := range workers {
		all.merge(&workers[i].latencies)
		due += workers[i].due
		served += workers[i].served
	}
	for _, ring := range sessions {
		check(ringSum(ring, sessionSize) == sessionSize*(sessionSize-1)/2, "a session is not what was made")
	}
	sessions, workers = nil, nil
	checkLive(before)
	all.report("from when a request was due to its answer")
	report("served", 100*float64(served)/float64(due), "%", due)
}
