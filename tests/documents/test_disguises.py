"""A file is what is in it: packed with gzip, in UTF-16 or UTF-32, or under another name, from a folder or a pipe."""

import gzip
import io
import json
import zipfile
from pathlib import Path

import pytest

from abroad.core.context import Context
from abroad.core.errors import InputError
from abroad.documents.inputs import InputSettings, is_json, read_documents, read_inputs
from abroad.documents.predictions import read_predictions
from abroad.documents.stream import Streamed, open_inputs
from abroad.sources.tables import read_rows
from tests.documents.test_inputs import FILES

TEXTS = [name for name in FILES if name not in ("excel.txt", "own.xlsx", "paper.pdf")]
WIDE = ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"]
LINES = [{"id": str(number), "AbstractText": f"β-Sitosterol {'x' * 40} \u2028 𝛼 {number}."} for number in range(3_000)]


def content(documents):
    return [(document.id, document.title, document.abstract) for document in documents]


def read(path, stem):
    """The documents, by file and by pipe, and how they are told."""
    by_file = read_inputs([path], Context())
    by_pipe = read_inputs([Path("-")], Context(), stdin=io.BytesIO(path.read_bytes()))
    renamed = [document.id.replace("stdin", path.stem) for document in by_pipe]
    assert [document.id for document in by_file] == renamed
    assert [document.text for document in by_file] == [document.text for document in by_pipe]
    return [(document.id.replace(path.stem, stem), document.title, document.abstract) for document in by_file]


def plain(folder, name):
    (folder / name).write_bytes(FILES[name][0])
    return content(read_inputs([folder / name], Context()))


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("ending", ["", ".gz", ".bak"])
def test_gzip_is_unpacked_whatever_the_file_is_called(tmp_path, name, ending):
    expected = plain(tmp_path, name)
    path = tmp_path / f"{name}{ending}"
    path.write_bytes(gzip.compress(FILES[name][0]))
    assert read(path, Path(name).stem) == expected


@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.parametrize("encoding", WIDE)
@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
def test_utf16_and_utf32_are_read_with_and_without_their_mark(tmp_path, name, encoding, packed):
    expected = plain(tmp_path, name)
    text = FILES[name][0].decode("utf-8-sig")
    if name.endswith(".xml") and encoding != "utf-16":
        pytest.skip("XML names its encoding itself")
    data = text.encode(encoding)
    (tmp_path / name).write_bytes(gzip.compress(data) if packed else data)
    assert read(tmp_path / name, Path(name).stem) == expected


@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
def test_lines_may_end_in_a_carriage_return_alone(tmp_path, name, encoding, packed):
    expected = plain(tmp_path, name)
    data = FILES[name][0].decode("utf-8-sig").replace("\r\n", "\n").replace("\n", "\r").encode(encoding)
    (tmp_path / name).write_bytes(gzip.compress(data) if packed else data)
    assert read(tmp_path / name, Path(name).stem) == expected


@pytest.mark.parametrize("encoding", ["utf-8", *WIDE])
@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
def test_lines_of_json_are_read_one_by_one_and_by_every_command(tmp_path, encoding, packed):
    path = tmp_path / "lines.jsonl"
    data = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in LINES).encode(encoding)
    path.write_bytes(gzip.compress(data) if packed else data)
    with open_inputs([path], Context(), InputSettings()) as inputs:
        assert isinstance(inputs, Streamed) and inputs.count > 0
        found = list(inputs.records(Context()))
    assert [(record["id"], record["AbstractText"]) for record in found] == [tuple(line.values()) for line in LINES]
    assert is_json(path) and [document.to_dict() for document in read_documents(path)] == found


@pytest.mark.parametrize("encoding", ["utf-8", *WIDE])
@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
@pytest.mark.parametrize("kind", ["jsonl", "csv"])
def test_predictions_are_read_likewise(tmp_path, encoding, packed, kind):
    record = {"id": "1", "relations": [{"organism": "Ruta", "chemical": "β-sitosterol"}], "error": None}
    text = (
        json.dumps(record, ensure_ascii=False)
        if kind == "jsonl"
        else "document,organism,chemical\n1,Ruta,β-sitosterol\n"
    )
    data = text.encode(encoding)
    (tmp_path / f"p.{kind}").write_bytes(gzip.compress(data) if packed else data)
    (prediction,) = read_predictions(tmp_path / f"p.{kind}")
    assert [(r.organism, r.chemical) for r in prediction.relations] == [("Ruta", "β-sitosterol")]


