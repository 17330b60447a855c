// SPDX-License-Identifier: MIT

package ouro

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"
)

func soon[T any](t *testing.T, c <-chan T) (v T) {
	t.Helper()
	select {
	case v = <-c:
	case <-time.After(30 * time.Second):
		t.Fatal("nothing came")
	}
	return v
}

func TestWeak(t *testing.T) {
	leaves(t, func() {
		l := must(NewList(1))
		w := must(MakeWeak(l))
		dead := w.Dead()
		again, ok := w.Value()
		equal(t, ok, true)
		equal(t, must(Same(l, again)), true)
		no(l.Close())
		select {
		case <-dead:
			t.Error("dead too early")
		default:
		}
		no(again.Close())
		soon(t, dead)
		_, ok = w.Value()
		equal(t, ok, false)
		soon(t, w.Dead())
		no(w.Close())
		late := must(NewList())
		v := must(MakeWeak(late))
		no(late.Close())
		soon(t, v.Dead())
		soon(t, (*Weak[*List])(nil).Dead())
		no(v.Close())
	})
}

func TestWeakInContainers(t *testing.T) {
	leaves(t, func() {
		l := must(NewList("target"))
		w := must(MakeWeak(l))
		d := must(NewDict("weak", w))
		no(w.Close())
		out := must(d.Get("weak")).(*Weak[Object])
		x, ok := out.Value()
		equal(t, ok, true)
		equal(t, x.String(), `["target"]`)
		for _, o := range []Object{x, l, d} {
			no(o.Close())
		}
		_, ok = out.Value()
		equal(t, ok, false)
		no(out.Close())
	})
}

func TestCleanups(t *testing.T) {
	leaves(t, func() {
		told := make(chan string, 10)
		l := must(NewList())
		must(AddCleanup(l, func(s string) { told <- s }, "first"))
		stopped := must(AddCleanup(l, func(s string) { told <- s }, "stopped"))
		must(AddCleanup(l, func(s string) { told <- s }, "second"))
		stopped.Stop()
		stopped.Stop()
		no(l.Append(l))
		no(l.Close())
		must(Collect(2))
		got := soon(t, told) + " " + soon(t, told)
		if got != "first second" && got != "second first" {
			t.Error(got)
		}
		equal(t, len(told), 0)
		stopped.Stop()
	})
	_, err := AddCleanup((*List)(nil), func(int) {}, 1)
	is(t, err, ErrClosed)
}

// A function that panics, or ends its goroutine, ends nothing else.
func TestPanicsInCleanups(t *testing.T) {
	leaves(t, func() {
		panics := make(chan *PanicError, 10)
		OnPanic(func(p *PanicError) { panics <- p })
		defer OnPanic(nil)
		told := make(chan string, 10)
		for _, f := range []func(string){func(s string) { panic(errors.New(s)) }, func(string) { runtime.Goexit() }, func(s string) { told <- s }} {
			l := must(NewList())
			must(AddCleanup(l, f, "text"))
			no(l.Close())
		}
		equal(t, soon(t, told), "text")
		p := soon(t, panics)
		if p.Unwrap().Error() != "text" || !strings.Contains(string(p.Stack), "TestPanicsInCleanups") {
			t.Error(p)
		}
	})
}

func TestWeakMapsAndSets(t *testing.T) {
	leaves(t, func() {
		m := must(NewWeakMap(WeakKeys))
		a, b := must(NewList("a")), must(NewList("b"))
		no(m.Set(a, 1))
		no(m.Set(b, a))
		equal(t, m.Len(), 2)
		equal(t, must(m.Get(a)), 1)
		equal(t, must(m.Has(b)), true)
		equal(t, must(m.SetDefault(a, 2)), 1)
		for limit := 1; limit <= 2; limit++ {
			n := 0
			m.All()(func(k, v any) bool {
				equal(t, must(m.Has(k)), true)
				closeAll([]any{k, v})
				n++
				return n < limit
			})
			equal(t, n, limit)
		}
		_, err := m.Get("no object")
		if err == nil {
			t.Error("a string is a key")
		}
		is(t, m.Set(1, 2), ErrType)
		_, err = m.Pop(m)
		is(t, err, ErrKey)
		no(b.Close())
		no(a.Close()) // b's entry held it
		must(Collect(2))
		equal(t, m.Len(), 0)
		s := must(NewWeakSet())
		c := must(NewDict())
		equal(t, must(s.Add(c)), true)
		equal(t, must(s.Add(c)), false)
		equal(t, must(s.Has(c)), true)
		s.All()(func(o any) bool {
			equal(t, must(Same(o.(Object), c)), true)
			closeAll([]any{o})
			return false
		})
		_, err = s.Add(1)
		is(t, err, ErrType)
		no(c.Close())
		equal(t, s.Len(), 0)
		_, err = NewWeakSet(1)
		is(t, err, ErrType)
		_, err = NewWeakMap(0)
		is(t, err, ErrInvalid)
		no(s.Close())
		no(m.Close())
	})
}

