# SPDX-License-Identifier: MIT
"""The collector of cycles, with the names and meanings of Python's gc.

It is about ouro's heap. What is asked about other Python objects is answered by Python's gc.

Objects that Python makes are shared by all threads from birth, so generation 0, which holds what is private to one thread, is empty:
collect(0) is collect(1).
"""

import contextlib as _contextlib
import gc as _python
import sys as _sys
import types as _types

from . import _ouro
from ._ouro import (
    GC_DEBUG_COLLECTABLE as DEBUG_COLLECTABLE,
    GC_DEBUG_LEAK as DEBUG_LEAK,
    GC_DEBUG_SAVEALL as DEBUG_SAVEALL,
    GC_DEBUG_STATS as DEBUG_STATS,
    GC_DEBUG_UNCOLLECTABLE as DEBUG_UNCOLLECTABLE,
    gc_callbacks as callbacks,
    gc_disable as disable,
    gc_enable as enable,
    gc_freeze as freeze,
    gc_get_count as get_count,
    gc_get_debug as get_debug,
    gc_get_freeze_count as get_freeze_count,
    gc_get_threshold as get_threshold,
    gc_is_enabled as isenabled,
    gc_stats as get_stats,
    gc_unfreeze as unfreeze,
)

__all__ = [
    "DEBUG_COLLECTABLE", "DEBUG_LEAK", "DEBUG_SAVEALL", "DEBUG_STATS", "DEBUG_UNCOLLECTABLE", "callbacks", "collect", "disable", "disabled",
    "enable", "freeze", "frozen", "garbage", "get_count", "get_debug", "get_freeze_count", "get_objects", "get_referents", "get_referrers",
    "get_stats", "get_threshold", "is_finalized", "is_tracked", "isenabled", "set_debug", "set_threshold", "unfreeze",
]


def collect(generation=2):
    """Collects garbage cycles, and waits for their finalizers. Returns how many unreachable objects were found."""
    if not isinstance(generation, int) and not hasattr(generation, "__index__"):
        raise _ouro.OuroTypeError(f"generation must be an integer, not {type(generation).__name__}")
    if not 0 <= generation <= 2:
        raise _ouro.OuroValueError(f"generation must be 0, 1 or 2, not {generation}")
    return _ouro.gc_collect(generation or 1)


def set_threshold(threshold0, threshold1=None, threshold2=None, /):
    """Sets the thresholds; what is left out stays. 0 (as at the beginning): the collector chooses by itself."""
    now = get_threshold()
    _ouro.gc_set_threshold((threshold0, now[1] if threshold1 is None else threshold1, now[2] if threshold2 is None else threshold2))


def set_debug(flags, /):
    """Sets the debugging flags: DEBUG_STATS and so on."""
    if not isinstance(flags, int):
        raise _ouro.OuroTypeError(f"flags must be an integer, not {type(flags).__name__}")
    _ouro.gc_set_debug(flags & 0xffffffff)


def get_objects(generation=None):
    """The objects that the collector looks at, or those of one generation."""
    if generation is None:
        return _ouro.gc_objects(-1)
    if not isinstance(generation, int):
        raise _ouro.OuroTypeError(f"generation must be an integer or None, not {type(generation).__name__}")
    if not 0 <= generation <= 2:
        raise _ouro.OuroValueError(f"generation must be 0, 1 or 2, not {generation}")
    return _ouro.gc_objects(generation)


def get_referrers(*objs):
    """The ouro objects that refer to any of the objects."""
    found = {}
    for obj in objs:
        for referrer in _ouro.gc_referrers(obj) if _ouro.is_wrapper(obj) else _ouro.gc_holders(obj):
            found[id(referrer)] = referrer
    return list(found.values())


def get_referents(*objs):
    """What the objects refer to."""
    found = []
    for obj in objs:
        found += _ouro.gc_referents(obj) if _ouro.is_wrapper(obj) else _python.get_referents(obj)
    return found


def is_tracked(obj, /):
    """True if the object may be part of a cycle, as far as its type says."""
    return _ouro.value_is_tracked(obj) if _ouro.is_wrapper(obj) else _python.is_tracked(obj)


def is_finalized(obj, /):
    """True if the object's finalizer has been called."""
    return _ouro.value_is_finalized(obj) if _ouro.is_wrapper(obj) else _python.is_finalized(obj)


@_contextlib.contextmanager
def disabled():
    """with gc.disabled(): no automatic collections inside; afterwards as before."""
    before = isenabled()
    disable()
    try:
        yield
    finally:
        if before:
            enable()


@_contextlib.contextmanager
def frozen():
    """with gc.frozen(): what there is now is out of the collections' sight inside."""
    freeze()
    try:
        yield
    finally:
        unfreeze()


_garbage = []


class _Module(_types.ModuleType):
    @property
    def garbage(self):
        """What was found unreachable while DEBUG_SAVEALL was set."""
        _garbage.extend(_ouro.gc_garbage())
        return _garbage


_sys.modules[__name__].__class__ = _Module
