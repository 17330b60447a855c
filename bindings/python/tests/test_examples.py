# SPDX-License-Identifier: MIT
"""The examples run, and show what they are to show."""

import pathlib
import re
import subprocess
import sys

import pytest
from conftest import environment

FOLDER = pathlib.Path(__file__).resolve().parents[1] / "examples"

SHOWN = {
    "counting": r"made: .* 1\n.* 1\ntwice in a list +3\n.* 4\n.* 3\n.* 2\n.* 2\n.*'a', 'b', 'c'.*\nthe list is gone\ncleared",
    "cycle": r"each holds the other: alive\ngc.collect\(\) found 2 .* None\nafter ouro's .* alive\nafter Python's .* gone\nleft: 0 objects",
    "generations": r"generation 1: found 100, and looked at few .*\ngeneration 2: found 100, and looked at all .*\n.*: some\n.*: 0\n.*: True, .*\n.*'start'",
    "generators": r"True\n.*True\n.*0 1 changed",
    "interning": r"object: +(4[89]|[5-9]\d) bytes each\n.* 8 bytes each\n.*True\n.*True\n.* 0 bytes",
    "leak": r"'session': 1000.*\n.*\['history'\]\n.*made: session = .*\n.*: 0 sessions",
    "pools": r"given back: most of it\nwith a limit: out of memory.*\nthe list is as it was: 0",
}


def test_each_has_a_test():
    assert sorted(SHOWN) == sorted(path.stem for path in FOLDER.glob("*.py"))


@pytest.mark.parametrize("name", SHOWN)
def test_example(name):
    for _ in range(3):  # a collection that comes by itself, and late, may find what the program is about to count
        done = subprocess.run([sys.executable, FOLDER / f"{name}.py"], capture_output=True, text=True, timeout=120, env=environment())
        assert done.returncode == 0 and not done.stderr, done.stderr
        if re.search(SHOWN[name], done.stdout):
            return
    pytest.fail(done.stdout)
