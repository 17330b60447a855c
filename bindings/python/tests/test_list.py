# SPDX-License-Identifier: MIT
"""ouro.List behaves as list does."""

import collections.abc
import copy
import operator
import pickle

import pytest
from conftest import outcome

import ouro

VALUES = [None, True, False, 0, 1, 2, -7, 3.0, 2.5, 10**30, "a", "b", "", b"a", (1, 2), "é", 1.0]


def same(ours, builtin):
    """Equal, and of the type that is expected."""
    if ours is None or builtin is None or isinstance(builtin, (bool, int, str)):
        return ours == builtin and type(ours) is type(builtin)
    return ours == builtin


def random_index(rng, length):
    return rng.randint(-length - 2, length + 2)


def random_slice(rng, length):
    part = lambda: rng.choice([None, random_index(rng, length), random_index(rng, length)])
    return slice(part(), part(), rng.choice([None, 1, 2, -1, -2, 3, -3, 0, length + 1]))


OPERATIONS = {
    "append": lambda l, v, i, s, vs: l.append(v),
    "extend": lambda l, v, i, s, vs: l.extend(vs),
    "extend with iterator": lambda l, v, i, s, vs: l.extend(iter(vs)),
    "insert": lambda l, v, i, s, vs: l.insert(i, v),
    "pop": lambda l, v, i, s, vs: l.pop(),
    "pop at": lambda l, v, i, s, vs: l.pop(i),
    "remove": lambda l, v, i, s, vs: l.remove(v),
    "index": lambda l, v, i, s, vs: l.index(v),
    "index from": lambda l, v, i, s, vs: l.index(v, i),
    "index from to": lambda l, v, i, s, vs: l.index(v, i, i + 3),
    "count": lambda l, v, i, s, vs: l.count(v),
    "contains": lambda l, v, i, s, vs: v in l,
    "get": lambda l, v, i, s, vs: l[i],
    "set": lambda l, v, i, s, vs: operator.setitem(l, i, v),
    "delete": lambda l, v, i, s, vs: operator.delitem(l, i),
    "get slice": lambda l, v, i, s, vs: l[s],
    "set slice": lambda l, v, i, s, vs: operator.setitem(l, s, vs),
    "set slice to itself": lambda l, v, i, s, vs: operator.setitem(l, s, l),
    "delete slice": lambda l, v, i, s, vs: operator.delitem(l, s),
    "reverse": lambda l, v, i, s, vs: l.reverse(),
    "clear": lambda l, v, i, s, vs: l.clear() if i == 0 else None,
    "iterate": lambda l, v, i, s, vs: list(l),
    "iterate reversed": lambda l, v, i, s, vs: list(reversed(l)),
    "length": lambda l, v, i, s, vs: len(l),
    "truth": lambda l, v, i, s, vs: bool(l),
    "add": lambda l, v, i, s, vs: l + vs,
    "add before": lambda l, v, i, s, vs: vs + l,
    "repeat": lambda l, v, i, s, vs: l * (i % 4),
    "repeat in place": lambda l, v, i, s, vs: operator.imul(l, i % 3) and None,
    "add in place": lambda l, v, i, s, vs: operator.iadd(l, vs) and None,
    "copy": lambda l, v, i, s, vs: l.copy(),
    "equal": lambda l, v, i, s, vs: l == vs,
    "less": lambda l, v, i, s, vs: l < vs,
    "sort by text": lambda l, v, i, s, vs: l.sort(key=repr),
    "sort by text, reversed": lambda l, v, i, s, vs: l.sort(key=lambda x: len(repr(x)), reverse=True),
    "sort": lambda l, v, i, s, vs: l.sort(),
    "hash": lambda l, v, i, s, vs: hash(l),
    "index by other": lambda l, v, i, s, vs: l["x"],
    "add other": lambda l, v, i, s, vs: l + (1,),
    "extend by other": lambda l, v, i, s, vs: l.extend(5),
}


