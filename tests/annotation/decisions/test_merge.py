"""Several answers become one document; what no majority settles is a conflict until it is adjudicated."""

import json

from abroad.core.context import Context
from abroad.core.schema import Document, Entity
from annotation.argilla.pull import read_offline
from annotation.argilla.stored import StoredRecord
from annotation.argilla.task import document_json, document_of
from annotation.decisions.merge import curated_document, merge
from annotation.decisions.records import Decision
from annotation.offline.page import OfflineSettings, write_offline
from tests.annotation.page_curators import page_data
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


def test_entities_keep_their_ids_and_types_by_whatever_way_they_were_curated(tmp_path):
    """The offline page, and a record of Argilla's, there and back."""
    document = Document(
        "1",
        "Title.",
        "Usnea and O. gave flavonoids, rutin, and an ester.",
    ).with_products(
        [Entity("Q1", "Usnea"), Entity("O1", "O.")],
        [Entity("Q2", "flavonoids", {"type": "class"}), Entity("Q3", "rutin", {"pubchem_id": "5280805"})],
        [("Q1", "Q2")],
    )
    answer = "usnea | flavonoids\nUsnea | Rutin\nUsnea | ester\nO. | rutin"
    write_offline([document], [], tmp_path / "page.html", OfflineSettings(), Context())
    saved = {
        "documents": [card["document"] for card in page_data(tmp_path / "page.html")["cards"]],
        "answers": [{"document": "1", "curator": "ana", "status": "submitted", "relations": answer}],
    }
    (tmp_path / "ana.json").write_text(json.dumps(saved))
    offline = read_offline(tmp_path / "ana.json", Context())
    decision = offline.decisions[0]
    kept = {"document": document_json(document)}
    from_argilla = document_of(StoredRecord("1", kept, ()))
    for known in (document, offline.documents["1"], from_argilla):
        curated = Document.from_dict(curated_document(known, decision.relations, {}).to_dict())
        assert {entity.label: (entity.id, entity.extra) for entity in curated.organisms} == {
            "usnea": ("Q1", {}),
            "Usnea": ("O2", {}),
            "O.": ("O1", {}),
        }
        assert curated.chemicals[0] == Entity("Q2", "flavonoids", {"type": "class"}, type="chemical")
        assert curated.label_pairs() == list(decision.relations)
