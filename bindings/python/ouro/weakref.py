# SPDX-License-Identifier: MIT
"""Weak references, with the names and meanings of Python's weakref.

A weak reference to an ouro object is to the object in ouro's heap, whoever holds it there, and not to the Python object that stands for it. For
other objects each function gives what Python's weakref gives.

A callback runs after the object has gone, on the thread that dropped the last reference to it, if that thread runs Python; else on another.
"""

import atexit as _atexit
import collections.abc as _abc
import itertools as _itertools
import weakref as _python
from weakref import CallableProxyType, WeakMethod

from . import _ouro
from ._ouro import OuroKeyError, OuroReferenceError, OuroTypeError, ref

__all__ = [
    "CallableProxyType", "ProxyType", "ProxyTypes", "ReferenceType", "WeakKeyDictionary", "WeakMethod", "WeakSet", "WeakValueDictionary",
    "finalize", "getweakrefcount", "getweakrefs", "proxy", "ref",
]

ReferenceType = ref


def getweakrefs(object, /):
    """All weak references to the object, as a list."""
    return _ouro.weak_refs(object) if _ouro.is_wrapper(object) else _python.getweakrefs(object)


def getweakrefcount(object, /):
    """How many weak references to the object there are."""
    return len(getweakrefs(object))


# ---- proxies ----


class ProxyType:
    """Stands for an ouro object without keeping it alive: made by proxy()."""

    __slots__ = ("_ouro_ref",)

    def __init__(self, object, callback=None):
        weak = ref(object) if callback is None else ref(object, lambda dead: callback(self))
        ProxyType._ouro_ref.__set__(self, weak)

    def __getattribute__(self, name):
        return getattr(_target(self), name)

    def __setattr__(self, name, value):
        setattr(_target(self), name, value)

    def __delattr__(self, name):
        delattr(_target(self), name)

    def __repr__(self):
        target = _reference(self)()
        return f"<weakproxy at {id(self):#x} to {type(target).__name__}>"

    def __bool__(self):
        return bool(_target(self))

    def __dir__(self):
        return dir(_target(self))

    __hash__ = None


_reference = ProxyType._ouro_ref.__get__


def _target(proxy):
    target = _reference(proxy)()
    if target is None:
        raise OuroReferenceError("the object that the proxy stands for is no longer there")
    return target


def _forward(name):
    def method(self, *args):
        args = [_target(arg) if type(arg) is ProxyType else arg for arg in args]
        return getattr(type(_target(self)), name)(_target(self), *args)

    method.__name__ = name
    return method


for _name in (
    "len getitem setitem delitem contains iter reversed str eq ne lt le gt ge add radd iadd mul rmul imul sub rsub isub and rand iand "
    "or ror ior xor rxor ixor"
).split():
    setattr(ProxyType, f"__{_name}__", _forward(f"__{_name}__"))

ProxyTypes = (ProxyType, _python.ProxyType, CallableProxyType)


def proxy(object, callback=None, /):
    """Something that behaves as the object does, as long as that is alive; afterwards it raises ReferenceError."""
    if _ouro.is_wrapper(object):
        return ProxyType(object, callback)
    return _python.proxy(object) if callback is None else _python.proxy(object, callback)


# ---- finalizers ----


