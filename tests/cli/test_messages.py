"""What a person does wrong at the command line is said so that the next try is right: one line, exit code 2."""

from pathlib import Path

import pytest

SENTENCE = "Quercetin was isolated from the bulbs of Allium cepa."


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["extract", "b.txt", "--out", "p.csv"], "b.txt: no such file or folder"),
        (["extract", "docs.jsnl", "--out", "p.csv"], "did you mean docs.jsonl?"),
        (["extract", "none/b.txt", "--out", "p.csv"], "nor is there a folder none"),
        (["extract", SENTENCE], "found a text ('Quercetin was isolated from the bulbs of"),
        (["extract", SENTENCE, "--out", "p.csv"], "use --text"),
        (["extract", "x" * 5_000, "--out", "p.csv"], "found a text"),
        (["extract", "--text", "a.txt"], "--text a.txt: the name of a file"),
        (["extract", "a.txt", "--text", "b", "--out", "p.csv"], "found a.txt and --text"),
        (["extract", "--pmid", "1", "--text", "b"], "found --text and --pmid"),
        (["extract"], "found none"),
        (["extract", "a.txt", "--model", "", "--out", "p.csv"], "--model: expected a name or a path, found no text"),
        (["extract", "a.txt", "--model", "  ", "--out", "p.csv"], "expected the name or the folder of an extractor"),
        (
            ["extract", "a.txt", "--set", "foo=1", "--out", "p.csv"],
            "builtin: no setting 'foo' of the built-in extractor",
        ),
        (["extract", "a.txt", "--set", "min_scor=1", "--out", "p.csv"], "did you mean min_score?"),
        (["extract", "a.txt", "--set", "draft=ngram", "--out", "p.csv"], "--set draft: a setting of language models'"),
        (["extract", "a.txt", "--num-beams", "2", "--out", "p.csv"], "--num-beams: a setting of language models"),
        (["extract", "a.txt", "--trained", "--out", "p.csv"], "--trained: a setting of language models: expected --m"),
        (["extract", "a.txt", "--set", "min_score=1", "--min-score", "0.5", "--out", "p.csv"], "expected one of them"),
        (["extract", "a.txt", "--set", "precision=1", "--precision", "0.5", "--out", "p.csv"], "expected one of them"),
        (["extract", "a.txt", "--model", "bultin", "--out", "p.csv"], "did you mean builtin?"),
        (["extract", "a.txt"], "expected --out FILE"),
        (["extract", "a.txt", "p.csv"], "--out p.csv?"),
        (["extract", "--out", "a.txt", "p.csv"], "the wrong way round?"),
        (
            ["documents", "split", "x.jsonl", "--random", "--out-train", "docs.jsonl", "--out-test", "t.jsonl"],
            "wrong way round",
        ),
        (["extract", "a.txt", "--out", "blocked.csv"], "blocked.csv.abroad is in the way, a file"),
        (["extract", "a.txt", "--out", "x" * 246 + ".csv"], "a name of more than 200 bytes"),
        (["extract", "a.txt", "--out", "x" * 5_000], "a name of more than 200 bytes"),
        (["documents", "split", "y" * 300, "--random", "--out-train", "a.jsonl", "--out-test", "b.jsonl"], "too long"),
        (["evaluate", "--gold", "docs.jsonl", "--pred", "a.txt/b.jsonl"], "b.jsonl: "),
        (["--out", "p.csv", "extract", "a.txt"], "options of a command follow it: abroad extract"),
        (["a.txt"], "abroad extract a.txt --out FILE?"),
        (["extarct", "a.txt"], "Did you mean 'extract'"),
        (["extract", "a.txt", "--out", "p.docx"], "expected a name in .jsonl"),
        (
            ["documents", "split", "docs.jsonl", "--random", "--out-train", "a.json", "--out-test", "b.jsonl"],
            "unknown ending .json",
        ),
        (["evaluate", "--gold", "docs.jsonl", "--pred", "none.csv"], "none.csv: no such file"),
        (
            ["evaluate", "--gold", "docs.jsonl", "--pred", "a.txt"],
            "expected predictions, as `abroad extract` writes them",
        ),
    ],
    ids=lambda value: " ".join(value)[:40] if isinstance(value, list) else None,
)
def test_a_mistake_is_told_in_a_line_that_helps(cli, tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    Path("a.txt").write_text(SENTENCE)
    Path("docs.jsonl").write_text('{"id": "1", "title": "T"}\n')
    Path("blocked.csv.abroad").write_text("mine")
    result = cli(*arguments)
    assert result.exit_code == 2, result.output
    assert message in result.stderr and len(result.stderr.strip().splitlines()) <= 4
    assert Path("a.txt").read_text() == SENTENCE and Path("blocked.csv.abroad").read_text() == "mine"


def test_the_endings_are_the_same_wherever_they_are_named(cli):
    from abroad.cli.extract import PREDICTIONS
    from abroad.documents.formats import ENDINGS, FORMATS
    from abroad.documents.inputs import read_documents
    from abroad.sources.formats.recognise import SUFFIXES

    assert PREDICTIONS.endings == ENDINGS and read_documents and SUFFIXES
    help = " ".join(cli("extract", "--help").stdout.split())
    assert all(name in help and endings[0] in help for name, endings in FORMATS.items())
