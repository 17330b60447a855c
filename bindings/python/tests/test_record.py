# SPDX-License-Identifier: MIT
"""ouro.Record: named fields."""

import copy
import pickle

import pytest

import ouro


def test_fields():
    r = ouro.Record("point", x=1, y=[2])
    assert r.x == 1 and r.y == [2] and r._name == "point" and r._fields == ("x", "y") and r._asdict() == {"x": 1, "y": [2]}
    r.x = "new"
    assert r.x == "new" and repr(r) == "ouro.Record('point', x='new', y=[2])"
    assert {"x", "y", "_name", "_asdict"} <= set(dir(r)) and r._replace(x=5)._asdict() == {"x": 5, "y": [2]} and r.x == "new"
    assert ouro.Record("empty")._fields == () and ouro.Record("r", name=1, self=2).name == 1
    odd = ouro.Record("r", **{"not an identifier": 1, "é": 2, "": 3, "copy": 4, "_name": 5})
    assert getattr(odd, "not an identifier") == 1 and odd.é == 2 and getattr(odd, "") == 3 and odd.copy == 4 and odd._name == "r"


def test_errors():
    r = ouro.Record("point", x=1)
    with pytest.raises(ouro.OuroAttributeError, match="the record 'point' has no field 'z'"):
        r.z
    with pytest.raises(AttributeError, match="no field 'z'"):
        r.z = 1
    with pytest.raises(ouro.OuroTypeError, match="'x' cannot be deleted"):
        del r.x
    assert not hasattr(r, "z") and getattr(r, "z", 5) == 5
    for bad in (lambda: ouro.Record(), lambda: ouro.Record(5), lambda: ouro.Record("a", 1), lambda: hash(r), lambda: r < r, lambda: len(r)):
        with pytest.raises(TypeError):
            bad()
    with pytest.raises(ValueError):
        ouro.Record("\ud800")
    with pytest.raises(ValueError):
        ouro.Record("r", **{"\ud800": 1})


def test_equality():
    a = ouro.Record("p", x=1, y=2)
    assert a == ouro.Record("p", x=1, y=2) and a != ouro.Record("p", y=2, x=1) and a != ouro.Record("q", x=1, y=2)
    assert a == ouro.Record("p", x=True, y=2.0) and a != ouro.Record("p", x=1, y=3) and a != 5 and ouro.Record("p", x=(1,)) == ouro.Record("p", x=(1,))


def test_cycle_copy_pickle():
    r = ouro.Record("node", next=None, data=ouro.List([1]))
    r.next = r
    assert repr(r) == "ouro.Record('node', next=ouro.Record('node', ...), data=ouro.List([1]))"
    shallow = copy.copy(r)
    assert shallow is not r and shallow.next is r and shallow.data is r.data
    for back in (copy.deepcopy(r), *(pickle.loads(pickle.dumps(r, p)) for p in range(pickle.HIGHEST_PROTOCOL + 1))):
        assert back is not r and back.next is back and back.data == [1] and back.data is not r.data and back._name == "node"


def test_subclass():
    class Point(ouro.Record):
        def __init__(self, x, y):
            super().__init__("point", x=x, y=y)

        @property
        def norm(self):
            return self.x**2 + self.y**2

        def double(self):
            return self.x * 2

    p = Point(3, 4)
    assert p.norm == 25 and p.double() == 6 and p.x == 3
    p.extra = 5
    assert p.extra == 5
    with pytest.raises(AttributeError):
        p.missing
