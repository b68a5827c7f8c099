"""Documents for work in shards: those of JSONL files and pipes, and of all large files, are read record by record.

Whichever way they are read, they are the same documents: distinct ids, the first of several kept, files that share
ids for different papers told apart.
"""

from __future__ import annotations

import contextlib
import hashlib
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import IO, Any, Protocol

from abroad.core.context import Context
from abroad.core.errors import AbroadError, InputError, MissingDependencyError
from abroad.core.io import dump_line, file_sha256
from abroad.core.plain import GZIP
from abroad.core.record_fields import PMID
from abroad.core.records import is_json_lines
from abroad.core.resume import digest
from abroad.core.schema import Document
from abroad.core.scratch import SeenIds
from abroad.core.shards import ShardSource
from abroad.documents.converted import convert, converter
from abroad.documents.distinct import clashing_sources, named_by_file, note_named
from abroad.documents.file_documents import Item, Source, read_json, with_images
from abroad.documents.inputs import InputSettings, check_path, find_sources, note_titles_alone, read_inputs
from abroad.documents.lookup import Lookup, resolve
from abroad.sources.formats.bioc import is_bioc_json
from abroad.sources.formats.identifiers import Identifier

_NOT_JSON = (".xml", ".xml.gz", ".spacy")
_HEAD = 4_096
_BYTES_A_RECORD = 500  # packed; only the sizes of shards follow from it
_BLOCK = 1 << 20
_PIPE, _CONVERTED = "pipe-", "converted-"
LARGE = 16 << 20
"""Bytes of files that are no JSONL, from which on they are converted and not read as a list."""
_PACKED, _PACKED_ENDINGS = 8, (".gz", ".tgz")
_BYTES_A_DOCUMENT = 5_000


class DocumentSource(ShardSource, Protocol):
    """Documents that are split into shards; their records are as `Document.to_dict` writes them.

    Attributes:
        count: how many there are, about.
        docbin: the DocBin that they came from, if all of them did.
    """

    @property
    def count(self) -> int: ...

    @property
    def docbin(self) -> Path | None: ...


class ListedDocuments:
    """Documents in memory, of distinct ids."""

    name, nothing = "documents", "no document to read"

    def __init__(self, documents: Sequence[Document], docbin: Path | None = None) -> None:
        self._documents, self.docbin, self.count = documents, docbin, len(documents)

    @cached_property
    def key(self) -> str:
        """A hash of the documents."""
        found = hashlib.sha256()
        for document in self._documents:
            found.update(dump_line(document.to_dict()).encode())
        return found.hexdigest()

    def records(self, context: Context) -> Iterator[dict[str, Any]]:
        """The records, in order."""
        return (document.to_dict() for document in self._documents)


