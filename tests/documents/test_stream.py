"""Documents read record by record are those that a list of them would be."""

import csv
import gzip
import io
import json
import re
import tarfile
from pathlib import Path

import pytest

from abroad.core.context import Context
from abroad.core.errors import InputError
from abroad.core.io import read_records
from abroad.documents import file_documents, stream
from abroad.documents.file_documents import Source
from abroad.documents.inputs import InputSettings, read_inputs
from abroad.documents.stream import ListedDocuments, Streamed, open_inputs
from tests.sources.servers import article_set, article_xml

PAPERS = {
    "a.jsonl": [
        {"id": "1", "AbstractText": "One."},
        {"id": "2", "title": "Two", "PMID": 7},
        {"AbstractText": "No id."},
    ],
    "b.jsonl": [{"id": "1", "AbstractText": "Another."}, {"id": "7", "PMID": "7", "AbstractText": "Seven."}],
    "c.jsonl": [{"id": "7", "PMID": "7", "AbstractText": "Seven."}, {"id": "9", "AbstractText": "Nine."}],
    "repeats.jsonl": [{"id": "5", "AbstractText": "Five."}, {"id": "5", "AbstractText": "Again."}, {"id": "6"}],
}


@pytest.fixture
def folder(tmp_path):
    for name, records in PAPERS.items():
        (tmp_path / name).write_text("".join(json.dumps(record) + "\n" for record in records))
    return tmp_path


def streamed(paths, **more):
    context = Context()
    with open_inputs(paths, context, InputSettings(), **more) as inputs:
        assert isinstance(inputs, Streamed)
        return list(inputs.records(context)), context


@pytest.mark.parametrize(
    "names", [["a.jsonl"], ["repeats.jsonl"], ["a.jsonl", "b.jsonl"], ["b.jsonl", "c.jsonl"], ["c.jsonl", "a.jsonl"]]
)
def test_a_stream_holds_the_documents_of_a_list_and_says_the_same(folder, names):
    paths, listed = [folder / name for name in names], Context()
    records, context = streamed(paths)
    assert records == [document.to_dict() for document in read_inputs(paths, listed)]
    assert context.rejects.items == listed.rejects.items
    assert sorted(context.rejects.notes) == sorted(listed.rejects.notes)


@pytest.mark.parametrize("packed", [False, True])
def test_a_file_packed_with_gzip_and_a_pipe_hold_the_same(folder, packed):
    data = (folder / "a.jsonl").read_bytes()
    (folder / "a.jsonl.gz").write_bytes(gzip.compress(data))
    if packed:
        records, _ = streamed([folder / "a.jsonl.gz"])
        assert [record for _, _, record in read_records(folder / "a.jsonl.gz")] == PAPERS["a.jsonl"]
    else:
        records, _ = streamed([Path("-")], stdin=io.BytesIO(data))
    assert [record["AbstractText"] for record in records] == ["One.", "", "No id."]


@pytest.mark.parametrize("cut", [30, 200, 2_000])
def test_a_truncated_gzip_gives_what_stands_before_the_cut_and_says_so(tmp_path, cut):
    lines = "".join(json.dumps({"id": str(n), "AbstractText": f"Text {n * 7919}."}) + "\n" for n in range(2_000))
    (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress(lines.encode())[:cut])
    context = Context()
    try:
        with open_inputs([tmp_path / "a.jsonl.gz"], context, InputSettings()) as inputs:
            records = list(inputs.records(context))
    except InputError:
        records = []
    assert [record["id"] for record in records] == [str(n) for n in range(len(records))] and len(records) < 2_000
    assert [item["where"] for item in context.rejects.items if "cut off here" in item["reason"]] or cut < 100
    assert len(context.rejects) <= 1  # the record that is torn is told once


@pytest.mark.parametrize("name", ["a.jsonl.gz", "a.jsonl"])
def test_a_broken_record_before_a_cut_is_told_too(tmp_path, name):
    lines = [
        '{"id": "1", "AbstractText": "One."}',
        "{broken",
        *(f'{{"id": "{n}", "x": {n * 7919}}}' for n in range(99)),
    ]
    data = "\n".join(lines).encode()
    (tmp_path / name).write_bytes(gzip.compress(data)[:-20] if name.endswith("gz") else data[:-5])
    context = Context()
    found = [record for _, _, record in read_records(tmp_path / name, context)]
    assert found[0]["id"] == "1" and len({item["where"] for item in context.rejects.items}) == 2
    assert context.rejects.items[0]["reason"].startswith("broken JSON")
    assert len(context.rejects) == 2


