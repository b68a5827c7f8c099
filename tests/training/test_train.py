"""Training with a tiny model: it learns, keeps the best checkpoint, and goes on after a kill."""

import json
import pkgutil
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from abroad.core.context import Context
from abroad.core.errors import InputError
from abroad.core.io import write_documents
from abroad.training.record import read_log
from abroad.training.settings import TrainSettings
from abroad.training.state import StateStore
from abroad.training.train import TrainingRun, train


def settings_for(model, **changes):
    values = {"epochs": 2, "learning_rate": 1e-2, "batch_size": 2, "gradient_accumulation_steps": 1, "warmup_steps": 0}
    return TrainSettings(model=str(model), **{**values, "validation_max_new_tokens": 8, **changes})


def losses(out):
    records = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    return [float(record["loss"]) for record in records if "loss" in record]


def test_training_lowers_the_loss_and_leaves_a_loadable_adapter(tiny_model, documents, tmp_path):
    from abroad.extraction.generative.decoding import Decoding
    from abroad.extraction.generative.load import load_generative_extractor

    report = train(documents, documents[:1], settings_for(tiny_model, epochs=15), tmp_path / "model", Context())
    assert report.examples == 3
    assert report.steps == 30
    assert report.best_f1 is not None
    course = losses(tmp_path / "model")
    assert sum(course[-2:]) < sum(course[:2]) - 2  # batches differ, so whole epochs are compared
    assert not (tmp_path / "model" / "state").exists()
    assert len(list((tmp_path / "model" / "checkpoints").iterdir())) == 15
    assert list((tmp_path / "model").glob("*.safetensors"))
    assert not list((tmp_path / "model").glob("*.bin"))
    extractor = load_generative_extractor(str(tmp_path / "model"), Decoding(num_beams=2, max_new_tokens=8))
    assert {prediction.id for prediction in extractor.extract(documents)} == {"1", "2", "3"}


def test_the_same_seed_gives_the_same_adapter(tiny_model, documents, tmp_path):
    weights = []
    for name in ("a", "b"):
        train(documents, [], settings_for(tiny_model), tmp_path / name, Context())
        weights.append((tmp_path / name / "adapter_model.safetensors").read_bytes())
    assert weights[0] == weights[1]


def test_a_killed_run_goes_on_from_its_last_checkpoint(tiny_model, documents, tmp_path):
    out, data = tmp_path / "model", tmp_path / "train.jsonl"
    write_documents(data, documents)
    settings = settings_for(tiny_model, epochs=40)
    script = textwrap.dedent(f"""
        from pathlib import Path
        from abroad.core.context import Context
        from abroad.core.io import read_documents
        from abroad.training.settings import TrainSettings
        from abroad.training.train import train
        train(read_documents(Path({str(data)!r})), [], {settings!r}, Path({str(out)!r}), Context())
    """)
    process = subprocess.Popen([sys.executable, "-c", script])
    try:
        deadline = time.monotonic() + 120
        while not list((out / "state").glob("update-*[1-9]/standing.json")):
            assert process.poll() is None, "the training ended before it could be killed"
            assert time.monotonic() < deadline
            time.sleep(0.05)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()

    done = max(int(path.name.partition("-")[2]) for path in (out / "state").glob("update-*[0-9]"))
    settings_left = settings_for(tiny_model, epochs=40)
    report = train(documents, [], settings_left, out, Context())
    assert 0 < report.resumed_from <= done
    assert report.steps == 80
    records = [json.loads(line) for line in (out / "order.jsonl").read_text().splitlines()]
    assert [record["update"] for record in records] == list(range(1, 81))


def test_a_run_that_went_on_ends_where_a_whole_run_ends(tiny_model, documents, tmp_path, monkeypatch):
    settings = settings_for(tiny_model, epochs=4, lora_dropout=0.1, checkpoint_every=3)
    train(documents, [], settings, tmp_path / "whole", Context())

    class Killed(BaseException):
        pass

    def killed(run, update, *args, **kwargs):
        if update.number == 6:
            raise Killed
        return step(run, update, *args, **kwargs)

    step = TrainingRun._step
    monkeypatch.setattr(TrainingRun, "_step", killed)
    with pytest.raises(Killed):
        train(documents, [], settings, tmp_path / "parts", Context())
    monkeypatch.undo()
    assert train(documents, [], settings, tmp_path / "parts", Context()).resumed_from == 4
    weights = [(tmp_path / name / "adapter_model.safetensors").read_bytes() for name in ("whole", "parts")]
    assert weights[0] == weights[1]
    assert losses(tmp_path / "whole") == losses(tmp_path / "parts")


def test_a_run_with_an_optimizer_in_8_bits_is_kept_and_goes_on(tiny_model, documents, tmp_path):
    """Matrices of 4,096 numbers and more have moments in 8 bits, which share tables among them."""
    pytest.importorskip("bitsandbytes")
    settings = settings_for(tiny_model, quantization="nf4", lora_rank=64, lora_dropout=0.0, checkpoint_every=1)
    train(documents, [], settings, tmp_path / "whole", Context())
    parts = TrainingRun(documents, [], settings, tmp_path / "parts", Context())
    parts.stop_after = 1
    parts.train()
    assert any("qmap1" in state for state in parts.optimizer.state.values())
    assert train(documents, [], settings, tmp_path / "parts", Context()).resumed_from == 1
    assert losses(tmp_path / "parts") == losses(tmp_path / "whole")


