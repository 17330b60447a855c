# SPDX-License-Identifier: MIT
"""What all tests share: after each, ouro's heap holds what it held before; random numbers come from a seed that is shown when a test fails."""

import gc
import os
import random
import subprocess
import sys
import textwrap

import pytest

import ouro


def settle(expected=0):
    """Live objects in ouro's heap when all garbage is gone."""
    for _ in range(4):
        gc.collect()
        if ouro.mem.live_objects() <= expected:
            break
        ouro.gc.collect()
    return ouro.mem.live_objects()


left = 0  # after the last test; None: it has failed, and its traceback may hold what it likes


@pytest.fixture(autouse=True)
def no_leak(request):
    global left
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
