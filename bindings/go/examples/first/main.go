// SPDX-License-Identifier: MIT

package main

import (
	"fmt"
	"ouro"
)

func main() {
	l, err := ouro.NewList(1, "two", 3.5) // any goroutine may use it
	if err != nil {
		panic(err)
	}
	defer l.Close()
	l.Append(l)             // a cycle: it holds itself
	fmt.Println(l.Len(), l) // 4 [1, "two", 3.5, ...]
	_, err = l.Get(7)
	fmt.Println(err) // ouro: List.Get: index 7 is out of range for a list of 4
}
