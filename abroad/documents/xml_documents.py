"""Full texts in files -> documents: JATS, BioC, and packages of them; figures are named as the files that are there.

Which files those may be, `abroad.documents.paper_figures` says.
"""

from __future__ import annotations

import contextlib
import io
import posixpath
import tarfile
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any

from abroad.core.context import Context
from abroad.core.errors import InputError
from abroad.core.schema import Document
from abroad.documents.full_texts import full_text_document
from abroad.documents.paper_figures import Beside, Find, figures_of_members, nowhere, with_own_figures
from abroad.sources.formats import bioc, jats
from abroad.sources.formats.full_text import FullText
from abroad.sources.formats.packages import Members, members, opened, papers
from abroad.sources.xml_records import BrokenXml, root_name

_HEAD = 8_192
_MAX_LISTED = 256 << 20
"""Bytes of a package that is read once more to see which figures it has; larger ones hold texts alone."""
_DAMAGED = (EOFError, OSError, zlib.error, tarfile.TarError)


def is_full_text(start: bytes) -> bool:
    """Whether XML, by its first bytes, is JATS or BioC, and not PubMed's."""
    return root_name(start) in (*jats.ROOTS, bioc.ROOT)


def xml_documents(
    stream: IO[bytes], name: str, stem: str, context: Context, path: Path | None = None
) -> Iterator[Document]:
    """The documents of JATS or BioC XML, gzipped or not.

    Args:
        stream: binary and seekable.
        name: of the file, for messages.
        stem: what papers without an id are named after.
        context: its rejects are told of papers without text, and of a fault that ends the file.
        path: of the file, whose figures lie beside it; None of a pipe.
    """
    with _faults_told(name, "file", context):
        yield from _documents(_papers(opened(stream, name)), name, stem, context, _beside(path))


def package_documents(
    stream: IO[bytes], name: str, stem: str, context: Context, path: Path | None = None
) -> Iterator[Document]:
    """The documents of a package; arguments as of `xml_documents`. Figures go by their names in the package."""
    there: Members | None = None
    if stream.seek(0, io.SEEK_END) <= _MAX_LISTED:
        stream.seek(0)
        there = members(opened(stream, name))
    stream.seek(0)
    figures = figures_of_members(there, None if path is None else path.parent)
    with _faults_told(name, "archive", context):
        for member, data in papers(opened(stream, name)):
            where = f"{name}: {member}"
            if isinstance(data, str):
                context.rejects.add(where, data)
                continue
            own = f"{stem}/{posixpath.basename(member).partition('.')[0]}"
            try:
                yield from _documents(_papers(io.BytesIO(data)), where, own, context, figures(member))
            except BrokenXml as error:
                context.rejects.add(where, str(error))


@contextlib.contextmanager
def _faults_told(name: str, what: str, context: Context) -> Iterator[None]:
    """A fault that ends a file is told, and what came before it is kept."""
    try:
        yield
    except BrokenXml as error:
        context.rejects.add(name, str(error))
    except InputError as error:
        context.rejects.add(name, str(error).removeprefix(f"{name}: "))
    except _DAMAGED as error:
        context.rejects.add(name, f"damaged or cut-off {what} ({error})")


def bioc_documents(
    stream: IO[bytes], name: str, stem: str, context: Context, path: Path | None = None
) -> Iterator[Document]:
    """The documents of BioC JSON; arguments as of `xml_documents`."""

    def found() -> Iterator[FullText]:
        for paper in bioc.read_bioc_json(stream, name):
            if isinstance(paper, FullText):
                yield paper
            else:
                context.rejects.add(*paper)

    yield from _documents(found(), name, stem, context, _beside(path))


def _papers(stream: Any) -> Iterator[FullText]:
    buffered = io.BufferedReader(stream, _HEAD)
    read = bioc.read_bioc_xml if root_name(buffered.peek(_HEAD)) == bioc.ROOT else jats.read_jats
    yield from read(buffered)


def _documents(found: Iterable[FullText], name: str, stem: str, context: Context, figure: Find) -> Iterator[Document]:
    for number, paper in enumerate(found, 1):
        try:
            yield full_text_document(with_own_figures(paper, figure), stem if number == 1 else f"{stem}-{number}")
        except InputError as error:
            context.rejects.add(f"{name}: paper {number}", str(error))


def _beside(path: Path | None) -> Find:
    return nowhere if path is None else Beside(path.parent)
