"""Predictions and their documents -> a knowledge base: merged into what is there, in one transaction.

A document that is read again replaces its old evidence (`abroad.knowledge.shelf`); one that was read as it is costs
nothing. What is set aside is told with its reason, and what was there before stays whatever happens.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import Field

from abroad.core.context import Context
from abroad.core.errors import InputError
from abroad.core.helpers import found
from abroad.core.io import file_sha256
from abroad.core.locks import held
from abroad.core.record_fields import YEAR, find_field, read_year
from abroad.core.resume import digest
from abroad.core.schema import Document, LabelPair, Relation
from abroad.core.settings import Settings, Share
from abroad.documents.inputs import read_documents
from abroad.documents.predictions import read_predictions
from abroad.knowledge.combine import ACCEPTED, REJECTED, Calibration, combine, read_calibration
from abroad.knowledge.entities import HEAD, TAIL, Named, Names
from abroad.knowledge.evidence import Span, dump_spans, rule_of, sentences_of, spans_of, supporting_sentence
from abroad.knowledge.matching import Pair, match
from abroad.knowledge.shelf import Place, Shelf, doi_of, text_key
from abroad.knowledge.store import PARQUET, Store, read_meta, writable, write_meta
from abroad.sources.name_index import NameIndex
from abroad.text.abbreviations import definitions
from abroad.text.characters import normalise_upstream
from abroad.text.full_names import FullNames
from abroad.text.retractions import says_retracted

LABELS = "labels of the document"
"""Who said so, where a document brings relations of its own."""
_CHUNK = 500


class BuildSettings(Settings):
    """What goes into a knowledge base."""

    min_score: Share = Field(0.0, description="Relations with a lower score are left out.")
    retracted: bool = Field(False, description="Count retracted publications as evidence too.")
    opsin: bool = Field(True, description="Ask OPSIN, where it is installed, for structures of names the index lacks.")


@dataclass(frozen=True)
class Verdicts:
    """One curator's answer on a document: the relations that stand, as labels; all others that were shown do not."""

    document: str
    curator: str
    relations: Sequence[LabelPair]
    comment: str = ""
    at: str = ""


@dataclass(frozen=True)
class Sources:
    """What is merged.

    Attributes:
        predictions: files of `abroad extract`.
        documents: that they are of; without any, those that `abroad extract` kept beside each file.
        index: of names; the one of the build before, or a newer one, where the database was linked with one.
        verdicts: what curators said.
    """

    predictions: Sequence[Path]
    documents: Sequence[Path] = ()
    index: Path | None = None
    verdicts: Sequence[Verdicts] = ()


@dataclass
class BuildReport:
    """What a build did.

    Attributes:
        documents: read.
        added: new ones.
        replaced: read again, with another text or another result than before.
        corrected: ids of those of them whose text is another, the first few; and how many.
        beside: id -> id in the database, of documents that have the id of another one.
        repeated: documents whose text this build has from another file already.
        unchanged: in the database as they are.
        relations: of those added and replaced.
        pairs: status -> how many pairs the database has now.
        calibration: of the scores.
    """

    documents: int = 0
    added: int = 0
    replaced: int = 0
    corrected: list[str] = field(default_factory=list)
    beside: dict[str, str] = field(default_factory=dict)
    repeated: int = 0
    unchanged: int = 0
    relations: int = 0
    pairs: dict[str, int] = field(default_factory=dict)
    calibration: Calibration = field(default_factory=Calibration)


@dataclass
class _Read:
    """A document with what was extracted from it and where both sides stand, ready to be stored."""

    document: Document
    relations: list[tuple[Relation, list[Span]]]
    digest: str


@dataclass(frozen=True)
class _Merge:
    """One build: where it writes, what it takes, and what it says."""

    store: Store
    settings: BuildSettings
    context: Context
    report: BuildReport
    shelf: Shelf


def build(out: Path, format: str, sources: Sources, settings: BuildSettings, context: Context) -> BuildReport:
    """Merge predictions into a knowledge base, which is made if it is not there.

    Args:
        out: the file.
        format: one of `store.ENDINGS`.
        sources: what is merged.
        settings: what goes in.
        context: collects what is set aside.
    Raises:
        InputError: nothing could be merged, predictions of other documents, or no index where the database has one.
        OSError: the disk is full; the database is as it was.
    """
    from abroad.knowledge.parquet import write_parquet

    names = NameIndex(sources.index) if sources.index is not None else None
    report = BuildReport()
    with held(out, "abroad knowledge build"), writable(out, format) as store:
        linked_with = read_meta(store).get("index")
        if names is None and linked_with:
            raise InputError(
                f"{out}: expected --index, as it was linked with {linked_with['name']}: that, or a newer one"
            )
        with store.transaction():
            merge = _Merge(store, settings, context, report, Shelf(store))
            given = _by_id(sources.documents, context)
            for path in sources.predictions:
                documents = given if sources.documents else _by_id([_kept_beside(path)], context)
                where = ", ".join(map(str, sources.documents)) or None
                _merge_file(merge, path, match(path, read_predictions(path, context), documents, where, context))
            _refuse_if_nothing(report, sources, context)
            _merge_verdicts(store, sources.verdicts, context)
            relinked = _link(store, names, settings)
            counted = read_meta(store).get("include_retracted")
            if report.added or report.replaced or sources.verdicts or relinked or counted != settings.retracted:
                combine(store, settings.retracted)
            report.calibration = read_calibration(store)
        if format == PARQUET:
            write_parquet(store, out)
        report.pairs = dict(store.query("SELECT status, count(*) FROM pair GROUP BY status ORDER BY status"))
    return report


