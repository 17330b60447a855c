// SPDX-License-Identifier: MIT

package ouro

import (
	"errors"
	"fmt"
	"math/rand"
	"os"
	"reflect"
	"runtime"
	"strconv"
	"testing"
	"time"

	"ouro/internal/raw"
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func no(err error) {
	if err != nil {
		panic(err)
	}
}

// is fails the test if err is not want, or has no message of ours.
func is(t *testing.T, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Fatalf("%v, and not %v", err, want)
	}
}

func equal(t *testing.T, got, want any) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("%.1000s, and not %.1000s", fmt.Sprintf("%#v", got), fmt.Sprintf("%#v", want))
	}
}

func heldCount() int {
	heldByValue.RLock()
	defer heldByValue.RUnlock()
	return len(heldByValue.m)
}

// settle waits until all functions that deaths have called for have been called.
func settle() {
	raw.ReadMessages()
	for running := true; running; time.Sleep(time.Microsecond) {
		queue.Lock()
		running = queue.running
		queue.Unlock()
	}
}

// live counts objects and Go values until it finds as many twice: an object that has died may be counted while its memory
// changes hands.
func live() (objects uint64, values int) {
	for {
		settle()
		FreeOSMemory()
		again, valuesAgain := Stats().LiveObjects, heldCount()
		if again == objects && valuesAgain == values {
			return objects, values
		}
		objects, values = again, valuesAgain
	}
}

// leaves fails the test if f leaves objects or Go values behind. What the library's own threads have in hand they let go
// by themselves, soon; and if that leads to garbage, a collection finds it.
func leaves(t *testing.T, f func()) {
	t.Helper()
	must(Collect(2))
	objects, values := live()
	f()
	var o uint64
	var v int
	for try := 0; try < 3; try++ {
		must(Collect(2))
		for i := 0; i < 10000; i++ {
			if o, v = live(); o == objects && v == values {
				return
			}
			time.Sleep(time.Millisecond)
		}
	}
	t.Fatalf("%d objects and %d values, where %d and %d were before", o, v, objects, values)
}

// pauseGC is PauseGC, and what is garbage from then on only Collect finds.
func pauseGC(t *testing.T) (resume func()) {
	t.Helper()
	resume = PauseGC()
	awaitCollector(t)
	return resume
}

// awaitCollector waits, while automatic collection is off, for what the collector's own thread may be at, or have been
// asked for before: it does one thing after the other.
func awaitCollector(t *testing.T) {
	t.Helper()
	asked := func() uint64 { return Stats().Generations[1].Reasons[GCAsked] }
	before := asked()
	no(CollectAsync(1))
	await(t, "the collector's thread collects", func() bool { return asked() > before })
}

// await waits for what other threads do.
func await(t *testing.T, what string, done func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !done(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("never: " + what)
		}
	}
}

// eventually waits for what the garbage collector does.
func eventually(t *testing.T, what string, done func() bool) {
	t.Helper()
	await(t, what, func() bool {
		runtime.GC()
		return done()
	})
}

// random is seeded by OURO_TEST_SEED, or the same each time; a test that fails says how.
func random(t *testing.T) *rand.Rand {
	seed, err := strconv.ParseInt(os.Getenv("OURO_TEST_SEED"), 10, 64)
	if err != nil {
		seed = 20260101
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("OURO_TEST_SEED=%d", seed)
		}
	})
	return rand.New(rand.NewSource(seed))
}

type thing struct{ n int }

var things = []*thing{{1}, {2}, {3}}

// anyValue gives one of not too many values, so that some come again; all of them differ.
func anyValue(r *rand.Rand) any {
	switch r.Intn(9) {
	case 0:
		return nil
	case 1:
		return r.Intn(2) == 0
	case 2:
		return float64(r.Intn(10)) + 0.5
	case 3:
		return "string " + strconv.Itoa(r.Intn(10))
	case 4:
		return "a long string that does not fit beside an answer: " + strconv.Itoa(r.Intn(10))
	case 5:
		return things[r.Intn(len(things))]
	case 6:
		return uint64(1<<63) + uint64(r.Intn(3))
	}
	return r.Intn(20)
}

// Everything that the tests made is closed at their end, or was found by the garbage collector.
func TestMain(m *testing.M) {
	status := m.Run()
	if status == 0 && !alive0() {
		status = 1
	}
	os.Exit(status)
}

func alive0() bool {
	var report LeakReport
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(time.Millisecond) {
		runtime.GC()
		report, _ = Shutdown()
		if report.Objects == 0 && heldCount() == 0 {
			return true
		}
	}
	println("alive at the end:", report.Objects, "objects,", heldCount(), "values")
	for _, t := range report.Types {
		println(t.Name, t.Objects)
	}
	return false
}
