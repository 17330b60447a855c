# SPDX-License-Identifier: MIT
"""convert() and to_python(): deep copies, with what was shared and cyclic."""

import gc

import pytest

import ouro


def test_round_trip():
    data = {"list": [1, 2.5, None, True, "é", b"x", 10**30], "tuple": (1, (2, [3])), "dict": {1: {2: 3}}, "set": {1, "a", (1, (2,))}, "empty": [[], {}, (), set()],
            "frozen": frozenset([1])}
    copy = ouro.convert(data)
    assert type(copy) is ouro.Dict and type(copy["list"]) is ouro.List and type(copy["tuple"]) is ouro.Tuple and type(copy["set"]) is ouro.Set
    assert type(copy["tuple"][1][1]) is ouro.List and copy["frozen"] is data["frozen"] and copy["list"] is not data["list"]
    assert copy == data
    back = ouro.to_python(copy)
    assert back == data and repr(type(back["tuple"][1])) == "<class 'tuple'>" and type(back["set"]) is set
    data["list"].append(5)
    copy["dict"][1][2] = 7
    assert copy["list"][-1] == 10**30 and back["dict"] == {1: {2: 3}}


@pytest.mark.parametrize("value", [None, 1, "x", 2.5, b"", object(), len], ids=str)
def test_what_is_no_container(value):
    assert ouro.convert(value) is value or ouro.convert(value) == value
    assert ouro.to_python(value) is value


def test_sharing_and_cycles():
    shared, pair = [1], (5, [6])
    data = [shared, shared, {"again": shared}, pair, pair]
    data.append(data)
    copy = ouro.convert(data)
    assert copy[0] is copy[1] is copy[2]["again"] and copy[3] is copy[4] and copy[5] is copy
    back = ouro.to_python(copy)
    assert back[0] is back[1] is back[2]["again"] and back[3] is back[4] and back[5] is back and back[:3] == data[:3]
    back.clear()
    data.clear()
    del copy[5]


def test_cycles_through_tuples():
    inner = []
    data = (inner, 1)
    inner.append(data)
    copy = ouro.convert(data)
    assert copy[0][0] is copy and copy[1] == 1
    back = ouro.to_python(copy)
    assert type(back) is tuple and back[0][0] is back
    d = {}
    d["t"] = (d, ({"x": (d,)},))
    copy = ouro.convert(d)
    assert copy["t"][0] is copy and copy["t"][1][0]["x"][0] is copy
    back = ouro.to_python(copy)
    assert back["t"][1][0]["x"][0] is back
    for each in (inner, d, back, copy):
        each.clear()


def test_deep():
    data = flat = []
    for _ in range(200_000):
        data = [data]
    nested = ()
    for _ in range(50_000):
        nested = (nested,)
    copy, tuples = ouro.convert(data), ouro.convert(nested)
    back, again = ouro.to_python(copy), ouro.to_python(tuples)
    depth = 0
    while back:
        back, depth = back[0], depth + 1
    assert depth == 200_000
    while again:
        again, depth = again[0], depth + 1
    assert depth == 250_000


def test_ouro_inside():
    inner = ouro.List([1])
    copy = ouro.convert([inner, {"x": inner}])
    assert copy[0] is inner and copy[1]["x"] is inner
    assert ouro.convert(inner) is inner
    with_handle = ouro.List([[ouro.List()]])
    assert ouro.to_python(with_handle)[0] is with_handle[0]


def test_records():
    r = ouro.Record("point", x=1, y=ouro.List([2]))
    r.x = r
    back = ouro.to_python(r)
    assert type(back) is dict and back["x"] is back and back["y"] == [2]


def test_subclasses_are_kept():
    class Mine(list):
        pass

    mine = Mine([1])
    assert ouro.convert([mine])[0] is mine


def test_failures():
    class Bad:
        def __hash__(self):
            raise ZeroDivisionError

    bad = Bad()
    d = ouro.Dict()
    with pytest.raises(ZeroDivisionError):
        d[bad] = 1
    weird = {}
    calls = []

    class Counting:
        def __hash__(self):
            calls.append(1)
            if len(calls) > 1:
                raise ZeroDivisionError
            return 1

    weird[Counting()] = [1, (2, [3])]
    with pytest.raises(ZeroDivisionError):
        ouro.convert([weird, ([1], weird)])
    unhashable = ouro.Dict()
    unhashable[ouro.Tuple([1])] = 1
    assert ouro.to_python(unhashable) == {(1,): 1}
    gc.collect()
