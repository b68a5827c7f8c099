"""Large files that are no JSONL -> JSONL on disk, record by record, so that memory does not grow with them.

Tables, workbooks, RIS, PubMed's format (.nbib) and XML, full texts, packages of them and Parquet are converted; the
documents are those that `abroad.documents.file_documents` makes of the same file, in the same order.
"""

from __future__ import annotations

import contextlib
import io
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import IO, Any

from abroad.core.context import Context
from abroad.core.errors import InputError
from abroad.core.full_disk import sqlite_errors_told
from abroad.core.io import dump_line
from abroad.core.plain import open_plain, unpacked_start
from abroad.core.record_fields import ABSTRACT, TITLE
from abroad.core.schema import Document
from abroad.documents.file_documents import (
    Item,
    Source,
    article_documents,
    parquet_items,
    record_documents,
    table_items,
    workbook_items,
)
from abroad.documents.xml_documents import is_full_text, package_documents, xml_documents
from abroad.sources.formats import recognise as formats
from abroad.sources.formats.medline import read_medline_lines
from abroad.sources.formats.ris import read_ris_lines
from abroad.sources.formats.spreadsheets import ColumnNames, Rows, find_columns, read_delimited_lines, read_workbook
from abroad.sources.pubmed import Article, Deleted, Unwanted, read_opened

_HEAD = 1 << 16
_BIBLIOGRAPHIES = {formats.RIS: read_ris_lines, formats.MEDLINE: read_medline_lines}
"""Formats whose records are read from lines."""


def converter(source: Source, columns: ColumnNames) -> Callable[[Context], Iterator[Item]] | None:
    """What reads the documents of a file one by one; None for a file that is read whole, or holds PMIDs alone."""
    path = source.path
    if path is None or not path.is_file():
        return None
    with path.open("rb") as stream:
        head = stream.read(_HEAD)
    kind = _kind(head, source.name)
    if kind == formats.XML and is_full_text(unpacked_start(head)):
        return lambda context: _opened(
            path, lambda s: xml_documents(s, source.name, source.stem, context, source.beside)
        )
    if kind == formats.XML:
        return lambda context: _opened(path, lambda s: _articles(s, source.name, context))
    if kind == formats.PACKAGE:
        return lambda context: _opened(
            path, lambda s: package_documents(s, source.name, source.stem, context, source.beside)
        )
    if kind == formats.PARQUET:
        return lambda context: parquet_items(source, columns, context)
    if kind in _BIBLIOGRAPHIES:
        read = _BIBLIOGRAPHIES[kind]
        return lambda context: _plain(path, lambda s: record_documents(source, read(_text(s, source)), context))
    if kind == formats.WORKBOOK and _has_texts_of(_workbook(path, source), source, columns):
        return lambda context: workbook_items(source, path.read_bytes(), columns, context)
    if kind == formats.TABLE and _has_texts(source, columns):
        return lambda context: _plain(path, lambda s: table_items(source, _rows(s, source, context), columns, context))
    return None


def convert(items: Iterable[Item], out: Path) -> None:
    """Write the documents of a file as JSONL."""
    with out.open("w", encoding="utf-8") as stream:
        stream.writelines(dump_line(item.to_dict()) for item in items if isinstance(item, Document))


def _plain(path: Path, read: Callable[[IO[bytes]], Iterator[Item]]) -> Iterator[Item]:
    with open_plain(path) as stream:
        yield from read(stream)


def _opened(path: Path, read: Callable[[IO[bytes]], Iterator[Item]]) -> Iterator[Item]:
    with path.open("rb") as stream:
        yield from read(stream)


def _kind(head: bytes, name: str) -> str | None:
    """The format by the first lines; None where they do not tell."""
    text = head if len(head) < _HEAD else head[: head.rfind(b"\n") + 1] or head
    try:
        return formats.recognise(text, name)
    except InputError:
        return None


def _rows(stream: IO[bytes], source: Source, context: Context) -> Rows:
    """The rows of a table, as `read_delimited` gives them of its text."""
    return read_delimited_lines(_lines(_decoded(stream, None), source.name), source.name, context.rejects.add)


def _text(stream: IO[bytes], source: Source) -> Iterator[str]:
    """The lines of a text without their ends, which are "\\n" and "\\r\\n" alone."""
    return (line.removesuffix("\n").removesuffix("\r") for line in _lines(_decoded(stream, "\n"), source.name))


