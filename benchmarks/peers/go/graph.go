// SPDX-License-Identifier: MIT

package main

import (
	"runtime"
	"sync/atomic"
	"time"
)

var graph *node // the first node, which leads to the others

func graphMake() {
	r := random(seed)
	order := shuffled(size, &r)
	all := make([]*node, size)
	for i := range all {
		all[i] = newNode(uint64(i))
	}
	for i := range order {
		n := all[order[i]]
		n.left = all[order[(uint64(i)+1)%size]]
		n.right = all[r.below(size)]
	}
	graph = all[order[0]]
}

func graphCheck() {
	check(ringSum(graph, size) == size*(size-1)/2, "the graph is not what was made")
}

func collectLive() {
	before := live()
	graphMake()
	runtime.GC()
	var t timed
	for t.operations == 0 || t.goesOn() {
		t.during(runtime.GC)
		t.operations += size
	}
	graphCheck()
	graph = nil
	checkLive(before)
	t.report("ns/node")
}

func collectGarbage() {
	before := live()
	var t timed
	for t.operations == 0 || t.goesOn() {
		graphMake()
		graphCheck()
		runtime.GC()
		graph = nil
		t.during(runtime.GC)
		t.operations += size
	}
	checkLive(before)
	t.report("ns/node")
}

// ---- pauses ----

const gap = 1000000 // ns

func pause() {
	before := live()
	graphMake()
	runtime.GC()
	var isOver atomic.Bool
	var rounds histogram
	var lost, all uint64
	done := make(chan struct{})
	go func() {
		runtime.LockOSThread()
		begin := time.Now()
		var last uint64
		for !isOver.Load() {
			ring := ringMake(4)
			runtime.KeepAlive(ring)
			now := uint64(time.Since(begin))
			took := now - last
			rounds.add(took)
			if took > gap {
				lost += took
			}
			last = now
		}
		all = last
		close(done)
	}()
	collections := uint64(0)
	begin := time.Now()
	for time.Since(begin).Seconds() < seconds {
		if threads == 2 {
			runtime.GC()
			collections++
		} else {
			time.Sleep(10 * time.Millisecond)
		}
	}
	isOver.Store(true)
	<-done
	took, size := time.Since(begin).Seconds(), resident("VmRSS")
	graphCheck()
	graph = nil
	checkLive(before)
	rounds.report("a ring of four made and dropped")
	report("lost", 100*float64(lost)/float64(all), "%", rounds.samples)
	report("resident", size*1e-6, "MB", rounds.samples)
	if threads == 2 {
		report("collections", float64(collections)/took, "/s", collections)
	}
}
