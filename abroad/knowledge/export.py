"""Pairs for others: QuickStatements for Wikidata, tables for spreadsheets, JSON Lines, JSON-LD."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any
from urllib.parse import quote

from abroad.core.errors import InputError
from abroad.core.io import atomic_write, dump_line
from abroad.documents.cells import to_cell
from abroad.knowledge.kinds import HEAD, BaseKind, kind_of
from abroad.knowledge.query import Key, Pair, PairFilter, Statement, all_statements, find_pairs
from abroad.knowledge.store import Store
from abroad.linking.link import NEW
from abroad.linking.quickstatements import source_of, statement

FORMATS: dict[str, tuple[str, ...]] = {
    "quickstatements": (".qs", ".txt"),
    "csv": (".csv",),
    "tsv": (".tsv", ".tab"),
    "jsonl": (".jsonl", ".ndjson"),
    "jsonld": (".jsonld", ".json"),
}
"""Format -> endings of its files, the usual one first."""
ENDINGS = tuple(ending for endings in FORMATS.values() for ending in endings)
MIN_PROBABILITY = 0.9
"""Of pairs that are proposed to Wikidata, where nothing else is asked for."""
_BUILT_IN = ("organism", "organism_id", "compound", "compound_id")
_TYPED = ("head", "head_type", "head_id", "relation", "tail", "tail_type", "tail_id")
_FACTS = (
    *("probability", "status", "publications", "documents"),
    *("first_year", "last_year", "accepted", "rejected", "document", "pmid", "doi", "sentence"),
)
_CONTEXT = {
    "wikidata": "http://www.wikidata.org/entity/",
    "wdt": "http://www.wikidata.org/prop/direct/",
    "NCBITaxon": "http://purl.obolibrary.org/obo/NCBITaxon_",
    "pubchem.compound": "https://identifiers.org/pubchem.compound:",
    "inchikey": "https://identifiers.org/inchikey:",
    "pubmed": "https://identifiers.org/pubmed:",
    "doi": "https://doi.org/",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
    "schema": "https://schema.org/",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
    "abroad": "urn:abroad:",
    "name": "rdfs:label",
    "subject": {"@id": "rdf:subject", "@type": "@id"},
    "predicate": {"@id": "rdf:predicate", "@type": "@id"},
    "object": {"@id": "rdf:object", "@type": "@id"},
    "probability": {"@id": "abroad:probability", "@type": "xsd:double"},
    "status": "abroad:status",
    "publications": {"@id": "abroad:publications", "@type": "xsd:integer"},
    "source": {"@id": "schema:citation", "@type": "@id"},
}


@dataclass
class ExportReport:
    """What was written, and what of the pairs that were asked for was not.

    Attributes:
        written: lines or pairs.
        pairs: that they are of.
        held_back: reason -> pairs.
    """

    written: int
    pairs: int
    held_back: dict[str, int]


def export(store: Store, out: Path, format: str, wanted: PairFilter) -> ExportReport:
    """Write the pairs that are wanted.

    QuickStatements hold only what is new, of a probability of `MIN_PROBABILITY` where nothing else is asked for; what
    is disputed, not linked or rejected by a curator is held back.

    Raises:
        InputError: QuickStatements of a field whose relations have no property of Wikidata.
    """
    kind = kind_of(store)
    if format == "quickstatements":
        if not any(map(kind.property_of, kind.field.relations)):
            raise InputError(
                f"no QuickStatements of the field {kind.field.name}: none of its relations has a property of Wikidata "
                "(relations.NAME.wikidata of its file); expected csv, tsv, jsonl or jsonld"
            )
        if wanted.min_probability is None:
            wanted = wanted.replace(min_probability=MIN_PROBABILITY)
        pairs = find_pairs(store, wanted)
        lines, held_back = _statements(kind, pairs, all_statements(store, pairs))
        with atomic_write(out) as stream:
            stream.writelines(lines)
        return ExportReport(len(lines), len(pairs) - sum(held_back.values()), held_back)
    pairs = find_pairs(store, wanted)
    with atomic_write(out) as stream:
        write_pairs(stream, kind, pairs, all_statements(store, pairs), format)
    return ExportReport(len(pairs), len(pairs), {})


def write_pairs(
    stream: IO[str], kind: BaseKind, pairs: Sequence[Pair], evidence: dict[Key, list[Statement]], format: str
) -> None:
    """Write pairs as "csv", "tsv", "jsonl" or "jsonld"."""
    typed = not kind.is_built_in
    if format in ("csv", "tsv"):
        writer = csv.writer(stream, delimiter="," if format == "csv" else "\t", lineterminator="\n")
        writer.writerow((*(_TYPED if typed else _BUILT_IN), *_FACTS))
        for pair in pairs:
            writer.writerow(["" if v is None else to_cell(str(v)) for v in _row(pair, evidence[pair.key], typed)])
    elif format == "jsonl":
        stream.writelines(dump_line(_record(pair, evidence[pair.key], typed)) for pair in pairs)
    else:
        graph = list(_graph(kind, pairs, evidence))
        stream.write(json.dumps({"@context": _CONTEXT, "@graph": graph}, ensure_ascii=False, indent=1) + "\n")


def _statements(
    kind: BaseKind, pairs: Sequence[Pair], evidence: dict[Key, list[Statement]]
) -> tuple[list[str], dict[str, int]]:
    lines: dict[str, None] = {}
    held_back: dict[str, int] = {}
    for pair in pairs:
        sources = [
            source
            for found in evidence[pair.key]
            if not found.retracted and (source := source_of(found.item, found.pmid, found.doi))
        ]
        said = kind.property_of(pair.relation)
        reason = _why_not(pair, sources) if said else "without a property of Wikidata"
        if reason or said is None:
            held_back[reason] = held_back.get(reason, 0) + 1
            continue
        for source in dict.fromkeys(sources):
            subject, object = (pair.head, pair.tail)[:: 1 if said.subject == HEAD else -1]
            lines[statement(subject.item or "", object.item or "", source, said.id) + "\n"] = None
    return list(lines), held_back


def _why_not(pair: Pair, sources: Sequence[tuple[str, str]]) -> str:
    """Why no statement is made of a pair; "" if one is."""
    if pair.status != NEW:
        return pair.status
    if pair.rejected and pair.rejected >= pair.accepted:
        return "rejected by a curator"
    if not pair.head.item or not pair.tail.item:
        return "without a Wikidata item of both sides"
    return "" if sources else "without a reference"


def _row(pair: Pair, evidence: Sequence[Statement], typed: bool) -> Iterator[Any]:
    best = evidence[0]
    yield from _sides(pair, typed).values()
    yield f"{pair.probability:.4f}"
    yield from (pair.status, pair.publications, pair.documents, pair.first_year, pair.last_year)
    yield from (pair.accepted, pair.rejected, best.document, best.pmid, best.doi, best.sentence)


def _sides(pair: Pair, typed: bool) -> dict[str, str | None]:
    head, tail = pair.head, pair.tail
    if not typed:
        return dict(zip(_BUILT_IN, (head.name, head.identifier, tail.name, tail.identifier), strict=True))
    sides = (head.name, head.type, head.identifier, pair.relation, tail.name, tail.type, tail.identifier)
    return dict(zip(_TYPED, sides, strict=True))


def _record(pair: Pair, evidence: Sequence[Statement], typed: bool) -> dict[str, Any]:
    sides = _sides(pair, typed)
    if not typed:
        sides = {**dict(list(sides.items())[:2]), "relation": pair.relation, **dict(list(sides.items())[2:])}
    return {
        **sides,
        "probability": round(pair.probability, 4),
        "status": pair.status,
        "publications": pair.publications,
        "first_year": pair.first_year,
        "last_year": pair.last_year,
        "accepted": pair.accepted,
        "rejected": pair.rejected,
        "evidence": [
            {"document": e.document, "pmid": e.pmid, "doi": e.doi, "year": e.year, "score": e.score, "rule": e.rule,
             "sentence": e.sentence, "retracted": e.retracted}
            for e in evidence
        ],
    }  # fmt: skip


def _graph(kind: BaseKind, pairs: Sequence[Pair], evidence: dict[Key, list[Statement]]) -> Iterator[dict[str, Any]]:
    """Nodes of both sides, then one for each pair: a statement about "compound, found in taxon, organism".

    A relation without a property of Wikidata goes by its own name, from head to tail.
    """
    sides = {side.id: side for pair in pairs for side in (pair.head, pair.tail)}
    for side in sides.values():
        yield {"@id": _iri(side.id, side.identifier), "name": side.name}
    for pair in pairs:
        sources = dict.fromkeys(filter(None, map(_source, evidence[pair.key])))
        said = kind.property_of(pair.relation)
        subject, object = (pair.head, pair.tail)[:: 1 if said is None or said.subject == HEAD else -1]
        yield {
            "@type": "rdf:Statement",
            "subject": _iri(subject.id, subject.identifier),
            "predicate": f"wdt:{said.id}" if said is not None else f"abroad:{kind.field.name}/{pair.relation}",
            "object": _iri(object.id, object.identifier),
            "probability": round(pair.probability, 4),
            "status": pair.status,
            "publications": pair.publications,
            "source": list(sources),
        }


def _iri(id: str, identifier: str | None) -> str:
    return identifier or f"abroad:{quote(id, safe='/:')}"


def _source(found: Statement) -> str | None:
    if found.item:
        return f"wikidata:{found.item}"
    if found.pmid:
        return f"pubmed:{found.pmid}"
    return f"doi:{quote(found.doi, safe='/:.;()-')}" if found.doi else None
