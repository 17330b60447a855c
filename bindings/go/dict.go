// SPDX-License-Identifier: MIT

package ouro

import (
	"fmt"
	"reflect"

	"ouro/internal/raw"
)

// A Dict maps keys to values; goroutines share it, and each operation takes effect at one moment. Its order is that in
// which keys were put in; a new value keeps its key's place.
//
// Any value is a key. Numbers (1 and 1.0 are one key), strings, bytes and tuples are compared by content, Go values as
// Go compares them, and all else is itself only.
type Dict struct{ handle }

func newDict(word uint64, err error) (*Dict, error) {
	if err != nil {
		return nil, err
	}
	d := &Dict{}
	d.hold(word)
	return d, nil
}

func (d *Dict) ref() *handle {
	if d == nil {
		return nil
	}
	return &d.handle
}

// NewDict makes a dict of keys and values in turn: NewDict("a", 1, "b", 2); or of a map of any type, which is alone,
// as FromMap does. ErrInvalid: a key has no value. ErrClosed, ErrEncoding, ErrNoMemory.
func NewDict(keysAndValues ...any) (*Dict, error) {
	if len(keysAndValues) == 1 {
		if m := reflect.ValueOf(keysAndValues[0]); m.Kind() == reflect.Map {
			keysAndValues = make([]any, 0, 2*m.Len())
			for entries := m.MapRange(); entries.Next(); {
				keysAndValues = append(keysAndValues, entries.Key().Interface(), entries.Value().Interface())
			}
		}
	}
	if len(keysAndValues)%2 != 0 {
		return nil, says("NewDict(keysAndValues)", ErrInvalid, "the last of keysAndValues is a key without a value")
	}
	word := give(keysAndValues, raw.Dict_from)
	return newDict(word, check("NewDict(keysAndValues)", word))
}

// FromMap makes a dict of a map. The order is the map's, which is none.
func FromMap[K comparable, V any](m map[K]V) (*Dict, error) {
	word := giveMap(m, raw.Dict_from)
	return newDict(word, check("FromMap(something in m)", word))
}

// Close lets go of the dict: see Object.
func (d *Dict) Close() error { return d.ref().close() }

// String shows the dict: {"a": 1}.
func (d *Dict) String() string { return d.ref().text("dict") }

// Len is the number of keys; 0 if the dict is closed.
func (d *Dict) Len() int { return d.ref().length(raw.Dict_length) }

// Get gives a key's value. ErrKey.
func (d *Dict) Get(key any) (any, error) {
	u := d.ref().enter()
	if u == nil {
		return nil, closed("Dict.Get(key)")
	}
	var k arg
	if err := k.set(key); err != nil {
		d.leave(u)
		return nil, wrong("Dict.Get(key)", err, lastOne, key)
	}
	var a raw.Answer
	raw.DictGet(d.word, k.Arg, &a)
	k.done()
	d.leave(u)
	if isError(a.Word) {
		return nil, failedKey("Dict.Get(key)", a.Word, key)
	}
	return value(&a), nil
}

// GetOr gives a key's value, or fallback if it has none.
func (d *Dict) GetOr(key, fallback any) (any, error) {
	v, err := d.Get(key)
	if has, err := hasKey(err); !has {
		return fallback, err
	}
	return v, nil
}

// Has is whether there is such a key.
func (d *Dict) Has(key any) (bool, error) {
	word, err := d.ref().put("Dict.Has(key)", key, raw.DictHas)
	return word == trueWord, err
}

// Set gives a key a value.
func (d *Dict) Set(key, value any) error {
	u := d.ref().enter()
	if u == nil {
		return closed("Dict.Set(key, value)")
	}
	var k, v arg
	if err := set2("Dict.Set(key, value)", &k, &v, key, value); err != nil {
		d.leave(u)
		return err
	}
	word := raw.DictSet(d.word, k.Arg, v.Arg)
	k.done()
	v.done()
	d.leave(u)
	if isError(word) {
		return failedPair("Dict.Set(key, value)", word, key, value)
	}
	return nil
}

// SetAll gives keys values, in turn, all at one moment. ErrInvalid: a key has no value.
func (d *Dict) SetAll(keysAndValues ...any) error {
	if len(keysAndValues)%2 != 0 {
		return says("Dict.SetAll(keysAndValues)", ErrInvalid, "the last of keysAndValues is a key without a value")
	}
	return d.ref().do("Dict.SetAll(keysAndValues)", func(d uint64) uint64 {
		return give(keysAndValues, func(kv []uint64) uint64 { return raw.Dict_set_all(d, kv) })
	})
}

// SetMap gives a dict what is in a map, at one moment.
func SetMap[K comparable, V any](d *Dict, m map[K]V) error {
	return d.ref().do("SetMap(something in m)", func(d uint64) uint64 {
		return giveMap(m, func(kv []uint64) uint64 { return raw.Dict_set_all(d, kv) })
	})
}

