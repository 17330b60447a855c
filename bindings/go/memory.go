// SPDX-License-Identifier: MIT

package ouro

import (
	"errors"
	"fmt"
	"time"

	"ouro/internal/raw"
)

// Version is the library's.
func Version() string { return raw.Version() }

// MemStats are sizes in bytes, by the library's own count.
type MemStats struct {
	LiveObjects    uint64 // made and not dead
	LiveBytes      uint64 // theirs, with headers and rounding
	LimboBytes     uint64 // of dead objects that others may still be looking at
	CachedBytes    uint64 // free, in pages that threads hold
	CommittedBytes uint64 // of pages in use, and of free ones that are not back with the system
	ReservedBytes  uint64 // of address space
	SoftLimit      uint64 // 0: none
	HardLimit      uint64
}

// GenerationStats are sums over all collections of a generation.
type GenerationStats struct {
	Collections   uint64
	Collected     uint64 // objects found unreachable and freed
	Uncollectable uint64 // always 0
	Candidates    uint64 // objects looked at
	Suspects      uint64 // of these, looked like garbage at first
	Duration      time.Duration
	DurationMax   time.Duration
	Reasons       [GCOwner + 1]uint64 // collections by GCReason
}

// Statistics are a moment's reading.
type Statistics struct {
	MemStats
	Generations [3]GenerationStats
}

// Stats reads the library's statistics. It goes over all pages, and changes nothing.
func Stats() Statistics {
	m := raw.Memory(false)
	s := Statistics{MemStats: MemStats{m.LiveObjects, m.LiveBytes, m.LimboBytes, m.CachedBytes, m.CommittedBytes, m.ReservedBytes,
		m.SoftLimit, m.HardLimit}}
	for i, g := range raw.GC() {
		s.Generations[i] = GenerationStats{g.Collections, g.Collected, g.Uncollectable, g.Candidates, g.Suspects,
			time.Duration(g.DurationNs), time.Duration(g.DurationMaxNs), g.Reasons}
	}
	return s
}

// SetMemoryLimit limits the bytes of pages in use; 0: no limit. Above the soft one, collections come sooner; what
// would go over the hard one fails with ErrNoMemory. ErrInvalid: the soft one is above the hard one, or one is
// negative.
func SetMemoryLimit(soft, hard int64) error {
	if soft < 0 || hard < 0 {
		return says("SetMemoryLimit(soft, hard)", ErrInvalid, fmt.Sprintf("soft or hard is negative: %d, %d", soft, hard))
	}
	err := check("SetMemoryLimit(soft, hard)", raw.Mem_set_limit(int(soft), int(hard)))
	if errors.Is(err, ErrInvalid) {
		return says("SetMemoryLimit(soft, hard)", ErrInvalid, fmt.Sprintf("soft is above hard: %d, %d", soft, hard))
	}
	return err
}

// FreeOSMemory gives free memory back to the system, and says how many bytes.
func FreeOSMemory() int { return raw.Mem_trim() }

// A Config is how the library starts. Zero is the default for each; environment variables OURO_... override it.
type Config struct {
	MaxThreads           int
	SoftLimit, HardLimit int64         // as SetMemoryLimit
	Threshold            [3]int        // as SetThreshold
	PurgeDelay           time.Duration // how long free memory is kept; negative: for ever
	GCDisabled           bool          // automatic collection is off at first
	IgnoreEnvironment    bool
}

// Init starts the library. The first call of anything else does so, too; once it has started, this does nothing.
// ErrInvalid, ErrNoMemory; ErrSystem: the kernel lacks membarrier.
func Init(c Config) error {
	to := raw.Config{MaxThreads: uint(c.MaxThreads), SoftLimit: uint64(c.SoftLimit), HardLimit: uint64(c.HardLimit), Threshold: c.Threshold,
		PurgeDelayMs: int(c.PurgeDelay.Milliseconds())}
	if c.MaxThreads < 0 || c.SoftLimit < 0 || c.HardLimit < 0 || c.Threshold[0] < 0 || c.Threshold[1] < 0 || c.Threshold[2] < 0 {
		return fail("Init(c)", ErrInvalid)
	}
	if c.GCDisabled {
		to.Flags |= raw.GCDisabled
	}
	if c.IgnoreEnvironment {
		to.Flags |= raw.IgnoreEnvironment
	}
	if number := raw.Init(&to); number != 0 {
		return fail("Init(c)", fromStatus(number))
	}
	return nil
}

// A LeakReport is what was alive at Shutdown.
type LeakReport struct {
	Objects, Bytes uint64
	Immortal       uint64 // objects that are never freed; not in the others
	Types          []LeakType
}

// A LeakType is the part of one type.
type LeakType struct {
	Name           string
	Objects, Bytes uint64
}

// Shutdown collects, gives memory back, ends the library's threads, and says what is alive: all that there are handles
// of, at least. What is left stays valid, and the next call of anything starts the library again. No program needs it.
// ErrBusy: another goroutine is doing it; ErrUsage: called from a callback.
func Shutdown() (LeakReport, error) {
	number, leaks, immortal := raw.Shutdown()
	raw.ReadMessages()
	if number != 0 {
		return LeakReport{}, fail("Shutdown", fromStatus(number))
	}
	r := LeakReport{Objects: leaks[0].Objects, Bytes: leaks[0].Bytes, Immortal: immortal}
	for _, l := range leaks[1:] {
		r.Types = append(r.Types, LeakType(struct {
			Name           string
			Objects, Bytes uint64
		}{l.Type, l.Objects, l.Bytes}))
	}
	return r, nil
}