def test_random_operations(rng):
    for _ in range(30):
        start = [rng.choice(VALUES) for _ in range(rng.randrange(8))]
        ours, builtin = ouro.List(start), list(start)
        for _ in range(150):
            name = rng.choice(list(OPERATIONS))
            i, s = random_index(rng, len(builtin)), random_slice(rng, len(builtin))
            v, vs = rng.choice(VALUES), [rng.choice(VALUES) for _ in range(rng.randrange(4))]
            before = list(builtin)
            if len(builtin) > 60:
                name = "clear"
                i = 0
            got, expected = (outcome(lambda: OPERATIONS[name](l, v, i, s, vs)) for l in (ours, builtin))
            told = f"{name} of {before!r} with {v!r}, {i}, {s}, {vs!r}"
            if expected[0] == "raises" and name.startswith("sort"):
                builtin[:] = list(ours)  # list leaves what it has sorted so far
                assert got[0] == "raises", told
            else:
                assert got[0] == expected[0] and same(got[1], expected[1]), f"{told}: {got} instead of {expected}"
            assert len(ours) == len(builtin) and all(map(same, ours, builtin)), told
            assert ours == builtin and builtin == ours and not ours != builtin, told


def test_sorting_none():
    for values in ([None, None], [1, None], [None, 1, 2]):
        for l in (ouro.List(values), list(values)):
            with pytest.raises(TypeError):
                l.sort()
    l = ouro.List([None])
    l.sort()
    assert l == [None]
    l = ouro.List([None, None, 1])
    l.sort(key=lambda v: v is None)
    assert l == [1, None, None]


def test_protocols():
    l = ouro.List("abc")
    assert isinstance(l, collections.abc.MutableSequence) and isinstance(l, collections.abc.Sequence)
    assert isinstance(l, collections.abc.Iterable) and not isinstance(l, collections.abc.Hashable)
    match l:
        case [first, *rest]:
            assert first == "a" and rest == ["b", "c"]
        case _:
            raise AssertionError("not matched as a sequence")
    a, *b = l
    assert (a, b) == ("a", ["b", "c"])
    assert "".join(l) == "abc" and sorted(l, reverse=True) == ["c", "b", "a"] and operator.length_hint(iter(l)) == 3
    it = iter(l)
    next(it)
    assert operator.length_hint(it) == 2 and list(it) == ["b", "c"] and list(it) == []
    assert ouro.List(iterable=[1]) == [1] and ouro.List() == [] and ouro.List(ouro.List([1, 2])) == [1, 2]


def test_comparison():
    l = ouro.List([1, 2])
    assert l < ouro.List([1, 3]) and l <= [1, 2] and l > [1] and [1, 1] < l and l >= ouro.List()
    assert l != (1, 2) and l != "12" and (l == 5) is False
    with pytest.raises(TypeError):
        l < (1, 3)
    assert ouro.List([True]) == ouro.List([1]) == [1.0]
    assert ouro.List([10**30]) == ouro.List([10**30]) and ouro.List([(1,)]) == ouro.List([(1,)])
    assert ouro.List([ouro.List([ouro.List([True])])]) == [[[1]]]


def test_changes_while_iterating():
    for l in (ouro.List([1, 2, 3, 4]), [1, 2, 3, 4]):
        seen = []
        for item in l:
            seen.append(item)
            if item == 2:
                l.remove(1)
            if len(l) < 6:
                l.append(9)
        assert seen == [1, 2, 4, 9, 9, 9]


def test_cycles():
    l = ouro.List([1])
    l.append(l)
    assert repr(l) == "ouro.List([1, ouro.List([...])])"
    other = ouro.List([1])
    other.append(other)
    assert l == other and l[1][1][1] is l
    with pytest.raises(TypeError, match="unhashable"):
        hash(ouro.Tuple([l]))


def test_deep():
    depth = 100_000
    l = ouro.List()
    for _ in range(depth):
        l = ouro.List([l])
    m = ouro.List()
    for _ in range(depth):
        m = ouro.List([m])
    assert l == m
    m = ouro.List([m])
    with pytest.raises(RecursionError):
        l == m
    with pytest.raises(RecursionError):
        repr(l)


def test_repr_uses_the_class():
    class Mine(ouro.List):
        pass

    assert repr(Mine([1, "a"])) == "Mine([1, 'a'])" and str(ouro.List([1])) == "ouro.List([1])"


