# SPDX-License-Identifier: MIT
"""Forks, the end of the interpreter, subinterpreters: each in an interpreter of its own."""

import os
import subprocess
import sys

import pytest
from conftest import run

import ouro


def test_fork():
    out = run("""
        import gc, os, ouro
        class Thing: pass
        shared = ouro.Dict({"list": ouro.List(range(100)), "thing": Thing()})
        children = []
        for i in range(20):
            pid = os.fork()
            if not pid:
                shared["list"].append(i)
                l = ouro.List(); l.append(l); del l
                t = Thing(); t.l = ouro.List([t]); del t
                gc.collect(); ouro.gc.collect()
                shared["new"] = ouro.Tuple([1, 2])
                os._exit(0 if len(shared["list"]) == 101 and ouro.gc.isenabled() else 1)
            children.append(pid)
        print([os.waitpid(pid, 0)[1] for pid in children] == [0] * 20, len(shared["list"]), "new" in shared)
    """)
    assert out == "True 100 False\n"


def test_fork_while_threads_work():
    out = run("""
        import os, threading, ouro, gc
        shared, stop = ouro.List([ouro.List(range(5000)) for _ in range(8)]), []
        def work(i):
            while not stop:
                shared[i].sort(reverse=True); shared[i].sort(); shared[(i + 1) % 8] = ouro.List(range(5000))
                l = ouro.List([object()]); l.append(l)
        threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
        for t in threads: t.start()
        bad = 0
        for i in range(30):
            pid = os.fork()
            if not pid:
                for l in shared: l.append(len(l)); l[0]; sum(l)
                ouro.List(range(10000)).sort(); gc.collect(); ouro.gc.collect()
                os._exit(0)
            bad += os.waitpid(pid, 0)[1] != 0
        stop.append(1)
        for t in threads: t.join()
        print(bad)
    """)
    assert out == "0\n"


def test_multiprocessing():
    out = run("""
        import multiprocessing, ouro
        def double(x):
            return ouro.to_python(ouro.List([x, ouro.Tuple([x])]) * 2)
        if __name__ == "__main__":
            for method in ("fork",):
                with multiprocessing.get_context(method).Pool(3) as pool:
                    print(pool.map(double, range(3)) == [[x, (x,), x, (x,)] for x in range(3)])
    """)
    assert out == "True\n"


SHUTDOWNS = {
    "everything alive": """
        import ouro
        class Thing:
            def __del__(self): print("gone")
        l = ouro.List([Thing(), ouro.Dict()]); l.append(l); l[1]["self"] = l
        t = Thing(); t.l = ouro.List([t])
        r = ouro.weakref.ref(l, print); f = ouro.weakref.finalize(l, print, "finalize")
    """,
    "threads at work": """
        import threading, ouro
        shared = ouro.List(range(20000))
        def work():
            while True:
                mine = shared[:]; mine.sort(); shared.reverse(); ouro.gc.collect(); ouro.List([object()])
        for _ in range(6): threading.Thread(target=work, daemon=True).start()
        import time; time.sleep(0.3)
    """,
    "finalizers under way": """
        import ouro, threading
        class Thing:
            def __del__(self): ouro.List([1, 2]).append(3)
        def work():
            while True:
                l = ouro.List([Thing()]); l.append(l); del l
        for _ in range(4): threading.Thread(target=work, daemon=True).start()
        import time; time.sleep(0.3)
    """,
    "callbacks of the collector": """
        import ouro, time, threading
        ouro.gc.callbacks.append(lambda phase, info: ouro.List([phase, info]))
        def work():
            while True:
                for _ in range(1000):
                    l = ouro.List(); l.append(l)
                ouro.gc.collect()
        for _ in range(3): threading.Thread(target=work, daemon=True).start()
        time.sleep(0.3)
    """,
    "an exit in the middle": """
        import ouro, sys
        class Key:
            def __hash__(self): sys.exit(0)
        ouro.Dict({Key(): 1})
    """,
    "used at exit": """
        import atexit, ouro
        l = ouro.List([1])
        atexit.register(lambda: l.append(ouro.List([2])))
        class Last:
            def __del__(self): l.append(3); ouro.List([4]).sort()
        import builtins; builtins.last = Last()
    """,
    "tracing": """
        import tracemalloc; tracemalloc.start()
        import ouro
        l = ouro.List([ouro.List() for _ in range(1000)])
    """,
}


