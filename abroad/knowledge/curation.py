"""From the database back to curators: documents with what was extracted from them, and which to look at first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from abroad.core.errors import InputError
from abroad.core.schema import Document, Evidence, Prediction, Relation
from abroad.knowledge.evidence import load_spans
from abroad.knowledge.query import Key, Pair, PairFilter, find_pairs, why_nothing
from abroad.knowledge.store import Store

_CHUNK = 500
_RELATIONS = """
SELECT s.document, s.head_text, s.tail_text, s.score, h.identifier, t.identifier, s.spans, p.status, s.relation,
  s.head_type, s.tail_type
FROM stated s JOIN entity h ON h.id = s.first_side JOIN entity t ON t.id = s.second_side
LEFT JOIN pair p ON p.head = s.head AND p.relation = s.relation AND p.tail = s.tail"""


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
    pairs = {p.key: p for p in find_pairs(store, wanted) if not p.accepted and not p.rejected}
    if not pairs:
        raise InputError(f"no document to push: {why_nothing(store, wanted)}, or curators have decided all of them")
    rows = store.query("SELECT document, head, relation, tail FROM stated ORDER BY document, head, tail, relation")
    shown: dict[str, list[Pair]] = {}
    for document, *key in dict.fromkeys(rows):
        if (pair := pairs.get((key[0], key[1], key[2]))) is not None:
            shown.setdefault(document, []).append(pair)
    places = _places(shown)
    worth = {
        document: (1 - places[document] / len(shown)) * sum(p.probability for p in found) / len(found)
        for document, found in shown.items()
    }
    first: list[str] = []
    later: list[str] = []
    seen: set[Key] = set()
    for document in sorted(shown, key=lambda document: (-worth[document], places[document])):
        own = {pair.key for pair in shown[document]}
        (later if own <= seen else first).append(document)
        seen |= own
    return (first + later)[:top]


def answers(store: Store, pair: Pair) -> list[Said]:
    """What was said of a pair, by document and curator."""
    rows = store.query(
        "SELECT DISTINCT d.document, d.curator, d.verdict, d.comment, d.decided_at FROM decided d JOIN stated s "
        "ON s.document = d.document AND s.head_text = d.head_text AND s.tail_text = d.tail_text "
        "AND s.relation = d.relation WHERE s.head = ? AND s.relation = ? AND s.tail = ? "
        "ORDER BY d.document, d.curator",
        pair.key,
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
    first = min((span.start for span in relation.evidence if span.role == relation.roles[1]), default=0)
    return first, relation.tail, relation.head


def _relation(row: Sequence[Any], text: str) -> Relation:
    head, tail, score, head_id, tail_id, spans, status, type, head_type, tail_type = row
    evidence = [Evidence(start, end, text[start:end], role, rule) for start, end, role, rule in load_spans(spans)]
    known = (head, tail, score, head_id, tail_id, evidence, status)
    return Relation(*known, type=type, head_type=head_type, tail_type=tail_type)
