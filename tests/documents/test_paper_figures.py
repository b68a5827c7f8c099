"""Figures of a paper are its own files: nothing outside of its folder or package is ever named for a model to see."""

import io
import os
import tarfile
from pathlib import Path

import pytest

from abroad.core.context import Context
from abroad.documents.images import figures
from abroad.documents.inputs import InputSettings, read_inputs
from abroad.documents.paper_figures import Beside, each_within, within
from abroad.documents.stream import open_inputs
from abroad.sources.formats.full_text import FullText

PIL = pytest.importorskip("PIL")
from PIL import Image  # noqa: E402

OUTSIDE = "it leads out of the paper's folder"


def picture(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (40, 20), "red").save(path, format="PNG")
    return path


def png():
    stream = io.BytesIO()
    Image.new("RGB", (40, 20), "red").save(stream, format="PNG")
    return stream.getvalue()


def jats(*names, pmid=1):
    shown = "".join(f'<fig><graphic xlink:href="{name}"/></fig>' for name in names)
    return (
        '<article xmlns:xlink="http://www.w3.org/1999/xlink"><front><article-meta>'
        f'<article-id pub-id-type="pmid">{pmid}</article-id>'
        "<title-group><article-title>Lichen acids.</article-title></title-group></article-meta></front>"
        f"<body><sec><title>Results</title><p>See figure 1.</p>{shown}</sec></body></article>"
    ).encode()


