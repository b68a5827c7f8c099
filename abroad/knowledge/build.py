"""Predictions and their documents -> a knowledge base: merged into what is there, in one transaction.

A document that is read again replaces its old evidence; one that was read as it is costs nothing. What is set aside is
told with its reason, and what was there before stays whatever happens.
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
from abroad.core.record_fields import read_doi
from abroad.core.resume import digest
from abroad.core.schema import Document, LabelPair, Prediction, Relation
from abroad.core.settings import Settings, Share
from abroad.documents.inputs import read_documents
from abroad.documents.predictions import read_predictions
from abroad.evaluation.protocols import normalise_upstream
from abroad.knowledge.combine import ACCEPTED, REJECTED, Calibration, combine, read_calibration
from abroad.knowledge.entities import HEAD, TAIL, Named, Names
from abroad.knowledge.evidence import dump_spans, rule_of, sentences_of, spans_of, supporting_sentence
from abroad.knowledge.store import PARQUET, Store, read_meta, writable, write_meta
from abroad.sources.name_index import NameIndex
from abroad.text.abbreviations import definitions

LABELS = "labels of the document"
"""Who said so, where a document brings relations of its own."""
_YEAR = re.compile(r"\b(1[6-9]\d\d|20\d\d)\b")
_YEAR_FIELDS = ("year", "Year", "PubDate", "pubdate", "publication_date", "date", "published")
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
        replaced: read again, with another result than before.
        unchanged: in the database as they are.
        relations: of those added and replaced.
        pairs: status -> how many pairs the database has now.
        calibration: of the scores.
    """

    documents: int = 0
    added: int = 0
    replaced: int = 0
    unchanged: int = 0
    relations: int = 0
    pairs: dict[str, int] = field(default_factory=dict)
    calibration: Calibration = field(default_factory=Calibration)


@dataclass(frozen=True)
class _File:
    """A file of predictions with the documents that they are of, by id."""

    path: Path
    predictions: Sequence[Prediction]
    documents: Mapping[str, Document]


@dataclass
class _Read:
    """A document with what was extracted from it, ready to be stored."""

    document: Document
    relations: list[Relation]
    digest: str


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
            given = _by_id(sources.documents, context)
            for path in sources.predictions:
                documents = given if sources.documents else _by_id([_kept_beside(path)], context)
                where = ", ".join(map(str, sources.documents)) or f"the documents kept beside {path}"
                _merge_file(store, _read_file(path, documents, where, context), settings, context, report)
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
    merged = report.added + report.replaced + report.unchanged
    if sources.predictions and not merged:
        raise InputError(f"nothing could be merged{context.rejects.first()}")


def _read_file(path: Path, by_id: Mapping[str, Document], where: str, context: Context) -> _File:
    found_predictions = read_predictions(path, context)
    known = [prediction for prediction in found_predictions if prediction.id in by_id]
    if not known:
        raise InputError(
            f"{path}: none of its {len(found_predictions)} predictions is of a document in {where}: are they of "
            f"another set? (the first is of {found_predictions[0].id!r})"
        )
    for prediction in found_predictions:
        if prediction.id not in by_id:
            context.rejects.add(f"{path}: {prediction.id}", "no document has this id")
    return _File(path, known, by_id)


def _merge_file(store: Store, file: _File, settings: BuildSettings, context: Context, report: BuildReport) -> None:
    with context.progress(f"reading {file.path.name}", total=len(file.predictions)) as progress:
        for start in range(0, len(file.predictions), _CHUNK):
            part = file.predictions[start : start + _CHUNK]
            ready = list(_ready(part, file, settings, context))
            _store(store, ready, file.path, context, report)
            progress.advance(len(part))


def _kept_beside(path: Path) -> Path:
    beside = found(path, "documents.jsonl")
    if not beside.exists():
        raise InputError(f"{path}: expected --documents with the texts that were read, as none are kept beside it")
    return beside


def _by_id(paths: Sequence[Path], context: Context) -> dict[str, Document]:
    return {document.id: document for path in paths for document in read_documents(path, context)}


def _ready(
    predictions: Iterable[Prediction], file: _File, settings: BuildSettings, context: Context
) -> Iterator[_Read]:
    for prediction in predictions:
        where, document = f"{file.path}: {prediction.id}", file.documents[prediction.id]
        if prediction.error:
            context.rejects.add(where, f"it could not be read ({prediction.error}); what was there before stays")
            continue
        try:
            for relation in prediction.relations:
                spans_of(document, relation)
        except InputError as error:
            context.rejects.add(where, str(error))
            continue
        relations = [r for r in prediction.relations if r.score is None or r.score >= settings.min_score]
        relations = [r for r in relations if r.organism.strip() and r.chemical.strip()]
        facts = [document.to_dict(), [relation.to_dict() for relation in relations]]
        yield _Read(document, relations, digest(*facts))


