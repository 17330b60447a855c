# SPDX-License-Identifier: MIT
"""Values go in and come back."""

import math
import sys

import pytest

import ouro


@pytest.mark.parametrize("value", [
    None, True, False, 0, 1, -1, 2**61 - 1, -(2**61), 0.0, -0.0, 1.5, math.inf, -math.inf, 5e-324, "", "text", "with\0zero", "é", "日本語", "😀",
    "x" * 100_000, "ü" * 100_000, b"", b"bytes\0\xff", b"y" * 100_000,
], ids=lambda value: repr(value)[:20])
def test_by_value(value):
    for container in (ouro.List([value]), ouro.Tuple([value])):
        back = container[0]
        assert back == value and type(back) is type(value)
        assert repr(back) == repr(value)


def test_nan():
    assert math.isnan(ouro.List([math.nan])[0])


@pytest.mark.parametrize("value", [2**61, -(2**61) - 1, 10**100, -(10**100), 3 + 4j, (1, 2), [1], {1: 2}, {1}, frozenset([1]), bytearray(b"x"), range(3),
                                   object(), len, int, Ellipsis, NotImplemented, "lone \ud800 surrogate", type("Text", (str,), {})("x"),
                                   type("Number", (int,), {})(7), type("Real", (float,), {})(1.5), type("Bytes", (bytes,), {})(b"x")],
                         ids=lambda value: type(value).__name__)
def test_by_handle(value):
    before = sys.getrefcount(value)
    counted = before < 1 << 30  # from Python 3.12 on some are immortal
    container = ouro.List([value, value])
    assert container[0] is value and container[1] is value
    assert sys.getrefcount(value) == before + 2 * counted
    assert value in container and container.index(value) == 0 and container.count(value) == 2
    del container
    assert sys.getrefcount(value) == before


def test_wrapper_identity():
    inner = ouro.List()
    outer = ouro.List([inner, ouro.Tuple([inner])])
    assert outer[0] is inner and outer[1][0] is inner
    address = ouro._ouro.address(inner)
    del inner
    assert outer[0] == ouro.List() and ouro._ouro.address(outer[0]) == address


def test_many_wrappers():
    lists = ouro.List(ouro.List([i]) for i in range(5000))
    wrappers = list(lists)
    for i, wrapper in enumerate(wrappers):
        assert lists[i] is wrapper and wrapper[0] == i
    count = ouro._ouro.wrapper_count()
    del wrappers[::2]
    assert ouro._ouro.wrapper_count() == count - 2500
    for i, wrapper in enumerate(wrappers):
        assert lists[2 * i + 1] is wrapper
    assert [one[0] for one in lists] == list(range(5000))


def test_subclasses_keep_their_class():
    class Mine(ouro.List):
        def first(self):
            return self[0]

    mine = Mine([5])
    mine.note = "attribute"
    outer = ouro.List([mine])
    assert outer[0] is mine and outer[0].first() == 5 and outer[0].note == "attribute"
    assert isinstance(mine, ouro.List) and mine == [5] and mine == ouro.List([5])
    del mine
    assert outer[0].note == "attribute"


def test_intern():
    text = ouro.intern("".join(["inter", "ned text"]))
    assert text is sys.intern("interned text")
    first, second = ouro.List([text]), ouro.List([text])
    before = ouro.mem.live_objects()
    third = ouro.List([text, text])
    assert ouro.mem.live_objects() <= before + 2  # a list and its store, and no string
    assert first == second and third[0] == text
    with pytest.raises(ouro.OuroTypeError, match="s must be str, not int"):
        ouro.intern(5)


def test_uninitialized():
    for cls in (ouro.List, ouro.Tuple, ouro.Dict, ouro.Set, ouro.Record):
        empty = cls.__new__(cls)
        for attempt in (lambda: len(empty), lambda: repr(empty), lambda: empty == cls.__new__(cls), lambda: ouro.List([empty]),
                        lambda: ouro.to_python(empty), lambda: ouro.weakref.ref(empty), lambda: list(empty), lambda: 5 in empty):
            with pytest.raises((ReferenceError, TypeError)):
                attempt()
    with pytest.raises(ouro.OuroTypeError, match="cannot be made"):
        ouro.Object()


def test_no_way_to_the_pointer():
    for object in (ouro.List(), ouro.Tuple(), ouro.Dict(), ouro.Set(), ouro.Record("r")):
        for name in ("this", "thisown", "own", "disown", "acquire", "__int__", "__dict__"):
            assert not hasattr(object, name), (object, name)
    assert not hasattr(ouro.Dict, "append") and not hasattr(ouro.Tuple, "append") and not hasattr(ouro.Object, "next")
    with pytest.raises(AttributeError):
        ouro.List().attribute = 1


def test_module():
    assert ouro.__version__ == ouro._ouro.version()
    for name in ouro.__all__:
        assert hasattr(ouro, name)
    for cls in (ouro.List, ouro.Tuple, ouro.Dict, ouro.Set, ouro.Record):
        assert cls.__module__ == "ouro" and cls.__doc__