def test_the_key_changes_with_what_is_read_and_with_nothing_else(folder):
    def key():
        with open_inputs([folder / "a.jsonl"], Context(), InputSettings()) as inputs:
            return inputs.key

    before = key()
    assert key() == before
    with (folder / "a.jsonl").open("a") as stream:
        stream.write('{"id": "new", "AbstractText": "New."}\n')
    assert key() != before


def test_other_files_are_a_list(tmp_path):
    (tmp_path / "a.json").write_text(json.dumps({"1": {"AbstractText": "One."}}, indent=1))
    with open_inputs([tmp_path / "a.json"], Context(), InputSettings()) as inputs:
        assert isinstance(inputs, ListedDocuments) and inputs.count == 1


def table(sign, end="\n", encoding="utf-8", before=""):
    rows = [
        ("Title", "Abstract", "PMID", "Year"),
        *((f"Title {n}", f'Text "{n}"{sign} β', str(n), "2020") for n in range(40)),
    ]
    text = io.StringIO()
    csv.writer(text, delimiter=sign, lineterminator=end).writerows([*rows, ("one", "too few")])
    return (before + text.getvalue()).encode(encoding)


def pubmed(*more):
    records = [article_xml(str(n), f"Title {n}.", f"Text {n}.") for n in range(40)]
    newer = article_xml("3", "Title 3, mended.").replace('Version="1"', 'Version="2"')
    return article_set(*records, article_xml("5", "Again."), newer, article_xml("77", "", None), *more)


JATS = b"""<article><front><article-meta><article-id pub-id-type="pmid">%d</article-id><title-group><article-title>A
title.</article-title></title-group><abstract><p>Usnic acid.</p></abstract></article-meta></front></article>"""
DELETED = "<DeleteCitation><PMID>7</PMID></DeleteCitation>"


def parquet(tmp_path):
    import polars as pl

    rows = {"title": [f"Title {n}" for n in range(40)], "abstract": ["Text."] * 40, "doi": [None, *["10.1000/x"] * 39]}
    pl.DataFrame(rows).write_parquet(tmp_path / "made.parquet")
    return (tmp_path / "made.parquet").read_bytes()


def package():
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w:gz") as archive:
        for n in range(5):
            info = tarfile.TarInfo(f"p/{n}.nxml")
            info.size = len(JATS % n)
            archive.addfile(info, io.BytesIO(JATS % n))
    return data.getvalue()


def ris(end="\n", encoding="utf-8"):
    records = [
        f"TY  - JOUR\nTI  - Title {n}\nAB  - Text {n} of β.\n  more\nDO  - 10.1000/{n}\nPY  - 2020\nER  - \n\n"
        for n in range(40)
    ]
    records[7] = records[7].replace("ER  - \n", "")
    records[9] = "TY  - JOUR\nER  - \n"
    return ("\n" + "".join(records)).replace("\n", end).encode(encoding)


def nbib(end="\n"):
    records = [
        f"PMID- {n + 1}\nDP  - 1998 Nov\nTI  - Title {n}\n      goes on.\nAB  - Text β.\nLID - 10.1000/{n} [doi]\n\n"
        for n in range(40)
    ]
    records[9] = "PMID- 10\n\n"
    return "".join(records).replace("\n", end).encode()


def workbook(*sheets):
    import openpyxl

    book, data = openpyxl.Workbook(), io.BytesIO()
    book.remove(book.active)
    for number, rows in enumerate(sheets):
        sheet = book.create_sheet(f"Sheet {number}")
        for row in rows:
            sheet.append(row)
    book.save(data)
    return data.getvalue()


ROWS = [
    ("Title", "Abstract", "PMID"),
    *((f"Title {n}", f"Text {n}", n + 1) for n in range(40)),
    ("", None, ""),
    ("x", "y", ""),
]
LARGE_FILES = {
    "refs.ris": lambda _: ris(),
    "windows.ris": lambda _: ris("\r\n", "utf-16"),
    "old-mac.ris": lambda _: ris("\r"),
    "set.nbib": lambda _: nbib(),
    "windows.nbib": lambda _: nbib("\r\n"),
    "packed.nbib.gz": lambda _: gzip.compress(nbib()),
    "book.xlsx": lambda _: workbook([], ROWS, [("more",)]),
    "comma.csv": lambda _: table(","),
    "tab.tsv": lambda _: table("\t", "\r\n"),
    "old-mac.csv": lambda _: table(";", "\r"),
    "excel.csv": lambda _: table("\t", "\r\n", "utf-16"),
    "said.csv": lambda _: table(";", before="\ufeff\n\nsep=;\n"),
    "pubmed.xml": lambda _: pubmed(),
    "update.xml.gz": lambda _: gzip.compress(pubmed(DELETED)),
    "cut.xml.gz": lambda _: gzip.compress(pubmed(), mtime=0)[:-60],
    "broken.xml": lambda _: pubmed()[:-300],
    "paper.nxml": lambda _: JATS % 9,
    "papers.tar.gz": lambda _: package(),
    "rows.parquet": parquet,
}


