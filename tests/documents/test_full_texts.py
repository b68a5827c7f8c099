"""Files of full texts become documents: by content, in folders, packages and pipes."""

import gzip
import io
import json
import random
import tarfile
from pathlib import Path

import pytest

from abroad.core.context import Context
from abroad.core.errors import InputError
from abroad.documents.inputs import read_inputs
from abroad.documents.parts import parts
from tests.sources.formats.test_full_texts import JATS, PMC, PUBTATOR


def read(*paths, context=None):
    return read_inputs(paths, context or Context())


def package(path, mode="w:gz", **files):
    with tarfile.open(path, mode) as archive:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return path


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.nxml", JATS.encode()),
        ("a.xml", JATS.encode()),
        ("a.txt", JATS.encode()),
        ("a.nxml.gz", gzip.compress(JATS.encode())),
        ("a.gz", gzip.compress(JATS.encode())),
        ("a.json", json.dumps(PMC).encode()),
        ("a.txt", json.dumps([PMC]).encode()),
    ],
)
def test_a_full_text_is_known_by_its_content(tmp_path, name, data):
    (tmp_path / name).write_bytes(data)
    (document,) = read(tmp_path / name)
    assert (document.id, document.pmid, document.extra["pmcid"]) == ("35011345", "35011345", "PMC8746400")
    assert document.extra["year"] == 2022 and "Thanks" not in document.abstract
    titles = [section["title"] for section in document.extra["sections"]]
    assert titles[0] == "Abstract" and any("Introduction" in title for title in titles)
    for section in document.extra["sections"]:
        heading = section["title"].rpartition(" > ")[2]
        text = document.text[section["start"] : section["end"]]
        assert text.startswith(heading) or heading == "Abstract"


def test_offsets_of_sections_survive_documents_as_jsonl(tmp_path):
    (tmp_path / "a.nxml").write_text(JATS)
    (document,) = read(tmp_path / "a.nxml")
    (tmp_path / "d.jsonl").write_text(json.dumps(document.to_dict()))
    (again,) = read(tmp_path / "d.jsonl")
    assert again == document and parts(again) == parts(document)


def test_a_folder_and_a_package_give_each_paper_with_its_figures(tmp_path):
    folder = tmp_path / "papers"
    folder.mkdir()
    (folder / "one.nxml").write_text(JATS)
    (folder / "molecules-27-g001.jpg").write_bytes(b"")
    (document,) = read(folder)
    assert document.extra["images"] == [str(folder / name) for name in ("graphical-1", "molecules-27-g001.jpg")]
    files = {"PMC1/one.nxml": JATS.encode(), "PMC1/molecules-27-g001.gif": b"", "PMC1/x.pdf": b"%PDF-"}
    other = JATS.replace("35011345", "2").replace("8746400", "2")
    for name, mode in (("p.tar.gz", "w:gz"), ("p.tgz", "w:gz"), ("p.tar", "w")):
        found = read(package(tmp_path / name, mode, **files, **{"PMC2/two.xml": other.encode()}))
        assert [each.id for each in found] == ["35011345", "2"]
        assert [tmp_path / n for n in found[0].extra["images"]] == [tmp_path / "PMC1/molecules-27-g001.gif"]
        assert found[0].extra["images_set_aside"][0].startswith("image graphical-1: no file of the package")


def test_a_package_that_breaks_off_gives_what_it_holds_and_is_named(tmp_path):
    chance = random.Random(1)
    noise = {
        f"PMC{n}/{n}.nxml": JATS.replace("35011345", f"{n}").replace("A fungus", chance.randbytes(4_000).hex()).encode()
        for n in range(1, 40)
    }
    path = package(tmp_path / "p.tar.gz", **noise, **{"PMC50/bad.nxml": b"<article><front>"})
    context = Context()
    assert len(read(path, context=context)) == 39
    assert "bad.nxml" in context.rejects.items[0]["where"] and "broken XML" in context.rejects.items[0]["reason"]
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    context = Context()
    assert 0 < len(read(path, context=context)) < 39
    assert "damaged or cut-off" in context.rejects.items[-1]["reason"]


def test_papers_without_ids_go_by_the_names_of_their_files(tmp_path):
    bare = b"<article><body><sec><title>R</title><p>Text.</p></sec></body></article>"
    (tmp_path / "own.nxml").write_bytes(bare)
    assert read(tmp_path / "own.nxml")[0].id == "own"
    found = read(package(tmp_path / "p.tar", "w", **{"a/x.nxml": bare, "a/y.nxml": bare}))
    assert [document.id for document in found] == ["p/x", "p/y"]


def test_what_holds_no_paper_is_refused(tmp_path):
    package(tmp_path / "p.tar.gz", **{"a.pdf": b"%PDF-"})
    (tmp_path / "e.nxml").write_text("<article/>")
    for name in ("p.tar.gz", "e.nxml"):
        with pytest.raises(InputError, match="no document in it"):
            read(tmp_path / name)


def test_pubtator_json_gives_abstracts(tmp_path):
    (tmp_path / "p.json").write_text(json.dumps(PUBTATOR))
    (document,) = read(tmp_path / "p.json")
    assert (document.pmid, document.title, document.abstract) == ("25706243", "A title.", "A text.")
    assert "sections" not in document.extra


def test_a_package_may_come_through_a_pipe(tmp_path):
    data = package(tmp_path / "p.tar.gz", **{"a/x.nxml": JATS.encode()}).read_bytes()
    (document,) = read_inputs([Path("-")], Context(), stdin=io.BytesIO(data))
    assert document.id == "35011345"
