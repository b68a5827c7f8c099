"""Inputs that are broken, hostile or merely odd, each as bytes under a file name; `benchmarks/faults.py` runs them."""

from __future__ import annotations

import gzip
import io
import json
import zipfile
import zlib
from collections.abc import Callable, Iterator

SENTENCE = "Quercetin was isolated from the bulbs of Allium cepa."
LONGEST = 100_000  # characters of a text that are read
Case = tuple[str, str, bytes]
"""(kind, file name, content)"""


def bad_inputs() -> Iterator[Case]:
    """All of them, kind by kind."""
    for kind, cases in _KINDS.items():
        for name, content in cases():
            yield kind, name, content if isinstance(content, bytes) else content.encode()


def _record(**fields: object) -> str:
    return json.dumps({"id": "1", "AbstractText": SENTENCE, **fields})


def _json() -> Iterator[tuple[str, bytes | str]]:
    good = _record(id="good")
    yield "empty.json", ""
    yield "blank.jsonl", " \n\t\n"
    yield "cut_array.json", f"[{good}, {good[:20]}"
    yield "cut_line.jsonl", f"{good}\n{good[:20]}"
    yield "trailing_comma.json", f"[{good},]"
    yield "comments.json", f"// mine\n[{good}]"
    yield "deep.json", "[" * 200_000
    yield "deep_field.jsonl", f'{good}\n{{"id": "2", "x": {"[" * 100_000}{"]" * 100_000}}}\n'
    yield "digits.jsonl", f'{good}\n{{"id": {"9" * 5_000}, "AbstractText": "T"}}\n'
    yield "infinity.jsonl", f'{good}\n{{"id": 2, "AbstractText": "T", "PMID": 1e999}}\n{{"id": NaN, "title": "T"}}\n'
    yield "half_pair.jsonl", f'{good}\n{{"id": "2", "AbstractText": "\\ud83d"}}\n'
    yield "separators.jsonl", _record(AbstractText=f"{SENTENCE}\u2028\u2029\x85\x0b") + "\n"
    yield "mark.jsonl", b"\xef\xbb\xbf" + good.encode()
    yield "utf16.json", good.encode("utf-16")
    yield "latin1.jsonl", good.encode() + b'\n{"id": "2", "AbstractText": "\xe9"}\n'
    yield "nul.jsonl", f'{good}\n{{"id": "\\u0000", "AbstractText": "T\\u0000"}}\n'
    yield "bare.jsonl", f'{good}\n5\nnull\n"x"\n"10.1021/x"\n'
    yield "sign.json", ";"
    yield "repeated.json", f'{{"1": {good}, "1": {good}}}'
    yield "numbers.json", "[1.5, true, null, [], {}]"
    yield "no_text.jsonl", '{"id": "1"}\n'
    yield "long_id.jsonl", _record(id="x" * 10_000)
    yield (
        "odd_types.jsonl",
        "\n".join([good, *(_record(**{name: {}}) for name in ("id", "PMID", "doi", "ArticleTitle"))]),
    )
    yield "odd_relations.jsonl", "\n".join([good, *(_record(relations=value) for value in (1, [1], [[1, 2]], {}))])
    yield "long_line.jsonl", _record(AbstractText="x" * 5_000_000)


def _xml() -> Iterator[tuple[str, bytes | str]]:
    article = (
        f"<PubmedArticle><MedlineCitation><PMID>1</PMID><Article><ArticleTitle>{SENTENCE}</ArticleTitle></Article>"
    )
    article += "</MedlineCitation></PubmedArticle>"
    entities = '<!DOCTYPE PubmedArticleSet [<!ENTITY a "xxxxxxxxxx">'
    entities += "".join(f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(10)) + "]>"
    yield "cut.xml", f"<PubmedArticleSet>{article}<PubmedArticle><Medl"
    yield "nul.xml", f"<PubmedArticleSet>{article}\x00"
    yield "other.xml", "<article><front/></article>"
    yield "page.xml", "<html><body>Too many requests"
    yield "empty_set.xml", "<PubmedArticleSet/>"
    yield "laughs.xml", f"{entities}<PubmedArticleSet>{article.replace(SENTENCE, '&k;')}</PubmedArticleSet>"
    yield "deep.xml", f"<PubmedArticleSet>{article}{'<a>' * 100_000}"
    yield "no_record.xml.gz", gzip.compress(b"<PubmedArticleSet>" + b"<a/>" * (1 << 23), 1)
    yield "no_end.xml.gz", gzip.compress(b"<PubmedArticleSet><PubmedArticle><x>" + b" " * (1 << 28), 1)
    yield "cut.xml.gz", gzip.compress(f"<PubmedArticleSet>{article}".encode())[:-20]
    yield "no_gzip.xml.gz", b"\x1f\x8bnonsense"


