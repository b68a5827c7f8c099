"""Images of documents are found from wherever a command runs, and wherever it writes the documents."""

import json
from pathlib import Path

import pytest

from abroad.core.context import Context
from abroad.core.io import write_documents
from abroad.documents.images import for_file, image_paths
from abroad.documents.inputs import InputSettings, read_documents, read_inputs
from abroad.documents.instructions import read_training_set
from abroad.documents.stream import open_inputs
from tests.conftest import make_document


@pytest.fixture
def papers(tmp_path):
    """Two files in folders of their own, each of a document with a figure of one name."""
    made = []
    for name in ("one", "two"):
        folder = tmp_path / name
        (folder / "figures").mkdir(parents=True)
        (folder / "figures" / "1.png").write_bytes(name.encode())
        document = make_document(name, "T.", "Usnea was studied.", [])
        document.extra["images"] = ["figures/1.png", str(tmp_path / "absolute.png")]
        write_documents(folder / "docs.jsonl", [document])
        made.append(folder / "docs.jsonl")
    (tmp_path / "absolute.png").write_bytes(b"absolute")
    return made


def shown(documents):
    """What the images of documents hold, as they are read from the current directory."""
    return {d.id: [path.read_bytes().decode() for path in image_paths(d, Path())] for d in documents}


def _streamed(paths):
    from abroad.core.schema import Document

    with open_inputs(paths, Context(), InputSettings()) as inputs:
        return [Document.from_dict(record) for record in inputs.records(Context())]


READERS = {
    "listed": lambda paths: read_inputs(paths, Context()),
    "streamed": _streamed,
    "alone": lambda paths: [d for path in paths for d in read_documents(path)],
    "training": lambda paths: [d for path in paths for d in read_training_set(path, Context())],
    "folders": lambda paths: [d for path in paths for d in read_documents(path.parent)],
}


@pytest.mark.parametrize("relative", [False, True])
@pytest.mark.parametrize("reader", READERS)
def test_whatever_reads_documents_finds_their_own_images(reader, relative, papers, tmp_path, monkeypatch):
    here = tmp_path / "elsewhere"
    here.mkdir()
    monkeypatch.chdir(here)
    paths = [Path("..") / path.relative_to(tmp_path) for path in papers] if relative else papers
    assert shown(READERS[reader](paths)) == {name: [name, "absolute"] for name in ("one", "two")}


def test_documents_that_are_written_elsewhere_name_the_same_images(papers, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    out = tmp_path / "deep" / "er" / "all.jsonl"
    out.parent.mkdir(parents=True)
    relative = [path.relative_to(tmp_path) for path in papers]
    write_documents(out, for_file(read_inputs(relative, Context()), out.relative_to(tmp_path)))
    named = [json.loads(line)["images"] for line in out.read_text().splitlines()]
    assert named == [[f"../../{name}/figures/1.png", str(tmp_path / "absolute.png")] for name in ("one", "two")]
    monkeypatch.chdir("/")
    assert shown(read_documents(out)) == {name: [name, "absolute"] for name in ("one", "two")}


def test_a_split_keeps_images(papers, tmp_path, cli):
    many = tmp_path / "one" / "many.jsonl"
    documents = [make_document(f"d{n}", "T.", f"Usnea {n} was studied.", []) for n in range(8)]
    for document in documents:
        document.extra["images"] = ["figures/1.png"]
    write_documents(many, documents)
    (tmp_path / "parts").mkdir()
    parts = [tmp_path / "parts" / "train.jsonl", tmp_path / "parts" / "test.jsonl"]
    words = ["--out-train", parts[0], "--out-test", parts[1], "--test-share", 0.5]
    assert cli("documents", "split", many, "--random", *words).exit_code == 0
    found = [document for part in parts for document in read_documents(part)]
    assert shown(found) == {f"d{n}": ["one"] for n in range(8)}


@pytest.mark.parametrize("value", [None, "figure.png", [1], [], {"a": "b"}])
def test_what_is_no_list_of_paths_stays_as_it_is(value, tmp_path):
    document = make_document("1", "T.", "A.", [])
    document.extra["images"] = value
    (written,) = for_file([document], tmp_path / "out.jsonl")
    assert written.extra["images"] == value
