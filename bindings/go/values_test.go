// SPDX-License-Identifier: MIT

package ouro

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

type named int
type pair struct{ a, b any }

// through puts a value into a list and gets it out, in all ways that there are.
func through(t *testing.T, v any) any {
	t.Helper()
	l := must(NewList(v))
	defer l.Close()
	no(l.Append(v))
	no(l.Set(0, v))
	got := must(l.Get(0))
	for _, again := range must(l.ToSlice()) {
		if fmt.Sprintf("%T %v", again, again) != fmt.Sprintf("%T %v", got, got) {
			t.Fatalf("%v comes out as %v and as %v", v, got, again)
		}
	}
	return got
}

func TestValuesComeBack(t *testing.T) {
	c := make(chan int)
	for _, v := range []any{
		nil, true, false,
		0, 1, -1, 255, 256, 1<<61 - 1, -1 << 61, 1 << 61, -1<<61 - 1, math.MaxInt64, math.MinInt64,
		uint64(math.MaxUint64), uint64(math.MaxInt64 + 1),
		0.0, 1.5, -1e300, math.Inf(1), math.SmallestNonzeroFloat64,
		"", "a", "\x00", "ä€😀", strings.Repeat("x", 40), strings.Repeat("x", 41), strings.Repeat("y", 100000),
		named(5), pair{1, "x"}, things[0], c, time.Second, complex(1, 2), [2]string{"a", "b"}, errors.New("an error"),
	} {
		leaves(t, func() {
			if got := through(t, v); got != v {
				t.Errorf("%T %v came back as %T %v", v, v, got, got)
			}
		})
	}
}

func TestValuesThatChangeTheirType(t *testing.T) {
	for _, c := range []struct{ in, out any }{
		{int8(-3), -3}, {int16(-3), -3}, {int32(-3), -3}, {int64(-3), -3}, {uint(3), 3}, {uint8(3), 3}, {uint16(3), 3}, {uint32(3), 3}, {uint64(3), 3},
		{uintptr(3), 3}, {float32(0.5), 0.5}, {'x', 120}, {int64(math.MinInt64), math.MinInt64}, {uint64(math.MaxInt64), math.MaxInt64},
	} {
		equal(t, through(t, c.in), c.out)
	}
	if f := through(t, math.NaN()).(float64); !math.IsNaN(f) {
		t.Error(f)
	}
	if f := through(t, math.Copysign(0, -1)).(float64); !math.Signbit(f) {
		t.Error(f)
	}
}

func TestBytesAreCopies(t *testing.T) {
	for _, n := range []int{0, 1, 40, 41, 10000} {
		leaves(t, func() {
			b := bytes.Repeat([]byte{0xff}, n)
			l := must(NewList(b))
			defer l.Close()
			if n > 0 {
				b[0] = 1
			}
			got := must(l.Get(0)).([]byte)
			equal(t, got, bytes.Repeat([]byte{0xff}, n))
			if n > 0 {
				got[0] = 2
			}
			equal(t, must(l.ToSlice())[0], bytes.Repeat([]byte{0xff}, n))
		})
	}
}

func TestStringsAreUTF8(t *testing.T) {
	leaves(t, func() {
		_, err := NewList("good", "\xff")
		is(t, err, ErrEncoding)
		l := must(NewList(1))
		defer l.Close()
		is(t, l.Append("a\xed\xa0\x80"), ErrEncoding)
		is(t, l.Append("x", "a\xed\xa0\x80", things[0]), ErrEncoding)
		is(t, l.Set(0, "\xff"), ErrEncoding)
		_, err = l.Has("\xff")
		is(t, err, ErrEncoding)
		equal(t, l.String(), "[1]")
	})
}

// What Go cannot compare is stored, too, and is the same when it comes back.
func TestIncomparableValues(t *testing.T) {
	leaves(t, func() {
		m := map[string]int{"a": 1}
		s := []int{1, 2}
		f := func() int { return 7 }
		l := must(NewList(m, s, f, pair{s, 1}, pair{math.NaN(), 1}))
		defer l.Close()
		must(l.Get(0)).(map[string]int)["a"] = 2
		must(l.Get(1)).([]int)[0] = 5
		equal(t, m["a"]+s[0]+must(l.Get(2)).(func() int)(), 14)
		equal(t, &must(l.Get(3)).(pair).a.([]int)[0], &s[0])
		if has := must(l.Has(s)); has {
			t.Error("two that cannot be compared are equal")
		}
	})
}

func TestEqualGoValuesAreOneKey(t *testing.T) {
	leaves(t, func() {
		d := must(NewDict(named(1), "named", 1, "int", pair{1, "x"}, "pair", things[0], "thing", uint64(math.MaxUint64), "big", int64(math.MinInt64), "small"))
		defer d.Close()
		for key, want := range map[any]any{named(1): "named", int16(1): "int", pair{1, "x"}: "pair", things[0]: "thing", uint64(math.MaxUint64): "big",
			math.MinInt64: "small", 1.0: "int"} {
			equal(t, must(d.Get(key)), want)
		}
		for _, key := range []any{named(2), pair{1, "y"}, things[1], uint64(1 << 63), int64(math.MinInt64) + 1} {
			_, err := d.Get(key)
			is(t, err, ErrKey)
		}
	})
}

