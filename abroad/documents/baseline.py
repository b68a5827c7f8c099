"""PubMed's baseline and update files -> documents, by streaming: memory does not grow with the number of records.

https://pubmed.ncbi.nlm.nih.gov/download/. What is read lies in a SQLite file among the helpers of the output until all
files are read: a record that comes again replaces the earlier one, and one that a DeleteCitation names goes. So much
disk is needed as the documents take. Files are read in the order of their names, each in one transaction, and a run
that was stopped goes on after the last that was read whole.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from abroad.core.context import Context
from abroad.core.errors import InputError
from abroad.core.full_disk import sqlite_errors_told
from abroad.core.helpers import helper
from abroad.core.io import atomic_write, dump_line, require_file
from abroad.core.locks import held
from abroad.core.record_fields import PMID
from abroad.core.resume import digest
from abroad.core.settings import Settings
from abroad.documents.fetch import attach
from abroad.sources.formats.identifiers import Identifier, read_identifiers
from abroad.sources.formats.recognise import decode
from abroad.sources.pubmed import Article, Deleted, Outline, Wanted, read_file, xml_files
from abroad.sources.references import Reference

Year = Annotated[int, Field(ge=1500, le=2999)]
_VERSIONS = 10_000  # a key is the PMID times this, and the version
_MAX_DIGITS = 12  # of a PMID; so many make a key that SQLite can hold
_TABLES = (
    "CREATE TABLE IF NOT EXISTS record (key INTEGER PRIMARY KEY, document TEXT, retracted INTEGER)",
    "CREATE TABLE IF NOT EXISTS file (number INTEGER PRIMARY KEY, name TEXT, size INTEGER, changed INTEGER, "
    "counts TEXT, faults TEXT)",
)


class BaselineSettings(Settings):
    """Which records of PubMed's files become documents."""

    since: Year | None = Field(None, description="First year of publication; records without a year are left out.")
    until: Year | None = Field(None, description="Last year of publication.")

    def takes(self, year: int | None, last_year: int | None = None) -> bool:
        """Whether a record of this year, or of an issue of two, is wanted."""
        if self.since is None and self.until is None:
            return True
        return year is not None and (self.since or year) <= (last_year or year) and year <= (self.until or year)

    @property
    def words(self) -> str:
        """The years that are wanted, "" for all."""
        if self.since is None and self.until is None:
            return ""
        return f"of the years {self.since or 'before'} to {self.until or 'today'}"


@dataclass(frozen=True)
class BaselineReport:
    """What came of the files.

    Attributes:
        files: that were read.
        resumed: of these, by an earlier run.
        records: in them, also those that came again.
        left_out: records of other years, or that were not asked for.
        without_text: records without a title and an abstract.
        documents: written.
        retracted: of these, marked as retracted.
    """

    files: int
    resumed: int
    records: int
    left_out: int
    without_text: int
    documents: int
    retracted: int


def read_baseline(
    paths: Sequence[Path], out: Path, settings: BaselineSettings, context: Context, pmids: Collection[str] | None = None
) -> BaselineReport:
    """Write a document for each record that the files leave standing, by PMID.

    Of several versions of a PMID the highest counts, and of one version the record that came last.

    Args:
        paths: files (.xml, .xml.gz) and folders of them; all are read in the order of their names.
        out: JSONL.
        settings: which years.
        context: its rejects are told of files that break off; what they gave is kept.
        pmids: None for all.
    Raises:
        InputError: a path is missing, or no record became a document.
        OSError: the disk is full; a later run goes on.
    """
    files = sorted(dict.fromkeys(xml_files(paths)), key=lambda path: (path.name, str(path)))
    wanted = None if pmids is None and settings == BaselineSettings() else _wanted(settings, pmids)
    store_path = helper(out, f"records-{digest(settings.identity(), sorted(pmids or ()), pmids is None)}.sqlite")
    with held(out, "abroad documents baseline"):
        with _opened(store_path) as store:
            resumed = store.resume(files)
            if resumed:
                context.say(f"{resumed} of {len(files)} files were read by an earlier run")
            with context.progress("reading PubMed's files", len(files), done=resumed) as progress:
                for number, path in enumerate(files[resumed:], resumed):
                    store.read(number, path, wanted)
                    progress.advance(note=path.name)
            for where, reason in store.faults():
                context.rejects.add(where, reason)
            records, left_out, without_text = store.counts()
            if not store.left():
                why = _why_nothing(settings, pmids, (records, left_out, without_text))
                raise InputError(f"no record of {len(files)} files is left: {why}{context.rejects.first()}")
            documents, retracted = store.write(out)
        _remove(store_path)
    return BaselineReport(len(files), resumed, records, left_out, without_text, documents, retracted)


def read_pmids(path: Path, context: Context) -> frozenset[str]:
    """The PMIDs of a list.

    Raises:
        InputError: there are none in it.
    """
    text = decode(require_file(path, "a list of PMIDs").read_bytes(), str(path))
    found = set()
    for each in read_identifiers(text, str(path)):
        if isinstance(each, Identifier) and each.kind == PMID:
            found.add(each.value)
        elif isinstance(each, Identifier):
            context.rejects.add(each.where, f"expected a PMID, found the DOI {each.value}")
        else:
            context.rejects.add(*each)
    if not found:
        raise InputError(f"{path}: expected a list of PMIDs, found none")
    return frozenset(found)


