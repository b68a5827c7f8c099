"""What the plan counts without values against what training on a CPU holds, in the precision of a GPU."""

import pytest

from abroad.core.context import Context
from abroad.training.data import collate
from abroad.training.memory import count_step, dry_run
from abroad.training.plan import plan, shape_of
from abroad.training.settings import TrainSettings
from abroad.training.train import TrainingRun
from tests.conftest import save_tiny_model
from tests.experiments.test_compare import documents

torch = pytest.importorskip("torch")


@pytest.fixture(scope="module")
def model(smollm2, tmp_path_factory):
    """Four blocks of the proportions of LLaMA."""
    folder = tmp_path_factory.mktemp("models") / "llama"
    return save_tiny_model(smollm2, folder, "Llama", hidden=192, inner=512, layers=4, heads=6, kv_heads=6)


@pytest.fixture
def as_on_a_gpu(monkeypatch):
    monkeypatch.setattr("abroad.models.load.computed_in", lambda: torch.bfloat16)


def weights_of(model) -> int:
    """Bytes of frozen weights, with the scales of those in 4 bits."""
    frozen = {id(p): p for p in model.parameters() if not p.requires_grad}.values()
    states = [state for p in frozen if (state := getattr(p, "quant_state", None)) is not None]
    parts = [part for state in states for part in (state.absmax, state.code, state.offset, state.state2.absmax)]
    return sum(tensor.nbytes for tensor in [*frozen, *parts])


@pytest.mark.parametrize("checkpointing", [False, True], ids=["kept", "checkpointed"])
@pytest.mark.parametrize("quantization", ["none", "nf4"])
def test_the_plan_is_what_training_holds(model, as_on_a_gpu, quantization, checkpointing, tmp_path):
    if quantization == "nf4":
        pytest.importorskip("bitsandbytes")
    settings = TrainSettings(
        model=str(model), quantization=quantization, gradient_checkpointing=checkpointing, batch_size=2
    )
    run = TrainingRun(documents("t", 2), [], settings, tmp_path, Context())
    base = run.model.get_base_model().train()
    batch = collate(run.examples, run.tokenizer.pad_token_id)
    kept = batch["labels"].shape[1]
    ids = batch["input_ids"].repeat(1, 6)
    length = ids.shape[1]
    positions = torch.arange(length).repeat(2, 1)
    long = {**batch, "input_ids": ids, "attention_mask": torch.ones_like(ids), "position_ids": positions}
    held = count_step(base, long)
    planned = plan(settings.replace(max_length=length), shape_of(str(model)), target_tokens=kept - 1)
    assert planned.activations == pytest.approx(held, rel=0.1)
    assert planned.weights == pytest.approx(weights_of(run.model), rel=0.03)


def test_a_few_blocks_tell_of_many(model):
    shape = shape_of(str(model))
    config = shape.config
    counted = []
    for layers in (4, 8):  # run as they are, and reckoned from fewer
        config.num_hidden_layers = layers
        counted.append([dry_run(config, TrainSettings(max_length=64, gradient_checkpointing=c), 1, 8) for c in (0, 1)])
    from abroad.training import memory

    whole = [memory._run(config, TrainSettings(max_length=64, gradient_checkpointing=c), 1, 8) for c in (0, 1)]
    assert counted[1] == pytest.approx(whole, rel=0.001) and counted[0][0] < whole[0]


def test_65_billion_weights_are_counted_in_float32_where_they_are_not_quantised():
    """Embeddings and output layer of LLaMA 65B: 2 x 32,000 x 8,192 numbers of 4 bytes beside the 4-bit ones."""
    shape = shape_of("llama-65b")
    settings = TrainSettings(quantization="nf4", gradient_checkpointing=True, batch_size=1, max_length=1024)
    planned = plan(settings, shape, 1, 80e9)
    linear = sum(inputs * outputs for inputs, outputs in shape.linear)
    assert planned.weights == pytest.approx(linear * 4.127 / 8 + 4 * shape.other, rel=1e-6)
    assert planned.activations > 80 * 1024 * 8192 * 4  # each block's input, in float32
    assert planned.fits and plan(settings, shape, 8).loading > planned.weights * 0.99