@pytest.mark.parametrize("name", LARGE_FILES)
def test_a_large_file_gives_the_documents_of_a_small_one_and_says_the_same(tmp_path, monkeypatch, name):
    """Whatever it is: tables, PubMed's XML, full texts, packages and Parquet are converted, a record at a time."""
    path = tmp_path / name
    path.write_bytes(LARGE_FILES[name](tmp_path))
    listed = Context()
    expected = [document.to_dict() for document in read_inputs([path], listed)]
    assert expected
    monkeypatch.setattr(stream, "LARGE", 0)
    work = tmp_path / "work"
    context = Context()
    with open_inputs([path], context, InputSettings(), work=work) as inputs:
        assert isinstance(inputs, Streamed) and inputs.count > 0 and inputs.key
        found = [list(inputs.records(context)), list(inputs.records(Context()))]  # read twice, converted once
    assert found == [expected, expected]
    assert context.rejects.items == listed.rejects.items
    assert sorted(context.rejects.notes) == sorted(listed.rejects.notes)
    assert list(work.iterdir()) == []


def test_large_files_of_several_kinds_go_together(tmp_path, monkeypatch):
    names = ("comma.csv", "tab.tsv", "pubmed.xml", "rows.parquet")
    for name in names:
        (tmp_path / name).write_bytes(LARGE_FILES[name](tmp_path))
    (tmp_path / "a.jsonl").write_text('{"id": "x", "AbstractText": "One."}\n')
    paths, listed = [tmp_path / name for name in (*names, "a.jsonl")], Context()
    expected = [document.to_dict() for document in read_inputs(paths, listed)]
    monkeypatch.setattr(stream, "LARGE", 0)
    records, context = streamed(paths)
    assert records == expected
    assert sorted(map(str, context.rejects.items)) == sorted(map(str, listed.rejects.items))


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("latin.csv", table(",").replace("β".encode(), b"\xe9")),
        ("latin.ris", ris(encoding="utf-8").replace("β".encode(), b"\xe9")),
        ("latin.nbib", nbib().replace("β".encode(), b"\xe9")),
        ("damaged.xlsx", workbook(ROWS)[:2000]),
        ("empty.xlsx", workbook([])),
        ("binary.csv", table(",") + b"\0\0"),
        ("damaged.parquet", b"PAR1" + b"x" * 100),
        ("empty.xml", article_set()),
        ("other.xml", b"<html><body/></html>"),
    ],
)
def test_a_large_file_that_cannot_be_read_is_refused_in_words(tmp_path, monkeypatch, name, data):
    (tmp_path / name).write_bytes(data)
    monkeypatch.setattr(stream, "LARGE", 0)
    context = Context()
    with (
        pytest.raises(InputError, match=re.escape(name)) as caught,
        open_inputs([tmp_path / name], context, InputSettings()) as inputs,
    ):
        if not list(inputs.records(context)):
            raise InputError(inputs.nothing)
    assert "Traceback" not in str(caught.value)


def test_memory_does_not_grow_with_the_records_of_json_lines(tmp_path):
    """A record is handed on before the next is read."""
    lines = [json.dumps({"id": str(n), "AbstractText": "One."}) for n in range(3)]
    (tmp_path / "a.jsonl").write_text("\n".join(lines) + "\n")
    read = []
    source = Source("a.jsonl", "a", tmp_path / "a.jsonl")
    with pytest.MonkeyPatch.context() as patch:
        make = file_documents.DocumentMaker.__call__
        patch.setattr(file_documents.DocumentMaker, "__call__", lambda *a: read.append(1) or make(*a))
        items = file_documents.read_json(source, Context())
        for count in (1, 2, 3):
            next(items)
            assert len(read) == count


def test_what_a_killed_run_left_of_its_pipe_is_removed(tmp_path):

    (tmp_path / "pipe-old").mkdir()
    with open_inputs([Path("-")], Context(), InputSettings(), io.BytesIO(b'{"id": "1", "text": "x"}\n'), tmp_path):
        pass
    assert list(tmp_path.iterdir()) == []
