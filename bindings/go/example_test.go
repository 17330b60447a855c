// SPDX-License-Identifier: MIT

package ouro_test

import (
	"errors"
	"fmt"
	"log"
	"runtime"
	"strings"
	"sync"

	"ouro"
)

// must is for programs as short as these.
func must[T any](v T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return v
}

// live counts objects, and their bytes, until it finds as many twice: while memory of dead ones changes hands, some may be
// counted.
func live() (objects, bytes int) {
	for {
		ouro.FreeOSMemory()
		s := ouro.Stats()
		if int(s.LiveObjects) == objects && int(s.LiveBytes) == bytes {
			return objects, bytes
		}
		objects, bytes = int(s.LiveObjects), int(s.LiveBytes)
	}
}

// Ten lines that work: a list that goroutines share.
func Example() {
	l := must(ouro.NewList(1, "two", 3.5))
	defer l.Close()
	var all sync.WaitGroup
	for i := 0; i < 10; i++ {
		all.Add(1)
		go func(i int) { defer all.Done(); l.Append(i) }(i)
	}
	all.Wait()
	fmt.Println(l.Len(), must(l.Get(1)))
	// Output: 13 two
}

// Reference counting, step by step: an object is there as long as something refers to it, and no longer.
func Example_referenceCounting() {
	inner := must(ouro.NewList("inner"))
	weak := must(ouro.MakeWeak(inner)) // sees it, and keeps nothing alive
	defer weak.Close()
	fmt.Println("made:", ouro.RefCount(inner))

	outer := must(ouro.NewList(inner, inner))
	fmt.Println("twice in a list:", ouro.RefCount(inner))

	again := must(outer.Get(0)).(*ouro.List) // another handle for the same object
	fmt.Println("another handle:", ouro.RefCount(inner))
	again.Close()

	outer.Delete(-1)
	fmt.Println("once in a list:", ouro.RefCount(inner))

	inner.Close()
	fmt.Println("our handle closed, alive:", weak.Alive())

	outer.Close() // the last reference goes with the list that held it
	fmt.Println("the list closed, alive:", weak.Alive())
	// Output:
	// made: 1
	// twice in a list: 3
	// another handle: 4
	// once in a list: 2
	// our handle closed, alive: true
	// the list closed, alive: false
}

// A cycle keeps itself alive: counting cannot see that nobody else refers to it. A collection can.
func Example_cycle() {
	defer ouro.PauseGC()() // or it might be collected before we look
	ouro.Collect(2)
	parent, child := must(ouro.NewDict("name", "parent")), must(ouro.NewDict("name", "child"))
	parent.Set("child", child)
	child.Set("parent", parent)
	fmt.Println(child)
	weak := must(ouro.MakeWeak(parent))
	defer weak.Close()
	parent.Close()
	child.Close()

	fmt.Println("nobody has it, alive:", weak.Alive())
	fmt.Println("found:", must(ouro.Collect(2)).Collected)
	<-weak.Dead()
	fmt.Println("dead")
	// Output:
	// {"name": "child", "parent": {"name": "parent", "child": ...}}
	// nobody has it, alive: true
	// found: 2
	// dead
}

// Generations: what is new is looked at often, what has survived seldom. Thresholds say how often.
func Example_generations() {
	resume := ouro.PauseGC() // only what is asked for here
	garbage := func(n int) {
		for i := 0; i < n; i++ {
			l := must(ouro.NewList())
			l.Append(l)
			l.Close()
		}
	}
	ouro.Collect(2)
	garbage(100)
	fmt.Println("the new ones:", must(ouro.Collect(1)).Collected)
	garbage(50)
	fmt.Println("all:", must(ouro.Collect(2)).Collected)
	resume()

	old := must(ouro.SetThreshold([3]int{700, 10, 10}))
	fmt.Println("thresholds:", ouro.Threshold())
	ouro.SetThreshold(old)
	_, err := ouro.Collect(7)
	fmt.Println(err, errors.Is(err, ouro.ErrInvalid))
	// Output:
	// the new ones: 100
	// all: 50
	// thresholds: [700 10 10]
	// ouro: Collect: generation is 7, not 0, 1 or 2 true
}

// Interning: one object for all strings of the same content.
func ExampleIntern() {
	a, b := must(ouro.Intern("temperature")), must(ouro.Intern(strings.ToLower("TEMPERATURE")))
	defer a.Close()
	defer b.Close()
	fmt.Println("one object:", must(ouro.Same(a, b)))

	// A thousand readings with the same key hold one string.
	before, _ := live()
	readings := must(ouro.NewList())
	defer readings.Close()
	for i := 0; i < 1000; i++ {
		d := must(ouro.NewDict(a, i))
		readings.Append(d)
		d.Close()
	}
	between, _ := live()

	others := must(ouro.NewList())
	defer others.Close()
	for i := 0; i < 1000; i++ {
		d := must(ouro.NewDict(strings.Repeat("temperature", 10), i)) // a string of its own each
		others.Append(d)
		d.Close()
	}
	after, _ := live()
	fmt.Println("objects saved:", after-between-(between-before))
	// Output:
	// one object: true
	// objects saved: 1000
}

