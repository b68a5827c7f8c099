"""Predictions and their documents -> a knowledge base: merged into what is there, in one transaction.

A document that is read again replaces its old evidence (`abroad.knowledge.shelf`); one that was read as it is costs
nothing. What is set aside is told with its reason, and what was there before stays whatever happens.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from pydantic import Field

from abroad.core.context import Context
from abroad.core.errors import InputError
from abroad.core.field import Field as KnownField
from abroad.core.locks import held
from abroad.core.record_fields import YEAR, find_field, read_year
from abroad.core.resume import digest
from abroad.core.schema import Document, Prediction, Relation
from abroad.core.settings import Settings, Share
from abroad.documents.predictions import each_prediction
from abroad.knowledge.aliases import link_labels
from abroad.knowledge.combine import ACCEPTED, REJECTED, Calibration, combine, read_calibration
from abroad.knowledge.evidence import Span, spans_of
from abroad.knowledge.evidence_rows import evidence_rows
from abroad.knowledge.given import GivenDocuments, kept_beside
from abroad.knowledge.kinds import BaseKind, kept, kind_of
from abroad.knowledge.matching import Pair, look, match
from abroad.knowledge.shelf import Place, Shelf, doi_of, text_key
from abroad.knowledge.store import PARQUET, Store, read_meta, writable, write_meta
from abroad.sources.name_index import NameIndex
from abroad.text.characters import normalise_upstream
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
    """One curator's answer on a document: the relations that stand, as labels; all others that were shown do not.

    Attributes:
        relations: (organism, chemical) of natural products, (head, type, tail) of other fields.
    """

    document: str
    curator: str
    relations: Sequence[tuple[str, ...]]
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
        field: of the database; None for the one that it has, natural products for a new one.
    """

    predictions: Sequence[Path]
    documents: Sequence[Path] = ()
    index: Path | None = None
    verdicts: Sequence[Verdicts] = ()
    field: KnownField | None = None


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
        compares: whether an index can tell known relations of the field from new ones.
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
    compares: bool = True


@dataclass
class _Read:
    """A document with what was extracted from it and where both sides stand, ready to be stored."""

    document: Document
    relations: list[tuple[Relation, list[Span]]]
    digest: str
    stated: list[tuple[str, ...]]


@dataclass(frozen=True)
class _Merge:
    """One build: where it writes, what it takes, and what it says."""

    store: Store
    settings: BuildSettings
    context: Context
    report: BuildReport
    shelf: Shelf
    kind: BaseKind


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
    facts = kept(sources.field) if sources.field is not None else {}
    with held(out, "abroad knowledge build"), writable(out, format, facts) as store:
        kind = _kind_for(store, out, sources.field)
        linked_with = read_meta(store).get("index")
        if names is None and linked_with:
            raise InputError(
                f"{out}: expected --index, as it was linked with {linked_with['name']}: that, or a newer one"
            )
        with store.transaction():
            with Shelf(store) as shelf:
                _merge_predictions(_Merge(store, settings, context, report, shelf, kind), sources)
            _refuse_if_nothing(report, sources, context)
            _merge_verdicts(store, kind, sources.verdicts, context)
            relinked = link_labels(store, kind, names, settings.opsin)
            counted = read_meta(store).get("include_retracted")
            if report.added or report.replaced or sources.verdicts or relinked or counted != settings.retracted:
                combine(store, settings.retracted)
            report.calibration, report.compares = read_calibration(store), kind.compares
        if format == PARQUET:
            write_parquet(store, out)
        report.pairs = dict(store.query("SELECT status, count(*) FROM pair GROUP BY status ORDER BY status"))
    return report


def _of_field(path: Path, predictions: Iterable[Prediction], kind: BaseKind) -> Iterator[Prediction]:
    """The predictions of a file.

    Raises:
        InputError: at their end, where relations are there and none is of the field.
    """
    reason, fits = "", False
    for prediction in predictions:
        if prediction.relations and not fits:
            try:
                kind.read(prediction.relations[0])
                fits = True
            except InputError as error:
                reason = reason or f"{prediction.id}: {error}"
        yield prediction
    if reason and not fits:
        raise InputError(f"{path}: {reason}")


def _kind_for(store: Store, out: Path, field: KnownField | None) -> BaseKind:
    """The field of a database, which is the one that is asked for; its file may say other words than before.

    Raises:
        InputError: it is another.
    """
    there = kind_of(store)
    if field is None or field == there.field:
        return there
    if field.name != there.field.name:
        raise InputError(f"{out}: a database of the field {there.field.name}, not of {field.name}: give another name")
    same = [
        {name: (each.head, each.tail, each.directed) for name, each in known.relations.items()}
        for known in (field, there.field)
    ]
    if same[0] != same[1]:
        raise InputError(f"{out}: the relations of the field {field.name} are other ones now: build it anew")
    write_meta(store, **kept(field))
    return BaseKind(field)


def _refuse_if_nothing(report: BuildReport, sources: Sources, context: Context) -> None:
    merged = report.added + report.replaced + report.unchanged + report.repeated
    if sources.predictions and not merged:
        raise InputError(f"nothing could be merged{context.rejects.first()}")


