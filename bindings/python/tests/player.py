# SPDX-License-Identifier: MIT
"""Plays the common scenarios (tests/scenarios/README.md in the repository) on Python's interface.

What Python says in its own way (True == 1, iterators of its own) is asked of the functions that SWIG makes, which say it the library's way.
"""

import gc
import math
import operator
import re
import threading

import conftest
import ouro
from ouro import _ouro

WORD = re.compile(r' *(b?"(?:[^"\\]|\\.)*"|[^ ]+)')
ESCAPE = re.compile(rb"\\(x[0-9a-fA-F]{2}|.)", re.S)
OMITTED = -(1 << 63)
LITERALS = {"nil": None, "true": True, "false": False, "inf": math.inf, "-inf": -math.inf, "nan": math.nan, "_": OMITTED}


class Host:
    def __init__(self, name):
        self.name = name

    def __repr__(self):
        return f"<{self.name}>"


def unescape(text):
    def one(match):
        what = match[1]
        return bytes([int(what[1:], 16)]) if what[:1] == b"x" else {b"n": b"\n", b"t": b"\t"}.get(what, what)

    return ESCAPE.sub(one, text.encode())


def error_word(error):
    """The word for an exception; None if it is none that a scenario knows."""
    if isinstance(error, StopIteration):
        return "end"
    if isinstance(error, RuntimeError):
        return "changed" if "changed" in str(error) else "usage"
    if isinstance(error, ValueError):
        return "encoding" if "UTF-8" in str(error) else "invalid"
    for builtin, word in ((IndexError, "index"), (KeyError, "key"), (MemoryError, "nomem"), (TypeError, "type"), (AttributeError, "type"),
                          (ouro.OuroError, "host")):
        if isinstance(error, builtin):
            return word
    return None


# ---- operations ----


def kind(x):
    return KINDS[_ouro.kind_of(x)]


KINDS = {getattr(_ouro, name): name[len("KIND_"):].lower().replace("_", " ") for name in dir(_ouro) if name.startswith("KIND_")}


def by_kind(**functions):
    """The function for the kind of the first argument."""

    def call(container, *args):
        function = functions.get(kind(container).replace(" ", "_"))
        if function is None:
            raise TypeError(f"not for a {kind(container)}")
        return function(container, *args)

    return call


def pairs(words):
    return list(words[::2]), list(words[1::2])


def make_dict(*words):
    made = ouro.Dict()
    for key, value in zip(*pairs(words)):
        _ouro.dict_set(made, key, value)
    return made


def make_set(*items):
    made = ouro.Set()
    for item in items:
        _ouro.set_add(made, item)
    return made


def make_record(name, *words):
    fields, values = pairs(words)
    if not all(isinstance(field, str) for field in fields):
        raise TypeError("names of fields are strings")
    return ouro.Record(name, **dict(zip(fields, values)))


def pop(container, *key):
    return by_kind(list=lambda l, i=-1: _ouro.list_pop(l, i), dict=_ouro.dict_pop, weak_map=_ouro.weak_map_pop, set=_ouro.set_pop)(container, *key)


def step_of(step):
    return 1 if step == OMITTED else step


def search(function):
    return lambda sequence, item: function(sequence, item, 0, (1 << 62))


def has_in(function):
    def has(sequence, item):
        return function(sequence, item) > 0

    return has


