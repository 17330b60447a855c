# SPDX-License-Identifier: MIT
"""ouro.weakref has the names, signatures and meanings of Python's weakref."""

import gc
import threading
import weakref as python

import pytest

import ouro
from ouro import weakref


class Thing:
    pass


def test_names():
    assert set(python.__all__) <= set(dir(weakref))
    assert weakref.ReferenceType is weakref.ref


def test_ref():
    l = ouro.List([1])
    r = weakref.ref(l)
    assert r() is l and "ouro.List" in repr(r) and r.__callback__ is None and isinstance(r, weakref.ref)
    holder = ouro.List([l])
    del l
    assert r() == [1]  # the wrapper is gone, the object is not
    holder.clear()
    assert r() is None and "dead" in repr(r)
    with pytest.raises(TypeError):
        r(1)


def test_equality_and_hash():
    t, u = ouro.Tuple([1]), ouro.Tuple([1])
    a, b = weakref.ref(t), weakref.ref(u)
    assert a == b and hash(a) == hash(t) and {a: 1}[b] == 1 and a != 5
    del t
    assert a != b and a == a and hash(a) == hash((1,))
    with pytest.raises(TypeError):
        hash(weakref.ref(ouro.List()))
    dead = weakref.ref(ouro.Tuple([5]))
    with pytest.raises(TypeError, match="no longer there"):
        hash(dead)


def test_callback():
    l, seen = ouro.List(), []
    r = weakref.ref(l, seen.append)
    assert r.__callback__ == seen.append
    other = weakref.ref(l, lambda ref: seen.append("not kept"))
    del other
    del l
    assert seen == [r] and r.__callback__ is None and r() is None


def test_callback_fails(monkeypatch):
    caught = []
    monkeypatch.setattr("sys.unraisablehook", lambda unraisable: caught.append(unraisable.exc_type))
    l = ouro.List()
    r = weakref.ref(l, lambda ref: 1 / 0)
    del l
    assert caught == [ZeroDivisionError] and r() is None


def test_callback_of_garbage_cycle():
    l, seen = ouro.List(), []
    l.append(l)
    r = weakref.ref(l, lambda ref: seen.append(ref()))
    del l
    assert seen == []
    ouro.gc.collect()
    assert seen == [None] and r() is None


def test_callback_cycle_is_collected():
    """A reference whose callback holds it is garbage like any other."""
    l, thing = ouro.List(), Thing()
    thing.ref = weakref.ref(l, thing.__class__.__init__)
    thing.ref2 = weakref.ref(l, lambda ref, thing=thing: None)
    gone = python.ref(thing)
    del thing
    gc.collect()
    assert gone() is None


def test_other_objects():
    thing = Thing()
    r = weakref.ref(thing)
    assert type(r) is python.ref and r() is thing and weakref.getweakrefcount(thing) == 1 and weakref.getweakrefs(thing) == [r]
    assert weakref.proxy(thing).__class__ is Thing
    with pytest.raises(TypeError):
        weakref.ref(5)

    class Mine(ouro.List):
        pass

    mine = Mine()
    r = weakref.ref(mine)
    assert r() is mine
    del mine
    assert r() is None


def test_subclass():
    class Keyed(weakref.ref):
        def __new__(cls, object, callback, key):
            self = super().__new__(cls, object, callback)
            self.key = key
            return self

        def __init__(self, object, callback, key):
            super().__init__(object, callback)

    l, seen = ouro.List(), []
    r = Keyed(l, lambda ref: seen.append(ref.key), "key")
    assert r() is l and r.key == "key"
    del l
    assert seen == ["key"]


def test_count():
    l = ouro.List()
    refs = [weakref.ref(l) for _ in range(3)]
    assert weakref.getweakrefcount(l) == 3 and {id(r) for r in weakref.getweakrefs(l)} == {id(r) for r in refs}
    del refs[0]
    assert weakref.getweakrefcount(l) == 2 and weakref.getweakrefcount(ouro.List()) == 0