def _merge_predictions(merge: _Merge, sources: Sources) -> None:
    with GivenDocuments(sources.documents, merge.context) as given:
        for path in sources.predictions:
            if sources.documents:
                _merge_file(merge, path, given, ", ".join(map(str, sources.documents)))
            else:
                with GivenDocuments([kept_beside(path)], merge.context) as kept:
                    _merge_file(merge, path, kept, None)


def _merge_file(merge: _Merge, path: Path, documents: GivenDocuments, where: str | None) -> None:
    """Read a file twice: to see what it is, and to merge some predictions at a time."""
    context = merge.context
    looked = look(path, _of_field(path, each_prediction(path, Context()), merge.kind), documents, where)
    pairs = match(path, each_prediction(path, context), documents, looked, context)
    with context.progress(f"reading {path.name}", total=looked.predictions) as progress:
        while part := list(islice(pairs, _CHUNK)):
            _store(merge, list(_ready(merge, path, part)))
            progress.advance(len(part))


def _ready(merge: _Merge, path: Path, pairs: Iterable[Pair]) -> Iterator[_Read]:
    for prediction, document in pairs:
        if prediction.error:
            reason = f"it could not be read ({prediction.error}); what was there before stays"
            merge.context.rejects.add(f"{path}: {prediction.id}", reason)
            continue
        try:
            relations = [merge.kind.read(relation) for relation in prediction.relations]
            stated = _stated(document, merge.kind)
            for score in (relation.score for relation in relations if relation.score is not None):
                if not 0 <= score <= 1:
                    raise InputError(f"expected probabilities as scores, from 0 to 1, found {score:g}")
        except InputError as error:
            merge.context.rejects.add(f"{path}: {prediction.id}", str(error))
            continue
        relations = [r for r in relations if r.score is None or r.score >= merge.settings.min_score]
        relations = [r for r in relations if r.head.strip() and r.tail.strip()]
        facts = [document.to_dict(), [relation.to_dict() for relation in relations]]
        read = [(relation, spans_of(document, relation)) for relation in relations]
        yield _Read(document, read, digest(*facts), stated)


def _stated(document: Document, kind: BaseKind) -> list[tuple[str, ...]]:
    """The relations that a document brings, as curators would name them.

    Raises:
        InputError: they are of another field.
    """
    if kind.is_built_in or not document.relations:
        return list(document.label_pairs())
    if mistakes := kind.field.mistakes_in(document):
        raise InputError("; ".join(mistakes))
    ends = zip(document.relations, document.related_entities(), strict=True)
    return [(head.label, triple.type, tail.label) for triple, (head, tail) in ends]


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
    evidence = [
        row for id, read in changed.items() for row in evidence_rows(merge.kind, id, read.document, read.relations)
    ]
    merge.store.insert("evidence", evidence)
    report.relations += len(evidence)
    for each in (Verdicts(id, LABELS, read.stated) for id, read in changed.items() if read.document.relations):
        merge.store.insert("decision", list(_decision_rows(merge.store, merge.kind, each, each.document)))


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


def _merge_verdicts(store: Store, kind: BaseKind, verdicts: Sequence[Verdicts], context: Context) -> None:
    """Decisions replace earlier ones of the same curator on the same document."""
    parts = 2 if kind.is_built_in else 3
    for verdict in verdicts:
        where = f"decision of {verdict.curator} on {verdict.document}"
        if any(len(relation) != parts for relation in verdict.relations):
            context.rejects.add(where, f"of another field than {kind.field.name}")
            continue
        rows = store.query("SELECT id FROM document WHERE id = ?", (verdict.document,))
        rows = rows or store.query("SELECT id FROM document WHERE given = ?", (verdict.document,))
        if len(rows) != 1:
            context.rejects.add(where, "several documents have this id" if rows else "no such document in the database")
            continue
        ((id,),) = rows
        store.query("DELETE FROM decision WHERE document = ? AND curator = ?", (id, verdict.curator))
        store.insert("decision", list(_decision_rows(store, kind, verdict, id)))


def _decision_rows(store: Store, kind: BaseKind, verdict: Verdicts, id: str) -> Iterator[tuple[Any, ...]]:
    """A row for each relation that was extracted from the document; labels are compared as `evaluate` does."""
    stand = {tuple(map(normalise_upstream, relation)) for relation in verdict.relations}
    typed = "" if kind.is_built_in else ", relation"
    query = f"SELECT head_text, tail_text, tail_label{typed} FROM evidence WHERE document = ?"
    for head, tail, long_form, *type in store.query(query, (id,)):
        said = {(head, *type, name) for name in (tail, long_form)}
        said |= {(name, *type, head) for name in (tail, long_form) if type and type[0] in kind.undirected}
        verdict_of = ACCEPTED if {tuple(map(normalise_upstream, each)) for each in said} & stand else REJECTED
        yield id, verdict.curator, head, tail, verdict_of, verdict.comment, verdict.at, *type
