// SPDX-License-Identifier: MIT

package main

import (
	"runtime"
	"sync"
	"time"
)

// barrier lets threads wait for each other, over and over.
type barrier struct {
	mutex   sync.Mutex
	change  *sync.Cond
	waiting int
	round   uint64
}

func (b *barrier) meet() {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	if b.waiting++; b.waiting == threads {
		b.waiting = 0
		b.round++
		b.change.Broadcast()
		return
	}
	for round := b.round; round == b.round; {
		b.change.Wait()
	}
}

// ---- each makes, its neighbour drops ----

func storm() {
	before := live()
	places := make([][]*node, threads)
	for i := range places {
		places[i] = make([]*node, size)
	}
	var together barrier
	together.change = sync.NewCond(&together.mutex)
	isOver := false // ordered by the barrier
	t := repeat(func(index int) uint64 {
		mine, theirs, operations := places[index], places[(index+1)%threads], uint64(0)
		for begin := time.Now(); !isOver; { // over: this thread's clock started later than the first's
			for i := range mine {
				mine[i] = newNode(uint64(i))
			}
			together.meet()
			var sum uint64
			for i, n := range theirs {
				sum += n.key
				theirs[i] = nil
			}
			check(sum == size*(size-1)/2, "the payloads do not add up")
			operations += size
			if index == 0 && time.Since(begin).Seconds() >= seconds {
				isOver = true
			}
			together.meet()
		}
		return operations
	})
	places = nil
	checkLive(before)
	t.report("ns/node")
}

// ---- a server whose threads come and go ----

const (
	replaced = 50000
	listMost = 8
)

func larson() {
	before := live()
	type state struct {
		_                  [128]byte
		places             []*node
		random             random
		made, dropped, sum uint64
	}
	states := make([]state, threads)
	for i := range states {
		states[i].places, states[i].random = make([]*node, size), random(seed+i)
	}
	dropList := func(s *state, at uint64) {
		for n := s.places[at]; n != nil; n = n.left {
			s.dropped++
			s.sum -= n.key
		}
		s.places[at] = nil
	}
	t := repeat(func(index int) uint64 {
		s := &states[index]
		made, done := s.made, make(chan struct{})
		go func() {
			runtime.LockOSThread() // a thread of its own, which ends with it
			for i := 0; i < replaced; i++ {
				at := s.random.below(size)
				length := 1 + s.random.below(listMost)
				dropList(s, at)
				for k := uint64(0); k < length; k++ {
					n := newNode(s.made)
					s.made++
					s.sum += n.key
					n.left = s.places[at]
					s.places[at] = n
				}
			}
			close(done)
		}()
		<-done
		return s.made - made
	})
	for i := range states {
		s := &states[i]
		for at := range s.places {
			dropList(s, uint64(at))
		}
		check(s.made == s.dropped && s.sum == 0, "nodes have been lost")
	}
	states = nil
	checkLive(before)
	t.report("ns/node")
}
