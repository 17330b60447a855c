// SPDX-License-Identifier: MIT

package ouro

import (
	"bufio"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// Plays the common scenarios: tests/scenarios/README.md says what they are, and what a step means. OURO_SCENARIOS
// names their directory, where they are not in the tree that this is in.
func TestScenarios(t *testing.T) {
	dir, given := os.LookupEnv("OURO_SCENARIOS")
	if !given {
		dir = filepath.Join("..", "..", "tests", "scenarios")
	}
	files, _ := filepath.Glob(filepath.Join(dir, "*.txt"))
	if len(files) == 0 && !given {
		t.Skip("no scenarios: this is not the library's tree")
	}
	if len(files) == 0 {
		t.Fatal("no scenarios in " + dir)
	}
	closeAll([]any{must(Import(must(Export(1))))}) // what holds exported values stays
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) { playFile(t, file) })
	}
}

func playFile(t *testing.T, file string) {
	in, err := os.Open(file)
	no(err)
	defer in.Close()
	var name string
	var steps []string
	number, first := 0, 0
	play := func() {
		if name != "" {
			lines, at := steps, first
			t.Run(name, func(t *testing.T) { playScenario(t, file, at, lines) })
		}
	}
	for s := bufio.NewScanner(in); s.Scan(); {
		number++
		line := strings.TrimLeft(s.Text(), " ")
		switch {
		case strings.HasPrefix(line, "== "):
			play()
			name, steps, first = line[3:], nil, number
		case line == "" || line[0] == '#':
			steps = append(steps, "")
		default:
			steps = append(steps, line)
		}
	}
	play()
}

func playScenario(t *testing.T, file string, first int, lines []string) {
	leaves(t, func() {
		p := player{t: t, variables: map[string]any{}}
		defer p.cleanUp()
		for i, line := range lines {
			if line == "" {
				continue
			}
			if err := p.play(line); err != nil {
				t.Fatalf("%s:%d: %s: %v", file, first+1+i, line, err)
			}
		}
	})
}

// A player is a scenario under way. Each variable has a handle of its own.
type player struct {
	t         *testing.T
	variables map[string]any
	log       deaths
}

type deaths struct {
	sync.Mutex
	texts []any
}

func (p *player) cleanUp() {
	for _, v := range p.variables {
		closeAll([]any{v})
	}
	EnableGC()
	Unfreeze()
	must(SetThreshold([3]int{}))
	no(SetMemoryLimit(0, 0))
}

// ---- lines ----

type step struct {
	err      string // the word, or ""
	onThread bool
	times    int
	name     string
	args     []string
	to       string // a variable, or ""
	text     string
	hasText  bool
}

func parse(line string) (s step) {
	s.times = 1
	rest := line
	next := func() (word string) {
		word, rest = firstWord(rest)
		return word
	}
	word := next()
	if word == "error" {
		s.err = strings.TrimSuffix(next(), ":")
		word = next()
	}
	if word == "thread:" {
		s.onThread = true
		word = next()
	}
	if word == "times" {
		s.times = must(strconv.Atoi(strings.TrimSuffix(next(), ":")))
		word = next()
	}
	s.name = word
	for word = next(); word != "" && word != "->" && word != "=>"; word = next() {
		s.args = append(s.args, word)
	}
	if word == "->" {
		s.to = next()
	} else if s.hasText = word == "=>"; s.hasText {
		s.text = strings.TrimLeft(rest, " ")
	}
	return s
}

func firstWord(line string) (word, rest string) {
	line = strings.TrimLeft(line, " ")
	quoted := false
	i := 0
	for ; i < len(line) && (quoted || line[i] != ' '); i++ {
		if line[i] == '"' {
			quoted = !quoted
		} else if quoted && line[i] == '\\' {
			i++
		}
	}
	return line[:i], line[i:]
}

type omittedWord struct{}

func (p *player) argument(word string) any {
	switch word {
	case "nil":
		return nil
	case "true", "false":
		return word == "true"
	case "_":
		return omittedWord{}
	}
	if v, ok := p.variables[word]; ok {
		return v
	}
	if strings.HasPrefix(word, `b"`) {
		return []byte(unquoted(word[1:]))
	}
	if word[0] == '"' {
		return unquoted(word)
	}
	if i, err := strconv.Atoi(word); err == nil {
		return i
	}
	f, err := strconv.ParseFloat(word, 64)
	if err != nil {
		panic("no such word: " + word)
	}
	return f
}

