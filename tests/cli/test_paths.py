"""Empty paths and pipes on the command line, for every command that takes a path."""

import importlib
import os
import shlex
import threading
from pathlib import Path

import pytest

from abroad.core.errors import InputError
from tests.cli.test_outputs import LINES

RECORDS = "".join(
    f'{{"id": "{number}", "title": "", "abstract": "Quercetin was isolated from Allium cepa."}}\n' for number in (1, 2)
)
PLACES = [
    (name, number)
    for name, line in LINES.items()
    for number, word in enumerate(shlex.split(line))
    if word.startswith(("in-", "out-"))
]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def fed(path, text=RECORDS):
    """A named pipe that somebody writes to."""
    os.mkfifo(path)
    threading.Thread(target=lambda: Path(path).write_text(text), daemon=True).start()
    return path


@pytest.mark.parametrize("name, place", PLACES)
def test_an_empty_path_is_refused(cli, name, place):
    Path("docs.jsonl").write_text(RECORDS)  # which the empty path must not mean
    words = shlex.split(LINES[name])
    words[place] = ""
    result = cli(*name.split(), *words)
    assert result.exit_code == 2 and result.stderr.count("\n") == 1, result.output
    assert "expected a path, found no text" in result.stderr or "expected a name or a path" in result.stderr
    assert [path.name for path in Path().iterdir()] == ["docs.jsonl"]


@pytest.mark.parametrize("words", [["--out="], ["--out", ""]])
def test_an_empty_output_is_refused_in_both_spellings(cli, words):
    Path("docs.jsonl").write_text(RECORDS)
    result = cli("extract", "docs.jsonl", *words)
    assert result.exit_code == 2 and result.stderr == "error: --out: expected a path, found no text\n"


def test_one_empty_path_among_several_is_refused(cli):
    Path("docs.jsonl").write_text(RECORDS)
    assert cli("extract", "docs.jsonl", "", "--out", "p.jsonl").exit_code == 2


def test_an_empty_text_is_no_path(cli):
    assert "the text is empty" in cli("extract", "--text", "").stderr


@pytest.mark.parametrize("name", ["pipe.jsonl", "pipe", "7"])
def test_a_named_pipe_is_read_as_a_file(cli, name):
    Path("docs.jsonl").write_text(RECORDS)
    split = ["documents", "split", "--random", "--out-train", "a.jsonl", "--out-test", "b.jsonl", "--force"]
    assert cli(*split, "docs.jsonl").exit_code == 0
    whole = Path("a.jsonl").read_bytes()
    result = cli(*split, fed(name))
    assert result.exit_code == 0, result.output
    assert Path("a.jsonl").read_bytes() == whole
    assert f"{name}: 2 record(s)" in result.stderr and "abroad-pipe" not in result.stderr


def test_several_pipes_are_several_files(cli):
    gold = '{"id": "1", "title": "", "abstract": "x y", "organisms": [{"id": "o", "label": "x"}], '
    gold += '"chemicals": [{"id": "c", "label": "y"}], "relations": [["o", "c"]]}\n'
    predicted = '{"id": "1", "relations": [{"organism": "x", "chemical": "y"}], "error": null}\n'
    result = cli("evaluate", "--gold", fed("1", gold), "--pred", fed("2", predicted))
    assert result.exit_code == 0 and "1 correct of 1 predicted and 1 gold" in result.stdout


def test_a_config_is_no_pipe_since_its_paths_count_from_its_folder(cli):
    result = cli("run", fed("c.yaml", "out: x\n"))
    assert result.exit_code == 2 and "found a pipe" in result.stderr


@pytest.mark.parametrize("words", [["extract", "/dev/null", "--out", "p.jsonl"], ["config", "check", "/dev/null"]])
def test_a_device_is_no_file(cli, words):
    result = cli(*words)
    assert result.exit_code == 2 and "a pipe or a device; expected" in result.stderr


def test_a_pipe_in_a_folder_is_skipped(cli):
    Path("in").mkdir()
    Path("in/docs.jsonl").write_text(RECORDS)
    os.mkfifo("in/pipe.jsonl")
    result = cli("extract", "in", "--out", "p.jsonl")
    assert result.exit_code == 0 and "pipe.jsonl (a pipe or a device)" in result.stderr


def test_an_empty_path_in_a_config_is_refused(cli):
    Path("c.yaml").write_text('out: run\nextract: {model: builtin}\nevaluate: {gold: ""}\n')
    result = cli("config", "check", "c.yaml")
    assert result.exit_code == 2 and "evaluate: 'gold': expected a path, found no text" in result.stderr


@pytest.mark.parametrize("read", ["abroad.read_documents", "abroad.documents.predictions.read_predictions"])
def test_an_empty_path_in_python_is_refused(read):
    module, _, name = read.rpartition(".")
    with pytest.raises(InputError, match=r"found (no text|an empty path)"):
        getattr(importlib.import_module(module), name)("")
