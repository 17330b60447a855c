# SPDX-License-Identifier: MIT
"""Memory of ouro's heap: what is in it, limits, giving it back. Where sys has a function of the same kind, it has the name from there."""

import contextlib as _contextlib
import sys as _sys

from . import _ouro
from ._ouro import intern, mem_stats as stats, mem_trim as trim

__all__ = [
    "debugmallocstats", "getallocatedblocks", "getrefcount", "getsizeof", "intern", "limit", "live_bytes", "live_objects", "set_limit", "stats",
    "total_size", "trim",
]

_MISSING = object()

TRACEMALLOC_DOMAIN = 0x6F75726F
"""The domain under which tracemalloc shows objects of ouro's that were made from Python."""


def getsizeof(object, default=_MISSING):
    """The bytes of an object: for ouro's, without the Python object that stands for it, and without what it refers to."""
    if _ouro.is_wrapper(object):
        return _ouro.sizeof(object)
    return _sys.getsizeof(object) if default is _MISSING else _sys.getsizeof(object, default)


def total_size(object):
    """The bytes of an ouro object and of all ouro objects that it leads to, each counted once."""
    if not _ouro.is_wrapper(object):
        raise _ouro.OuroTypeError(f"object must be one of ouro's, not {type(object).__name__}")
    return _ouro.total_sizeof(object)


def getrefcount(object):
    """The number of references to an object: for ouro's, one for the Python object that stands for it, and those from within ouro's heap."""
    return _ouro.refcount(object) if _ouro.is_wrapper(object) else _sys.getrefcount(object) - _CALL


_CALL = 0
_CALL = getrefcount(_MISSING) - _sys.getrefcount(_MISSING)  # what calling a Python function adds: it depends on Python's version


def getallocatedblocks():
    """The number of live objects in ouro's heap."""
    return stats()["live_objects"]


live_objects = getallocatedblocks


def live_bytes():
    """The bytes of live objects, headers and rounding included."""
    return stats()["live_bytes"]


def set_limit(soft=0, hard=0):
    """Limits in bytes; 0 is none. Over the soft one the collector works harder, over the hard one MemoryError is raised."""
    if soft and hard and soft > hard:
        raise _ouro.OuroValueError(f"soft must not be above hard: {soft} > {hard}")
    _ouro.mem_set_limit(soft, hard)


@_contextlib.contextmanager
def limit(soft=0, hard=0):
    """with mem.limit(hard=...): the limits inside; afterwards as before."""
    before = stats()
    set_limit(soft, hard)
    try:
        yield
    finally:
        _ouro.mem_set_limit(before["soft_limit"], before["hard_limit"])


def debugmallocstats(file=None):
    """Prints the statistics."""
    for name, value in stats().items():
        print(f"{name:16} {value:>14,}", file=file or _sys.stderr)
