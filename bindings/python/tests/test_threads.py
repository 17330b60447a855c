# SPDX-License-Identifier: MIT
"""Many threads share one graph: nothing is lost, nothing is left, nothing crashes.

OURO_TEST_SECONDS: how long the long test takes (a minute, if it is 60).
"""

import collections
import gc
import os
import random
import sys
import threading
import time

import pytest
from conftest import settle

import ouro

SECONDS = float(os.environ.get("OURO_TEST_SECONDS") or 4)
THREADS = 8


def run_all(functions):
    """Each in a thread of its own; what they raise is raised here."""
    failures = []

    def guard(function):
        try:
            function()
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=guard, args=(function,)) for function in functions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


class Token:
    """An object of Python's in the graph; its deaths are counted."""

    made = died = 0
    lock = threading.Lock()

    def __init__(self, number):
        self.number = number
        with Token.lock:
            Token.made += 1

    def __del__(self):
        with Token.lock:
            Token.died += 1


def test_shared_graph(rng):
    """Eight threads do everything there is to do to one graph. At the end all of it is dropped, and both heaps are as before."""
    before = settle()
    Token.made = Token.died = 0
    root = ouro.List([ouro.Dict(), ouro.Set(), ouro.List(), ouro.Record("node", left=None, right=None, count=0)] * 4)
    counter = ouro.Record("counter", **{f"t{i}": 0 for i in range(THREADS)})
    deadline = time.monotonic() + SECONDS

    def container(r):
        found = root[r.randrange(len(root))]
        for _ in range(r.randrange(3)):
            if isinstance(found, ouro.List) and len(found):
                try:
                    inner = found[r.randrange(len(found) or 1)]
                except IndexError:
                    break
                found = inner if isinstance(inner, (ouro.List, ouro.Dict, ouro.Set)) else found
        return found

    def value(r):
        return [lambda: r.randrange(10**6), lambda: r.random(), lambda: "text %d" % r.randrange(100), lambda: None, lambda: Token(7), lambda: 10**30,
                lambda: ouro.List([1, 2]), lambda: ouro.Tuple([r.random(), "x"]), lambda: container(r), lambda: root[1], lambda: (1, "y"),
                lambda: ouro.Dict({1: root[0]})][r.randrange(12)]()

    def step(r):
        c = container(r)
        what = r.randrange(10)
        try:
            if isinstance(c, ouro.List):
                if what < 3:
                    c.append(value(r))
                elif what == 3:
                    c.insert(r.randrange(5), value(r))
                elif what == 4:
                    c.pop()
                elif what == 5:
                    c[r.randrange(len(c) or 1)] = value(r)
                elif what == 6:
                    c[1:3] = [value(r)]
                elif what == 7:
                    assert sum(1 for _ in c) >= 0
                elif what == 8:
                    c.reverse()
                if len(c) > 200:
                    c.clear()
            elif isinstance(c, ouro.Dict):
                key = r.randrange(50)
                if what < 4:
                    c[key] = value(r)
                elif what == 4:
                    c.pop(key, None)
                elif what == 5:
                    c.setdefault(str(key), value(r))
                elif what == 6:
                    assert all(k is not None for k in list(c))
                elif what == 7:
                    c.update({key: value(r), key + 1: value(r)})
                elif what == 8:
                    c.copy()
                elif r.random() < 0.1:
                    c.clear()
            elif isinstance(c, ouro.Set):
                if what < 4:
                    c.add(r.randrange(100))
                elif what < 7:
                    c.discard(r.randrange(100))
                elif what == 7:
                    assert (c | {1000}) - {1000} is not None
                else:
                    assert all(type(item) is int for item in list(c))
            else:
                if what < 4:
                    c.left = value(r)
                elif what < 7:
                    c.right = c.left
                else:
                    c.count += 1
        except (IndexError, KeyError):
            pass
        except ouro.OuroRuntimeError as error:
            assert "changed" in str(error)

    def work(number):
        def run():
            r = random.Random(rng.random() + number)
            done = 0
            while not done or time.monotonic() < deadline:
                for _ in range(200):
                    step(r)
                done += 200
                if number == 0 and r.randrange(20) == 0:
                    gc.collect()
                if number == 1 and r.randrange(10) == 0:
                    ouro.gc.collect(r.randrange(3))
            setattr(counter, f"t{number}", done)

        return run

    run_all([work(number) for number in range(THREADS)])
    assert sum(counter._asdict().values()) >= THREADS * 200
    root.clear()
    root.close()
    del root, counter, container, value, step, work
    assert settle(before) == before
    assert Token.made == Token.died > 0 and ouro._ouro.hosted_count() == 0