def archive(**files):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as zipped:
        for name, data in files.items():
            zipped.writestr(name.replace("_", "/"), data)
    return stream.getvalue()


REFUSED = {
    "zip": (archive(a="x" * 5_000), "looks like a zip archive; unpack it"),
    "empty zip": (archive(), "looks like a zip archive"),
    "Word": (archive(word_document="x" * 5_000), "looks like a Word document; save it"),
    "bzip2": (b"BZh91AY&SY" + bytes(9), "looks like a bzip2 file; unpack it"),
    "xz": (b"\xfd7zXZ\x00" + bytes(9), "looks like an xz file; unpack it"),
    "zstandard": (b"\x28\xb5\x2f\xfd" + bytes(9), "looks like a zstandard file; unpack it"),
    "SQLite": (b"SQLite format 3\0" + bytes(99), "looks like an SQLite database"),
    "old Excel": (b"\xd0\xcf\x11\xe0" + bytes(99), "looks like an old Office file"),
    "picture": (b"\x89PNG\r\n\x1a\n", "looks like a PNG picture"),
    "gzip in gzip": (gzip.compress(gzip.compress(b"x")), "looks like a gzip file in a gzip file"),
    "damaged gzip": (gzip.compress(b"a text " * 99)[:30], "a gzip file that is damaged or cut off"),
}


@pytest.mark.parametrize("kind", REFUSED)
@pytest.mark.parametrize("name", ["a.jsonl", "a.json", "a.csv", "a.txt", "a.xml", "a.nbib", "a"])
def test_what_is_not_read_is_named_whatever_the_file_is_called(tmp_path, kind, name):
    data, message = REFUSED[kind]
    if kind == "damaged gzip" and name.endswith((".jsonl", ".json", ".xml")):
        message = "broken|damaged"  # what stands before the damage is read, and is a text
    (tmp_path / name).write_bytes(data)
    for given in (lambda: read_inputs([tmp_path / name], Context()), lambda: read_documents(tmp_path / name)):
        with pytest.raises(InputError, match=message):
            given()


@pytest.mark.parametrize("name", ["own.xlsx", "paper.pdf"])
@pytest.mark.parametrize("ending", [".jsonl", ".csv", ".txt", ".xml", ""])
def test_a_workbook_and_a_pdf_are_read_by_any_name(tmp_path, name, ending):
    expected = plain(tmp_path, name)
    path = tmp_path / f"{Path(name).stem}{ending}"
    path.write_bytes(FILES[name][0])
    assert content(read_inputs([path], Context())) == expected


@pytest.mark.parametrize("cut", [1, 3])
def test_utf16_that_is_cut_within_a_character_keeps_the_lines_before_it_and_says_so(tmp_path, cut):
    lines = [json.dumps({"id": str(number), "title": "𝛼"}, ensure_ascii=False) for number in range(2)]
    (tmp_path / "a.jsonl").write_bytes("\n".join(lines).encode("utf-16")[: -2 * len('"}') - cut])
    context = Context()
    assert [document.id for document in read_inputs([tmp_path / "a.jsonl"], context)] == ["0"]
    assert "no UTF-16 from here on" in context.rejects.items[-1]["reason"]


def test_a_folder_reads_packed_files_too(tmp_path):
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(b"id,Title\n1,T\n"))
    (tmp_path / "b.txt.gz").write_bytes(gzip.compress(b"Berberine was found."))
    assert [document.id for document in read_inputs([tmp_path], Context())] == ["1", "b.txt"]


@pytest.mark.parametrize("encoding", WIDE)
@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
def test_tables_of_relations_are_read_likewise(tmp_path, encoding, packed):
    data = "organism\tchemical\nRuta\tβ-sitosterol\n".encode(encoding)
    (tmp_path / "t.tsv").write_bytes(gzip.compress(data) if packed else data)
    rows = read_rows(tmp_path / "t.tsv", ["organism", "chemical"], "\t", "a table", Context())
    assert list(rows) == [(2, ("Ruta", "β-sitosterol"))]


def test_a_table_in_utf16_that_is_cut_within_a_character_is_refused(tmp_path):
    (tmp_path / "t.tsv").write_bytes("organism\tchemical\nRuta\trutin\n".encode("utf-16")[:-1])
    with pytest.raises(InputError, match="no UTF-16 from here on"):
        list(read_rows(tmp_path / "t.tsv", ["organism", "chemical"], "\t", "a table", Context()))