def _refuse_if_nothing(report: BuildReport, sources: Sources, context: Context) -> None:
    merged = report.added + report.replaced + report.unchanged + report.repeated
    if sources.predictions and not merged:
        raise InputError(f"nothing could be merged{context.rejects.first()}")


def _merge_file(merge: _Merge, path: Path, pairs: Sequence[Pair]) -> None:
    with merge.context.progress(f"reading {path.name}", total=len(pairs)) as progress:
        for start in range(0, len(pairs), _CHUNK):
            part = pairs[start : start + _CHUNK]
            _store(merge, list(_ready(merge, path, part)))
            progress.advance(len(part))


def _kept_beside(path: Path) -> Path:
    beside = found(path, "documents.jsonl")
    if not beside.exists():
        raise InputError(f"{path}: expected --documents with the texts that were read, as none are kept beside it")
    return beside


def _by_id(paths: Sequence[Path], context: Context) -> dict[str, list[Document]]:
    """Id -> its documents: several where files number theirs alike."""
    documents: dict[str, list[Document]] = {}
    for path in paths:
        for document in read_documents(path, context):
            same = documents.setdefault(document.id, [])
            same[:] = [other for other in same if other.text != document.text] + [document]
    return documents


def _ready(merge: _Merge, path: Path, pairs: Iterable[Pair]) -> Iterator[_Read]:
    for prediction, document in pairs:
        if prediction.error:
            reason = f"it could not be read ({prediction.error}); what was there before stays"
            merge.context.rejects.add(f"{path}: {prediction.id}", reason)
            continue
        relations = [r for r in prediction.relations if r.score is None or r.score >= merge.settings.min_score]
        relations = [r for r in relations if r.organism.strip() and r.chemical.strip()]
        facts = [document.to_dict(), [relation.to_dict() for relation in relations]]
        yield _Read(document, [(relation, spans_of(document, relation)) for relation in relations], digest(*facts))


def _store(merge: _Merge, ready: Sequence[_Read]) -> None:
    """Put documents in their places, all that are new or other than before."""
    report, shelf = merge.report, merge.shelf
    report.documents += len(ready)
    shelf.look([read.document for read in ready])
    changed: dict[str, _Read] = {}
    gone: list[str] = []
    for read in ready:
        place = shelf.place(read.document, read.digest)
        _count(report, place, read)
        if place.again or (place.before is not None and place.before.digest == read.digest):
            continue
        if place.before is not None:
            gone.append(place.id)
        changed[place.id] = read
    _forget(merge.store, gone)
    merge.store.insert("document", [_document_row(id, read) for id, read in changed.items()])
    evidence = [row for id, read in changed.items() for row in _evidence_rows(id, read)]
    merge.store.insert("evidence", evidence)
    report.relations += len(evidence)
    labelled = [Verdicts(id, LABELS, r.document.label_pairs()) for id, r in changed.items() if r.document.relations]
    for each in labelled:
        merge.store.insert("decision", list(_decision_rows(merge.store, each, each.document)))


def _count(report: BuildReport, place: Place, read: _Read) -> None:
    if place.beside:
        report.beside[read.document.id] = place.id
    if place.again:
        report.repeated += 1
    elif place.before is None:
        report.added += 1
    elif place.before.digest == read.digest:
        report.unchanged += 1
    else:
        report.replaced += 1
        if place.before.text_key != text_key(read.document):
            report.corrected.append(place.id)


def _forget(store: Store, ids: Sequence[str]) -> None:
    if not ids:
        return
    marks = ", ".join("?" * len(ids))
    store.query(f"DELETE FROM document WHERE id IN ({marks})", ids)
    store.query(f"DELETE FROM evidence WHERE document IN ({marks})", ids)
    store.query(f"DELETE FROM decision WHERE document IN ({marks}) AND curator = ?", [*ids, LABELS])


def _document_row(id: str, read: _Read) -> tuple[Any, ...]:
    document, extra = read.document, read.document.extra
    texts = (document.title, document.abstract) if read.relations else (document.title, None)
    item = re.search(r"Q\d+$", str(extra.get("reference_wikidata") or ""))
    retracted = bool(extra.get("retracted")) or says_retracted(document.title)
    return (
        *(id, document.id, document.pmid, doi_of(document), item[0] if item else None, *texts, _year(extra)),
        *(int(retracted), read.digest, text_key(document), None),
    )


