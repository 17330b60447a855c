// SPDX-License-Identifier: MIT

// A Go program with Lua and Python in it, which pass one graph around: as ../host.c, with Go in C's place. Built with -tags ouro_shared, so that Go
// uses the library that the other languages' modules use, and not one of its own.
//
//	together PART.lua PART.py
package main

/*
#cgo CFLAGS: -I${SRCDIR}/..
#cgo pkg-config: lua5.4 python3-embed
#include "interpreters.h"
*/
import "C"

import (
	"fmt"
	"log"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"

	"ouro"
)

var (
	luaPart = C.CString(os.Args[1])
	lua     *C.lua_State // the main goroutine's
	python  *C.PyObject
)

func must[T any](v T, err error) T {
	no(err)
	return v
}

func no(err error) {
	if err != nil {
		log.Output(3, err.Error())
		os.Exit(1)
	}
}

func check(is bool, what string) {
	if !is {
		log.Output(2, "not so: "+what)
		os.Exit(1)
	}
}

// call calls a function of a language by its name.
func call(f func(name *C.char, count C.int, arguments *C.int64_t) C.int64_t, name string, arguments []int64) int64 {
	text := C.CString(name)
	defer C.free(unsafe.Pointer(text))
	numbers := [2]C.int64_t{}
	for i, n := range arguments {
		numbers[i] = C.int64_t(n)
	}
	return int64(f(text, C.int(len(arguments)), &numbers[0]))
}

func inLua(L *C.lua_State, name string, arguments ...int64) int64 {
	return call(func(name *C.char, count C.int, arguments *C.int64_t) C.int64_t {
		return C.lua_do(L, name, count, arguments)
	}, name, arguments)
}

func inPython(name string, arguments ...int64) int64 {
	return call(func(name *C.char, count C.int, arguments *C.int64_t) C.int64_t {
		return C.python_do(python, name, count, arguments)
	}, name, arguments)
}

// A thing is a value of Go's, which the library keeps by handle.
type thing struct{ name string }

var things atomic.Int64 // alive

func newThing() *thing {
	t := &thing{"Go's"}
	things.Add(1)
	runtime.SetFinalizer(t, func(*thing) { things.Add(-1) })
	return t
}

// settled waits until Go's own collector has found what is no longer needed.
func settled(alive int64) bool {
	for end := time.Now().Add(time.Minute); things.Load() != alive && time.Now().Before(end); time.Sleep(time.Millisecond) {
		runtime.GC()
	}
	return things.Load() == alive
}

// live counts objects until it finds as many twice: memory of dead ones may change hands meanwhile.
func live() (objects uint64) {
	for {
		ouro.FreeOSMemory()
		again := ouro.Stats().LiveObjects
		if again == objects {
			return objects
		}
		objects = again
	}
}

// leaves waits until all garbage is gone, also what the library's own threads have in hand, which is soon.
func leaves(before uint64) bool {
	for i := 0; i < 20000; i++ {
		if i%5000 == 0 {
			collectInGo()
		}
		if live() == before {
			return true
		}
		time.Sleep(time.Millisecond)
	}
	return false
}

// join is Go's part: Bob and Ann are told of a list that refers to both, and to a thing.
func join(token int64) int64 {
	ann := must(ouro.Import(token)).(*ouro.Record)
	defer ann.Close()
	knows := must(ann.Get("knows")).(*ouro.List)
	defer knows.Close()
	bob := must(knows.Get(0)).(*ouro.Record)
	defer bob.Close()
	extra := must(ouro.NewList(ann, bob, newThing()))
	defer extra.Close()
	no(knows.Append(extra))
	name := must(bob.Get("language")).(string)
	check(name == "Python", "Bob's language")
	return must(ouro.Export(ann))
}

// ring makes a ring through the objects of three languages, and has one of them collect it.
func ring(collect func() int64) {
	token := inLua(lua, "begin")
	token = inPython("extend", token)
	token = join(token)
	check(inLua(lua, "follow", token) == 2, "two people")
	check(inLua(lua, "held") == 1 && inPython("alive") == 1 && settled(1), "each language's thing is alive")
	// Nobody outside holds any of it now. It goes as a whole.
	check(collect() >= 5, "the ring is found")
	check(inLua(lua, "held") == 0 && inPython("alive") == 0 && settled(0), "each language's thing is gone")
}

