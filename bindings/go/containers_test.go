// SPDX-License-Identifier: MIT

package ouro

import (
	"errors"
	"math/rand"
	"reflect"
	"sort"
	"strings"
	"testing"
)

func TestDict(t *testing.T) {
	leaves(t, func() {
		d := must(NewDict("a", 1, 2, "two", nil, false))
		defer d.Close()
		equal(t, d.String(), `{"a": 1, 2: "two", nil: false}`)
		equal(t, d.Len(), 3)
		equal(t, must(d.Get("a")), 1)
		equal(t, must(d.Get(2.0)), "two")
		equal(t, must(d.Get(nil)), false)
		equal(t, must(d.GetOr("a", 7)), 1)
		equal(t, must(d.GetOr("b", 7)), 7)
		equal(t, must(d.Has(2)), true)
		equal(t, must(d.Has("2")), false)
		no(d.Set("a", 10))
		no(d.SetAll("b", 20, "c", 30))
		equal(t, must(d.SetDefault("b", 0)), 20)
		equal(t, must(d.SetDefault("d", 40)), 40)
		old, had, err := d.Swap("d", 41)
		equal(t, []any{old, had, err}, []any{40, true, nil})
		old, had, err = d.Swap("e", 50)
		equal(t, []any{old, had, err}, []any{nil, false, nil})
		equal(t, must(d.CompareAndSwap("e", 50, 51)), true)
		equal(t, must(d.CompareAndSwap("e", 50, 52)), false)
		no(d.Delete("b"))
		equal(t, must(d.Pop("c")), 30)
		equal(t, d.String(), `{"a": 10, 2: "two", nil: false, "d": 41, "e": 51}`)
		k, v, err := d.PopItem(false)
		equal(t, []any{k, v, err}, []any{"e", 51, nil})
		k, v, err = d.PopItem(true)
		equal(t, []any{k, v, err}, []any{"a", 10, nil})
		copy := must(d.Copy())
		defer copy.Close()
		no(d.Clear())
		equal(t, d.Len(), 0)
		equal(t, copy.Len(), 3)
		no(d.Update(copy))
		equal(t, must(Equal(d, copy)), true)
	})
}

func TestDictErrors(t *testing.T) {
	leaves(t, func() {
		d := must(NewDict("a", 1))
		defer d.Close()
		list := must(NewList())
		list.Close()
		_, get := d.Get("b")
		_, pop := d.Pop(17)
		_, swapped := d.CompareAndSwap(things[0], 1, 2)
		_, odd := NewDict("a", 1, "b")
		_, alone := NewDict("a")
		_, key := NewDict("a", 1, "b\xff", 2)
		none := must(NewDict())
		defer none.Close()
		_, _, empty := none.PopItem(true)
		_, typed := ToMap[string, string](d)
		_, long := d.Get(strings.Repeat("ä", 100))
		_, closedKey := d.Get(list)
		_, fromMap := FromMap(map[string]any{"x": list})
		for _, c := range []struct {
			err  error
			kind error
			says string
		}{
			{get, ErrKey, `ouro: Dict.Get: key "b" is not in the dict`},
			{pop, ErrKey, `ouro: Dict.Pop: key 17 is not in the dict`},
			{swapped, ErrKey, `ouro: Dict.CompareAndSwap: key &{1} is not in the dict`},
			{d.Delete(2.5), ErrKey, `ouro: Dict.Delete: key 2.5 is not in the dict`},
			{long, ErrKey, `ouro: Dict.Get: key "` + strings.Repeat("ä", 56) + `... is not in the dict`},
			{odd, ErrInvalid, `ouro: NewDict: the last of keysAndValues is a key without a value`},
			{alone, ErrInvalid, `ouro: NewDict: the last of keysAndValues is a key without a value`},
			{d.SetAll("a"), ErrInvalid, `ouro: Dict.SetAll: the last of keysAndValues is a key without a value`},
			{key, ErrEncoding, `ouro: NewDict: keysAndValues[2] is not UTF-8`},
			{d.Set("\xff", "x"), ErrEncoding, `ouro: Dict.Set: key is not UTF-8`},
			{d.Set("x", "\xff"), ErrEncoding, `ouro: Dict.Set: value is not UTF-8`},
			{d.Set("x", list), ErrClosed, `ouro: Dict.Set: value is closed or nil`},
			{d.Set(list, "x"), ErrClosed, `ouro: Dict.Set: key is closed or nil`},
			{closedKey, ErrClosed, `ouro: Dict.Get: key is closed or nil`},
			{d.SetAll("x", 1, "y", list), ErrClosed, `ouro: Dict.SetAll: keysAndValues[3] is closed or nil`},
			{fromMap, ErrClosed, `ouro: FromMap: something in m is closed or nil`},
			{d.Update(nil), ErrClosed, `ouro: Dict.Update: other is closed or nil`},
			{empty, ErrKey, `ouro: Dict.PopItem: it is empty`},
			{typed, ErrType, `ouro: ToMap: an entry of d is a string and a int`},
		} {
			is(t, c.err, c.kind)
			equal(t, c.err.Error(), c.says)
		}
		equal(t, d.String(), `{"a": 1}`)
	})
}

