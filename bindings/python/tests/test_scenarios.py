# SPDX-License-Identifier: MIT
"""The scenarios that all languages play (tests/scenarios in the repository)."""

import os
import pathlib

import player
import pytest

FOLDER = pathlib.Path(os.environ.get("OURO_SCENARIOS") or pathlib.Path(__file__).resolve().parents[3] / "tests" / "scenarios")
ALL = [pytest.param(steps, id=f"{path.stem}: {name}") for path in sorted(FOLDER.glob("*.txt")) for name, steps in player.scenarios(path)]


@pytest.mark.skipif("OURO_SCENARIOS" not in os.environ, reason="nobody has said where they are")
def test_there_are_some():
    assert len(ALL) > 60


@pytest.mark.skipif(not ALL, reason="the scenarios are in the repository only")
@pytest.mark.parametrize("steps", ALL)
def test_scenario(steps):
    player.play(steps)
