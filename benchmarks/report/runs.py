# SPDX-License-Identifier: MIT
"""Runs: what `bench --json` wrote, read and checked. The format is described in benchmarks/README.md."""

import json
import math
import os


class Malformed(Exception):
    """A file that is not a run; the text says which, where and why."""


class Run:
    def __init__(self, label, path, data):
        self.label = label
        self.path = path
        self.quick = data.get("quick", False)
        self.machine = data.get("machine", {})
        self.wrong = data.get("wrong", [])
        # What `peer` is in comes from the programs of benchmarks/peers.
        self.rows = [row for row in data["rows"] if "peer" not in row]
        self.peer_rows = [row for row in data["rows"] if "peer" in row]
        self.curves = [curve for curve in data.get("curves", []) if "peer" not in curve]
        self.peer_curves = [curve for curve in data.get("curves", []) if "peer" in curve]
        self.absent = data.get("absent", [])
        self.workload_texts = data.get("workloads", {})
        self.by_name = {(row["benchmark"], row["what"]): row for row in self.rows}

    def row(self, benchmark, what):
        return self.by_name.get((benchmark, what))

    def every_row(self):
        """Also those of peers, whose names then begin with the peer."""
        return self.rows + [dict(row, what=f"{row['peer']}: {row['what']}") for row in self.peer_rows]


def _numbers(values):
    return all(isinstance(v, (int, float)) and not isinstance(v, bool) and math.isfinite(v) for v in values)


def _check_row(row):
    for key in ("benchmark", "what", "unit"):
        if not isinstance(row.get(key), str):
            return f"{key} is missing"
    values = [row.get(key) for key in ("min", "median", "max")]
    if not _numbers(values):
        return "median, min and max have to be numbers"
    if not values[0] <= values[1] <= values[2]:
        return "the median is not between min and max"
    if not isinstance(row.get("peer", ""), str):
        return "peer has to be a name"
    if "against" in row:
        against = row["against"]
        if not isinstance(against, dict) or not isinstance(against.get("to"), str) or not _numbers([against.get(k) for k in ("min", "median", "max")]):
            return "against has to have to, median, min and max"
    if "bar" in row:
        limits = [row["bar"][key] for key in ("at_most", "at_least") if key in row["bar"]]
        if len(limits) != 1 or not _numbers(limits) or not isinstance(row["bar"].get("met"), bool):
            return "a bar is one of at_most and at_least, and met"
    return None


def _check_curve(curve):
    for key in ("benchmark", "plot", "name", "unit"):
        if not isinstance(curve.get(key), str):
            return f"{key} is missing"
    if curve.get("axis") not in ("percentiles", "time"):
        return "axis has to be percentiles or time"
    points = curve.get("points")
    if not isinstance(points, list) or not all(isinstance(p, list) and len(p) == 4 and _numbers(p) for p in points):
        return "points are [x, median, min, max]"
    if any(a[0] >= b[0] for a, b in zip(points, points[1:])):
        return "points have to go from left to right"
    return None


def check(data):
    """What is wrong with this as a run, or None."""
    if not isinstance(data, dict) or not isinstance(data.get("rows"), list):
        return "no rows"
    for kind, test in (("rows", _check_row), ("curves", _check_curve)):
        for i, item in enumerate(data.get(kind, [])):
            wrong = test(item) if isinstance(item, dict) else "not an object"
            if wrong:
                return f"{kind}[{i}] ({item.get('what', item.get('name', '')) if isinstance(item, dict) else ''}): {wrong}"
    for i, item in enumerate(data.get("absent", [])):
        if not isinstance(item, dict) or not all(isinstance(item.get(key), str) for key in ("peer", "why")):
            return f"absent[{i}]: peer and why are missing"
    return None


def _label(path, data):
    commit = data.get("machine", {}).get("commit", "not told")
    return os.path.splitext(os.path.basename(path))[0] if commit == "not told" else commit


def load(argument):
    """A run from FILE, or LABEL=FILE."""
    label, equals, path = argument.partition("=")
    if not equals:
        label, path = None, argument
    try:
        with open(path, encoding="utf-8") as file:
            data = json.load(file)
    except (OSError, ValueError) as error:
        raise Malformed(f"{path}: {error}") from error
    wrong = check(data)
    if wrong:
        raise Malformed(f"{path}: {wrong}")
    return Run(label or _label(path, data), path, data)


def load_all(arguments):
    """Several runs. Those that would have one label are told apart by their files' names, or else by number."""
    runs = [load(argument) for argument in arguments]
    for other in (lambda run: os.path.splitext(os.path.basename(run.path))[0], lambda run: run.path):
        labels = [run.label for run in runs]
        for run in runs:
            if labels.count(run.label) > 1:
                run.label = other(run)
    return runs


def side_by_side(runs):
    """The peers of several runs as those of one; their names then say whose they are."""
    if len(runs) == 1:
        return runs[0]
    named = lambda item, run: dict(item, peer=f"{item['peer']}, {run.label}", **({"name": f"{item['name']}, {run.label}"} if "points" in item else {}))
    whole = Run("", "", {"rows": []})
    for run in runs:
        whole.peer_rows += [named(row, run) for row in run.peer_rows]
        whole.peer_curves += [named(curve, run) for curve in run.peer_curves]
        whole.absent += [named(item, run) for item in run.absent]
        whole.workload_texts.update(run.workload_texts)
    return whole


def limit(row):
    """The bar's value, and whether it is an upper one."""
    bar = row["bar"]
    return (bar["at_most"], True) if "at_most" in bar else (bar["at_least"], False)


def verdict(row):
    """As in the table of the benchmarks: met or by how much not, and whether single repetitions disagree."""
    value, upper = limit(row)
    divided = row["min"] <= value < row["max"]
    if row["bar"]["met"]:
        return "met, not in every repetition" if divided else "met"
    if value == 0:
        return "missed"
    off = row["median"] / value - 1 if upper else 1 - row["median"] / value
    return f"missed by {100 * off:.1f} %" + (", met in some repetitions" if divided else "")


def ratios_of(run, row):
    """The ratios of this row's value to others that were measured with it: (name of the other, row of the ratio)."""
    return [
        (ratio["to"], ratio)
        for ratio in run.rows
        if ratio["benchmark"] == row["benchmark"] and ratio.get("of") == row["what"] and "to" in ratio
    ]


def is_reference(run, row):
    """True of floors and peers: others are compared with them, they with nothing."""
    in_it = [r for r in run.rows if r["benchmark"] == row["benchmark"]]
    return any(r.get("to") == row["what"] for r in in_it) and not any(r.get("of") == row["what"] for r in in_it)