@pytest.mark.parametrize("name", SHUTDOWNS)
def test_shutdown(name):
    for _ in range(5):
        out = run(SHUTDOWNS[name], silent=name != "finalizers under way")  # they may be cut off, which Python then says
        if name == "everything alive":
            assert "finalize" in out


@pytest.mark.skipif(sys.version_info >= (3, 13), reason="Python's locks are no semaphores")
def test_shutdown_waits_for_threads_inside_python(tmp_path):
    """What dies on a thread of the library's is announced to Python: not to one that has gone."""
    source, library = os.path.join(os.path.dirname(__file__), "slow_lock.c"), str(tmp_path / "slow_lock.so")
    subprocess.run(["cc", "-shared", "-fPIC", source, "-o", library, "-ldl"], check=True)
    out = run("""
        import ctypes, threading, time, ouro
        class Thing: pass
        l = ouro.List([Thing()]); l.append(l); del l
        threading.Thread(target=ouro.gc.collect, daemon=True).start()
        was_inside = ctypes.c_int.in_dll(ctypes.CDLL(None), "was_inside")
        while not was_inside.value: time.sleep(0.001)
        print("inside")
    """, LD_PRELOAD=library)
    assert out == "inside\n"


def test_exceptions_at_shutdown_are_shown():
    out = run("""
        import ouro, sys
        sys.excepthook = lambda *what: print(what[0].__name__)
        l = ouro.List()
        f = ouro.weakref.finalize(l, lambda: 1 / 0)
    """)
    assert out == "ZeroDivisionError\n"


def test_import_again():
    out = run("""
        import sys, ouro
        l = ouro.List([1])
        for name in [n for n in sys.modules if n.startswith("ouro")]: del sys.modules[name]
        try:
            import ouro as again
            print(again.List([1]) == [1], l == [1])
        except ImportError as error:
            print("True True", error)
    """)
    assert out.startswith("True True")


@pytest.mark.skipif(sys.version_info[:2] not in ((3, 10), (3, 11), (3, 12)), reason="_xxsubinterpreters")
def test_subinterpreters():
    out = run("""
        import _xxsubinterpreters as interpreters
        import ouro
        other = interpreters.create()
        try:
            interpreters.run_string(other, "import ouro")
        except Exception as error:
            print("ImportError" in str(error) or "ouro" in str(error))
        interpreters.destroy(other)
        print(ouro.List([1]))
    """)
    assert out == "True\nouro.List([1])\n"


def test_deep_recursion():
    """Whatever is nested too deep for Python is a RecursionError."""
    out = run("""
        import ouro, copy, pickle
        l = ouro.List(); m = ouro.List()
        for _ in range(100_000): l, m = ouro.List([l]), ouro.List([m])
        d = {}
        for name, attempt in {"repr": lambda: repr(l), "pickle": lambda: pickle.dumps(l), "deepcopy": lambda: copy.deepcopy(l), "order": lambda: l < m,
                              "host": lambda: l == ouro.to_python(m)}.items():
            try:
                attempt(); print(name)
            except RecursionError:
                pass
        print(l == m, ouro.convert(ouro.to_python(l)) == m)
        t = ouro.Tuple()
        for _ in range(100_000): t = ouro.Tuple([t])
        try: hash(t)
        except RecursionError: print("hash")
        try: ouro.Dict({t: 1})
        except RecursionError: print("key")
        del l, m, t
    """)
    assert out == "True True\nhash\nkey\n"


def test_out_of_memory():
    """malloc itself fails: the process has little memory. Exceptions, and all goes on."""
    out = run("""
        import resource, ouro
        used = int(open("/proc/self/statm").read().split()[0]) * 4096
        resource.setrlimit(resource.RLIMIT_AS, (used + (64 << 20),) * 2)
        l, failures = ouro.List(), 0
        attempts = [lambda: l.append(ouro.Dict({i: i for i in range(100)})), lambda: l.extend(range(10000)), lambda: l.append("x" * 100_000),
                    lambda: l.append(ouro.convert([[1.5] * 100] * 100)), lambda: l.append(l[:]), lambda: l.append(ouro.to_python(l)) , lambda: l.append(ouro.Set(range(1000)))]
        for i in range(2000):
            try: attempts[i % 7]()
            except MemoryError: failures += 1
            if failures > 300: break
        l.clear(); del attempts
        ouro.gc.collect(); ouro.mem.trim()
        print(failures > 0, ouro.List(range(1000))[-1])
    """, timeout=300)
    assert out == "True 999\n"


def test_environment_is_this_one():
    assert run("import ouro; print(ouro.__file__)").strip() == os.path.abspath(ouro.__file__)