class Streamed:
    """Files that are read record by record each time that they are asked for; what is no JSONL is converted first.

    PMIDs and DOIs that stand among the documents are looked up when all of these are read.

    Args:
        sources: the files.
        settings: how they are read.
        converters: number of a source -> what reads its documents, of those that are no JSONL.
        scratch: a folder for what is converted.
    """

    name, docbin = "documents", None

    def __init__(
        self,
        sources: Sequence[Source],
        settings: InputSettings,
        converters: Mapping[int, Callable[[Context], Iterator[Item]]] | None = None,
        scratch: Path | None = None,
    ) -> None:
        self._sources, self._settings, self._reason = list(sources), settings, ""
        self._converters, self._scratch = dict(converters or {}), scratch
        self._told: dict[int, Context] = {}

    @property
    def nothing(self) -> str:
        """With the first reason, once the records were read."""
        if len(self._sources) == 1:
            return f"{self._sources[0].name}: no document in it{self._reason}"
        return f"none of {len(self._sources)} files gave a document{self._reason}"

    @cached_property
    def key(self) -> str:
        """A hash of the files, and of the names by which records without an id go."""
        return digest(*((source.stem, file_sha256(_path(source))) for source in self._sources))

    @cached_property
    def count(self) -> int:
        """The lines of the files; of a packed one, and of what is no JSONL, about."""
        return sum(_about(s) if n in self._converters else _lines(s) for n, s in enumerate(self._sources))

    def records(self, context: Context) -> Iterator[dict[str, Any]]:
        """The records, in the order of the files."""
        before, count, alone, with_pmid = len(context.rejects), 0, 0, False
        for document in self._documents(context):
            count += 1
            if not document.abstract.strip():
                alone += 1
                with_pmid = with_pmid or document.pmid is not None
            yield document.to_dict()
        note_titles_alone(alone, count, with_pmid, self._settings, context)
        if len(context.rejects) > before:
            first = context.rejects.items[before]
            where = "" if len(self._sources) == 1 else f"{first['where']}: "
            self._reason = f": {first['reason']}" if not where else f" (first: {where}{first['reason']})"

    def _documents(self, context: Context) -> Iterator[Document]:
        shown: dict[str, str] = {}
        identifiers: dict[tuple[str, str], Identifier] = {}
        self._convert(context)
        clashing = clashing_sources(self._numbered()) if len(self._sources) > 1 else set()
        with SeenIds() as seen:
            for number, source in enumerate(self._sources):
                for item in self._items(number, context):
                    if isinstance(item, Identifier):
                        identifiers.setdefault((item.kind, item.value.lower()), item)
                        continue
                    shows = with_images(item, source, self._settings.images_from)
                    document = named_by_file(shows, source, shown) if number in clashing else shows
                    if (first := seen.add(document.id, number)) is None:
                        yield document
                    elif first == number:
                        reason = f"the id {item.id!r} stands twice; the first is kept"
                        context.rejects.add(f"{source.name}: {item.id}", reason)
                    else:
                        context.rejects.add(f"{source.name}: {item.id}", "the id stands in an earlier file too")
            for document in self._looked_up(list(identifiers.values()), context):
                if seen.add(document.id) is None:
                    yield document
        note_named(shown, context)

    def _numbered(self) -> Iterator[tuple[int, Document]]:
        for number in range(len(self._sources)):
            for item in self._items(number, Context()):
                if isinstance(item, Document):
                    yield number, item

    def _items(self, number: int, context: Context) -> Iterator[Item]:
        if number not in self._converters:
            return read_json(self._sources[number], context)
        told = self._told[number].rejects
        context.rejects.items += told.items
        context.rejects.notes += told.notes
        file = self._file(number)
        return read_json(replace(self._sources[number], path=file), Context()) if file.stat().st_size else iter(())

    def _convert(self, context: Context) -> None:
        """Write what is no JSONL as JSONL, once.

        Raises:
            InputError: a file that cannot be read at all, where it is the only one; else it is set aside.
        """
        for number, read in self._converters.items():
            if number in self._told:
                continue
            source, told = self._sources[number], Context()
            try:
                convert(_counted(read(told), Path(source.name).name, context), self._file(number))
            except (InputError, MissingDependencyError) as error:
                if len(self._sources) == 1:
                    raise
                told.rejects.add(source.name, str(error).removeprefix(f"{source.name}: "))
                self._file(number).write_bytes(b"")
            self._told[number] = told

    def _file(self, number: int) -> Path:
        assert self._scratch is not None, "what is converted needs a folder"
        return self._scratch / f"{number:05}.jsonl"

    def _looked_up(self, identifiers: Sequence[Item], context: Context) -> list[Document]:
        if not identifiers:
            return []
        if self._settings.open_client is None:
            raise InputError(
                f"{len(identifiers)} PMIDs or DOIs to be looked up: fetch their texts first (abroad documents fetch)"
            )
        with self._settings.open_client() as client:
            try:
                return resolve(identifiers, Lookup(client, context), context)
            except AbroadError as error:  # the other documents are there all the same
                context.rejects.add(PMID, str(error))
                return []


