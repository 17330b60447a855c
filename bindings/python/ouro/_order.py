# SPDX-License-Identifier: MIT
"""Sorting where ouro's order is not Python's: called from list.c."""


def permutation(objects, key, reverse):
    """The positions of the objects in sorted order, as list.sort has it."""
    keys = objects if key is None else [key(item) for item in objects]
    return sorted(range(len(keys)), key=keys.__getitem__, reverse=reverse)
