"""Helpers lie in one folder; those of an earlier version are found where they lay."""

from pathlib import Path

import pytest

from abroad.core.helpers import found, helper, helper_folder, taken_over


@pytest.mark.parametrize(
    ("out", "folder"),
    [("p.jsonl", "p.jsonl.abroad"), ("a/b/model", "a/b/model.abroad"), ("a/b/", "a/b.abroad")],
)
def test_helpers_lie_in_a_folder_beside_the_output(out, folder):
    assert helper_folder(out) == Path(folder)
    assert helper(out, "run.json") == Path(folder) / "run.json"


def test_the_current_directory_has_a_name_too(tmp_path, monkeypatch):
    (tmp_path / "here" / "below").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "here" / "below")
    assert helper_folder(".") == tmp_path / "here" / "below.abroad"
    assert helper_folder("..") == tmp_path / "here.abroad"


def test_helpers_of_a_helper_lie_beside_it():
    table = helper("p.csv", "predictions.jsonl")
    assert helper(table, "resume.json") == Path("p.csv.abroad/predictions.jsonl.resume.json")


def test_what_an_earlier_version_kept_is_copied_and_stays(tmp_path):
    out, old = tmp_path / "n.tsv", tmp_path / "n.tsv.cache.jsonl"
    old.write_text("kept")
    assert found(out, "cache.jsonl") == old
    assert taken_over(out, "cache.jsonl").read_text() == old.read_text() == "kept"
    helper(out, "cache.jsonl").write_text("grown")
    assert found(out, "cache.jsonl") == taken_over(out, "cache.jsonl") == helper(out, "cache.jsonl")
    assert taken_over(out, "cache.jsonl").read_text() == "grown"
