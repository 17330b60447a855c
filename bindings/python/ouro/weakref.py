# SPDX-License-Identifier: MIT
"""Weak references, with the names and meanings of Python's weakref."""

from ._ouro import ref

ReferenceType = ref
