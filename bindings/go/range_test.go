// SPDX-License-Identifier: MIT

//go:build go1.23

package ouro

import "testing"

func TestRange(t *testing.T) {
	l, _ := NewList(1, 2, 3)
	defer l.Close()
	sum := 0
	for i, v := range l.All() {
		sum += i * v.(int)
	}
	if sum != 8 {
		t.Fatal(sum)
	}
}