func collectInGo() int64 { return int64(must(ouro.Collect(2)).Collected) }

func rings() {
	collectors := []func() int64{
		collectInGo,
		func() int64 { return inLua(lua, "collect") },
		func() int64 { return inPython("collect") },
	}
	ring(collectInGo)
	collectInGo()
	before := live()
	for round := 0; round < 30; round++ {
		ring(collectors[round%len(collectors)])
	}
	check(leaves(before), "nothing is left")
	fmt.Println("rings through three languages, collected by each: Go, Lua, Python")
}

// forget has Python let go of what holds a thing of Go's, on a thread on which Go has called before and does not call again.
func forget() {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	list := must(ouro.NewList(newThing()))
	token := must(ouro.Export(list))
	no(list.Close())
	check(settled(1) && inPython("forget", token) == 1, "the thing is in the list")
	check(settled(0), "the thing is gone")
}

const (
	each  = 3 // threads or goroutines of each language
	steps = 5000
)

// work is as in part.lua.
func work(token, me int64) int64 {
	shared := must(ouro.Import(token)).(*ouro.Record)
	defer shared.Close()
	done := must(shared.Get("done")).(*ouro.Set)
	defer done.Close()
	rings := must(shared.Get("rings")).(*ouro.List)
	defer rings.Close()
	for i := int64(1); i <= steps; i++ {
		check(must(done.Add(me*steps+i)), "each number once")
		ring := must(ouro.NewList(rings, newThing()))
		no(ring.Append(ring))
		place := int(i) % rings.Len()
		other := must(rings.Get(place)).(*ouro.List)
		check(other.Len() == 3, "a ring holds three")
		other.Close()
		no(rings.Set(place, ring))
		ring.Close()
	}
	return steps
}

func workInLua(token, me int64) int64 {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	L := C.lua_new(luaPart)
	defer C.lua_close(L) // others go on with what this state has left in the rings
	return inLua(L, "work", token, me)
}

func workInPython(token, me int64) int64 { return inPython("work", token, me) }

func threads() {
	inPython("collect")
	collectInGo()
	before := live()
	rings := must(ouro.NewList())
	for i := 0; i < 7; i++ {
		ring := must(ouro.NewList(nil, nil, nil))
		no(rings.Append(ring))
		ring.Close()
	}
	done := must(ouro.NewSet())
	shared := must(ouro.NewRecord("shared", map[string]any{"done": done, "rings": rings, "steps": steps}))

	var workers, collector sync.WaitGroup
	var stop atomic.Bool
	collector.Add(1)
	go func() {
		defer collector.Done()
		for !stop.Load() {
			collectInGo()
		}
	}()
	me := int64(0)
	for _, f := range []func(token, me int64) int64{work, workInLua, workInPython} {
		for i := 0; i < each; i++ {
			workers.Add(1)
			go func(f func(token, me int64) int64, token, me int64) {
				defer workers.Done()
				check(f(token, me) == steps, "all steps")
			}(f, must(ouro.Export(shared)), me)
			me++
		}
	}
	workers.Wait()
	stop.Store(true)
	collector.Wait()

	count := done.Len()
	check(count == 3*each*steps, "each step is counted once")
	done.Close()
	rings.Close()
	shared.Close()
	inPython("collect")
	collectInGo()
	check(inPython("alive") == 0 && settled(0), "no thing is alive")
	check(leaves(before), "nothing is left")
	fmt.Printf("%d goroutines, %d threads of Lua, %d of Python, one that collects: %d steps\n", each, each, each, count)
}

func main() {
	log.SetFlags(log.Lshortfile)
	runtime.LockOSThread()
	lua = C.lua_new(luaPart)
	pythonPart := C.CString(os.Args[2])
	python = C.python_open(pythonPart)
	check(C.libraries() == 1, "one library is loaded")
	rings()
	forget()
	threads()
	C.lua_close(lua)
}