func TestIterators(t *testing.T) {
	leaves(t, func() {
		l := must(NewList("a", 2, 3.5))
		it := must(l.Iterator())
		equal(t, must(it.Next()), "a")
		equal(t, must(it.NextMany(10)), []any{2, 3.5})
		_, err := it.Next()
		is(t, err, ErrEnd)
		_, err = it.NextMany(1)
		is(t, err, ErrEnd)
		_, err = it.NextMany(0)
		is(t, err, ErrInvalid)
		equal(t, err.Error(), "ouro: Iterator.NextMany: n is 0")
		d := must(NewDict("k", "v", 1, 2))
		items := must(d.Items())
		k, v, err := items.NextPair()
		equal(t, []any{k, v, err}, []any{"k", "v", nil})
		no(d.Set("new", 1))
		_, _, err = items.NextPair()
		is(t, err, ErrChanged)
		keys := must(d.Keys())
		n := 0
		keys.All()(func(v any) bool { n++; return n < 2 })
		equal(t, n, 2)
		no(keys.Err())
		no(d.Delete("new"))
		keys.All()(func(v any) bool { t.Error(v); return true })
		is(t, keys.Err(), ErrChanged)
		r := must(NewRange(5, 0, -2))
		equal(t, must(r.NextMany(100)), []any{5, 3, 1})
		_, err = NewRange(0, 1, 0)
		equal(t, err.Error(), "ouro: NewRange: step is 0")
		_, err = Iterate(7)
		is(t, err, ErrType)
		equal(t, err.Error(), "ouro: Iterate: v is of the wrong type: int")
		chars := must(Iterate("aä"))
		equal(t, must(chars.NextMany(9)), []any{"a", "ä"})
		_, _, err = chars.NextPair()
		if err == nil {
			t.Error("a pair")
		}
		for _, o := range []Object{l, it, d, items, keys, r, chars} {
			no(o.Close())
		}
	})
}

func TestGenerators(t *testing.T) {
	leaves(t, func() {
		n, bad := 0, errors.New("bad")
		made := must(NewList(4))
		g := must(NewGenerator(func() (any, error) {
			switch n++; n {
			case 1:
				return "one", nil
			case 2:
				return nil, bad
			case 3:
				panic("three")
			case 4:
				return made, nil
			case 5:
				return "\xff", nil
			case 6:
				return (*List)(nil), nil
			}
			return nil, fmt.Errorf("no more: %w", ErrEnd)
		}))
		equal(t, must(g.Next()), "one")
		_, err := g.Next()
		is(t, err, bad)
		equal(t, err.Error(), "ouro: Iterator.Next: bad")
		_, err = g.Next()
		var p *PanicError
		if !errors.As(err, &p) || p.Value != "three" || err.Error() != "ouro: Iterator.Next: panic in a callback: three" {
			t.Error(err)
		}
		four := must(g.Next()).(*List)
		equal(t, four.String(), "[4]")
		no(four.Close())
		no(made.Close())
		_, err = g.Next()
		is(t, err, ErrEncoding)
		_, err = g.Next()
		is(t, err, ErrClosed)
		_, err = g.Next()
		is(t, err, ErrEnd)
		_, err = g.Next()
		is(t, err, ErrEnd)
		equal(t, n, 7)
		no(g.Close())

		// An error, or a panic, in the middle of an operation of the library's.
		l := must(NewList(1))
		failing := must(NewGenerator(func() (any, error) { panic(bad) }))
		err = l.Extend(failing)
		is(t, err, bad)
		equal(t, l.String(), "[1]")
		no(failing.Close())
		count := 0
		counting := must(NewGenerator(func() (any, error) {
			if count++; count > 1000 {
				return nil, ErrEnd
			}
			return count, nil
		}))
		no(l.Extend(counting))
		equal(t, l.Len(), 1001)
		equal(t, must(l.Get(-1)), 1000)
		no(counting.Close())
		no(l.Close())
		_, err = NewGenerator(nil)
		is(t, err, ErrInvalid)
	})
}

// A generator in a garbage cycle with what it gives goes; so does what it holds.
func TestGeneratorsAreLetGo(t *testing.T) {
	leaves(t, func() {
		l := must(NewList())
		gone := make(chan bool, 1)
		g := must(NewGenerator(func() (any, error) { return nil, ErrEnd }))
		must(AddCleanup(g, func(b bool) { gone <- b }, true))
		no(l.Append(g, l))
		no(g.Close())
		no(l.Close())
		must(Collect(2))
		equal(t, soon(t, gone), true)
	})
}

func TestCollect(t *testing.T) {
	leaves(t, func() {
		defer pauseGC(t)()
		equal(t, GCEnabled(), false)
		for _, generation := range []int{1, 2} {
			for i := 0; i < 10; i++ {
				l := must(NewList())
				no(l.Append(l))
				no(l.Close())
			}
			r := must(Collect(generation))
			if r.Generation != generation || r.Collected != 10 || r.Duration <= 0 {
				t.Errorf("%+v", r)
			}
		}
		for _, generation := range []int{-1, 3} {
			_, err := Collect(generation)
			is(t, err, ErrInvalid)
			equal(t, err.Error(), fmt.Sprintf("ouro: Collect: generation is %d, not 0, 1 or 2", generation))
			is(t, CollectAsync(generation), ErrInvalid)
		}
	})
	equal(t, GCEnabled(), true)
}

