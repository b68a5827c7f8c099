"""Ids of odd kinds are refused or set aside with the same words wherever ids are read; 7, 7.0 and "7" are one id."""

import json

import pytest

from abroad.core.context import Context
from abroad.core.errors import InputError
from abroad.core.ids import is_id, is_missing, read_id
from abroad.core.schema import Document, Prediction
from abroad.documents.inputs import read_documents, read_inputs
from abroad.documents.instructions import read_training_set
from abroad.documents.predictions import read_predictions
from abroad.synthesis.generation.prompts import PromptFile
from annotation.argilla.pull import read_offline
from annotation.decisions.records import read_decisions

ODD = [1.5, True, False, float("inf"), [], ["1"], {}, {"a": 1}]
MISSING = [None, "", "  ", float("nan")]
EQUAL = [7, 7.0, "7"]
DOCUMENT = {"title": "T", "abstract": "A"}


def lines(path, *records):
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return path


def documents(path, id):
    return read_inputs([lines(path, {"id": "good", **DOCUMENT}, {"id": id, **DOCUMENT})], context := Context()), context


def gold(path, id):
    return read_documents(
        lines(path, {"id": "good", **DOCUMENT}, {"id": id, **DOCUMENT}), context := Context()
    ), context


def predictions(path, id):
    records = [{"id": "good", "relations": []}, {"id": id, "relations": []}]
    return read_predictions(lines(path, *records), context := Context()), context


def prompts(path, id):
    file = PromptFile(lines(path, {"id": "good", "prompt": "P"}, {"id": id, "prompt": "P"}))
    return list(file.records(context := Context())), context


def tasks(path, id):
    records = [{"id": name, "instruction": "I", "output": "O"} for name in ("good", id)]
    return read_training_set(lines(path, *records), context := Context()), context


def decisions(path, id):
    records = [{"document": name, "curator": "ann", "status": "draft", "relations": []} for name in ("good", id)]
    return read_decisions(lines(path, *records), context := Context()), context


def curators(path, id):
    records = [{"document": "1", "curator": name, "status": "draft", "relations": []} for name in ("good", id)]
    return read_decisions(lines(path, *records), context := Context()), context


def pulled_documents(path, id):
    documents = [{"id": name, "ArticleTitle": "T"} for name in ("good", id)]
    path.write_text(json.dumps({"documents": documents, "answers": []}))
    return list(read_offline(path, context := Context()).documents), context


def pulled_answers(path, id):
    answers = [{"document": name, "curator": "ann", "status": "draft", "relations": ""} for name in ("1", id)]
    path.write_text(json.dumps({"documents": [{"id": "1", "ArticleTitle": "T"}], "answers": answers}))
    return read_offline(path, context := Context()).decisions, context


NUMBERED = [documents, gold]
"""Records without an id are given one."""
UNNAMED = [tasks]
"""These may be without one."""
READERS = [*NUMBERED, *UNNAMED, predictions, prompts, decisions, curators, pulled_documents, pulled_answers]


@pytest.mark.parametrize("read", READERS, ids=lambda read: read.__name__)
@pytest.mark.parametrize("place", range(len(ODD)), ids=lambda place: repr(ODD[place]))
def test_an_odd_id_costs_its_record_and_is_shown(tmp_path, read, place):
    found, context = read(tmp_path / "a.jsonl", ODD[place])
    assert len(found) == 1, found
    (reject,) = context.rejects.items
    assert "expected a text or a whole number as" in reject["reason"] and f"found {ODD[place]!r}" in reject["reason"]


@pytest.mark.parametrize("read", READERS, ids=lambda read: read.__name__)
@pytest.mark.parametrize("place", range(len(MISSING)), ids=lambda place: repr(MISSING[place]))
def test_a_missing_id_is_given_where_that_is_possible_and_said(tmp_path, read, place):
    found, context = read(tmp_path / "a.jsonl", MISSING[place])
    if read in NUMBERED:
        assert [document.id for document in found] == ["good", "a-2"]
        assert any("without an id are numbered: a-2" in note for note in context.rejects.notes)
    elif read in UNNAMED:
        assert len(found) == 2 and not context.rejects
    else:
        assert len(found) == 1 and "expected a text or a whole number as" in context.rejects.items[0]["reason"]


@pytest.mark.parametrize("make", [Document.from_dict, Prediction.from_dict], ids=["document", "prediction"])
def test_a_number_and_its_text_are_one(make):
    record = {"ArticleTitle": "T", "relations": []}
    assert {make({"id": value, **record}).id for value in EQUAL} == {"7"}


def test_of_documents_whose_ids_are_one_the_first_is_kept_and_said(tmp_path):
    for read in (lambda path, context: read_inputs([path], context), read_documents):
        path = lines(tmp_path / "a.jsonl", *({"id": value, "title": f"T{n}"} for n, value in enumerate(EQUAL)))
        (document,) = read(path, context := Context())
        assert (document.id, document.title) == ("7", "T0")
        assert [item["reason"] for item in context.rejects.items] == ["the id '7' stands twice; the first is kept"] * 2


@pytest.mark.parametrize("place", range(len(ODD)), ids=lambda place: repr(ODD[place]))
def test_entities_and_relations_are_held_to_the_same(place):
    organism, chemical = {"id": "o", "label": "Ruta"}, {"id": "c", "label": "rutin"}
    record = {"id": "1", "ArticleTitle": "T", "organisms": [organism], "chemicals": [chemical]}
    for wrong in (
        {"organisms": [{**organism, "id": ODD[place]}]},
        {"chemicals": [{**chemical, "id": ODD[place]}]},
        {"relations": [["o", ODD[place]]]},
        {"relations": [[ODD[place], "c"]]},
    ):
        with pytest.raises(InputError, match="expected a text or a whole number as"):
            Document.from_dict({**record, **wrong})
    assert Document.from_dict({**record, "relations": [["o", "c"]]}).relations


def test_what_is_an_id():
    assert [is_id(value) for value in (*ODD, *MISSING)] == [False] * 12 and all(map(is_id, EQUAL))
    assert all(map(is_missing, MISSING)) and not any(map(is_missing, [*ODD, *EQUAL]))
    assert list(map(read_id, EQUAL)) == ["7"] * 3
    with pytest.raises(InputError, match="as a curator, found an integer of more than"):
        read_id([10**5_000], "a curator")