// unquoted is not strconv.Unquote: that makes code points of \x.
func unquoted(word string) string {
	var b strings.Builder
	for i := 1; i < len(word)-1; i++ {
		if word[i] != '\\' {
			b.WriteByte(word[i])
			continue
		}
		i++
		switch word[i] {
		case 'n':
			b.WriteByte('\n')
		case 't':
			b.WriteByte('\t')
		case 'x':
			b.WriteByte(byte(must(strconv.ParseUint(word[i+1:i+3], 16, 8))))
			i += 2
		default:
			b.WriteByte(word[i])
		}
	}
	return b.String()
}

// ---- steps ----

func (p *player) play(line string) error {
	s := parse(line)
	if s.name == "drop" {
		for _, name := range s.args {
			closeAll([]any{p.variables[name]})
			delete(p.variables, name)
		}
		return nil
	}
	operation := operations[s.name]
	if operation == nil {
		return errors.New("no such operation")
	}
	var err error
	for i := 0; i < s.times && err == nil; i++ {
		args := make([]any, len(s.args))
		for i, word := range s.args {
			args[i] = p.argument(word)
		}
		var result any
		if s.onThread {
			result, err = onThread(func() (any, error) { return operation(p, args) })
		} else {
			result, err = operation(p, args)
		}
		if err != nil {
			break
		}
		if s.to != "" {
			closeAll([]any{p.variables[s.to]})
			p.variables[s.to] = result
			continue
		}
		shown := s.text
		if s.hasText { // only then: showing takes memory, and there may be a limit
			shown, err = Repr(result)
		}
		closeAll([]any{result})
		if err == nil && shown != s.text {
			return fmt.Errorf("%s, and not %s", shown, s.text)
		}
	}
	if word := errorName(err); word != s.err {
		return fmt.Errorf("the error is %q (%v), and not %q", word, err, s.err)
	}
	return nil
}

// onThread runs it on a thread of its own, which ends then.
func onThread(f func() (any, error)) (v any, err error) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread()
		v, err = f()
	}()
	<-done
	return v, err
}

func errorName(err error) string {
	for word, e := range map[string]error{"type": ErrType, "index": ErrIndex, "key": ErrKey, "changed": ErrChanged, "end": ErrEnd, "invalid": ErrInvalid,
		"encoding": ErrEncoding, "nomem": ErrNoMemory, "usage": ErrUsage, "host": ErrCallback} {
		if errors.Is(err, e) {
			return word
		}
	}
	if err != nil {
		return err.Error()
	}
	return ""
}

// ---- operations ----

type operation func(p *player, a []any) (any, error)

// method finds a method of the first argument by its name and calls it with the others. What has no such method, or
// one of other types, is of the wrong type: in Go that is for the compiler to say.
func method(name string) operation {
	return func(_ *player, a []any) (any, error) {
		m := reflect.ValueOf(a[0])
		if m.IsValid() {
			m = m.MethodByName(name)
		}
		if !m.IsValid() || m.Type().NumIn() != len(a)-1 && !m.Type().IsVariadic() {
			return nil, ErrType
		}
		in := []reflect.Value{}
		for i, v := range a[1:] {
			t := m.Type().In(min(i, m.Type().NumIn()-1))
			if m.Type().IsVariadic() && i >= m.Type().NumIn()-1 {
				t = t.Elem()
			}
			if _, omitted := v.(omittedWord); omitted {
				v = Omitted
			}
			x := reflect.Zero(t)
			if v != nil {
				x = reflect.ValueOf(v)
			}
			if !x.Type().AssignableTo(t) || v == nil && t.Kind() != reflect.Interface {
				return nil, ErrType
			}
			in = append(in, x)
		}
		return results(m.Call(in))
	}
}

func min(a, b int) int {
	if a < b {
		return a
	}
	return b
}

func results(out []reflect.Value) (v any, err error) {
	if n := len(out); n > 0 && out[n-1].Type() == reflect.TypeOf((*error)(nil)).Elem() {
		err, _ = out[n-1].Interface().(error)
		out = out[:n-1]
	}
	if len(out) > 0 && err == nil {
		v = out[0].Interface()
	}
	return v, err
}

// of makes an operation of a function of any values.
func of[T any](f func(v any) (T, error)) operation {
	return func(_ *player, a []any) (any, error) { return plain(f(a[0])) }
}

func of2[T any](f func(v, w any) (T, error)) operation {
	return func(_ *player, a []any) (any, error) { return plain(f(a[0], a[1])) }
}

