# SPDX-License-Identifier: MIT
"""ouro.Set behaves as set does."""

import collections.abc
import copy
import operator
import pickle

import pytest
from conftest import outcome
from test_dict import KEYS

import ouro


def discard_one(s):
    """pop gives any element: the same one for both."""
    for item in sorted(s, key=lambda item: (hash(item), isinstance(item, str), isinstance(item, bytes)))[:1]:
        s.discard(item)


OPERATIONS = {
    "add": lambda s, k, o: s.add(k),
    "discard": lambda s, k, o: s.discard(k),
    "remove": lambda s, k, o: s.remove(k),
    "discard one": lambda s, k, o: discard_one(s),
    "contains": lambda s, k, o: k in s,
    "length": lambda s, k, o: len(s),
    "truth": lambda s, k, o: bool(s),
    "iterate": lambda s, k, o: set(s),
    "update": lambda s, k, o: s.update(o, [k]),
    "union": lambda s, k, o: s.union(o, [k]),
    "union of none": lambda s, k, o: s.union(),
    "intersection": lambda s, k, o: s.intersection(o),
    "difference": lambda s, k, o: s.difference(list(o), [k]),
    "symmetric difference": lambda s, k, o: s.symmetric_difference(o),
    "intersection update": lambda s, k, o: s.intersection_update(list(o) + [k]),
    "difference update": lambda s, k, o: s.difference_update(o),
    "symmetric difference update": lambda s, k, o: s.symmetric_difference_update(o),
    "or": lambda s, k, o: s | o,
    "or before": lambda s, k, o: o | s,
    "and": lambda s, k, o: s & o,
    "and before": lambda s, k, o: o & s,
    "minus": lambda s, k, o: s - o,
    "minus before": lambda s, k, o: o - s,
    "xor": lambda s, k, o: s ^ o,
    "xor before": lambda s, k, o: o ^ s,
    "or in place": lambda s, k, o: operator.ior(s, o) and None,
    "and in place": lambda s, k, o: operator.iand(s, o | {k}) and None,
    "minus in place": lambda s, k, o: operator.isub(s, o) and None,
    "xor in place": lambda s, k, o: operator.ixor(s, o) and None,
    "equal": lambda s, k, o: s == o,
    "less": lambda s, k, o: s < o,
    "less or equal": lambda s, k, o: s <= s | o,
    "greater": lambda s, k, o: s | {k} > s,
    "greater or equal": lambda s, k, o: s >= o,
    "subset": lambda s, k, o: s.issubset(list(o)),
    "superset": lambda s, k, o: s.issuperset(list(o)),
    "disjoint": lambda s, k, o: s.isdisjoint(o),
    "copy": lambda s, k, o: s.copy(),
    "clear": lambda s, k, o: s.clear() if k == 0 else None,
    "or other": lambda s, k, o: s | [1],
    "update with other": lambda s, k, o: s.update(5),
    "add unhashable": lambda s, k, o: s.add([]),
    "hash": lambda s, k, o: hash(s),
}


def test_random_operations(rng):
    for _ in range(30):
        ours, builtin = ouro.Set(), set()
        for _ in range(200):
            name = rng.choice(list(OPERATIONS))
            k, o = rng.choice(KEYS), {rng.choice(KEYS) for _ in range(rng.randrange(5))}
            before = set(builtin)
            got, expected = (outcome(lambda: OPERATIONS[name](s, k, o)) for s in (ours, builtin))
            told = f"{name} of {before!r} with {k!r}, {o!r}"
            assert got == expected, f"{told}: {got} instead of {expected}"
            assert len(ours) == len(builtin) and set(ours) == builtin and ours == builtin and builtin == ours and not ours != builtin, told
            if expected[0] == "is" and isinstance(expected[1], set) and name != "iterate":
                assert type(got[1]) is ouro.Set, told


def test_protocols():
    s = ouro.Set("abca")
    assert isinstance(s, collections.abc.MutableSet) and not isinstance(s, collections.abc.Hashable)
    assert list(s) == ["a", "b", "c"] and repr(s) == "ouro.Set({'a', 'b', 'c'})" and repr(ouro.Set()) == "ouro.Set()"
    assert s == frozenset("abc") and s != ["a", "b", "c"] and s & {"a": 1}.keys() == {"a"} and ouro.Set(ouro.Set([1])) == {1}
    assert frozenset("ab") in ouro.Set([frozenset("ab")]) and set("ab") in ouro.Set([frozenset("ab")])
    assert s.pop() in "abc" and len(s) == 2
    with pytest.raises(KeyError):
        ouro.Set().pop()
    s = ouro.Set([1])
    s.__init__([2])
    assert s == {2}


def test_changes_while_iterating():
    s = ouro.Set(range(5))
    it = iter(s)
    next(it)
    s.add(9)
    with pytest.raises(RuntimeError):
        next(it)


def test_pickle_and_copy():
    s = ouro.Set([1, "a", (2,)])
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        back = pickle.loads(pickle.dumps(s, protocol))
        assert type(back) is ouro.Set and back == s
    assert copy.copy(s) == s and copy.copy(s) is not s and copy.deepcopy(s) == s


def test_large():
    a, b = ouro.Set(range(100_000)), ouro.Set(range(50_000, 150_000))
    assert len(a & b) == 50_000 and len(a | b) == 150_000 and len(a - b) == 50_000 and len(a ^ b) == 100_000
    assert not a <= b and a >= ouro.Set(range(10)) and not a.isdisjoint(b)
