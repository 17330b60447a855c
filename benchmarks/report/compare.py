# SPDX-License-Identifier: MIT
"""compare.py OLD_LABEL OLD_BENCH NEW_LABEL NEW_BENCH [--rounds N] [--report PAGE] [ARGS of bench...]

Runs two programs in turns, whole processes, and prints what differs. In each round the one that went second goes first
in the next. A row's figure in a round is its median; rows that only one of the two has are named at the end.

A difference exceeds the noise if the two sides do not overlap: each of one side's figures is below all of the other's.
With n rounds, chance alone does that to one row in (2n)! / (2 n! n!), which is printed."""

import math
import os
import statistics
import subprocess
import sys
import tempfile

import page
import runs
import scale

ROUNDS = 5
_LESS_IS_FASTER = ("ns", "us", "ms", "s")


class Change:
    """One row on both sides: the figures of all rounds."""

    def __init__(self, benchmark, what, unit, old, new):
        self.benchmark, self.what, self.unit, self.old, self.new = benchmark, what, unit, old, new

    @property
    def exceeds(self):
        return max(self.old) < min(self.new) or max(self.new) < min(self.old)

    @property
    def percent(self):
        old, new = statistics.median(self.old), statistics.median(self.new)
        return 100 * (new / old - 1) if old > 0 else None

    def verdict(self):
        if not self.exceeds:
            return "within the noise"
        less = max(self.new) < min(self.old)
        if self.unit in _LESS_IS_FASTER:
            return "faster" if less else "slower"
        return "less" if less else "more"


def changes(old, new):
    """Of two lists of runs: the rows that all have, and the names of the rows that are not in all."""
    order = list(dict.fromkeys((row["benchmark"], row["what"], row["unit"]) for run in [*new, *old] for row in run.every_row()))
    tables = [[{(row["benchmark"], row["what"]): row for row in run.every_row()} for run in side] for side in (old, new)]
    both, rest = [], []
    for benchmark, what, unit in order:
        sides = [[table.get((benchmark, what)) for table in side] for side in tables]
        if all(row and row["unit"] == unit for side in sides for row in side):
            both.append(Change(benchmark, what, unit, *([row["median"] for row in side] for side in sides)))
        else:
            rest.append(f"{benchmark}: {what}")
    return both, rest


def chance(rounds):
    """One row in so many differs without overlap though nothing has changed."""
    return math.comb(2 * rounds, rounds) / 2


def _side(values):
    return f"{scale.number(statistics.median(values))} ({scale.number(min(values))} .. {scale.number(max(values))})"


def table(both, rest, labels, rounds):
    out = [f"{'benchmark':9} {'what':68} {labels[0]:>30} {labels[1]:>30} {'':6} {'change':>9}  verdict"]
    for c in both:
        percent = "" if c.percent is None else f"{c.percent:+.1f} %"
        out.append(f"{c.benchmark:9} {c.what:68} {_side(c.old):>30} {_side(c.new):>30} {c.unit:6} {percent:>9}  {c.verdict()}")
    exceed = [c for c in both if c.exceeds]
    out += ["", f"{len(exceed)} of {len(both)} rows differ by more than the noise of {rounds} rounds:"]
    for c in sorted(exceed, key=lambda c: -abs(c.percent if c.percent is not None else math.inf)):
        percent = "" if c.percent is None else f"{c.percent:+.1f} %"
        out.append(f"  {percent:>9}  {c.verdict():6}  {c.benchmark}: {c.what}")
    expected = len(both) / chance(rounds)
    out.append(f"Chance alone does that to one row in {chance(rounds):.0f}: about {expected:.1f} of these {len(both)}.")
    if rest:
        out += ["", "Not in every run: " + "; ".join(rest)]
    return "\n".join(out)


def _round(program, commit, arguments, path):
    """One process. A wrong result (status 1) is told by the program, and ends the comparison."""
    environment = dict(os.environ, OURO_BENCH_COMMIT=commit)
    subprocess.run([program, *arguments, "--json", path], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=environment)
    return runs.load(path)


def run_in_turns(sides, arguments, rounds, folder):
    """sides: [(label, program)] of both. Returns the runs of each."""
    got = ([], [])
    for r in range(rounds):
        for i in (0, 1) if r % 2 == 0 else (1, 0):
            label, program = sides[i]
            if sys.stderr.isatty():
                print(f"\r\033[K[round {r + 1} of {rounds}] {label}", end="", file=sys.stderr, flush=True)
            got[i].append(_round(program, label, arguments, os.path.join(folder, f"{r}-{i}.json")))
    if sys.stderr.isatty():
        print("\r\033[K", end="", file=sys.stderr)
    return got


def _merged(side):
    """All rounds of one side as one run: medians of the rounds' medians, between the least and the greatest of all."""
    tables = [{(row.get("peer"), row["benchmark"], row["what"]): row for row in run.rows + run.peer_rows} for run in side]

    def together(row):
        same = [table[(row.get("peer"), row["benchmark"], row["what"])] for table in tables]
        return dict(row, median=statistics.median(r["median"] for r in same), min=min(r["min"] for r in same), max=max(r["max"] for r in same))

    whole = [row for key, row in tables[0].items() if all(key in table for table in tables)]
    first = side[0]
    return runs.Run(first.label, first.path, {
        "quick": first.quick, "machine": first.machine, "wrong": sorted({text for run in side for text in run.wrong}),
        "rows": [together(row) for row in whole], "curves": first.curves + first.peer_curves, "absent": first.absent,
        "workloads": first.workload_texts,
    })  # fmt: skip


def _options(words):
    """What is for the comparison, and the rest, which is for the programs."""
    taken, rest = {"--rounds": str(ROUNDS), "--report": ""}, []
    words = list(words)
    while words:
        word = words.pop(0)
        if word in taken and words:
            taken[word] = words.pop(0)
        elif word == "--json":
            raise ValueError("--json FILE does not go with --compare: each side has a run for each round")
        else:
            rest.append("--peers=ouro" if word == "--peers" else word)
    if not taken["--rounds"].isdigit() or int(taken["--rounds"]) < 2:
        raise ValueError("--rounds: at least two")
    return int(taken["--rounds"]), taken["--report"], rest + ["--rounds", "1"] * any(word.startswith("--peers") for word in rest)


def main(arguments):
    if len(arguments) < 4:
        print(__doc__, file=sys.stderr)
        return 2
    sides = [(arguments[0], arguments[1]), (arguments[2], arguments[3])]
    try:
        rounds, report, rest = _options(arguments[4:])
    except ValueError as error:
        print(f"compare: {error}", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as folder:
        try:
            old, new = run_in_turns(sides, rest, rounds, folder)
        except subprocess.CalledProcessError as error:
            sys.stderr.buffer.write(error.stderr)
            print(f"compare: {error.cmd[0]} ended with {error.returncode}", file=sys.stderr)
            return 1
        except (OSError, runs.Malformed) as error:
            print(f"compare: {error}", file=sys.stderr)
            return 1
    for name, value in new[0].machine.items():
        print(f"{name:12} {value}")
    print()
    print(table(*changes(old, new), [label for label, _ in sides], rounds))
    if report:
        merged = [_merged(old), _merged(new)]
        for run, (label, _) in zip(merged, sides):
            run.label = label
        page.write(report, page.page(merged, "ouro: benchmarks"))
        print(f"report in {report}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