// make is for functions of many values.
func making[T any](f func(...any) (T, error)) operation {
	return func(_ *player, a []any) (any, error) { return plain(f(a...)) }
}

// plain gives nothing beside an error: not a nil of some type.
func plain[T any](v T, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	return v, nil
}

// object is for functions of objects.
func object[T any](f func(Object) (T, error)) operation {
	return func(_ *player, a []any) (any, error) {
		o, ok := a[0].(Object)
		if !ok {
			return nil, ErrType
		}
		return plain(f(o))
	}
}

// do is for what gives nothing.
func do(f func(a []any) error) operation {
	return func(_ *player, a []any) (any, error) { return nil, f(a) }
}

func integers(a []any) (n [3]int, ok bool) {
	for i, v := range a {
		if n[i], ok = v.(int); !ok {
			return n, false
		}
	}
	return n, true
}

type actor struct{ name string }

func (n *actor) String() string { return "<" + n.name + ">" }

// A watch is a weak reference and what is told of the death.
type watch struct {
	*Weak[Object]
	*Cleanup
}

func (w watch) Close() error {
	w.Stop()
	return w.Weak.Close()
}

func same(a, b any) (bool, error) {
	o, isObject := a.(Object)
	other, areObjects := b.(Object)
	if isObject && areObjects {
		return Same(o, other)
	}
	return !isObject && !areObjects && a == b, nil
}

// again is another handle for what a variable has one for.
func again(v any) (any, error) {
	if _, is := v.(Object); !is {
		return v, nil
	}
	return Import(must(Export(v)))
}

func compare(a, b any) (any, error) {
	order, err := Compare(a, b)
	if f, is := a.(float64); is && math.IsNaN(f) && Kind(b) != "nil" {
		return nil, nil
	}
	if f, is := b.(float64); is && math.IsNaN(f) && Kind(a) != "nil" {
		return nil, nil
	}
	return order, err
}

func pairTuple(last bool) operation {
	return func(_ *player, a []any) (any, error) {
		d, is := a[0].(*Dict)
		if !is {
			return nil, ErrType
		}
		k, v, err := d.PopItem(!last)
		if err != nil {
			return nil, err
		}
		defer closeAll([]any{k, v})
		return NewTuple(k, v)
	}
}

func sorted(descending bool) operation {
	return do(func(a []any) error {
		if l, is := a[0].(*List); is {
			return l.Sort(descending)
		}
		return ErrType
	})
}

func get(p *player, a []any) (any, error) { return method("Get")(p, a) }

// appendTo is for lists only, though Go's sets have such a method, too.
func appendTo(p *player, a []any) (any, error) {
	if _, is := a[0].(*Set); is {
		return nil, ErrType
	}
	return method("Append")(p, a)
}

func pop(p *player, a []any) (any, error) {
	if _, is := a[0].(*List); is && len(a) == 1 {
		a = append(a, -1)
	}
	return method("Pop")(p, a)
}

func newRecordOf(_ *player, a []any) (any, error) {
	name, ok := a[0].(string)
	var fields []Field
	for i := 1; ok && i+1 < len(a); i += 2 {
		var field string
		field, ok = a[i].(string)
		fields = append(fields, Field{field, a[i+1]})
	}
	if !ok {
		return nil, ErrType
	}
	return plain(NewRecord(name, fields))
}

func copyOf(p *player, a []any) (any, error) {
	switch Kind(a[0]) {
	case "nil", "bool", "int", "float", "string", "bytes":
		return a[0], nil
	case "tuple":
		return again(a[0])
	}
	return method("Copy")(p, a)
}

func deepCopyOf(p *player, a []any) (any, error) {
	if o, is := a[0].(Object); is {
		return DeepCopy(o)
	}
	if Kind(a[0]) == "host" {
		return nil, ErrType
	}
	return a[0], nil
}

func watchOf(p *player, a []any) (any, error) {
	o, is := a[0].(Object)
	if !is {
		return nil, ErrType
	}
	w, err := MakeWeak(o)
	if err != nil {
		return nil, err
	}
	c, err := AddCleanup(o, func(text any) {
		p.log.Lock()
		defer p.log.Unlock()
		p.log.texts = append(p.log.texts, text)
	}, a[1])
	return watch{w, c}, err
}

func deref(_ *player, a []any) (any, error) {
	switch w := a[0].(type) {
	case *Weak[Object]:
		v, _ := w.Value()
		return asAny(v), nil
	case watch:
		v, _ := w.Value()
		return asAny(v), nil
	}
	return nil, ErrType
}