def _why_nothing(settings: BaselineSettings, pmids: Collection[str] | None, counts: tuple[int, int, int]) -> str:
    """What became of the records, where none is left."""
    records, left_out, without_text = counts
    wanted = " and ".join(filter(None, (settings.words, f"of the {len(pmids)} PMIDs asked for" if pmids else "")))
    parts = [f"of {records:,} records"] if records else ["there is no record in them"]
    parts += [f"{left_out:,} are not {wanted}"] if left_out else []
    parts += [f"{without_text:,} have neither a title nor an abstract"] if without_text else []
    gone = records - left_out - without_text
    parts += [f"{gone:,} were deleted or replaced by later ones"] if gone else []
    return ", ".join(parts)


def _wanted(settings: BaselineSettings, pmids: Collection[str] | None) -> Wanted:
    def wanted(record: Outline) -> bool:
        return (pmids is None or record.pmid in pmids) and settings.takes(record.year, record.last_year)

    return wanted


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[_Store]:
    path.parent.mkdir(parents=True, exist_ok=True)
    with (
        sqlite_errors_told(path),
        contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection,
    ):
        for statement in ("PRAGMA journal_mode = WAL", "PRAGMA synchronous = NORMAL", *_TABLES):
            connection.execute(statement)
        yield _Store(connection)


def _remove(path: Path) -> None:
    for suffix in ("", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


class _Store:
    """Records by PMID and version, on disk; one without a document only hides lower versions."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._do = connection.execute

    def resume(self, files: Sequence[Path]) -> int:
        """How many of the files are read; where they are others, or have changed since, all is forgotten."""
        done = self._do("SELECT name, size, changed FROM file ORDER BY number").fetchall()
        if done == [_mark(path) for path in files[: len(done)]]:
            return len(done)
        self._do("DELETE FROM record")
        self._do("DELETE FROM file")
        return 0

    def read(self, number: int, path: Path, wanted: Wanted | None) -> None:
        """Take over the records of a file, all or none."""
        context, mark, counts = Context(), _mark(path), [0, 0, 0]
        self._do("BEGIN")
        try:
            for record in read_file(path, context, wanted):
                self._take(record, counts, context)
            told = json.dumps([[item["where"], item["reason"]] for item in context.rejects.items])
            self._do("INSERT INTO file VALUES (?, ?, ?, ?, ?, ?)", (number, *mark, json.dumps(counts), told))
            self._do("COMMIT")
        except BaseException:
            with contextlib.suppress(sqlite3.Error):
                self._do("ROLLBACK")
            raise

    def _take(self, record: Any, counts: list[int], context: Context) -> None:
        if len(record.pmid) > _MAX_DIGITS:
            context.rejects.add(f"PMID {record.pmid[:40]}", f"expected at most {_MAX_DIGITS} digits")
            return
        first = int(record.pmid) * _VERSIONS
        if isinstance(record, Deleted):
            low, high = (0, _VERSIONS - 1) if record.version is None else (record.version,) * 2
            self._do("DELETE FROM record WHERE key BETWEEN ? AND ?", (first + low, first + high))
            return
        counts[0] += 1
        text, retracted = None, False
        if not isinstance(record, Article):
            counts[1] += 1
        elif not record.has_text:
            counts[2] += 1
        else:
            retracted = record.retracted
            text = dump_line(attach(record, Reference(record.pmid), None).to_dict())
        key = first + min(record.version, _VERSIONS - 1)
        if text is None and record.version == 1:  # no lower version that it could hide
            self._do("DELETE FROM record WHERE key = ?", (key,))
        else:
            self._do("INSERT OR REPLACE INTO record VALUES (?, ?, ?)", (key, text, retracted))

    def faults(self) -> Iterator[tuple[str, str]]:
        for (faults,) in self._do("SELECT faults FROM file ORDER BY number"):
            yield from map(tuple, json.loads(faults))

    def counts(self) -> list[int]:
        """Records, those left out, and those without text, of all files."""
        rows = [json.loads(counts) for (counts,) in self._do("SELECT counts FROM file")]
        return [sum(column) for column in zip(*rows, strict=True)]

    def left(self) -> bool:
        """Whether there is a document to write."""
        return next(self._documents(), None) is not None

    def write(self, out: Path) -> tuple[int, int]:
        """Write the documents; returns how many, and how many of them are retracted."""
        count = retracted = 0
        with atomic_write(out) as stream:
            for line, marked in self._documents():
                stream.write(line)
                count, retracted = count + 1, retracted + marked
        return count, retracted

    def _documents(self) -> Iterator[tuple[str, int]]:
        """The document of the highest version of each PMID, and whether it is retracted."""
        rows = self._do("SELECT key, document, retracted FROM record ORDER BY key")
        for _, versions in groupby(rows, key=lambda row: row[0] // _VERSIONS):
            *_, (_, document, retracted) = versions
            if document is not None:
                yield document, retracted


def _mark(path: Path) -> tuple[str, int, int]:
    """What tells that a file is the one that was read."""
    found = path.stat()
    return str(path), found.st_size, found.st_mtime_ns
