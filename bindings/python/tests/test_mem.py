# SPDX-License-Identifier: MIT
"""ouro.mem: sizes, statistics, limits; tracemalloc."""

import contextlib
import gc
import io
import sys
import tracemalloc

import pytest
from conftest import live

import ouro
from ouro import mem


def test_names():
    for name in ("getsizeof", "getrefcount", "getallocatedblocks", "intern"):
        assert callable(getattr(mem, name)) and callable(getattr(sys, name))


def test_getsizeof():
    empty, full = ouro.List(), ouro.List(range(1000))
    assert mem.getsizeof(full) >= mem.getsizeof(empty) + 8000 and mem.getsizeof(empty) >= 16
    assert sys.getsizeof(full) > mem.getsizeof(full)  # with the Python object
    assert mem.getsizeof(ouro.Dict({i: i for i in range(100)})) > 1600 and mem.getsizeof(ouro.Record("r", a=1, b=2)) >= 16
    assert mem.getsizeof([1]) == sys.getsizeof([1]) and mem.getsizeof([1], 5) == sys.getsizeof([1])
    inner = ouro.List(range(100))
    assert mem.total_size(ouro.List([inner, inner])) >= mem.getsizeof(inner) + mem.getsizeof(ouro.List([1, 2]))
    assert mem.total_size(ouro.List([inner, inner])) < 2 * mem.getsizeof(inner)
    cyclic = ouro.List()
    cyclic.append(cyclic)
    assert mem.total_size(cyclic) >= mem.getsizeof(cyclic)
    cyclic.clear()
    with pytest.raises(ouro.OuroTypeError, match="object must be one of ouro's, not list"):
        mem.total_size([])


def test_getrefcount():
    l = ouro.List()
    assert mem.getrefcount(l) == 1
    outer = ouro.List([l, l])
    assert mem.getrefcount(l) == 3
    outer.pop()
    assert mem.getrefcount(l) == 2
    thing = object()
    assert mem.getrefcount(thing) == sys.getrefcount(thing)


def test_statistics():
    live()
    before = mem.stats()
    l = ouro.List(range(100_000))
    live()
    after = mem.stats()
    assert after["live_bytes"] - before["live_bytes"] >= 800_000 and after["live_objects"] - before["live_objects"] == 2
    assert mem.live_bytes() >= 800_000 and mem.live_objects() == mem.getallocatedblocks() == after["live_objects"]
    assert after["committed_bytes"] >= after["live_bytes"] and after["reserved_bytes"] >= after["committed_bytes"]
    del l
    assert live() == before["live_objects"]
    assert mem.trim() >= 0
    text = io.StringIO()
    mem.debugmallocstats(text)
    assert "live_objects" in text.getvalue()


def test_limit():
    l = ouro.List()
    with mem.limit(soft=1 << 20, hard=mem.stats()["committed_bytes"] + (4 << 20)):
        assert mem.stats()["soft_limit"] == 1 << 20
        with pytest.raises(ouro.OuroMemoryError, match="out of memory|limit"):
            while True:
                l.append(b"x" * 5000)
    assert mem.stats()["hard_limit"] == mem.stats()["soft_limit"] == 0
    l.append(b"x" * 5000)
    for bad, error in (((-1, 0), ValueError), ((5, 2), ValueError), (("x", 0), TypeError)):
        with pytest.raises(error):
            mem.set_limit(*bad)


@contextlib.contextmanager
def tracing():
    tracemalloc.start()
    try:
        yield
    finally:
        tracemalloc.stop()


def traced():
    snapshot = tracemalloc.take_snapshot().filter_traces([tracemalloc.DomainFilter(True, mem.TRACEMALLOC_DOMAIN)])
    return snapshot.statistics("lineno")


def test_tracemalloc():
    """What is made from Python is shown with the line that made it, or last changed its size, until it is gone."""
    before_tracing = ouro.List()
    with tracing():
        small = ouro.List([1, 2])
        many = [ouro.Dict({"a": 1}) for _ in range(50)]
        found = traced()
        assert all(statistic.traceback[0].filename == __file__ for statistic in found)
        assert sorted(statistic.count for statistic in found)[-1] >= 50
        sizes = {statistic.traceback[0].lineno: statistic.size for statistic in found}
        line = test_tracemalloc.__code__.co_firstlineno + 4
        assert sizes[line] >= mem.getsizeof(small)
        small.extend(range(10_000))
        assert max(statistic.size for statistic in traced()) >= 80_000  # now with this line: as for what is reallocated
        del many
        small.append(small)
        del small
        ouro.gc.collect()
        gc.collect()
        assert sum(statistic.count for statistic in traced()) == 0
        before_tracing.append(1)
        copies = [before_tracing[:], before_tracing.copy(), ouro.convert([[1]]), ouro.Tuple([1]) + (2,), ouro.Set([1]) | {2}, ouro.Record("r", a=1)]
        assert sum(statistic.count for statistic in traced()) >= len(copies)
        del copies
    assert tracemalloc.get_traced_memory() == (0, 0)


def test_tracing_off_and_on():
    kept = []
    for _ in range(3):
        with tracing():
            kept.append(ouro.List([ouro.List(), "text" * 50]))
        kept.append(ouro.List([1]))
    with tracing():
        del kept
        gc.collect()
        assert traced() == []
