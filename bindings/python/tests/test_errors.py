# SPDX-License-Identifier: MIT
"""Bad input: the exception is ouro's and the builtin one, and its message names the argument."""

import pytest

import ouro

L, T, D, S = ouro.List, ouro.Tuple, ouro.Dict, ouro.Set

CASES = [
    (lambda: L([1, 2, 3])[7], IndexError, "index 7 is out of range for a list of 3"),
    (lambda: L([1])[-2], IndexError, "index -2 is out of range for a list of 1"),
    (lambda: L()[10**30], IndexError, "index 1000000000000000000000000000000 is out of range"),
    (lambda: L()["a"], TypeError, "index must be an integer or a slice, not str"),
    (lambda: L()[1.0], TypeError, "index must be an integer or a slice, not float"),
    (lambda: L([1]).__setitem__(1, 5), IndexError, "index 1 is out of range for a list of 1"),
    (lambda: L([1]).__delitem__(-3), IndexError, "index -3 is out of range for a list of 1"),
    (lambda: L([1]).__delitem__("a"), TypeError, "index must be an integer or a slice, not str"),
    (lambda: L([1])[::0], ValueError, "the step of a slice must not be 0"),
    (lambda: L([1])["a":], TypeError, "start, stop and step of a slice must be integers or None"),
    (lambda: L(range(5)).__setitem__(slice(0, 4, 2), [1]), ValueError, "value must have as many elements as the slice, 2, not 1"),
    (lambda: L().__setitem__(slice(0, 1), 5), TypeError, "value must be iterable, not int"),
    (lambda: L(5), TypeError, "iterable must be iterable, not int"),
    (lambda: L().extend(None), TypeError, "iterable must be iterable, not NoneType"),
    (lambda: L().pop(), IndexError, "index -1 is out of range for a list of 0"),
    (lambda: L([1]).pop("x"), TypeError, "index must be an integer, not str"),
    (lambda: L().insert("x", 1), TypeError, "index must be an integer, not str"),
    (lambda: L([1]).remove(2), ValueError, "item 2 is not in the list"),
    (lambda: L([1]).index("x"), ValueError, "item 'x' is not in the list"),
    (lambda: L([1]).index(1, "x"), TypeError, "start must be an integer, not str"),
    (lambda: L([1]).index(1, 0, "x"), TypeError, "stop must be an integer, not str"),
    (lambda: L([1]).sort(key=1), TypeError, "key must be callable or None, not int"),
    (lambda: T()[0], IndexError, "index 0 is out of range for a tuple of 0"),
    (lambda: T([1])["a"], TypeError, "index must be an integer or a slice, not str"),
    (lambda: T(5), TypeError, "iterable must be iterable, not int"),
    (lambda: T([1]).index(2), ValueError, "item 2 is not in the tuple"),
    (lambda: D()["missing"], KeyError, "'missing'"),
    (lambda: D()[(1, 2)], KeyError, r"\(1, 2\)"),
    (lambda: D().__delitem__(5), KeyError, "5"),
    (lambda: D().pop("x"), KeyError, "'x'"),
    (lambda: D().popitem(), KeyError, "the dict is empty"),
    (lambda: D(5), TypeError, "mapping_or_pairs must be a mapping or iterable, not int"),
    (lambda: D([(1, 2), 3]), TypeError, "element 1 of mapping_or_pairs must be a pair, not int"),
    (lambda: D([(1, 2, 3)]), ValueError, "element 0 of mapping_or_pairs must be a pair; it has length 3"),
    (lambda: D().update(5), TypeError, "mapping_or_pairs must be a mapping or iterable, not int"),
    (lambda: D().__ior__(5), TypeError, "right operand must be a mapping or iterable, not int"),
    (lambda: D()[L()], TypeError, "unhashable type: 'ouro.List'"),
    (lambda: S(5), TypeError, "iterable must be iterable, not int"),
    (lambda: S().remove(5), KeyError, "5"),
    (lambda: S().pop(), KeyError, "the set is empty"),
    (lambda: S([D()]), TypeError, "unhashable type: 'ouro.Dict'"),
    (lambda: ouro.Record(5), TypeError, "name must be str, not int"),
    (lambda: ouro.Record("r", x=1).y, AttributeError, "the record 'r' has no field 'y'"),
    (lambda: ouro.Object(), TypeError, "ouro.Object objects cannot be made"),
    (lambda: ouro.intern(b"x"), TypeError, "s must be str, not bytes"),
    (lambda: ouro.gc.collect(3), ValueError, "generation must be 0, 1 or 2, not 3"),
    (lambda: ouro.gc.collect("x"), TypeError, "generation must be an integer, not str"),
    (lambda: ouro.gc.get_objects(-1), ValueError, "generation must be 0, 1 or 2, not -1"),
    (lambda: ouro.gc.get_objects("x"), TypeError, "generation must be an integer or None, not str"),
    (lambda: ouro.gc.set_debug("x"), TypeError, "flags must be an integer, not str"),
    (lambda: ouro.gc.set_threshold(-1), ValueError, "thresholds must not be negative"),
    (lambda: ouro.mem.set_limit(2, 1), ValueError, "soft must not be above hard: 2 > 1"),
    (lambda: ouro.mem.set_limit(-1), ValueError, "soft must not be negative: -1"),
    (lambda: ouro.mem.total_size(5), TypeError, "object must be one of ouro's, not int"),
    (lambda: ouro.weakref.ref(L(), 5), TypeError, "callback must be callable or None, not int"),
    (lambda: ouro.weakref.finalize(L(), 5), TypeError, "func must be callable, not int"),
]


