"""Releases: compressed adapters are used like any other, and a packed one holds all that others need."""

import json

import pytest

from abroad.core.context import Context
from abroad.core.io import write_documents
from abroad.models.compeft import compress, write_change
from abroad.models.source import COMPRESSED, INITIAL
from abroad.release.run import read_run
from abroad.training.settings import TrainSettings
from abroad.training.train import train


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    """Every step is told, however quick."""
    for module in ("grid", "pack"):
        monkeypatch.setattr(f"abroad.release.{module}._SPEAK_SECONDS", 0.0)


@pytest.fixture(scope="module")
def run(tiny_model, tmp_path_factory):
    from tests.experiments.test_compare import documents

    out = tmp_path_factory.mktemp("run") / "model"
    values = {"epochs": 3, "learning_rate": 1e-2, "batch_size": 4, "gradient_accumulation_steps": 1, "warmup_steps": 0}
    train(documents("t", 8), [], TrainSettings(model=str(tiny_model), **values), out, Context())
    return out


def test_a_compressed_adapter_is_used_like_any_other(cli, run, documents, tmp_path, monkeypatch):
    monkeypatch.setenv("ABROAD_CACHE", str(tmp_path / "cache"))
    write_documents(tmp_path / "dev.jsonl", documents)
    small = tmp_path / "small"
    options = ["--dev", tmp_path / "dev.jsonl", "--out", small, "--max-new-tokens", 4]
    result = cli("release", "compress", run, *options, "--densities", "5,50", "--scales", "1,4")
    assert result.exit_code == 0, result.output
    assert "loading the model, to measure it on 3 documents" in result.stderr
    assert "decoding the documents: " in result.stderr and "/9" in result.stderr
    table = result.stdout.splitlines()
    assert len(table) == 6 and "times smaller than 16 bits" in table[-1]
    assert not (small / "adapter_model.safetensors").exists()
    extracted = cli("extract", tmp_path / "dev.jsonl", "--model", small, "--out", tmp_path / "p.jsonl")
    assert extracted.exit_code == 0, extracted.output
    (whole,) = (tmp_path / "cache" / "adapters").iterdir()
    assert (whole / "adapter_model.safetensors").exists() and (whole / "adapter_config.json").exists()


def test_one_density_and_scale_need_no_model(cli, run, tmp_path, monkeypatch):
    """The base may have 65 billion weights: the adapter's own files say all that compression must know."""
    import abroad.models.load

    def refused(*_, **__):
        raise AssertionError("a model is loaded")

    for name in ("load_model", "empty_model", "load_tokenizer"):
        monkeypatch.setattr(abroad.models.load, name, refused)
    result = cli("release", "compress", run, "--densities", "20", "--scales", "4", "--out", tmp_path / "small")
    assert result.exit_code == 0, result.output
    assert "not measured" in result.stderr
    initial, tuned, facts = read_run(run)
    expected = tmp_path / "expected.compeft"
    write_change(expected, compress(initial, tuned, 20, 4), facts)
    assert (tmp_path / "small" / COMPRESSED).read_bytes() == expected.read_bytes()
    assert (tmp_path / "small" / "adapter_config.json").is_file() and not (tmp_path / "small" / INITIAL).exists()
    several = cli("release", "compress", run, "--densities", "5,20", "--scales", "4", "--out", tmp_path / "other")
    assert several.exit_code == 2 and "--dev DOCS" in several.stderr and not (tmp_path / "other" / COMPRESSED).exists()


def test_without_the_initial_adapter_there_is_no_compression(cli, run, documents, tmp_path):
    import shutil

    write_documents(tmp_path / "dev.jsonl", documents)
    shutil.copytree(run, tmp_path / "copy")
    (tmp_path / "copy" / "initial_adapter.safetensors").unlink()
    result = cli("release", "compress", tmp_path / "copy", "--dev", tmp_path / "dev.jsonl", "--out", tmp_path / "o")
    assert result.exit_code == 2 and "as it was drawn" in result.stderr


def test_another_beginning_is_noticed(cli, run, documents, tmp_path, monkeypatch):

    monkeypatch.setenv("ABROAD_CACHE", str(tmp_path / "cache"))
    initial, tuned, facts = read_run(run)
    folder = tmp_path / "other"
    folder.mkdir()
    (folder / "adapter_config.json").write_text((run / "adapter_config.json").read_text())
    write_change(folder / COMPRESSED, compress(initial, tuned, 10, 1), {**facts, "seed": 99})
    result = cli("extract", "--text", "Rutin from Ruta.", "--model", folder)
    assert result.exit_code == 2 and "cannot be drawn again" in result.stderr


def test_a_release_holds_all_that_others_need(cli, run, documents, tmp_path):
    write_documents(tmp_path / "dev.jsonl", documents)
    config = tmp_path / "c.yaml"
    config.write_text("extract:\n  beams: 2\n  max_new_tokens: 5\n")
    out = tmp_path / "release"
    result = cli("release", "pack", run, "--dev", tmp_path / "dev.jsonl", "--config", config, "--out", out)
    assert result.exit_code == 0, result.output
    assert "loading the model, to score it on 3 documents" in result.stderr
    assert "scoring the release: " in result.stderr and "/3" in result.stderr
    names = {path.name for path in out.iterdir()}
    assert names >= {"adapter_model.safetensors", "adapter_config.json", "tokenizer.json", "decoding.json"}
    assert names >= {"evaluation.json", "training.json", "README.md"}
    card = (out / "README.md").read_text()
    assert "95% bootstrap" in card and json.loads((run / "training.json").read_text())["data_hash"] in card
    from abroad.extraction.generative.decoding import read_decoding

    assert read_decoding(out).num_beams == 2 and read_decoding(run) is None
    (out / "README.md").unlink()
    assert cli("release", "card", out).exit_code == 0 and (out / "README.md").exists()
    assert cli("release", "pack", tmp_path, "--dev", tmp_path / "dev.jsonl", "--out", out).exit_code == 2
