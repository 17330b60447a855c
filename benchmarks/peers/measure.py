# SPDX-License-Identifier: MIT
"""Whole processes in turns, and what they give: rows and curves in the format of benchmarks/README.md."""

import json
import os
import statistics
import subprocess
import sys
import threading
import time

import plan

PAGE_MB = os.sysconf("SC_PAGESIZE") * 1e-6
POINTS = 60  # of a curve over time, at the most
BASE = "ouro"  # what ratios are to

# The programs' units and metrics, in words of the page.
_UNITS = {"ns/node": ("ns", " per node"), "ns/pair": ("ns", " per pair"), "ns/hop": ("ns", " per hop"), "bytes/node": ("bytes", " per node"),
          "/s": ("1/s", "")}  # fmt: skip
_METRICS = {"cpu": "processor time"}


class Sampler(threading.Thread):
    """Resident memory of a process, every few milliseconds until it ends."""

    def __init__(self, process, every):
        super().__init__(daemon=True)
        self.process, self.every, self.points = process, every, []
        self.start()

    def run(self):
        begin = time.monotonic()
        while self.process.poll() is None:
            try:
                with open(f"/proc/{self.process.pid}/statm", encoding="ascii") as file:
                    resident = int(file.read().split()[1]) * PAGE_MB
            except (OSError, IndexError):
                return
            if resident > 0:
                self.points.append((time.monotonic() - begin, resident))
            time.sleep(self.every)


class Results:
    def __init__(self, order=()):
        self.order = list(order)  # of the peers, in what is told
        self.samples = {}  # work -> {(metric, unit): {peer: [value of each round]}}
        self.curves = {}  # work -> {(name, unit): {peer: [points of each round]}}
        self.memory = {}  # work -> {peer: [points of each round]}
        self.absent = []  # (work or None, peer, why)
        self.wrong = []
        self.given_up = {}  # (workload, peer) -> the size that took too long

    def add(self, work, peer, lines, resident):
        for line in lines:
            if "skip" in line:
                self.leave_out(work, peer, line["skip"])
                continue
            if "curve" in line:
                table, key, value = self.curves, (line["curve"], line["unit"]), line["points"]
            else:
                unit, per = _UNITS.get(line["unit"], (line["unit"], ""))
                table, key, value = self.samples, (_METRICS.get(line["metric"], line["metric"]) + per, unit), line["value"]
            table.setdefault(work, {}).setdefault(key, {}).setdefault(peer, []).append(value)
        peaks = [line["peak_rss_mb"] for line in lines if "peak_rss_mb" in line]
        if peaks:
            self.samples[work].setdefault(("peak resident", "MB"), {}).setdefault(peer, []).append(max(peaks))
        if resident and work[0] in plan.OVER_TIME:
            self.memory.setdefault(work, {}).setdefault(peer, []).append(resident)

    def sorted(self, by_peer):
        """In the order of the peers, whoever's turn came first."""
        return sorted(by_peer.items(), key=lambda item: self.order.index(item[0]) if item[0] in self.order else len(self.order))

    def leave_out(self, work, peer, why):
        if (work, peer, why) not in self.absent:
            self.absent.append((work, peer, why))

    def is_tried(self, work, peer):
        """False: the peer does not offer this, or has taken too long with as much or less."""
        if any(work == w and peer == p for w, p, _ in self.absent):
            return False
        least = self.given_up.get((work[0], peer))
        if least is not None and work[1] > least:
            self.leave_out(work, peer, f"not tried: has taken too long with {least}")
            return False
        return True


