# SPDX-License-Identifier: MIT
"""ouro.Dict behaves as dict does."""

import collections
import collections.abc
import copy
import operator
import pickle

import pytest
from conftest import outcome
from test_list import same

import ouro

KEYS = [None, True, False, 0, 1, 2, 1.0, 2.5, -1, 10**30, "a", "b", "", b"a", (), (1, "x"), "é", 2.0, frozenset([1])]

OPERATIONS = {
    "get": lambda d, k, v, o: d[k],
    "get or": lambda d, k, v, o: d.get(k),
    "get or other": lambda d, k, v, o: d.get(k, v),
    "set": lambda d, k, v, o: operator.setitem(d, k, v),
    "set again": lambda d, k, v, o: operator.setitem(d, k, k),
    "delete": lambda d, k, v, o: operator.delitem(d, k),
    "pop": lambda d, k, v, o: d.pop(k),
    "pop or": lambda d, k, v, o: d.pop(k, v),
    "popitem": lambda d, k, v, o: d.popitem(),
    "setdefault": lambda d, k, v, o: d.setdefault(k, v),
    "setdefault None": lambda d, k, v, o: d.setdefault(k),
    "contains": lambda d, k, v, o: k in d,
    "length": lambda d, k, v, o: len(d),
    "truth": lambda d, k, v, o: bool(d),
    "keys": lambda d, k, v, o: list(d),
    "keys view": lambda d, k, v, o: list(d.keys()),
    "values": lambda d, k, v, o: list(d.values()),
    "items": lambda d, k, v, o: list(d.items()),
    "reversed": lambda d, k, v, o: list(reversed(d)),
    "update": lambda d, k, v, o: d.update(o),
    "update with pairs": lambda d, k, v, o: d.update(list(o.items())),
    "update with names": lambda d, k, v, o: d.update(x=v, a=k),
    "or": lambda d, k, v, o: d | o,
    "or before": lambda d, k, v, o: o | d,
    "or in place": lambda d, k, v, o: operator.ior(d, o) and None,
    "copy": lambda d, k, v, o: d.copy(),
    "equal": lambda d, k, v, o: d == o,
    "equal to its copy": lambda d, k, v, o: d == d.copy(),
    "keys and": lambda d, k, v, o: d.keys() & o.keys(),
    "in items": lambda d, k, v, o: (k, v) in d.items(),
    "in values": lambda d, k, v, o: v in d.values(),
    "unhashable": lambda d, k, v, o: d[[]],
    "hash": lambda d, k, v, o: hash(d),
    "clear": lambda d, k, v, o: d.clear() if v == 0 else None,
    "fromkeys": lambda d, k, v, o: type(d).fromkeys(o, v),
    "update with other": lambda d, k, v, o: d.update(5),
    "less": lambda d, k, v, o: d < o,
}


def test_random_operations(rng):
    for _ in range(30):
        ours, builtin = ouro.Dict(), {}
        for _ in range(200):
            name = rng.choice(list(OPERATIONS))
            k, v = rng.choice(KEYS), rng.choice(KEYS)
            o = {rng.choice(KEYS): rng.choice(KEYS) for _ in range(rng.randrange(4))}
            before = dict(builtin)
            got, expected = (outcome(lambda: OPERATIONS[name](d, k, v, o)) for d in (ours, builtin))
            told = f"{name} of {before!r} with {k!r}, {v!r}, {o!r}"
            assert got[0] == expected[0] and same(got[1], expected[1]), f"{told}: {got} instead of {expected}"
            assert len(ours) == len(builtin) and list(ours.items()) == list(builtin.items()), told
            assert all(type(a) is type(b) for a, b in zip(ours, builtin)), told
            assert ours == builtin and builtin == ours and not ours != builtin, told


def test_making():
    assert ouro.Dict() == {} and ouro.Dict({"a": 1}, b=2) == {"a": 1, "b": 2} and ouro.Dict([("a", 1), ["b", 2]]) == {"a": 1, "b": 2}
    assert ouro.Dict(ouro.Dict(a=1)) == {"a": 1} and ouro.Dict(collections.ChainMap({"x": 1}, {"y": 2})) == {"x": 1, "y": 2}
    assert ouro.Dict(mapping_or_pairs=1) == {"mapping_or_pairs": 1} and ouro.Dict(self=1) == {"self": 1}
    assert list(ouro.Dict({i: -i for i in range(1000)}.items())) == list(range(1000))
    assert ouro.Dict([(1, "a"), (True, "b")]) == {1: "b"} and list(ouro.Dict([(True, "a"), (1, "b")])) == [True]