@pytest.mark.parametrize("number", range(len(CASES)), ids=[str(case[2])[:50] for case in CASES])
def test_error(number):
    attempt, builtin, message = CASES[number]
    with pytest.raises(builtin, match=message) as caught:
        attempt()
    assert isinstance(caught.value, ouro.OuroError) and type(caught.value).__module__ == "ouro"


def test_classes():
    for name, builtin in {"Index": IndexError, "Key": KeyError, "Type": TypeError, "Value": ValueError, "Memory": MemoryError,
                          "Reference": ReferenceError, "Runtime": RuntimeError, "Attribute": AttributeError}.items():
        cls = getattr(ouro, f"Ouro{name}Error")
        assert issubclass(cls, builtin) and issubclass(cls, ouro.OuroError) and cls.__doc__
    assert not issubclass(ouro.OuroError, (LookupError, ValueError, TypeError))
    with pytest.raises(KeyError) as caught:
        D()[("a", 1)]
    assert caught.value.args == (("a", 1),)


def test_wrong_number_of_arguments():
    for attempt in (lambda: L(1, 2), lambda: L().append(), lambda: L().append(1, 2), lambda: L().pop(1, 2), lambda: L().insert(1), lambda: D(1, 2),
                    lambda: D().get(), lambda: S(1, 2), lambda: S().add(), lambda: T(1, 2), lambda: L(other=1), lambda: L().sort(keys=1),
                    lambda: ouro.convert(), lambda: ouro.weakref.ref(), lambda: ouro.Record("a", "b")):
        with pytest.raises(TypeError):
            attempt()


def test_methods_on_other_types():
    for attempt in (lambda: L.append(5, 1), lambda: L.append(D(), 1), lambda: D.get([], 1), lambda: S.add(L(), 1), lambda: L.__getitem__(D(), 0),
                    lambda: D.keys.__get__(5)().__iter__(), lambda: len(D.values(5)), lambda: S.union(5), lambda: ouro.Record.__dir__(5)):
        with pytest.raises((TypeError, AttributeError)):
            attempt()
    for name in dir(ouro._ouro):
        function = getattr(ouro._ouro, name)
        if callable(function) and not isinstance(function, type) and not name.startswith("__") and name not in (
                "at_exit", "export", "gc_enable", "gc_disable", "gc_freeze", "gc_unfreeze", "mem_trim", "gc_clear_garbage", "add_method"):
            for arguments in ((), (5,), ("x",), (5, 5), (None, None), ("x", "y", "z"), (5, 5, 5), (L(), L()), (D(), 5, "x"), (5,) * 5):
                try:
                    function(*arguments)
                except Exception:
                    pass
    ouro._ouro.gc_set_threshold((0, 0, 0))
    ouro._ouro.gc_set_debug(0)
    ouro.mem.set_limit()


def test_memory_limit():
    l = ouro.List()
    ouro.mem.set_limit(hard=ouro.mem.stats()["committed_bytes"] + (8 << 20))
    try:
        with pytest.raises(ouro.OuroMemoryError):
            while True:
                l.append("x" * 10_000)
        with pytest.raises(MemoryError):
            for _ in range(100_000):
                l.append(ouro.Dict({"a": 1.5, 2: "b" * 50}))
        for attempt in (lambda: l + l + l + l + l * 1000, lambda: ouro.convert([["y" * 5000 for _ in range(500)] for _ in range(100)]),
                        lambda: [ouro.Set(range(1000)) for _ in range(10_000)]):
            with pytest.raises(MemoryError):
                attempt()
        assert all(len(item) in (2, 10_000) for item in l)
        del l[:]
        l.append(1)
    finally:
        ouro.mem.set_limit()