def run_once(peer, command, work, arguments, results):
    """One process. What it prints counts only if all of it is right."""
    words = [*command, *map(str, work), str(arguments.seconds)]
    told = f"{peer}: {work[0]}, {plan.named(work)}"
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        sampler = Sampler(process, min(0.02, arguments.seconds / 20)) if work[0] in plan.OVER_TIME else None
        try:
            output, errors = process.communicate(timeout=arguments.limit)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            results.given_up[(work[0], peer)] = min(work[1], results.given_up.get((work[0], peer), work[1]))
            results.leave_out(work, peer, f"not finished after {arguments.limit:g} s")
            return
    try:
        lines = [json.loads(line) for line in output.splitlines()]
    except ValueError:
        lines = []
    if process.returncode or not lines or not all(line.get("ok", True) for line in lines):
        last = (errors.strip().splitlines() or [""])[0]
        results.wrong.append(f"{told}: status {process.returncode}{': ' + last if last else ''}")
        results.leave_out(work, peer, "failed, or gave a wrong result")
        return
    results.add(work, peer, lines, sampler and sampler.points)


def run_all(programs, works, arguments, results, after):
    """programs: [(peer, command)]. A round has each peer once, in an order that moves on by one. after(work) when all rounds of it are done."""
    steps, begun = len(works) * arguments.rounds * len(programs), time.monotonic()
    done = 0
    for number, work in enumerate(works):
        for turn in range(arguments.rounds):
            shift = (number + turn) % len(programs)
            for peer, command in programs[shift:] + programs[:shift]:
                if sys.stderr.isatty():
                    left = (time.monotonic() - begun) / done * (steps - done) / 60 if done else 0
                    print(f"\r\033[K[{number + 1} of {len(works)}] {work[0]}, {plan.named(work)}: {peer}, {turn + 1} of {arguments.rounds}"
                          f"{f'; {left:.0f} min left' if done else ''}", end="", file=sys.stderr, flush=True)  # fmt: skip
                if results.is_tried(work, peer):
                    run_once(peer, command, work, arguments, results)
                done += 1
        if sys.stderr.isatty():
            print("\r\033[K", end="", file=sys.stderr)
        after(work)


# --- rows and curves ---


def _triple(values):
    return {"median": statistics.median(values), "min": min(values), "max": max(values)}


def ratios(mine, base):
    """Round by round; None where there is nothing to divide by."""
    quotients = [a / b for a, b in zip(mine, base) if b > 0]
    return _triple(quotients) if quotients else None


def rows(work, results):
    """Of one work: a row for each metric and peer."""
    for (metric, unit), by_peer in results.samples.get(work, {}).items():
        for peer, values in results.sorted(by_peer):
            row = {"benchmark": work[0], "peer": peer, "what": f"{plan.named(work)}: {metric}", "unit": unit, **_triple(values)}
            against = ratios(values, by_peer[BASE]) if peer != BASE and BASE in by_peer else None
            if against:
                row["against"] = {"to": BASE, **against}
            yield row


def _together(rounds):
    """Points at the x that all rounds have."""
    common = sorted(set.intersection(*({x for x, _ in points} for points in rounds)))
    tables = [dict(map(tuple, points)) for points in rounds]
    for x in common:
        t = _triple([table[x] for table in tables])
        yield [x, t["median"], t["min"], t["max"]]


def _at_even_times(rounds):
    """The value that was seen last, at points evenly apart, as long as all rounds last."""
    end = min(points[-1][0] for points in rounds)
    count = min(POINTS, min(len(points) for points in rounds))
    for k in range(count):
        when = end * (k + 1) / count
        values = [next((v for t, v in reversed(points) if t <= when), points[0][1]) for points in rounds]
        t = _triple(values)
        yield [when, t["median"], t["min"], t["max"]]


def curves(work, results):
    name = plan.named(work)
    for (text, unit), by_peer in results.curves.get(work, {}).items():
        for peer, rounds in results.sorted(by_peer):
            yield {"benchmark": work[0], "peer": peer, "plot": f"{name}: {text}", "name": peer, "axis": "percentiles", "unit": unit,
                   "points": list(_together(rounds))}  # fmt: skip
    for peer, rounds in results.sorted(results.memory.get(work, {})):
        yield {"benchmark": work[0], "peer": peer, "plot": f"{name}: memory over time", "name": peer, "axis": "time", "unit": "MB",
               "points": list(_at_even_times(rounds))}  # fmt: skip
