"""Replay: the same data in the same order again; other data are told apart."""

from abroad.core.context import Context
from abroad.core.io import write_documents
from abroad.training.replay import replay
from abroad.training.settings import TrainSettings
from abroad.training.train import train


def test_a_run_replays_with_equal_hashes_and_losses(cli, tiny_model, documents, tmp_path):
    settings = TrainSettings(
        model=str(tiny_model), epochs=3, batch_size=2, gradient_accumulation_steps=1, lora_dropout=0.1, seed=3
    )
    train(documents, [], settings, tmp_path / "run", Context())
    result = replay(tmp_path / "run", documents, 3, Context())
    assert (result.updates, result.equal, result.first_difference) == (6, 6, None)
    assert len(result.losses) == 3 and all(before == now for _, before, now in result.losses)

    write_documents(tmp_path / "d.jsonl", documents)
    shown = cli("train", "replay", tmp_path / "run", tmp_path / "d.jsonl")
    assert shown.exit_code == 0 and "6 of 6 updates" in shown.stdout
    write_documents(tmp_path / "d.jsonl", list(reversed(documents)))
    shown = cli("train", "replay", tmp_path / "run", tmp_path / "d.jsonl")
    assert shown.exit_code == 1 and "the first that differs is update" in shown.stdout


def test_the_record_holds_what_others_need(tiny_model, documents, tmp_path):
    import json

    train(documents, documents[:1], TrainSettings(model=str(tiny_model), epochs=2), tmp_path, Context())
    record = json.loads((tmp_path / "training.json").read_text())
    assert len(record["initial_adapter_hash"]) == 64 and record["packages"]["torch"]
    assert (tmp_path / "initial_adapter.safetensors").exists()
    order = [json.loads(line) for line in (tmp_path / "order.jsonl").read_text().splitlines()]
    assert sorted(id for batch in order[0]["ids"] for id in batch) == ["1", "2", "3"]
    assert [json.loads(line)["update"] for line in (tmp_path / "scores.jsonl").read_text().splitlines()] == [1, 2]
    assert "<svg" in (tmp_path / "history.svg").read_text()
    assert list((tmp_path / "tensorboard").iterdir())


def test_a_directory_without_a_run_is_refused(cli, tmp_path, documents):
    write_documents(tmp_path / "d.jsonl", documents)
    result = cli("train", "replay", tmp_path, tmp_path / "d.jsonl")
    assert result.exit_code == 2 and "training.json" in result.stderr
