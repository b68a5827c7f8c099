"""An integer of thousands of digits, wherever a person can write one, is told in our words, with file, line and key."""

from pathlib import Path

import pytest

LONG = "9" * 5_000
GOLD = '{"id": "1", "title": "T"}\n{"id": "2", "title": "U"}\n'
FILES = {
    "lines.jsonl": f'{GOLD}{{"id": "3", "title": "V", "PMID": {LONG}}}\n',
    "ids.jsonl": f'{GOLD}{{"id": -{LONG}, "title": "V"}}\n',
    "object.json": f'{{"1": {{"title": "T"}},\n"2": {{"title": "U",\n"year": {LONG}}}}}',
    "array.json": f'[{{"id": "1", "title": "T"}},\n{{"id": "2", "title": "U"}},\n{{"PMID": {LONG}}}]',
    "numbers.json": f"[\n{LONG}]",
    "bioc.json": f'{{"documents": [{{"id": {LONG},\n"passages": []}}]}}',
    "table.csv": f"id,Title,PMID,Year\n1,T,{LONG},{LONG}\n2,U,7,2001\n",
    "list.txt": f"7\n{LONG}\n",
    "set.nbib": f"PMID- 1\nTI  - T\nDP  - {LONG}\n\nPMID- {LONG}\nTI  - U\n",
    "set.ris": f"TY  - JOUR\nID  - {LONG}\nPY  - {LONG}\nTI  - T\nER  - \n",
    "abstracts.txt": f"{LONG}. J Nat Prod. 2015 Jan 1;1(1):1. doi: 10.1021/x.\n\nA title.\n\nText.\n\nPMID: 1\n",
}
SAID = {
    "lines.jsonl": 'lines.jsonl:3: broken JSON (an integer of 5,000 digits in "PMID")',
    "ids.jsonl": 'ids.jsonl:3: broken JSON (an integer of 5,000 digits in "id")',
    "object.json": 'object.json:3: broken JSON (an integer of 5,000 digits in "year")',
    "array.json": 'array.json: record 3: broken JSON (line 3: an integer of 5,000 digits in "PMID")',
}
OPTIONS = [
    ["sample", "t.tsv", "--n", LONG, "--out", "s.tsv"],
    ["sample", "t.tsv", "--seed", LONG, "--out", "s.tsv"],
    ["extract", "a.jsonl", "--workers", LONG, "--out", "o.csv"],
    ["extract", "a.jsonl", "--min-score", LONG, "--out", "o.csv"],
    ["extract", "a.jsonl", "--set", f"min_score={LONG}", "--out", "o.csv"],
    ["extract", "a.jsonl", "--num-beams", LONG, "--model", "builtin", "--out", "o.csv"],
    ["evaluate", "--gold", "a.jsonl", "--pred", "a.jsonl", "--resamples", LONG],
    ["rank", "a.jsonl", "a.jsonl", "--out", "r.jsonl", "--steps", LONG],
    ["train", "curve", "--set", "a=a.jsonl", "--sizes", f"1,{LONG}", "--dev", "a.jsonl", "--out", "o"],
    ["documents", "search", "x", "--since", LONG, "--out", "d.jsonl"],
]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("a.jsonl").write_text(GOLD)
    Path("t.tsv").write_text("organism\tchemical\na\tb\n")
    return tmp_path


def in_our_words(result):
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    assert result.exit_code in (0, 1, 2) and "Exceeds" not in result.output and "set_int" not in result.output
    assert "Traceback" not in result.output and LONG not in result.stderr
    return result


@pytest.mark.parametrize("name", FILES)
def test_in_a_file(cli, folder, name):
    Path(name).write_text(FILES[name])
    split = ["--random", "--out-train", "x.jsonl", "--out-test", "y.jsonl"]
    result = in_our_words(cli("documents", "split", name, *split))
    assert SAID.get(name, "") in result.stderr, result.stderr


@pytest.mark.parametrize(
    "arguments", OPTIONS, ids=lambda value: " ".join(word for word in value if LONG not in word)[:60]
)
def test_in_an_option(cli, folder, arguments):
    assert in_our_words(cli(*arguments)).exit_code == 2


def test_in_a_table_of_predictions(cli, folder):
    Path("p.csv").write_text(f"document,organism,chemical,score\n1,a,b,{LONG}\n")
    result = in_our_words(cli("evaluate", "--gold", "a.jsonl", "--pred", "p.csv"))
    assert "p.csv:2: expected a score from 0 to 1" in result.stderr
