"""Training and cross-validation of the default extractor, on the project's own synthetic abstracts."""

import json
import os
import random
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from abroad.core.errors import InputError
from abroad.core.io import read_documents, read_predictions
from abroad.evaluation.metrics import micro_scores
from abroad.extraction.builtin.align import gold_tags
from abroad.extraction.builtin.encoder import best_tags
from abroad.extraction.builtin.examples import Example
from abroad.extraction.builtin.excerpts import parents, together
from abroad.extraction.builtin.fit import Basis, cross_validate, split_folds, train_extractor
from abroad.extraction.builtin.mentions import AdaptedTagger, NoTagger
from abroad.extraction.builtin.pairs import DEFAULT_FOLDER, PairExtractor, default_tagger, load_pair_extractor
from abroad.extraction.builtin.reading import Reading, read_text
from abroad.extraction.builtin.score import LinearModel, candidate_table
from abroad.extraction.builtin.settings import ExtractorTrainSettings
from tests.conftest import make_document

SYNTHETIC = Path(__file__).parents[3] / "data" / "synthetic" / "abstracts.jsonl"


@pytest.fixture(scope="module")
def synthetic():
    return read_documents(SYNTHETIC)


def test_every_document_is_scored_out_of_fold(synthetic):
    examples = [Example(document) for document in synthetic[:30]]
    held_out = cross_validate(examples, [], Basis(default_tagger()), folds=3)
    predictions = held_out.predictions(examples)
    assert [p.id for p in predictions] == [d.id for d in synthetic[:30]]
    assert micro_scores(synthetic[:30], predictions).f1 > 20
    assert 0 <= held_out.facts["calibration error"]["platt"] < 0.3


def test_held_out_scores_come_from_models_that_never_saw_the_document(synthetic):
    """A coin says which documents have relations. That cannot be predicted: what is learnt by heart would show."""
    coin = random.Random(0)
    documents = [d if coin.random() < 0.5 else replace(d, relations=[]) for d in synthetic[:40]]
    examples = [Example(document) for document in documents]
    predictions = cross_validate(examples, [], Basis(default_tagger()), folds=3).predictions(examples)
    assert micro_scores(documents, predictions).f1 < 80  # all candidates of all documents: 67


def test_folds_are_a_partition_of_like_sizes_that_the_seed_fixes():
    ids = [str(number) for number in range(23)]
    parts = split_folds(ids, 5, seed=1)
    assert sorted(place for part in parts for place in part) == list(range(23))
    assert {len(part) for part in parts} == {4, 5}
    assert parts == split_folds(ids, 5, seed=1) != split_folds(ids, 5, seed=2)
    assert [len(part) for part in split_folds(ids[:3], 5, seed=1)] == [1, 1, 1]  # no more folds than documents


@given(
    st.lists(st.lists(st.sampled_from("abcdefgh"), min_size=1, max_size=2, unique=True), min_size=8, max_size=20),
    st.integers(2, 6),
    st.integers(0, 3),
)
def test_texts_of_one_document_are_in_one_fold(documents, folds, seed):
    """Excerpts, and texts of two documents, are measured by models that saw neither of them."""
    ids = [_id(names) for names in documents]
    assert [parents(id) for id in ids] == [set(names) for names in documents]
    try:
        parts = split_folds(ids, folds, seed)
    except InputError as error:
        assert "two documents or more" in str(error)
        return
    assert sorted(place for part in parts for place in part) == list(range(len(ids))) and all(parts)
    of = [set().union(*(documents[place] for place in part)) for part in parts]
    assert sum(map(len, of)) == len(set().union(*of))


def _id(names: list[str]) -> str:
    """Of a text of these documents, as `together` makes it."""
    first, *others = (make_document(name, "", "A text.", []) for name in names)
    return together(first, others[0]).id if others else first.id


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


def taught(text: str, chemical: str, times: int = 5) -> tuple[AdaptedTagger, Reading]:
    """A tagger that was shown a text whose chemical is known, and nothing else; and the text."""
    document = make_document("1", "", text, [("Usnea testalis", chemical)])
    reading = read_text(document.text, len(document.title))
    example = (reading, NoTagger().tag(reading), *gold_tags(document, reading))
    return AdaptedTagger.train(NoTagger(), [example] * times), reading


