# SPDX-License-Identifier: MIT
"""ouro.Tuple behaves as tuple does."""

import collections.abc
import copy
import pickle

import pytest
from conftest import outcome
from test_list import VALUES, random_index, random_slice, same

import ouro

OPERATIONS = {
    "index": lambda t, v, i, s, vs: t.index(v),
    "index from": lambda t, v, i, s, vs: t.index(v, i),
    "count": lambda t, v, i, s, vs: t.count(v),
    "contains": lambda t, v, i, s, vs: v in t,
    "get": lambda t, v, i, s, vs: t[i],
    "get slice": lambda t, v, i, s, vs: t[s],
    "iterate": lambda t, v, i, s, vs: list(t),
    "iterate reversed": lambda t, v, i, s, vs: list(reversed(t)),
    "length": lambda t, v, i, s, vs: len(t),
    "truth": lambda t, v, i, s, vs: bool(t),
    "add": lambda t, v, i, s, vs: t + vs,
    "add before": lambda t, v, i, s, vs: vs + t,
    "repeat": lambda t, v, i, s, vs: t * (i % 4),
    "equal": lambda t, v, i, s, vs: t == vs,
    "less": lambda t, v, i, s, vs: t < vs,
    "hash": lambda t, v, i, s, vs: hash(t),
    "add other": lambda t, v, i, s, vs: t + [1],
    "index by other": lambda t, v, i, s, vs: t["x"],
    "set": lambda t, v, i, s, vs: t.__setitem__,
}


def test_random_operations(rng):
    for _ in range(1500):
        builtin = tuple(rng.choice(VALUES) for _ in range(rng.randrange(8)))
        ours = ouro.Tuple(builtin)
        name = rng.choice(list(OPERATIONS))
        i, s = random_index(rng, len(builtin)), random_slice(rng, len(builtin))
        v, vs = rng.choice(VALUES), tuple(rng.choice(VALUES) for _ in range(rng.randrange(4)))
        got, expected = (outcome(lambda: OPERATIONS[name](t, v, i, s, vs)) for t in (ours, builtin))
        assert got[0] == expected[0] and same(got[1], expected[1]), f"{name} of {builtin!r} with {v!r}, {i}, {s}, {vs!r}"
        assert ours == builtin and builtin == ours and hash(ours) == hash(builtin)


def test_protocols():
    t = ouro.Tuple("ab")
    assert isinstance(t, collections.abc.Sequence) and isinstance(t, collections.abc.Hashable)
    assert not isinstance(t, collections.abc.MutableSequence)
    match t:
        case ["a", b]:
            assert b == "b"
        case _:
            raise AssertionError("not matched as a sequence")
    assert {t: 1}[("a", "b")] == 1 and t != ["a", "b"] and ouro.Tuple() == () and ouro.Tuple([ouro.Tuple([1])]) == ((1,),)
    assert t < ouro.Tuple("b") and t >= ("a", "b")
    with pytest.raises(TypeError):
        t[0] = 1
    with pytest.raises(TypeError, match="unhashable"):
        hash(ouro.Tuple([ouro.List()]))


def test_cycles():
    l = ouro.List()
    t = ouro.Tuple([l, 1])
    l.append(t)
    assert repr(t) == "ouro.Tuple((ouro.List([ouro.Tuple((...))]), 1))" and t[0][0] is t


def test_pickle_and_copy():
    t = ouro.Tuple([1, ouro.Tuple(["x"]), (2,)])
    assert copy.copy(t) == t and copy.deepcopy(t) is t
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        back = pickle.loads(pickle.dumps(t, protocol))
        assert back == t and type(back) is ouro.Tuple and type(back[1]) is ouro.Tuple and type(back[2]) is tuple
    l = ouro.List()
    t = ouro.Tuple([l])
    l.append(t)
    for back in (copy.deepcopy(t), pickle.loads(pickle.dumps(t))):
        assert back is not t and back[0] is not l and back[0][0] is back