func TestThresholds(t *testing.T) {
	old := must(SetThreshold([3]int{700, 10, 5}))
	equal(t, Threshold(), [3]int{700, 10, 5})
	equal(t, must(SetThreshold(old)), [3]int{700, 10, 5})
	_, err := SetThreshold([3]int{1, -2, 3})
	is(t, err, ErrInvalid)
	equal(t, err.Error(), "ouro: SetThreshold: t[1] is negative: -2")
	Counts()
}

func TestNotifyGC(t *testing.T) {
	defer pauseGC(t)() // what the end of that one tells may still come: it is of generation 1
	events, full := make(chan GCEvent, 100), make(chan GCEvent)
	cancel := must(NotifyGC(events))
	cancelFull := must(NotifyGC(full))
	for i := 0; i < 7; i++ {
		l := must(NewList())
		no(l.Append(l))
		no(l.Close())
	}
	must(Collect(2))
	for {
		e := soon(t, events)
		if e.Generation != 2 || e.Reason != GCAsked {
			continue
		}
		if e.Phase == GCStop {
			if e.Collected >= 7 && e.Freed >= 7 && e.Candidates >= 7 && e.Duration > 0 {
				break
			}
			t.Errorf("%+v", e)
		}
	}
	cancel()
	cancel()
	cancelFull()
	for len(events) > 0 {
		<-events
	}
	_, err := NotifyGC(nil)
	is(t, err, ErrInvalid)
}

func TestReferents(t *testing.T) {
	leaves(t, func() {
		inner := must(NewList(1, "x"))
		outer := must(NewDict("in", inner))
		who := must(Referrers(inner))
		equal(t, len(who), 1)
		equal(t, must(Same(who[0].(Object), outer)), true)
		what := must(Referents(outer))
		found := false
		for _, v := range what {
			if l, is := v.(*List); is {
				found = must(Same(l, inner))
			}
		}
		equal(t, found, true)
		closeAll(who)
		closeAll(what)
		equal(t, IsTracked(inner), true)
		equal(t, RefCount(inner), 2)
		all := must(Objects(-1))
		if len(all) < 2 {
			t.Error(len(all))
		}
		closeAll(all)
		Freeze()
		if FreezeCount() < 2 {
			t.Error(FreezeCount())
		}
		Unfreeze()
		equal(t, FreezeCount(), 0)
		no(inner.Close())
		no(outer.Close())
	})
}

func TestDebugSaveAll(t *testing.T) {
	leaves(t, func() {
		defer pauseGC(t)()
		old := SetDebug(DebugSaveAll)
		l := must(NewList("saved"))
		no(l.Append(l))
		no(l.Close())
		must(Collect(2))
		equal(t, SetDebug(old), DebugSaveAll)
		garbage := must(Garbage())
		found := false
		for _, v := range garbage {
			if l, is := v.(*List); is {
				found = found || l.String() == `["saved", ...]`
			}
		}
		equal(t, found, true)
		closeAll(garbage)
		ClearGarbage()
	})
}

func TestInternAndTokens(t *testing.T) {
	must(Import(must(Export(nil)))) // what holds exported values stays
	leaves(t, func() {
		a, b := must(Intern("a name that comes often")), must(Intern("a name that comes often"))
		equal(t, must(Same(a, b)), true)
		equal(t, a.Value(), "a name that comes often")
		equal(t, a.String(), `"a name that comes often"`)
		d := must(NewDict(a, 1))
		equal(t, must(d.Get("a name that comes often")), 1)
		equal(t, must(d.Get(b)), 1)
		for _, o := range []Object{a, b, d} {
			no(o.Close())
		}
		equal(t, a.Value(), "")
		_, err := Intern("\xff")
		is(t, err, ErrEncoding)
		equal(t, err.Error(), "ouro: Intern: s is not UTF-8")
		l := must(NewList("exported"))
		token := must(Export(l))
		no(l.Close())
		back := must(Import(token)).(*List)
		equal(t, back.String(), `["exported"]`)
		no(back.Close())
		for _, bad := range []int64{token, 0, -1, 1 << 60} {
			_, err = Import(bad)
			is(t, err, ErrKey)
		}
	})
}

func TestKinds(t *testing.T) {
	for kind, v := range map[string]any{"nil": nil, "bool": true, "int": int8(1), "float": float32(1), "string": "", "bytes": []byte{}, "host": things[0]} {
		equal(t, Kind(v), kind)
	}
	kinds := []string{}
	for _, o := range oneOfEach() {
		kinds = append(kinds, Kind(o))
		no(o.Close())
	}
	equal(t, strings.Join(kinds, ", "), "list, dict, set, tuple, record, weak map, weak set, iterator, weak, string")
	equal(t, must(Len("äb")), 2)
	_, err := Len(5)
	is(t, err, ErrType)
	equal(t, err.Error(), "ouro: Len: v is of the wrong type: int")
	equal(t, must(Truth("")), false)
	equal(t, must(Truth(0.5)), true)
}
