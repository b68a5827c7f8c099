"""What is not finite is never stepped on; spikes are told apart; nothing of a roll-back is erased."""

import json
import math
from pathlib import Path

import pytest
from safetensors.torch import load_file

from abroad.core.context import Context
from abroad.core.errors import AbroadError
from abroad.training.guard import MAX_ATTEMPTS, Guard
from abroad.training.record import course, read_log
from abroad.training.settings import TrainSettings
from abroad.training.train import TrainingRun
from tests.training.test_spikes import study

QUICK = {"epochs": 1, "learning_rate": 1e-2, "batch_size": 2, "gradient_accumulation_steps": 1, "warmup_steps": 0}


def run_of(model, out, policy, broken, monkeypatch, what="loss", count=40, **more):
    """Updates of like documents; in those of `broken` the loss, or only the gradient, is not a number."""
    settings = TrainSettings(model=str(model), spike_policy=policy, checkpoint_every=4, **{**QUICK, **more})
    run = TrainingRun([study(n) for n in range(2 * count)], [], settings, out, Context())
    gradients = TrainingRun._gradients

    def poisoned(self, update):
        loss, tokens = gradients(self, update)
        if update.number in broken:
            for parameter in self.optimizer.param_groups[0]["params"]:
                if parameter.grad is not None:
                    parameter.grad[:] = math.nan
            loss = math.nan if what == "loss" else loss
        return loss, tokens

    monkeypatch.setattr(TrainingRun, "_gradients", poisoned)
    return run


def all_finite(out: Path) -> bool:
    return all(bool(value.isfinite().all()) for value in load_file(out / "adapter_model.safetensors").values())


@pytest.mark.parametrize("what", ["loss", "gradient"])
@pytest.mark.parametrize("policy", ["continue", "skip", "rollback", "k2"])
def test_an_update_that_is_not_finite_is_never_made(tiny_model, tmp_path, monkeypatch, policy, what):
    run = run_of(tiny_model, tmp_path, policy, (3, 6), monkeypatch, what, count=8)
    run.finish(run.train())
    assert all_finite(tmp_path)
    spikes = read_log(tmp_path / "spikes.jsonl")
    assert [spike["update"] for spike in spikes if spike["kind"] == "not finite"] == [3, 6]
    assert all(spike["character"] == "malignant" for spike in spikes if spike["kind"] == "not finite")
    made = [record["update"] for record in course(read_log(tmp_path / "order.jsonl")) if not record["skipped"]]
    assert made == [1, 2, 4, 5, 7, 8]


@pytest.mark.parametrize("policy", ["continue", "rollback"])
def test_a_run_that_cannot_go_on_ends_with_its_last_good_state(tiny_model, tmp_path, monkeypatch, policy):
    """More updates in a row than are tried: the adapter that is left is the one before them, and the run says so."""
    run = run_of(tiny_model, tmp_path, policy, range(6, 99), monkeypatch, count=6 + MAX_ATTEMPTS)
    with pytest.raises(AbroadError, match=r"cannot go on: not finite .* last good state, after update \d+$") as error:
        run.finish(run.train())
    assert all_finite(tmp_path)
    good = load_file(tmp_path / "state" / f"update-{int(str(error.value).split()[-1]):06}" / "tensors.safetensors")
    adapter = load_file(tmp_path / "adapter_model.safetensors")
    names = {name: name.replace(".weight", ".default.weight") for name in adapter}
    assert all(bool((adapter[name] == good[f"weight|{names[name]}"]).all()) for name in adapter)
    assert (tmp_path / "adapter_config.json").is_file()


def test_roll_backs_are_appended_and_what_they_undid_stays(tiny_model, tmp_path, monkeypatch):
    run = run_of(tiny_model, tmp_path, "rollback", (7,), monkeypatch, count=8)
    run.finish(run.train())
    order = read_log(tmp_path / "order.jsonl")
    told = [record.get("update", f"back to {record.get('rolled_back_to')}") for record in order]
    assert told == [1, 2, 3, 4, 5, 6, "back to 4", 5, 6, 8]
    assert order[6]["left_out"] == [7] and order[6]["from"] == 7
    assert [record["update"] for record in course(read_log(tmp_path / "metrics.jsonl"))] == [1, 2, 3, 4, 5, 6, 8]


