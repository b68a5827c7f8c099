"""From the database back to curators: documents with what was extracted from them, and which to look at first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from abroad.core.errors import InputError
from abroad.core.schema import Document, Evidence, Prediction, Relation
from abroad.knowledge.evidence import load_spans
from abroad.knowledge.query import Pair, PairFilter, find_pairs, why_nothing
from abroad.knowledge.store import Store

_CHUNK = 500
_RELATIONS = """
SELECT s.document, s.head_text, s.tail_text, s.score, h.identifier, t.identifier, s.spans, p.status
FROM statement s JOIN entity h ON h.id = s.head JOIN entity t ON t.id = s.tail
LEFT JOIN pair p ON p.head = s.head AND p.tail = s.tail"""


@dataclass(frozen=True)
class Said:
    """What a curator, or a label of the document, said of a relation: "accepted" or "rejected"."""

    document: str
    curator: str
    verdict: str
    comment: str
    at: str


def documents_of(store: Store, ids: Sequence[str]) -> list[tuple[Document, Prediction]]:
    """Documents with their relations, as `abroad extract` wrote them but with identifiers and status of the database.

    Documents without relations are left out: the database keeps no text of theirs.
    """
    found: dict[str, tuple[Document, Prediction]] = {}
    for start in range(0, len(ids), _CHUNK):
        part = ids[start : start + _CHUNK]
        marks = ", ".join("?" * len(part))
        rows = store.query(f"SELECT id, title, abstract, pmid, doi FROM document WHERE id IN ({marks})", part)
        for id, title, abstract, pmid, doi in rows:
            found[id] = Document(id, title or "", abstract or "", pmid=pmid, doi=doi), Prediction(id)
        for id, *row in store.query(f"{_RELATIONS} WHERE s.document IN ({marks})", part):
            found[id][1].relations.append(_relation(row, found[id][0].text))
    for _, prediction in found.values():
        prediction.relations.sort(key=_place)
    return [found[id] for id in dict.fromkeys(ids) if id in found and found[id][1].relations]


def best_documents(store: Store, wanted: PairFilter, top: int) -> list[str]:
    """Ids of the documents whose curation helps the database most: probable, and diverse.

    Pairs that a curator has decided are passed over. A document scores (1 - place / N) * p: place is its place, of N,
    in the greedy maximum entropy order of the wanted pairs (`gme_sampler`), which prefers organisms and compounds that
    the batch has not shown yet; p is the mean probability of its wanted pairs. A document whose pairs earlier ones show
    all comes after those that show another.

    Raises:
        InputError: no pair is like that.
    """
    pairs = {(p.head.id, p.tail.id): p for p in find_pairs(store, wanted) if not p.accepted and not p.rejected}
    if not pairs:
        raise InputError(f"no document to push: {why_nothing(store, wanted)}, or curators have decided all of them")
    rows = store.query("SELECT document, head, tail FROM statement ORDER BY document, head, tail")
    shown: dict[str, list[Pair]] = {}
    for document, head, tail in dict.fromkeys(rows):
        if (head, tail) in pairs:
            shown.setdefault(document, []).append(pairs[head, tail])
    places = _places(shown)
    worth = {
        document: (1 - places[document] / len(shown)) * sum(p.probability for p in found) / len(found)
        for document, found in shown.items()
    }
    first: list[str] = []
    later: list[str] = []
    seen: set[tuple[str, str]] = set()
    for document in sorted(shown, key=lambda document: (-worth[document], places[document])):
        own = {(pair.head.id, pair.tail.id) for pair in shown[document]}
        (later if own <= seen else first).append(document)
        seen |= own
    return (first + later)[:top]


def answers(store: Store, head: str, tail: str) -> list[Said]:
    """What was said of a pair, by document and curator."""
    rows = store.query(
        "SELECT DISTINCT d.document, d.curator, d.verdict, d.comment, d.decided_at FROM decision d JOIN statement s "
        "ON s.document = d.document AND s.head_text = d.head_text AND s.tail_text = d.tail_text "
        "WHERE s.head = ? AND s.tail = ? ORDER BY d.document, d.curator",
        (head, tail),
    )
    return [Said(*row) for row in rows]


def _places(shown: dict[str, list[Pair]]) -> dict[str, int]:
    from gme_sampler import GreedyMaximumEntropySampler, RelationTable

    rows = [(document, pair.head.id, pair.tail.id) for document, found in shown.items() for pair in found]
    items, organisms, compounds = zip(*rows, strict=True)
    table = RelationTable.from_columns(items, {"organism": organisms, "compound": compounds})
    ranked = [str(item) for item in GreedyMaximumEntropySampler().rank(table).items]
    rest = [document for document in shown if document not in set(ranked)]
    return {document: place for place, document in enumerate([*ranked, *rest])}


def _place(relation: Relation) -> tuple[int, str, str]:
    """Relations stand in the order of the text."""
    first = min((span.start for span in relation.evidence if span.role == "chemical"), default=0)
    return first, relation.chemical, relation.organism


def _relation(row: Sequence[Any], text: str) -> Relation:
    organism, chemical, score, organism_id, chemical_id, spans, status = row
    evidence = [Evidence(start, end, text[start:end], role, rule) for start, end, role, rule in load_spans(spans)]
    return Relation(organism, chemical, score, organism_id, chemical_id, evidence, status)
