"""What a file is, by its first bytes and, where those leave it open, by its name; what cannot be read is named.

The content counts before the name: PubMed saves five formats as .txt.
"""

from __future__ import annotations

import io
import re
import zipfile
from pathlib import Path

from abroad.core.errors import InputError
from abroad.core.plain import GZIP, unpacked, unpacked_start, wide_encoding
from abroad.sources.formats.bioc import is_bioc_json
from abroad.sources.formats.identifiers import is_identifiers
from abroad.sources.formats.medline import is_medline
from abroad.sources.formats.packages import is_package
from abroad.sources.formats.pubmed_abstracts import is_pubmed_abstracts
from abroad.sources.formats.ris import is_ris
from abroad.sources.formats.spreadsheets import is_table

JSON, XML, SPACY, PDF, WORKBOOK = "json", "xml", "spacy", "pdf", "xlsx"
PACKAGE, BIOC, PARQUET = "package", "bioc", "parquet"
MEDLINE, ABSTRACTS, RIS, TABLE, IDENTIFIERS, TEXT = "medline", "abstracts", "ris", "table", "identifiers", "text"
SUFFIXES = (
    *(".json", ".jsonl", ".ndjson", ".txt", ".text", ".xml", ".xml.gz", ".spacy", ".nbib", ".medline", ".ris"),
    *(".csv", ".tsv", ".tab", ".xlsx", ".pdf", ".nxml", ".nxml.gz", ".tar.gz", ".tgz", ".tar", ".parquet"),
    *(".jsonl.gz", ".ndjson.gz", ".json.gz", ".csv.gz", ".tsv.gz", ".txt.gz", ".nbib.gz", ".ris.gz"),
)
_XML = (".xml", ".nxml")
_JSON = (".json", ".jsonl", ".ndjson")
_LIKE_JSON = re.compile(rb"\s*(?:\{|\[\s*[\[{\"\]])")
_HEAD = 4_096
_TABLES = (".csv", ".tsv", ".tab")

ZIPPED = (b"PK\x03\x04", b"PK\x05\x06")  # with files in it, and without
_MAGIC: tuple[tuple[bytes, str, str], ...] = (
    (b"\xd0\xcf\x11\xe0", "an old Office file (.xls, .doc)", "save it as .xlsx, .csv or .txt"),
    (b"BZh", "a bzip2 file", "unpack it first"),
    (b"\xfd7zXZ", "an xz file", "unpack it first"),
    (b"7z\xbc\xaf", "a 7z archive", "unpack it first and give the folder"),
    (b"Rar!", "a RAR archive", "unpack it first and give the folder"),
    (b"\x89PNG", "a PNG picture", "expected text; read it with OCR first"),
    (b"\xff\xd8\xff", "a JPEG picture", "expected text; read it with OCR first"),
    (b"GIF8", "a GIF picture", "expected text"),
    (b"SQLite format 3", "an SQLite database", "export its texts as CSV"),
    (b"ARROW1", "an Arrow file (Feather)", "save it as CSV or JSONL"),
    (b"\x28\xb5\x2f\xfd", "a zstandard file", "unpack it first (unzstd)"),
    (b"II*\0", "a TIFF picture", "expected text; read it with OCR first"),
    (b"MM\0*", "a TIFF picture", "expected text; read it with OCR first"),
    (b"\x7fELF", "a program", "expected text"),
    (b"\x89HDF", "an HDF5 file", "save its texts as CSV or JSONL"),
    (b"{\\rtf", "an RTF file (Word, WordPad)", "save it as plain text (.txt, UTF-8)"),
)
_TEXTS: tuple[tuple[str, str, str], ...] = (
    (r"\s*<(?:!doctype\s+html|html|head|body)\b", "a web page", "save its text, or list the PMIDs or DOIs in a .txt"),
    (r"\s*@\w+\s*\{", "BibTeX", "export RIS, .nbib or CSV from your reference manager"),
    (r"\s*%0 \S", "EndNote's .enw", "export RIS or .nbib from your reference manager"),
    (r"\s*(?:FN (?:Clarivate|Thomson|ISI)|PT [JBSP]\s)", "Web of Science's plain text", "export RIS or Excel there"),
    (r"\s*VN +- *Ovid", "Ovid's MEDLINE format", "export RIS there"),
    (r"\s*\d+\|t\|", "PubTator text", "list the PMIDs in a .txt, one a line, to read them from PubMed"),
    (r"\s*\{\\rtf", "an RTF file (Word, WordPad)", "save it as plain text (.txt, UTF-8)"),
    (r"\s*%!PS", "PostScript", "convert it to PDF or text"),
    (r"\s*\\documentclass", "LaTeX", "convert it to text (pandoc in.tex -o out.txt)"),
)

