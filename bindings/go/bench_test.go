// SPDX-License-Identifier: MIT

package ouro

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"ouro/internal/native"
	"ouro/internal/raw"
)

// measure runs f b.N times, in batches, and reports the quickest batch beside the mean: on a busy machine that is the
// number that means something. What it is to be compared with is BenchmarkEmptyCall of the same run.
func measure(b *testing.B, f func()) {
	const batch = 200
	best := time.Duration(1 << 62)
	for done := 0; done < b.N; done += batch {
		start := time.Now()
		for i := 0; i < batch; i++ {
			f()
		}
		if d := time.Since(start); d < best {
			best = d
		}
	}
	b.ReportMetric(float64(best.Nanoseconds())/batch, "best-ns/op")
}

func numbers(n int) []any {
	values := make([]any, n)
	for i := range values {
		values[i] = i
	}
	return values
}

func BenchmarkEmptyCall(b *testing.B) { measure(b, raw.Empty) }

func BenchmarkEnterLeave(b *testing.B) {
	l := must(NewList())
	defer l.Close()
	measure(b, func() { l.leave(l.enter()) })
}

func BenchmarkListLen(b *testing.B) {
	l := must(NewList(numbers(100)...))
	defer l.Close()
	measure(b, func() {
		if l.Len() != 100 {
			panic("length")
		}
	})
}

// 7 and 1000: Go makes an interface of a small number without allocating.
func BenchmarkListGet(b *testing.B) {
	short, long := "a short string", strings.Repeat("a long string", 10)
	inner := must(NewList())
	defer inner.Close()
	p := &struct{ x int }{1}
	for _, c := range []struct {
		name string
		v    any
	}{{"7", 7}, {"1000", 1000}, {"nil", nil}, {"float", 1.5}, {"short", short}, {"long", long}, {"go", p}} {
		b.Run(c.name, func(b *testing.B) {
			l := must(NewList(c.v))
			defer l.Close()
			measure(b, func() {
				if must(l.Get(0)) != c.v {
					panic("value")
				}
			})
		})
	}
	b.Run("list", func(b *testing.B) {
		l := must(NewList(inner))
		defer l.Close()
		measure(b, func() { no(must(l.Get(0)).(*List).Close()) })
	})
}

func BenchmarkListSet(b *testing.B) {
	p := &struct{ x int }{1}
	for _, c := range []struct {
		name string
		v    any
	}{{"7", 7}, {"1000", 1000}, {"float", 1.5}, {"string", "a short string"}, {"go", p}} {
		b.Run(c.name, func(b *testing.B) {
			l := must(NewList(1))
			defer l.Close()
			measure(b, func() { no(l.Set(0, c.v)) })
		})
	}
}

func BenchmarkListAppend(b *testing.B) {
	l := must(NewList())
	defer l.Close()
	measure(b, func() { no(l.Append(7)) })
	if l.Len() < b.N {
		b.Fatal(l.Len())
	}
}

// Bulk: nanoseconds per element, the best of all runs, of a thousand elements in one call, and of as many calls.
func BenchmarkBulk(b *testing.B) {
	const n = 1000
	ints, anys, texts := make([]int, n), numbers(n), make([]string, n)
	for i := range ints {
		ints[i], texts[i] = i, "text "+strconv.Itoa(i)
	}
	l, to, words := must(FromSlice(ints)), must(NewList()), must(FromSlice(texts))
	defer closeAll([]any{l, to, words})
	sum := func(ints []int) (sum int) {
		for _, i := range ints {
			sum += i
		}
		return sum
	}
	for _, c := range []struct {
		name string
		f    func()
	}{
		{"Append", func() {
			for i := range ints {
				no(to.Append(i))
			}
		}},
		{"AppendAll", func() { no(to.AppendAll(anys)) }},
		{"AppendSlice-int", func() { no(AppendSlice(to, ints)) }},
		{"AppendSlice-string", func() { no(AppendSlice(to, texts)) }},
		{"Get", func() {
			for i := range ints {
				equalLen(must(l.Get(i)).(int), i)
			}
		}},
		{"ToSlice", func() { equalLen(must(l.ToSlice())[n-1].(int), n-1) }},
		{"SliceOf-int", func() { equalLen(sum(must(SliceOf[int](l))), n*(n-1)/2) }},
		{"SliceOf-string", func() { equalLen(len(must(SliceOf[string](words))[7]), 6) }},
		{"All", func() {
			count := 0
			l.All()(func(i int, v any) bool { count += v.(int); return true })
			equalLen(count, n*(n-1)/2)
		}},
	} {
		b.Run(c.name, func(b *testing.B) {
			best := time.Duration(1 << 62)
			for i := 0; i < b.N; i++ {
				start := time.Now()
				c.f()
				if took := time.Since(start); took < best {
					best = took
				}
				if to.Len() > 0 {
					equalLen(to.Len(), n)
					no(to.Clear())
				}
			}
			b.ReportMetric(float64(best.Nanoseconds())/n, "best-ns/element")
		})
	}
}

