"""Several answers become one document; what no majority settles is a conflict until it is adjudicated."""

from annotation.decisions.merge import merge
from annotation.decisions.records import Decision
from tests.conftest import make_document

DOCUMENT = make_document("1", "Title.", "Usnea gave rutin, usnic acid and an ester.", [("Usnea", "old")])
RUTIN, USNIC, ESTER = ("Usnea", "rutin"), ("Usnea", "usnic acid"), ("Usnea", "ester")


def decision(curator, *pairs, batch="1", status="submitted", at="2026-01-01"):
    return Decision("1", curator, status, pairs, batch=batch, updated_at=at)


def outcome(*decisions):
    merged = merge(decisions, [DOCUMENT])
    (document,) = merged.documents
    return document.label_pairs(), document.extra["curation"]["status"], merged.conflicts


def test_one_curator():
    assert outcome(decision("ana", RUTIN)) == ([RUTIN], "single", [])


def test_agreement_is_by_normalised_labels():
    pairs, status, conflicts = outcome(decision("ana", RUTIN), decision("bo", ("usnea", "Rutin.")))
    assert (pairs, status, conflicts) == ([RUTIN], "agreed", [])


def test_an_even_split_is_open():
    pairs, status, (conflict,) = outcome(decision("ana", RUTIN, USNIC), decision("bo", RUTIN))
    assert (pairs, status) == ([RUTIN], "conflict")
    assert conflict.open == (USNIC,) and conflict.answers == {"ana": (RUTIN, USNIC), "bo": (RUTIN,)}


def test_a_majority_settles():
    pairs, status, conflicts = outcome(
        decision("ana", RUTIN, USNIC), decision("bo", RUTIN, USNIC), decision("cy", RUTIN, ESTER)
    )
    assert (pairs, status, conflicts) == ([RUTIN, USNIC], "majority", [])


def test_the_newest_adjudication_wins():
    votes = [decision("ana", RUTIN), decision("bo", USNIC)]
    judged = [
        decision("cy", RUTIN, batch="adjudication", at="2026-01-02"),
        decision("cy", ESTER, batch="adjudication", at="2026-01-03"),
    ]
    assert outcome(*votes, *judged) == ([ESTER], "adjudicated", [])


def test_drafts_and_discarded_answers_do_not_count():
    assert outcome(decision("ana", RUTIN), decision("bo", status="draft"), decision("cy", status="discarded"))[:2] == (
        [RUTIN],
        "single",
    )
    assert merge([decision("bo", RUTIN, status="draft")], [DOCUMENT]).documents == []


def test_an_agreed_empty_answer_is_an_answer():
    assert outcome(decision("ana"), decision("bo")) == ([], "agreed", [])
