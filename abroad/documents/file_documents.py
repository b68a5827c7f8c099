"""One file or pipe, in any format we read -> its documents, and the PMIDs and DOIs that are to be looked up.

A record that is none is set aside with its line; a file that gives nothing at all is refused.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from abroad.core.context import Context
from abroad.core.errors import InputError
from abroad.core.io import require_file
from abroad.core.jsonl import BadJson, parse_json
from abroad.core.plain import open_plain, plain_stream, unpacked, unpacked_start
from abroad.core.record_fields import ABSTRACT, DOI, ID, PMID, TITLE, DocumentMaker, find_field
from abroad.core.records import read_stream
from abroad.core.schema import Document
from abroad.documents.fetch import attach
from abroad.documents.images import located
from abroad.documents.parquet import parquet_records
from abroad.documents.xml_documents import bioc_documents, is_full_text, package_documents, xml_documents
from abroad.sources.formats import recognise as formats
from abroad.sources.formats.identifiers import Identifier, read_identifier, read_identifiers
from abroad.sources.formats.medline import read_medline
from abroad.sources.formats.packages import is_package
from abroad.sources.formats.pdf import read_pdf
from abroad.sources.formats.pubmed_abstracts import read_pubmed_abstracts
from abroad.sources.formats.ris import read_ris
from abroad.sources.formats.spreadsheets import (
    ColumnNames,
    Rows,
    describe,
    find_columns,
    read_delimited,
    read_workbook,
    to_records,
)
from abroad.sources.formats.wrapped import BLANK_LINE
from abroad.sources.pubmed import Article, Unwanted, newest, read_opened
from abroad.sources.references import Reference

Item = Document | Identifier
_STREAMED = (
    *(".xml", ".xml.gz", ".nxml", ".nxml.gz", ".spacy", ".json", ".jsonl", ".ndjson", ".parquet"),
    *(".json.gz", ".jsonl.gz", ".ndjson.gz"),
)
_HEAD = 4_096
_FROM_START = (formats.JSON, formats.XML, formats.BIOC, formats.PACKAGE, formats.SPACY, formats.PARQUET)
"""Formats whose readers open the source themselves."""
_A_RESULT = "predictions, as `abroad extract` writes them, and no documents"


@dataclass(frozen=True)
class Source:
    """A file or a pipe.

    Attributes:
        name: for messages.
        stem: what records without an id are named after.
        path: of a file.
        data: of a pipe.
        piped: whether the file holds what came through a pipe.
    """

    name: str
    stem: str
    path: Path | None = None
    data: bytes = b""
    piped: bool = False

    def head(self) -> bytes:
        """What tells the format: the start of a file that is streamed, else all of it, packed or not."""
        if self.path is None:
            return self.data
        with self.path.open("rb") as stream:
            head = stream.read(_HEAD)
        streamed = self.name.lower().endswith(_STREAMED) and not head.startswith(formats.ZIPPED)
        if (streamed and b"%PDF-" not in head) or is_package(unpacked_start(head)):
            return head
        return self.path.read_bytes()

    def open(self) -> AbstractContextManager[IO[bytes]]:
        """A stream of the text in it, in UTF-8 and not packed, that can be wound back."""
        return plain_stream(io.BytesIO(self.data), self.name) if self.path is None else open_plain(self.path)

    def open_packed(self) -> AbstractContextManager[IO[bytes]]:
        """A stream of its bytes as they are, for XML, which names its encoding, and for packages."""
        return io.BytesIO(self.data) if self.path is None else self.path.open("rb")

    @property
    def beside(self) -> Path | None:
        """The file that a paper's figures lie beside; None of a pipe, also of one that was written to a file."""
        return None if self.piped else self.path

    def is_empty(self) -> bool:
        """Whether it holds nothing but white space."""
        with self.open() as stream:
            return not any(line.removeprefix(b"\xef\xbb\xbf").strip() for line in stream)


def read_source(source: Source, columns: ColumnNames, context: Context) -> list[Item]:
    """The documents and identifiers of a source, in its order; a repeated id keeps its first.

    Raises:
        InputError: missing, empty, not recognised (with what it looks like and what to do), or nothing usable in it.
        MissingDependencyError: a PDF, and pypdf is not installed.
    """
    if source.path is not None:
        require_file(source.path, f"documents ({formats.WHAT})")
    data = source.head()
    kind = formats.recognise(data, source.name)
    if kind not in _FROM_START:
        data = unpacked(data, source.name)
    before = len(context.rejects)
    items = _distinct(_READERS[kind](source, data, columns, context), source.name, context)
    if not items:
        first = f": {context.rejects.items[before]['reason']}" if len(context.rejects) > before else ""
        raise InputError(f"{source.name}: no document in it{first}")
    return items


def with_images(document: Document, source: Source, folder: Path | None = None) -> Document:
    """The document with its images named from here: relative ones count from the folder, else from that of its file."""
    if folder is None:
        folder = Path() if source.beside is None else source.beside.parent
    return located(document, folder)


