// SPDX-License-Identifier: MIT

package ouro

import (
	"sort"

	"ouro/internal/raw"
)

// A Record has a name and named fields, which are fixed when it is made; the fields' values may change. Goroutines
// share it, and each operation takes effect at one moment.
type Record struct{ handle }

// A Field is a field's name and value.
type Field struct {
	Name  string
	Value any
}

func newRecord(word uint64, err error) (*Record, error) {
	if err != nil {
		return nil, err
	}
	r := &Record{}
	r.hold(word)
	return r, nil
}

func (r *Record) ref() *handle {
	if r == nil {
		return nil
	}
	return &r.handle
}

// NewRecord makes a record. Fields are in the order in which they are given, those of a map in that of their names.
// ErrInvalid: a field comes twice, or there are too many. ErrClosed, ErrEncoding, ErrNoMemory.
func NewRecord[F map[string]any | []Field](name string, fields F) (*Record, error) {
	var in []Field
	switch f := any(fields).(type) {
	case []Field:
		in = f
	case map[string]any:
		for name, value := range f {
			in = append(in, Field{name, value})
		}
		sort.Slice(in, func(i, j int) bool { return in[i].Name < in[j].Name })
	}
	return makeRecord(name, in)
}

func makeRecord(name string, fields []Field) (*Record, error) {
	var t temporary
	if err := t.set(name); err != nil {
		return nil, wrong("NewRecord(name, fields)", err, lastButOne, name)
	}
	defer t.done()
	b := newBatch(2 * len(fields))
	for i, f := range fields {
		var a arg
		a.setString(f.Name)
		b.addArg(&a)
		if err := b.add(f.Value); err != nil {
			b.done(false)
			return nil, &opError{op: "NewRecord(name, fields)", err: err, about: lastOne, nth: i + 1}
		}
	}
	word := raw.Record_from(t.Word, b.finish())
	b.done(true)
	err := check("NewRecord(name, fields)", word)
	if e, ok := err.(*opError); ok {
		e.nth = (e.nth + 1) / 2
		if e.err == ErrInvalid {
			e.says = "fields has a name twice, or too many"
		}
	}
	return newRecord(word, err)
}

// Close lets go of the record: see Object.
func (r *Record) Close() error { return r.ref().close() }

// String shows the record: point(x=1, y=2).
func (r *Record) String() string { return r.ref().text("record") }

// Len is the number of fields; 0 if the record is closed.
func (r *Record) Len() int { return r.ref().length(raw.Record_length) }

// Get gives a field's value. ErrKey.
func (r *Record) Get(field string) (any, error) {
	u := r.ref().enter()
	if u == nil {
		return nil, closed("Record.Get(field)")
	}
	var f arg
	f.setString(field)
	var a raw.Answer
	raw.RecordGet(r.word, f.Arg, &a)
	r.leave(u)
	if isError(a.Word) {
		return nil, failedKey("Record.Get(field)", a.Word, field)
	}
	return value(&a), nil
}

// Has is whether there is such a field.
func (r *Record) Has(field string) (bool, error) {
	v, err := r.Get(field)
	closeAll([]any{v})
	return hasKey(err)
}

// Set gives a field a value. ErrKey.
func (r *Record) Set(field string, value any) error {
	u := r.ref().enter()
	if u == nil {
		return closed("Record.Set(field, value)")
	}
	var f, v arg
	f.setString(field)
	if err := v.set(value); err != nil {
		r.leave(u)
		return wrong("Record.Set(field, value)", err, lastOne, value)
	}
	word := raw.RecordSet(r.word, f.Arg, v.Arg)
	v.done()
	r.leave(u)
	if isError(word) {
		return failedPair("Record.Set(field, value)", word, field, value)
	}
	return nil
}

// Swap gives a field a value, and the old one. ErrKey.
func (r *Record) Swap(field string, value any) (any, error) {
	return r.ref().get2("Record.Swap(field, value)", field, value, raw.RecordSwap)
}

// CompareAndSwap gives a field a value if it has the very one that was expected, as List.CompareAndSwap does. ErrKey.
func (r *Record) CompareAndSwap(field string, expected, value any) (bool, error) {
	var f temporary
	if err := f.set(field); err != nil {
		return false, wrong("Record.CompareAndSwap(field, expected, value)", err, lastButOne+1, field)
	}
	defer f.done()
	word, err := r.ref().call2("Record.CompareAndSwap(field, expected, value)", expected, value, func(r, expected, value uint64) uint64 {
		return raw.Record_compare_set(r, f.Word, expected, value)
	})
	return word == trueWord, aboutKey(err, field)
}

// Name is what the record was named when it was made.
func (r *Record) Name() (string, error) {
	var name string
	err := r.withShape("Record.Name", func(shape uint64) uint64 {
		word := raw.Shape_name(shape)
		name = textOfWord(word)
		return word
	})
	return name, err
}

// Fields gives the names of the fields, in their order.
func (r *Record) Fields() ([]string, error) {
	var fields []string
	err := r.withShape("Record.Fields", func(shape uint64) uint64 {
		n := raw.Shape_length(shape)
		for i := 0; !isError(n) && i < number(n); i++ {
			word := raw.Shape_field(shape, i)
			if isError(word) {
				return word
			}
			fields = append(fields, textOfWord(word))
		}
		return n
	})
	return fields, err
}

func (r *Record) withShape(op string, f func(shape uint64) uint64) error {
	shape, err := r.ref().call(op, raw.Record_shape)
	if err != nil {
		return err
	}
	defer raw.Release(shape)
	return check(op, f(shape))
}

// textOfWord is the content of a new string, which it drops; "" if it is an error.
func textOfWord(word uint64) string {
	if isError(word) {
		return ""
	}
	a := raw.Describe(word)
	s, _ := value(&a).(string)
	return s
}

// Copy makes a record of the same values.
func (r *Record) Copy() (*Record, error) { return newRecord(r.ref().call("Record.Copy", raw.Copy)) }

// All gives the fields' names and values, for range. A closed record has none.
func (r *Record) All() func(yield func(string, any) bool) {
	return func(yield func(string, any) bool) {
		fields, _ := r.Fields()
		for _, f := range fields {
			v, err := r.Get(f)
			if err != nil || !yield(f, v) {
				return
			}
		}
	}
}
