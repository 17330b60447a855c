# SPDX-License-Identifier: MIT
"""The work: what is run with which sizes and threads, and how it is called."""

# workload: (what it is, what SIZE is)
WORKLOADS = {
    "trees": ("binary trees made, counted and dropped", "depth {}"),
    "gcbench": ("GCBench: trees that live long and trees that do not", "depth {}"),
    "retain-own": ("a reference added and dropped, each thread on its own object", ""),
    "retain-shared": ("a reference added and dropped, all threads on one object", ""),
    "lifo": ("a node made and dropped at once", ""),
    "fifo": ("the oldest of a row dropped, a new one made", "rows of {}"),
    "handover": ("nodes made by one thread and dropped by another", "ring of {}"),
    "storm": ("each thread makes many, its neighbour drops them all", "{} at once"),
    "larson": ("a server whose threads come and go, lists replaced at random", "{} lists"),
    "server": ("a server under open load: from when a request was due to its answer", "{}/s"),
    "rings": ("rings made and dropped, until all are collected", "rings of {}"),
    "deep": ("the head of a long list dropped", "{} nodes"),
    "collect-live": ("a full collection of a graph that is alive", "{} nodes"),
    "collect-garbage": ("a graph dropped and collected", "{} nodes"),
    "pause": ("how long one thread's rounds take beside a graph", "{} nodes"),
    "lookup": ("lookups in a search tree that does not change", "{} nodes"),
    "lookup-writer": ("lookups in a search tree beside a writer", "{} nodes"),
    "memory": ("memory that a tree takes", "{} nodes"),
}

# (workload, size, threads)
FULL = [
    ("trees", 16, 1), ("trees", 16, 2), ("gcbench", 18, 1),
    ("retain-own", 1, 1), ("retain-own", 1, 2), ("retain-shared", 1, 2),
    ("lifo", 1, 1), ("lifo", 1, 2), ("fifo", 10000, 1), ("fifo", 10000, 2),
    ("handover", 1024, 2), ("storm", 100000, 2), ("larson", 1000, 1), ("larson", 1000, 2),
    ("server", 10000, 1), ("server", 50000, 2),
    ("rings", 2, 1), ("rings", 2, 2), ("rings", 10, 1), ("rings", 10, 2), ("rings", 100, 1), ("rings", 100, 2),
    ("deep", 5000000, 1), ("collect-live", 1000000, 1), ("collect-live", 5000000, 1), ("collect-garbage", 1000000, 1),
    ("pause", 100000, 1), ("pause", 100000, 2), ("pause", 1000000, 1), ("pause", 1000000, 2),
    ("pause", 10000000, 1), ("pause", 10000000, 2),
    ("lookup", 1000000, 2), ("lookup-writer", 1000000, 2), ("memory", 5000000, 1),
]  # fmt: skip

# Every workload once, and small.
QUICK = [
    ("trees", 10, 1), ("gcbench", 10, 1), ("retain-own", 1, 1), ("retain-shared", 1, 2), ("lifo", 1, 1), ("fifo", 1000, 1),
    ("handover", 1024, 2), ("storm", 1000, 2), ("larson", 100, 1), ("server", 5000, 2), ("rings", 10, 2), ("deep", 20000, 1),
    ("collect-live", 10000, 1), ("collect-garbage", 10000, 1), ("pause", 10000, 2), ("lookup", 5000, 2), ("lookup-writer", 5000, 2),
    ("memory", 50000, 1),
]  # fmt: skip

# Where memory over time tells something that its peak does not.
OVER_TIME = ("gcbench", "rings", "larson", "server", "pause")


def _count(number):
    for exponent in range(9, 3, -1):
        times, rest = divmod(number, 10**exponent)
        if times and not rest:
            return f"10^{exponent}" if times == 1 else f"{times}·10^{exponent}"
    return str(number)


def named(work):
    """'rings of 10, 2 threads'; of `pause`, what runs beside instead."""
    workload, size, threads = work
    text = WORKLOADS[workload][1].format(_count(size))
    if workload == "pause":
        return f"{text}, {'nothing beside it' if threads == 1 else 'beside full collections'}"
    return ", ".join(filter(None, (text, f"{threads} thread{'s' if threads > 1 else ''}")))