class finalize:
    """finalize(obj, func, *args, **kwargs): func is called when obj has gone, or at exit, whichever is first, and once."""

    __slots__ = ("_key", "__weakref__")
    _live = {}  # key -> [reference, func, args, kwargs, atexit]
    _keys = _itertools.count()
    _is_registered = False

    def __init__(self, obj, func, /, *args, **kwargs):
        if not callable(func):
            raise OuroTypeError(f"func must be callable, not {type(func).__name__}")
        if not finalize._is_registered:
            _atexit.register(finalize._run_all)
            finalize._is_registered = True
        self._key = next(finalize._keys)
        key = self._key
        finalize._live[key] = [ref(obj, lambda dead: finalize._run(key)), func, args, kwargs, True]

    @staticmethod
    def _run(key):
        entry = finalize._live.pop(key, None)
        return entry[1](*entry[2], **entry[3]) if entry else None

    @staticmethod
    def _run_all():
        for key in sorted(finalize._live, reverse=True):
            entry = finalize._live.get(key)
            if entry and entry[4]:
                try:
                    finalize._run(key)
                except Exception:  # as for any function at exit: shown, and the next one gets its turn
                    import sys

                    sys.excepthook(*sys.exc_info())

    def __call__(self, _=None):
        """Calls func if that has not been done, and returns its result."""
        return finalize._run(self._key)

    def _tuple(self, entry):
        object = entry[0]() if entry else None
        return None if object is None else (object, entry[1], entry[2], entry[3])

    def detach(self):
        """func will not be called any more. Returns (obj, func, args, kwargs), or None if it is too late."""
        entry = finalize._live.get(self._key)
        result = self._tuple(entry)
        if result is not None and finalize._live.pop(self._key, None) is None:
            return None
        return result

    def peek(self):
        """(obj, func, args, kwargs), or None if func has been called."""
        return self._tuple(finalize._live.get(self._key))

    @property
    def alive(self):
        """True if func has not been called, and has not been called off."""
        return self._key in finalize._live

    @property
    def atexit(self):
        """Whether func is called at exit, too."""
        entry = finalize._live.get(self._key)
        return bool(entry) and entry[4]

    @atexit.setter
    def atexit(self, value):
        entry = finalize._live.get(self._key)
        if entry:
            entry[4] = bool(value)

    def __repr__(self):
        entry = finalize._live.get(self._key)
        object = entry[0]() if entry else None
        if object is None:
            return f"<finalize object at {id(self):#x}; dead>"
        return f"<finalize object at {id(self):#x}; for {type(object).__name__!r} at {id(object):#x}>"


# ---- containers ----


class WeakValueDictionary(_abc.MutableMapping):
    """A dict that does not keep its values alive: an item goes with its value."""

    def __init__(self, other=(), /, **items):
        self._refs = {}
        self.update(other, **items)

    def _new_ref(self, key, value):
        refs = self._refs

        def remove(dead):
            if refs.get(key) is dead:
                del refs[key]

        return ref(value, remove)

    def __getitem__(self, key):
        weak = self._refs.get(key)
        value = None if weak is None else weak()
        if value is None:
            raise OuroKeyError(key)
        return value

    def __setitem__(self, key, value):
        self._refs[key] = self._new_ref(key, value)

    def __delitem__(self, key):
        if key not in self:
            raise OuroKeyError(key)
        self._refs.pop(key, None)

    def __contains__(self, key):
        weak = self._refs.get(key)
        return weak is not None and weak() is not None

    def __iter__(self):
        for key, weak in list(self._refs.items()):
            if weak() is not None:
                yield key

    def __len__(self):
        return sum(weak() is not None for weak in list(self._refs.values()))

    def items(self):
        for key, weak in list(self._refs.items()):
            value = weak()
            if value is not None:
                yield key, value

    def values(self):
        for _, value in self.items():
            yield value

    def keys(self):
        return iter(self)

    def setdefault(self, key, default=None):
        weak = self._refs.get(key)
        value = None if weak is None else weak()
        if value is None:
            if default is None:
                raise OuroTypeError("default must be an object that can have weak references, not None")
            self[key] = value = default
        return value

    def itervaluerefs(self):
        """The weak references, some of which may be dead."""
        return iter(list(self._refs.values()))

    def valuerefs(self):
        """The weak references as a list, some of which may be dead."""
        return list(self._refs.values())

    def copy(self):
        return type(self)(self.items())

    __copy__ = copy

    def __or__(self, other):
        if not isinstance(other, _abc.Mapping):
            return NotImplemented
        made = self.copy()
        made.update(other)
        return made

    def __ior__(self, other):
        self.update(other)
        return self

    def __repr__(self):
        return f"<{type(self).__name__} at {id(self):#x}>"


