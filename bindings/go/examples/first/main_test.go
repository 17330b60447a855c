// SPDX-License-Identifier: MIT

package main

import (
	"os"
	"strings"
	"testing"
)

func Example_main() {
	main()
	// Output:
	// 4 [1, "two", 3.5, ...]
	// ouro: List.Get: index 7 is out of range for a list of 4
}

// The README shows this program.
func TestReadme(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	program, err := os.ReadFile("main.go")
	if err != nil {
		t.Fatal(err)
	}
	_, code, _ := strings.Cut(string(program), "\n\n")
	if !strings.Contains(string(readme), "```go\n"+code+"```\n") {
		t.Error("README.md shows another program")
	}
}
