"""Whatever holds texts -> documents: files, folders, a pipe, a text, PMIDs."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from pydantic import Field

from abroad.core.context import Context
from abroad.core.errors import InputError, MissingDependencyError
from abroad.core.helpers import SUFFIX
from abroad.core.io import read_documents as read_json_documents
from abroad.core.io import require_file
from abroad.core.schema import Document
from abroad.core.settings import Settings
from abroad.documents.distinct import distinct_items
from abroad.documents.file_documents import (
    Item,
    Source,
    article_documents,
    read_source,
    text_document,
    with_images,
)
from abroad.documents.images import located
from abroad.documents.lookup import Lookup, resolve, with_abstracts
from abroad.documents.own_results import written_by
from abroad.documents.record_kinds import DOCUMENTS, expect
from abroad.sources.formats.recognise import SUFFIXES, WHAT, is_json
from abroad.sources.formats.spreadsheets import ColumnNames

if TYPE_CHECKING:
    from abroad.core.field import Field as FieldOfWork
    from abroad.sources.eutils import EutilsClient

    OpenClient = Callable[[], AbstractContextManager[EutilsClient]]
else:  # what pydantic checks when settings are made, without the client's libraries
    OpenClient = Callable[[], Any]

__all__ = [
    "InputSettings",
    "check_path",
    "fetch_pmids",
    "is_file",
    "names_file",
    "read_documents",
    "read_inputs",
    "read_path",
    "text_document",
]

PIPE = "-"
_OURS = (".run.json", ".rejects.jsonl", ".resume.json", ".articles.jsonl", ".cache.jsonl")
_UNPACKED = (".nxml", ".nxml.gz")
_MAX_NAMED = 8


class InputSettings(Settings):
    """How inputs are read."""

    columns: ColumnNames = Field(ColumnNames(), description="Of tables, where their header does not say it.")
    fetch: bool = Field(False, description="Ask NCBI for the abstracts of documents that have a PMID and none.")
    open_client: OpenClient | None = Field(
        None, description="Opens NCBI's client, when there is something to ask; None for no network."
    )
    images_from: Path | None = Field(
        None, description="Folder that relative paths of images count from; else that of each file."
    )


def read_path(path: Path, context: Context) -> list[Document]:
    """The documents of a file, or of every file that we read in a folder; as `read_inputs`, without a network."""
    return read_inputs([path], context)


def read_inputs(
    paths: Sequence[Path],
    context: Context,
    settings: InputSettings | None = None,
    stdin: IO[bytes] | Path | None = None,
) -> list[Document]:
    """The documents of files, folders (of folders in them, those that unpacked papers lie in) and a pipe ("-").

    Of several files, one that cannot be read is set aside. Of one paper in several files the first is kept; other
    records of one id go by the names of their files too. Their images are named from the current directory.
    `context.rejects.notes` tells what was assumed and skipped.

    Raises:
        InputError: a path is missing, or nothing usable in all of them, with what was expected.
        AbroadError: NCBI does not answer, and there is nothing else to read.
    """
    settings = settings or InputSettings()
    for path in paths:
        check_path(path)
    sources = list(find_sources(paths, context, stdin))
    found: list[tuple[Source, list[Item]]] = []
    for source in sources:
        try:
            items = read_source(source, settings.columns, context)
            folder = settings.images_from
            found.append((source, [with_images(i, source, folder) if isinstance(i, Document) else i for i in items]))
        except (InputError, MissingDependencyError) as error:
            if len(sources) == 1 and not any(path.is_dir() for path in paths):
                raise
            context.rejects.add(source.name, str(error).removeprefix(f"{source.name}: "))
    distinct = distinct_items(found, context)
    if not distinct:
        where = str(paths[0]) if len(paths) == 1 else f"{len(paths)} paths"
        raise InputError(f"{where}: none of {len(sources)} files gave a document{context.rejects.first()}")
    documents = _looked_up(distinct, settings, context)
    _note_titles_alone(documents, settings, context)
    return documents


def read_documents_of(field: FieldOfWork, path: str | Path, context: Context) -> list[Document]:
    """`read_documents`, which must be of a field.

    Raises:
        InputError: likewise, or documents of another field.
    """
    documents = read_documents(path, context)
    field.check_documents(documents, path)
    return documents


def read_documents(path: str | Path, context: Context | None = None) -> list[Document]:
    """The documents of one file in any format, or of a folder, for commands that take documents.

    Images are named from the current directory; who writes documents names them from there (`images.for_file`).

    Args:
        path: of a file or a folder.
        context: its rejects are records that are none; notes what was assumed. Without it the first such record raises.

    Raises:
        InputError: the path cannot be read at all, or holds no usable document.
    """
    if path == "":  # which Path takes for the current directory
        raise InputError("expected the name of a file or folder, found no text")
    path = Path(path)
    if not path.is_dir() and is_json(require_file(path, f"documents ({WHAT})")):
        expect(DOCUMENTS, path, f"documents ({WHAT})")
        return [located(document, path.parent) for document in read_json_documents(path, context)]
    found = Context() if context is None else context
    documents = read_inputs([path], found)
    if context is None and found.rejects:
        raise InputError(f"{found.rejects.items[0]['where']}: {found.rejects.items[0]['reason']}")
    return documents


def check_path(path: Path) -> None:
    """Raise for a path that leads nowhere.

    Raises:
        InputError: says what may have been meant.
    """
    if str(path) == PIPE or is_there(path):
        return
    if len(str(path)) > 100 or len(str(path).split()) > 3:
        raise InputError(f"expected the name of a file or folder, found a text ({str(path)[:40]!r}...): use --text")
    raise InputError(f"{path}: no such file or folder{_meant(path)}")


def check_folder(path: Path | None, what: str) -> Path | None:
    """The path of a folder, if any.

    Raises:
        InputError: it is none; `what` names the option.
    """
    if path is not None and not path.is_dir():
        raise InputError(f"{what} {path}: no such folder")
    return path


def is_file(name: str | Path) -> bool:
    """Whether this is the name of a file that is there; no text is too long to ask."""
    return is_there(name) and Path(name).is_file()


def names_file(text: str) -> bool:
    """Whether a text is nothing but a name of a file that is there, or of the kind that we read."""
    if len(text) > 1_000 or len(text.split()) != 1:
        return False
    return text.lower().endswith(SUFFIXES) or (("." in text or "/" in text) and is_file(text))


def is_there(name: str | Path) -> bool:
    """Whether a file or folder of this name is there."""
    try:
        return Path(name).exists()
    except (OSError, ValueError):  # a name that is too long, or with a null character
        return False


def _meant(path: Path) -> str:
    """A file of nearly this name in the same folder, as a question; a place to look where there is no such folder."""
    if not path.parent.is_dir():
        return f" (nor is there a folder {path.parent})"
    near = difflib.get_close_matches(path.name, [item.name for item in path.parent.iterdir()], 1, 0.85)
    return f"; did you mean {path.with_name(near[0])}?" if near else ""


def fetch_pmids(pmids: Sequence[str], client: EutilsClient, context: Context) -> list[Document]:
    """Titles and abstracts from NCBI.

    Raises:
        InputError: a PMID is not a number, or none of them has a title or an abstract.
        AbroadError: NCBI does not answer.
    """
    for pmid in pmids:
        if not (pmid.isascii() and pmid.isdigit()):
            raise InputError(f"expected a PMID (digits), found {pmid[:40]!r}")
    lookup = Lookup(client, context)
    lookup.fetch(pmids)
    articles = {pmid: lookup.articles[pmid] for pmid in dict.fromkeys(pmids) if pmid in lookup.articles}
    for pmid in dict.fromkeys(pmids):
        if pmid not in articles:
            context.rejects.add(f"PMID {pmid}", lookup.missing("").removeprefix(": "))
    documents = list(article_documents(articles.values(), context))
    if not documents and lookup.failure is not None:
        raise lookup.failure
    if not documents:
        raise InputError(f"no document to read{context.rejects.first()}")
    return documents


def find_sources(paths: Sequence[Path], context: Context, stdin: IO[bytes] | Path | None = None) -> Iterator[Source]:
    """The files of paths and folders, and the pipe, in order.

    Args:
        paths: as of `read_inputs`.
        context: is told what of a folder is skipped.
        stdin: the pipe, or a file of what it held.
    Raises:
        InputError: an empty pipe, or nothing that we read in a folder.
    """
    files: list[Path] = []
    for path in paths:
        if path.is_dir():
            files += _files_of(path, context)
        else:
            files.append(path)
    files = list(dict.fromkeys(files))
    for path, stem in zip(files, _stems(files), strict=True):
        if str(path) != PIPE:
            yield Source(str(path), stem, path)
            continue
        pipe = Source("standard input", "stdin", stdin if isinstance(stdin, Path) else None, _all_of(stdin), True)
        if pipe.is_empty():
            raise InputError("standard input is empty; expected documents or a text")
        yield pipe


def _all_of(stdin: IO[bytes] | Path | None) -> bytes:
    return b"" if stdin is None or isinstance(stdin, Path) else stdin.read()


def _files_of(folder: Path, context: Context) -> list[Path]:
    """The files of a folder that have a suffix of ours, and its unpacked papers, by name; the others are told."""
    read, skipped = [], []
    for item in sorted(folder.iterdir()):
        name = item.name.lower()
        if item.is_dir() and name.endswith(SUFFIX):  # helpers of an output that lies here
            continue
        if item.is_dir():
            papers = _unpacked_papers(item)
            read += papers
            skipped += [] if papers else [f"{item.name}/ (a folder)"]
        elif not item.is_file():  # whoever opens a pipe waits for the other end
            skipped.append(f"{item.name} (a pipe or a device)")
        elif name.startswith(".") or name.endswith(_OURS) or not name.endswith(SUFFIXES):
            skipped.append(item.name)
        elif (command := written_by(item)) is not None:
            skipped.append(f"{item.name} (a result of `{command}`)")
        else:
            read.append(item)
    if skipped:
        more = f" and {len(skipped) - _MAX_NAMED} more" if len(skipped) > _MAX_NAMED else ""
        context.rejects.notes.append(f"{folder}: skipped {len(skipped)}: {', '.join(skipped[:_MAX_NAMED])}{more}")
    if not read:
        raise InputError(f"{folder}: no documents ({', '.join(SUFFIXES)}) in this folder")
    return read


def _unpacked_papers(folder: Path) -> list[Path]:
    """The papers of a package that was unpacked: its folder holds them in JATS, and their figures beside them."""
    try:
        found = sorted(folder.iterdir())
    except PermissionError:
        return []
    return [item for item in found if item.name.lower().endswith(_UNPACKED) and item.is_file()]


def _stems(files: Sequence[Path]) -> Iterator[str]:
    """A name for each file's records: its stem, or more of its path where another file has the same."""
    stems, names = Counter(file.stem for file in files), Counter(file.name for file in files)
    for file in files:
        yield file.stem if stems[file.stem] == 1 else file.name if names[file.name] == 1 else str(file)


def _looked_up(items: Sequence[Item], settings: InputSettings, context: Context) -> list[Document]:
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
        lookup = Lookup(client, context)
        if identifiers:
            documents = resolve(items, lookup, context)
        if not documents:
            raise InputError(f"none of {identifiers} PMIDs and DOIs gave a document{context.rejects.first()}")
        return with_abstracts(documents, lookup, context) if settings.fetch else documents


def _note_titles_alone(documents: Sequence[Document], settings: InputSettings, context: Context) -> None:
    alone = [document for document in documents if not document.abstract.strip()]
    note_titles_alone(len(alone), len(documents), any(document.pmid for document in alone), settings, context)


def note_titles_alone(alone: int, count: int, with_pmid: bool, settings: InputSettings, context: Context) -> None:
    """Say how many documents have no abstract, and what can be done where some of these have a PMID."""
    if alone:
        note = f"{alone} of {count} documents have no abstract: their titles alone are read"
        if with_pmid and settings.open_client is not None and not settings.fetch:
            note += " (--fetch asks NCBI for the abstracts of those with a PMID)"
        context.rejects.notes.append(note)
