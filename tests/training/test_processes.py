"""Two processes that share a model (FSDP over gloo) train as one process does."""

import json
import subprocess
import sys
import textwrap

import pytest
from safetensors.torch import load_file

from abroad.core.io import write_documents
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
        from abroad.core.io import Rejects, read_documents
        from abroad.training.settings import TrainSettings
        from abroad.training.train import train
        model, data, out, size, quantization = sys.argv[1:]
        settings = TrainSettings(model=model, epochs=3, quantization=quantization, learning_rate=1e-2,
                                 batch_size=int(size), gradient_accumulation_steps=1, warmup_steps=0, lora_dropout=0.0,
                                 validation_max_new_tokens=4, checkpoint_every=2)
        items = read_documents(data)
        train(items, items[:1], settings, Path(out), Rejects())
        """)
    )
    if quantization == "nf4":
        pytest.importorskip("bitsandbytes")
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"]
    arguments = [str(script), str(tiny_model), str(tmp_path / "d.jsonl")]
    subprocess.run(
        [*launch, *arguments, str(tmp_path / "two"), "1", quantization], check=True, timeout=240, capture_output=True
    )
    subprocess.run([sys.executable, *arguments, str(tmp_path / "one"), "2", quantization], check=True, timeout=240)

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