def test_sort():
    for items in ([3, 1, 2], ["b", "a"], [2.5, 1, 10**30, -(10**40)], [True, False, 2], [(2,), (1, 5)], [b"b", b"a"], [[2], [1]]):
        for reverse in (False, True):
            ours, builtin = ouro.List(items), list(items)
            ours.sort(reverse=reverse)
            builtin.sort(reverse=reverse)
            assert ours == builtin
    l = ouro.List([1, "a", 2])
    with pytest.raises(TypeError):
        l.sort()
    assert l == [1, "a", 2]
    with pytest.raises(ZeroDivisionError):
        l.sort(key=lambda x: 1 / 0)
    with pytest.raises(ouro.OuroTypeError, match="key must be callable"):
        l.sort(key=5)
    with pytest.raises(ValueError, match="changed"):
        l.sort(key=lambda x: l.append(5) or 0)

    class Key:
        def __init__(self, number):
            self.number = number

        def __lt__(self, other):
            return self.number < other.number

    keys = [Key(i % 3) for i in range(10)]
    assert list(ouro.List(keys).copy()) == keys
    ours = ouro.List(keys)
    ours.sort()
    assert list(ours) == sorted(keys)


def test_stable_sort(rng):
    pairs = [ouro.Tuple((rng.randrange(5), i)) for i in range(500)]
    ours = ouro.List(pairs)
    ours.sort(key=lambda pair: pair[0], reverse=True)
    assert list(ours) == sorted(pairs, key=lambda pair: pair[0], reverse=True)


def test_large():
    n = 200_000
    l = ouro.List(range(n))
    assert len(l) == n and sum(l) == n * (n - 1) // 2
    assert list(l[::2]) == list(range(0, n, 2)) and list(l[::-1]) == list(range(n - 1, -1, -1))
    del l[::2]
    l.reverse()
    l.sort()
    assert l == list(range(1, n, 2))
    l[10:90_000] = []
    l += l
    assert len(l) == 2 * (n // 2 - 89_990) and l.copy() == l and l + [] == l
    l.clear()
    assert not l


def test_elements_with_their_own_mind():
    class Nasty:
        def __eq__(self, other):
            l.clear()
            return False

        __hash__ = None

    l = ouro.List([Nasty(), 1, Nasty(), 2])
    assert 5 not in l
    assert l == []
    l.extend([Nasty()] * 3)
    assert l.count("x") == 0
    l.extend([Nasty(), 5])
    with pytest.raises(ValueError):
        l.remove(7)

    class Growing:
        def __iter__(self):
            for i in range(5):
                l.append(-1)
                yield i

    l = ouro.List()
    l.extend(Growing())
    assert l == [-1] * 5 + list(range(5))

    class Failing:
        def __iter__(self):
            yield 1
            raise ZeroDivisionError

        def __eq__(self, other):
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        ouro.List(Failing())
    l = ouro.List([1, Failing()])
    for attempt in (lambda: l.index(2), lambda: 2 in l, lambda: l.count(2), lambda: l.remove(2), lambda: l == [1, 2]):
        with pytest.raises(ZeroDivisionError):
            attempt()
    assert len(l) == 2


def test_init_again():
    l = ouro.List([1, 2])
    l.__init__([3])
    assert l == [3]
    l.__init__()
    assert l == []


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_pickle(protocol):
    shared = ouro.List(["shared"])
    l = ouro.List([1, "a", shared, shared, None])
    l.append(l)
    back = pickle.loads(pickle.dumps(l, protocol))
    assert type(back) is ouro.List and back[:2] == [1, "a"] and back[2] is back[3] and back[5] is back and back is not l
    it = iter(ouro.List([1, 2, 3]))
    next(it)
    assert list(pickle.loads(pickle.dumps(it, protocol))) == [2, 3]


def test_copy():
    inner = ouro.List([1])
    l = ouro.List([inner, inner, [5]])
    l.append(l)
    shallow = copy.copy(l)
    assert shallow is not l and shallow[0] is inner and shallow[3] is l
    deep = copy.deepcopy(l)
    assert deep[0] == [1] and deep[0] is not inner and deep[0] is deep[1] and deep[3] is deep and deep[2] == [5] and deep[2] is not l[2]
