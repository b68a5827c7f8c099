"""Slices, highlighted text, the report and the command."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abroad.core.io import write_documents, write_jsonl
from abroad.core.schema import Document, Entity, Prediction, Relation
from abroad.evaluation.evaluate import evaluate
from abroad.evaluation.highlight import Mark, marks_of, segments, to_html
from abroad.evaluation.report import render_report
from tests.conftest import make_document


def predictions_of(*items):
    return [Prediction(id, [Relation(*pair) for pair in pairs]) for id, pairs in items]


@pytest.fixture
def case(documents):
    """One of two found and one false in document 1; document 2 missed; document 3 rightly empty."""
    found = [("Usnea testalis", "usnic acid"), ("Usnea testalis", "lecanorin")]
    return documents, predictions_of(("1", found), ("2", []), ("3", []))


def rows_of(evaluation, title):
    (wanted,) = [part for part in evaluation.slices if part.title == title]
    return {row.name: row for row in wanted.rows}


def test_slices_by_size_of_document(case):
    rows = rows_of(evaluate(*case), "relations in the document")
    assert {name: (row.documents, row.scores.gold) for name, row in rows.items()} == {
        "none (empty document)": (1, 0),
        "1": (1, 1),
        "2 to 5": (1, 2),
    }
    assert rows["2 to 5"].scores.f1 == pytest.approx(50)


def test_slices_by_form_in_the_text():
    document = Document(
        "1",
        "Usnea testalis and others.",
        "Ruta fictiva was compared. R. altera gave rutins A and B. U. testalis: quinic acid.",
    ).with_products(
        [Entity("o1", "Usnea testalis"), Entity("o2", "Ruta altera"), Entity("o3", "Salix")],
        [Entity("c1", "quinic acid"), Entity("c2", "rutin A"), Entity("c3", "acids", {"type": "class"})],
        [("o1", "c1"), ("o2", "c2"), ("o3", "c3")],
    )
    evaluation = evaluate([document], predictions_of(("1", [("Usnea testalis", "quinic acid")])))
    forms = rows_of(evaluation, "organism in the text")
    assert {name: row.scores.gold for name, row in forms.items()} == {
        "verbatim": 1,
        "genus abbreviated only": 1,
        "otherwise or not at all": 1,
    }
    assert {
        name: row.scores.recall for name, row in rows_of(evaluation, "both labels verbatim in the text").items()
    } == {
        "both": 100,
        "neither": 0,
    }
    assert rows_of(evaluation, "chemical or class")["class"].scores.gold == 1


def test_empty_documents_are_told_apart(case):
    gold, predictions = case
    assert evaluate(gold, predictions).empty.kept_empty == 1
    loud = evaluate(gold, [*predictions[:2], *predictions_of(("3", [("a", "b"), ("a", "c")]))])
    assert (loud.empty.kept_empty, loud.empty.spurious) == (0, 2)


@given(st.text(max_size=30), st.lists(st.tuples(st.integers(0, 29), st.integers(1, 30))))
def test_segments_make_up_the_text_whatever_the_marks(text, spans):
    marks = [
        Mark(start, min(start + length, len(text)), "missed", "chemical", "x")
        for start, length in spans
        if start < len(text)
    ]
    pieces = segments(text, marks)
    assert "".join(piece.text for piece in pieces) == text
    for mark in marks:
        assert "".join(piece.text for piece in pieces if mark in piece.marks) == text[mark.start : mark.end]


def test_html_shows_spans_that_overlap_and_escapes_all_of_it():
    marks = [
        Mark(2, 7, "correct", "chemical", 'a "b" <{c}>'),
        Mark(5, 9, "spurious", "chemical", "d"),
    ]
    html = to_html("x <b>&'{}\"\nend", marks)
    pieces = re.findall(r'<mark class="([^"]*)" title="([^"]*)">(.*?)</mark>', html)
    first, second = "correct chemical: a &quot;b&quot; &lt;{c}&gt;", "false chemical: d"
    assert pieces == [
        ("correct", first, "&lt;b&gt;"),
        ("correct spurious", f"{first}; {second}", "&amp;'"),
        ("spurious", second, "{}"),
    ]
    assert "<b>" not in html and html.count("<br>") == 1


def test_marks_cover_correct_missed_and_spurious(case):
    evaluation = evaluate(*case)
    kinds = {mark.label: mark.kind for mark in marks_of(evaluation.comparison.outcomes[0]) if mark.role == "chemical"}
    assert kinds == {"usnic acid": "correct", "barbatic acid": "missed"}


def test_the_report_shows_scores_and_relations_and_needs_no_network(case):
    html = render_report(evaluate(*case), "Trial")
    assert "<title>Trial</title>" in html
    assert re.search(r'<mark class="correct" title="[^"]*usnic acid">Usnic acid</mark>', html)
    assert re.search(r'<mark class="missed" title="[^"]*">barbatic acid</mark>', html)
    assert "lecanorin" in html
    assert not re.search(r"(?:src|href)=\"(?!https://pubmed|#)", html)
    assert "@import" not in html


def test_what_others_wrote_is_escaped():
    evil = '<script>alert("x")</script>'
    document = make_document("1", evil, f"{evil} from Usnea testalis.", [("Usnea testalis", evil)])
    html = render_report(evaluate([document], predictions_of(("1", [(evil, evil)]))), evil)
    assert html.count("<script>") == 1  # our own
    assert "&lt;script&gt;" in html


@pytest.fixture
def files(case, tmp_path):
    gold, pred = tmp_path / "gold.jsonl", tmp_path / "pred.jsonl"
    write_documents(gold, case[0])
    write_jsonl(pred, [prediction.to_dict() for prediction in case[1]])
    return gold, pred


def test_json_has_the_agreed_names(cli, files):
    result = cli("evaluate", "--gold", files[0], "--pred", files[1], "--json")
    assert result.exit_code == 0
    scores = json.loads(result.stdout)
    wanted = {"precision": 50.0, "recall": 33.33, "f1": 40.0, "true_positives": 1, "predicted": 2, "gold": 3}
    assert {key: scores[key] for key in wanted} == wanted
    assert scores["protocol"] == "upstream"
    assert scores["f1_low"] <= 40 <= scores["f1_high"]


def test_the_report_is_written_with_its_run_record(cli, files, tmp_path):
    report = tmp_path / "report.html"
    result = cli("evaluate", "--gold", files[0], "--pred", files[1], "--report", report)
    assert result.exit_code == 0
    assert "F1" in result.stdout
    assert report.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert json.loads((tmp_path / "report.html.abroad" / "run.json").read_text())["command"] == "evaluate"


def test_another_set_of_predictions_can_be_compared(cli, files, tmp_path):
    other = tmp_path / "other.jsonl"
    write_jsonl(other, [Prediction("1").to_dict()])
    result = cli("evaluate", "--gold", files[0], "--pred", files[1], "--compare", other, "--json")
    assert json.loads(result.stdout)["compared_with"]["difference"] == 40.0


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "no such file"),
        (b"", "pred.jsonl"),
        (b"{broken\n", "pred.jsonl:1"),
        (b'{"id": "1"}\n', "pred.jsonl:1"),
        (b"\x80\x81\n", "UTF-8"),
    ],
)
def test_predictions_that_cannot_be_read_end_with_exit_code_2(cli, files, content, message):
    if content is None:
        files[1].unlink()
    else:
        files[1].write_bytes(content)
    result = cli("evaluate", "--gold", files[0], "--pred", files[1])
    assert result.exit_code == 2
    assert message in result.stderr
    assert "Traceback" not in result.stderr


def test_one_bad_line_is_set_aside_and_the_rest_is_scored(cli, files):
    with files[1].open("a", encoding="utf-8") as stream:
        stream.write("{broken\n")
    result = cli("evaluate", "--gold", files[0], "--pred", files[1])
    assert result.exit_code == 0
    assert "pred.jsonl:4" in result.stderr


def test_an_unknown_protocol_ends_with_exit_code_2(cli, files):
    result = cli("evaluate", "--gold", files[0], "--pred", files[1], "--protocol", "kind")
    assert result.exit_code == 2
    assert "strict" in result.stderr