def test_names_that_the_encoder_does_not_know_are_learnt_from_own_documents():
    tagger, reading = taught("Here 4-hydroxymellein was found in Usnea testalis.", "4-hydroxymellein")
    scores = tagger.tag(reading)
    assert best_tags(scores.chemical) == ["O", "B", "I", "I", *"OOOOOO"]
    assert np.allclose(scores.chemical.sum(axis=1), 1)
    assert best_tags(scores.organism) == [*"OOOOOOO", "B", "I", "O"]


def test_names_of_one_word_are_enough_to_learn_from():
    tagger, reading = taught("Here scopoletin was found in Usnea testalis.", "scopoletin")
    assert best_tags(tagger.tag(reading).chemical) == ["O", "B", *"OOOOOO"]
    assert len(tagger.tag(read_text("")).chemical) == 0


def test_an_extractor_of_ones_own_is_saved_with_its_tagger(synthetic, tmp_path):
    settings = ExtractorTrainSettings(folds=2, adapt=True)
    extractor, _ = train_extractor(synthetic[:12], [], Basis(default_tagger()), settings)
    extractor.save(tmp_path)
    copy = PairExtractor.load(tmp_path)
    assert isinstance(copy.tagger, AdaptedTagger)
    for document in synthetic[12:15]:
        one, other = copy.predict(document), extractor.predict(document)
        assert [replace(r, score=0.0) for r in one.relations] == [replace(r, score=0.0) for r in other.relations]
        scores = [[relation.score for relation in prediction.relations] for prediction in (one, other)]
        assert scores[0] == pytest.approx(scores[1], abs=2e-4)  # weights are written with seven digits


def test_an_extractor_says_in_one_line_what_it_is(trained):
    for extractor in (PairExtractor.load(trained), PairExtractor.load(DEFAULT_FOLDER)):
        assert re.fullmatch(r"<PairExtractor of \d+ curated documents, \w+, min_score=0\.\d+>", repr(extractor))


TRAIN = """
import sys
from abroad.cli import app
app(["extractor", "train", sys.argv[1], "--out", sys.argv[2], "--cv", "2", *sys.argv[3:]])
"""


@pytest.mark.parametrize(("options", "field"), [((), set()), (("--from-scratch",), {"mentions.crf"})])
def test_the_same_documents_and_seed_give_the_same_files(tmp_path, options, field):
    """In processes with other hashes of strings and other numbers of threads."""
    curated = tmp_path / "curated.jsonl"
    curated.write_text("\n".join(SYNTHETIC.read_text(encoding="utf-8").splitlines()[:12]), encoding="utf-8")
    files = []
    for number in (1, 2):
        environment = {**os.environ, "PYTHONHASHSEED": str(number), "OMP_NUM_THREADS": str(number)}
        out = tmp_path / f"run{number}"
        command = [sys.executable, "-c", TRAIN, str(curated), str(out), *options]
        subprocess.run(command, env=environment, check=True, capture_output=True)
        files.append({path.name: path.read_bytes() for path in out.iterdir()})
    assert files[0].keys() == {"scorer.json", "manifest.json"} | field and files[0] == files[1]


def test_a_few_documents_correct_what_many_have_taught(synthetic):
    """In place of unlearning it: what a handful of other documents has no word on stays as it was."""
    shipped = load_pair_extractor()
    own, _ = train_extractor(synthetic[:10], [], Basis(shipped.tagger, shipped.scorer), ExtractorTrainSettings(folds=2))
    anew, _ = train_extractor(synthetic[:10], [], Basis(shipped.tagger), ExtractorTrainSettings(folds=2, adapt=False))
    assert own.tagger is shipped.tagger and own.facts["the tagger learnt too"] is False
    others = [table for d in synthetic[20:40] if (table := table_of(shipped.tagger, d)) is not None]
    before, corrected, alone = (
        np.concatenate([e.scorer.probabilities(table) for table in others]) for e in (shipped, own, anew)
    )
    assert np.abs(corrected - before).mean() < np.abs(alone - before).mean() / 2


