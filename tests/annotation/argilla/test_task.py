"""What is shown keeps the offsets of the text, whatever characters it holds."""

from hypothesis import given
from hypothesis import strategies as st

from abroad.core.schema import Relation
from annotation.argilla.task import lotus_status, relation_lines, shown_text, span_suggestions
from tests.conftest import make_document


@given(st.text(max_size=60), st.text(min_size=1, max_size=60))
def test_every_code_point_keeps_its_place_in_utf_16_too(title, abstract):
    document = make_document("1", title, abstract, [])
    shown = shown_text(document)
    assert len(shown) == len(document.text) == len(shown.encode("utf-16-le", "surrogatepass")) // 2
    assert shown[len(title)] == "\n" and not set(shown) & set("<>&")


def test_mathematical_letters_become_plain():
    assert shown_text(make_document("1", "𝛼-Pinene.", "It is 𝐑.", [])) == "α-Pinene.\nIt is R."


def test_spans_of_the_prediction_beyond_the_text_are_not_shown():
    document = make_document("1", "T.", "Rutin of Ruta.", [])
    relation = Relation.from_dict(
        {
            "organism": "Ruta",
            "chemical": "rutin",
            "score": 0.5,
            "evidence": [{"start": 3, "end": 900, "text": "x", "role": "chemical", "rule": "model"}],
        }
    )
    spans, scores = span_suggestions(document, [relation])
    assert [(s["start"], s["end"]) for s in spans] == [(3, 8), (12, 16)] and scores == [0.5, 0.5]


def test_lines_and_status():
    assert relation_lines([]) == "none" and relation_lines([("A b", "c\nd")]) == "A b | c d"
    statuses = [Relation("a", "b", status=status) for status in ("known", "new")]
    assert lotus_status(statuses) == "new" and lotus_status([]) is None
