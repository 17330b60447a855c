// SPDX-License-Identifier: MIT

package main

import (
	"math/bits"
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
	for t.operations == 0 || t.seconds < seconds {
		begin := time.Now()
		runtime.GC()
		t.seconds += time.Since(begin).Seconds()
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
	for t.operations == 0 || t.seconds < seconds {
		graphMake()
		graphCheck()
		runtime.GC()
		begin := time.Now()
		graph = nil
		runtime.GC()
		t.seconds += time.Since(begin).Seconds()
		t.operations += size
	}
	checkLive(before)
	t.report("ns/node")
}

// ---- pauses ----

// histogram: a range is a hundred-and-twenty-eighth of the value it begins with.
type histogram struct {
	counts       [30 << 7]uint64
	samples, max uint64
}

func (h *histogram) add(value uint64) {
	shift := 0
	if value >= 128 {
		shift = bits.Len64(value) - 8
	}
	at := uint64(shift)<<7 + value>>shift
	if at >= uint64(len(h.counts)) {
		at = uint64(len(h.counts)) - 1
	}
	h.counts[at]++
	h.samples++
	if value > h.max {
		h.max = value
	}
}

func (h *histogram) percentile(p float64) float64 {
	wanted, below := p*float64(h.samples), 0.0
	for i, count := range h.counts {
		below += float64(count)
		if count == 0 || below < wanted {
			continue
		}
		shift := 0
		if i >= 256 {
			shift = i>>7 - 1
		}
		return float64(uint64(i-shift<<7) << shift)
	}
	return float64(h.max)
}

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
	for _, p := range []struct {
		name  string
		share float64
	}{{"p50", 0.5}, {"p99", 0.99}, {"p99.9", 0.999}, {"p99.99", 0.9999}} {
		report(p.name, rounds.percentile(p.share), "ns", rounds.samples)
	}
	report("max", float64(rounds.max)*1e-6, "ms", rounds.samples)
	report("lost", 100*float64(lost)/float64(all), "%", rounds.samples)
	report("resident", size*1e-6, "MB", rounds.samples)
	if threads == 2 {
		report("collections", float64(collections)/took, "/s", collections)
	}
}