_MARKUP = re.compile("(?:[a-z]+:)?(?:i|b|u|p|em|strong|su[bp]|span|div|font|title|h[1-6]|br|italic|bold|sc|math)")
"""Elements that a plain text may begin with and not close, or be within, as titles of PubMed and of JATS do."""
_PROLOGUE = re.compile(r"\s*<(?:\?xml\b|!DOCTYPE\b|!--)")
_ELEMENT = re.compile(r"\s*<([A-Za-z][\w.:-]*)(?:\s[^<>]*)?(/?)>")
_AFTER_ROOT = re.compile(r"(?:\s*(?:<!--.*?-->|<\?.*?\?>))*\s*\Z", re.DOTALL)


def recognise(data: bytes, name: str) -> str:
    """The format: one of the constants of this module.

    Args:
        data: the whole content, packed with gzip or not, or the start of it for XML and JSON, which may be large.
        name: of the file, for the message and where the content leaves it open.
    Raises:
        InputError: nothing we read, with what it looks like and what to do.
    """
    lower = name.lower()
    start = unpacked_start(data)
    if is_package(start):
        return PACKAGE
    if packed := data.startswith(GZIP):
        data = _in_gzip(data, start, name)
    if b"%PDF-" in data[:1024]:
        return PDF
    if data.startswith(ZIPPED):
        return _zip(data, name)
    if data.startswith(b"PAR1"):
        return PARQUET
    refuse_binary(data, name)
    if lower.endswith(".spacy"):
        return SPACY
    lower = lower.removesuffix(".gz")
    if lower.endswith(_XML) or (packed and start.lstrip().startswith(b"<")):
        return XML
    if lower.endswith(_JSON) or (packed and _LIKE_JSON.match(start)):
        return BIOC if is_bioc_json(data[:_HEAD]) else JSON
    return _text(decode(data, name), name)


def is_json(path: Path) -> bool:
    """Whether a file holds JSON in one of its forms, or is to, by its name."""
    with path.open("rb") as stream:
        head = stream.read(4_096)
    try:
        return recognise(head, str(path)) == JSON
    except InputError:
        return False


def refuse_binary(data: bytes, name: str) -> None:
    """Raise for the first bytes of a file that is of no use here.

    Raises:
        InputError: says what it looks like and what to do.
    """
    for magic, looks, advice in _MAGIC:
        if data.startswith(magic):
            raise InputError(f"{name}: looks like {looks}; {advice}")


def _in_gzip(data: bytes, start: bytes, name: str) -> bytes:
    """What is in a gzip file; its start will do for JSON and XML, which are streamed."""
    if start.startswith(GZIP):
        raise InputError(f"{name}: looks like a gzip file in a gzip file; unpack it first (gunzip)")
    lower = name.lower().removesuffix(".gz")
    if start and (lower.endswith((*_XML, *_JSON)) or start.lstrip().startswith(b"<") or _LIKE_JSON.match(start)):
        return start
    return unpacked(data, name)


