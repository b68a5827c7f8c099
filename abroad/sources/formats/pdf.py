"""PDF of a paper -> its title and abstract, read by pypdf (the extra "pdf"); no layout analysis, no OCR."""

from __future__ import annotations

import io
import logging
import re
from dataclasses import dataclass

from abroad.core.errors import InputError, MissingDependencyError
from abroad.core.record_fields import ABSTRACT, TITLE
from abroad.sources.formats.wrapped import BLANK_LINE

_HEADING = re.compile(r"^[ \t]*(?:A ?B ?S ?T ?R ?A ?C ?T|Abstract|Summary)\b[ \t]*[:.—–-]?", re.MULTILINE)
_END = re.compile(
    r"^[ \t]*(?:(?:\d|I)\.?[ \t]+)?(?:I ?N ?T ?R ?O ?D ?U ?C ?T ?I ?O ?N|Introduction|Key ?-?words?|KEY ?WORDS?|"
    r"Index terms|Graphical abstract|Background and aims)\b",
    re.MULTILINE,
)
_MIN_ABSTRACT, _MAX_ABSTRACT = 40, 6_000  # characters
_MAX_PAGES = 200
_NO_TITLE = re.compile(r"untitled|\.(?:docx?|pdf|tex|indd|dvi)$|^microsoft word|^\W*$|^PII|^doi:", re.IGNORECASE)


@dataclass(frozen=True)
class PdfText:
    """What was read of a PDF.

    Attributes:
        record: title and abstract, under our names of fields.
        how: which part of the file the abstract is, for people.
    """

    record: dict[str, str]
    how: str


def read_pdf(data: bytes, name: str) -> PdfText:
    """The abstract of a paper, if it has a heading; else all its text.

    Raises:
        InputError: damaged, locked by a password, or without text, as scans are.
        MissingDependencyError: pypdf is not installed.
    """
    try:
        import pypdf
    except ImportError:
        raise MissingDependencyError("pypdf", "pdf", "reading PDF") from None
    try:
        logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # its notes on odd objects are not for our users
        reader = pypdf.PdfReader(io.BytesIO(data))
        if reader.is_encrypted and not reader.decrypt(""):
            raise InputError(f"{name}: a PDF locked by a password; save a copy without it")
        pages = [page.extract_text() for page in reader.pages[:_MAX_PAGES]]
        title = str((reader.metadata.get("/Title") if reader.metadata else None) or "")
    except InputError:
        raise
    except pypdf.errors.DependencyError:  # a cipher of the package cryptography
        raise InputError(f"{name}: an encrypted PDF; save a copy without encryption (print it into a PDF)") from None
    except Exception as error:  # whatever a damaged file makes of pypdf
        raise InputError(
            f"{name}: a damaged PDF, of which no text can be read; get it anew, or open it in a viewer and print it "
            "into a PDF"
        ) from error
    text = "\n".join(pages).encode("utf-8", "ignore").decode()
    if not text.strip():
        raise InputError(
            f"{name}: a PDF without text, a scan perhaps; read it with OCR first (ocrmypdf in.pdf out.pdf)"
        )
    title = "" if _NO_TITLE.search(title) else " ".join(title.encode("utf-8", "ignore").decode().split())
    abstract = _abstract("\n".join(pages[:3]))
    how = "its abstract is read"
    if abstract is None:
        abstract, how = (
            text,
            f"no heading 'Abstract' found: the text of all {len(pages)} page(s) is read as one document",
        )
    return PdfText({TITLE: title, ABSTRACT: _joined(abstract)} if title else {ABSTRACT: _joined(abstract)}, how)


def _abstract(text: str) -> str | None:
    """What stands between the heading and the next, or else a blank line, if that is about as long as an abstract."""
    for heading in _HEADING.finditer(text):
        begin = heading.end() + len(text[heading.end() :]) - len(text[heading.end() :].lstrip())
        end = _END.search(text, begin) or BLANK_LINE.search(text, begin)
        found = text[begin : end.start() if end else len(text)]
        if _MIN_ABSTRACT <= len(found.strip()) <= _MAX_ABSTRACT:
            return found
    return None


def _joined(text: str) -> str:
    """One line; a word that was divided at the end of a line is put together."""
    return " ".join(re.sub(r"(?<=[a-z])[-\u00ad]\n(?=[a-z])", "", text).split())
