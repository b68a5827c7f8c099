"""Training sets compared by what the same small model learns from each."""

import json

import pytest

from abroad.core.io import write_documents
from abroad.core.schema import Document, Entity


def documents(prefix, count, right=True):
    names = ["rutin", "quercetin", "lupeol", "luteolin", "apigenin", "betulin"]
    genera = ["Ruta graveolens", "Salvia officinalis", "Mentha spicata", "Thymus vulgaris"]
    result = []
    for n in range(count):
        organism, chemical, other = genera[n % 4], names[n % 6], names[(n + 1) % 6]
        text = (
            f"{chemical.capitalize()} was isolated from {organism}; {other} was bought. Both act on Escherichia coli."
        )
        label = chemical if right else other
        sides = ([Entity("o", organism)], [Entity("c", label)])
        result.append(Document(f"{prefix}{n}", f"Study {n}", text).with_products(*sides, [("o", "c")]))
    return result


@pytest.fixture
def files(tmp_path):
    for name, docs in {
        "good": documents("g", 14),
        "bad": documents("b", 14, right=False),
        "dev": documents("d", 8),
    }.items():
        write_documents(tmp_path / f"{name}.jsonl", docs)
    return tmp_path


def compare(cli, files, *sets):
    return cli("synth", "compare", *sets, "--dev", files / "dev.jsonl", "--out", files / "out")


def named(files, *names):
    return [f"{name}={files / name}.jsonl" for name in names]


def test_the_set_with_true_relations_wins(cli, files):
    result = compare(cli, files, *named(files, "bad", "good"))
    table = result.stdout.splitlines()
    assert result.exit_code == 0 and table[1].startswith("bad") and table[2].startswith("good")
    bad, good = json.loads((files / "out" / "compare.json").read_text())
    assert bad["difference"] is None and good["difference"]["difference"] > 50
    page = (files / "out" / "compare.html").read_text()
    assert "<svg" in page and ">good<" in page


def test_what_was_trained_is_not_trained_again(cli, files, monkeypatch):
    compare(cli, files, *named(files, "good"))
    monkeypatch.setattr("abroad.extraction.builtin.fit.train_extractor", None)
    assert compare(cli, files, *named(files, "good")).exit_code == 0


def test_a_set_that_holds_the_documents_scored_on_is_refused(cli, files):
    result = compare(cli, files, *named(files, "good", "dev"))
    assert result.exit_code == 2 and "scored on" in result.stderr


@pytest.mark.parametrize(("set", "said"), [("good", "NAME=FILE"), ("a=missing.jsonl", "missing.jsonl")])
def test_a_set_without_a_name_or_file_is_refused(cli, files, set, said):
    result = compare(cli, files, set)
    assert result.exit_code == 2 and said in result.stderr
