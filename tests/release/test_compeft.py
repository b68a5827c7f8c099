"""ComPEFT: what is kept, how small it is, and that the way back gives the same adapter."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from abroad.core.errors import InputError
from abroad.core.io import Rejects, write_documents
from abroad.release.compeft import compress, read_change, write_change
from abroad.release.golomb import decode, encode, rice_width
from abroad.training.settings import TrainSettings
from abroad.training.train import train


@given(st.sets(st.integers(0, 5000), min_size=1), st.integers(0, 8))
def test_places_come_back(places, width):
    rising = np.array(sorted(places), dtype=np.int64)
    assert decode(*encode(rising, width), width, len(rising)).tolist() == rising.tolist()


def test_streams_cut_short_are_told():
    unary, remainders = encode(np.arange(0, 900, 9), 3)
    with pytest.raises(ValueError, match="cut short"):
        decode(unary[:5], remainders, 3, 100)


@pytest.mark.parametrize(("percent", "bits"), [(5, 0.34), (10, 0.57), (20, 0.92)])
def test_the_size_is_that_of_the_paper(percent, bits):
    draw = np.random.default_rng(0)
    places = np.sort(draw.choice(200_000, 2000 * percent, replace=False))
    unary, remainders = encode(places, rice_width(percent / 100))
    total = 8 * (len(unary) + len(remainders)) + len(places)
    assert total / 200_000 == pytest.approx(bits, abs=0.03)


arrays = st.integers(1, 40).flatmap(lambda n: st.lists(st.floats(-5, 5, width=32), min_size=n, max_size=n))


@settings(max_examples=50)
@given(arrays, st.sampled_from([5, 20, 50]), st.sampled_from([0.5, 1.0, 4.0]))
def test_the_largest_changes_keep_their_sign_and_share_one_size(values, density, scale):
    initial = {"b": np.zeros((2, 3), np.float32), "a": np.ones(len(values), np.float32)}
    tuned = {"b": np.full((2, 3), 9.0, np.float32), "a": np.array(values, np.float32) + 1}
    change = compress(initial, tuned, density, scale)
    whole = change.applied_to(initial)
    difference = np.concatenate([(whole[name] - initial[name]).ravel() for name in ("a", "b")])
    true = np.concatenate([(tuned[name] - initial[name]).ravel() for name in ("a", "b")])
    kept = np.flatnonzero(difference)
    assert len(kept) == max(1, round(len(true) * density / 100))
    assert np.abs(true[kept]).min() >= np.delete(np.abs(true), kept).max(initial=0)
    assert (np.sign(difference[kept]) == np.sign(true[kept])).all()
    assert np.abs(difference[kept]) == pytest.approx(scale * true.std(), rel=1e-4)


def test_a_file_comes_back_and_a_damaged_one_is_refused(tmp_path):
    draw = np.random.default_rng(1)
    initial = {"x": draw.normal(size=(64, 8)).astype(np.float32)}
    change = compress(initial, {"x": initial["x"] + draw.normal(size=(64, 8)).astype(np.float32)}, 10, 2)
    path = tmp_path / "a.compeft"
    assert write_change(path, change, {"seed": 3}) == path.stat().st_size
    again, header = read_change(path)
    assert header["seed"] == 3
    assert np.array_equal(again.applied_to(initial)["x"], change.applied_to(initial)["x"])
    data = path.read_bytes()
    for broken in (data[:-3], data[:25], b"something else", data[:30] + b"\x00" * 10 + data[40:]):
        path.write_bytes(broken)
        with pytest.raises(InputError, match="damaged"):
            read_change(path)


def test_other_matrices_and_an_untrained_adapter_are_refused():
    a = {"x": np.ones(4, np.float32)}
    with pytest.raises(InputError, match="as it was drawn"):
        compress(a, a, 10, 1)
    with pytest.raises(InputError, match="other matrices"):
        compress(a, {"y": np.ones(4, np.float32)}, 10, 1)


@pytest.fixture(scope="module")
def run(tiny_model, tmp_path_factory):
    from tests.synthesis.test_compare import documents

    out = tmp_path_factory.mktemp("run") / "model"
    values = {"epochs": 3, "learning_rate": 1e-2, "batch_size": 4, "accumulation": 1, "warmup_steps": 0}
    train(documents("t", 8), [], TrainSettings(model=str(tiny_model), **values), out, Rejects())
    return out


def test_a_compressed_adapter_is_used_like_any_other(cli, run, documents, tmp_path, monkeypatch):
    monkeypatch.setenv("ABROAD_CACHE", str(tmp_path / "cache"))
    write_documents(tmp_path / "dev.jsonl", documents)
    small = tmp_path / "small"
    options = ["--dev", tmp_path / "dev.jsonl", "--out", small, "--max-new-tokens", 4]
    result = cli("release", "compress", run, *options, "--densities", "5,50", "--scales", "1,4")
    assert result.exit_code == 0, result.output
    table = result.stdout.splitlines()
    assert len(table) == 6 and "times smaller than 16 bits" in table[-1]
    assert not (small / "adapter_model.safetensors").exists()
    extracted = cli("extract", tmp_path / "dev.jsonl", "--model", small, "--out", tmp_path / "p.jsonl")
    assert extracted.exit_code == 0, extracted.output
    (whole,) = (tmp_path / "cache" / "adapters").iterdir()
    assert (whole / "adapter_model.safetensors").exists() and (whole / "adapter_config.json").exists()


def test_without_the_initial_adapter_there_is_no_compression(cli, run, documents, tmp_path):
    import shutil

    write_documents(tmp_path / "dev.jsonl", documents)
    shutil.copytree(run, tmp_path / "copy")
    (tmp_path / "copy" / "initial_adapter.safetensors").unlink()
    result = cli("release", "compress", tmp_path / "copy", "--dev", tmp_path / "dev.jsonl", "--out", tmp_path / "o")
    assert result.exit_code == 2 and "as it was drawn" in result.stderr


def test_another_beginning_is_noticed(cli, run, documents, tmp_path, monkeypatch):
    from abroad.release.adapters import read_run
    from abroad.release.compeft import FILE

    monkeypatch.setenv("ABROAD_CACHE", str(tmp_path / "cache"))
    initial, tuned, facts = read_run(run)
    folder = tmp_path / "other"
    folder.mkdir()
    (folder / "adapter_config.json").write_text((run / "adapter_config.json").read_text())
    write_change(folder / FILE, compress(initial, tuned, 10, 1), {**facts, "seed": 99})
    result = cli("extract", "--text", "Rutin from Ruta.", "--model", folder)
    assert result.exit_code == 2 and "cannot be drawn again" in result.stderr


def test_a_release_holds_all_that_others_need(cli, run, documents, tmp_path):
    write_documents(tmp_path / "dev.jsonl", documents)
    config = tmp_path / "c.yaml"
    config.write_text("extract:\n  beams: 2\n  max_new_tokens: 5\n")
    out = tmp_path / "release"
    result = cli("release", "pack", run, "--dev", tmp_path / "dev.jsonl", "--config", config, "--out", out)
    assert result.exit_code == 0, result.output
    names = {path.name for path in out.iterdir()}
    assert names >= {"adapter_model.safetensors", "adapter_config.json", "tokenizer.json", "decoding.json"}
    assert names >= {"evaluation.json", "training.json", "README.md"}
    card = (out / "README.md").read_text()
    assert "95% bootstrap" in card and json.loads((run / "training.json").read_text())["data_hash"] in card
    from abroad.release.pack import read_decoding

    assert read_decoding(out).beams == 2 and read_decoding(run) is None
    (out / "README.md").unlink()
    assert cli("release", "card", out).exit_code == 0 and (out / "README.md").exists()
    assert cli("release", "pack", tmp_path, "--dev", tmp_path / "dev.jsonl", "--out", out).exit_code == 2