def read_json(source: Source, context: Context) -> Iterator[Item]:
    """The documents and identifiers of a source of JSON, whose ids may repeat; JSONL is read record by record."""
    return _json(source, b"", ColumnNames(), context)


def text_document(id: str, text: str) -> Document:
    """A plain text as a document; markup that it holds is dropped.

    Raises:
        InputError: the text is empty.
    """
    from abroad.text.normalise import normalise  # with numpy, which naming a command must not load

    text = text.replace("\r\n", "\n").replace("\r", "\n").strip()
    title, blank, rest = BLANK_LINE.sub("\n\n", text, count=1).partition("\n\n")
    if not blank or "\n" in title or len(title) > 500:
        title, rest = "", text
    title, rest = normalise(title).text.strip(), normalise(rest).text.strip()
    if not title and not rest:
        raise InputError(f"{id}: the text is empty")
    return Document(id, title, rest)


def article_documents(articles: Iterable[Article], context: Context) -> Iterator[Document]:
    """A document of each article that has any text."""
    for article in articles:
        if article.has_text:
            yield attach(article, Reference(article.pmid), None)
        else:
            context.rejects.add(f"PMID {article.pmid}", "no abstract and no title")


def _is_prediction(record: Any) -> bool:
    """Whether a record of JSON is a prediction and has no text."""
    relations = record.get("relations") if isinstance(record, dict) else None
    named = isinstance(relations, list) and all(isinstance(item, dict) and "organism" in item for item in relations)
    return named and "error" in record and not any(find_field(field, record) for field in (TITLE, ABSTRACT))


def _distinct(items: Iterable[Item], name: str, context: Context) -> list[Item]:
    """The items; of documents with one id, and of one identifier given twice, the first."""
    found: dict[Any, Item] = {}
    for item in items:
        key = (item.kind, item.value.lower()) if isinstance(item, Identifier) else item.id
        if key in found and isinstance(item, Document):
            context.rejects.add(f"{name}: {item.id}", f"the id {item.id!r} stands twice; the first is kept")
        found.setdefault(key, item)
    return list(found.values())


def _json(source: Source, data: bytes, columns: ColumnNames, context: Context) -> Iterator[Item]:
    make, identifiers, are_records = DocumentMaker(source.stem), list[Identifier](), False
    if (lone := _lone_value(source)) is not None:
        raise InputError(f"{source.name}: expected documents, found nothing but {lone}; PMIDs are listed in a .txt")
    with source.open() as stream:
        for where, key, record in read_stream(stream, source.name, context.rejects.add):
            identifier = read_identifier(str(record)) if isinstance(record, str | int) else None
            are_records |= isinstance(record, dict)
            try:
                if _is_prediction(record):
                    raise InputError(_A_RESULT)
                if identifier:
                    identifiers.append(Identifier(*identifier, where))
                else:
                    yield make(record, key)
            except InputError as error:
                context.rejects.add(where, str(error))
    for value in identifiers:
        if are_records:  # a damaged record: lists of PMIDs hold nothing else
            context.rejects.add(
                value.where, f"expected a record with a title or an abstract, found {value.value!r} alone"
            )
        else:
            yield value
    context.rejects.notes += [f"{source.name}: {note}" for note in make.notes()]


def _lone_value(source: Source) -> str | None:
    """The value of a file that holds a single number, text or the like, which names no document."""
    with source.open() as stream:
        head = stream.read(_HEAD)
    text = head.removeprefix(b"\xef\xbb\xbf").strip()
    if len(head) >= _HEAD or b"\n" in text or text.startswith((b"{", b"[")):
        return None
    try:
        parse_json(text)
    except BadJson:
        return None
    return text[:40].decode("utf-8", "replace")


def _xml(source: Source, data: bytes, columns: ColumnNames, context: Context) -> Iterator[Item]:
    with source.open_packed() as stream:
        if is_full_text(unpacked_start(data)):
            yield from xml_documents(stream, source.name, source.stem, context, source.beside)
        else:  # all of it before the first document: PubMed's update files hold a record again when it changes
            records = read_opened(stream, source.name, context)
            yield from article_documents(newest(r for r in records if not isinstance(r, Unwanted)), context)


def _package(source: Source, data: bytes, columns: ColumnNames, context: Context) -> Iterator[Item]:
    with source.open_packed() as stream:
        yield from package_documents(stream, source.name, source.stem, context, source.beside)


def _bioc(source: Source, data: bytes, columns: ColumnNames, context: Context) -> Iterator[Item]:
    with source.open() as stream:
        yield from bioc_documents(stream, source.name, source.stem, context, source.beside)


def _spacy(source: Source, data: bytes, columns: ColumnNames, context: Context) -> Iterator[Item]:
    from abroad.documents.docbin import read_docbin

    if source.path is None:
        raise InputError(f"{source.name}: expected a file, not a pipe, for a DocBin (.spacy)")
    yield from read_docbin(source.path, context)


def _pdf(source: Source, data: bytes, columns: ColumnNames, context: Context) -> Iterator[Item]:
    found = read_pdf(data, source.name)
    context.rejects.notes.append(f"{source.name}: {found.how} ({sum(map(len, found.record.values())):,} characters)")
    yield Document.from_dict(found.record, source.stem)