func BenchmarkNewClose(b *testing.B) {
	measure(b, func() { no(must(NewList()).Close()) })
}

func BenchmarkListGetParallel(b *testing.B) {
	l := must(NewList(numbers(100)...))
	defer l.Close()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if must(l.Get(7)) != 7 {
				panic("value")
			}
		}
	})
}

func BenchmarkDictGet(b *testing.B) {
	d := must(NewDict("key", 7, 1, 8))
	defer d.Close()
	b.Run("string", func(b *testing.B) {
		measure(b, func() {
			if must(d.Get("key")) != 7 {
				panic("value")
			}
		})
	})
	b.Run("int", func(b *testing.B) {
		measure(b, func() {
			if must(d.Get(1)) != 8 {
				panic("value")
			}
		})
	})
	b.Run("missing", func(b *testing.B) {
		measure(b, func() {
			if _, err := d.Get(2); err == nil {
				panic("value")
			}
		})
	})
}

func BenchmarkDictSet(b *testing.B) {
	d := must(NewDict("key", 7, 1, 8))
	defer d.Close()
	b.Run("string", func(b *testing.B) { measure(b, func() { no(d.Set("key", 8)) }) })
	b.Run("int", func(b *testing.B) { measure(b, func() { no(d.Set(1, 9)) }) })
}

func BenchmarkRecordGet(b *testing.B) {
	r := must(NewRecord("point", []Field{{"x", 7}, {"y", 8}}))
	defer r.Close()
	measure(b, func() {
		if must(r.Get("y")) != 8 {
			panic("value")
		}
	})
}

// What a call of Go's takes above an empty call to C and the library's own work, which is measured in C alone, in turn
// with it: the wrapper's cost. The best of many short batches of each, for what a busy machine adds is in none of
// those.
func BenchmarkWrapper(b *testing.B) {
	l, d := must(NewList(numbers(100)...)), must(NewDict(1, 7))
	defer l.Close()
	defer d.Close()
	appended := must(NewList())
	defer appended.Close()
	const key = 1<<2 | 1 // 1 as a word
	for _, c := range []struct {
		name   string
		call   func()
		native func(times int) int
	}{
		{"ListLen", func() { equalLen(l.Len(), 100) }, func(n int) int { return native.ListLength(l.word, n) }},
		{"ListGet", func() { must(l.Get(0)) }, func(n int) int { return native.ListGet(l.word, n) }},
		{"ListSet", func() { no(l.Set(0, 7)) }, func(n int) int { return native.ListSet(l.word, n) }},
		{"ListAppend", func() { no(appended.Append(7)) }, func(n int) int { return native.ListAppend(appended.word, n) }},
		{"DictGet", func() { must(d.Get(1)) }, func(n int) int { return native.DictGet(d.word, key, n) }},
		{"DictSet", func() { no(d.Set(1, 7)) }, func(n int) int { return native.DictSet(d.word, key, n) }},
	} {
		b.Run(c.name, func(b *testing.B) {
			const batch = 200
			best := [3]time.Duration{1 << 62, 1 << 62, 1 << 62}
			lap := func(i int, f func()) {
				start := time.Now()
				f()
				if took := time.Since(start); took < best[i] {
					best[i] = took
				}
			}
			for done := 0; done < b.N; done += batch {
				lap(0, func() {
					for i := 0; i < batch; i++ {
						raw.Empty()
					}
				})
				lap(1, func() {
					for i := 0; i < batch; i++ {
						c.call()
					}
				})
				lap(2, func() { equalLen(c.native(batch), batch) })
				no(appended.Clear())
			}
			ns := func(i int) float64 { return float64(best[i].Nanoseconds()) / batch }
			b.ReportMetric(ns(0), "empty-ns/op")
			b.ReportMetric(ns(1), "call-ns/op")
			b.ReportMetric(ns(2), "native-ns/op")
			b.ReportMetric(ns(1)-ns(0)-ns(2), "wrapper-ns/op")
		})
	}
}