@contextlib.contextmanager
def open_inputs(
    paths: Sequence[Path],
    context: Context,
    settings: InputSettings,
    stdin: IO[bytes] | None = None,
    work: Path | None = None,
) -> Iterator[DocumentSource]:
    """The documents of files, folders and a pipe ("-"), as of `read_inputs`; they can be read within the block.

    Args:
        work: a folder for what a pipe holds; else that of the system for temporary files.
    Raises:
        InputError: as `read_inputs`, where it does not read JSONL alone.
    """
    for path in paths:
        check_path(path)
    with contextlib.ExitStack() as stack:
        spool = stack.enter_context(_spooled(stdin, work)) if stdin is not None and Path("-") in paths else None
        found = Context()
        sources = list(find_sources(paths, found, spool))
        converters = None if settings.fetch else _converters(sources, settings)
        if converters is not None:
            context.rejects.notes += found.rejects.notes
            scratch = stack.enter_context(_scratch(work)) if converters else None
            yield Streamed(sources, settings, converters, scratch)
        else:
            docbin = paths[0] if [path.suffix.lower() for path in paths] == [".spacy"] else None
            yield ListedDocuments(read_inputs(paths, context, settings, spool), docbin)


def _converters(
    sources: Sequence[Source], settings: InputSettings
) -> dict[int, Callable[[Context], Iterator[Item]]] | None:
    """What reads the files that are no JSONL; None where all are read as a list: another format, or small ones."""
    others = [number for number, source in enumerate(sources) if not _is_json_lines(source)]
    if not others:
        return {}
    paths = [sources[number].path for number in others]
    if sum(_size(path) for path in paths if path is not None and path.is_file()) < LARGE:
        return None
    found = {number: converter(sources[number], settings.columns) for number in others}
    converters = {number: read for number, read in found.items() if read is not None}
    return converters if len(converters) == len(others) else None


def _size(path: Path) -> int:
    """Bytes, of what is packed about those that are in it; Parquet, whose size says nothing, counts as large."""
    if path.name.lower().endswith(".parquet"):
        return max(path.stat().st_size, LARGE)
    return path.stat().st_size * (_PACKED if path.name.lower().endswith(_PACKED_ENDINGS) else 1)


def _counted(items: Iterable[Item], name: str, context: Context) -> Iterator[Item]:
    with context.progress(f"reading {name}", total=None) as progress:
        for item in items:
            progress.advance()
            yield item


@contextlib.contextmanager
def _scratch(work: Path | None) -> Iterator[Path]:
    """A folder for the time of the run; those of runs that were killed are removed."""
    if work is not None:
        work.mkdir(parents=True, exist_ok=True)
        for old in work.glob(f"{_CONVERTED}*"):
            shutil.rmtree(old, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=_CONVERTED, dir=work) as folder:
        yield Path(folder)


@contextlib.contextmanager
def _spooled(stdin: IO[bytes], work: Path | None) -> Iterator[Path]:
    """A file of what a pipe holds; those of runs that were killed are removed."""
    if work is not None:
        work.mkdir(parents=True, exist_ok=True)
        for old in work.glob(f"{_PIPE}*"):
            shutil.rmtree(old, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=_PIPE, dir=work) as folder:
        path = Path(folder) / "stdin"
        with path.open("wb") as stream:
            shutil.copyfileobj(stdin, stream, _BLOCK)
        yield path


def _is_json_lines(source: Source) -> bool:
    if source.path is None or not source.path.is_file() or source.name.lower().endswith(_NOT_JSON):
        return False
    with contextlib.suppress(EOFError, OSError), source.open() as stream:  # what is wrong with it is told elsewhere
        if is_bioc_json(stream.read(_HEAD)):
            return False
        stream.seek(0)
        return is_json_lines(stream)
    return False


def _path(source: Source) -> Path:
    assert source.path is not None, "a pipe was written to a file"
    return source.path


def _about(source: Source) -> int:
    return _size(_path(source)) // _BYTES_A_DOCUMENT + 1


def _lines(source: Source) -> int:
    path = _path(source)
    with path.open("rb") as stream:
        if stream.read(len(GZIP)) == GZIP:
            return path.stat().st_size // _BYTES_A_RECORD + 1
        stream.seek(0)
        return sum(block.count(b"\n") for block in iter(lambda: stream.read(_BLOCK), b"")) + 1
