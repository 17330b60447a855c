// SPDX-License-Identifier: MIT

package raw

// #include "crossing.h"
import "C"

import "unsafe"

// Config is an ouro_config.
type Config struct {
	Flags                uint
	MaxThreads           uint
	SoftLimit, HardLimit uint64
	Threshold            [3]int
	PurgeDelayMs         int
}

// Flags of a Config.
const (
	IgnoreEnvironment = C.OURO_IGNORE_ENVIRONMENT
	GCDisabled        = C.OURO_GC_DISABLED
	ReportLeaks       = C.OURO_REPORT_LEAKS
)

// Init gives a status's number.
func Init(c *Config) int {
	var to C.ouro_config
	to.size = C.sizeof_ouro_config
	to.flags = C.uint(c.Flags)
	to.max_threads = C.uint(c.MaxThreads)
	to.soft_limit, to.hard_limit = C.size_t(c.SoftLimit), C.size_t(c.HardLimit)
	for i, t := range c.Threshold {
		to.threshold[i] = C.size_t(t)
	}
	to.purge_delay_ms = C.long(c.PurgeDelayMs)
	return -int(C.ouro_init(&to))
}

// A Leak is the objects of one type that were left.
type Leak struct {
	Type           string
	Objects, Bytes uint64
}

// Shutdown gives a status's number, and what was left: the first entry is the sum.
func Shutdown() (int, []Leak, uint64) {
	var r C.ouro_leak_report
	status := C.ouro_shutdown(&r)
	if status != C.OURO_OK {
		return -int(status), nil, 0
	}
	leaks := []Leak{{"", uint64(r.objects), uint64(r.bytes)}}
	for _, t := range r.types[:r.types_count] {
		leaks = append(leaks, Leak{C.GoString(t.name), uint64(t.objects), uint64(t.bytes)})
	}
	return 0, leaks, uint64(r.immortal_objects)
}

// A MemClass is an ouro_mem_class_stats.
type MemClass struct{ BlockSize, LiveObjects, LiveBytes, PagesBytes uint64 }

// MemStats is an ouro_mem_stats.
type MemStats struct {
	LiveObjects, LiveBytes, LimboBytes, CachedBytes, CommittedBytes, ReservedBytes, SoftLimit, HardLimit uint64
	Classes                                                                                              []MemClass
}

// Memory reads the heap's statistics; classes: those of the size classes, too.
func Memory(classes bool) (m MemStats) {
	var s C.ouro_mem_stats
	size := C.size_t(C.sizeof_ouro_mem_stats)
	if !classes {
		size = C.size_t(unsafe.Offsetof(s.classes))
	}
	C.ouro_mem_get_stats(&s, size)
	m = MemStats{uint64(s.live_objects), uint64(s.live_bytes), uint64(s.limbo_bytes), uint64(s.cached_bytes),
		uint64(s.committed_bytes), uint64(s.reserved_bytes), uint64(s.soft_limit), uint64(s.hard_limit), nil}
	for _, c := range s.classes {
		if !classes || c.block_size == 0 {
			break
		}
		m.Classes = append(m.Classes, MemClass{uint64(c.block_size), uint64(c.live_objects), uint64(c.live_bytes), uint64(c.pages_bytes)})
	}
	return m
}

// Reasons is how many there are for a collection.
const Reasons = C.OURO_GC_REASONS

// A GCGeneration is an ouro_gc_generation_stats.
type GCGeneration struct {
	Collections, Collected, Uncollectable, Candidates, DurationNs, DurationMaxNs, Suspects uint64
	Reasons                                                                                [Reasons]uint64
}

// GC reads the collections' statistics.
func GC() (g [3]GCGeneration) {
	var s C.ouro_gc_stats
	C.ouro_gc_get_stats(&s, C.sizeof_ouro_gc_stats)
	for i, c := range s.generation {
		g[i] = GCGeneration{uint64(c.collections), uint64(c.collected), uint64(c.uncollectable), uint64(c.candidates),
			uint64(c.duration_ns), uint64(c.duration_max_ns), uint64(c.suspects), [Reasons]uint64{}}
		for r, n := range c.reasons {
			g[i].Reasons[r] = uint64(n)
		}
	}
	return g
}

// StatusMessage is what a status's number says.
func StatusMessage(number int) string {
	return C.GoString(C.ouro_status_message(C.ouro_status(-number)))
}
