// SPDX-License-Identifier: MIT

package ouro

import (
	"testing"
)

func TestSmoke(t *testing.T) {
	l, err := NewList(1, "two", 3.5, nil, true, []byte{0, 255}, "a string that is too long for the room that there is in an answer")
	if err != nil {
		t.Fatal(err)
	}
	t.Log(l, l.Len())
	l.All()(func(i int, v any) bool {
		t.Logf("%d %T %v", i, v, v)
	return true })
	if err := l.Append(l); err != nil {
		t.Fatal(err)
	}
	t.Log(l)
	type point struct{ x, y int }
	p := &point{1, 2}
	if err := l.Append(p, point{3, 4}, uint64(1<<63), -1<<63, 7); err != nil {
		t.Fatal(err)
	}
	t.Log(l)
	v, err := l.Get(8)
	t.Log(v, err, v == any(p))
	v, err = l.Get(100)
	t.Log(v, err)
	t.Log(Stats())
	l.Close()
	t.Log(l)
	t.Log(Collect(2))
	t.Log(Stats().LiveObjects)
}