def package(path, members):
    """A package of files (bytes) and links (what they lead to)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w:gz") as archive:
        for name, content in members:
            member = tarfile.TarInfo(name)
            if isinstance(content, bytes):
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))
            else:
                member.type, member.linkname = tarfile.SYMTYPE, content
                archive.addfile(member)
    return path


def read(*paths, **more):
    return read_inputs(paths, Context(), **more)


def placed(document, folder):
    """Where the images lie of a document whose file lies in a folder."""
    return [folder / name for name in document.extra["images"]]


@pytest.fixture
def secret(tmp_path):
    return picture(tmp_path / "secret.png")


def names_that_lead_out(secret):
    return [
        str(secret),
        str(secret.with_suffix("")),
        "../secret.png",
        "../secret",
        "figures/../../secret.png",
        "link.png",
        "link",
        "linked/secret.png",
        "linked/secret",
        "linked/missing.png",
        "..",
        ".",
        "..\\secret.png",
        "file:///secret.png",
        "https://example.org/a.png",
        "data:image/png;base64,AAAA",
    ]


def test_an_unpacked_paper_names_only_what_lies_in_its_folder(tmp_path, secret):
    folder = tmp_path / "PMC1"
    picture(folder / "own.png")
    (folder / "link.png").symlink_to(secret)
    (folder / "linked").symlink_to(tmp_path)
    (folder / "inner.png").symlink_to(folder / "own.png")
    out = names_that_lead_out(secret)
    (folder / "p.nxml").write_bytes(jats("own.png", *out, "inner"))
    (document,) = read(folder)
    assert document.extra["images"] == [str(folder / "own.png"), str(folder / "inner.png")]
    assert len(document.extra["images_set_aside"]) == len(out)
    for name, reason in zip(out, document.extra["images_set_aside"], strict=True):
        assert reason.startswith(f"image {name}: ")
        assert reason.endswith("not fetched" if ":" in name else OUTSIDE), reason
    found = figures(document, tmp_path, 64)
    assert len(found.urls) == 2 and found.set_aside == tuple(document.extra["images_set_aside"])
    assert figures(document, tmp_path, 0).set_aside == ()


@pytest.mark.parametrize("unpacked", [False, True])
def test_a_package_names_its_own_members_only(unpacked, tmp_path, secret):
    folder = tmp_path / "here" / "deep"
    out = [*names_that_lead_out(secret), "../PMC2/other.png", "/abs.png", "../../../secret.png"]
    members = [
        ("./PMC1/p.nxml", jats("own", *out)),
        ("./PMC1/own.png", png()),
        ("./PMC1/link.png", str(secret)),
        ("./PMC1/linked", str(tmp_path)),
        ("./PMC1/linked/secret.png", png()),
        ("PMC2/other.png", png()),
        ("/abs.png", png()),
        (str(secret), png()),
        ("../../secret.png", png()),
    ]
    path = package(folder / "p.tar.gz", members)
    if unpacked:  # as a careless program does it
        picture(folder / "PMC1/own.png")
        (folder / "PMC1/link.png").symlink_to(secret)
        (folder / "PMC1/linked").symlink_to(tmp_path)
    (document,) = read(path)
    assert placed(document, folder) == [folder / "PMC1/own.png"]
    assert len(document.extra["images_set_aside"]) == len(out)
    found = figures(document, folder, 64)
    assert len(found.urls) == unpacked and len(found.set_aside) == len(out) + (not unpacked)


def test_what_lies_beside_a_package_under_the_name_of_a_member_is_not_taken_for_it(tmp_path, secret):
    path = package(tmp_path / "p.tar.gz", [("p.nxml", jats("secret.png")), ("secret.png", png() + b"longer")])
    (document,) = read(path)
    assert "images" not in document.extra and "is not the file of the package" in document.extra["images_set_aside"][0]


@pytest.mark.parametrize("large", [False, True])
@pytest.mark.parametrize("packed", [False, True])
def test_a_paper_from_a_pipe_has_no_figures_and_is_the_same_each_time(packed, large, tmp_path, secret, monkeypatch):
    monkeypatch.chdir(tmp_path)
    if large:
        monkeypatch.setattr("abroad.documents.stream.LARGE", 1)
    data = jats("secret.png", str(secret))
    if packed:
        data = package(tmp_path / "p.tar.gz", [("p.nxml", data), ("secret.png", png())]).read_bytes()
    keys = set()
    for _ in range(2):
        with open_inputs([Path("-")], Context(), InputSettings(), io.BytesIO(data)) as found:
            (record,) = found.records(Context())
            keys.add(found.key)
        assert "images" not in record and len(record["images_set_aside"]) == 2
    assert len(keys) == 1  # so that a run goes on where it was
    (document,) = read(Path("-"), stdin=io.BytesIO(data))
    assert document.to_dict() == record


def test_a_package_that_is_converted_record_by_record_names_the_same(tmp_path, secret, monkeypatch):
    path = package(tmp_path / "p.tar.gz", [("PMC1/p.nxml", jats("own", str(secret))), ("PMC1/own.png", png())])
    listed = [document.to_dict() for document in read(path)]
    monkeypatch.setattr("abroad.documents.stream.LARGE", 1)
    with open_inputs([path], Context(), InputSettings()) as found:
        (record,) = found.records(Context())
    assert [record] == listed and record["images"]


def test_a_large_package_is_read_without_figures_and_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr("abroad.documents.xml_documents._MAX_LISTED", 1)
    (document,) = read(package(tmp_path / "p.tar.gz", [("p.nxml", jats("own")), ("own.png", png())]))
    assert "images" not in document.extra and "unpack it" in document.extra["images_set_aside"][0]


NAMES = ("sub/fig3", "fig1", "fig2.jpg", "fig4.tif", "./fig5", "sub/../fig6")
FILES = ("sub/fig3.tif", "fig1.jpg", "fig1.gif", "fig2.jpg", "fig4.tif.png", "fig5.JPG", "fig6.jpeg", "fig1.txt")
WANTED = ["sub/fig3.tif", "fig1.jpg", "fig2.jpg", "fig4.tif.png", "fig5.JPG", "fig6.jpeg"]


def test_a_name_without_its_ending_is_found_unpacked_as_in_the_package(tmp_path):
    papers = tmp_path / "papers"
    for name in FILES:
        picture(papers / "PMC1" / name)
    (papers / "PMC1" / "p.nxml").write_bytes(jats(*NAMES))
    (document,) = read(papers)
    assert document.extra["images"] == [str(papers / "PMC1" / name) for name in WANTED]
    members = [("PMC1/p.nxml", jats(*NAMES)), *((f"PMC1/{name}", png()) for name in FILES)]
    (packed,) = read(package(tmp_path / "p.tar.gz", members))
    assert placed(packed, tmp_path) == [tmp_path / "PMC1" / name for name in WANTED]


def test_a_folder_of_unpacked_papers_gives_each_with_its_figures(tmp_path):
    for number in (1, 2, 3):
        picture(tmp_path / f"PMC{number}" / "gr1.png")
        (tmp_path / f"PMC{number}" / "paper.nxml").write_bytes(jats("gr1", pmid=number))
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "notes.txt").write_text("No paper.")
    (tmp_path / "alone.txt").write_text("Usnea had usnic acid.")
    context = Context()
    found = read_inputs([tmp_path], context)
    assert [document.id for document in found] == ["1", "2", "3", "alone"]
    shown = [document.extra.get("images") for document in found]
    assert shown == [*([str(tmp_path / f"PMC{number}" / "gr1.png")] for number in (1, 2, 3)), None]
    assert context.rejects.notes[0] == f"{tmp_path}: skipped 1: other/ (a folder)"


def test_a_figure_that_is_not_there_yet_stays_named_within_the_folder(tmp_path, secret):
    (tmp_path / "PMC1").mkdir()
    (tmp_path / "PMC1" / "p.nxml").write_bytes(jats("secret.png"))
    (document,) = read(tmp_path / "PMC1" / "p.nxml")
    assert document.extra["images"] == [str(tmp_path / "PMC1" / "secret.png")]
    (told,) = figures(document, tmp_path, 64).set_aside
    assert told.endswith("PMC1/secret.png: no such file")


def test_names_read_without_a_folder_lead_out_of_none(secret):
    paper = each_within(FullText(images=("a.png", "sub/./b.png", str(secret), "../c.png", "http://x.org/d.png")))
    assert paper.images == ("a.png", "sub/b.png") and len(paper.images_set_aside) == 3


@pytest.mark.parametrize("name", ["x" * 5000, "a\0b", "a/" * 3000 + "b.png"])
def test_a_name_that_no_file_has_ends_nothing(name, tmp_path):
    (tmp_path / "p.nxml").write_bytes(jats("own"))
    try:
        found = Beside(tmp_path)(name)
    except Exception as error:
        assert OUTSIDE in str(error)
    else:
        assert found.startswith(str(tmp_path) + os.sep)
    assert within("a/b.png") == "a/b.png"
