// SPDX-License-Identifier: MIT

package ouro

import (
	"errors"
	"reflect"
	"strings"
	"testing"
)

func oneOfEach() []Object {
	l := must(NewList(1, 2))
	w := must(MakeWeak[Object](l))
	it := must(l.Iterator())
	l.Close()
	s := must(Intern("interned"))
	return []Object{must(NewList(1, 2)), must(NewDict("a", 1)), must(NewSet(1, 2)), must(NewTuple(1, 2)), must(NewRecord("r", []Field{{"x", 1}})),
		must(NewWeakMap(WeakKeys)), must(NewWeakSet()), it, w, s}
}

var errorType = reflect.TypeOf((*error)(nil)).Elem()

// callAll calls every method of an object with arguments of its types: zero values, or v where any value will do.
func callAll(t *testing.T, o reflect.Value, v any, check func(name string, err error)) {
	for i := 0; i < o.NumMethod(); i++ {
		m, in := o.Method(i), []reflect.Value{}
		for k := 0; k < m.Type().NumIn(); k++ {
			p := m.Type().In(k)
			if m.Type().IsVariadic() && k == m.Type().NumIn()-1 {
				p = p.Elem()
			}
			if x := reflect.ValueOf(v); v != nil && x.Type().AssignableTo(p) {
				in = append(in, x)
			} else {
				in = append(in, reflect.Zero(p))
			}
		}
		name := o.Type().String() + "." + o.Type().Method(i).Name
		for _, out := range m.Call(in) {
			if out.Type() == errorType {
				err, _ := out.Interface().(error)
				check(name, err)
			} else if out.Kind() == reflect.Func { // All
				out.Call([]reflect.Value{reflect.MakeFunc(out.Type().In(0), func([]reflect.Value) []reflect.Value {
					t.Errorf("%s has something", name)
					return []reflect.Value{reflect.ValueOf(true)}
				})})
			}
		}
	}
}

// Whatever is called on a closed object, or on a nil pointer, fails with ErrClosed, and says so.
func TestClosedAndNil(t *testing.T) {
	leaves(t, func() {
		for _, o := range oneOfEach() {
			no(o.Close())
			no(o.Close())
			for _, x := range []reflect.Value{reflect.ValueOf(o), reflect.Zero(reflect.TypeOf(o))} {
				callAll(t, x, 1, func(name string, err error) {
					switch method := name[strings.LastIndexByte(name, '.')+1:]; {
					case method == "Close" && err == nil, method == "Err" && err == nil, errors.Is(err, ErrClosed):
					case method == "SetAll" && errors.Is(err, ErrInvalid): // a key alone
					default:
						t.Errorf("%s: %v", name, err)
					}
				})
				s := x.Interface().(Object).String()
				if len(s) < 8 || s[:8] != "<closed " {
					t.Error(s)
				}
			}
		}
		l := must(NewList())
		l.Close()
		_, err := l.Get(0)
		equal(t, err.Error(), "ouro: List.Get: the list is closed or nil")
		_, err = Referents(l)
		equal(t, err.Error(), "ouro: Referents: o is closed or nil")
		_, err = NewList(1, l)
		equal(t, err.Error(), "ouro: NewList: values[1] is closed or nil")
		_, err = MakeWeak[Object](nil)
		is(t, err, ErrClosed)
	})
}

// A closed object, a nil pointer and what is not UTF-8 are bad arguments everywhere, and nothing is left of those
// beside them.
func TestBadArguments(t *testing.T) {
	leaves(t, func() {
		closed := must(NewList())
		closed.Close()
		for _, o := range oneOfEach() {
			for _, bad := range []any{closed, (*Dict)(nil), "\xff"} {
				callable(t, o, bad)
			}
			no(o.Close())
		}
		l := must(NewList())
		defer l.Close()
		is(t, l.Append("a", thing{1}, closed), ErrClosed)
	})
}

// callable calls all methods that take any value with a bad one, and a good Go value beside it.
func callable(t *testing.T, o Object, bad any) {
	x := reflect.ValueOf(o)
	for i := 0; i < x.NumMethod(); i++ {
		m := x.Method(i)
		for k := 0; k < m.Type().NumIn(); k++ {
			p := m.Type().In(k)
			if m.Type().IsVariadic() && k == m.Type().NumIn()-1 {
				p = p.Elem()
			}
			if p.Kind() != reflect.Interface || p.NumMethod() > 0 || x.Type().Method(i).Name == "GetOr" && k == 1 {
				continue // a fallback is only handed back
			}
			in := []reflect.Value{}
			for j := 0; j < m.Type().NumIn(); j++ {
				switch q := m.Type().In(j); {
				case j == k:
					in = append(in, reflect.ValueOf(bad))
				case q.Kind() == reflect.Interface:
					in = append(in, reflect.ValueOf(&thing{j}))
				case q == reflect.TypeOf(""):
					in = append(in, reflect.ValueOf("x"))
				default:
					in = append(in, reflect.Zero(q))
				}
			}
			out := m.Call(in)
			err, _ := out[len(out)-1].Interface().(error)
			if err == nil {
				t.Errorf("%T.%s took %v", o, x.Type().Method(i).Name, bad)
			}
			for _, v := range out {
				if o, is := v.Interface().(Object); is && !reflect.ValueOf(o).IsNil() {
					t.Errorf("%T.%s gave %v beside an error", o, x.Type().Method(i).Name, o)
				}
			}
		}
	}
}

// Handles that nobody closes are found by the garbage collector.
func TestForgottenHandles(t *testing.T) {
	must(Collect(2))
	before, _ := live()
	for i := 0; i < 100; i++ {
		l := must(NewList(i))
		must(NewDict("list", l))
	}
	eventually(t, "the library lets go", func() bool { return Stats().LiveObjects <= before })
}

// Closing in the middle of others' calls disturbs none, and the last lets go.
func TestCloseMeanwhile(t *testing.T) {
	for i := 0; i < 200; i++ {
		leaves(t, func() {
			l := must(NewList("text", 1.5))
			done := make(chan bool)
			for g := 0; g < 4; g++ {
				go func() {
					defer func() { done <- true }()
					for {
						v, err := l.Get(0)
						if errors.Is(err, ErrClosed) {
							return
						}
						if no(err); v != "text" {
							panic(v)
						}
					}
				}()
			}
			no(l.Close())
			for g := 0; g < 4; g++ {
				<-done
			}
		})
	}
}