def table_of(tagger, document):
    reading = read_text(document.text, len(document.title))
    return candidate_table(reading, tagger.tag(reading))


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("truth", ["other", "all", "none"])
def test_a_refitted_model_goes_to_the_data_where_there_are_many(seed, truth):
    draws = np.random.default_rng(seed)
    values = draws.normal(1, 2, (400, 3))
    model = LinearModel(("a", "b", "c"), np.ones(3), np.full(3, 2.0), draws.normal(0, 1, 3), 0.5)
    holds = {"all": np.ones(400, bool), "none": np.zeros(400, bool)}.get(truth, values[:, 0] > draws.normal(1, 1, 400))
    refitted = model.refitted(values, holds, np.full(400, 1e4), 0.001)
    if truth != "other":
        assert refitted is model  # nothing to tell apart
    else:
        assert ((refitted.log_odds(values) > 0) == holds).mean() > 0.7
        assert LinearModel.from_dict(refitted.to_dict()).names == model.names


def test_a_tagger_that_is_not_there_cannot_stay_as_it_is(cli, tmp_path):
    result = cli("extractor", "train", SYNTHETIC, "--out", tmp_path / "own", "--from-scratch", "--no-adapt")
    assert result.exit_code == 2 and "--no-adapt" in result.stderr and not (tmp_path / "own").exists()


@pytest.fixture(scope="module")
def trained(synthetic, tmp_path_factory):
    folder = tmp_path_factory.mktemp("trained") / "model"
    train_extractor(synthetic[:12], [], Basis(NoTagger()), ExtractorTrainSettings(folds=2))[0].save(folder)
    return folder


def damage(data: bytes, how: str) -> bytes:
    middle = len(data) // 2
    return {
        "empty": b"",
        "cut in the header": data[:20],
        "cut in half": data[:middle],
        "cut at the end": data[:-1],
        "longer": data + b" ",
        "zeros": b"\0" * len(data),
        "a bit": data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :],
    }[how]


DAMAGE = ("empty", "cut in the header", "cut in half", "cut at the end", "longer", "zeros", "a bit")


@pytest.mark.parametrize("how", DAMAGE)
@pytest.mark.parametrize("name", ["mentions.crf", "scorer.json", "manifest.json"])
def test_a_damaged_file_of_an_extractor_is_an_error(cli, trained, tmp_path, name, how):
    """And neither a crash nor a model that reads nonsense."""
    model = tmp_path / "model"
    shutil.copytree(trained, model)
    (model / name).write_bytes(damage((model / name).read_bytes(), how))
    for command in (["extract", "--text", "Usnic acid of Usnea.", "--model", model], ["extractor", "show", model]):
        result = cli(*command)
        if name == "manifest.json" and how in ("longer", "cut at the end"):  # white space is no damage
            assert result.exit_code == 0
        else:
            named = model if name == "manifest.json" else model / name
            assert result.exit_code == 2 and str(named) in result.stderr, result.output


@pytest.mark.parametrize("how", [how for how in DAMAGE if how != "a bit"])
def test_without_a_manifest_a_cut_off_field_is_an_error_too(cli, trained, tmp_path, how):
    """As extractors of earlier versions are; CRFsuite by itself would end the process."""
    model = tmp_path / "model"
    shutil.copytree(trained, model)
    (model / "manifest.json").unlink()
    (model / "mentions.crf").write_bytes(damage((model / "mentions.crf").read_bytes(), how))
    result = cli("extract", "--text", "Usnic acid of Usnea.", "--model", model)
    assert result.exit_code == 2 and "damaged or cut-off CRFsuite file" in result.stderr


def test_a_model_of_which_a_file_is_missing_says_which(cli, trained, tmp_path):
    model = tmp_path / "model"
    shutil.copytree(trained, model)
    (model / "mentions.crf").unlink()
    result = cli("extract", "--text", "Usnic acid of Usnea.", "--model", model)
    assert result.exit_code == 2 and f"{model / 'mentions.crf'}: missing" in result.stderr
