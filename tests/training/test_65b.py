"""What can be shown of 65 billion parameters without a GPU: shapes, shards and memory on meta tensors, and limits.

`benchmarks/gpu_65b.py`, which measures the same on a GPU, runs here on a tiny model of the same architecture.
"""

import copy
import subprocess
import sys

import pytest

torch = pytest.importorskip("torch")

from abroad.training.plan import plan, shape_of  # noqa: E402
from benchmarks import plan_65b  # noqa: E402
from benchmarks.plan_65b import BANDWIDTH, TRAINING, Work  # noqa: E402

H100 = BANDWIDTH["H100"]


@pytest.fixture(scope="module")
def shape():
    return shape_of("llama-65b")


@pytest.fixture(scope="module")
def bench():
    pytest.importorskip("bitsandbytes")
    from benchmarks.gpu_65b import make_bench

    bench = make_bench("tiny", None, "cpu")
    bench.measured = {line.what: line for line in bench.lines()}
    return bench


def test_the_shapes_are_those_of_the_published_model(shape):
    found = plan_65b.shapes_of(shape.config)
    assert found["model.embed_tokens.weight"] == found["lm_head.weight"] == (32000, 8192)
    for layer in (0, 79):
        block = f"model.layers.{layer}"
        assert found[f"{block}.self_attn.q_proj.weight"] == found[f"{block}.self_attn.o_proj.weight"] == (8192, 8192)
        assert found[f"{block}.mlp.gate_proj.weight"] == (22016, 8192)
        assert found[f"{block}.mlp.down_proj.weight"] == (8192, 22016)
    assert shape.config.num_attention_heads == 64 and shape.layers == 80
    assert round(shape.parameters / 1e9, 2) == 65.29


def test_generating_scoring_and_training_fit_one_gpu_of_80_gb(shape):
    sizes = dict(plan_65b.memory_rows(shape))
    assert len(sizes) == 4 and all(34e9 < size < 0.92 * 80e9 for size in sizes.values())


def test_keys_and_values_are_counted_as_a_real_cache_holds_them():
    from transformers import AutoModelForCausalLM

    config = plan_65b.llama_shape("small", {**plan_65b.DRAFT, "num_hidden_layers": 3}, 512).config
    model = AutoModelForCausalLM.from_config(copy.deepcopy(config), dtype=torch.bfloat16)
    with torch.inference_mode():
        cache = model(torch.zeros((2, 5), dtype=torch.long)).past_key_values
    held = sum(layer.keys.nbytes + layer.values.nbytes for layer in cache.layers)
    assert plan_65b.cache_bytes(config, 2 * 5) == held


def test_long_texts_take_the_memory_of_their_keys_and_values(shape):
    """However many blocks stand for the eighty."""
    held = plan_65b.cache_bytes(shape.config, 8 * 1023)
    counted = plan_65b.pass_bytes(shape.config, Work(8, 768, 256))
    assert held < counted < 1.1 * held


def test_a_dry_run_leaves_the_config_as_it_was():
    """A real model may share it, and would compute what only meta tensors may."""
    small = plan_65b.llama_shape("small", {**plan_65b.DRAFT, "num_hidden_layers": 2}, 512)
    before = (small.config._attn_implementation, small.config.to_dict())
    plan(TRAINING.replace(model="small", max_length=16), small, target_tokens=8)
    plan_65b.pass_bytes(small.config, Work(1, 8, 8))
    assert (small.config._attn_implementation, small.config.to_dict()) == before


def test_bandwidth_sets_the_pace(shape):
    """Every weight is read once for a step, however many texts it writes a token of."""
    linear = shape.parameters - shape.other
    moved = linear * 4.127 / 8 + 2 * 32000 * 8192 + 2 * 2 * 80 * 8192 * 897
    assert plan_65b.bound(shape, H100, 896) == pytest.approx(H100 / moved)
    assert 85 < plan_65b.bound(shape, H100, 896) < 100
    assert 4 < plan_65b.bound(shape, H100, 896, 8) / plan_65b.bound(shape, H100, 896) < 8  # each has a cache of its own
    small = plan_65b.llama_shape("draft", plan_65b.DRAFT, 32000)
    alone = plan_65b.bound(shape, H100, 896)
    assert 0.97 * alone < plan_65b.contrastive_bound((shape, small), H100, 896) < alone
    rates = [plan_65b.speculative_bound((shape, small), H100, 896, 5, accepted) for accepted in range(6)]
    assert rates == sorted(rates) and rates[5] == pytest.approx(6 * rates[0])
    assert rates[0] < alone < rates[1]