func TestDictsAndMaps(t *testing.T) {
	for _, n := range []int{0, 1, chunk/2 - 1, chunk / 2, chunk/2 + 1, 1000} {
		leaves(t, func() {
			m := map[string]int{}
			for i := 0; i < n; i++ {
				m[strings.Repeat("k", i%50)+string(rune('A'+i))] = i
			}
			d := must(FromMap(m))
			defer d.Close()
			equal(t, must(ToMap[string, int](d)), m)
			same := must(NewDict(m))
			equal(t, must(Equal(same, d)), true)
			no(same.Close())
			no(SetMap(d, map[string]any{"nil": nil}))
			anys := must(ToMap[string, any](d))
			equal(t, len(anys), n+1)
			count := 0
			d.All()(func(k, v any) bool {
				equal(t, v, anys[k.(string)])
				no(d.Delete(k)) // the loop does not mind
				count++
				return true
			})
			equal(t, count, n+1)
			equal(t, d.Len(), 0)
		})
	}
	leaves(t, func() { // of objects
		l := must(NewList(1))
		d := must(NewDict("a", l, "b", l))
		defer d.Close()
		no(l.Close())
		m := must(ToMap[string, *List](d))
		equal(t, must(m["a"].Get(0)), 1)
		closeAll([]any{m["a"], m["b"]})
		_, err := ToMap[string, *Dict](d)
		is(t, err, ErrType)
		no(d.Set("c", 1))
		_, err = ToMap[string, *List](d)
		is(t, err, ErrType)
	})
}

// Keys go as Go says, where both are Go values of one kind; order is that of coming.
func TestDictAgainstMap(t *testing.T) {
	r := random(t)
	leaves(t, func() {
		d := must(NewDict())
		defer d.Close()
		want, order := map[any]any{}, []any{}
		for step := 0; step < 3000; step++ {
			k, v := anyValue(r), anyValue(r)
			_, has := want[k]
			switch r.Intn(6) {
			case 0, 1, 2:
				no(d.Set(k, v))
				if want[k] = v; !has {
					order = append(order, k)
				}
			case 3:
				if err := d.Delete(k); has != (err == nil) || !has && !errors.Is(err, ErrKey) {
					t.Fatal(err)
				}
				delete(want, k)
				for i := range order {
					if order[i] == k {
						order = append(order[:i], order[i+1:]...)
						break
					}
				}
			case 4:
				got, err := d.Get(k)
				if has != (err == nil) {
					t.Fatal(err)
				}
				equal(t, got, want[k])
			default:
				equal(t, must(d.Has(k)), has)
			}
			equal(t, d.Len(), len(want))
		}
		i := 0
		d.All()(func(k, v any) bool {
			equal(t, k, order[i])
			equal(t, v, want[k])
			i++
			return true
		})
		equal(t, i, len(order))
	})
}

func TestSet(t *testing.T) {
	leaves(t, func() {
		s := must(NewSet(1, "a", 1.0, nil))
		defer s.Close()
		equal(t, s.String(), `{1, "a", nil}`)
		equal(t, s.Len(), 3)
		equal(t, must(s.Has(1.0)), true)
		equal(t, must(s.Has(things[0])), false)
		equal(t, must(s.Add(things[0])), true)
		equal(t, must(s.Add(things[0])), false)
		no(s.Append(2, 3, 2))
		equal(t, must(s.Discard("a")), true)
		equal(t, must(s.Discard("a")), false)
		no(s.Delete(nil))
		err := s.Delete(nil)
		is(t, err, ErrKey)
		equal(t, err.Error(), "ouro: Set.Delete: value <nil> is not in the set")
		equal(t, must(s.ToSlice()), []any{1, things[0], 2, 3})
		equal(t, must(s.Pop()), 1)
		other := must(NewSet(3, 4))
		defer other.Close()
		for _, c := range []struct {
			f    func(*Set) (*Set, error)
			want []any
		}{{s.Union, []any{things[0], 2, 3, 4}}, {s.Intersection, []any{3}}, {s.Difference, []any{things[0], 2}}, {s.SymmetricDifference, []any{things[0], 2, 4}}} {
			got := must(c.f(other))
			equal(t, must(got.ToSlice()), c.want)
			no(got.Close())
			_, err := c.f(nil)
			is(t, err, ErrClosed)
		}
		equal(t, must(s.IsSubset(other)), false)
		equal(t, must(s.IsDisjoint(other)), false)
		no(s.Clear())
		equal(t, must(s.IsSubset(other)), true)
		equal(t, must(s.IsDisjoint(other)), true)
		_, err = s.Pop()
		is(t, err, ErrKey)
		equal(t, err.Error(), "ouro: Set.Pop: the set is empty")
		is(t, s.Append("\xff"), ErrEncoding)
		no(s.Update(other))
		n := 0
		s.All()(func(v any) bool {
			no(s.Delete(v))
			n++
			return true
		})
		equal(t, n, 2)
		copy := must(other.Copy())
		defer copy.Close()
		equal(t, must(Equal(copy, other)), true)
	})
}