def decode(data: bytes, name: str) -> str:
    """The text of a file in UTF-8, or in UTF-16 or UTF-32, as Excel's "Unicode text" and Windows' editors write it.

    Raises:
        InputError: another encoding, or no text.
    """
    wide = wide_encoding(data)
    try:
        text = data.decode(wide or "utf-8-sig").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        if b"\0" in data[:4096] or wide:
            raise InputError(f"{name}: looks like no text (binary data); expected {WHAT}") from None
        raise InputError(
            f"{name}: not UTF-8 at byte {error.start}; an older encoding (Windows-1252, Latin-1)? "
            "Save it as UTF-8 (Excel: 'CSV UTF-8'), or iconv -f WINDOWS-1252 -t UTF-8"
        ) from None
    if "\0" in text:
        raise InputError(f"{name}: looks like no text (binary data); expected {WHAT}")
    return text if "\n" in text else text.replace("\r", "\n")  # lines as on the first Macintoshes


WHAT = (
    "JSON, JSONL, PubMed's XML, .nbib or text, JATS, BioC, RIS, CSV, TSV, XLSX, Parquet, PDF, .spacy, plain text, "
    "or a list of PMIDs or DOIs"
)


def _is_xml(text: str) -> bool:
    """Whether a text is an XML document: nothing follows its root, or the root is not closed, since it was cut off.

    A plain text may begin with an element too: it goes on where that is closed.
    """
    if _PROLOGUE.match(text):
        return True
    begin = _ELEMENT.match(text)
    if begin is None or _MARKUP.fullmatch(begin[1].lower()):
        return False
    end = begin.end() if begin[2] else text.rfind(f"</{begin[1]}>")
    if end < 0:
        return True
    return _AFTER_ROOT.match(text, end if begin[2] else end + len(begin[1]) + 3) is not None


def _zip(data: bytes, name: str) -> str:
    """What a zip archive holds, by the folders in it and, of a damaged one, by its name."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            inside = {path.partition("/")[0] for path in archive.namelist()}
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        inside = {folder for folder in ("word", "xl", "ppt") if f"{folder}/".encode() in data}
    lower = name.lower()
    if "word" in inside or lower.endswith((".docx", ".docm", ".dotx")):
        raise InputError(f"{name}: looks like a Word document; save it there as plain text (.txt, UTF-8) or as PDF")
    if "ppt" in inside or lower.endswith((".pptx", ".pptm")):
        raise InputError(f"{name}: looks like a PowerPoint presentation; save its text as .txt (UTF-8), or as PDF")
    if "xl" in inside or lower.endswith((".xlsx", ".xlsm")):
        return WORKBOOK
    if b"opendocument" in data[:200] or lower.endswith((".odt", ".ods")):
        raise InputError(f"{name}: looks like LibreOffice's; save it as .xlsx, .csv or .txt")
    if b"epub" in data[:200] or lower.endswith(".epub"):
        raise InputError(f"{name}: looks like an e-book (.epub); save its text as .txt (UTF-8)")
    raise InputError(f"{name}: looks like a zip archive; unpack it first and give the folder")


def _text(text: str, name: str) -> str:
    for pattern, looks, advice in _TEXTS:
        if re.match(pattern, text, re.IGNORECASE if "<" in pattern else 0):
            raise InputError(f"{name}: looks like {looks}; {advice}")
    if _LIKE_JSON.match(text[:_HEAD].encode("utf-8", "replace")):
        return BIOC if is_bioc_json(text[:_HEAD].encode("utf-8", "replace")) else JSON
    if _is_xml(text):
        return XML
    for kind, matches in ((MEDLINE, is_medline), (ABSTRACTS, is_pubmed_abstracts), (RIS, is_ris)):
        if matches(text):
            return kind
    if is_identifiers(text):
        return IDENTIFIERS
    return TABLE if name.lower().endswith(_TABLES) or is_table(text) else TEXT
