# SPDX-License-Identifier: MIT
"""Containers in a heap that all threads share: ouro for Python."""

import atexit as _atexit
import collections.abc as _abc

from . import _ouro

_ouro.check_interpreter()

from ._ouro import (
    Dict,
    List,
    Object,
    OuroAttributeError,
    OuroError,
    OuroIndexError,
    OuroKeyError,
    OuroMemoryError,
    OuroReferenceError,
    OuroRuntimeError,
    OuroTypeError,
    OuroValueError,
    Record,
    Set,
    Tuple,
    convert,
    export,
    import_,
    intern,
    to_python,
)
from ._ouro import close_object as close
from . import _methods as _methods
from . import gc, mem, weakref

__version__ = _ouro.version()

__all__ = [
    "Dict", "List", "Object", "OuroAttributeError", "OuroError", "OuroIndexError", "OuroKeyError", "OuroMemoryError", "OuroReferenceError", "OuroRuntimeError",
    "OuroTypeError", "OuroValueError", "Record", "Set", "Tuple", "close", "convert", "export", "gc", "import_", "intern", "mem", "to_python", "weakref",
]

_abc.MutableSequence.register(List)
_abc.Sequence.register(Tuple)
_abc.MutableMapping.register(Dict)
_abc.MutableSet.register(Set)

_atexit.register(_ouro.at_exit)
