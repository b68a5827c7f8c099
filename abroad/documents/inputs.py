"""Whatever holds texts -> documents: files, folders, a pipe, a text, PMIDs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING

from abroad.core.errors import InputError, MissingDependencyError
from abroad.core.helpers import SUFFIX
from abroad.core.io import Rejects
from abroad.core.schema import Document
from abroad.documents.file_documents import Item, Source, article_documents, read_source, text_document
from abroad.documents.lookup import fetch_articles, resolve, with_abstracts
from abroad.sources.formats.recognise import SUFFIXES
from abroad.sources.formats.spreadsheets import ColumnNames

if TYPE_CHECKING:
    from abroad.sources.eutils import EutilsClient

__all__ = ["InputSettings", "fetch_pmids", "read_inputs", "read_path", "text_document"]

PIPE = "-"
_OURS = (".run.json", ".rejects.jsonl", ".resume.json", ".articles.jsonl", ".cache.jsonl")
_MAX_NAMED = 8


@dataclass(frozen=True)
class InputSettings:
    """How inputs are read.

    Attributes:
        columns: of tables, where their header does not say it.
        fetch: ask NCBI for the abstracts of documents that have a PMID and none.
        open_client: opens NCBI's client, when there is something to ask; None for no network.
    """

    columns: ColumnNames = field(default_factory=ColumnNames)
    fetch: bool = False
    open_client: Callable[[], AbstractContextManager[EutilsClient]] | None = None


def read_path(path: Path, rejects: Rejects) -> list[Document]:
    """The documents of a file, or of every file that we read in a folder; as `read_inputs`, without a network."""
    return read_inputs([path], rejects)


def read_inputs(
    paths: Sequence[Path], rejects: Rejects, settings: InputSettings | None = None, stdin: IO[bytes] | None = None
) -> list[Document]:
    """The documents of files, folders (not of folders in them) and a pipe ("-"); a repeated id keeps its first.

    Of several files, one that cannot be read is set aside. `rejects.notes` tells what was assumed and skipped.

    Raises:
        InputError: a path is missing, or nothing usable in all of them, with what was expected.
        AbroadError: NCBI does not answer.
    """
    settings = settings or InputSettings()
    for path in paths:
        if str(path) != PIPE and not path.exists():
            raise InputError(f"{path}: no such file or folder")
    sources = list(_sources(paths, rejects, stdin))
    items: list[Item] = []
    seen: set[str] = set()
    for source in sources:
        try:
            found = read_source(source, settings.columns, rejects)
        except (InputError, MissingDependencyError) as error:
            if len(sources) == 1 and not any(path.is_dir() for path in paths):
                raise
            rejects.add(source.name, str(error).removeprefix(f"{source.name}: "))
            continue
        for item in found:
            if isinstance(item, Document):
                if item.id in seen:
                    rejects.add(f"{source.name}: {item.id}", "the id stands in an earlier file too")
                    continue
                seen.add(item.id)
            items.append(item)
    if not items:
        where = str(paths[0]) if len(paths) == 1 else f"{len(paths)} paths"
        raise InputError(f"{where}: none of {len(sources)} files gave a document{_first(rejects)}")
    documents = _looked_up(items, settings, rejects)
    _note_titles_alone(documents, settings, rejects)
    return documents


def fetch_pmids(pmids: Sequence[str], client: EutilsClient, rejects: Rejects) -> list[Document]:
    """Titles and abstracts from NCBI.

    Raises:
        InputError: a PMID is not a number, or none of them has a title or an abstract.
        AbroadError: NCBI does not answer.
    """
    for pmid in pmids:
        if not (pmid.isascii() and pmid.isdigit()):
            raise InputError(f"expected a PMID (digits), found {pmid[:40]!r}")
    articles = fetch_articles(pmids, client, rejects)
    for pmid in dict.fromkeys(pmids):
        if pmid not in articles:
            rejects.add(f"PMID {pmid}", "not found")
    documents = list(article_documents(articles.values(), rejects))
    if not documents:
        raise InputError(f"no document to read{_first(rejects)}")
    return documents


def _sources(paths: Sequence[Path], rejects: Rejects, stdin: IO[bytes] | None) -> Iterator[Source]:
    files: list[Path] = []
    for path in paths:
        if path.is_dir():
            files += _files_of(path, rejects)
        else:
            files.append(path)
    files = list(dict.fromkeys(files))
    for path, stem in zip(files, _stems(files), strict=True):
        if str(path) != PIPE:
            yield Source(str(path), stem, path)
            continue
        data = stdin.read() if stdin is not None else b""
        if not data.removeprefix(b"\xef\xbb\xbf").strip():
            raise InputError("standard input is empty; expected documents or a text")
        yield Source("standard input", "stdin", data=data)


def _files_of(folder: Path, rejects: Rejects) -> list[Path]:
    """The files of a folder that have a suffix of ours, by name; the others are told."""
    read, skipped = [], []
    for item in sorted(folder.iterdir()):
        name = item.name.lower()
        if item.is_dir() and name.endswith(SUFFIX):  # helpers of an output that lies here
            continue
        if item.is_dir():
            skipped.append(f"{item.name}/ (a folder)")
        elif name.startswith(".") or name.endswith(_OURS) or not name.endswith(SUFFIXES):
            skipped.append(item.name)
        else:
            read.append(item)
    if skipped:
        more = f" and {len(skipped) - _MAX_NAMED} more" if len(skipped) > _MAX_NAMED else ""
        rejects.notes.append(f"{folder}: skipped {len(skipped)}: {', '.join(skipped[:_MAX_NAMED])}{more}")
    if not read:
        raise InputError(f"{folder}: no documents ({', '.join(SUFFIXES)}) in this folder")
    return read


def _stems(files: Sequence[Path]) -> Iterator[str]:
    """A name for each file's records: its stem, or more of its path where another file has the same."""
    stems, names = Counter(file.stem for file in files), Counter(file.name for file in files)
    for file in files:
        yield file.stem if stems[file.stem] == 1 else file.name if names[file.name] == 1 else str(file)


def _looked_up(items: Sequence[Item], settings: InputSettings, rejects: Rejects) -> list[Document]:
    """The items as documents; NCBI is asked only if there is something to ask."""
    documents = [item for item in items if isinstance(item, Document)]
    identifiers = len(items) - len(documents)
    if not identifiers and not settings.fetch:
        return documents
    if settings.open_client is None:
        raise InputError(
            f"{identifiers} PMIDs or DOIs to be looked up: fetch their texts first (abroad documents fetch)"
        )
    with settings.open_client() as client:
        if identifiers:
            documents = resolve(items, client, rejects)
        if not documents:
            raise InputError(f"none of {identifiers} PMIDs and DOIs gave a document{_first(rejects)}")
        return with_abstracts(documents, client, rejects) if settings.fetch else documents


def _note_titles_alone(documents: Sequence[Document], settings: InputSettings, rejects: Rejects) -> None:
    alone = [document for document in documents if not document.abstract.strip()]
    if alone:
        note = f"{len(alone)} of {len(documents)} documents have no abstract: their titles alone are read"
        if any(document.pmid for document in alone) and settings.open_client is not None and not settings.fetch:
            note += " (--fetch asks NCBI for the abstracts of those with a PMID)"
        rejects.notes.append(note)


def _first(rejects: Rejects) -> str:
    return f" (first: {rejects.items[0]['where']}: {rejects.items[0]['reason']})" if rejects else ""
