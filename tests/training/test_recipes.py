"""What the recipes for small curated sets rest on: dropout that rises with depth, and learning curves."""

import json

import pytest

from abroad.core.io import write_documents
from abroad.training.dropout import add_residual_dropout, decoder_blocks
from tests.experiments.test_compare import documents as studies


def test_dropout_rises_with_depth_and_is_off_in_evaluation(tiny_model):
    import torch
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(tiny_model)
    ids = torch.tensor([[5, 6, 7, 8]])
    with torch.no_grad():
        plain = model.eval()(ids).logits
        assert add_residual_dropout(model, 0.3) == 4  # two blocks, each with attention and feed-forward
        assert torch.equal(model.eval()(ids).logits, plain)
        first, last = decoder_blocks(model)
        model.train()
        assert not torch.equal(model(ids).logits, plain)
        dropped = last.mlp.down_proj(torch.ones(2000, last.mlp.down_proj.in_features))
        assert float((dropped == 0).float().mean()) == pytest.approx(0.3, abs=0.02)
        assert not bool((first.mlp.down_proj(torch.ones(50, first.mlp.down_proj.in_features)) == 0).any())


def test_a_learning_curve_has_a_point_for_each_size_a_set_reaches(cli, tmp_path):
    for name, count in (("a", 24), ("b", 13), ("dev", 8)):
        write_documents(tmp_path / f"{name}.jsonl", studies(name, count))
    sets = [f"{name}={tmp_path / name}.jsonl" for name in ("a", "b")]
    options = ["--dev", tmp_path / "dev.jsonl", "--out", tmp_path / "out", "--learner", "extractor"]
    result = cli("train", "curve", *sets, "--sizes", "12,24", *options)
    assert result.exit_code == 0
    curves = json.loads((tmp_path / "out" / "curve.json").read_text())
    assert {name: [point["documents"] for point in points] for name, points in curves.items()} == {
        "a": [12, 24],
        "b": [12],
    }
    assert "<svg" in (tmp_path / "out" / "curve.svg").read_text()
    assert cli("train", "curve", *sets, "--sizes", "500", *options).exit_code == 2
    assert cli("train", "curve", *sets, "--sizes", "many", *options).exit_code == 2
