// SPDX-License-Identifier: MIT

package ouro

import (
	"errors"
	"fmt"
	"math/rand"
	"os"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// seconds is how long the tests with many goroutines take: OURO_TEST_SECONDS, or 2.
func seconds() time.Duration {
	s, err := strconv.ParseFloat(os.Getenv("OURO_TEST_SECONDS"), 64)
	if err != nil {
		s = 2
	}
	return time.Duration(s * float64(time.Second))
}

// A thousand goroutines change one graph of lists, dicts and sets, which refer to each other in all ways, and to Go
// values. What each moves is counted: nothing is lost, and nothing is left.
func TestThousandGoroutines(t *testing.T) {
	r := random(t)
	leaves(t, func() { shareGraph(t, r, 1000) })
}

const nodes = 64

func shareGraph(t *testing.T, r *rand.Rand, workers int) {
	root := must(NewList())
	purse := must(NewDict()) // coins move between its entries
	bag := must(NewList())   // tickets that are taken and put back
	seen := must(NewSet())
	for i := 0; i < nodes; i++ {
		node := must(NewDict("id", i))
		no(root.Append(node))
		no(node.Close())
		no(purse.Set(i, 1000))
		no(bag.Append(i))
	}
	var operations, collections int64
	var collecting sync.Mutex
	stop := make(chan struct{})
	var all sync.WaitGroup
	for w := 0; w < workers; w++ {
		all.Add(1)
		seed := r.Int63()
		go func() {
			defer all.Done()
			worker{rand.New(rand.NewSource(seed)), root, purse, bag, seen, &collecting}.run(stop, &operations, &collections)
		}()
	}
	time.Sleep(seconds())
	close(stop)
	all.Wait()

	coins := 0
	for _, v := range must(ToMap[int, int](purse)) {
		coins += v
	}
	equal(t, coins, 1000*nodes)
	tickets := must(SliceOf[int](bag))
	found := map[int]bool{}
	for _, ticket := range tickets {
		found[ticket] = true
	}
	equal(t, len(tickets), nodes)
	equal(t, len(found), nodes)
	equal(t, root.Len(), nodes)
	t.Logf("%d operations, %d collections asked for, %d goroutines", operations, collections, workers)
	if operations == 0 {
		t.Error("nothing was done")
	}
	for _, o := range []Object{root, purse, bag, seen} {
		no(o.Close())
	}
}

type worker struct {
	r          *rand.Rand
	root       *List
	purse      *Dict
	bag        *List
	seen       *Set
	collecting *sync.Mutex
}

func (w worker) node() *Dict { return must(w.root.Get(w.r.Intn(nodes))).(*Dict) }

func (w worker) run(stop chan struct{}, operations, collections *int64) {
	for n := int64(1); ; n++ {
		switch w.r.Intn(12) {
		case 0: // an edge, which may close a cycle
			a, b := w.node(), w.node()
			no(a.Set("next", b))
			closeAll([]any{a, b})
		case 1: // a Go value
			a := w.node()
			no(a.Set("value", &thing{w.r.Int()}))
			closeAll([]any{a})
		case 2:
			a := w.node()
			if v, err := a.Get("value"); err == nil {
				_ = v.(*thing).n
			} else if !errors.Is(err, ErrKey) {
				panic(err)
			}
			closeAll([]any{a})
		case 3: // a walk
			a := w.node()
			for i := 0; i < 5; i++ {
				next, err := a.Get("next")
				if err != nil {
					break
				}
				no(a.Close())
				a = next.(*Dict)
			}
			closeAll([]any{a})
		case 4: // a node takes another's place; the old one may be garbage in a cycle
			fresh := must(NewDict("id", -1))
			a := w.node()
			no(fresh.Set("next", a))
			no(a.Set("back", fresh))
			old := must(w.root.Swap(w.r.Intn(nodes), fresh))
			closeAll([]any{fresh, a, old})
		case 5, 6: // a coin moves
			from, to := w.r.Intn(nodes), w.r.Intn(nodes)
			if w.add(from, -1) {
				for !w.add(to, 1) {
				}
			}
		case 7: // a ticket is taken, and put back
			if v, err := w.bag.Pop(w.r.Intn(nodes)); err == nil {
				no(w.bag.Append(v))
			} else if !errors.Is(err, ErrIndex) {
				panic(err)
			}
		case 8:
			must(w.seen.Add(w.r.Intn(100)))
			must(w.seen.Discard(w.r.Intn(100)))
		case 9: // in bulk
			l := must(FromSlice([]string{"a", "b", "c"}))
			no(l.AppendAll([]any{1, 2.5, "x", l, &thing{1}}))
			part := must(l.Slice(0, 7))
			equalLen(len(part), 7)
			closeAll(part)
			closeAll(must(l.ToSlice()))
			no(l.Close())
		case 10:
			a := w.node()
			weak := must(MakeWeak(a))
			closeAll([]any{a})
			if again, ok := weak.Value(); ok {
				closeAll([]any{again})
			}
			no(weak.Close())
		default:
			if w.r.Intn(100) == 0 && w.collecting.TryLock() { // one at a time: others would only wait
				must(Collect(1 + w.r.Intn(2)))
				atomic.AddInt64(collections, 1)
				w.collecting.Unlock()
			}
			_ = w.bag.String()
		}
		select {
		case <-stop:
			atomic.AddInt64(operations, n)
			return
		default:
		}
	}
}

func equalLen(got, want int) {
	if got != want {
		panic(fmt.Sprint(got, " and not ", want))
	}
}

// add is false if another goroutine came first, or the entry would be negative.
func (w worker) add(entry, n int) bool {
	old := must(w.purse.Get(entry)).(int)
	return old+n >= 0 && must(w.purse.CompareAndSwap(entry, old, old+n))
}

// Goroutines that lock their threads and end take the threads along.
func TestThreadsThatEnd(t *testing.T) {
	leaves(t, func() {
		l := must(NewList())
		for round := 0; round < 10; round++ {
			var all sync.WaitGroup
			for i := 0; i < 50; i++ {
				all.Add(1)
				i := i
				go func() {
					defer all.Done()
					runtime.LockOSThread()
					inner := must(NewList(i, &thing{i}))
					no(l.Append(inner))
					no(inner.Append(inner, l))
					no(inner.Close())
				}()
			}
			all.Wait()
		}
		equal(t, l.Len(), 500)
		defer pauseGC(t)()
		no(l.Close())
		r := must(Collect(2))
		if r.Collected < 501 {
			t.Errorf("%+v", r)
		}
	})
}

// One generator, many that ask: each value goes to one of them.
func TestSharedGenerator(t *testing.T) {
	leaves(t, func() {
		next := 0
		g := must(NewGenerator(func() (any, error) {
			if next++; next > 5000 {
				return nil, ErrEnd
			}
			return next, nil
		}))
		var sum int64
		var all sync.WaitGroup
		for i := 0; i < 20; i++ {
			all.Add(1)
			go func() {
				defer all.Done()
				for {
					v, err := g.Next()
					switch {
					case err == nil:
						atomic.AddInt64(&sum, int64(v.(int)))
					case errors.Is(err, ErrBusy):
						runtime.Gosched()
					case errors.Is(err, ErrEnd):
						return
					default:
						panic(err)
					}
				}
			}()
		}
		all.Wait()
		equal(t, sum, int64(5000*5001/2))
		no(g.Close())
	})
}

// When memory is out, calls say so, nothing is left of them, and all goes on when there is some.
func TestOutOfMemory(t *testing.T) {
	values := numbers(1000)
	leaves(t, func() {
		l := must(NewList(1, 2, 3))
		d := must(NewDict())
		no(SetMemoryLimit(0, 1<<20))
		defer SetMemoryLimit(0, 0)
		fills := func(what string, f func(i int) error) {
			for i := 0; i < 1000000; i++ {
				if err := f(i); err != nil {
					is(t, err, ErrNoMemory)
					return
				}
			}
			t.Error("no limit: " + what)
		}
		keep := []Object{}
		fills("lists", func(int) error {
			inner, err := NewList(values...)
			if err == nil {
				keep = append(keep, inner)
			}
			return err
		})
		for i := 0; i < 100; i++ { // each may find some room left
			_ = d.Set(i, strings1000[:900+i])
			_ = l.Append(&thing{i}, 1.5, "text", strings1000)
			if part, err := l.Sub(0, 1, 1); err == nil {
				no(part.Close())
			}
			if x, err := DeepCopy(l); err == nil {
				no(x.Close())
			}
			_ = l.String()
			if g, err := NewGenerator(func() (any, error) { return strings1000, nil }); err == nil {
				_ = l.Extend(g)
				no(g.Close())
			}
			if w, err := MakeWeak(l); err == nil {
				w.Dead()
				no(w.Close())
			}
			if s, err := NewSet(values...); err == nil {
				no(s.Close())
			}
			if r, err := NewRecord("r", []Field{{strings1000, i}, {"thing", &thing{1}}}); err == nil {
				no(r.Close())
			}
		}
		fills("one list", func(i int) error { return l.AppendAll(values) })
		is(t, SetMemoryLimit(2, 1), ErrInvalid)
		is(t, SetMemoryLimit(-2, 1), ErrInvalid)
		no(SetMemoryLimit(0, 0))
		no(l.AppendAll(values))
		for _, o := range append(keep, l, d) {
			no(o.Close())
		}
	})
}

var strings1000 = string(make([]byte, 1000))
