"""Records as people have them -> documents: fields of other names, and records without an id.

`Document.from_dict` reads our own format and nothing else; this module gives it that. Whatever had to be
assumed is told in `notes`, so that a command can say it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from typing import Any

from abroad.core.ids import is_id, is_missing, read_id
from abroad.core.schema import Document

TITLE, ABSTRACT, PMID, DOI, ID, YEAR = "ArticleTitle", "AbstractText", "PMID", "doi", "id", "year"
NAMES: dict[str, tuple[str, ...]] = {
    TITLE: ("articletitle", "title", "papertitle", "documenttitle", "primarytitle", "ti"),
    ABSTRACT: ("abstracttext", "abstract", "abstractnote", "abstracts", "ab", "summary", "text", "body", "content"),
    PMID: ("pmid", "pubmedid", "pubmed", "medlinepmid", "referencepubmedid", "pmids"),
    DOI: ("doi", "digitalobjectidentifier", "referencedoi", "doilink"),
    ID: ("id", "docid", "documentid", "uid", "recordid"),
    YEAR: ("year", "publicationyear", "pubyear", "py", "y1", "pubdate", "publicationdate", "published"),
}
"""Field -> names it goes by, without signs and in lower case; the first that is there counts."""
_SIGNS = re.compile(r"[\W_]+")
_PMID = re.compile(
    r"(?:PMID:?\s*)?(\d{1,8})(?:\.0)?"
    r"|(?:https?://)?(?:www\.)?(?:pubmed\.ncbi\.nlm\.nih\.gov|ncbi\.nlm\.nih\.gov/pubmed)/(\d{1,8})/?",
    re.IGNORECASE,
)
_DOI = re.compile(r"(?:(?:https?://)?(?:dx\.)?doi\.org/|doi:\s*)?(10\.\d{4,9}/\S+)", re.IGNORECASE)
_YEAR = re.compile(
    r"(?<!\d)(?:1[5-9]|20)\d\d(?=(?:(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])?)?(?!\d))"  # also of 20190301
)
_MAX_SHOWN = 3


def find_field(field: str, names: Iterable[str]) -> str | None:
    """The name among `names` that means `field` (TITLE, ABSTRACT, ...), if there is one; its own before any other."""
    names = list(names)
    if field in names:
        return field
    plain = {_SIGNS.sub("", name).lower(): name for name in reversed(names)}
    return next((plain[name] for name in NAMES[field] if name in plain), None)


def read_pmid(value: Any) -> str | None:
    """The digits of a PMID, as a number, "PMID: 1", "1.0" or an address; None if it is none."""
    found = _PMID.fullmatch(str(value).strip()) if isinstance(value, str | int | float) else None
    return ((found[1] or found[2]).lstrip("0") or None) if found else None


def read_doi(value: Any) -> str | None:
    """A DOI without its address; None if it is none."""
    found = _DOI.fullmatch(value.strip()) if isinstance(value, str) else None
    return found[1] if found else None


def read_year(value: Any) -> int | None:
    """The year of a date, as a number, "2019 Mar 1", "03/2019" or "20190301"; None if there is none.

    Of a range ("1998 Nov-1999 Jan", as MEDLINE has it) it is the first.
    """
    years = read_years(value)
    return years[0] if years else None


def read_years(value: Any) -> tuple[int, int] | None:
    """The first and the last year of a date, which are two where it is a range: "1998 Nov-1999 Jan"."""
    found = _YEAR.findall(str(value)) if isinstance(value, str | int | float) else []
    return (int(found[0]), max(map(int, found))) if found else None


class DocumentMaker:
    """Makes documents of the records of one source, in their order.

    A record without an id goes by its PMID or DOI, else by `stem` and its number in the source, counted
    over all records, so that the same file gives the same ids again.
    """

    def __init__(self, stem: str) -> None:
        self.stem = stem
        self._count = 0
        self._named: Counter[str] = Counter()
        self._shown: dict[str, list[str]] = {}
        self._fields: Counter[tuple[str, str]] = Counter()

    def __call__(self, record: Any, key: str | None = None) -> Document:
        """The document of a record.

        Args:
            key: the id, where the source gives it apart from the record.
        Raises:
            InputError: the record is none, or holds no text.
        """
        self._count += 1
        if not isinstance(record, dict):
            return Document.from_dict(record, key)
        record = self._renamed(record)
        if key is None and is_missing(record.get(ID)):
            how, record[ID] = self._id(record)
            document = Document.from_dict(record)
            self._named[how] += 1
            if self._named[how] <= _MAX_SHOWN:  # of a million, a few will do
                self._shown.setdefault(how, []).append(document.id)
            return document
        return Document.from_dict(record, key)

    def notes(self) -> list[str]:
        """What was assumed, a sentence each."""
        said = []
        for (field, name), count in self._fields.items():
            said.append(f"{count} record(s): {'title' if field == TITLE else 'abstract'} read from the field '{name}'")
        for how, count in self._named.items():
            shown = ", ".join(self._shown[how]) + (", ..." if count > _MAX_SHOWN else "")
            named = f"go by their {how}" if how else "are numbered"
            said.append(f"{count} record(s) without an id {named}: {shown}")
        return said

    def _renamed(self, record: dict[str, Any]) -> dict[str, Any]:
        """A copy of the record with its fields under our names, where ours are not there."""
        record = dict(record)
        for field in (TITLE, ABSTRACT):
            name = find_field(field, record)
            if name is None:
                continue
            record[field] = _text(record.pop(name))
            if name != field and record[field]:
                self._fields[field, name] += 1
        for field, read in ((PMID, read_pmid), (DOI, read_doi)):
            name = find_field(field, record)
            if isinstance(record.get(field), float):  # of a column that pandas took for numbers
                record[field] = read(record[field])
            if record.get(field) is None and name is not None and read(record[name]) is not None:
                record[field] = read(record.pop(name))
        for field, read in ((PMID, read_pmid), (DOI, read_doi)):  # they may be given as addresses
            value = record.get(field)
            if isinstance(value, str) and not value.isdigit():
                record[field] = read(value) or value
        dated = find_field(YEAR, record)
        if dated is not None and not isinstance(record.get(YEAR), int | float):
            year = read_year(record[dated])
            record |= {YEAR: year} if year is not None else {}
        return record

    def _id(self, record: dict[str, Any]) -> tuple[str, str]:
        name = find_field(ID, (name for name in record if name != ID))
        if name is not None and is_id(record[name]):
            return name, read_id(record[name])
        for field in (PMID, DOI):
            if is_id(record.get(field)):
                return field.upper(), str(record[field])
        return "", f"{self.stem}-{self._count}"


def _text(value: Any) -> Any:
    """A string; a list of strings (Crossref's titles) is joined, NaN (pandas) is nothing, others are left to refuse."""
    if isinstance(value, float) and value != value:
        return None
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return " ".join(value)
    return value
