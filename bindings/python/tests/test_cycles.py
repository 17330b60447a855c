# SPDX-License-Identifier: MIT
"""Cycles through both heaps: Python objects that hold containers that hold them."""

import gc
import threading
import weakref

import pytest
from conftest import settle

import ouro


class Thing:
    def __init__(self, *held):
        self.held = list(held)


def check_collected(make, count=1):
    """make() returns Python objects of garbage: all of them go, and everything of ouro's with them."""
    before = settle()
    gone = [weakref.ref(thing) for thing in make()]
    assert len(gone) >= count and any(ref() is not None for ref in gone), "there was no cycle"
    gc.collect()
    gc.collect()
    ouro.gc.collect()
    assert not [ref for ref in gone if ref() is not None]
    assert settle(before) <= before


def test_simple():
    def make():
        thing = Thing(ouro.List())
        thing.held[0].append(thing)
        return [thing]

    check_collected(make)


@pytest.mark.parametrize("container", [lambda x: ouro.List([x]), lambda x: ouro.Tuple([x]), lambda x: ouro.Dict({"k": x}), lambda x: ouro.Dict({x: 1}),
                                       lambda x: ouro.Set([x]), lambda x: ouro.Record("r", field=x),
                                       lambda x: ouro.List([ouro.Dict({1: ouro.Tuple([ouro.Record("r", f=ouro.Set([x]))])})])],
                         ids=["list", "tuple", "value", "key", "set", "record", "deep"])
def test_through_each_container(container):
    def make():
        thing = Thing()
        thing.held.append(container(thing))
        return [thing]

    check_collected(make)


def test_other_shapes():
    def closure():
        l = ouro.List()

        def function():
            return l

        l.append(function)
        return [function]

    def method():
        thing = Thing(ouro.List())
        thing.held[0].append(thing.__init__)
        return [thing]

    def generator():
        def run(l):
            yield l

        thing = Thing()
        l = ouro.List([thing])
        thing.held.append(run(l))
        next(thing.held[0])
        return [thing]

    def subclass():
        class Mine(ouro.List):
            pass

        mine = Mine()
        mine.other = ouro.List([mine])
        return [mine]

    def builtin():
        thing, l = Thing(), ouro.List()
        l.append([{"a": (l, thing)}])
        return [thing]

    def two():
        a, b = Thing(), Thing()
        l, m = ouro.List([a]), ouro.Dict({"b": b})
        a.held.append(m)
        b.held.append(l)
        return [a, b]

    def itself_too():
        thing, l = Thing(), ouro.List()
        l.append(l)
        l.append(thing)
        thing.held += [l, thing]
        return [thing]

    def chain():
        things = [Thing() for _ in range(200)]
        for i, thing in enumerate(things):
            thing.held.append(ouro.List([ouro.List([things[i - 1]])]))
        return things

    def iterator():
        thing, l = Thing(), ouro.List()
        thing.held.append(iter(l))
        l.append(thing)
        return [thing]

    for make in (closure, method, generator, subclass, builtin, two, itself_too, chain, iterator):
        check_collected(make)


def test_what_is_held_stays():
    """From either side: a cycle that something leads to is no garbage."""
    thing = Thing(ouro.List())
    thing.held[0].append(thing)
    gone = weakref.ref(thing)
    outer = ouro.List([thing.held[0]])  # from ouro
    del thing
    for _ in range(3):
        gc.collect()
        ouro.gc.collect()
    assert gone() is not None and outer[0][0] is gone() and outer[0][0].held[0] is outer[0]
    inner = outer[0]  # from Python
    del outer
    gc.collect()
    assert gone() is not None and inner[0].held[0] is inner
    inner.clear()
    gc.collect()
    assert gone() is None


def test_wrappers_that_have_gone():
    """The way leads through containers that no Python object stands for any more."""
    before = settle()
    thing = Thing()
    deep = thing
    for i in range(50):
        deep = [ouro.List, lambda x: ouro.Dict({"k": x}), ouro.Tuple][i % 3]([deep]) if i % 3 != 1 else ouro.Dict({"k": deep})
    thing.held.append(deep)
    gone = weakref.ref(thing)
    del thing, deep
    gc.collect()
    ouro.gc.collect()
    assert gone() is None and settle(before) <= before


