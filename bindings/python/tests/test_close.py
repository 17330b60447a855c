# SPDX-License-Identifier: MIT
"""Closing: with statements, use after close, closing while the object is in use."""

import threading

import pytest
from conftest import live

import ouro

MAKERS = {
    "List": lambda: ouro.List([1, 2]),
    "Tuple": lambda: ouro.Tuple([1, 2]),
    "Dict": lambda: ouro.Dict({1: 2}),
    "Set": lambda: ouro.Set([1, 2]),
    "Record": lambda: ouro.Record("r", x=1),
}


@pytest.mark.parametrize("name", MAKERS)
def test_with(name):
    before = live()
    with MAKERS[name]() as made:
        assert live() > before
    assert live() == before
    with pytest.raises(ouro.OuroReferenceError, match="closed"):
        with made:
            raise AssertionError("entered")
    with pytest.raises(ZeroDivisionError):
        with MAKERS[name]() as made:
            1 / 0
    ouro.close(made)  # again: nothing happens
    assert live() == before


@pytest.mark.parametrize("name", MAKERS)
def test_use_after_close(name):
    made = MAKERS[name]()
    iterator = iter(made) if name != "Record" else iter(())
    ouro.close(made)
    attempts = [lambda: repr(made), lambda: made == MAKERS[name](), lambda: MAKERS[name]() == made, lambda: ouro.List([made]), lambda: ouro.to_python(made),
                lambda: ouro.weakref.ref(made), lambda: {**{1: made}, 2: ouro.Tuple([made])}]
    if name == "Record":
        attempts += [lambda: made.x, lambda: setattr(made, "x", 1), lambda: made._name, lambda: made._fields, lambda: made._asdict(), lambda: made._replace(x=1)]
    else:
        attempts += [lambda: len(made), lambda: list(made), lambda: 1 in made]
    methods = {
        "List": ["append(1)", "extend([1])", "insert(0, 1)", "pop()", "remove(1)", "clear()", "index(1)", "count(1)", "reverse()", "sort()", "copy()",
                 "__getitem__(0)", "__setitem__(0, 1)", "__delitem__(0)", "__getitem__(slice(None))", "__setitem__(slice(None), [1])", "__iadd__([1])",
                 "__mul__(2)", "__imul__(2)", "__add__([1])", "__reversed__()"],
        "Tuple": ["index(1)", "count(1)", "__getitem__(0)", "__getitem__(slice(None))", "__mul__(2)", "__add__((1,))", "__hash__()"],
        "Dict": ["get(1)", "setdefault(1, 2)", "pop(1)", "popitem()", "clear()", "copy()", "update({1: 2})", "update(ouro.Dict())", "update([(1, 2)])",
                 "__getitem__(1)", "__setitem__(1, 2)", "__delitem__(1)", "__or__({})", "__ior__({1: 2})", "items().__iter__().__next__()"],
        "Set": ["add(1)", "discard(1)", "remove(1)", "pop()", "clear()", "copy()", "update([1])", "union([1])", "intersection([1])", "difference([1])",
                "symmetric_difference([1])", "issubset([1])", "issuperset([1])", "isdisjoint([1])", "__or__({1})", "__iand__({1})", "__le__({1, 2, 3})"],
    }
    attempts += [lambda call=call: eval(f"made.{call}", {"made": made, "ouro": ouro}) for call in methods.get(name, [])]
    for number, attempt in enumerate(attempts):
        with pytest.raises(ouro.OuroReferenceError):
            attempt()
            pytest.fail(f"attempt {number}")
    list(iterator) if name in ("Dict", "Set") else None


def test_others_keep_it():
    inner = ouro.List([5])
    outer = ouro.List([inner])
    inner.close()
    assert outer[0] == [5] and outer[0] is not inner
    again = outer[0]
    again.append(6)
    again.close()
    assert outer == [[5, 6]]


def test_what_cannot_be_closed():
    for bad in (5, [], None, len):
        with pytest.raises(ouro.OuroTypeError, match="object must be one of ouro's, not"):
            ouro.close(bad)