func TestSetsInBulk(t *testing.T) {
	for _, n := range []int{0, 1, chunk - 1, chunk, chunk + 1, 1000} {
		leaves(t, func() {
			values := make([]any, n)
			for i := range values {
				if i%2 == 0 {
					values[i] = i
				} else {
					values[i] = strings.Repeat("s", i)
				}
			}
			s := must(NewSet(values...))
			defer s.Close()
			no(s.Append(values...))
			equal(t, must(s.ToSlice()), append([]any{}, values...))
			got := []any{}
			s.All()(func(v any) bool {
				got = append(got, v)
				return len(got) < 300
			})
			if n > 300 {
				values = values[:300]
			}
			equal(t, got, append([]any{}, values...))
		})
	}
}

func TestTuple(t *testing.T) {
	leaves(t, func() {
		x := must(NewTuple(1, "a", 2.5, "a"))
		defer x.Close()
		equal(t, x.String(), `(1, "a", 2.5, "a")`)
		equal(t, x.Len(), 4)
		equal(t, must(x.Get(-1)), "a")
		_, err := x.Get(4)
		is(t, err, ErrIndex)
		equal(t, err.Error(), "ouro: Tuple.Get: index 4 is out of range for a tuple of 4")
		equal(t, must(x.Index("a")), 1)
		equal(t, must(x.Count("a")), 2)
		equal(t, must(x.Has(1)), true)
		equal(t, must(x.Has(2)), false)
		_, err = x.Index(7)
		is(t, err, ErrKey)
		part := must(x.Sub(Omitted, Omitted, -2))
		defer part.Close()
		both := must(part.Concat(part))
		defer both.Close()
		equal(t, must(both.ToSlice()), []any{"a", "a", "a", "a"})
		_, err = x.Sub(0, 1, 0)
		is(t, err, ErrInvalid)
		equal(t, err.Error(), "ouro: Tuple.Sub: step is not valid")
		_, err = NewTuple(1, "\xff")
		is(t, err, ErrEncoding)
		equal(t, err.Error(), "ouro: NewTuple: values[1] is not UTF-8")
		same := must(NewTuple(1, "a", 2.5, "a"))
		defer same.Close()
		d := must(NewDict(x, "found"))
		defer d.Close()
		equal(t, must(d.Get(same)), "found")
		n := 0
		x.All()(func(i int, v any) bool {
			equal(t, v, must(x.Get(i)))
			n++
			return true
		})
		equal(t, n, 4)
		values := make([]any, 1000)
		for i := range values {
			values[i] = i
		}
		long := must(NewTuple(values...))
		defer long.Close()
		equal(t, must(long.ToSlice()), values)
	})
}

