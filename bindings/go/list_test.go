// SPDX-License-Identifier: MIT

package ouro

import (
	"errors"
	"math/rand"
	"reflect"
	"sort"
	"testing"
)

func TestList(t *testing.T) {
	leaves(t, func() {
		l := must(NewList(1, 2, 3))
		defer l.Close()
		no(l.Append("four", 5))
		no(l.Append())
		equal(t, l.Len(), 5)
		equal(t, must(l.Get(-1)), 5)
		no(l.Set(-2, 4))
		no(l.Insert(0, 0))
		no(l.Insert(100, 6))
		equal(t, l.String(), "[0, 1, 2, 3, 4, 5, 6]")
		equal(t, must(l.Pop(-1)), 6)
		equal(t, must(l.Pop(0)), 0)
		no(l.Delete(1))
		no(l.Remove(5))
		equal(t, must(l.ToSlice()), []any{1, 3, 4})
		equal(t, must(l.Swap(1, "three")), 3)
		equal(t, must(l.Index("three")), 1)
		equal(t, must(l.Has("three")), true)
		equal(t, must(l.Has("four")), false)
		no(l.Append("three"))
		equal(t, must(l.Count("three")), 2)
		equal(t, must(l.CompareAndSwap(0, 1, 10)), true)
		equal(t, must(l.CompareAndSwap(0, 1, 11)), false)
		no(l.Reverse())
		equal(t, l.String(), `["three", 4, "three", 10]`)
		no(l.Clear())
		equal(t, l.Len(), 0)
	})
}

func TestListOfLists(t *testing.T) {
	leaves(t, func() {
		inner := must(NewList("inner"))
		l := must(NewList(inner, inner))
		no(l.Append(inner))
		no(inner.Close())
		for _, v := range must(l.ToSlice()) {
			inner := v.(*List)
			equal(t, must(inner.Get(0)), "inner")
			no(inner.Close())
		}
		a, b := must(l.Get(0)).(*List), must(l.Pop(1)).(*List)
		equal(t, must(Same(a, b)), true)
		no(a.Append("more"))
		equal(t, b.Len(), 2)
		no(l.Close())
		equal(t, b.String(), `["inner", "more"]`)
		a.Close()
		b.Close()
	})
}

func TestListErrors(t *testing.T) {
	leaves(t, func() {
		l := must(NewList(1, 2, 3))
		defer l.Close()
		_, get := l.Get(7)
		_, pop := l.Pop(-4)
		_, swap := l.Swap(3, 0)
		_, many := l.GetMany(0, 1, 9)
		_, compared := l.CompareAndSwap(3, 1, 1)
		for _, err := range []error{get, pop, swap, many, compared, l.Set(3, 0), l.Delete(3)} {
			is(t, err, ErrIndex)
		}
		equal(t, get.Error(), "ouro: List.Get: index 7 is out of range for a list of 3")
		equal(t, l.Set(-4, things[0]).Error(), "ouro: List.Set: index -4 is out of range for a list of 3")
		_, err := l.Index("x")
		is(t, err, ErrKey)
		equal(t, err.Error(), `ouro: List.Index: value "x" is not in the list`)
		is(t, l.Remove(things[0]), ErrKey)
		_, err = l.Sub(0, 1, 0)
		is(t, err, ErrInvalid)
		is(t, l.DeleteSlice(0, 1, 0), ErrInvalid)
		_, err = l.Repeat(-1)
		is(t, err, ErrInvalid)
		_, err = l.Concat(nil)
		is(t, err, ErrClosed)
		no(l.Append("a"))
		is(t, l.Sort(false), ErrType)
		equal(t, l.String(), `[1, 2, 3, "a"]`)
		_, err = SliceOf[int](l)
		is(t, err, ErrType)
	})
}

func TestListSlices(t *testing.T) {
	leaves(t, func() {
		l := must(FromSlice([]int{0, 1, 2, 3, 4, 5}))
		defer l.Close()
		equal(t, must(l.Slice(1, 3)), []any{1, 2})
		equal(t, must(l.Slice(-2, Omitted)), []any{4, 5})
		equal(t, must(l.Slice(4, 2)), []any{})
		sub := must(l.Sub(Omitted, Omitted, -2))
		defer sub.Close()
		equal(t, must(SliceOf[int](sub)), []int{5, 3, 1})
		no(l.SetSlice(1, 5, 1, "x", "y"))
		equal(t, l.String(), `[0, "x", "y", 5]`)
		no(l.DeleteSlice(Omitted, Omitted, 3))
		equal(t, l.String(), `["x", "y"]`)
		twice := must(l.Repeat(2))
		defer twice.Close()
		all := must(twice.Concat(l))
		defer all.Close()
		equal(t, must(SliceOf[string](all)), []string{"x", "y", "x", "y", "x", "y"})
		copy := must(all.Copy())
		defer copy.Close()
		no(copy.Sort(true))
		equal(t, copy.String(), `["y", "y", "y", "x", "x", "x"]`)
	})
}

