"""Curated documents as instructions of several kinds."""

from collections import Counter

import pytest

from abroad.core.context import Context
from abroad.core.errors import InputError
from abroad.core.io import write_documents, write_jsonl
from abroad.core.schema import Document, Entity
from abroad.documents.instructions import Task, read_training_set
from abroad.synthesis.tasks.kinds import balanced, kinds, make_tasks


def document(id, relations):
    organisms = [Entity("o1", "Ruta fictiva"), Entity("o2", "Salvia ficta")]
    chemicals = [Entity("c1", "rutin"), Entity("c2", "salvinol")]
    return Document(id, "T", "A.").with_products(organisms, chemicals, relations)


FULL = document("1", [("o1", "c1"), ("o2", "c1"), ("o2", "c2")])
EMPTY = document("2", [])


def of(kind, documents=(FULL, EMPTY), seed=0):
    return next(task for task in make_tasks(documents, seed) if task.kind == kind)


def test_each_kind_is_answered_from_the_relations():
    assert of("extract").output == (
        "Ruta fictiva produces rutin; Salvia ficta produces rutin; Salvia ficta produces salvinol"
    )
    assert of("organisms").output == "Ruta fictiva; Salvia ficta"
    assert of("compounds").output == "rutin; salvinol"
    assert (
        of("empty").output == "The text reports no relation between an organism and a compound."
        and of("empty").source == "2"
    )
    assert {task.kind for task in make_tasks([FULL, EMPTY])} == set(kinds())


def test_a_compound_of_two_organisms_names_both():
    looked_up = {of("source", seed=seed).instruction: of("source", seed=seed).output for seed in range(20)}
    assert looked_up["Which organism produces rutin?"] == "Ruta fictiva; Salvia ficta"
    assert looked_up["Which organism produces salvinol?"] == "Salvia ficta"


def test_verification_has_true_and_false_triples():
    asked = {(of("verify", seed=seed).instruction, of("verify", seed=seed).output) for seed in range(40)}
    assert ("Does the text say that Ruta fictiva produces salvinol? Answer yes or no.", "No.") in asked
    assert {answer for question, answer in asked if "salvinol" not in question} == {"Yes."}
    assert {answer for _, answer in asked} == {"Yes.", "No."}


def test_balanced_takes_kinds_in_turn():
    many = make_tasks([document(str(n), [("o1", "c1")]) for n in range(8)] + [EMPTY])
    counts = Counter(task.kind for task in balanced(many, 16))
    assert counts["empty"] == 1 and all(counts[kind] == 3 for kind in kinds() if kind != "empty")


def test_a_record_without_an_answer_is_refused():
    with pytest.raises(InputError, match="output"):
        Task.from_dict({"instruction": "List.", "input": ""})


def test_a_training_set_is_documents_or_tasks(tmp_path):
    documents, tasks = tmp_path / "d.jsonl", tmp_path / "t.jsonl"
    write_documents(documents, [FULL, EMPTY])
    made = make_tasks([FULL])
    write_jsonl(tasks, [*(task.to_dict() for task in made), {"instruction": "List.", "output": ""}])
    context = Context()
    assert [item.id for item in read_training_set(documents, context)] == ["1", "2"] and not context.rejects
    assert read_training_set(tasks, context) == made
    assert [item["where"] for item in context.rejects.items] == [f"{tasks}:{len(made) + 1}"]