def test_the_state_that_met_a_spike_is_kept_with_its_optimizer(tiny_model, tmp_path, monkeypatch):
    run = run_of(tiny_model, tmp_path, "continue", (6,), monkeypatch, count=8)
    run.finish(run.train())
    kept = load_file(tmp_path / "spikes" / "update-000006" / "tensors.safetensors")
    assert {name.rpartition("|")[2] for name in kept if name.startswith("optimizer|")} >= {"exp_avg", "exp_avg_sq"}
    assert json.loads((tmp_path / "spikes" / "update-000006" / "standing.json").read_text())["update"] == 5
    assert not (tmp_path / "state").exists()


def test_the_record_holds_norm_and_size_beside_the_loss(tiny_model, tmp_path, monkeypatch):
    run = run_of(tiny_model, tmp_path, "continue", (3,), monkeypatch, count=4)
    run.finish(run.train())
    figures = read_log(tmp_path / "metrics.jsonl")
    assert all(f["grad_norm"] > 0 and f["update_size"] > 0 for f in figures if f["update"] != 3)
    assert (figures[2]["loss"], figures[2]["grad_norm"], figures[2]["update_size"]) == (None, None, 0.0)
    assert "NaN" not in (tmp_path / "metrics.jsonl").read_text() + (tmp_path / "spikes.jsonl").read_text()


def guard(policy="k2", patience=3):
    made = Guard(TrainSettings(spike_policy=policy, spike_window=16, spike_zscore=4, spike_patience=patience))
    for number in range(1, 11):
        assert made.judge(number, 2 + 0.1 * (number % 2), 1.0).action == "step"
        made.is_benign(made.judge(number, 2.0, 1.0), 0.1)
    return made


def test_a_large_gradient_with_a_small_update_is_benign():
    watching = guard()
    verdict = watching.judge(11, 2.0, 50.0)
    assert (verdict.kind, verdict.action) == ("gradient", "step")
    assert watching.is_benign(verdict, 0.1) and not watching.is_benign(verdict, 5.0)


def test_a_spike_is_malignant_when_it_lasts_and_only_then_is_undone():
    watching = guard()
    short = [watching.judge(number, 9.0, 1.0) for number in (11, 12)]
    assert [(v.action, v.malignant, v.begins) for v in short] == [("step", False, True), ("step", False, False)]
    assert watching.judge(13, 2.0, 1.0).kind == ""
    lasting = [watching.judge(number, 9.0, 1.0) for number in range(14, 18)]
    assert [v.action for v in lasting] == ["step", "step", "step", "roll back"]
    assert lasting[-1].malignant and lasting[-1].since == 14


def test_a_malignant_spike_returns_to_before_it_and_leaves_all_of_its_data_out(tiny_model, tmp_path, monkeypatch):
    """Longer than two states: the one before the spike must still be there."""
    settings = {"spike_patience": 9, "spike_window": 8, "spike_zscore": 4}
    run = run_of(tiny_model, tmp_path, "k2", (), monkeypatch, count=30, **settings)
    gradients = TrainingRun._gradients

    def high(self, update):
        loss, tokens = gradients(self, update)
        return (loss + 50 if 12 <= update.number <= 22 else loss), tokens

    monkeypatch.setattr(TrainingRun, "_gradients", high)
    run.finish(run.train())
    back = [record for record in read_log(tmp_path / "order.jsonl") if "rolled_back_to" in record]
    assert [(record["rolled_back_to"], record["from"]) for record in back] == [(8, 21), (8, 22)][: len(back)]
    made = [record["update"] for record in course(read_log(tmp_path / "order.jsonl"))]
    assert not set(made) & set(range(12, 22)) and set(made) >= {*range(1, 12), *range(23, 31)}


@pytest.mark.parametrize("since", [None, 5])
def test_a_state_of_an_earlier_version_is_read(tiny_model, tmp_path, monkeypatch, since):
    run = run_of(tiny_model, tmp_path, "continue", (), monkeypatch, count=4)
    from abroad.training.state import TrainerState

    run.states.save(TrainerState(2, (1.0,), spiking_since=since), run.model, run.optimizer)
    path = tmp_path / "state" / "update-000002" / "standing.json"
    if since is None:
        record = json.loads(path.read_text())
        path.write_text(json.dumps({k: v for k, v in record.items() if k not in ("norms", "sizes", "spiking_since")}))
    assert run.states.load(path.parent, run.model, run.optimizer) == TrainerState(2, (1.0,), spiking_since=since)
