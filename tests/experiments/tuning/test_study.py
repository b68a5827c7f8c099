"""Optuna studies: kept, gone on with, refused for other data, and reported."""

import pytest

from abroad.core.errors import InputError
from abroad.core.io import write_documents
from abroad.experiments.tuning.study import open_study


@pytest.fixture
def data(documents, tmp_path):
    write_documents(tmp_path / "train.jsonl", documents)
    write_documents(tmp_path / "valid.jsonl", documents[:1])
    return tmp_path


def train(cli, data, tiny_model, trials, *more):
    options = ["--study", data / "s.sqlite", "--model", tiny_model, "--epochs", 2, "--trials", trials, *more]
    return cli("tune", "train", data / "train.jsonl", "--validation", data / "valid.jsonl", *options)


def test_a_study_of_training_goes_on_and_is_reported(cli, data, tiny_model):
    first = train(cli, data, tiny_model, 2)
    assert first.exit_code == 0 and "learning_rate" in first.stdout and "lora_rank" in first.stdout
    again = train(cli, data, tiny_model, 3)
    assert again.stderr.count("trial ") == 1 and "trial 2:" in again.stderr
    study = open_study(data / "s.sqlite", "train")
    assert len(study.trials) == 3
    assert all(1e-6 <= trial.params["learning_rate"] <= 1e-3 for trial in study.trials)
    page = cli("tune", "report", data / "s.sqlite", "--out", data / "s.html")
    assert page.exit_code == 0 and page.stdout.startswith("train:")
    html = (data / "s.html").read_text()
    assert "<svg" in html and "lora_alpha" in html


def test_a_study_of_other_documents_is_refused(cli, data, tiny_model, documents):
    assert train(cli, data, tiny_model, 1).exit_code == 0
    write_documents(data / "train.jsonl", documents[:2])
    refused = train(cli, data, tiny_model, 2)
    assert refused.exit_code == 2 and "other documents or settings" in refused.stderr


def test_decoding_is_searched_for_one_model(cli, data, tiny_model):
    options = ["--model", tiny_model, "--study", data / "d.sqlite", "--trials", 3, "--max-new-tokens", 4]
    refused = cli("tune", "decode", data / "train.jsonl", *options)
    assert refused.exit_code == 2 and "a chat model that was not trained" in refused.stderr
    result = cli("tune", "decode", data / "train.jsonl", "--trained", *options)
    assert result.exit_code == 0 and result.stdout.startswith("extract:") and "num_beams" in result.stdout
    assert {trial.params["beams"] for trial in open_study(data / "d.sqlite", "decode").trials} <= {1, 3, 5}


def test_no_study_where_one_is_needed(cli, tmp_path):
    assert cli("tune", "report", tmp_path / "none.sqlite").exit_code == 2
    (tmp_path / "text.sqlite").write_text("no database, but a text that is long enough to look into")
    with pytest.raises(InputError, match="not a study"):
        open_study(tmp_path / "text.sqlite", "train", {})