def test_protocols():
    d = ouro.Dict(a=1, b=2)
    assert isinstance(d, collections.abc.MutableMapping) and isinstance(d, collections.abc.Mapping)
    assert isinstance(d.keys(), collections.abc.KeysView) and isinstance(d.items(), collections.abc.ItemsView)
    match d:
        case {"a": one, **rest}:
            assert one == 1 and rest == {"b": 2}
        case _:
            raise AssertionError("not matched as a mapping")
    assert dict(d) == {"a": 1, "b": 2} and dict(**d) == d and {**d} == d
    keys = d.keys()
    d["c"] = 3
    assert list(keys) == ["a", "b", "c"] and len(keys) == 3 and "c" in keys and keys == {"a", "b", "c"} and keys.mapping is d
    assert repr(d.values()) == "ValuesView([1, 2, 3])" and list(reversed(d.items()))[0] == ("c", 3)
    assert "%(a)s" % d == "1" and "{a}".format_map(d) == "1"


def test_changes_while_iterating():
    d = ouro.Dict({i: i for i in range(10)})
    for key in d:
        d[key] += 1
    assert list(d.values()) == list(range(1, 11))
    for view in (d, d.values(), d.items()):
        iterator = iter(view)
        next(iterator)
        d["new"] = 1
        with pytest.raises(ouro.OuroRuntimeError, match="changed"):
            next(iterator)
        del d["new"]
        with pytest.raises(RuntimeError):
            next(iterator)


def test_keys_by_value():
    d = ouro.Dict()
    d[ouro.Tuple((1, ouro.Tuple("x")))] = 1
    assert d[ouro.Tuple((1, ouro.Tuple("x")))] == 1
    d[(1, ("x",))] = 2
    assert d[(1, ("x",))] == 2
    for bad in (ouro.List(), ouro.Dict(), ouro.Set(), ouro.Record("r"), ouro.Tuple([ouro.List()]), [], {}):
        for attempt in (lambda: d[bad], lambda: operator.setitem(d, bad, 1), lambda: bad in d, lambda: d.get(bad), lambda: d.pop(bad, 1),
                        lambda: d.setdefault(bad), lambda: ouro.Dict([(bad, 1)]), lambda: ouro.Set([bad])):
            with pytest.raises(TypeError, match="unhashable"):
                attempt()


def test_keys_with_their_own_mind():
    class Key:
        def __init__(self, number):
            self.number = number

        def __hash__(self):
            if self.number < 0:
                raise ZeroDivisionError
            return 7

        def __eq__(self, other):
            if not isinstance(other, Key):
                return NotImplemented
            if 99 in (self.number, other.number):
                raise OverflowError
            return self.number == other.number

    d = ouro.Dict({Key(i): i for i in range(20)})
    assert [d[Key(i)] for i in range(20)] == list(range(20)) and Key(50) not in d
    with pytest.raises(ZeroDivisionError):
        d[Key(-1)]
    with pytest.raises(OverflowError):
        d[Key(99)] = 1
    assert len(d) == 20

    class Clearing:
        def __hash__(self):
            return 7

        def __eq__(self, other):
            d.clear()
            return False

    try:
        d[Clearing()] = 1
    except RuntimeError:
        pass
    assert len(d) <= 1


def test_missing():
    class Default(ouro.Dict):
        def __missing__(self, key):
            return key * 2

    assert Default()[4] == 8 and Default({4: 1})[4] == 1
    with pytest.raises(KeyError):
        ouro.Dict()[4]


def test_cycles():
    d = ouro.Dict(a=1)
    d["self"] = d
    assert repr(d) == "ouro.Dict({'a': 1, 'self': ouro.Dict({...})})" and d["self"]["self"] is d


def test_pickle_and_copy():
    shared = ouro.List()
    d = ouro.Dict({"a": shared, 2: shared})
    d["self"] = d
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        back = pickle.loads(pickle.dumps(d, protocol))
        assert type(back) is ouro.Dict and back["a"] is back[2] and back["self"] is back and list(back) == ["a", 2, "self"]
    shallow, deep = copy.copy(d), copy.deepcopy(d)
    assert shallow["a"] is shared and shallow["self"] is d and deep["a"] is deep[2] is not shared and deep["self"] is deep


def test_large():
    n = 100_000
    d = ouro.Dict({i: str(i) for i in range(n)})
    assert len(d) == n and d[n - 1] == str(n - 1)
    d.update(ouro.Dict({i: -i for i in range(0, n, 2)}))
    assert d.copy() == d and sum(type(v) is int for v in d.values()) == n // 2
    d.clear()
    assert not d
