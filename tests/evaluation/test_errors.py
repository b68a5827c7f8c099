"""Kinds of errors and the ceiling of recall."""

from abroad.core.schema import Entity, Prediction, Relation
from abroad.evaluation.errors import ceiling, count_errors, find_errors
from abroad.evaluation.metrics import compare
from tests.conftest import make_document

TEXT = (
    "Gloeophyllins A-C, usnic acid and flavonoids of Usnea testalis, U. barbata and Ruta fictiva; "
    "caffeine was a control."
)
GOLD = [
    ("Usnea testalis", "gloeophyllin B"),
    ("Usnea testalis", "usnic acid"),
    ("Usnea barbata", "usnic acid"),
    ("Usnea testalis", "unwritten acid"),
    ("Usnea testalis", "flavonoids"),
]


def kinds(predicted, text=TEXT, gold=GOLD):
    document = make_document("1", "", text, gold)
    document = document.with_products(
        chemicals=[
            Entity(e.id, e.label, {"type": "class"} if e.label == "flavonoids" else {}) for e in document.chemicals
        ]
    )
    comparison = compare([document], [Prediction("1", [Relation(*pair) for pair in predicted])])
    return {(e.side, e.tail, e.head): e.kind for e in find_errors(comparison)}, comparison


def test_missed_relations_say_why():
    found, _ = kinds([("Usnea testalis", "usnic acid")])
    assert found["missed", "gloeophyllin B", "Usnea testalis"] == "missed list member"
    assert found["missed", "usnic acid", "Usnea barbata"] == "wrong organism"
    assert found["missed", "unwritten acid", "Usnea testalis"] == "not in the text"
    assert found["missed", "flavonoids", "Usnea testalis"] == "missed class"
    assert kinds([])[0]["missed", "usnic acid", "Usnea testalis"] == "missed name"


def test_false_relations_say_why():
    predicted = [
        ("Ruta fictiva", c) for c in ("usnic acid", "usnic", "caffeine", "diterpenes", "usnic acid methyl ether")
    ]
    found, _ = kinds([*predicted, ("Usnea testalis", "usnic")])
    assert found["false", "usnic acid", "Ruta fictiva"] == "wrong organism"
    assert found["false", "usnic", "Ruta fictiva"] == "partial name"
    assert found["false", "usnic acid methyl ether", "Ruta fictiva"] == "partial name"
    assert found["false", "caffeine", "Ruta fictiva"] == "spurious co-occurrence"
    assert found["false", "diterpenes", "Ruta fictiva"] == "class for compound"


def test_counts_are_ordered_and_carry_an_example():
    _, comparison = kinds([("Ruta fictiva", "caffeine")])
    counts = count_errors(find_errors(comparison))
    assert [c.count for c in counts] == sorted((c.count for c in counts), reverse=True)
    assert sum(c.count for c in counts) == 6 and all(c.example.document == "1" and c.meaning for c in counts)


def test_the_ceiling_rises_with_what_is_resolved():
    _, comparison = kinds([])
    assert [(row.reachable, row.gold) for row in ceiling(comparison)] == [(2, 5), (3, 5), (4, 5)]


def test_perfect_predictions_have_no_error():
    found, comparison = kinds(GOLD)
    assert found == {} and count_errors(find_errors(comparison)) == []
