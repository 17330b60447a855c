# SPDX-License-Identifier: MIT
"""Methods that are easier said in Python than in C: added to the types when the package is imported."""

import collections.abc as _abc
import types as _types
from copy import deepcopy

from . import _ouro
from ._ouro import Dict, List, Record, Set, Tuple


class KeysView(_abc.KeysView):
    """The keys of a Dict, as they are at any time."""

    __slots__ = ()

    def __iter__(self):
        return _ouro.dict_iterator(self._mapping, 0)

    def __reversed__(self):
        return reversed(list(self))

    def __repr__(self):
        return f"{type(self).__qualname__}({list(self)!r})"

    @property
    def mapping(self):
        return self._mapping


class ValuesView(_abc.ValuesView):
    """The values of a Dict, as they are at any time."""

    __slots__ = ()

    def __iter__(self):
        return _ouro.dict_iterator(self._mapping, 1)

    def __reversed__(self):
        return reversed(list(self))

    def __contains__(self, value):
        return any(item is value or item == value for item in self)

    __repr__ = KeysView.__repr__
    mapping = KeysView.mapping


class ItemsView(_abc.ItemsView):
    """The keys and values of a Dict, in pairs, as they are at any time."""

    __slots__ = ()

    def __iter__(self):
        return _ouro.dict_iterator(self._mapping, 2)

    def __reversed__(self):
        return reversed(list(self))

    __repr__ = KeysView.__repr__
    mapping = KeysView.mapping


def _add(*types):
    """Decorator: adds the function to the types, under its name."""

    def add(function):
        for type in types:
            _ouro.add_method(type, function.__name__, function)
            function.__qualname__ = f"{type.__qualname__}.{function.__name__}"
        return function

    return add


# ---- Tuple ----


@_add(Tuple)
def __deepcopy__(self, memo):
    items = [deepcopy(item, memo) for item in self]
    if id(self) in memo:  # a list in it has led back here
        return memo[id(self)]
    if all(new is old for new, old in zip(items, self)):
        return self
    return type(self)(items)


# ---- Dict ----


@_add(Dict)
def keys(self):
    """A view of the keys."""
    return KeysView(self)


@_add(Dict)
def values(self):
    """A view of the values."""
    return ValuesView(self)


@_add(Dict)
def items(self):
    """A view of the items: pairs of key and value."""
    return ItemsView(self)


@_add(Dict)
def update(self, mapping_or_pairs=(), /, **items):
    """Puts in all items of a mapping, or of an iterable of pairs, and then those given by name."""
    _ouro.dict_merge(self, mapping_or_pairs, "mapping_or_pairs")
    if items:
        _ouro.dict_merge(self, items, "items")


@_add(Dict)
def __reversed__(self):
    return reversed(list(self))


def _fromkeys(cls, iterable, value=None):
    """A new Dict with the keys from iterable, and one value for all."""
    made = cls()
    for key in iterable:
        made[key] = value
    return made


_ouro.add_method(Dict, "fromkeys", classmethod(_fromkeys))


# ---- Set ----


@_add(Set)
def update(self, *iterables):
    """Adds the elements of all iterables."""
    for iterable in iterables:
        _ouro.set_merge(self, iterable)


@_add(Set)
def union(self, *iterables):
    """A new Set with the elements of this one and of all iterables."""
    made = self.copy()
    made.update(*iterables)
    return made


@_add(Set)
def intersection(self, *iterables):
    """A new Set with the elements that are in this one and in all iterables."""
    made = self.copy()
    for iterable in iterables:
        made = _ouro.set_intersection(made, iterable)
    return made


@_add(Set)
def difference(self, *iterables):
    """A new Set with the elements that are in none of the iterables."""
    made = self.copy()
    for iterable in iterables:
        made = _ouro.set_difference(made, iterable)
    return made


@_add(Set)
def intersection_update(self, *iterables):
    """Keeps the elements that are in all iterables."""
    _ouro.set_become(self, self.intersection(*iterables))


@_add(Set)
def difference_update(self, *iterables):
    """Takes out the elements of all iterables."""
    for iterable in iterables:
        for item in list(iterable):
            self.discard(item)


@_add(Set)
def symmetric_difference_update(self, iterable):
    """Keeps the elements that are either in this one or in the iterable."""
    _ouro.set_become(self, self.symmetric_difference(iterable))


# ---- Record ----


def _record(type, name, fields):
    return type(name, **dict.fromkeys(fields))


@_add(Record)
def __reduce__(self):
    return _record, (type(self), _ouro.record_name(self), _ouro.record_fields(self)), self._asdict()


@_add(Record)
def __setstate__(self, state):
    for field, value in state.items():
        setattr(self, field, value)


@_add(Record)
def _replace(self, **fields):
    """A new record with other values in some fields."""
    made = self.__copy__()
    for field, value in fields.items():
        setattr(made, field, value)
    return made


def _dir(self):
    return [*_ouro.record_fields(self), *object.__dir__(self)]


_ouro.add_method(Record, "__dir__", _dir)  # under another name: a module's __dir__ is what dir() calls
_ouro.add_method(Record, "_name", property(_ouro.record_name, doc="The record's name."))
_ouro.add_method(Record, "_fields", property(_ouro.record_fields, doc="The names of the fields."))


# ---- all ----

for _type in (List, Tuple, Dict, Set):
    _ouro.add_method(_type, "__class_getitem__", classmethod(_types.GenericAlias))
