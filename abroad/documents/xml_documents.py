"""Full texts in files -> documents: JATS, BioC, and packages of them; figures are named as the files that are there."""

from __future__ import annotations

import contextlib
import io
import posixpath
import tarfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import IO, Any

from abroad.core.context import Context
from abroad.core.errors import InputError
from abroad.core.schema import Document
from abroad.documents.full_texts import full_text_document
from abroad.sources.formats import bioc, jats
from abroad.sources.formats.full_text import FullText
from abroad.sources.formats.packages import names, opened, papers
from abroad.sources.xml_records import BrokenXml, root_name

_HEAD = 8_192
_PICTURES = ("", ".jpg", ".jpeg", ".png", ".gif", ".tif", ".tiff", ".webp")
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
        path: of the file, whose figures lie beside it.
    """
    beside = partial(_beside, path) if path is not None else str
    with _faults_told(name, "file", context):
        yield from _documents(_papers(opened(stream, name)), name, stem, context, beside)


def package_documents(stream: IO[bytes], name: str, stem: str, context: Context) -> Iterator[Document]:
    """The documents of a package; arguments as of `xml_documents`. Figures go by their names in the package."""
    there: frozenset[str] = frozenset()
    if stream.seek(0, io.SEEK_END) <= _MAX_LISTED:
        stream.seek(0)
        there = names(opened(stream, name))
    stream.seek(0)
    with _faults_told(name, "archive", context):
        for member, data in papers(opened(stream, name)):
            where = f"{name}: {member}"
            if isinstance(data, str):
                context.rejects.add(where, data)
                continue
            own = f"{stem}/{posixpath.basename(member).partition('.')[0]}"
            try:
                yield from _documents(_papers(io.BytesIO(data)), where, own, context, partial(_within, there, member))
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


def bioc_documents(stream: IO[bytes], name: str, stem: str, context: Context) -> Iterator[Document]:
    """The documents of BioC JSON; arguments as of `xml_documents`."""

    def found() -> Iterator[FullText]:
        for paper in bioc.read_bioc_json(stream, name):
            if isinstance(paper, FullText):
                yield paper
            else:
                context.rejects.add(*paper)

    yield from _documents(found(), name, stem, context, str)


def _papers(stream: Any) -> Iterator[FullText]:
    buffered = io.BufferedReader(stream, _HEAD)
    read = bioc.read_bioc_xml if root_name(buffered.peek(_HEAD)) == bioc.ROOT else jats.read_jats
    yield from read(buffered)


def _documents(
    found: Iterable[FullText], name: str, stem: str, context: Context, image: Callable[[str], str]
) -> Iterator[Document]:
    for number, paper in enumerate(found, 1):
        paper = replace(paper, images=tuple(map(image, paper.images)))
        try:
            yield full_text_document(paper, stem if number == 1 else f"{stem}-{number}")
        except InputError as error:
            context.rejects.add(f"{name}: paper {number}", str(error))


def _beside(path: Path, file: str) -> str:
    """The figure's file beside the paper's, whose name may lack its ending; the name itself where it is not there."""
    if "/" in file or "\\" in file:
        return file
    for ending in _PICTURES:
        found = path.with_name(f"{file}{ending}")
        if found.is_file():
            return str(found.absolute())
    return file


def _within(there: frozenset[str], member: str, file: str) -> str:
    place = posixpath.join(posixpath.dirname(member), file)
    return next((f"{place}{ending}" for ending in _PICTURES if f"{place}{ending}" in there), file)
