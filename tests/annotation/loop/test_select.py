"""Which documents come next: diverse and uncertain ones first, some drawn blindly."""

from hypothesis import given, settings
from hypothesis import strategies as st

from abroad.core.schema import Prediction, Relation
from annotation.loop.select import BLIND, CHOSEN, choose_batch
from tests.conftest import make_document


def pool(scores):
    """Documents "0", "1", ... with the scores of their predicted relations, no name twice."""
    documents = [make_document(str(n), "T.", "A.", []) for n in range(len(scores))]
    predictions = {
        str(n): Prediction(str(n), [Relation(f"o{n}-{k}", f"c{n}-{k}", score) for k, score in enumerate(own)])
        for n, own in enumerate(scores)
    }
    return documents, predictions


def ids(choices):
    return [choice.document.id for choice in choices]


def test_of_equally_diverse_documents_the_uncertain_come_first():
    documents, predictions = pool([[0.99], [0.5], [0.01], [0.6]])
    choices = choose_batch(documents, predictions, 2)
    assert set(ids(choices)) == {"1", "3"} and {choice.why for choice in choices} == {CHOSEN}
    assert next(choice for choice in choices if choice.document.id == "1").uncertainty == 1


def test_of_equally_uncertain_documents_the_diverse_come_first():
    documents = [make_document(name, "T.", "A.", []) for name in "abc"]
    relations = {"a": [("o", "x"), ("o", "y")], "b": [("o", "x")], "c": [("p", "z"), ("q", "w")]}
    predictions = {name: Prediction(name, [Relation(*pair, 0.5) for pair in own]) for name, own in relations.items()}
    assert ids(choose_batch(documents, predictions, 3))[-1] == "b"


def test_blind_picks_reach_documents_without_any_relation():
    documents, predictions = pool([[0.5]] * 6 + [[]] * 6)
    assert not {str(n) for n in range(6, 12)} & set(ids(choose_batch(documents, predictions, 6)))
    drawn = [c.document.id for c in choose_batch(documents, predictions, 6, blind=0.5) if c.why == BLIND]
    assert len(drawn) == 3 and {str(n) for n in range(6, 12)} & set(drawn)


@settings(deadline=None, max_examples=40)  # the first call compiles the sampler
@given(st.lists(st.lists(st.floats(0, 1), max_size=3), min_size=1, max_size=8), st.integers(1, 10), st.floats(0, 1))
def test_a_batch_has_the_size_asked_for_and_no_document_twice(scores, size, blind):
    documents, predictions = pool(scores)
    chosen = ids(choose_batch(documents, predictions, size, blind))
    assert len(chosen) == len(set(chosen)) == min(size, len(documents))
    assert chosen == ids(choose_batch(documents, predictions, size, blind))