// Pools: memory of what has died is used for what is made next, and given back to the system when that is asked for.
func ExampleStats() {
	runtime.LockOSThread() // each thread has pages of its own: we look at those of one
	defer runtime.UnlockOSThread()
	fill := func() {
		l := must(ouro.NewList())
		defer l.Close()
		for i := 0; i < 20000; i++ {
			l.Append(float64(i) + 0.5) // an object each
		}
	}
	fill()
	first := ouro.Stats().CommittedBytes
	for i := 0; i < 10; i++ {
		fill()
		ouro.FreeOSMemory() // memory of what was shared waits for readers, by itself for some milliseconds
	}
	last := ouro.Stats().CommittedBytes
	fmt.Println("ten times as many objects, memory grew to less than twice:", last < 2*first)
	// Output: ten times as many objects, memory grew to less than twice: true
}

// A generator makes values when they are asked for; a list holds them all.
func ExampleNewGenerator() {
	const n = 100000
	_, before := live()
	list := must(ouro.NewList())
	for i := 0; i < n; i++ {
		list.Append(float64(i))
	}
	_, with := live()
	held := with - before
	list.Close()

	_, before = live()
	i := -1
	squares := must(ouro.NewGenerator(func() (any, error) {
		if i++; i == n {
			return nil, ouro.ErrEnd
		}
		return float64(i), nil
	}))
	defer squares.Close()
	most, sum := 0, 0.0
	for {
		v, err := squares.Next()
		if errors.Is(err, ouro.ErrEnd) {
			break
		}
		if sum += v.(float64); i%10000 == 0 {
			if _, now := live(); now-before > most {
				most = now - before
			}
		}
	}
	fmt.Println("sum:", sum)
	fmt.Println("the list took more than a thousand times as much:", held > 1000*most)
	// Output:
	// sum: 4.99995e+09
	// the list took more than a thousand times as much: true
}

// Finding a leak: what has become more, and who keeps it.
func ExampleReferrers() {
	cache := must(ouro.NewDict())
	defer cache.Close()
	handle := func(id int) { // a request that leaves something behind
		session := must(ouro.NewRecord("session", []ouro.Field{{Name: "id", Value: id}}))
		defer session.Close()
		cache.Set(fmt.Sprint("last seen ", id%3), session)
	}
	count := func() (n int) {
		all := must(ouro.Objects(-1))
		for _, o := range all {
			if r, is := o.(*ouro.Record); is && must(r.Name()) == "session" {
				n++
			}
			closeAny(o)
		}
		return n
	}
	before := count()
	for i := 0; i < 10; i++ {
		handle(i)
	}
	fmt.Println("more sessions than before:", count()-before)

	for _, o := range must(ouro.Objects(-1)) {
		if r, is := o.(*ouro.Record); is && must(r.Get("id")) == 9 {
			for _, who := range must(ouro.Referrers(r)) {
				fmt.Println("kept by", who)
				closeAny(who)
			}
		}
		closeAny(o)
	}
	// Output:
	// more sessions than before: 3
	// kept by {"last seen 0": session(id=9), "last seen 1": session(id=7), "last seen 2": session(id=8)}
}

func closeAny(v any) {
	if o, is := v.(ouro.Object); is {
		o.Close()
	}
}

// Errors are values, and say what of.
func Example_errors() {
	l := must(ouro.NewList(1, 2, 3))
	_, err := l.Get(7)
	fmt.Println(err, errors.Is(err, ouro.ErrIndex))
	l.Close()
	_, err = l.Get(0)
	fmt.Println(err, errors.Is(err, ouro.ErrClosed))
	_, err = ouro.NewDict("a", 1, "b")
	fmt.Println(err)
	// Output:
	// ouro: List.Get: index 7 is out of range for a list of 3 true
	// ouro: List.Get: the list is closed or nil true
	// ouro: NewDict: the last of keysAndValues is a key without a value
}

// Deaths come by channel.
func ExampleWeak_Dead() {
	l := must(ouro.NewList("precious"))
	weak := must(ouro.MakeWeak(l))
	defer weak.Close()
	go l.Close()
	<-weak.Dead()
	fmt.Println("gone")
	// Output: gone
}

// Many values cross in one call.
func ExampleAppendSlice() {
	l := must(ouro.NewList())
	defer l.Close()
	if err := ouro.AppendSlice(l, []int{3, 1, 2}); err != nil {
		log.Fatal(err)
	}
	l.Sort(false)
	numbers := must(ouro.SliceOf[int](l))
	fmt.Println(numbers[0], numbers[2])
	// Output: 1 3
}