def test_proxy():
    l, gone = ouro.List([1, 2]), []
    p = weakref.proxy(l, lambda proxy: gone.append(1))
    p.append(3)
    assert len(p) == 3 and p[0] == 1 and list(p) == [1, 2, 3] and 2 in p and p == [1, 2, 3] and p + [4] == [1, 2, 3, 4] and bool(p)
    assert isinstance(p, ouro.List) and "weakproxy" in repr(p) and str(p) == "ouro.List([1, 2, 3])" and p * 2 == l * 2 and p < [2]
    p[0] = 9
    del p[1]
    assert l == [9, 3] and type(p) in weakref.ProxyTypes
    r = weakref.proxy(ouro.Record("r", x=1))
    with pytest.raises(ReferenceError):
        r.x
    record = ouro.Record("r", x=1)
    r = weakref.proxy(record)
    r.x += 1
    assert record.x == 2
    with pytest.raises(TypeError):
        hash(p)
    del l
    assert gone == [1]
    for attempt in (lambda: len(p), lambda: p[0], lambda: p.append(1), lambda: p == [], lambda: bool(p), lambda: iter(p)):
        with pytest.raises(ouro.OuroReferenceError):
            attempt()


def test_finalize():
    l, seen = ouro.List(), []
    f = weakref.finalize(l, lambda *args, **kwargs: seen.append((args, kwargs)) or "result", 1, x=2)
    assert f.alive and f.atexit and f.peek()[0] is l and f.peek()[2:] == ((1,), {"x": 2}) and "for 'List'" in repr(f)
    del l
    assert seen == [((1,), {"x": 2})] and not f.alive and f() is None and f.peek() is None and f.detach() is None and "dead" in repr(f)
    l = ouro.List()
    f = weakref.finalize(l, lambda: "result")
    f.atexit = False
    assert not f.atexit and f() == "result" and f() is None
    f = weakref.finalize(l, seen.append)
    assert f.detach()[0] is l and not f.alive
    thing = Thing()
    f = weakref.finalize(thing, seen.append, "thing")
    del thing
    assert seen[-1] == "thing"


def test_weak_value_dictionary():
    d, l, thing = weakref.WeakValueDictionary(), ouro.List([1]), Thing()
    d["l"], d["t"] = l, thing
    assert d["l"] is l and len(d) == 2 and set(d) == {"l", "t"} and "l" in d and dict(d.items())["t"] is thing and d.get("x") is None
    assert len(d.valuerefs()) == 2 and len(d.copy()) == 2 and d.setdefault("l", 5) is l and d.pop("t") is thing
    d["l"] = l
    del l
    assert "l" not in d and len(d) == 0 and d._refs == {}
    with pytest.raises(KeyError):
        d["l"]
    with pytest.raises(TypeError):
        d["x"] = 5


def test_weak_key_dictionary():
    d, l, m, t = weakref.WeakKeyDictionary(), ouro.List(), ouro.List(), ouro.Tuple([1])
    d[l], d[m], d[t] = 1, 2, 3
    assert d[l] == 1 and d[m] == 2 and d[ouro.Tuple([1])] == 3 and len(d) == 3 and l in d and ouro.List() not in d and 5 not in d
    d[l] = 4
    assert d[l] == 4 and {id(k) for k in d} == {id(l), id(m), id(t)} and sorted(d.values()) == [2, 3, 4]
    del d[m]
    assert len(d) == 2 and m not in d
    with pytest.raises(KeyError):
        d[m]
    del l, t
    assert len(d) == 0 and d._items == {}


def test_weak_set():
    l, t = ouro.List(), Thing()
    s = weakref.WeakSet([l, t])
    assert l in s and t in s and len(s) == 2 and ouro.List() not in s and s <= s | {t}
    s.discard(t)
    assert len(s) == 1 and list(s)[0] is l
    del l
    assert len(s) == 0


def test_threads():
    """References are made, asked and dropped while their targets die."""
    shared, seen, stop = ouro.List([None] * 20), [], []

    def change():
        for i in range(3000):
            shared[i % 20] = ouro.List([i])

    def ask():
        refs = []
        while not stop:
            for i in range(20):
                target = shared[i]
                if target is not None:
                    refs.append(weakref.ref(target, seen.append if i % 2 else None))
            for r in refs:
                target = r()
                assert target is None or len(target) == 1
            del refs[::2]

    changing = [threading.Thread(target=change) for _ in range(3)]
    asking = [threading.Thread(target=ask) for _ in range(3)]
    for thread in changing + asking:
        thread.start()
    for thread in changing:
        thread.join()
    stop.append(1)
    for thread in asking:
        thread.join()
    assert all(r() is None for r in seen)
