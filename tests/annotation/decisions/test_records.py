"""Decisions survive a file, and what is none is set aside."""

import pytest

from abroad.core.context import Context
from abroad.core.errors import InputError
from annotation.decisions.records import Decision, Flagged, Mention, counted, read_decisions, write_decisions

DECISIONS = [
    Decision("1", "ana", "submitted", (("Ruta ficta", "rutin"),), (Mention(0, 4, "organism"),), batch="b1"),
    Decision("1", "bo", "draft", (), (), (Flagged("???", "not understood"),), comment="later"),
]


def test_there_and_back(tmp_path):
    write_decisions(tmp_path / "d.jsonl", DECISIONS)
    assert read_decisions(tmp_path / "d.jsonl") == DECISIONS
    assert counted(DECISIONS) == DECISIONS[:1]


def test_what_is_no_decision_is_set_aside(tmp_path):
    (tmp_path / "d.jsonl").write_text('{"document": "1", "curator": "ana", "status": "maybe", "relations": []}\n')
    context = Context()
    assert read_decisions(tmp_path / "d.jsonl", context) == [] and "maybe" in context.rejects.items[0]["reason"]
    with pytest.raises(InputError, match=r"d\.jsonl:1: expected a status"):
        read_decisions(tmp_path / "d.jsonl")
