"""Training with a tiny model: it learns, keeps the best checkpoint, and goes on after a kill."""

import json
import signal
import subprocess
import sys
import textwrap
import time

import pytest

from abroad.errors import InputError
from abroad.io import Rejects, write_documents
from abroad.training.settings import TrainSettings
from abroad.training.train import train


def settings_for(model, **changes):
    values = {"epochs": 2, "learning_rate": 1e-2, "batch_size": 2, "accumulation": 1, "warmup_steps": 0}
    return TrainSettings(model=str(model), **{**values, "validation_tokens": 8, **changes})


def losses(out):
    records = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    return [float(record["loss"]) for record in records if "loss" in record]


def test_training_lowers_the_loss_and_leaves_a_loadable_adapter(tiny_model, documents, tmp_path):
    from abroad.extraction.extract import Decoding, load_extractor

    report = train(documents, documents[:1], settings_for(tiny_model, epochs=15), tmp_path / "model", Rejects())
    assert report.examples == 3
    assert report.steps == 30
    assert report.best_f1 is not None
    course = losses(tmp_path / "model")
    assert sum(course[-6:]) < sum(course[:6]) - 6  # batches differ, so whole epochs are compared
    assert not (tmp_path / "model" / "checkpoints").exists()
    assert list((tmp_path / "model").glob("*.safetensors"))
    assert not list((tmp_path / "model").glob("*.bin"))
    extractor = load_extractor(str(tmp_path / "model"), Decoding(beams=2, max_new_tokens=8))
    assert {prediction.id for prediction in extractor.extract(documents)} == {"1", "2", "3"}


def test_the_same_seed_gives_the_same_adapter(tiny_model, documents, tmp_path):
    weights = []
    for name in ("a", "b"):
        train(documents, [], settings_for(tiny_model), tmp_path / name, Rejects())
        weights.append((tmp_path / name / "adapter_model.safetensors").read_bytes())
    assert weights[0] == weights[1]


def test_a_killed_run_goes_on_from_its_last_checkpoint(tiny_model, documents, tmp_path):
    out, data = tmp_path / "model", tmp_path / "train.jsonl"
    write_documents(data, documents)
    settings = settings_for(tiny_model, epochs=40)
    script = textwrap.dedent(f"""
        from pathlib import Path
        from abroad.io import Rejects, read_documents
        from abroad.training.settings import TrainSettings
        from abroad.training.train import train
        train(read_documents(Path({str(data)!r})), [], {settings!r}, Path({str(out)!r}), Rejects())
    """)
    process = subprocess.Popen([sys.executable, "-c", script])
    try:
        deadline = time.monotonic() + 120
        while not list((out / "checkpoints").glob("checkpoint-*/trainer_state.json")):
            assert process.poll() is None, "the training ended before it could be killed"
            assert time.monotonic() < deadline
            time.sleep(0.05)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()

    done = max(int(path.name.partition("-")[2]) for path in (out / "checkpoints").glob("checkpoint-*"))
    settings_left = settings_for(tiny_model, epochs=40)
    report = train(documents, [], settings_left, out, Rejects())
    assert 0 < report.resumed_from <= done
    assert report.steps == 80


def test_other_data_start_anew(tiny_model, documents, tmp_path):
    from abroad.training.train import _last_checkpoint

    checkpoint = tmp_path / "checkpoint-3"
    assert _last_checkpoint(tmp_path, "first") is None
    checkpoint.mkdir()
    (checkpoint / "trainer_state.json").write_text("{}")
    (tmp_path / "checkpoint-4").mkdir()  # cut short: no trainer_state.json
    assert _last_checkpoint(tmp_path, "first") == checkpoint
    assert _last_checkpoint(tmp_path, "second") is None
    assert not checkpoint.exists()


def test_documents_none_of_which_fit_are_refused(tiny_model, documents, tmp_path):
    with pytest.raises(InputError, match="none of the 3 documents fits max_length 5"):
        train(documents, [], settings_for(tiny_model, max_length=5), tmp_path, Rejects())


@pytest.mark.parametrize(("name", "content"), [("empty", None), ("wrong", "{}")])
def test_a_directory_that_is_no_model_ends_with_exit_code_2(cli, documents, tmp_path, name, content):
    data = tmp_path / "train.jsonl"
    write_documents(data, documents)
    directory = tmp_path / name
    directory.mkdir()
    if content is not None:
        (directory / "config.json").write_text(content)
    result = cli("train", data, "--model", directory, "--out", tmp_path / "out")
    assert result.exit_code == 2
    assert str(directory) in result.stderr
