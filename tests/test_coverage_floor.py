"""The floor under the branch coverage is never lower than in any commit before."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def floors(patch: str) -> list[int]:
    """Every floor that a history of pyproject.toml has had."""
    return [int(number) for number in re.findall(r"^[+-]fail_under = (\d+)", patch, re.MULTILINE)]


def test_the_floor_of_coverage_only_rises():
    git = ["git", "-C", str(ROOT), "log", "-p", "--format=", "-Gfail_under", "--", "pyproject.toml"]
    try:
        history = subprocess.run(git, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("needs the history of a git checkout")
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert settings["tool"]["coverage"]["report"]["fail_under"] >= max(floors(history), default=0)


def test_floors_of_a_history_are_found():
    patch = "-fail_under = 81\n+fail_under = 83\n fail_under = 99\n+fail_under = 80\n"
    assert floors(patch) == [81, 83, 80]
