// SPDX-License-Identifier: MIT

package main

import (
	"fmt"
	"math/bits"
	"strings"
)

// histogram: a range is a hundred-and-twenty-eighth of the value it begins with.
type histogram struct {
	counts       [30 << 7]uint64
	samples, max uint64
}

func (h *histogram) add(value uint64) {
	shift := 0
	if value >= 128 {
		shift = bits.Len64(value) - 8
	}
	at := uint64(shift)<<7 + value>>shift
	if at >= uint64(len(h.counts)) {
		at = uint64(len(h.counts)) - 1
	}
	h.counts[at]++
	h.samples++
	if value > h.max {
		h.max = value
	}
}

func (h *histogram) percentile(p float64) float64 {
	wanted, below := p*float64(h.samples), 0.0
	for i, count := range h.counts {
		below += float64(count)
		if count == 0 || below < wanted {
			continue
		}
		shift := 0
		if i >= 256 {
			shift = i>>7 - 1
		}
		return float64(uint64(i-shift<<7) << shift)
	}
	return float64(h.max)
}

func (h *histogram) merge(more *histogram) {
	for i, count := range more.counts {
		h.counts[i] += count
	}
	h.samples += more.samples
	if more.max > h.max {
		h.max = more.max
	}
}

// As far as ten samples are beyond.
var shares = []float64{0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.995, 0.999, 0.9995, 0.9999, 0.99995, 0.99999, 0.999999}

// report prints percentiles of nanoseconds, and the curve of them.
func (h *histogram) report(name string) {
	for _, p := range []struct {
		name  string
		share float64
	}{{"p50", 0.5}, {"p99", 0.99}, {"p99.9", 0.999}, {"p99.99", 0.9999}} {
		report(p.name, h.percentile(p.share), "ns", h.samples)
	}
	report("max", float64(h.max)*1e-6, "ms", h.samples)
	var points strings.Builder
	for _, share := range shares {
		if (1-share)*float64(h.samples) >= 10 {
			fmt.Fprintf(&points, "[%.9g, %.6g], ", share, h.percentile(share))
		}
	}
	fmt.Printf(`%s"curve": "%s", "unit": "ns", "points": [%s[1, %d]]}`+"\n", arguments(), name, points.String(), h.max)
}