func asAny(o Object) any {
	if o == nil {
		return nil
	}
	return o
}

// takeLog waits until all who have died have been told of.
func takeLog(p *player, _ []any) (any, error) {
	settle()
	p.log.Lock()
	defer p.log.Unlock()
	texts := p.log.texts
	p.log.texts = nil
	return NewTuple(texts...)
}

var operations map[string]operation

func init() {
	operations = map[string]operation{
		"list": making(NewList), "tuple": making(NewTuple), "set": making(NewSet), "dict": making(NewDict), "record": newRecordOf,
		"host": func(_ *player, a []any) (any, error) { return &actor{a[0].(string)}, nil },
		"weak": object(MakeWeak[Object]), "watch": watchOf, "deref": deref, "log": takeLog,
		"weak_map": func(_ *player, a []any) (any, error) {
			return NewWeakMap(map[string]uint{"k": WeakKeys, "v": WeakValues, "kv": WeakKeys | WeakValues}[a[0].(string)])
		},
		"weak_set": making(NewWeakSet),
		"value":    of(again),
		"kind":     of(func(v any) (string, error) { return Kind(v), nil }),
		"length":   of(Len), "truth": of(Truth), "repr": of(Repr), "same": of2(same), "equal": of2(Equal), "key_equal": of2(KeyEqual),
		"same_hash": of2(func(a, b any) (bool, error) { return must(Hash(a)) == must(Hash(b)), nil }),
		"compare":   of2(compare), "copy": copyOf, "deep_copy": deepCopyOf,
		"intern": func(_ *player, a []any) (any, error) {
			s, is := a[0].(string)
			if !is {
				return nil, ErrType
			}
			return plain(Intern(s))
		},
		"get": get, "put": method("Set"), "delete": method("Delete"), "pop": pop, "has": method("Has"), "clear": method("Clear"),
		"append": appendTo, "insert": method("Insert"), "extend": method("Extend"), "index": method("Index"), "count": method("Count"),
		"remove": func(p *player, a []any) (any, error) {
			if _, is := a[0].(*Set); is {
				return method("Delete")(p, a)
			}
			return method("Remove")(p, a)
		},
		"slice": func(p *player, a []any) (any, error) {
			for i := range a {
				if _, omitted := a[i].(omittedWord); omitted && i == 3 {
					a[i] = 1
				}
			}
			return method("Sub")(p, a)
		},
		"put_slice": method("SetSlice"), "delete_slice": method("DeleteSlice"), "concat": method("Concat"), "repeat": method("Repeat"),
		"reverse": method("Reverse"), "sort": sorted(false), "sort_down": sorted(true), "get_or": method("GetOr"), "setdefault": method("SetDefault"),
		"pop_first": pairTuple(false), "pop_last": pairTuple(true), "update": method("Update"), "add": method("Add"), "discard": method("Discard"),
		"union": method("Union"), "intersection": method("Intersection"), "difference": method("Difference"),
		"symmetric_difference": method("SymmetricDifference"), "subset": method("IsSubset"), "disjoint": method("IsDisjoint"),
		"iter": of(Iterate), "reversed": method("Reversed"), "keys": method("Keys"), "values": method("Values"), "items": method("Items"),
		"next": method("Next"),
		"range": func(_ *player, a []any) (any, error) {
			n, ok := integers(a)
			if !ok {
				return nil, ErrType
			}
			return plain(NewRange(n[0], n[1], n[2]))
		},
		"collect": func(_ *player, a []any) (any, error) {
			r, err := Collect(a[0].(int))
			return r.Collected, err
		},
		"gc": func(p *player, a []any) (any, error) {
			if a[0].(bool) {
				EnableGC()
			} else {
				DisableGC()
				awaitCollector(p.t) // from then on it is the scenario's collections that find what there is
			}
			return nil, nil
		},
		"gc_enabled": func(*player, []any) (any, error) { return GCEnabled(), nil },
		"set_threshold": do(func(a []any) error {
			n, _ := integers(a)
			_, err := SetThreshold(n)
			return err
		}),
		"threshold": func(*player, []any) (any, error) {
			t := Threshold()
			return NewTuple(t[0], t[1], t[2])
		},
		"freeze":   do(func([]any) error { Freeze(); return nil }),
		"unfreeze": do(func([]any) error { Unfreeze(); return nil }),
		"limit":    do(func(a []any) error { return SetMemoryLimit(0, int64(a[0].(int))) }),
		"held":     func(*player, []any) (any, error) { settle(); return heldCount(), nil },
	}
}
