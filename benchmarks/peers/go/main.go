// SPDX-License-Identifier: MIT

// peer WORKLOAD SIZE THREADS SECONDS: see ../README.md. One JSON object a line for each measurement; exits with 1 if a
// result was wrong, 2 if the arguments were.
package main

import (
	"bufio"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

type node struct {
	left, right *node
	key, value  uint64
}

// Not inlined, or nodes that stay in one function would not come from the heap.
//
//go:noinline
func newNode(key uint64) *node { return &node{key: key} }

const (
	seed     = 88172645
	livePlay = 4 << 20 // bytes: the runtime's own objects come and go
)

var (
	workload string
	size     uint64
	threads  int
	seconds  float64
	wrong    bool
	wrongMu  sync.Mutex
	begun    = time.Now()
)

type random uint64

// xorshift64*, the same in every language.
func (r *random) below(limit uint64) uint64 {
	x := *r
	x ^= x >> 12
	x ^= x << 25
	x ^= x >> 27
	*r = x
	return (uint64(x) * 0x2545f4914f6cdd1d >> 32) * limit >> 32
}

func shuffled(count uint64, r *random) []uint32 {
	places := make([]uint32, count)
	for i := range places {
		places[i] = uint32(i)
	}
	for i := count; i > 1; i-- {
		k := r.below(i)
		places[k], places[i-1] = places[i-1], places[k]
	}
	return places
}

// ---- results ----

func check(ok bool, what string) {
	if ok {
		return
	}
	wrongMu.Lock()
	defer wrongMu.Unlock()
	fmt.Fprintln(os.Stderr, "WRONG RESULT:", workload, size, threads, what)
	wrong = true
}

func live() uint64 {
	var stats runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}

func checkLive(before uint64) {
	check(live() <= before+livePlay, "the heap holds more than before")
}

// resident is a line of the kernel's table, in bytes.
func resident(key string) float64 {
	file, err := os.Open("/proc/self/status")
	if err != nil {
		return 0
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		if fields := strings.Fields(lines.Text()); len(fields) > 1 && fields[0] == key+":" {
			kib, _ := strconv.ParseFloat(fields[1], 64)
			return kib * 1024
		}
	}
	return 0
}

func arguments() string {
	return fmt.Sprintf(`{"workload": "%s", "size": %d, "threads": %d, `, workload, size, threads)
}

func report(metric string, value float64, unit string, operations uint64) {
	fmt.Printf(`%s"metric": "%s", "value": %.6g, "unit": "%s", "operations": %d, "peak_rss_mb": %.1f, "live": "bytes", "ok": %t}`+"\n",
		arguments(), metric, value, unit, operations, resident("VmHWM")*1e-6, !wrong)
}

type timed struct {
	seconds, cpu float64 // of the clock; of all threads together
	operations   uint64
}

func cpuNow() float64 {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(err)
	}
	return float64(usage.Utime.Nano()+usage.Stime.Nano()) * 1e-9
}

// during adds up what the work takes.
func (t *timed) during(work func()) {
	begin, cpu := time.Now(), cpuNow()
	work()
	t.seconds += time.Since(begin).Seconds()
	t.cpu += cpuNow() - cpu
}

// goesOn is for work of which only a part is timed: true as long as that part is shorter than asked for, and all of it not
// several times as long.
func (t timed) goesOn() bool {
	return t.seconds < seconds && time.Since(begun).Seconds() < 4*seconds
}

func (t timed) report(unit string) {
	report("time", t.seconds*1e9/float64(t.operations), unit, t.operations)
	if t.cpu > 0 {
		report("cpu", t.cpu*1e9/float64(t.operations), unit, t.operations)
	}
}

func skip(reason string) {
	fmt.Printf(`%s"skip": "%s"}`+"\n", arguments(), reason)
}

// repeat runs rounds on as many threads as asked for, at least one each, until the time is up.
func repeat(round func(index int) uint64) timed {
	operations := make([]uint64, threads)
	start := make(chan struct{})
	var done sync.WaitGroup
	for i := 0; i < threads; i++ {
		done.Add(1)
		go func(i int) {
			runtime.LockOSThread()
			<-start
			var mine uint64
			for begin := time.Now(); ; {
				mine += round(i)
				if time.Since(begin).Seconds() >= seconds {
					break
				}
			}
			operations[i] = mine
			done.Done()
		}(i)
	}
	var result timed
	result.during(func() {
		close(start)
		done.Wait()
	})
	for _, n := range operations {
		result.operations += n
	}
	return result
}

func main() {
	workloads := map[string]struct {
		run         func()
		least, most int
	}{
		"trees": {trees, 1, 8}, "gcbench": {gcbench, 1, 1},
		"retain-own": {noCounts, 1, 8}, "retain-shared": {noCounts, 1, 8},
		"lifo": {lifo, 1, 8}, "fifo": {fifo, 1, 8}, "handover": {handover, 2, 2},
		"storm": {storm, 2, 8}, "larson": {larson, 1, 8}, "server": {server, 1, 8}, "rings": {rings, 1, 8},
		"deep": {deep, 1, 1}, "collect-live": {collectLive, 1, 1}, "collect-garbage": {collectGarbage, 1, 1},
		"pause": {pause, 1, 2}, "lookup": {lookup, 1, 8}, "lookup-writer": {lookupWriter, 1, 8}, "memory": {memory, 1, 1},
	}
	if len(os.Args) == 5 {
		workload = os.Args[1]
		size, _ = strconv.ParseUint(os.Args[2], 10, 32)
		threads, _ = strconv.Atoi(os.Args[3])
		seconds, _ = strconv.ParseFloat(os.Args[4], 64)
		if w, ok := workloads[workload]; ok && size > 0 && threads >= w.least && threads <= w.most {
			w.run()
			if wrong {
				os.Exit(1)
			}
			return
		}
	}
	fmt.Fprintln(os.Stderr, "usage: peer WORKLOAD SIZE THREADS SECONDS")
	os.Exit(2)
}