def test_counts_balance():
    """Every element that goes in comes out once."""
    queues = ouro.List(ouro.List() for _ in range(4))
    per_thread, finished = 5000, []
    out = [collections.Counter() for _ in range(4)]

    def produce(number):
        def run():
            try:
                for i in range(per_thread):
                    queues[(i + number) % 4].append((number, i) if i % 2 else number * per_thread + i)
            finally:
                finished.append(number)

        return run

    def consume(number):
        def run():
            while True:
                over = len(finished) == 4  # then what is not there now never comes
                try:
                    out[number][queues[number].pop(0)] += 1
                except IndexError:
                    if over:
                        break
                    time.sleep(0.001)

        return run

    run_all([produce(i) for i in range(4)] + [consume(i) for i in range(4)])
    total = sum(out, collections.Counter())
    assert sum(total.values()) == 4 * per_thread and set(total.values()) == {1}


def test_atomic_operations():
    """setdefault gives one value to all; extend, update and slices are seen whole."""
    d, winners = ouro.Dict(), [None] * THREADS
    barrier = threading.Barrier(THREADS)

    def race(number):
        def run():
            mine = []
            for i in range(300):
                barrier.wait()
                mine.append(d.setdefault(i, number))
            winners[number] = mine

        return run

    run_all([race(i) for i in range(THREADS)])
    assert all(w == winners[0] for w in winners)

    l, stop = ouro.List(), []

    def extend():
        for i in range(2000):
            l.extend([i] * 5)
            if len(l) > 500:
                l.clear()
        stop.append(1)

    def look():
        while not stop:
            assert len(l[:]) % 5 == 0

    run_all([extend, look, look])


def test_wrapper_is_one(rng):
    """While one Python object stands for a container, all threads get that one."""
    shared = ouro.List(ouro.List([i]) for i in range(10))
    keep = list(shared)

    def look(seed):
        def run():
            r = random.Random(seed)
            for _ in range(5000):
                i = r.randrange(10)
                assert shared[i] is keep[i]

        return run

    run_all([look(i) for i in range(THREADS)])

    def churn(seed):
        def run():
            r = random.Random(seed)
            for _ in range(3000):
                i = r.randrange(10)
                one, other = shared[i], shared[i]
                assert one is other and one[0] == i

        return run

    del keep[:]
    run_all([churn(i) for i in range(THREADS)])


def test_without_the_gil():
    """Long operations let others run meanwhile."""
    if sys.getswitchinterval() > 1:
        pytest.skip("threads are switched too rarely")
    before = sys.getswitchinterval()
    big = ouro.List(range(400_000))
    other, crowd = ouro.List(big), ouro.List(ouro.List() for _ in range(20_000))
    ticks, stop = [0], []

    def tick():
        while not stop:
            ticks[0] += 1
            time.sleep(0)

    thread = threading.Thread(target=tick)
    sys.setswitchinterval(1000)  # nobody is made to let go
    try:
        thread.start()
        seen = []
        for operation in (lambda: big.sort(reverse=True), lambda: big[::2], lambda: big.reverse(), lambda: big.copy(), lambda: ouro.gc.collect(),
                          lambda: big == other, lambda: big * 2, lambda: ouro.gc.get_objects() and None):
            tries, until = 0, time.monotonic() + 20
            while tries < 300 or time.monotonic() < until:  # whether the other thread is quick enough to take the GIL is the machine's affair
                at = ticks[0]
                operation()
                tries += 1
                if ticks[0] > at:
                    break
            seen.append(ticks[0] > at)
    finally:
        sys.setswitchinterval(before)
        stop.append(1)
        thread.join()
    assert all(seen) and len(crowd) == 20_000, [number for number, one in enumerate(seen) if not one]


def test_exception_in_callback_of_another_thread(monkeypatch):
    """Each thread gets the exceptions of its own callbacks."""

    class Key:
        def __init__(self, owner):
            self.owner = owner

        def __hash__(self):
            return 1

        def __eq__(self, other):
            raise ZeroDivisionError(threading.get_ident())

    d = ouro.Dict({Key(0): 1})

    def look():
        for _ in range(500):
            with pytest.raises(ZeroDivisionError) as caught:
                d[Key(1)]
            assert caught.value.args == (threading.get_ident(),)

    run_all([look] * THREADS)


def test_threads_come_and_go():
    shared = ouro.List()
    for _ in range(20):
        run_all([lambda i=i: shared.append(ouro.List([i, shared])) for i in range(20)])
    assert len(shared) == 400
    shared.clear()
