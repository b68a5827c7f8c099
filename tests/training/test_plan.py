"""Memory plans: parameters as the models count them, published sizes, and advice that fits."""

import pytest

from abroad.core.errors import InputError
from abroad.training.plan import GIB, plan, shape_of
from abroad.training.settings import TrainSettings

QLORA = TrainSettings(model="llama-65b", quantization="nf4", gradient_checkpointing=True, batch_size=1, max_length=1024)


@pytest.mark.parametrize(
    ("name", "billions"), [("llama-7b", 6.74), ("llama-13b", 13.02), ("llama-30b", 32.53), ("llama-65b", 65.29)]
)
def test_llama_has_its_published_size(name, billions):
    assert shape_of(name).parameters / 1e9 == pytest.approx(billions, abs=0.005)


def test_a_shape_counts_what_the_model_holds(tiny_model, biogpt):
    from transformers import AutoModelForCausalLM

    for path in (tiny_model, biogpt):
        model = AutoModelForCausalLM.from_pretrained(path)
        assert shape_of(str(path)).parameters == sum(parameter.numel() for parameter in model.parameters())


def test_the_adapter_is_what_peft_adds(tiny_model, documents, tmp_path):
    from abroad.core.context import Context
    from abroad.models.lora import trainable
    from abroad.training.train import TrainingRun

    settings = TrainSettings(model=str(tiny_model))
    run = TrainingRun(documents, [], settings, tmp_path, Context())
    counted = sum(value.numel() for _, value in trainable(run.model))
    assert plan(settings, shape_of(str(tiny_model))).adapter == 4 * counted


def test_65b_fits_one_gpu_in_four_bits_and_eight_in_sixteen():
    shape = shape_of("llama-65b")
    assert plan(QLORA, shape, 1, 80e9).fits
    assert plan(QLORA.replace(quantization="none"), shape, 8, 80e9).fits
    refused = plan(QLORA.replace(quantization="none"), shape, 1, 80e9)
    assert refused.fits is False and any("nf4" in advice for advice in refused.advice)
    assert any("4 GPUs" in advice or "2 GPUs" in advice for advice in refused.advice)


def test_each_saving_saves():
    shape = shape_of("llama-7b")
    base = TrainSettings(model="llama-7b", batch_size=4)
    whole = plan(base, shape)
    assert plan(base.replace(gradient_checkpointing=True), shape).activations < whole.activations / 5
    assert plan(base.replace(quantization="nf4"), shape).weights < whole.weights / 3
    assert plan(base, shape, gpus=8).weights < whole.weights / 5
    assert whole.weights / GIB == pytest.approx(12.55, abs=0.05)


def test_the_command_refuses_what_cannot_fit(cli, tmp_path):
    result = cli("train", "--plan", "--model", "llama-65b", "--gpu-memory", "80")
    assert result.exit_code == 2 and "would fit: " in result.stdout
    result = cli("train", "--plan", "--config", "configs/paper/llama-65b.yaml", "--gpu-memory", "80")
    assert result.exit_code == 0 and "fits 80 GB" in result.stdout


def test_a_model_that_is_none_is_refused():
    with pytest.raises(InputError):
        shape_of("no-such-model")
