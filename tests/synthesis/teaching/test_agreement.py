"""What passes agree on, what that weighs, and what a budget bears."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abroad.core.schema import Prediction, Relation
from abroad.synthesis.teaching.agreement import judge
from abroad.synthesis.teaching.cost import Cost, Meter
from abroad.synthesis.teaching.settings import TeachSettings
from abroad.synthesis.teaching.silver import curation_document, silver_document
from tests.conftest import make_document

A, B, C = ("Usnea testalis", "usnic acid"), ("Usnea testalis", "barbatic acid"), ("Ruta fictiva", "scopoletin")


def passes(*named):
    return [Prediction("1", [Relation(*pair) for pair in pairs]) for pairs in named]


@pytest.mark.parametrize(
    ("named", "agreed", "disputed", "agreement"),
    [
        (([A, B], [B, A]), [A, B], [], 1.0),
        (([], []), [], [], 1.0),
        (([A], []), [], [A], 0.0),
        (([A, B], [A]), [A], [B], 2 / 3),
        (([A], [("USNEA  testalis", "Usnic acid")]), [A], [], 1.0),  # of spellings the first one stays
        (([A, B], [A], [A, C]), [A], [B, C], (2 / 3 + 1 / 2 + 2 / 3) / 3),
        (([A], [A], [B]), [A], [B], 1 / 3),  # two of three are more than half
    ],
)
def test_agreement_of_passes(named, agreed, disputed, agreement):
    judgement = judge(passes(*named))
    assert (judgement.agreed, judgement.disputed) == (agreed, disputed)
    assert judgement.agreement == pytest.approx(agreement)


@given(st.lists(st.lists(st.sampled_from([A, B, C]), unique=True), min_size=2, max_size=5))
def test_nothing_that_a_pass_named_is_lost_and_agreement_is_a_share(named):
    judgement = judge(passes(*named))
    assert set(judgement.agreed) | set(judgement.disputed) == {pair for pairs in named for pair in pairs}
    assert 0 <= judgement.agreement <= 1
    assert (judgement.agreement == 1) == all(set(pairs) == set(named[0]) for pairs in named)


def test_silver_holds_what_is_believed_with_evidence_and_curation_all_that_was_named():
    document = make_document("1", "Lichens.", "Usnic acid and barbatic acid from Usnea testalis.", [("x", "y")])
    judgement = judge(passes([A, B], [A]))
    silver, shown = silver_document(document, judgement, judgement.agreed), curation_document(document, judgement)
    assert silver.label_pairs() == [A] and shown.label_pairs() == [A, B]
    assert silver.extra["agreement"] == pytest.approx(2 / 3, abs=1e-3) and silver.extra["disputed"] == [list(B)]
    (evidence,) = silver.extra["evidence"]
    assert all(document.text[s["start"] : s["end"]] == s["text"] for s in evidence["spans"]) and evidence["spans"]
    assert document.label_pairs() == [("x", "y")]  # what was given stays as it was


def test_a_meter_counts_reckons_and_keeps_to_its_budget():
    settings = TeachSettings(price_in=2.0, price_out=10.0, budget=0.001)
    meter = Meter(settings)
    meter.count(Prediction("1", extra={"prompt_tokens": 100, "tokens": 20, "answer": "x"}), 500)
    assert meter.spent == Cost(100, 20) and meter.spent.money(settings) == pytest.approx(0.0004)
    assert meter.allows(Cost(100, 40)) and not meter.allows(Cost(100, 41))
    meter.count(Prediction("2", error="refused"), 500)  # some servers charge for the prompt
    assert meter.guessed == 1 and meter.spent.prompt_tokens == pytest.approx(211, abs=2)
    assert Meter(TeachSettings()).allows(Cost(9**9)) and not Meter(TeachSettings(budget_tokens=9)).allows(Cost(5, 5))