class Closing:
    """Closes when it is looked at."""

    def __init__(self, *targets):
        self.targets = targets

    def close(self):
        for target in self.targets:
            ouro.close(target)

    def __eq__(self, other):
        self.close()
        return False

    def __hash__(self):
        self.close()
        return 1

    def __index__(self):
        self.close()
        return 0

    def __lt__(self, other):
        self.close()
        return False

    def __repr__(self):
        self.close()
        return "closing"

    def __iter__(self):
        self.close()
        return iter([1, (2, 3)])

    def __del__(self):
        self.close()


def test_closing_in_callbacks():
    """Whatever runs Python code in the middle of an operation may close what the operation is about."""
    operations = {
        "List": [lambda l, c: c in l, lambda l, c: l.index(c), lambda l, c: l.count(c), lambda l, c: l.remove(c), lambda l, c: l.extend(c),
                 lambda l, c: l.__setitem__(slice(c, None), [1]), lambda l, c: l.__setitem__(slice(None), c), lambda l, c: l[c], lambda l, c: l.insert(c, l),
                 lambda l, c: l.append(c) or l.sort(), lambda l, c: l.append(c) or repr(l), lambda l, c: l.append(c) or l == [1, 2, 5],
                 lambda l, c: l.__setitem__(0, c) or l.__setitem__(0, 1), lambda l, c: l.append(c) or l.pop(), lambda l, c: l.append(c) or l.clear(),
                 lambda l, c: l.sort(key=lambda _: c.close()), lambda l, c: l.__iadd__(c), lambda l, c: ouro._ouro.list_append_all(l, c),
                 lambda l, c: ouro._ouro.list_set_slice(l, 0, 1, 1, c), lambda l, c: ouro._ouro.list_index(l, l, c, 1)],
        "Tuple": [lambda t, c: c in t, lambda t, c: t.index(c), lambda t, c: t.count(c), lambda t, c: t == (c, c), lambda t, c: t[c], lambda t, c: t[c:],
                  lambda t, c: t + (c,) == (1, 2, 3), lambda t, c: t.index(1, c)],
        "Dict": [lambda d, c: d.get(c), lambda d, c: d.__setitem__(c, d), lambda d, c: d.setdefault(c, d), lambda d, c: d.pop(c), lambda d, c: d.update(c),
                 lambda d, c: d.update([(1, 2), c]), lambda d, c: d == {1: c}, lambda d, c: d.update({c: 1}), lambda d, c: d.__setitem__(1, c) or repr(d),
                 lambda d, c: d.__setitem__(1, c) or d.__setitem__(1, 1), lambda d, c: d | {c: 1}, lambda d, c: d.update(zip(c, c))],
        "Set": [lambda s, c: c in s, lambda s, c: s.add(c), lambda s, c: s.discard(c), lambda s, c: s.update(c), lambda s, c: s & {c}, lambda s, c: s.union(c),
                lambda s, c: s == {c, 1}, lambda s, c: s <= {c, 1, 2}, lambda s, c: s.difference_update([c]), lambda s, c: s.intersection(c)],
        "Record": [lambda r, c: setattr(r, "x", c) or setattr(r, "x", 1), lambda r, c: setattr(r, "x", c) or repr(r),
                   lambda r, c: setattr(r, "x", c) or r == ouro.Record("r", x=5)],
    }
    for name, all_of_one in operations.items():
        for operation in all_of_one:
            made = MAKERS[name]()
            closing = Closing(made)
            try:
                operation(made, closing)
            except (ouro.OuroError, TypeError, ValueError, RuntimeError):
                pass
            closing.targets = ()


def test_closing_while_others_use_it():
    for _ in range(20):
        l = ouro.List(range(20_000))

        def use():
            try:
                while True:
                    l.reverse()
                    l.sort()
                    l[:] = l[::2] + l[1::2]
            except ouro.OuroReferenceError:
                pass
            except ouro.OuroValueError:  # sorting, while another thread changed it
                pass

        threads = [threading.Thread(target=use) for _ in range(3)]
        for thread in threads:
            thread.start()
        l.close()
        for thread in threads:
            thread.join()
        del use
