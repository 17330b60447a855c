# SPDX-License-Identifier: MIT
"""ouro.gc has the names, signatures and meanings of Python's gc."""

import gc as python
import inspect
import threading

import pytest
from conftest import wait_until

import ouro
from ouro import gc


def cycle():
    l = ouro.List()
    l.append(ouro.Dict(back=l))
    return l


def test_names():
    names = {name for name in dir(python) if not name.startswith("_")}
    assert names <= set(dir(gc)) | {"garbage"} and hasattr(gc, "garbage")
    for flag in ("STATS", "COLLECTABLE", "UNCOLLECTABLE", "SAVEALL", "LEAK"):
        assert getattr(gc, f"DEBUG_{flag}") == getattr(python, f"DEBUG_{flag}")
    assert inspect.signature(gc.collect).parameters["generation"].default == 2


def test_collect():
    gc.collect()
    for _ in range(100):
        cycle()
    assert gc.collect() >= 200 and gc.collect() == 0
    for young in (0, 1):
        cycle()
        assert gc.collect(young) == 2
    cycle()
    assert gc.collect(generation=2) == 2


def test_enable():
    assert gc.isenabled() is True
    gc.disable()
    assert gc.isenabled() is False
    gc.enable()
    with gc.disabled():
        assert not gc.isenabled()
        with gc.disabled():
            pass
        assert not gc.isenabled()
    assert gc.isenabled()


def test_thresholds():
    before = gc.get_threshold()
    assert type(before) is tuple and len(before) == 3
    gc.set_threshold(1000)
    assert gc.get_threshold() == (1000, *before[1:])
    gc.set_threshold(1000, 10, 5)
    assert gc.get_threshold() == (1000, 10, 5)
    gc.set_threshold(*before)
    assert gc.get_threshold() == before
    count = gc.get_count()
    assert type(count) is tuple and len(count) == 3 and all(type(n) is int for n in count)


def test_stats():
    before = gc.get_stats()
    assert len(before) == 3 and all({"collections", "collected", "uncollectable"} <= set(one) for one in before)
    cycle()
    found = gc.collect()
    after = gc.get_stats()
    assert after[2]["collections"] == before[2]["collections"] + 1 and after[2]["collected"] - before[2]["collected"] == found


def test_callbacks():
    seen = []

    def callback(phase, info):
        seen.append((phase, dict(info), threading.get_ident()))

    gc.callbacks.append(callback)
    try:
        cycle()
        found = gc.collect()
    finally:
        gc.callbacks.remove(callback)
    mine = [(phase, info) for phase, info, thread in seen if info["generation"] == 2]
    assert [phase for phase, _ in mine][:2] == ["start", "stop"]
    assert mine[0][1]["collected"] == 0 and mine[1][1]["collected"] == found and mine[1][1]["uncollectable"] == 0
    assert mine[1][1]["candidates"] >= found and mine[1][1]["duration"] > 0
    count = len(seen)
    gc.collect()
    assert len(seen) == count


def test_failing_callback(capsys):
    def callback(phase, info):
        raise ZeroDivisionError("in a callback")

    gc.callbacks.append(callback)
    try:
        with pytest.warns() if False else pytest.MonkeyPatch.context() as patch:
            caught = []
            patch.setattr("sys.unraisablehook", caught.append)
            gc.collect()
    finally:
        gc.callbacks.remove(callback)
    assert {one.exc_type for one in caught} == {ZeroDivisionError}


def test_objects():
    l, d = ouro.List(), ouro.Dict()
    l.append(d)
    assert any(one is l for one in gc.get_objects()) and any(one is d for one in gc.get_objects())
    generations = [gc.get_objects(generation) for generation in range(3)]
    assert generations[0] == [] and sum(one is l for objects in generations for one in objects) == 1


def test_referents_and_referrers():
    inner, obj = ouro.List([1]), object()
    l, d, t, r = ouro.List([inner, "x", obj]), ouro.Dict(k=inner), ouro.Tuple([inner]), ouro.Record("r", f=inner)
    assert gc.get_referents(l)[0] is inner and "x" in gc.get_referents(l) and obj in gc.get_referents(l)
    assert any(one is inner for one in gc.get_referents(d)) and gc.get_referents() == [] and gc.get_referents(5) == []
    assert gc.get_referents([l]) == [l]
    referrers = gc.get_referrers(inner)
    for one in (l, d, t, r):
        assert any(one is referrer for referrer in referrers)
    assert len(referrers) == 4
    assert len(gc.get_referrers(obj)) == 1 and gc.get_referrers(obj)[0] is l
    assert gc.get_referrers(l) == []


def test_is_tracked():
    assert gc.is_tracked(ouro.List()) and gc.is_tracked(ouro.Dict()) and not gc.is_tracked(5) and gc.is_tracked([])
    assert not gc.is_tracked(ouro.Tuple([1, "a"])) and gc.is_tracked(ouro.Tuple([ouro.List()]))
    assert gc.is_finalized(ouro.List()) is False and gc.is_finalized(5) is False


def test_freeze():
    l = cycle()
    gc.freeze()
    try:
        assert gc.get_freeze_count() >= 2
        assert not any(one is l for one in gc.get_objects())
        del l
        gc.collect()
    finally:
        gc.unfreeze()
    assert gc.get_freeze_count() == 0
    assert gc.collect() >= 2


def test_garbage():
    gc.collect()
    gc.set_debug(gc.DEBUG_SAVEALL)
    assert gc.get_debug() == gc.DEBUG_SAVEALL
    try:
        l = cycle()
        address = ouro._ouro.address(l)
        del l
        gc.collect()
        assert address in {ouro._ouro.address(one) for one in gc.garbage} and isinstance(gc.garbage, list)
    finally:
        gc.set_debug(0)
    gc.garbage.clear()
    assert gc.garbage == [] and gc.collect() >= 2


def test_automatic():
    """Cycles of shared objects go by themselves, as the heap grows."""
    before = gc.get_stats()
    for _ in range(200_000):
        cycle()
    assert ouro.mem.live_objects() < 600_000
    assert wait_until(lambda: gc.get_stats() != before)


def test_finalizers_of_garbage():
    """Python objects that only a garbage cycle of ouro's holds are let go of by the time collect() returns."""
    import weakref

    class Thing:
        pass

    things = [Thing() for _ in range(100)]
    refs = [weakref.ref(thing) for thing in things]
    for thing in things:
        l = cycle()
        l.append(thing)
    del thing, things, l
    gc.collect()
    assert [ref() for ref in refs] == [None] * 100
