"""What a student learns of silver documents: what they state, what they deny, and nothing of what is not known."""

from dataclasses import replace
from pathlib import Path

import pytest

from abroad.core.context import Context
from abroad.core.io import read_documents
from abroad.extraction.builtin.candidates import label_key
from abroad.extraction.builtin.examples import Example
from abroad.extraction.builtin.fit import Basis, fit_models
from abroad.extraction.builtin.mentions import AdaptedTagger
from abroad.extraction.builtin.pairs import default_tagger
from abroad.extraction.builtin.score import candidate_table
from abroad.extraction.builtin.silver import silver_examples
from tests.conftest import make_document

SYNTHETIC = Path(__file__).parents[3] / "data" / "synthetic" / "abstracts.jsonl"
TEXT = "Usnic acid and atranorin were isolated from Usnea testalis."
BASIS = Basis(default_tagger())
STATED = [("Usnea testalis", "usnic acid")]


def silver(id, text=TEXT, pairs=STATED, **extra):
    document = make_document(id, f"Report {id}.", text, pairs)
    return replace(document, extra=document.extra | {"agreement": 0.75, "disputed": [], **extra})


def test_a_document_that_stands_twice_counts_once_and_that_is_said():
    context = Context()
    given = [silver("1"), silver("2"), silver("1"), silver("2"), silver("1", f"{TEXT} Again.")]
    examples = silver_examples(given, [], context)
    assert [example.document.id for example in examples] == ["1", "2", "1"]
    assert context.rejects.notes == ["2 silver documents stand more than once, and count once"]


@pytest.mark.parametrize("name", ["disputed", "left_out"])
def test_what_is_not_known_of_a_document_is_not_learnt(name):
    (example,) = silver_examples([silver("1", **{name: [["Usnea testalis", "Atranorin"]]})], [], Context())
    assert example.unknown == {(label_key("Usnea testalis"), label_key("atranorin"))} and example.judged is None
    context = Context()
    assert silver_examples([silver("1", **{name: [["Usnea testalis"]]})], [], context) == []
    assert f"expected '{name}' as a list" in context.rejects.items[0]["reason"]


def test_of_an_answer_that_was_cut_off_the_student_learns_what_it_states_and_denies_nothing():
    documents = read_documents(SYNTHETIC)[:36]
    curated, taught = [Example(document) for document in documents[:18]], documents[18:]
    found = {}
    for name, more in (("whole", {}), ("cut off", {"cut_off": 2})):
        given = [
            replace(d, relations=d.relations[:1], extra=d.extra | {"agreement": 1.0, "disputed": [], **more})
            for d in taught
        ]
        examples = silver_examples(given, [], Context(), weight=4.0)
        assert len(examples) == len(taught) and all(len(example.gold) <= 1 for example in examples)
        tagger, scorer = fit_models([*curated, *examples], BASIS)
        assert isinstance(tagger, AdaptedTagger)
        found[name] = [p for example in examples for p in unstated(example, tagger, scorer)]
    whole, cut_off = (sum(found[name]) / len(found[name]) for name in ("whole", "cut off"))
    assert cut_off > 2 * whole  # what a cut answer leaves out is not taken for untrue


def unstated(example, tagger, scorer):
    """Probabilities of the pairs of a document that it was told nothing of."""
    table = candidate_table(example.reading, tagger.correct(example.reading, example.scores(BASIS.tagger)))
    if table is None:
        return
    for (organism, chemical), probability in zip(table.pairs, scorer.probabilities(table), strict=True):
        if (organism.key, chemical.key) not in example.gold:
            yield float(probability)
