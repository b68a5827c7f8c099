"""Training and cross-validation of the default extractor, on the project's own synthetic abstracts."""

import json
from pathlib import Path

import numpy as np
import pytest

from abroad.evaluation.metrics import micro_scores
from abroad.extraction.builtin.align import gold_tags
from abroad.extraction.builtin.fit import Example, cross_validate, split_folds
from abroad.extraction.builtin.iob import read_iob, retokenised
from abroad.extraction.builtin.mentions import NameTagger
from abroad.extraction.builtin.pairs import default_names
from abroad.extraction.builtin.reading import read_text
from abroad.io import read_documents, read_predictions
from tests.conftest import make_document

SYNTHETIC = Path(__file__).parents[3] / "data" / "synthetic" / "abstracts.jsonl"


@pytest.fixture(scope="module")
def synthetic():
    return read_documents(SYNTHETIC)


def test_held_out_scores_come_from_models_that_never_saw_the_document(synthetic):
    """Gold that is random cannot be predicted: what is learnt by heart would show."""
    names = default_names()
    held_out = cross_validate([Example(document) for document in synthetic[:30]], [], names, folds=3)
    predictions = held_out.predictions([Example(document) for document in synthetic[:30]])
    assert [p.id for p in predictions] == [d.id for d in synthetic[:30]]
    scores = micro_scores(synthetic[:30], predictions)
    assert 20 < scores.f1 < 99
    assert 0 <= held_out.facts["calibration error"]["platt"] < 0.3


def test_folds_are_a_partition_that_the_seed_fixes():
    parts = split_folds(23, 5, seed=1)
    assert sorted(place for part in parts for place in part) == list(range(23))
    assert parts == split_folds(23, 5, seed=1) != split_folds(23, 5, seed=2)


def test_the_command_trains_measures_and_the_model_is_used(cli, tmp_path, synthetic):
    curated, out, held_out = tmp_path / "curated.jsonl", tmp_path / "extractor", tmp_path / "held_out.jsonl"
    lines = SYNTHETIC.read_text(encoding="utf-8").splitlines()
    curated.write_text("\n".join([*lines[:14], '{"id": "broken"}']), encoding="utf-8")
    result = cli("extractor", "train", curated, "--out", out, "--cv", 2, "--held-out", held_out)
    assert result.exit_code == 0, result.output
    assert "curated.jsonl:15: no abstract" in result.stderr  # the bad record is set aside and told
    assert len(read_predictions(held_out)) == 14
    assert "curated documents: 14" in cli("extractor", "show", out).stdout
    used = cli("extract", "--model", out, "--text", "Quercetin was isolated from Allium cepa.", "--min-score", 0)
    assert used.exit_code == 0 and json.loads(used.stdout)["error"] is None


def test_too_few_documents_are_refused(cli, tmp_path):
    curated = tmp_path / "few.jsonl"
    curated.write_text("\n".join(SYNTHETIC.read_text(encoding="utf-8").splitlines()[:3]), encoding="utf-8")
    result = cli("extractor", "train", curated, "--out", tmp_path / "x")
    assert result.exit_code == 2 and "10 curated documents" in result.stderr and not (tmp_path / "x").exists()


def test_gold_is_found_verbatim_in_lists_and_in_other_spelling():
    text = "Gloeophyllins A-C (1-3), α-humulene and (E)-anethole occur."
    gold = ["gloeophyllin A", "gloeophyllin B", "alpha-humulene", "E-anethole"]
    document = make_document("1", "", text, [("Usnea testalis", chemical) for chemical in gold])
    reading = read_text(document.text)
    tagged = [t.text for t, tag in zip(reading.tokens, gold_tags(document, reading), strict=True) if tag == "B"]
    assert tagged == ["Gloeophyllins", "α-humulene", "(E)-anethole"]


def test_names_are_learnt_from_iob_files(tmp_path):
    path = tmp_path / "names.tsv"
    rows = [("4", "B-C"), ("-", "I-C"), ("hydroxymellein", "I-C"), ("was", "O"), ("found", "O"), (".", "O")]
    path.write_text("".join(f"{token}\t{tag}\n" for token, tag in rows) + "\n", encoding="utf-8")
    (sentence,) = read_iob(path)
    assert retokenised(sentence) == (["4-hydroxymellein", "was", "found", "."], ["B", "O", "O", "O"])
    tagger = NameTagger(NameTagger.train([retokenised(sentence)] * 5))
    part, _ = tagger.tag(read_text("4-hydroxymellein was found").tokens)
    assert np.argmax(part) == 0


def test_an_iob_line_without_a_tag_names_its_line(cli, tmp_path):
    bad = tmp_path / "bad.tsv"
    bad.write_text("usnic\tB-C\nacid\tX\n", encoding="utf-8")
    result = cli("extractor", "train", SYNTHETIC, "--names", bad, "--out", tmp_path / "x")
    assert result.exit_code == 2 and "bad.tsv:2" in result.stderr
