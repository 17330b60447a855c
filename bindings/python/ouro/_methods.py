# SPDX-License-Identifier: MIT
"""Methods that are easier said in Python than in C: added to the types when the package is imported."""

from copy import deepcopy

from . import _ouro


def _tuple_deepcopy(self, memo):
    items = [deepcopy(item, memo) for item in self]
    if id(self) in memo:  # a list in it has led back here
        return memo[id(self)]
    if all(new is old for new, old in zip(items, self)):
        return self
    return type(self)(items)


_ouro.add_method(_ouro.Tuple, "__deepcopy__", _tuple_deepcopy)
