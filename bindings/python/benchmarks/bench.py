# SPDX-License-Identifier: MIT
"""What a call costs: bare SWIG calls, ouro's containers, and the library itself below them.

    python bench.py [--json FILE]

CPU time of this thread, the least of many runs, less an empty loop. Each measurement checks the result of what it times. "bare" is a function
that SWIG wrapped as it is: what any wrapped C function costs. The wrapper's part of an operation is what it takes beyond that; what the library
takes for the operation itself is in both where the function is the same.
"""

import argparse
import gc
import json
import time
import timeit

import ouro
from ouro import _ouro

RESULTS = {}


def least(statement, setup, count, scope):
    timer = timeit.Timer(statement, setup, timer=time.thread_time, globals=scope)
    return min(timer.repeat(15, count)) / count * 1e9


def measure(name, statement, setup="pass", count=100_000, check=None, each=1, **scope):
    """statement is timed after setup; check is an expression that must be true after both."""
    scope = {**scope, "ouro": ouro}
    names = {}
    exec(setup, scope, names)
    if check:
        scope_now = {**scope, **names}
        exec(statement if not check.startswith("=") else "pass", scope_now)
        expression = check if not check.startswith("=") else f"({statement}) == ({check[1:]})"
        assert eval(expression, scope_now), name
    empty = least("pass", "pass", count, {}) if each == 1 else 0
    cost = (least(statement, setup, count, scope) - empty) / each
    RESULTS[name] = round(cost, 1)
    print(f"{name:44} {cost:8.1f} ns", flush=True)


def single_calls():
    print("-- one call")
    setup = "l = ouro.List(range(1000)); d = ouro.Dict({'a': 1, 5: 2}); s = ouro.Set([1, 2]); r = ouro.Record('p', x=1); t = ouro.Tuple([1, 2])"
    measure("bare: no argument, returns an int", "f()", check="=f()", f=_ouro.gc_get_debug)
    measure("bare: one object, returns an int", "f(5)", check="=2", f=_ouro.kind_of)
    measure("bare: two ints, returns a bool", "f(5, 6)", check="=False", f=_ouro.same)
    measure("bare: list_length(l)", "f(l)", setup, check="=1000", f=_ouro.list_length)
    measure("bare: list_get(l, i)", "f(l, 5)", setup, check="=5", f=_ouro.list_get)
    measure("bare: list_append(l, an int)", "f(l, 5)", setup, check="l[-1] == 5", f=_ouro.list_append)
    measure("bare: dict_get(d, a str)", "f(d, 'a')", setup, check="=1", f=_ouro.dict_get)
    measure("bare: record_get(r, a str)", "f(r, 'x')", setup, check="=1", f=_ouro.record_get)
    measure("len(l)", "len(l)", setup, check="=1000")
    measure("l[i], an int", "l[5]", setup, check="=5")
    measure("l[i] = an int", "l[5] = 7", setup, check="l[5] == 7")
    measure("l.append(an int)", "l.append(5)", setup, check="l[-1] == 5")
    measure("l[i], a container that has a wrapper", "l[0]", "k = ouro.List(); l = ouro.List([k])", check="l[0] is k")
    measure("l[i], a container that gets a wrapper", "l[0]", "l = ouro.List([ouro.List([5])])", check="=[5]")
    measure("l[i], a short str", "l[0]", "l = ouro.List(['hello'])", check="='hello'")
    measure("l[i], a float", "l[0]", "l = ouro.List([1.5])", check="=1.5")
    measure("l[i], a Python object", "l[0]", "k = object(); l = ouro.List([k])", check="l[0] is k")
    measure("l.append(a Python object)", "l.append(k)", "k = object(); l = ouro.List()", check="l[-1] is k")
    measure("t[i]", "t[1]", setup, check="=2")
    measure("d[a str]", "d['a']", setup, check="=1")
    measure("d[an int]", "d[5]", setup, check="=2")
    measure("d[an int] = an int", "d[5] = 9", setup, check="d[5] == 9")
    measure("an int in s", "1 in s", setup, check="=True")
    measure("r.field", "r.x", setup, check="=1")
    measure("r.field = an int", "r.x = 3", setup, check="r.x == 3")
    measure("List(), made and dropped", "ouro.List()", setup)
    print("-- the same of Python's own")
    measure("python: len(list)", "len(l)", "l = list(range(1000))", check="=1000")
    measure("python: list[i]", "l[5]", "l = list(range(1000))", check="=5")
    measure("python: list.append", "l.append(5)", "l = []", check="l[-1] == 5")
    measure("python: dict[a str]", "d['a']", "d = {'a': 1}", check="=1")
    measure("python: [], made and dropped", "list()")


def batches():
    n = 100_000
    print(f"-- {n} elements at once, for each")
    source, expected = list(range(n)), sum(range(n))
    scope = dict(source=source, l=ouro.List(source), pairs={i: i for i in range(n)}, d=ouro.Dict({i: i for i in range(n)}))
    measure("List(list)", "x = ouro.List(source)", count=3, each=n, check="len(x) == len(source) and x[-1] == source[-1]", **scope)
    measure("l.extend(list)", "x = ouro.List(); x.extend(source)", count=3, each=n, check="x[-1] == source[-1]", **scope)
    measure("one append for each", "x = ouro.List()\nfor i in source: x.append(i)", count=3, each=n, check="len(x) == len(source)", **scope)
    measure("to_python(l)", "ouro.to_python(l)", count=3, each=n, check="=source", **scope)
    measure("list(l), by the iterator", "list(l)", count=3, each=n, check="=source", **scope)
    measure("for x in l", "for x in l: pass", count=3, each=n, check="x == source[-1]", **scope)
    measure("sum(l)", "sum(l)", count=3, each=n, check=f"={expected}", **scope)
    measure("l[:]", "l[:]", count=3, each=n, check="=l", **scope)
    measure("l == l2", "l == l2", count=3, each=n, check="=True", l2=ouro.List(source), **scope)
    measure("Dict(dict)", "ouro.Dict(pairs)", count=3, each=n, check="=pairs", **scope)
    measure("to_python(d)", "ouro.to_python(d)", count=3, each=n, check="=pairs", **scope)
    measure("dict(d.items())", "dict(d.items())", count=3, each=n, check="=pairs", **scope)
    measure("python: list(list)", "list(source)", count=3, each=n, check="=source", **scope)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--json")
    options = parser.parse_args()
    gc.disable()
    single_calls()
    batches()
    if options.json:
        with open(options.json, "w") as file:
            json.dump(RESULTS, file, indent=1)


if __name__ == "__main__":
    main()