def _text(source: Source, data: bytes, columns: ColumnNames, context: Context) -> Iterator[Item]:
    try:
        yield text_document(source.stem, formats.decode(data, source.name))
    except InputError as error:
        raise InputError(f"{source.name}: {str(error).removeprefix(f'{source.stem}: ')}") from None


def _identifiers(source: Source, data: bytes, columns: ColumnNames, context: Context) -> Iterator[Item]:
    for found in read_identifiers(formats.decode(data, source.name), source.name):
        if isinstance(found, Identifier):
            yield found
        else:
            context.rejects.add(*found)


def _bibliography(
    read: Callable[[str], Iterator[tuple[int, dict[str, Any]]]],
) -> Callable[[Source, bytes, ColumnNames, Context], Iterator[Item]]:
    def items(source: Source, data: bytes, columns: ColumnNames, context: Context) -> Iterator[Item]:
        yield from record_documents(source, read(formats.decode(data, source.name)), context)

    return items


def _table(source: Source, data: bytes, columns: ColumnNames, context: Context) -> Iterator[Item]:
    rows = read_delimited(formats.decode(data, source.name), source.name, context.rejects.add)
    yield from table_items(source, rows, columns, context)


def _parquet(source: Source, data: bytes, columns: ColumnNames, context: Context) -> Iterator[Item]:
    yield from parquet_items(source, columns, context)


def parquet_items(source: Source, named: ColumnNames, context: Context) -> Iterator[Document]:
    """The documents of a Parquet file, some rows at a time: columns go by the names that fields of JSON have.

    Raises:
        InputError: the file is damaged, or holds predictions.
        MissingDependencyError: polars is not installed.
    """
    if source.path is None:
        raise InputError(f"{source.name}: expected a file, not a pipe, for Parquet")
    make = DocumentMaker(source.stem)
    for number, record in enumerate(parquet_records(source.path, source.name), 1):
        where = f"{source.name}: row {number}"
        if {"document", "organism", "chemical"} <= record.keys():
            raise InputError(f"{source.name}: {_A_RESULT}")
        for field, told in ((TITLE, named.title), (ABSTRACT, named.abstract)):
            if told is not None and told in record:
                record[field] = record.pop(told)
        try:
            yield make({name: value for name, value in record.items() if value is not None})
        except InputError as error:
            context.rejects.add(where, str(error))
    context.rejects.notes += [f"{source.name}: {note}" for note in make.notes()]


def workbook_items(source: Source, data: bytes, columns: ColumnNames, context: Context) -> Iterator[Item]:
    """The documents of the first sheet of a workbook that has rows."""
    rows, others = read_workbook(data, source.name)
    if others:
        context.rejects.notes.append(f"{source.name}: the first sheet is read; not read: {', '.join(others)}")
    yield from table_items(source, rows, columns, context)


def table_items(source: Source, rows: Rows, named: ColumnNames, context: Context) -> Iterator[Item]:
    """The documents of the rows of a table, or the PMIDs and DOIs of one that has no texts."""
    if {"document", "organism", "chemical"} <= set(rows.header):
        raise InputError(f"{source.name}: {_A_RESULT}")
    columns = find_columns(rows.header, named, source.name)
    context.rejects.notes.append(f"{source.name}: {describe(columns)}")
    records = to_records(rows, columns)
    if TITLE in columns or ABSTRACT in columns:
        yield from record_documents(source, records, context)
        return
    for line, record in records:
        found = next((found for field in (PMID, DOI) if (found := read_identifier(record.get(field, "")))), None)
        where = f"{source.name}:{line}"
        if found:
            yield Identifier(*found, where)
        else:
            context.rejects.add(where, "no PMID and no DOI")


def record_documents(
    source: Source, records: Iterable[tuple[int, dict[str, Any]]], context: Context
) -> Iterator[Document]:
    """The documents of records, each with its line; one that is none is set aside."""
    make = DocumentMaker(source.stem)
    for line, record in records:
        try:
            yield make(record, record.get(ID) or record.get(PMID) or None)
        except InputError as error:
            context.rejects.add(f"{source.name}:{line}", str(error))
    context.rejects.notes += [f"{source.name}: {note}" for note in make.notes()]


_READERS: dict[str, Callable[[Source, bytes, ColumnNames, Context], Iterator[Item]]] = {
    formats.JSON: _json,
    formats.XML: _xml,
    formats.BIOC: _bioc,
    formats.PACKAGE: _package,
    formats.SPACY: _spacy,
    formats.PDF: _pdf,
    formats.WORKBOOK: workbook_items,
    formats.PARQUET: _parquet,
    formats.MEDLINE: _bibliography(read_medline),
    formats.ABSTRACTS: _bibliography(read_pubmed_abstracts),
    formats.RIS: _bibliography(read_ris),
    formats.TABLE: _table,
    formats.IDENTIFIERS: _identifiers,
    formats.TEXT: _text,
}