def _decoded(stream: IO[bytes], newline: str | None) -> IO[str]:
    start = stream.read(2)
    stream.seek(0)
    wide = start in (b"\xff\xfe", b"\xfe\xff")
    return io.TextIOWrapper(stream, encoding="utf-16" if wide else "utf-8-sig", newline=newline)


def _lines(text: IO[str], name: str) -> Iterator[str]:
    """The lines of a text.

    Raises:
        InputError: another encoding, or no text.
    """
    number = 0
    try:
        for number, line in enumerate(text, 1):
            if "\0" in line:
                raise InputError(f"{name}:{number}: looks like no text (binary data); expected {formats.WHAT}")
            yield line if line.endswith("\n") else line + "\n"
    except UnicodeDecodeError:
        raise InputError(
            f"{name}: not UTF-8 after line {number}; an older encoding (Windows-1252, Latin-1)? "
            "Save it as UTF-8 (Excel: 'CSV UTF-8'), or iconv -f WINDOWS-1252 -t UTF-8"
        ) from None


def _has_texts(source: Source, columns: ColumnNames) -> bool:
    assert source.path is not None
    with open_plain(source.path) as stream, contextlib.suppress(InputError):
        return _has_texts_of(_rows(stream, source, Context()), source, columns)
    return False


def _has_texts_of(rows: Rows | None, source: Source, columns: ColumnNames) -> bool:
    """Whether a table has a column of titles or abstracts; one without them holds PMIDs to be looked up."""
    with contextlib.suppress(InputError):
        found = find_columns(rows.header if rows is not None else [], columns, source.name)
        return TITLE in found or ABSTRACT in found
    return False


def _workbook(path: Path, source: Source) -> Rows | None:
    with contextlib.suppress(InputError):
        return read_workbook(path.read_bytes(), source.name)[0]
    return None


def _articles(stream: IO[bytes], name: str, context: Context) -> Iterator[Document]:
    """The articles that a file leaves standing: of a PMID the highest version, of that the last record."""
    with (
        sqlite_errors_told(None),
        contextlib.closing(sqlite3.connect("", isolation_level=None)) as base,  # a temporary file of SQLite's own
    ):
        for statement in ("PRAGMA journal_mode=OFF", "PRAGMA synchronous=OFF", "PRAGMA cache_size=-2000", *_TABLES):
            base.execute(statement)
        base.execute("BEGIN")
        for record in read_opened(stream, name, context):
            if not isinstance(record, Unwanted):
                _keep(base, record)
        for title, abstract, *rest in base.execute(_STANDING):
            yield from article_documents([_article(title, abstract, rest)], context)


_TABLES = (
    "CREATE TABLE place (number INTEGER PRIMARY KEY, pmid TEXT UNIQUE)",
    "CREATE TABLE article (pmid TEXT, version INTEGER, title TEXT, abstract TEXT, doi TEXT, year INTEGER, "
    "retracted INTEGER, PRIMARY KEY (pmid, version)) WITHOUT ROWID",
)
_STANDING = (
    "SELECT a.title, a.abstract, a.pmid, a.doi, a.year, a.retracted, a.version FROM place p JOIN article a "
    "ON a.pmid = p.pmid WHERE a.version = (SELECT max(version) FROM article WHERE pmid = p.pmid) ORDER BY p.number"
)


def _keep(base: sqlite3.Connection, record: Article | Deleted) -> None:
    base.execute("INSERT OR IGNORE INTO place (pmid) VALUES (?)", (record.pmid,))
    if isinstance(record, Article):
        fields = (record.title, record.abstract, record.doi, record.year, record.retracted)
        values = (record.pmid, record.version, *fields)
        base.execute("INSERT OR REPLACE INTO article VALUES (?, ?, ?, ?, ?, ?, ?)", values)
    elif record.version is None:
        base.execute("DELETE FROM article WHERE pmid = ?", (record.pmid,))
    else:
        base.execute("DELETE FROM article WHERE pmid = ? AND version = ?", (record.pmid, record.version))


def _article(title: str, abstract: str | None, rest: list[Any]) -> Article:
    pmid, doi, year, retracted, version = rest
    return Article(pmid, title, abstract, doi, year, bool(retracted), version)
