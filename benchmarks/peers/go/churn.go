// SPDX-License-Identifier: MIT

package main

import (
	"runtime"
	"sync/atomic"
	"time"
)

const (
	nodes      = 100000
	sumOfNodes = nodes * (nodes - 1) / 2
)

func noCounts() { skip("no reference counts") }

// ---- one at a time, and in a row ----

func lifo() {
	before := live()
	t := repeat(func(int) uint64 {
		var sum uint64
		for i := uint64(0); i < nodes; i++ {
			sum += newNode(i).key
		}
		check(sum == sumOfNodes, "the payloads do not add up")
		return nodes
	})
	checkLive(before)
	t.report("ns/node")
}

func fifo() {
	before := live()
	rows := make([][]*node, threads)
	for i := range rows {
		rows[i] = make([]*node, size)
	}
	t := repeat(func(index int) uint64 {
		var sum, at uint64
		row := rows[index]
		for i := uint64(0); i < nodes+size; i++ {
			if row[at] != nil {
				sum += row[at].key
				row[at] = nil
			}
			if i < nodes {
				row[at] = newNode(i)
			}
			if at++; at == size {
				at = 0
			}
		}
		check(sum == sumOfNodes, "the payloads do not add up")
		return nodes
	})
	rows = nil
	checkLive(before)
	t.report("ns/node")
}

// ---- from one thread to another: a ring, as in the other programs; a channel costs more ----

func handover() {
	before := live()
	places := make([]*node, size)
	var made, taken struct {
		_ [128]byte
		n atomic.Uint64
		_ [128]byte
	}
	var isOver atomic.Bool
	take := func(at uint64) {
		check(places[at%size].key == at, "a node has come with a wrong payload")
		places[at%size] = nil
		taken.n.Store(at + 1)
	}
	t := repeat(func(index int) uint64 {
		if index == 0 {
			begin, n := time.Now(), made.n.Load()
			first := n
			for time.Since(begin).Seconds() < seconds {
				for last := n + nodes; n < last; n++ {
					for n-taken.n.Load() == size {
						runtime.Gosched()
					}
					places[n%size] = newNode(n)
					made.n.Store(n + 1)
				}
			}
			isOver.Store(true)
			return n - first
		}
		for n := taken.n.Load(); ; {
			if made.n.Load() != n {
				take(n)
				n++
			} else if isOver.Load() && made.n.Load() == n {
				return 0
			} else {
				runtime.Gosched()
			}
		}
	})
	check(made.n.Load() == taken.n.Load(), "nodes have been lost")
	places = nil
	checkLive(before)
	t.report("ns/node")
}

// ---- rings ----

func ringMake(size uint64) *node {
	first := newNode(0)
	at := first
	for i := uint64(1); i < size; i++ {
		at.left = newNode(i)
		at = at.left
	}
	at.left = first
	return first
}

// ringSum is the sum of the keys if there are size nodes, else the greatest number.
func ringSum(first *node, size uint64) uint64 {
	var sum, count uint64
	at := first
	for {
		sum += at.key
		at = at.left
		if count++; count == size || at == first {
			break
		}
	}
	if count == size && at == first {
		return sum
	}
	return ^uint64(0)
}

func rings() {
	before := live()
	t := repeat(func(int) uint64 {
		count := nodes/size + 1
		for i := uint64(0); i < count; i++ {
			ring := ringMake(size)
			if i == 0 {
				check(ringSum(ring, size) == size*(size-1)/2, "a ring is not what was made")
			}
		}
		return count * size
	})
	t.during(runtime.GC)
	checkLive(before)
	t.report("ns/node")
}

// ---- a long list ----

var head *node

func deep() {
	before := live()
	var t timed
	for t.operations == 0 || t.goesOn() {
		for i := uint64(0); i < size; i++ {
			n := newNode(i)
			n.left = head
			head = n
		}
		var count, sum uint64
		for n := head; n != nil; n = n.left {
			count++
			sum += n.key
		}
		check(count == size && sum == size*(size-1)/2, "the list is not what was made")
		head = nil
		t.during(runtime.GC)
		t.operations += size
	}
	checkLive(before)
	t.report("ns/node")
}
