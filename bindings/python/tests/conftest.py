# SPDX-License-Identifier: MIT
"""What all tests share: after each, ouro's heap holds what it held before; random numbers come from a seed that is shown when a test fails."""

import gc
import os
import random
import subprocess
import sys
import textwrap
import time

import pytest

import ouro


def live():
    """Live objects in ouro's heap, counted until there are as many twice: memory of dead ones may change hands meanwhile."""
    count, again = ouro.mem.live_objects(), None
    while count != again:
        ouro.mem.trim()
        count, again = ouro.mem.live_objects(), count
    return count


def wait_until(done, seconds=60):
    """Whether it is done, in the end."""
    deadline = time.monotonic() + seconds
    while not (ok := done()) and time.monotonic() < deadline:
        time.sleep(0.001)
    return ok


def settle(expected=None):
    """Live objects in ouro's heap when all garbage is gone; more than expected only after waiting for threads of the library that may have some in hand."""

    def is_settled():
        gc.collect()
        if expected is not None and live() <= expected:
            return True
        ouro.gc.collect()
        return False

    if not any(is_settled() for _ in range(4)) and expected is not None:
        wait_until(is_settled)
    return live()


def collections():
    return [one["collections"] for one in ouro.gc.get_stats()]


def await_collector():
    """Waits for what the collector's own thread is at, or has been asked for: what is garbage from then on, and does not make the heap grow, only collect() finds.

    What ends after a collection was asked for may have been under way before. So generation 1 is asked for twice, and no more than one of these is under way then; when one
    of 2 has ended after that, everything has."""
    with ouro.gc.disabled():
        for generations in (1, 2), (1, 2), (2,):
            before = collections()
            ouro._ouro.gc_collect_async(generations[0])
            assert wait_until(lambda: any(collections()[i] > before[i] for i in generations)), "the collector's thread does not collect"


left = 0  # after the last test; None: it has failed, and its traceback may hold what it likes


@pytest.fixture(autouse=True)
def no_leak(request):
    global left
    await_collector()
    before = settle() if left is None else left
    yield
    left = settle(before) if request.node.passed else None
    if left is not None and request.node.get_closest_marker("leaks") is None:
        assert left <= before, "objects are left in ouro's heap"


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    if call.when == "call":
        item.passed = call.excinfo is None
    yield


@pytest.fixture
def rng(request):
    seed = int(os.environ.get("OURO_TEST_SEED") or 20260101)
    request.node.user_properties.append(("seed", seed))
    print(f"OURO_TEST_SEED={seed}")
    return random.Random(seed)


def environment():
    """For another interpreter that is to find the same modules."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}


def run(code, *args, timeout=120, silent=True, **variables):
    """Runs code in a new interpreter, in whose environment the variables are, too; its standard output. Fails if it ends with anything but 0, or (silent) writes to standard error."""
    # Python 3.12 and later warn of every fork beside threads, and the library has some.
    done = subprocess.run([sys.executable, "-X", "faulthandler", "-W", "ignore::DeprecationWarning", "-c", textwrap.dedent(code), *args], capture_output=True, text=True,
                          timeout=timeout, env={**environment(), **variables})
    assert done.returncode == 0 and not (silent and done.stderr), f"exit status {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def outcome(function):
    """('is', result), or ('raises', the builtin exception that it is)."""
    try:
        return "is", function()
    except Exception as error:
        for builtin in (IndexError, KeyError, ValueError, TypeError, RuntimeError, OverflowError, AttributeError):
            if isinstance(error, builtin):
                return "raises", builtin
        raise


def pytest_configure(config):
    config.addinivalue_line("markers", "leaks: the test leaves objects behind on purpose")
