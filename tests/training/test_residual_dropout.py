"""LIMA's dropout falls on what a block adds, the adapter's part too; its learning rate ends at a tenth."""

import itertools
from pathlib import Path

import pytest

from abroad.training.adapter import with_adapter
from abroad.training.dropout import decoder_blocks
from abroad.training.optimizer import schedule
from abroad.training.settings import TrainSettings


@pytest.mark.parametrize("family", ["tiny_model", "biogpt"])
def test_what_layer_and_adapter_add_is_dropped_together(request, family):
    """At rate 0.9 nine of ten outputs of base + LoRA are zero; if only the frozen part is dropped, none is."""
    import torch
    from transformers import AutoModelForCausalLM

    base = AutoModelForCausalLM.from_pretrained(request.getfixturevalue(family))
    settings = TrainSettings(residual_dropout=0.9, lora_dropout=0.0, lora_rank=4)
    model = with_adapter(base, settings).train()
    for name, parameter in model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter)  # as after some training: it is zero at first
    last = decoder_blocks(model)[-1]
    outputs = {
        n: m for n, m in last.named_modules() if n.rpartition(".")[2] in ("down_proj", "o_proj", "fc2", "out_proj")
    }
    assert len(outputs) == 2
    for module in outputs.values():
        dropped = module(torch.randn(400, module.in_features))
        assert float((dropped == 0).float().mean()) == pytest.approx(0.9, abs=0.02)
    model.eval()
    for module in outputs.values():
        assert not bool((module(torch.randn(40, module.in_features)) == 0).any())


def test_the_rate_falls_to_its_least_share_at_the_last_update():
    shares = [schedule(update, 100, 0, 0.1) for update in range(1, 101)]
    assert shares[0] == 1 and shares[-1] == pytest.approx(0.1)
    steps = [a - b for a, b in itertools.pairwise(shares)]
    assert max(steps) == pytest.approx(min(steps))
    assert schedule(1, 1, 0, 0.1) == 1
    assert [schedule(update, 4, 0) for update in (1, 2, 3, 4)] == [1, 0.75, 0.5, 0.25]  # as before


def test_the_recipe_is_the_published_one():
    from abroad.core.settings import read_section

    recipe = read_section(Path("configs/recipes/lima.yaml"), "train", TrainSettings)
    assert (recipe.min_lr_rate, recipe.residual_dropout, recipe.weight_decay) == (0.1, 0.3, 0.1)