// Swap gives a key a value, and the old one, if it had one.
func (d *Dict) Swap(key, value any) (old any, had bool, err error) {
	old, err = d.ref().get2("Dict.Swap(key, value)", key, value, func(d uint64, k, v raw.Arg) raw.Answer {
		old, was := raw.DictSwap(d, k, v)
		had = was.Word == trueWord
		return old
	})
	return old, had, err
}

// SetDefault gives the key's value; if it had none, value, which it has from then on.
func (d *Dict) SetDefault(key, value any) (any, error) {
	return d.ref().get2("Dict.SetDefault(key, value)", key, value, raw.DictSetdefault)
}

// CompareAndSwap gives a key a value if it has the very one that was expected, as List.CompareAndSwap does. ErrKey.
func (d *Dict) CompareAndSwap(key, expected, value any) (bool, error) {
	var k temporary
	if err := k.set(key); err != nil {
		return false, wrong("Dict.CompareAndSwap(key, expected, value)", err, lastButOne+1, key)
	}
	defer k.done()
	word, err := d.ref().call2("Dict.CompareAndSwap(key, expected, value)", expected, value, func(d, expected, value uint64) uint64 {
		return raw.Dict_compare_set(d, k.Word, expected, value)
	})
	return word == trueWord, aboutKey(err, key)
}

// Delete takes a key out. ErrKey.
func (d *Dict) Delete(key any) error {
	_, err := d.ref().put("Dict.Delete(key)", key, raw.DictDelete)
	return err
}

// Pop takes a key out and gives its value. ErrKey.
func (d *Dict) Pop(key any) (any, error) { return d.ref().get1("Dict.Pop(key)", key, raw.DictPop) }

// PopItem takes out the key that came last, or first, and gives it and its value. ErrKey: the dict is empty.
func (d *Dict) PopItem(first bool) (key, value any, err error) {
	return d.ref().getPair("Dict.PopItem", func(d uint64) (raw.Answer, raw.Answer) { return raw.DictPopItem(d, first) })
}

// Clear takes all keys out.
func (d *Dict) Clear() error { return d.ref().do("Dict.Clear", raw.Dict_clear) }

// Update puts in all that is in another dict.
func (d *Dict) Update(other *Dict) error {
	return d.ref().do1("Dict.Update(other)", other, raw.Dict_update)
}

// Copy makes a dict with the same keys and values.
func (d *Dict) Copy() (*Dict, error) { return newDict(d.ref().call("Dict.Copy", raw.Copy)) }

// Keys gives an iterator over the keys. It fails with ErrChanged once a key has been put in or taken out.
func (d *Dict) Keys() (*Iterator, error) { return newIterator(d.ref().call("Dict.Keys", raw.Iterate)) }

// Values gives one over the values.
func (d *Dict) Values() (*Iterator, error) {
	return newIterator(d.ref().call("Dict.Values", func(d uint64) uint64 { return raw.IteratePart(d, raw.Values) }))
}

// Items gives one whose NextPair gives keys and values. (Its Next gives tuples of both.)
func (d *Dict) Items() (*Iterator, error) {
	return newIterator(d.ref().call("Dict.Items", func(d uint64) uint64 { return raw.IteratePart(d, raw.Items) }))
}

// All gives keys and values, for range: those that there are when the loop begins, whatever happens to the dict
// meanwhile. A closed dict has none.
func (d *Dict) All() func(yield func(key, value any) bool) {
	return func(yield func(key, value any) bool) {
		copy, err := d.Copy()
		if err != nil {
			return
		}
		defer copy.Close()
		items, err := copy.Items()
		if err != nil {
			return
		}
		defer items.Close()
		items.pairs(yield)
	}
}

// ToMap gives a map of what is in a dict at one moment, if all keys and all values are of one type each: ToMap[string,
// int](d). ErrType.
func ToMap[K comparable, V any](d *Dict) (map[K]V, error) {
	copy, err := newDict(d.ref().call("ToMap(d)", raw.Copy))
	if err != nil {
		return nil, err
	}
	defer copy.Close()
	items, err := copy.Items()
	if err != nil {
		return nil, err
	}
	defer items.Close()
	m := make(map[K]V, copy.Len())
	fits := true
	var other struct{ k, v any }
	items.pairs(func(key, value any) bool {
		k, keyFits := key.(K)
		v, valueFits := value.(V)
		if fits = keyFits && (valueFits || value == nil && any(v) == nil); fits {
			m[k] = v
		} else {
			other.k, other.v = key, value
			closeAll([]any{key, value})
		}
		return fits
	})
	if !fits {
		for k, v := range m {
			closeAll([]any{k, v})
		}
		return nil, says("ToMap(d)", ErrType, fmt.Sprintf("an entry of d is a %T and a %T", other.k, other.v))
	}
	return m, nil
}

func giveMap[K comparable, V any](m map[K]V, call func(words []uint64) uint64) uint64 {
	b := newBatch(2 * len(m))
	for k, v := range m {
		err := b.add(k)
		if err == nil {
			err = b.add(v)
		}
		if err != nil {
			b.done(false)
			return errorWord(err, 0)
		}
	}
	word := call(b.finish())
	b.done(true)
	return word
}