class Player:
    """One scenario's variables, and what can be done."""

    def __init__(self):
        self.variables = {}
        self.log = []
        self.operations = {
            "list": lambda *items: ouro.List(items),
            "tuple": lambda *items: ouro.Tuple(items),
            "set": make_set,
            "dict": make_dict,
            "record": make_record,
            "host": Host,
            "weak": ouro.weakref.ref,
            "watch": self.watch,
            "weak_map": lambda mode: _ouro.weak_map_new(("k" in mode) | ("v" in mode) << 1),
            "weak_set": _ouro.weak_set_new,
            "value": lambda x: x,
            "kind": kind,
            "length": _ouro.length,
            "truth": _ouro.truth,
            "repr": _ouro.repr,
            "same": lambda a, b: a is b or _ouro.same(a, b),
            "equal": _ouro.equal,
            "key_equal": _ouro.key_equal,
            "same_hash": lambda a, b: _ouro.hash(a) == _ouro.hash(b),
            "compare": lambda a, b: {2: None}.get(_ouro.compare(a, b), _ouro.compare(a, b)),
            "copy": _ouro.copy,
            "deep_copy": _ouro.copy_deep,
            "intern": ouro.intern,
            "get": by_kind(list=_ouro.list_get, tuple=_ouro.tuple_get, dict=_ouro.dict_get, weak_map=_ouro.weak_map_get, record=_ouro.record_get),
            "put": by_kind(list=_ouro.list_set, dict=_ouro.dict_set, weak_map=_ouro.weak_map_set, record=_ouro.record_set),
            "delete": by_kind(list=_ouro.list_delete, dict=_ouro.dict_delete, weak_map=_ouro.weak_map_delete),
            "pop": pop,
            "has": by_kind(list=has_in(_ouro.list_count), tuple=has_in(_ouro.tuple_count), dict=_ouro.dict_has, set=_ouro.set_has,
                           weak_map=_ouro.weak_map_has, weak_set=_ouro.weak_set_has),
            "clear": by_kind(list=ouro.List.clear, dict=ouro.Dict.clear, set=ouro.Set.clear, weak_map=_ouro.weak_map_clear, weak_set=_ouro.weak_set_clear),
            "append": by_kind(list=ouro.List.append),
            "insert": by_kind(list=ouro.List.insert),
            "extend": by_kind(list=_ouro.list_extend),
            "remove": by_kind(list=_ouro.list_remove, set=_ouro.set_remove),
            "index": by_kind(list=search(_ouro.list_index), tuple=search(_ouro.tuple_index)),
            "count": by_kind(list=_ouro.list_count, tuple=_ouro.tuple_count),
            "slice": lambda s, i, j, k: by_kind(list=_ouro.list_slice, tuple=_ouro.tuple_slice)(s, i, j, step_of(k)),
            "put_slice": by_kind(list=lambda l, i, j, k, *items: _ouro.list_set_slice(l, i, j, step_of(k), items)),
            "delete_slice": by_kind(list=lambda l, i, j, k: _ouro.list_delete_slice(l, i, j, step_of(k))),
            "concat": by_kind(list=_ouro.list_concat, tuple=_ouro.tuple_concat),
            "repeat": by_kind(list=_ouro.list_repeat),
            "reverse": by_kind(list=ouro.List.reverse),
            "sort": by_kind(list=lambda l: _ouro.list_sort(l, False)),
            "sort_down": by_kind(list=lambda l: _ouro.list_sort(l, True)),
            "get_or": by_kind(dict=_ouro.dict_get_or),
            "setdefault": by_kind(dict=_ouro.dict_setdefault, weak_map=_ouro.weak_map_setdefault),
            "pop_first": by_kind(dict=lambda d: ouro.Tuple(_ouro.dict_pop_item(d, True))),
            "pop_last": by_kind(dict=lambda d: ouro.Tuple(_ouro.dict_pop_item(d, False))),
            "update": by_kind(dict=_ouro.dict_update, set=_ouro.set_update),
            "add": by_kind(set=_ouro.set_add, weak_set=_ouro.weak_set_add),
            "discard": by_kind(set=_ouro.set_discard, weak_set=_ouro.weak_set_discard),
            "union": by_kind(set=operator.or_),
            "intersection": by_kind(set=operator.and_),
            "difference": by_kind(set=operator.sub),
            "symmetric_difference": by_kind(set=operator.xor),
            "subset": by_kind(set=operator.le),
            "disjoint": by_kind(set=lambda a, b: a.isdisjoint(b)),
            "iter": _ouro.iterate,
            "reversed": _ouro.iterate_reversed,
            "range": _ouro.iterate_range,
            "keys": lambda c: _ouro.iterate_part(c, _ouro.KEYS),
            "values": lambda c: _ouro.iterate_part(c, _ouro.VALUES),
            "items": lambda c: _ouro.iterate_part(c, _ouro.ITEMS),
            "next": _ouro.iterator_next,
            "deref": self.deref,
            "collect": ouro.gc.collect,
            "gc": lambda on: ouro.gc.enable() if on else ouro.gc.disable(),
            "gc_enabled": ouro.gc.isenabled,
            "set_threshold": ouro.gc.set_threshold,
            "threshold": lambda: ouro.Tuple(ouro.gc.get_threshold()),
            "freeze": ouro.gc.freeze,
            "unfreeze": ouro.gc.unfreeze,
            "limit": lambda limit: ouro.mem.set_limit(hard=limit),
            "log": self.take_log,
            "held": _ouro.hosted_count,
        }

    def watch(self, x, text):
        return ouro.weakref.ref(x, lambda ref: self.log.append(text))

    def deref(self, weak):
        if not isinstance(weak, ouro.weakref.ref):
            raise TypeError("no weak reference")
        return weak()

    def take_log(self):
        texts, self.log = self.log, []
        return ouro.Tuple(texts)

    # ---- steps ----

    def value(self, word):
        if word in LITERALS:
            return LITERALS[word]
        if word in self.variables:
            return self.variables[word]
        if word[0] == '"':
            return unescape(word[1:-1]).decode("utf-8", "surrogateescape")
        if word.startswith('b"'):
            return unescape(word[2:-1])
        return float(word) if re.search("[.e]", word) else int(word)

    def call(self, operation, words, on_thread):
        """(result, exception)"""
        outcome = []

        def run():
            try:
                outcome.append((operation(*[self.value(word) for word in words]), None))
            except Exception as error:
                outcome.append((None, error.with_traceback(None)))

        if on_thread:
            thread = threading.Thread(target=run)
            thread.start()
            thread.join()
        else:
            run()
        return outcome[0]

    def play(self, line):
        words, at = [], 0
        while match := WORD.match(line, at):
            words.append(match[1])
            at = match.end()
            if match[1] == "=>":
                break
        text = to = None
        if "=>" in words:
            text = line[at:].strip()
            words.remove("=>")
        if "->" in words:
            to = words.pop()
            words.pop()
        expected, times, on_thread = None, 1, False
        if words[0] == "error":
            expected = words[1][:-1]
            del words[:2]
        if words[0] == "thread:":
            on_thread = True
            del words[0]
        if words[0] == "times":
            times = int(words[1][:-1])
            del words[:2]
        name = words.pop(0)
        if name == "drop":
            for word in words:
                del self.variables[word]
            return
        for _ in range(times):
            result, error = self.call(self.operations[name], words, on_thread)
            word = error_word(error) if error else None
            if error and (word is None or word != expected):
                raise error
            if error:
                return
            if to:
                self.variables[to] = result
            if text is not None:
                assert _ouro.repr(result) == text
        assert expected is None, f"no error {expected}"


def live():
    gc.collect()
    for _ in range(3):
        ouro.gc.collect()
    return conftest.live()


def play(steps):
    """Plays (number, line) pairs; returns nothing, or raises with the line's number."""
    before, player = live(), Player()
    try:
        for number, line in steps:
            try:
                player.play(line)
            except Exception as error:
                raise AssertionError(f"line {number}: {line}: {type(error).__name__}: {error}") from error
    finally:
        ouro.gc.enable()
        ouro.gc.unfreeze()
        ouro.gc.set_threshold(0, 0, 0)
        ouro.mem.set_limit()
        player.variables.clear()
    player.operations.clear()
    assert conftest.wait_until(lambda: live() == before and _ouro.hosted_count() == 0), "something is left"


def scenarios(path):
    """(name, steps) of each scenario of a file."""
    found = []
    for number, line in enumerate(path.read_text().splitlines(), 1):
        line = line.strip()
        if line.startswith("== "):
            found.append((line[3:], []))
        elif line and line[0] != "#":
            found[-1][1].append((number, line))
    return found