def _year(extra: Mapping[str, Any]) -> int | None:
    """The year of publication, in whatever field a record has it."""
    first = find_field(YEAR, extra)
    found_years = (read_year(extra.get(name)) for name in (first, "date") if name is not None)
    return next((year for year in found_years if year is not None), None)


def _evidence_rows(id: str, read: _Read) -> Iterator[tuple[Any, ...]]:
    """A row for each pair of names, written out as the text does it elsewhere: "UA" is usnic acid."""
    document, text = read.document, read.document.text
    long_forms, bounds, in_full = definitions(text), sentences_of(document), FullNames(text)
    rows: dict[tuple[str, str], tuple[Any, ...]] = {}
    for relation, spans in read.relations:
        chemical = long_forms.get(relation.chemical, relation.chemical)
        start = next((start for start, _, role, _ in spans if role == "organism"), None)
        organism = in_full(relation.organism, start)
        key, score = (organism, chemical), relation.score
        if key in rows and (rows[key][5] or 0) >= (score or 0):  # an abbreviation and its long form are one relation
            continue
        rows[key] = (
            *(id, organism, chemical, relation.organism, relation.chemical, score),
            *(rule_of(spans), supporting_sentence(text, bounds, spans), dump_spans(spans)),
        )
    yield from rows.values()


def _merge_verdicts(store: Store, verdicts: Sequence[Verdicts], context: Context) -> None:
    """Decisions replace earlier ones of the same curator on the same document."""
    for verdict in verdicts:
        where = f"decision of {verdict.curator} on {verdict.document}"
        rows = store.query("SELECT id FROM document WHERE id = ?", (verdict.document,))
        rows = rows or store.query("SELECT id FROM document WHERE given = ?", (verdict.document,))
        if len(rows) != 1:
            context.rejects.add(where, "several documents have this id" if rows else "no such document in the database")
            continue
        ((id,),) = rows
        store.query("DELETE FROM decision WHERE document = ? AND curator = ?", (id, verdict.curator))
        store.insert("decision", list(_decision_rows(store, verdict, id)))


def _decision_rows(store: Store, verdict: Verdicts, id: str) -> Iterator[tuple[Any, ...]]:
    """A row for each relation that was extracted from the document; labels are compared as `evaluate` does."""
    stand = {tuple(map(normalise_upstream, pair)) for pair in verdict.relations}
    query = "SELECT head_text, tail_text, tail_label FROM evidence WHERE document = ?"
    for head, tail, long_form in store.query(query, (id,)):
        pairs = {(normalise_upstream(head), normalise_upstream(name)) for name in (tail, long_form)}
        said = ACCEPTED if pairs & stand else REJECTED
        yield id, verdict.curator, head, tail, said, verdict.comment, verdict.at


def _link(store: Store, names: NameIndex | None, settings: BuildSettings) -> bool:
    """Link labels that are new, or all of them where the index is another than before; whether it is another."""
    another = False
    before = read_meta(store).get("index")
    if names is not None:
        facts = {"name": names.path.name, "sha256": file_sha256(names.path), "opsin": settings.opsin}
        another = before != facts
        if another:
            for table in ("alias", "member", "known"):
                store.query(f"DELETE FROM {table}")
            store.insert("known", [(o, c, doi or None) for o, c, doi in names.relations()])
            write_meta(store, index=facts)
        _name_references(store, names)
    looked_up = Names(names, settings.opsin)
    heads = _unlinked(store, HEAD, "head_label")
    tails = _unlinked(store, TAIL, "tail_label")
    linked = [(HEAD, label, looked_up.organism(label)) for label in heads]
    linked += [(TAIL, label, named) for label, named in looked_up.compounds(tails).items()]
    store.insert("alias", [_alias_row(*each) for each in linked])
    members = {(named.entity, level, name) for _, _, named in linked for level, name in named.groups.items()}
    store.insert("member", sorted(members))
    return another


def _name_references(store: Store, names: NameIndex) -> None:
    """Wikidata's items of publications, for the sources of statements."""
    rows = store.query("SELECT DISTINCT doi FROM document WHERE doi IS NOT NULL AND item IS NULL")
    items = [(item, row[0]) for row in rows if (item := names.reference(row[0]))]
    for item, doi in items:
        store.query("UPDATE document SET item = ? WHERE doi = ?", (item, doi))


def _unlinked(store: Store, type: str, column: str) -> list[str]:
    query = f"SELECT DISTINCT {column} FROM evidence WHERE {column} NOT IN (SELECT label FROM alias WHERE type = ?)"
    return sorted(row[0] for row in store.query(query, (type,)))


def _alias_row(type: str, label: str, named: Named) -> tuple[Any, ...]:
    return type, label, named.key, named.entity, named.identifier, named.indexed, named.item, named.name
