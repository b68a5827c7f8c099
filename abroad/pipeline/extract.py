"""Extraction from documents to a file: `abroad extract` and `abroad run` call the same function.

Documents go through in shards, whatever their number, by as many processes as there are cores; each shard is
extracted and linked as a whole, and what an earlier run made of the same documents is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from abroad.core.context import Context
from abroad.core.errors import InputError
from abroad.core.helpers import helper
from abroad.core.io import atomic_write, read_documents, read_predictions, read_records, write_jsonl
from abroad.core.locks import held
from abroad.core.machine import cores
from abroad.core.progress import Progress
from abroad.core.schema import Document, Prediction
from abroad.core.shards import Shard, ShardedOutput, ShardPlan, shard_size
from abroad.core.workers import Pool, asks_for_ray, work_through
from abroad.documents.columns import Columns
from abroad.documents.formats import array_lines, format_of, table_lines, write_workbook
from abroad.documents.images import SET_ASIDE
from abroad.documents.pairs import Part, parts_of
from abroad.documents.stream import DocumentSource
from abroad.extraction.base import Extractor, identity_of
from abroad.extraction.full_texts import extracted
from abroad.pipeline.extract_columns import columns_for
from abroad.pipeline.extract_settings import FileSettings
from abroad.pipeline.extract_shards import Counts, ExtractJob, Links, counts_of, extract_shard, input_digest

Ranker = Callable[[Sequence[Document], Sequence[Prediction], Path], None]
"""(documents, predictions, file for the ranked ones): puts the relations of each document in order."""

LARGEST = 500
"""Documents of a shard at most: some seconds of work, and megabytes."""
_SMALLEST = 250
"""Documents of a shard that a process is given, unless workers were asked for."""
_WORTH = 500
"""Documents that are worth several processes, which take seconds to begin, unless they were asked for."""
DOCUMENTS = "documents.jsonl"
"""The helper of an output that holds the documents of its predictions."""


@dataclass(frozen=True)
class Extraction:
    """The extractor of a run.

    Attributes:
        extractor: any.
        make: makes it again in another process, and can be given to one; None: this process does all.
        by_default: workers where the settings name none; None: one a core.
        ranker: puts relations in order; None leaves them in that of the text.
    """

    extractor: Extractor
    make: Callable[[], Extractor] | None = None
    by_default: int | None = None
    ranker: Ranker | None = None


@dataclass(frozen=True)
class ExtractReport:
    """What came of a run over documents.

    Attributes:
        resumed: documents with a prediction of an earlier run.
        counts: of what is in the output.
    """

    resumed: int
    counts: Counts

    def to_dict(self) -> dict[str, Any]:
        """The figures for the record of a run."""
        record = {"resumed": self.resumed, **asdict(self.counts)}
        memory = record.pop("peak_memory_mb")
        kept = {key: value for key, value in record.items() if key in _ALWAYS or value}
        return kept | ({"peak_memory_of_workers_mb": memory} if memory else {})


_ALWAYS = ("documents", "relations", "resumed", "failed", "malformed", "cut_off", "first_error")


def extract_stage(
    inputs: DocumentSource, out: Path, by: Extraction, settings: FileSettings, context: Context
) -> ExtractReport:
    """Write what an extractor finds in each document; what an earlier run of the same extractor left is kept.

    The documents are kept among the helpers of `out`.

    Args:
        inputs: documents of distinct ids.
        out: the file; it appears when all is done.
        by: the extractor, and what puts its relations in order.
        settings: how documents go through it.
        context: is told of what is set aside.
    Raises:
        InputError: no document, no such index, or another process writes `out`.
        AbroadError: a shard could not be worked through; all others are, and kept.
    """
    kind = format_of(settings.format, out)
    records = _records_of(out, kind)
    # Earlier versions wrote the records of a table beside it, and so this run may go on from those.
    earlier = out.with_suffix(".jsonl") if records != out else out
    links = Links(settings.link, settings.index)
    with held(records):
        if by.ranker is None:
            report = _extract(inputs, _Target(out, records, earlier), by, (settings, links), context)
        else:
            unranked = _Target(out, helper(out, "unranked.jsonl"), earlier.with_suffix(".unranked.jsonl"))
            report = _extract(inputs, unranked, by, (settings, Links(link=False)), context)
            _rank(out, unranked.records, records, by.ranker, links)
        _write_for_people(out, records, kind, (inputs.docbin, columns_for(by.extractor)))
    if report.counts.failed or report.counts.images_set_aside:
        _note_set_aside(records, context)
    return report


def _note_set_aside(records: Path, context: Context) -> None:
    """Each document that failed, and each image that could not be shown, with the reason."""
    for _, _, record in _read(records):
        if record.get("error") is not None:
            context.rejects.add(f"document {record['id']}", record["error"])
        for reason in record.get(SET_ASIDE) or ():
            context.rejects.add_image(f"document {record['id']}", reason)


def extracted_parts(
    inputs: DocumentSource, extractor: Extractor, settings: FileSettings, context: Context
) -> Iterator[Part]:
    """Yield documents with their predictions, some at a time, without a file: nothing is kept for a later run.

    Raises:
        InputError: no document, or no such index.
    """
    linker = Links(settings.link, settings.index).linker()
    read = (Document.from_dict(record) for record in inputs.records(context))
    empty = True
    while some := list(islice(read, LARGEST)):
        empty = False
        predictions = list(extracted(extractor, some))
        yield some, linker.link(some, predictions) if linker is not None else predictions
    if empty:
        raise InputError(inputs.nothing)


def records_with_documents(out: Path, kind: str) -> Iterator[Part]:
    """What `write_predictions` wrote: predictions with their documents, some at a time."""
    return parts_of(helper(out, DOCUMENTS), _records_of(out, kind))


def _records_of(out: Path, kind: str) -> Path:
    return out if kind == "jsonl" else helper(out, "predictions.jsonl")


@dataclass(frozen=True)
class _Target:
    """Where predictions go: beside which output, into which JSONL, and where earlier versions wrote these."""

    out: Path
    records: Path
    earlier: Path


def _extract(
    inputs: DocumentSource,
    target: _Target,
    by: Extraction,
    how: tuple[FileSettings, Links],
    context: Context,
) -> ExtractReport:
    settings, links = how
    linker = links.linker()  # a wrong index is told before anything is read
    pool = _pool(by, settings)
    extractor, identity = by.extractor, identity_of(by.extractor)

    def digest_of(record: dict[str, Any]) -> str:
        return input_digest(extractor, Document.from_dict(record))

    size = shard_size(inputs.count, pool.workers, LARGEST, _SMALLEST if settings.workers is None else 1)
    plan = ShardPlan(identity, digest_of, size if pool.workers > 1 else LARGEST, target.earlier)
    output = ShardedOutput(_Linked(inputs, links), target.records.absolute(), plan)
    shards = output.plan(context)
    for note in context.rejects.notes:
        context.say(note)
    context.rejects.notes.clear()
    resumed = sum(shard.answered() for shard in shards)
    todo = [shard for shard in shards if not shard.done]
    with context.progress("extracting relations", sum(shard.count for shard in shards), done=resumed) as progress:
        left = progress.total - resumed if progress.total is not None else 0
        worth = len(todo) > 1 and (settings.workers is not None or left > _WORTH)
        if pool.workers > 1 and worth and by.make is not None:
            work_through(shards, ExtractJob(by.make, identity, links), pool, progress)
        else:
            _extract_here(todo, extractor, linker, progress)
    counts = counts_of(shards)
    output.join(shards, context, helper(target.out, DOCUMENTS).absolute())
    return ExtractReport(resumed, counts)


def _extract_here(todo: Sequence[Shard], extractor: Extractor, linker: Any, bar: Progress) -> None:
    relations = 0

    def advance(found: int) -> None:
        nonlocal relations
        relations += found
        bar.advance(note=f"{relations} relations")

    for shard in todo:
        extract_shard(shard, extractor, linker, advance)


def _pool(by: Extraction, settings: FileSettings) -> Pool:
    """The workers that are asked for, else those of the extractor, else one a core, of the cluster if there is one."""
    asked = settings.workers or by.by_default
    if by.make is None or asked == 1:
        return Pool(1)
    if not asks_for_ray():
        return Pool(asked or cores())
    from abroad.core.ray_workers import ray_cores

    return Pool(asked or ray_cores(), ray=True)


class _Linked:
    """Documents as a source of shards whose plan changes with how predictions are linked too."""

    def __init__(self, inputs: DocumentSource, links: Links) -> None:
        self._inputs, self._links, self.name = inputs, links, inputs.name

    @property
    def key(self) -> str:
        state = self._links.index.stat() if self._links.index is not None else None
        index = "" if state is None else f"{state.st_size}-{state.st_mtime_ns}"
        return f"{self._inputs.key}-{'linked' if self._links.link else 'plain'}{index}"

    @property
    def nothing(self) -> str:
        return self._inputs.nothing

    def records(self, context: Context) -> Iterator[dict[str, Any]]:
        return self._inputs.records(context)


def _rank(out: Path, unranked: Path, records: Path, ranker: Ranker, links: Links) -> None:
    documents = read_documents(helper(out, DOCUMENTS))
    ranker(documents, read_predictions(unranked), records)
    linker = links.linker()
    if linker is not None:
        predictions = linker.link(documents, read_predictions(records))
        write_jsonl(records, (prediction.to_dict() for prediction in predictions))


def _read(records: Path) -> Iterator[tuple[str, str | None, Any]]:
    return read_records(records) if records.stat().st_size else iter(())


def _write_for_people(out: Path, records: Path, kind: str, how: tuple[Path | None, Columns]) -> None:
    """The predictions as a JSON array, a table or a DocBin, where they are not wanted as records alone.

    Args:
        how: the DocBin that was read, if one was; the columns of a table without a relation.
    """
    source, otherwise = how
    if kind == "jsonl":
        return
    parts = parts_of(helper(out, DOCUMENTS), records)
    if kind == "json":
        with atomic_write(out) as stream:
            stream.writelines(array_lines(record for _, _, record in _read(records)))
    elif kind == "parquet":
        from abroad.documents.parquet import write_parquet

        write_parquet(out, parts, otherwise)
    elif kind in ("csv", "tsv"):
        with atomic_write(out) as stream:
            stream.writelines(table_lines(parts, kind, otherwise))
    else:
        documents, predictions = read_documents(helper(out, DOCUMENTS)), [p for _, part in parts for p in part]
        if kind == "spacy":
            from abroad.extraction.builtin.spacy_pipeline.docbin import write_docbin

            write_docbin(out, documents, predictions, source)
        else:
            write_workbook(out, documents, predictions, otherwise)
