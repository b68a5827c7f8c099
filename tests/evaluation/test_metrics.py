"""Protocols and scores, by hand-made cases and by what must always hold."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abroad.core.errors import InputError
from abroad.core.schema import Document, Entity, Prediction, Relation
from abroad.evaluation.bootstrap import bootstrap_intervals, paired_bootstrap
from abroad.evaluation.metrics import Scores, compare, micro_scores
from abroad.evaluation.protocols import normalise_upstream
from abroad.text.characters import normalise_strict
from tests.conftest import make_document

labels = st.text(st.characters(codec="utf-8", exclude_categories=["C"]), min_size=1, max_size=12).filter(str.strip)
pairs = st.lists(st.tuples(labels, labels), max_size=6)


def predicted(id, *relations):
    return Prediction(id, [Relation(organism, chemical) for organism, chemical in relations])


@pytest.mark.parametrize(
    ("label", "upstream", "strict"),
    [
        ("Usnic acid", "usnicacid", "usnic acid"),
        ("  the Usnic  acid. ", "usnicacid", "the usnic acid."),
        ("Xylaria sp. 12", "xylariasp12", "xylaria sp. 12"),
        ("an alkaloid", "alkaloid", "an alkaloid"),
        ("anthrone of theophylline", "anthroneoftheophylline", "anthrone of theophylline"),
        ("β-Carotene", "β-carotene", "β-carotene"),
        ("C\u00b2 acid", "c²acid", "c2 acid"),
    ],
)
def test_normalisation_of_labels(label, upstream, strict):
    assert normalise_upstream(label) == upstream
    assert normalise_strict(label) == strict


def test_scores_of_a_hand_made_case():
    gold = [
        make_document("1", "T", "A", [("Usnea testalis", "usnic acid"), ("Usnea testalis", "barbatic acid")]),
        make_document("2", "T", "A", [("Ruta fictiva", "scopoletin")]),
        make_document("3", "T", "A", []),
    ]
    predictions = [
        predicted("1", ("usnea testalis", "Usnic acid."), ("Usnea testalis", "lecanorin")),
        predicted("3", ("Usnea testalis", "usnic acid")),
        predicted("9", ("x", "y")),
    ]
    comparison = compare(gold, predictions)
    assert comparison.scores == Scores(true_positives=1, predicted=3, gold=3)
    assert comparison.scores.precision == pytest.approx(100 / 3)
    assert comparison.scores.f1 == pytest.approx(100 / 3)
    assert (comparison.without_prediction, comparison.not_in_gold) == (["2"], ["9"])
    assert micro_scores(gold, predictions, "strict").true_positives == 0


def test_relations_that_repeat_count_once_on_both_sides():
    gold = [make_document("1", "T", "A", [("Usnea x", "usnic acid"), ("Usnea x", "Usnic acid")])]
    assert micro_scores(gold, [predicted("1", ("Usnea x", "usnic acid"), ("usnea x", "USNIC ACID"))]) == Scores(1, 1, 1)


def test_a_relation_counts_only_in_its_own_document():
    gold = [make_document("1", "T", "A", [("a", "b")]), make_document("2", "T", "A", [])]
    assert micro_scores(gold, [predicted("2", ("a", "b"))]) == Scores(0, 1, 1)


def test_grounded_compares_identifiers_where_both_sides_have_them():
    gold = [
        Document("1", "T", "A").with_products(
            [Entity("Q1", "Usnea")],
            [Entity("Q2", "usnic acid", {"pubchem_id": "5646"}), Entity("1CHEM", "other")],
            [("Q1", "Q2"), ("Q1", "1CHEM")],
        )
    ]
    same = Relation("U.", "(+)-usnic acid", head_id="wikidata:Q1", tail_id="pubchem.compound:5646")
    scores = micro_scores(gold, [Prediction("1", [same, Relation("Usnea", "other")])], "grounded")
    assert (scores.true_positives, scores.gold) == (1, 1)


def test_an_unknown_protocol_is_refused():
    with pytest.raises(InputError, match="upstream"):
        compare([], [], "lenient")


@given(st.lists(pairs, max_size=4))
def test_gold_beside_itself_is_perfect(documents):
    gold = [make_document(str(n), "T", "A", relations) for n, relations in enumerate(documents)]
    for protocol in ("upstream", "strict"):
        scores = micro_scores(gold, [predicted(d.id, *d.label_pairs()) for d in gold], protocol)
        assert scores.true_positives == scores.predicted == scores.gold


@given(st.lists(st.tuples(pairs, pairs), min_size=1, max_size=5))
def test_scores_stay_in_bounds_and_trading_places_swaps_precision_and_recall(sides):
    gold = [make_document(str(n), "T", "A", g) for n, (g, _) in enumerate(sides)]
    other = [make_document(str(n), "T", "A", p) for n, (_, p) in enumerate(sides)]
    forward = micro_scores(gold, [predicted(d.id, *d.label_pairs()) for d in other])
    back = micro_scores(other, [predicted(d.id, *d.label_pairs()) for d in gold])
    assert 0 <= forward.f1 <= 100
    assert min(forward.precision, forward.recall) - 1e-9 <= forward.f1 <= max(forward.precision, forward.recall) + 1e-9
    assert (forward.precision, forward.recall) == (back.recall, back.precision)


def test_intervals_hold_the_score_and_depend_on_the_seed_only():
    scores = [Scores(n % 4, 4, 5) for n in range(40)]
    intervals = bootstrap_intervals(scores, 1000, seed=1)
    total = Scores(sum(s.true_positives for s in scores), 160, 200)
    for name in ("precision", "recall", "f1"):
        assert intervals[name].low < getattr(total, name) < intervals[name].high
    assert intervals == bootstrap_intervals(scores, 1000, seed=1)


def test_an_interval_of_equal_documents_has_no_width():
    interval = bootstrap_intervals([Scores(1, 2, 2)] * 10, 1000)["f1"]
    assert interval.low == interval.high == pytest.approx(50)


def test_the_paired_test_tells_a_real_difference_from_none():
    worse, better = [Scores(1, 4, 4)] * 30, [Scores(3, 4, 4)] * 30
    assert paired_bootstrap(worse, better, 1000)["difference"] == pytest.approx(50)
    mixed = [Scores(n % 3 + 1, 4, 4) for n in range(30)]
    turned = [Scores((n + 1) % 3 + 1, 4, 4) for n in range(30)]
    assert paired_bootstrap(mixed, turned, 1000)["p_value"] > 0.3
    varied = [Scores(min(4, s.true_positives + 1), 4, 4) for s in mixed]
    assert paired_bootstrap(mixed, varied, 1000)["p_value"] < 0.05