def test_weak_references_and_finalizers():
    seen = []

    class Finalized(Thing):
        def __del__(self):
            seen.append((len(self.held), self.held[0][0] is self))

    thing = Finalized(ouro.List())
    thing.held[0].append(thing)
    weakref.finalize(thing, seen.append, "finalize")
    ref = ouro.weakref.ref(thing.held[0], lambda ref: seen.append("weak"))
    del thing
    gc.collect()
    ouro.gc.collect()
    gc.collect()
    assert sorted(map(str, seen)) == ["(1, True)", "finalize", "weak"] and ref() is None


def test_resurrection():
    kept = []

    class Phoenix(Thing):
        def __del__(self):
            kept.append(self)

    thing = Phoenix(ouro.List([1]))
    thing.held[0].append(thing)
    del thing
    gc.collect()
    assert len(kept) == 1 and kept[0].held[0][0] == 1 and kept[0].held[0][1] is kept[0]
    gone = weakref.ref(kept[0])
    kept.clear()
    gc.collect()
    assert gone() is None


def test_finalizer_changes_everything():
    """What Python code does between two steps of Python's collector: nothing that is held may go."""
    keep = ouro.List()

    class Meddler(Thing):
        def __del__(self):
            keep.append(self.held[0])
            self.held[0].append(Thing(self.held[0]))

    for _ in range(20):
        thing = Meddler(ouro.List())
        thing.held[0].append(thing)
        del thing
        gc.collect()
    assert len(keep) == 20
    for l in keep:
        assert type(l[0]) is Meddler and l[0].held[0] is l and l[1].held[0] is l
    for l in keep:
        l.clear()
    keep.clear()


def test_automatic():
    """Without being asked for: programs that make such cycles do not grow for ever."""
    living = weakref.WeakSet()
    collections = count = 0
    for _ in range(3_000_000):
        thing = Thing(ouro.List())
        thing.held[0].append(thing)
        living.add(thing)
        collections += len(living) < count
        count = len(living)
        if collections == 3:
            break
    else:
        pytest.fail("nothing is collected")
    del thing
    gc.collect()
    assert len(living) == 0


def test_while_threads_change_the_graph():
    """Collections at any time, while threads move Python objects about in containers: what is held stays, what is not goes."""
    shared = ouro.List([ouro.List() for _ in range(20)])
    living, stop, failures = weakref.WeakSet(), [], []

    def work(seed):
        import random

        rng = random.Random(seed)
        try:
            while not stop:
                l, m = shared[rng.randrange(20)], shared[rng.randrange(20)]
                what = rng.randrange(6)
                if what < 3:
                    thing = Thing(l)
                    thing.number = seed
                    living.add(thing)
                    l.append(thing)
                elif what == 3 and len(l) and rng.random() < 0.2:  # more, and all that ever was would hang together
                    try:
                        m.append(l.pop())
                    except IndexError:
                        pass
                elif what == 4:
                    shared[rng.randrange(20)] = ouro.List()
                else:
                    for thing in l[:5]:
                        if type(thing) is not Thing or thing.number > 100 or len(thing.held) != 1:
                            failures.append(thing)
                if len(l) > 50:
                    l.clear()
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    drops = 0
    for _ in range(30):
        before = len(living)
        gc.collect()
        ouro.gc.collect()
        drops += len(living) < before
    stop.append(1)
    for thread in threads:
        thread.join()
    assert not failures and drops
    shared.clear()
    gc.collect()
    ouro.gc.collect()
    gc.collect()
    assert len(living) == 0
    del work


def test_large_graph():
    """A collection of Python's with many containers takes its time, and no more: the graph is looked at without recursion."""
    thing = Thing()
    chain = ouro.List([thing])
    for _ in range(100_000):
        chain = ouro.List([chain])
    thing.held.append(chain)
    gone = weakref.ref(thing)
    del thing, chain
    gc.collect()
    assert gone() is None


def test_shown_by_both():
    thing = Thing()
    l = ouro.List([thing])
    assert any(holder is l for holder in ouro.gc.get_referrers(thing))
    assert thing in ouro.gc.get_referents(l)
