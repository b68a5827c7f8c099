"""Documents read record by record are those that a list of them would be."""

import gzip
import io
import json
from pathlib import Path

import pytest

from abroad.core.context import Context
from abroad.core.errors import InputError
from abroad.core.io import read_records
from abroad.documents.inputs import InputSettings, read_inputs
from abroad.documents.stream import JsonLines, ListedDocuments, open_inputs

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
        assert isinstance(inputs, JsonLines)
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
    assert cut < 100 or any("cut off here" in item["reason"] for item in context.rejects.items)


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


def test_what_a_killed_run_left_of_its_pipe_is_removed(tmp_path):

    (tmp_path / "pipe-old").mkdir()
    with open_inputs([Path("-")], Context(), InputSettings(), io.BytesIO(b'{"id": "1", "text": "x"}\n'), tmp_path):
        pass
    assert list(tmp_path.iterdir()) == []