// A large one has memory of its own, and so a finalizer of its own.
type large struct {
	n   int
	pad [100]byte
}

// The library lets go of a Go value when its last object has died, and not before.
func TestGoValuesAreLetGo(t *testing.T) {
	var gone int32
	l := must(NewList())
	func() {
		p := &large{n: 42}
		runtime.SetFinalizer(p, func(*large) { atomic.AddInt32(&gone, 1) })
		no(l.Append(p, p))
		no(l.Append(p))
		no(l.Append(pair{p, p}))
	}()
	no(l.Delete(0))
	for i := 0; i < 5; i++ {
		runtime.GC()
	}
	equal(t, must(l.Get(0)).(*large).n, 42)
	if atomic.LoadInt32(&gone) != 0 {
		t.Fatal("gone too early")
	}
	no(l.Clear())
	eventually(t, "the value goes", func() bool { return atomic.LoadInt32(&gone) == 1 })
	l.Close()
}

// While one call is at it, another has a Go value to let go of, and leaves that to the first.
func TestGoValuesLetGoMeanwhile(t *testing.T) {
	a, b := must(NewList(&large{n: 1})), must(NewList(&large{n: 2}))
	before := heldCount()
	heldByValue.Lock()
	cleared := make(chan error)
	go func() { cleared <- a.Clear() }()
	stacks := make([]byte, 1<<20)
	await(t, "it is at it", func() bool {
		return strings.Contains(string(stacks[:runtime.Stack(stacks, true)]), "ouro.dispose(")
	})
	no(b.Clear())
	heldByValue.Unlock()
	no(<-cleared)
	await(t, "both go, without another call", func() bool { return heldCount() == before-2 })
	no(a.Close())
	no(b.Close())
}

// A Go value in a garbage cycle goes with it.
func TestGoValuesInCycles(t *testing.T) {
	leaves(t, func() {
		defer pauseGC(t)()
		l := must(NewList(things[0], pair{1, 2}))
		no(l.Append(l))
		l.Close()
		equal(t, heldCount(), 2)
	})
	equal(t, heldCount(), 0)
}

type stringer struct{ s string }

func (s stringer) String() string {
	if s.s == "" {
		panic("no string")
	}
	return s.s
}

func TestRepr(t *testing.T) {
	leaves(t, func() {
		l := must(NewList(nil, true, 1, 1.5, "a\"b", []byte{0}, uint64(math.MaxUint64), named(3), stringer{"hello"}, things[0], []int{1}, errors.New("bad")))
		defer l.Close()
		equal(t, l.String(), `[nil, true, 1, 1.5, "a\"b", b"\x00", 18446744073709551615, 3, hello, <*ouro.thing>, <[]int>, bad]`)
		equal(t, must(Repr("x")), `"x"`)
		equal(t, must(Repr(l)), l.String())
		no(l.Append(stringer{""}))
		_, err := Repr(l)
		var p *PanicError
		if !errors.As(err, &p) || p.Value != "no string" || len(p.Stack) == 0 {
			t.Fatal(err)
		}
		equal(t, l.String(), "<list>")
	})
}

func TestCompareAndEqual(t *testing.T) {
	leaves(t, func() {
		a, b := must(NewList(1, 2.0, "x")), must(NewList(1.0, 2, "x"))
		defer a.Close()
		defer b.Close()
		equal(t, must(Equal(a, b)), true)
		equal(t, must(Same(a, b)), false)
		equal(t, must(Same(a, a)), true)
		equal(t, must(KeyEqual(a, b)), false)
		equal(t, must(Equal(math.NaN(), math.NaN())), false)
		equal(t, must(KeyEqual(math.NaN(), math.NaN())), true)
		equal(t, must(Equal(1, true)), false)
		equal(t, must(Equal(things[0], things[0])), true)
		equal(t, must(Equal(things[0], things[1])), false)
		equal(t, must(Compare(1, 1.5)), -1)
		equal(t, must(Compare("b", "a")), 1)
		equal(t, must(Compare(a, b)), 0)
		for _, c := range [][2]any{{1, "a"}, {math.NaN(), 1.0}, {things[0], things[1]}, {nil, 1}} {
			_, err := Compare(c[0], c[1])
			is(t, err, ErrType)
		}
		equal(t, must(Hash(1)), must(Hash(1.0)))
		equal(t, must(Hash("abc")), must(Hash("abc")))
		no(a.Append(things[0]))
		equal(t, must(Hash(things[0])), must(Hash(things[0])))
	})
}