// Lengths around what crosses at a time.
func TestListsInBulk(t *testing.T) {
	for _, n := range []int{0, 1, chunk - 1, chunk, chunk + 1, 2 * chunk, 1000} {
		leaves(t, func() {
			values := make([]any, n)
			r := random(t)
			for i := range values {
				values[i] = anyValue(r)
			}
			l := must(NewList(values...))
			defer l.Close()
			equal(t, must(l.ToSlice()), values)
			equal(t, must(l.Slice(Omitted, Omitted)), values)
			no(l.AppendAll(values))
			twice := append(append([]any{}, values...), values...)
			equal(t, must(l.ToSlice()), twice)
			indexes := r.Perm(len(twice))
			many := must(l.GetMany(indexes...))
			for i, at := range indexes {
				equal(t, many[i], twice[at])
			}
			at := 0
			l.All()(func(i int, v any) bool {
				equal(t, i, at)
				equal(t, v, twice[i])
				at++
				return true
			})
			equal(t, at, len(twice))
			texts := must(FromSlice(make([]string, n)))
			defer texts.Close()
			equal(t, must(SliceOf[string](texts)), make([]string, n))
			no(AppendSlice(texts, []bool{true}))
			no(AppendSlice(texts, []float64{0.5}))
			no(AppendSlice(texts, []int64{7}))
			no(AppendSlice(texts, []thing{{8}}))
			equal(t, must(texts.Slice(-4, Omitted)), []any{true, 0.5, 7, thing{8}})
		})
	}
}

// A loop that ends early, in one way or another, keeps nothing.
func TestLoopsThatEndEarly(t *testing.T) {
	leaves(t, func() {
		l := must(NewList())
		defer l.Close()
		for i := 0; i < 300; i++ {
			inner := must(NewList(i))
			no(l.Append(inner, "text", things[0]))
			inner.Close()
		}
		count := 0
		l.All()(func(_ int, v any) bool {
			closeAll([]any{v})
			count++
			return count < 200
		})
		equal(t, count, 200)
		func() {
			defer func() { equal(t, recover(), "out") }()
			l.All()(func(_ int, v any) bool {
				closeAll([]any{v})
				panic("out")
			})
		}()
		l.All()(func(i int, v any) bool {
			closeAll([]any{v})
			if i == 100 {
				l.Close()
			}
			count = i
			return true
		})
		if count < 100 || count > 100+chunk {
			t.Fatal(count)
		}
		_, err := l.ToSlice()
		is(t, err, ErrClosed)
	})
}

func TestListAgainstSlice(t *testing.T) {
	r := random(t)
	for round := 0; round < 20; round++ {
		leaves(t, func() { listAgainstSlice(t, r) })
	}
}

func listAgainstSlice(t *testing.T, r *rand.Rand) {
	l := must(NewList())
	defer l.Close()
	want := []any{}
	for step := 0; step < 400; step++ {
		v := anyValue(r)
		n := len(want)
		i := r.Intn(n + 2)
		inside := i < n
		at := i
		if inside && r.Intn(2) == 0 {
			at = i - n
		}
		fails := func(err error) {
			t.Helper()
			if inside != (err == nil) || !inside && !errors.Is(err, ErrIndex) {
				t.Fatal(at, n, err)
			}
		}
		switch r.Intn(14) {
		case 0, 1:
			no(l.Append(v))
			want = append(want, v)
		case 2:
			more := []any{v, anyValue(r), anyValue(r)}
			no(l.AppendAll(more))
			want = append(want, more...)
		case 3:
			no(l.Insert(i, v))
			if i > n {
				i = n
			}
			want = append(want[:i:i], append([]any{v}, want[i:]...)...)
		case 4:
			got, err := l.Get(at)
			fails(err)
			if inside {
				equal(t, got, want[i])
			}
		case 5:
			fails(l.Set(at, v))
			if inside {
				want[i] = v
			}
		case 6:
			got, err := l.Pop(at)
			fails(err)
			if inside {
				equal(t, got, want[i])
				want = append(want[:i:i], want[i+1:]...)
			}
		case 7:
			fails(l.Delete(at))
			if inside {
				want = append(want[:i:i], want[i+1:]...)
			}
		case 8:
			got, err := l.Swap(at, v)
			fails(err)
			if inside {
				equal(t, got, want[i])
				want[i] = v
			}
		case 9:
			at, err := l.Index(v)
			first := -1
			for i := len(want) - 1; i >= 0; i-- {
				if reflect.DeepEqual(want[i], v) {
					first = i
				}
			}
			if first < 0 {
				is(t, err, ErrKey)
			} else {
				no(err)
				equal(t, at, first)
			}
		case 10:
			j := r.Intn(n + 2)
			got := must(l.Slice(i, j))
			if i > n {
				i = n
			}
			if j > n {
				j = n
			}
			if j < i {
				j = i
			}
			equal(t, got, append([]any{}, want[i:j]...))
		case 11:
			no(l.Reverse())
			for i, j := 0, n-1; i < j; i, j = i+1, j-1 {
				want[i], want[j] = want[j], want[i]
			}
		case 12:
			ints := r.Perm(r.Intn(50))
			sorted := must(FromSlice(ints))
			no(sorted.Sort(false))
			sort.Ints(ints)
			equal(t, must(SliceOf[int](sorted)), ints)
			no(sorted.Close())
		default:
			equal(t, l.Len(), n)
			if r.Intn(10) == 0 {
				no(l.Clear())
				want = want[:0]
			}
		}
		equal(t, must(l.ToSlice()), append([]any{}, want...))
	}
}