func TestRecord(t *testing.T) {
	leaves(t, func() {
		r := must(NewRecord("point", []Field{{"y", 2}, {"x", 1}}))
		defer r.Close()
		equal(t, r.String(), "point(y=2, x=1)")
		equal(t, r.Len(), 2)
		equal(t, must(r.Name()), "point")
		equal(t, must(r.Fields()), []string{"y", "x"})
		no(r.Set("x", "one"))
		equal(t, must(r.Get("x")), "one")
		equal(t, must(r.Swap("x", 7)), "one")
		equal(t, must(r.CompareAndSwap("x", 7, 8)), true)
		equal(t, must(r.CompareAndSwap("x", 7, 9)), false)
		equal(t, must(r.Has("x")), true)
		equal(t, must(r.Has("z")), false)
		_, get := r.Get("z")
		_, swap := r.Swap("z", 1)
		_, compared := r.CompareAndSwap("z", 1, 1)
		for _, err := range []error{get, swap, compared, r.Set("z", 1)} {
			is(t, err, ErrKey)
			if !strings.HasSuffix(err.Error(), `: field "z" is not in the record`) {
				t.Fatal(err)
			}
		}
		equal(t, r.Set("x", "\xff").Error(), "ouro: Record.Set: value is not UTF-8")
		sorted := must(NewRecord("point", map[string]any{"y": 2, "x": 1}))
		defer sorted.Close()
		equal(t, sorted.String(), "point(x=1, y=2)")
		_, err := NewRecord("point", []Field{{"x", 1}, {"x", 2}})
		is(t, err, ErrInvalid)
		equal(t, err.Error(), "ouro: NewRecord: fields has a name twice, or too many")
		_, err = NewRecord("po\xffint", []Field{{"x", 1}})
		equal(t, err.Error(), "ouro: NewRecord: name is not UTF-8")
		_, err = NewRecord("point", []Field{{"x", 1}, {"y", "\xff"}})
		equal(t, err.Error(), "ouro: NewRecord: fields[1] is not UTF-8")
		_, err = NewRecord("point", []Field{{"x", 1}, {"y", (*List)(nil)}})
		is(t, err, ErrClosed)
		equal(t, err.Error(), "ouro: NewRecord: fields[1] is closed or nil")
		got := map[string]any{}
		sorted.All()(func(name string, v any) bool {
			got[name] = v
			return true
		})
		equal(t, got, map[string]any{"x": 1, "y": 2})
		copy := must(sorted.Copy())
		defer copy.Close()
		equal(t, must(Equal(copy, sorted)), true)
		none := must(NewRecord("none", []Field{}))
		defer none.Close()
		equal(t, none.String(), "none()")
	})
}

func TestDeepCopy(t *testing.T) {
	leaves(t, func() {
		inner := must(NewList(1))
		l := must(NewList(inner, inner, things[0]))
		no(l.Append(l))
		copy := must(DeepCopy(l))
		a, b, self := must(copy.Get(0)).(*List), must(copy.Get(1)).(*List), must(copy.Get(3)).(*List)
		equal(t, must(Same(a, b)), true)
		equal(t, must(Same(self, copy)), true)
		equal(t, must(Same(a, inner)), false)
		equal(t, must(copy.Get(2)), things[0])
		for _, o := range []Object{inner, l, copy, a, b, self} {
			o.Close()
		}
	})
}

// A value that contains itself, and one that is nested deeply, are shown, compared, copied and let go.
func TestSelfAndDepth(t *testing.T) {
	leaves(t, func() {
		l := must(NewList(1))
		no(l.Append(l))
		equal(t, l.String(), "[1, ...]")
		m := must(NewList(1))
		no(m.Append(m))
		equal(t, must(Equal(l, m)), true)
		d := must(NewDict())
		no(d.Set("self", d))
		no(d.Set(d, "self"))
		equal(t, d.String(), `{"self": ..., ...: "self"}`)
		for _, o := range []Object{l, m, d} {
			o.Close()
		}
	})
	leaves(t, func() {
		const depth = 200000
		chain := func() *List {
			l := must(NewList(0))
			for i := 0; i < depth; i++ {
				outer := must(NewList(l))
				no(l.Close())
				l = outer
			}
			return l
		}
		a, b := chain(), chain()
		defer a.Close()
		defer b.Close()
		equal(t, must(Equal(a, b)), true)
		equal(t, must(Compare(a, b)), 0)
		equal(t, len(a.String()), 2*(depth+1)+1)
		copy := must(DeepCopy(a))
		equal(t, must(Equal(copy, b)), true)
		no(copy.Close())
	})
}

// Sorting, with what has no order at the end of it.
func TestSort(t *testing.T) {
	r := rand.New(rand.NewSource(1))
	leaves(t, func() {
		words := make([]string, 1000)
		for i := range words {
			words[i] = strings.Repeat(string(rune('a'+r.Intn(26))), r.Intn(60))
		}
		l := must(FromSlice(words))
		defer l.Close()
		no(l.Sort(false))
		sort.Strings(words)
		equal(t, must(SliceOf[string](l)), words)
		none := must(NewList(1, nil))
		defer none.Close()
		err := none.Sort(false)
		is(t, err, ErrType)
		equal(t, err.Error(), "ouro: List.Sort: two elements have no order")
		mixed, err := Compare(1, "a")
		equal(t, mixed, 0)
		equal(t, err.Error(), "ouro: Compare: a and b have no order: int and string")
		if !reflect.DeepEqual(errors.Unwrap(err), ErrType) {
			t.Fatal(err)
		}
	})
}
