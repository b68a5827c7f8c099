"""An adapter's beginning: the same on any device and in any precision, and drawn again without the base's weights."""

import json
import shutil

import numpy as np
import pytest

from abroad.core.context import Context
from abroad.models.adapters import arrays_hash, load_arrays
from abroad.models.compeft import compress, write_change
from abroad.models.initial import initial_adapter, initial_matrix
from abroad.models.load import empty_model, load_model
from abroad.models.lora import LoraShape, add_lora, draw_former, peft_names, trainable
from abroad.models.resolve import resolve_model
from abroad.models.source import ADAPTER, COMPRESSED, INITIAL
from abroad.release.run import read_run, trained_in
from abroad.training.settings import TrainSettings
from abroad.training.train import train

DRAWN = {"seed": 3, "lora_rank": 4, "lora_alpha": 8, "lora_dropout": 0.0, "rope_factor": 1.0}


def test_a_matrix_is_that_of_its_seed_and_name_alone():
    name = "base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight"
    values = initial_matrix(0, name, (8, 4096))
    assert values[0, :3] == pytest.approx([-0.00170353, 0.00630232, -0.00801951], rel=1e-4)  # what releases rest on
    assert np.abs(values).max() <= 1 / 64 and values.std() == pytest.approx(1 / 64 / 3**0.5, rel=0.02)
    assert (values == initial_matrix(0, name, (8, 4096))).all()
    for other in ((1, name), (0, name.replace("0", "1"))):
        assert abs(np.corrcoef(values.ravel(), initial_matrix(*other, (8, 4096)).ravel())[0, 1]) < 0.02
    assert not initial_matrix(0, name.replace("lora_A", "lora_B"), (4096, 8)).any()


@pytest.mark.parametrize("precision", ["float32", "bfloat16", "nf4"])
def test_an_adapter_is_drawn_alike_whatever_its_base_is_held_in(tiny_model, precision):
    import torch

    if precision == "nf4":
        pytest.importorskip("bitsandbytes")
    base = load_model(resolve_model(str(tiny_model)), "nf4" if precision == "nf4" else "none")
    base = base.to(torch.bfloat16) if precision == "bfloat16" else base
    model = add_lora(base, LoraShape(4, 8, 0.0, 3))
    found = {name: value.detach().float().numpy() for name, value in peft_names(dict(trainable(model))).items()}
    again = initial_adapter(3, {name: value.shape for name, value in found.items()})
    assert arrays_hash(again) == arrays_hash(found)


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_earlier_versions_draw_is_made_again_without_weights(tiny_model, precision):
    import peft
    import torch
    from transformers import set_seed

    source = resolve_model(str(tiny_model))
    dtype = getattr(torch, precision)
    set_seed(3)
    config = peft.LoraConfig(r=4, lora_alpha=8, target_modules="all-linear", task_type="CAUSAL_LM")
    whole = peft.get_peft_model(load_model(source).to(dtype), config)
    expected = {name: value.detach().float().numpy() for name, value in peft_names(dict(trainable(whole))).items()}
    assert arrays_hash(draw_former(empty_model(source).to(dtype), DRAWN)) == arrays_hash(expected)


def test_a_compressed_adapter_is_made_whole_where_the_weights_of_its_base_cannot_be_read(
    tiny_model, documents, tmp_path, monkeypatch
):
    """As of 65 billion weights, which no machine that only unpacks an adapter should have to hold."""
    monkeypatch.setenv("ABROAD_CACHE", str(tmp_path / "cache"))
    base, run, small = tmp_path / "base", tmp_path / "run", tmp_path / "small"
    shutil.copytree(tiny_model, base)
    values = {"epochs": 1, "learning_rate": 1e-2, "batch_size": 4, "gradient_accumulation_steps": 1, "warmup_steps": 0}
    train(documents, [], TrainSettings(model=str(base), **values), run, Context())
    initial, tuned, facts = read_run(run)
    assert facts["drawn"] == "matrix" and trained_in(run) == "none"
    small.mkdir()
    shutil.copy(run / "adapter_config.json", small)
    (base / "model.safetensors").write_bytes(b"")
    for missing in ((), ("drawn",)):
        header = {key: value for key, value in facts.items() if key not in missing}
        if missing:  # of an earlier version
            initial = draw_former(empty_model(resolve_model(str(base))), header)
            header["initial_hash"] = arrays_hash(initial)
        change = compress(initial, {name: value + 0.1 * (name in tuned) for name, value in initial.items()}, 10, 1)
        write_change(small / COMPRESSED, change, header)
        adapter = resolve_model(str(small)).adapter
        whole = load_arrays(adapter / ADAPTER)
        assert all((whole[name] == value).all() for name, value in change.applied_to(initial).items())


def test_a_run_that_goes_on_keeps_what_it_began_with(tiny_model, documents, tmp_path):
    """Earlier versions drew the adapter in another way: what their run began with must not be overwritten."""
    from safetensors.numpy import save_file

    from abroad.training.train import TrainingRun

    settings = TrainSettings(
        model=str(tiny_model), epochs=2, batch_size=1, gradient_accumulation_steps=1, checkpoint_every=1
    )
    stopped = TrainingRun(documents, [], settings, tmp_path, Context())
    stopped.stop_after = 1
    stopped.train()
    former = {name: value + 1 for name, value in load_arrays(tmp_path / INITIAL).items()}
    save_file(former, tmp_path / INITIAL)
    train(documents, [], settings, tmp_path, Context())
    assert arrays_hash(load_arrays(tmp_path / INITIAL)) == arrays_hash(former)
    assert "drawn" not in read_run(tmp_path)[2] and json.loads((tmp_path / "training.json").read_text())["settings"]
