"""Agreement of curators: published worked examples, what counts, and what is said when there is nothing to measure."""

import json

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score
from typer.testing import CliRunner

from abroad.cli.app import app
from abroad.core.errors import InputError
from abroad.core.schema import Prediction, Relation
from annotation.decisions.agreement import measure_agreement
from annotation.decisions.kappa import fleiss_kappa
from annotation.decisions.records import Decision, Mention, write_decisions


def decided(curator, document, *chemicals, status="submitted", batch="b1", **more):
    return Decision(str(document), curator, status, tuple(("Usnea", name) for name in chemicals), batch=batch, **more)


def test_fleiss_kappa_of_the_worked_example():
    # Fourteen raters, ten subjects, five categories: https://en.wikipedia.org/wiki/Fleiss%27_kappa
    counts = [
        *([0, 0, 0, 0, 14], [0, 2, 6, 4, 2], [0, 0, 3, 5, 6], [0, 3, 9, 2, 0], [2, 2, 8, 1, 1]),
        *([7, 7, 0, 0, 0], [3, 2, 6, 3, 0], [2, 5, 3, 2, 2], [6, 5, 2, 1, 0], [0, 2, 2, 3, 7]),
    ]
    assert round(fleiss_kappa(np.array(counts)), 3) == 0.210


def test_fleiss_kappa_is_not_defined_without_two_categories():
    assert fleiss_kappa(np.array([[2, 0], [3, 0]])) is None
    assert fleiss_kappa(np.empty((0, 2))) is None


def test_two_curators_on_relations_candidates_and_spans():
    decisions = [
        decided("ana", 1, "a", "b", mentions=(Mention(0, 5, "organism"), Mention(6, 9, "chemical"))),
        decided("ben", 1, "A.", "c", mentions=(Mention(0, 5, "organism"),)),
        decided("ana", 2),
        decided("ben", 2),
        decided("ana", 3, "x"),
    ]
    predictions = [Prediction("1", [Relation("Usnea", name) for name in ("b", "d")]), Prediction("2")]
    measured = measure_agreement(decisions, predictions)
    [pair] = measured.pairs
    assert (measured.documents, pair.documents, pair.candidates) == (2, 2, 4)
    assert pair.f1.value == pytest.approx(50) and pair.spans.value == pytest.approx(200 / 3)
    assert pair.kappa.value == pytest.approx(cohen_kappa_score([1, 1, 0, 0], [1, 0, 1, 0]))
    assert pair.f1.interval.low <= 50 <= pair.f1.interval.high
    assert {part.name: part.alone for part in measured.curators} == {"ana": 1, "ben": 1}
    assert [(part.name, part.documents, part.alone) for part in measured.batches] == [("b1", 2, 2)]


def test_perfect_agreement_with_a_rejected_candidate_is_one():
    decisions = [decided(name, 1, "a", "b") for name in ("ana", "ben", "eva")]
    measured = measure_agreement(decisions, [Prediction("1", [Relation("Usnea", "wrong")])])
    assert measured.fleiss.value == 1 and {pair.kappa.value for pair in measured.pairs} == {1}
    assert len(measured.pairs) == 3 and {part.f1.value for part in measured.curators} == {100}


def test_kappa_without_negatives_is_not_defined_rather_than_wrong():
    measured = measure_agreement([decided("ana", 1, "a"), decided("ben", 1, "a")])
    assert measured.fleiss.value is None and measured.pairs[0].kappa.value is None and measured.pairs[0].f1.value == 100


def test_drafts_discarded_adjudicated_and_superseded_decisions_do_not_count():
    decisions = [
        decided("ana", 1, "old", updated_at="2026-01-01"),
        decided("ana", 1, "a", updated_at="2026-01-02"),
        decided("ben", 1, "a"),
        decided("ana", 2, "a"),
        decided("ben", 2, "b", status="draft"),
        decided("ana", 3, "a"),
        decided("ben", 3, "b", status="discarded"),
        decided("ana", 4, "a", batch="b1-adjudication"),
        decided("ben", 4, "b", batch="b1-adjudication"),
    ]
    measured = measure_agreement(decisions)
    assert measured.documents == 1 and measured.pairs[0].f1.value == 100


@pytest.mark.parametrize(
    ("decisions", "message"),
    [
        ([decided("ana", 1, "a")], "only ana has decided"),
        ([decided("ana", 1, "a"), decided("ben", 2, "a")], "no document was decided by two of ana, ben"),
        ([decided("ana", 1, "a", status="draft")], "no submitted decision among 1"),
    ],
)
def test_nothing_to_measure_is_said_clearly(decisions, message, tmp_path):
    with pytest.raises(InputError, match=message):
        measure_agreement(decisions)
    write_decisions(tmp_path / "d.jsonl", decisions)
    result = CliRunner().invoke(app, ["annotate", "agreement", str(tmp_path / "d.jsonl")])
    assert result.exit_code == 2 and message in result.output


def test_the_command_prints_a_table_and_json_and_draws(tmp_path):
    decisions = [
        decided(name, n, "a", *(["b"] if n % 3 or name == "ana" else []), batch=f"b{n % 2}")
        for n in range(6)
        for name in ("ana", "ben")
    ]
    write_decisions(tmp_path / "d.jsonl", decisions)
    command = ["annotate", "agreement", str(tmp_path / "d.jsonl"), "--resamples", "1000"]
    shown = CliRunner().invoke(app, [*command, "--plot", str(tmp_path / "a.svg")])
    assert shown.exit_code == 0 and "ana, ben" in shown.output and "Fleiss" in shown.output
    assert "<svg" in (tmp_path / "a.svg").read_text()
    values = json.loads(CliRunner().invoke(app, [*command, "--batch", "b0", "--json"]).stdout)
    assert values["documents"] == 3 and values["pairs"][0]["f1"]["value"] == pytest.approx(100 * 10 / 11, abs=1e-3)