def _token(object):
    """What stands for a key that is not kept alive: for what has no hash in Python, its address; else a reference, which has the key's hash."""
    if _ouro.is_wrapper(object) and type(object).__hash__ is None:
        return _ouro.address(object)
    return ref(object)


class WeakKeyDictionary(_abc.MutableMapping):
    """A dict that does not keep its keys alive: an item goes with its key. Lists, dicts, sets and records of ouro's can be keys, by identity."""

    def __init__(self, other=(), /):
        self._items = {}  # token -> (reference, value)
        self.update(other)

    def _new_ref(self, key, token):
        items = self._items

        def remove(dead):
            item = items.get(token)
            if item is not None and item[0] is dead:
                del items[token]

        return ref(key, remove)

    def __getitem__(self, key):
        item = self._items.get(_token(key))
        if item is None:
            raise OuroKeyError(key)
        return item[1]

    def __setitem__(self, key, value):
        token = _token(key)
        item = self._items.get(token)
        if item is not None and item[0]() is not None:
            self._items[token] = (item[0], value)
            return
        weak = self._new_ref(key, token)
        if not isinstance(token, int):
            hash(weak)  # while the key is there
        self._items[token] = (weak, value)

    def __delitem__(self, key):
        if self._items.pop(_token(key), None) is None:
            raise OuroKeyError(key)

    def __contains__(self, key):
        try:
            token = _token(key)
        except TypeError:
            return False
        return token in self._items

    def __iter__(self):
        for weak, _ in list(self._items.values()):
            key = weak()
            if key is not None:
                yield key

    def __len__(self):
        return sum(weak() is not None for weak, _ in list(self._items.values()))

    def items(self):
        for weak, value in list(self._items.values()):
            key = weak()
            if key is not None:
                yield key, value

    def keys(self):
        return iter(self)

    def values(self):
        for _, value in self.items():
            yield value

    def keyrefs(self):
        """The weak references as a list, some of which may be dead."""
        return [weak for weak, _ in list(self._items.values())]

    def copy(self):
        return type(self)(self.items())

    __copy__ = copy

    def __or__(self, other):
        if not isinstance(other, _abc.Mapping):
            return NotImplemented
        made = self.copy()
        made.update(other)
        return made

    def __ior__(self, other):
        self.update(other)
        return self

    def __repr__(self):
        return f"<{type(self).__name__} at {id(self):#x}>"


class WeakSet(_abc.MutableSet):
    """A set that does not keep its elements alive. Lists, dicts, sets and records of ouro's can be elements, by identity."""

    def __init__(self, data=()):
        self._keys = WeakKeyDictionary()
        self.update(data)

    def __contains__(self, item):
        return item in self._keys

    def __iter__(self):
        return iter(self._keys)

    def __len__(self):
        return len(self._keys)

    def add(self, item):
        self._keys[item] = True

    def discard(self, item):
        if item in self._keys:
            del self._keys[item]

    def update(self, *iterables):
        for iterable in iterables:
            for item in iterable:
                self.add(item)

    def copy(self):
        return type(self)(self)

    def union(self, *iterables):
        made = self.copy()
        made.update(*iterables)
        return made

    def intersection(self, iterable):
        return self & WeakSet(iterable)

    def difference(self, iterable):
        return self - WeakSet(iterable)

    def symmetric_difference(self, iterable):
        return self ^ WeakSet(iterable)

    def issubset(self, iterable):
        return self <= WeakSet(iterable)

    def issuperset(self, iterable):
        return self >= WeakSet(iterable)

    def __repr__(self):
        return f"<{type(self).__name__} at {id(self):#x}; of {len(self)}>"
