# SPDX-License-Identifier: MIT
"""Cycles through both heaps: Python objects that hold containers that hold them."""

import gc
import threading
import time
import weakref

import pytest
from conftest import run, settle

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
    drops = rounds = 0
    until = time.monotonic() + 60
    while rounds < 30 or not drops and time.monotonic() < until:  # the threads may not have begun
        before = len(living)
        gc.collect()
        ouro.gc.collect()
        drops += len(living) < before
        rounds += 1
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


def test_finalizers_that_use_their_containers():
    """What a finalizer has used is left for the next collection, and no longer, however much new garbage that one finds."""
    class Eager(Thing):
        def __del__(self):
            self.held[0].append(1)

    class ByReference(Thing):
        def __del__(self):
            self.held[1]().append(1)

    refs, most = [], 0
    for round in range(20):
        for kind in (Eager, ByReference) * 5:
            thing = kind(ouro.List())
            thing.held[0].append(ouro.List([thing]))
            thing.held.append(ouro.weakref.ref(thing.held[0]))
            refs.append(weakref.ref(thing, lambda ref: refs.remove(ref)))
            del thing
        gc.collect()
        most = max(most, len([o for o in gc.get_objects() if isinstance(o, (Eager, ByReference))]))
    assert most == 10
    gc.collect()
    assert not [o for o in gc.get_objects() if isinstance(o, (Eager, ByReference))]


def test_collections_deep_within_deaths():
    """From some depth on Python puts off what dies within deaths (its trashcan), also what a collection there has needed."""
    assert run("""
        import gc, ouro

        class Nest:
            def __init__(self, depth): self.inner = Nest(depth - 1) if depth else None
            def __del__(self):
                if not self.inner:
                    for _ in range(3):
                        thing = Thing()
                        thing.held = ouro.List([thing, ouro.List([thing])])
                        del thing
                        collected.append(gc.collect())

        class Thing:
            held = None
            def __del__(self): ouro.List([self.held]).append(3)

        collected = []
        for depth in range(70):
            nest = Nest(depth)
            held = ouro.List([Thing.__new__(Thing), ouro.List([nest])])
            del nest, held
        gc.collect()
        print(len(collected), sum(map(bool, collected)) >= 60)
    """) == "210 True\n"


def test_garbage_in_ouro_alone_goes_with_it():
    """What Python has cleared cannot be met by a weak reference to a container that held it."""
    thing, l = Thing(), ouro.List()
    l.append(thing)
    l.append(l)
    thing.held = l
    ref, gone = ouro.weakref.ref(l), weakref.ref(thing)
    del thing, l
    gc.collect()
    assert ref() is None and gone() is None


@pytest.mark.parametrize("generation", [0, 2])
@pytest.mark.parametrize("how", ["object", "callback"])
def test_wrappers_shown_while_others_are_cleared(how, generation):
    """A wrapper that Python has found to be garbage is shown again to code that runs while it clears: then it stays what it is."""
    assert run(f"""
        import gc, ouro
        gc.disable()
        root, got = ouro.List([ouro.List([1, 2, 3])]), []
        class Late:
            def __del__(self): got.append(root[0])
        class Thing:
            def __del__(self): self.late = Late()
        if "{how}" == "object":
            a = Thing()
            a.itself = a
        else:
            a = [ouro.List()]
            a.append(a)
            ref = ouro.weakref.ref(a[0], lambda ref: got.append(root[0]))
        b = [root[0]]
        b.append(b)
        del a, b
        gc.collect({generation})
        print(got)
        got.clear()
        gc.collect()
        print(len(root))
    """) == "[ouro.List([1, 2, 3])]\n1\n"


def test_other_callbacks_at_collections():
    """Also after somebody else has looked at the mirrors, what a finalizer takes out of its container is left alone."""
    assert run("""
        import gc, ouro
        gc.disable()
        class Thing: pass
        class Last(Thing):
            def __del__(self): kept.append(self.held.pop())
        def callback(phase, info):
            if phase == "start": gc.get_referrers(callback)
        gc.callbacks.append(callback)
        kept, last, other = [], Last(), Thing()
        other.name, other.itself = "other", [other]
        last.held = ouro.List([last, other])
        del last, other
        gc.collect()
        print(kept[0].name)
    """) == "other\n"


def test_mirrors_outlive_their_collection():
    """A finalizer takes the callback away by which the end of a collection would be known."""
    assert run("""
        import gc, ouro
        gc.disable()
        class Thing: pass
        class Last:
            def __del__(self): gc.callbacks.clear()
        keep = ouro.List()
        for _ in range(50):
            thing = Thing()
            thing.held = keep
            keep.append(thing)
            del thing
        last = Last()
        last.itself = last
        del last
        gc.collect()
        taken = keep.pop()
        taken.name = "taken"
        cycle = [keep]
        cycle.append(cycle)
        keep.clear()
        del cycle, keep
        gc.collect()
        print(taken.name)
    """) == "taken\n"


def test_mirrors_of_what_has_gone():
    """What a finalizer has dropped is not to be seen by way of mirrors."""
    assert run("""
        import gc, ouro
        gc.disable()
        class Thing: pass
        class Last:
            def __del__(self):
                keep.clear()
                print(len(gc.get_referents(*[o for o in gc.get_objects() if type(o).__name__ == "_Mirror"])) < 1100)
        keep = ouro.List([Thing() for _ in range(1000)])
        last = Last()
        last.itself = last
        del last
        gc.collect()
    """) == "True\n"


def test_all_objects_asked_for_while_python_collects():
    """Another thread's get_objects() takes its time; what it gives has not been cleared."""
    assert run("""
        import gc, ouro, threading, time
        gc.disable()
        ballast = ouro.List([ouro.List() for _ in range(400_000)])
        class Thing:
            def __init__(self): self.name = "thing"
        class Last(Thing):
            def __del__(self):
                go.set()
                time.sleep(0.003)
        go, met = threading.Event(), []
        def work():
            go.wait()
            for o in ouro.gc.get_objects():
                if type(o) is ouro.List and len(o) == 2: met.extend(o)
        thread = threading.Thread(target=work)
        thread.start()
        thing, last = Thing(), Last()
        last.thing = thing
        thing.held = ouro.List([thing, last])
        del thing, last
        gc.collect()
        thread.join()
        print(all(thing.name == "thing" for thing in met))
    """) == "True\n"


def test_shown_by_both():
    thing = Thing()
    l = ouro.List([thing])
    assert any(holder is l for holder in ouro.gc.get_referrers(thing))
    assert thing in ouro.gc.get_referents(l)