def test_other_data_start_anew(tmp_path):
    def state(number, whole=True):
        folder = tmp_path / f"update-{number:06}"
        folder.mkdir()
        if whole:
            (folder / "standing.json").write_text("{}")

    assert StateStore(tmp_path, "first", True).last() is None
    state(3)
    state(4, whole=False)  # cut short
    assert StateStore(tmp_path, "first", True).last() == tmp_path / "update-000003"
    assert StateStore(tmp_path, "second", True).last() is None


class Killed(BaseException):
    """As kill -9: nothing catches it."""


def kill_at(monkeypatch, target, after):
    """Die before or after the first call of a function, or in the middle of a folder's removal."""
    real = pkgutil.resolve_name(target)

    def dying(*arguments, **more):
        if target == "shutil:rmtree":
            folder = Path(arguments[0])
            if not folder.name.endswith(".gone") or not folder.exists():
                return real(*arguments, **more)
            if after:
                (folder / "best.safetensors").unlink()
        elif after:
            real(*arguments, **more)
        raise Killed

    monkeypatch.setattr(target.replace(":", "."), dying)


LAST_STEPS = [
    "abroad.training.train:copy_whole",
    "abroad.training.record:TrainingRecord.close",
    "abroad.training.train:write_finished",
    "abroad.training.state:StateStore.clear",
    "shutil:rmtree",
]


@pytest.fixture(scope="module")
def falling_scores():
    """Validation scores that fall, so that the best adapter is not the last."""
    return {1: 60.0, 2: 50.0, 3: 40.0}


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("step", LAST_STEPS)
def test_killed_anywhere_in_the_last_steps_the_best_adapter_is_shipped(
    tiny_model, documents, tmp_path, monkeypatch, falling_scores, step, after
):
    settings = settings_for(tiny_model, epochs=3)

    def fall(run):
        f1 = falling_scores[len(read_log(run.out / "scores.jsonl")) + 1]
        return SimpleNamespace(precision=f1, recall=f1, f1=f1)

    monkeypatch.setattr(TrainingRun, "_validate", fall)
    whole = train(documents, documents[:1], settings, tmp_path / "whole", Context())
    with monkeypatch.context() as patch:
        kill_at(patch, step, after)
        with pytest.raises(Killed):
            train(documents, documents[:1], settings, tmp_path / "killed", Context())
    again = train(documents, documents[:1], settings, tmp_path / "killed", Context())
    assert (again.best_f1, again.steps) == (whole.best_f1, whole.steps) == (60.0, 6)
    weights = [(tmp_path / name / "adapter_model.safetensors").read_bytes() for name in ("whole", "killed")]
    assert weights[0] == weights[1]
    assert not list((tmp_path / "killed").glob("state*"))


def test_a_finished_run_says_so_and_trains_nothing(tiny_model, documents, tmp_path, monkeypatch, capsys):
    settings, out = settings_for(tiny_model, epochs=1), tmp_path / "model"
    first = train(documents, documents[:1], settings, out, Context())
    with monkeypatch.context() as patch:
        patch.setattr("abroad.training.train.load_model", None)
        again = train(documents, documents[:1], settings, out, Context())
        assert "nothing is left to do" in capsys.readouterr().err
        assert (again.steps, again.best_f1, again.resumed_from) == (first.steps, first.best_f1, first.steps)
    adapter = out / "adapter_model.safetensors"
    for change in (lambda: adapter.write_bytes(b"x"), adapter.unlink):
        change()
        assert train(documents, documents[:1], settings, out, Context()).resumed_from == 0
    assert train(documents, documents[:2], settings, out, Context()).resumed_from == 0  # other validation documents


def test_a_mistyped_setting_sets_unfinished_training_aside(tiny_model, documents, tmp_path, monkeypatch, capsys):
    out, settings = tmp_path / "model", settings_for(tiny_model, epochs=4)
    step = TrainingRun._step

    def killed(run, update, *arguments, **more):
        if update.number == 6:
            raise Killed
        return step(run, update, *arguments, **more)

    with monkeypatch.context() as patch:
        patch.setattr(TrainingRun, "_step", killed)
        for changes in ({}, {"learning_rate": 1e-3}):
            with pytest.raises(Killed):
                train(documents, [], settings.replace(**changes), out, Context())
    assert "it is set aside as" in capsys.readouterr().err
    report = train(documents, [], settings, out, Context())
    assert "is taken up again" in capsys.readouterr().err
    assert report.resumed_from == 4
    records = [json.loads(line)["update"] for line in (out / "order.jsonl").read_text().splitlines()]
    assert records == list(range(1, 9))
    other = train(documents, [], settings.replace(learning_rate=1e-3), out, Context())
    assert other.resumed_from == 4


def test_documents_none_of_which_fit_are_refused(tiny_model, documents, tmp_path):
    with pytest.raises(InputError, match="none of the 3 documents fits max_length 5"):
        train(documents, [], settings_for(tiny_model, max_length=5), tmp_path, Context())


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
