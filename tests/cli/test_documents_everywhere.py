"""Every command that takes documents or predictions takes them in every form: none reads JSON alone."""

import ast
import json
from pathlib import Path

import pytest

from tests.sources.formats.test_bibliographies import NBIB, RIS
from tests.sources.formats.test_spreadsheets import workbook
from tests.sources.servers import article_set, article_xml

ROOT = Path(__file__).parents[2]
READERS = {"read_documents", "read_predictions"}
OF_OWN_RESULTS = {
    *("cli/extract.py", "cli/fewshot.py", "core/io.py", "documents/curated/fetch.py", "documents/fetch.py"),
    *("documents/inputs.py", "documents/predictions.py", "experiments/compare.py", "experiments/leaderboard/run.py"),
    *("extraction/base.py", "pipeline/extract.py", "pipeline/stages.py"),
}
"""Modules that read back what abroad itself has just written, as JSONL."""
MODULES = sorted((ROOT / "abroad").rglob("*.py"))
FILES = {
    "set.nbib": NBIB.encode(),
    "set.ris": RIS.encode(),
    "set.xml": article_set(article_xml("1", "T", "A"), article_xml("2", "U", "B"), article_xml("3", "V", "C")),
    "set.csv": b"Title,Abstract\nT,A\nU,B\nV,C\n",
    "set.xlsx": workbook(("s", [["id", "Title", "Abstract"], ["a", "T", "A"], ["b", "U", "B"], ["c", "V", "C"]])),
}


def test_no_command_and_no_stage_reads_json_alone():
    """`abroad.documents.inputs.read_documents` and `abroad.documents.predictions.read_predictions` read every form."""
    found = {
        module.relative_to(ROOT / "abroad").as_posix()
        for module in MODULES
        for node in ast.walk(ast.parse(module.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and node.module == "abroad.core.io"
        if READERS & {alias.name for alias in node.names}
    }
    assert found <= OF_OWN_RESULTS


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize(
    "command",
    [
        [
            "documents",
            "split",
            "DOCS",
            "--random",
            "--test-share",
            "0.4",
            "--out-train",
            "a.jsonl",
            "--out-test",
            "b.jsonl",
        ],
        ["annotate", "export", "DOCS", "--html", "page.html"],
    ],
    ids=lambda command: " ".join(command[:2]),
)
def test_a_command_reads_what_extract_reads(cli, tmp_path, monkeypatch, command, name):
    monkeypatch.chdir(tmp_path)
    Path(name).write_bytes(FILES[name])
    result = cli(*[name if word == "DOCS" else word for word in command])
    assert result.exit_code == 0, result.output


def test_a_folder_too_and_a_bad_record_ends_nothing(cli, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("in").mkdir()
    for name, data in FILES.items():
        (Path("in") / name).write_bytes(data)
    Path("in/bad.json").write_text("{broken")
    command = ["documents", "split", "in", "--random", "--out-train", "a.jsonl", "--out-test", "b.jsonl"]
    result = cli(*command)
    assert result.exit_code == 0, result.output
    assert "bad.json" in result.stderr
    lines = [json.loads(line) for path in ("a.jsonl", "b.jsonl") for line in Path(path).read_text().splitlines()]
    assert len(lines) >= 9