def _store(store: Store, ready: Sequence[_Read], path: Path, context: Context, report: BuildReport) -> None:
    report.documents += len(ready)
    marks = ", ".join("?" * len(ready))
    rows = store.query(
        f"SELECT id, digest, text_key, pmid, doi FROM document WHERE id IN ({marks})",
        [read.document.id for read in ready],
    ) if ready else []  # fmt: skip
    before = {row[0]: row[1:] for row in rows}
    changed: list[_Read] = []
    for read in ready:
        old = before.get(read.document.id)
        if old is not None and old[0] == read.digest:
            report.unchanged += 1
        elif old is not None and not _same_document(read.document, *old[1:]):
            context.rejects.add(
                f"{path}: {read.document.id}",
                "another document of this id is in the database, and no PMID or DOI says that it is the same one: give "
                "the documents ids of their own (a column or field 'id') that stay when a text changes",
            )
        else:
            report.added, report.replaced = report.added + (old is None), report.replaced + (old is not None)
            changed.append(read)
    _forget(store, [read.document.id for read in changed if read.document.id in before])
    store.insert("document", [_document_row(read) for read in changed])
    evidence = [row for read in changed for row in _evidence_rows(read)]
    store.insert("evidence", evidence)
    report.relations += len(evidence)
    labelled = [Verdicts(r.document.id, LABELS, r.document.label_pairs()) for r in changed if r.document.relations]
    store.insert("decision", [row for verdict in labelled for row in _decision_rows(store, verdict)])


def _same_document(document: Document, text_key: str, pmid: str | None, doi: str | None) -> bool:
    """Whether a document of the database is this one, perhaps with a text that was corrected since."""
    same_doi = doi is not None and doi == _doi(document)
    return text_key == _text_key(document) or same_doi or (pmid is not None and pmid == document.pmid)


def _forget(store: Store, ids: Sequence[str]) -> None:
    if not ids:
        return
    marks = ", ".join("?" * len(ids))
    store.query(f"DELETE FROM document WHERE id IN ({marks})", ids)
    store.query(f"DELETE FROM evidence WHERE document IN ({marks})", ids)
    store.query(f"DELETE FROM decision WHERE document IN ({marks}) AND curator = ?", [*ids, LABELS])


def _document_row(read: _Read) -> tuple[Any, ...]:
    document, extra = read.document, read.document.extra
    texts = (document.title, document.abstract) if read.relations else (document.title, None)
    year = next((year for name in _YEAR_FIELDS if (year := _year(extra.get(name))) is not None), None)
    item = re.search(r"Q\d+$", str(extra.get("reference_wikidata") or ""))
    return (
        *(document.id, document.pmid, _doi(document), item[0] if item else None, *texts, year),
        *(int(bool(extra.get("retracted"))), read.digest, _text_key(document), None),
    )


def _evidence_rows(read: _Read) -> Iterator[tuple[Any, ...]]:
    document, text = read.document, read.document.text
    long_forms, bounds = definitions(text), sentences_of(document)
    rows: dict[tuple[str, str], tuple[Any, ...]] = {}
    for relation in read.relations:
        spans = spans_of(document, relation)
        chemical = long_forms.get(relation.chemical, relation.chemical)
        key, score = (relation.organism, chemical), relation.score
        if key in rows and (rows[key][5] or 0) >= (score or 0):  # an abbreviation and its long form are one relation
            continue
        rows[key] = (
            *(document.id, relation.organism, chemical, relation.organism, relation.chemical, score),
            *(rule_of(spans), supporting_sentence(text, bounds, spans), dump_spans(spans)),
        )
    yield from rows.values()


def _merge_verdicts(store: Store, verdicts: Sequence[Verdicts], context: Context) -> None:
    """Decisions replace earlier ones of the same curator on the same document."""
    for verdict in verdicts:
        if not store.query("SELECT 1 FROM document WHERE id = ?", (verdict.document,)):
            context.rejects.add(
                f"decision of {verdict.curator} on {verdict.document}", "no such document in the database"
            )
            continue
        store.query("DELETE FROM decision WHERE document = ? AND curator = ?", (verdict.document, verdict.curator))
        store.insert("decision", list(_decision_rows(store, verdict)))


def _decision_rows(store: Store, verdict: Verdicts) -> Iterator[tuple[Any, ...]]:
    """A row for each relation that was extracted from the document; labels are compared as `evaluate` does."""
    stand = {tuple(map(normalise_upstream, pair)) for pair in verdict.relations}
    query = "SELECT head_text, tail_text, tail_label FROM evidence WHERE document = ?"
    for head, tail, long_form in store.query(query, (verdict.document,)):
        pairs = {(normalise_upstream(head), normalise_upstream(name)) for name in (tail, long_form)}
        said = ACCEPTED if pairs & stand else REJECTED
        yield verdict.document, verdict.curator, head, tail, said, verdict.comment, verdict.at


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


def _doi(document: Document) -> str | None:
    return (read_doi(document.doi) or document.doi or "").lower() or None


def _text_key(document: Document) -> str:
    return digest(normalise_upstream(document.text))


def _year(value: Any) -> int | None:
    match = _YEAR.search(str(value)) if isinstance(value, str | int) else None
    return int(match[1]) if match else None