def _tables() -> Iterator[tuple[str, bytes | str]]:
    yield "stray_quote.csv", 'id,Title\n1,"T\n' + "".join(f"{n},{SENTENCE}\n" for n in range(2, 99))
    yield "ragged.csv", f"id,Title\n1,{SENTENCE},x\n2\n3,{SENTENCE}\n"
    yield "header.csv", "id,Title\n"
    yield "unknown.csv", "Name,What\nx,y\n"
    yield "latin1.csv", b"id,Title\n1,\xe9\n"
    yield "nul.csv", b"id,Title\n1,\x00\n"
    yield "formula.csv", f"id,Title\n=1+1,=HYPERLINK(0)\n-2,{SENTENCE}\n"
    yield "wide.csv", "Title," + "a," * 200_000 + "b\nT\n"
    yield "open_quote.csv", 'Title,Abstract\n"' + "x,y\n" * 1_000
    yield "quotes.csv", "Title,Abstract\n" + '"a""' * 20_000
    yield "long_field.csv", f"Title,Abstract\nT,{'x' * 1_000_000}\n"
    yield "semicolons.csv", f"Title;Abstract\nT;{SENTENCE}\n"
    yield "damaged.xlsx", b"PK\x03\x04nonsense"
    yield "bomb.xlsx", _zip({"xl/workbook.xml": b"0" * (300 << 20)})
    yield "no_workbook.xlsx", _zip({"xl/a.xml": b"<a/>"})
    yield "archive.zip", _zip({"a.txt": SENTENCE.encode()})


def _zip(members: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return stream.getvalue()


def _others() -> Iterator[tuple[str, bytes | str]]:
    yield "damaged.pdf", b"%PDF-1.7\nnonsense"
    yield "nonsense.spacy", b"nonsense"
    yield "bomb.spacy", zlib.compress(b"0" * (300 << 20), 1)
    yield "cut.nbib", "PMID- 1\nTI  - " + SENTENCE + "\nPMID- "
    yield "cut.ris", "TY  - JOUR\nTI  - " + SENTENCE
    yield "no_text.nbib", "PMID- 1\nSTAT- x\n"
    yield "picture.txt", b"\x89PNG\r\n\x1a\n"
    yield "binary.txt", bytes(range(256)) * 10
    yield "latin1.txt", b"caf\xe9"
    yield "page.txt", "<html><body>" + SENTENCE
    yield "ids.txt", "1\n2\nnonsense\n10.1021/x\n"
    yield "odd_id.txt", "1\n2\n4567x\n"
    yield "windows.txt", f"Title\r\n\r\n{SENTENCE}\r\n"
    yield "report.docx", _zip({"word/document.xml": b"<a/>"})
    yield "damaged.docx", b"PK\x03\x04nonsense"
    yield "slides.pptx", _zip({"ppt/presentation.xml": b"<a/>"})
    yield "itself.pdf", b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog /Pages 1 0 R >>\nendobj\n%%EOF"


def _texts() -> Iterator[tuple[str, bytes | str]]:
    for name, piece in {
        "suspended.txt": "3-, ",
        "lists.txt": "3- and ",
        "letters.txt": "acids A-Z, ",
        "brackets.txt": "(",
        "nested.txt": "(a",
        "less_than.txt": "a < <",
        "tags.txt": "x <b",
        "comments.txt": "x <!--",
        "entities.txt": "&amp;amp;",
        "hyphens.txt": "1,2-",
        "names.txt": "usnic acid and Usnea barbata, ",
        "abbreviations.txt": "Alpha (AL), ",
        "accents.txt": "a\u0301\u0301",
        "one_word.txt": "A",
    }.items():
        yield name, "T. " + piece * (LONGEST // len(piece))


def _configs() -> Iterator[tuple[str, bytes | str]]:
    laughs = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n"
    laughs += "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 10))
    yield "laughs.yaml", laughs
    yield "itself.yaml", "lotus: &a [*a]\n"
    yield "deep.yaml", "[" * 50_000
    yield "digits.yaml", f"seed: {'9' * 5_000}\n"
    yield "date.yaml", "seed: 2001-99-99\n"
    yield "tabs.yaml", "lotus:\n\trelations: x\n"
    yield "list.yaml", "- a\n"
    yield "unknown.yaml", "nothing: 1\n"
    yield "latin1.yaml", b"# \xe9\n"
    yield "empty.yaml", ""
    yield "untrained.yaml", "extract: {model: smollm2-135m}\n"
    yield "no_extractor.yaml", "extract: {model: bultin}\n"
    yield "two_points.yaml", "extract: {min_score: 0.5, precision: 0.5}\n"
    yield "misspelt.yaml", "rank: {kep: 1}\nleaderboard: {shot: 1}\nevaluate: {protocol: lax}\n"


def _predictions() -> Iterator[tuple[str, bytes | str]]:
    relation = {"organism": "Allium cepa", "chemical": "Quercetin"}

    def line(**fields: object) -> str:
        return json.dumps({"id": "1", "relations": [{**relation, **fields}], "error": None}) + "\n"

    good = json.dumps({"id": "2", "relations": [], "error": None}) + "\n"
    for name, value in {"text": "a", "list": [], "infinite": 1e999, "nan": float("nan"), "true": True}.items():
        yield f"score_{name}.jsonl", good + line(score=value)
    yield "evidence.jsonl", good + line(evidence=[{"start": "a"}]) + line(evidence=1)
    yield "identifiers.jsonl", good + line(organism_id=1) + line(status=[])
    yield "no_relations.jsonl", good + '{"id": "1"}\n{"id": "3", "relations": 1}\n[]\n'
    yield "table.csv", "document,organism,chemical,score\n1,a,,1\n2,a,b,x\n,a,b,\n3,a,b,0.5\n"
    yield "half_table.csv", "document,organism\n1,a\n"


_KINDS: dict[str, Callable[[], Iterator[tuple[str, bytes | str]]]] = {
    "JSON": _json,
    "XML": _xml,
    "tables": _tables,
    "other files": _others,
    "texts without end": _texts,
    "configs": _configs,
    "predictions": _predictions,
}
