"""Two processes that share a model (FSDP over gloo) train as one process does."""

import json
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from safetensors.torch import load_file

from abroad.core.io import write_documents
from abroad.pipeline.config import load_section
from abroad.training.processes import Processes


@pytest.mark.slow
@pytest.mark.parametrize("quantization", ["none", "nf4"])
def test_two_processes_end_where_one_does(quantization, tiny_model, documents, tmp_path):
    write_documents(tmp_path / "d.jsonl", documents)
    script = tmp_path / "run.py"
    script.write_text(
        textwrap.dedent("""
        import sys
        from pathlib import Path
        from abroad.core.context import Context
        from abroad.core.io import read_documents
        from abroad.training.settings import TrainSettings
        from abroad.training.train import train
        model, data, out, size, passes, quantization = sys.argv[1:]
        settings = TrainSettings(model=model, epochs=3, quantization=quantization, learning_rate=1e-2,
                                 batch_size=int(size), gradient_accumulation_steps=int(passes), warmup_steps=0,
                                 lora_dropout=0.0, validation_max_new_tokens=4, checkpoint_every=2)
        items = read_documents(data)
        train(items, items[:1], settings, Path(out), Context())
        """)
    )
    if quantization == "nf4":
        pytest.importorskip("bitsandbytes")
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"]
    arguments = [str(script), str(tiny_model), str(tmp_path / "d.jsonl")]
    subprocess.run(
        [*launch, *arguments, str(tmp_path / "two"), "1", "2", quantization],
        check=True,
        timeout=240,
        capture_output=True,
    )
    subprocess.run([sys.executable, *arguments, str(tmp_path / "one"), "2", "1", quantization], check=True, timeout=240)

    def course(name):
        return [json.loads(line)["loss"] for line in (tmp_path / name / "metrics.jsonl").read_text().splitlines()]

    assert course("two") == pytest.approx(course("one"), rel=1e-4)
    one, two = (load_file(tmp_path / name / "adapter_model.safetensors") for name in ("one", "two"))
    assert one.keys() == two.keys()
    assert max(float((one[name] - two[name]).abs().max()) for name in one) < 1e-3


def test_all_processes_run_the_same_number_of_batches(monkeypatch):
    batches = ((1, 2), (3, 4), (5,))
    shares = []
    for rank in (0, 1):
        processes = Processes()
        processes.rank, processes.count = rank, 2
        shares.append(processes.share(batches))
    assert shares == [[((1, 2), True), ((5,), True)], [((3, 4), True), ((1, 2), False)]]


def test_processes_share_an_update_and_do_not_multiply_it(tiny_model, documents, tmp_path, monkeypatch):
    """8 processes of the published 65B recipe (1 x 80) make updates of 80 examples, as one process does."""
    from abroad.core.context import Context
    from abroad.training.settings import TrainSettings
    from abroad.training.train import TrainingRun
    from tests.experiments.test_compare import documents as many

    recipe = load_section(Path("configs/paper/llama-65b.yaml"), "train")
    values = {"batch_size": recipe.batch_size, "gradient_accumulation_steps": recipe.gradient_accumulation_steps}
    settings = TrainSettings(model=str(tiny_model), epochs=1, **values)
    one = TrainingRun(many("t", 200), [], settings, tmp_path / "one", Context())
    eight = Processes()
    eight.count, eight.rank = 8, 1
    monkeypatch.setattr("abroad.training.train.Processes", lambda: eight)
    monkeypatch.setattr(TrainingRun, "_prepare", lambda self, source: one.model)
    shared = TrainingRun(many("t", 200), [], settings, tmp_path / "eight", Context())
    assert shared.updates == one.updates
    assert [sum(map(len, update.batches)) for update in shared.updates] == [80, 80, 40]
    assert len(eight.share(shared.updates[0].batches)) == 10


@pytest.fixture
def alone():
    """A process group of one: shards are made and put together as among many."""
    import torch

    torch.distributed.init_process_group("gloo", store=torch.distributed.HashStore(), rank=0, world_size=1)
    yield
    torch.distributed.destroy_process_group()


@pytest.mark.parametrize("harm", [False, True], ids=["kept", "harmed"])
def test_four_bit_weights_are_compared_once_they_are_shared(tiny_model, alone, harm, monkeypatch):
    pytest.importorskip("bitsandbytes")
    import torch
    from torch.distributed import fsdp

    from abroad.core.errors import AbroadError
    from abroad.models.load import load_model
    from abroad.models.resolve import resolve_model

    def harmful(module, **options):
        fully_shard(module, **options)
        for name, value in module.named_parameters():
            if harm and name == "self_attn.v_proj.weight":
                with torch.no_grad():
                    value._local_tensor[0, 0] += 1

    fully_shard = fsdp.fully_shard
    monkeypatch.setattr(fsdp, "fully_shard", harmful)
    model = load_model(resolve_model(str(tiny_model)), "nf4")
    processes = Processes()
    processes.count = 2
    if harm:
        with pytest.raises(AbroadError, match=r"v_proj\.weight: its 4-bit weights changed"):
            processes.shard(model)
    else:
        processes.shard(model)


def test_four_bit_weights_are_bytes_on_a_gpu_too(tiny_model, monkeypatch):
    pytest.importorskip("bitsandbytes")
    import torch
    import transformers

    from abroad.core.errors import InputError
    from abroad.models.load import load_model
    from abroad.models.resolve import resolve_model

    asked = {}

    def from_pretrained(name, **options):
        asked.update(options)
        raise OSError("not on this machine")

    source = resolve_model(str(tiny_model))
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "current_device", lambda: 0)
    monkeypatch.setattr(transformers.AutoModelForCausalLM, "from_pretrained", from_pretrained)
    with pytest.raises(InputError):
        load_model(source, "nf4")
    assert asked["dtype"] == torch.bfloat16 and asked["quantization_config"].bnb_4bit_quant_storage == torch.uint8