SHARDED = """
import os
os.environ |= {"RANK": "0", "WORLD_SIZE": "8"}
import torch
from torch.testing._internal.distributed.fake_pg import FakeStore
from transformers import AutoModelForCausalLM
from abroad.training.plan import shape_of
from abroad.training.processes import Processes

torch.distributed.init_process_group("fake", store=FakeStore(), rank=0, world_size=8)
shape = shape_of("llama-65b")
with torch.device("meta"):
    model = AutoModelForCausalLM.from_config(shape.config, dtype=torch.bfloat16)
Processes().shard(model)
local = 0
for name, value in model.named_parameters():
    assert value.device_mesh.size() == 8 and value.to_local().shape[0] * 8 == value.shape[0], name
    local += value.to_local().numel()
assert local * 8 == shape.parameters, (local, shape.parameters)
print("an eighth each:", local)
"""


def test_eight_processes_hold_an_eighth_each_of_all_blocks():
    """The sharding of `abroad train` itself, of the whole model, without values and without other processes."""
    done = subprocess.run([sys.executable, "-c", SHARDED], capture_output=True, text=True)
    assert done.returncode == 0 and "an eighth each: 8160" in done.stdout, done.stderr[-2000:]


def test_a_random_model_in_nf4_holds_what_was_planned():
    pytest.importorskip("bitsandbytes")
    from benchmarks.gpu_65b import random_nf4

    small = plan_65b.llama_shape("small", {**plan_65b.DRAFT, "num_hidden_layers": 2}, 512)
    model = random_nf4(small.config, "cpu")
    states = [value.quant_state for value in model.parameters() if hasattr(value, "quant_state")]
    assert len(states) == len(small.linear)
    parts = [part for s in states for part in (s.absmax, s.code, s.offset, s.state2.absmax)]
    held = sum(value.nbytes for value in [*model.parameters(), *parts])
    assert held == pytest.approx(plan_65b.weights_bytes(small), rel=0.02)


def test_everything_runs_on_a_tiny_model(bench):
    """Generation, scoring, a small amateur, a small draft and training, all over weights in 4 bits."""
    assert [what.partition(",")[0].partition(" (")[0] for what in bench.measured] == [
        *("loading", "greedy", "greedy", "scoring", "contrastive", "speculative", "training")
    ]
    sizes = bench.sizes
    assert bench.measured["greedy, 2 texts"].tokens == sizes.rows * sizes.new
    assert bench.measured["speculative, 5 proposed, 1 text"].tokens == sizes.new
    assert all(line.planned > 0 and line.row().count("|") == 7 for line in bench.measured.values())
    assert len(bench.foretold) == 2 and len(bench.losses) == 4
    assert all(0 < later < earlier for earlier, later in zip(bench.losses, bench.losses[1:], strict=False))


def test_a_draft_of_the_same_tokenizer_changes_no_text(bench):
    from abroad.engines.speculation import SpeculationCounts
    from abroad.engines.transformers.engine import TransformersEngine
    from abroad.engines.transformers.speculate import Speculator
    from benchmarks.gpu_65b import random_nf4

    model, small = (random_nf4(each.config, bench.device, seed) for seed, each in enumerate((bench.shape, bench.small)))
    plain = TransformersEngine(model, bench.tokenizer, 1)
    drafted = TransformersEngine(model, bench.tokenizer, 1, speculator=Speculator(model, small, 3, SpeculationCounts()))
    requests = bench._requests(2)
    texts = [{answer.id: answer.text for answer in engine.generate(requests)} for engine in (plain, drafted)]
    assert texts[0] == texts[1] and all(texts[0].values())
