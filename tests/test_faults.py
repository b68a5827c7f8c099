"""The short form of `make fuzz`: bad inputs and kills end in no traceback and no loss, in bounded time and memory."""

import pytest

from benchmarks import faults
from benchmarks.bad_inputs import bad_inputs
from benchmarks.faults_kills import KILLED, SLOW
from benchmarks.faults_run import Ended

SPLIT = [command for command in faults.DOCUMENT_COMMANDS if command.startswith("documents split")]


@pytest.mark.parametrize("kind", ["JSON", "XML", "tables", "configs"])
def test_bad_inputs(tmp_path, kind):
    (row,) = faults.run_bad_inputs(tmp_path, kind, SPLIT, every=3)
    assert row.cases >= 3 and not row.faults


@pytest.mark.parametrize("name", [name for name in KILLED if name not in SLOW])
def test_kills(tmp_path, name):
    (row,) = faults.run_kills(tmp_path, 1, only=[name])
    assert row.cases == 1 and not row.faults


def test_the_matrix_sees_a_fault(tmp_path):
    folder = faults.fresh(tmp_path / "case")
    (folder / "a.json").write_text("{}")
    ended = faults.run("documents split a.json --random --out-train a.jsonl --out-test b.jsonl", folder)
    assert ended.code == 2 and ended.faults() == []
    row = faults.Row("x")
    row.add("a", Ended(1, "Traceback (most recent call last)", 13.0, 2000))
    row.add("b", Ended(-11, "", 0.0, 0), ["out.jsonl differs"])
    assert row.faults == ["a: traceback, 13.0 s, 2000 MB", "b: exit code -11, out.jsonl differs"]
    assert faults.line(row) == "| x | 2 | 0, 1, 0, 1 | 13.0 s | 2000 MB | 2 |"


def test_every_kind_has_cases_of_names_of_their_own():
    names = [(kind, name) for kind, name, _ in bad_inputs()]
    assert len(names) == len(set(names)) >= 90
