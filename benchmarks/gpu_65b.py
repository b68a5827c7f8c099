"""A randomly initialised LLaMA 65B in NF4 on one GPU of 80 GB generates, scores and trains, beside what was planned.

Never run on a GPU yet. Where one is lent, in about 10 minutes (the weights are drawn on the GPU, none are read):

    python -m benchmarks.gpu_65b                    # 65B on cuda
    python -m benchmarks.gpu_65b --layers 4         # a try of the same widths in half a minute
    python -m benchmarks.gpu_65b --size tiny        # on a CPU, as the tests run it

A bare machine with torch, transformers and peft needs bitsandbytes 0.50.2, pydantic, pydantic-core and annotated-types
as wheels of its Python. Each line is printed as it is measured, so that a run that is cut off leaves what it has.
Tokens a second say nothing about texts: weights are random, a draft's proposals are hardly ever accepted, and what
better ones would give follows from the latencies by the formula of arXiv 2402.01528.
"""

from __future__ import annotations

import argparse
import copy
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
import transformers

from abroad.engines.base import GenerationRequest
from abroad.engines.contrastive import ContrastiveSettings
from abroad.engines.speculation import SpeculationCounts
from abroad.engines.transformers.engine import TransformersEngine
from abroad.engines.transformers.speculate import Speculator
from abroad.experiments.tuning.draft import latency
from abroad.models.backend import quiet_loading
from abroad.training.adapter import with_adapter
from abroad.training.data import target_loss
from abroad.training.optimizer import make_optimizer
from abroad.training.plan import Shape, plan, shape_of
from abroad.training.processes import Processes
from abroad.training.settings import TrainSettings
from benchmarks.plan_65b import (
    BANDWIDTH,
    DRAFT,
    TRAINING,
    Work,
    bound,
    contrastive_bound,
    llama_shape,
    pass_bytes,
    speculative_bound,
    weights_bytes,
)

PROPOSED = 5
UPDATES = 4
TINY = {"hidden_size": 64, "intermediate_size": 160, "num_hidden_layers": 2, "num_attention_heads": 4}
TINY_DRAFT = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 1, "num_attention_heads": 4}


@dataclass(frozen=True)
class Sizes:
    """How much is done: texts at once, and tokens of a prompt, of its continuation, and of an example of training."""

    rows: int = 8
    prompt: int = 768
    new: int = 128
    scored: int = 64
    trained: int = 1024


@dataclass(frozen=True)
class Line:
    """What was measured, beside what was to be expected; memory is None where there is no GPU."""

    what: str
    seconds: float
    tokens: int
    memory: float | None
    planned: float
    bound: float | None = None

    def row(self) -> str:
        held = "" if self.memory is None else f"{self.memory / 1e9:.2f}"
        most = "" if self.bound is None else f"{self.bound:.1f}"
        return (
            f"| {self.what} | {self.seconds:.1f} | {self.tokens / self.seconds:.1f} | {most} | {held} "
            f"| {self.planned / 1e9:.2f} |"
        )


def random_nf4(config: Any, device: Any, seed: int = 0) -> Any:
    """A model of the config with random weights, drawn on the device layer by layer and packed into 4 bits at once."""
    import bitsandbytes as bnb

    with torch.device("meta"), quiet_loading():
        model = transformers.AutoModelForCausalLM.from_config(copy.deepcopy(config), dtype=torch.bfloat16)
    source = torch.Generator(device).manual_seed(seed)
    head = model.get_output_embeddings()

    def drawn(shape: Sequence[int]) -> Any:
        return torch.empty(shape, dtype=torch.bfloat16, device=device).normal_(0, 0.02, generator=source)

    for name, module in list(model.named_modules()):
        if isinstance(module, torch.nn.Linear) and module is not head:
            packed = bnb.nn.Linear4bit(
                module.in_features, module.out_features, bias=False, compute_dtype=torch.bfloat16, quant_type="nf4",
                compress_statistics=True, quant_storage=torch.uint8, device="meta",
            )  # fmt: skip
            weight = bnb.nn.Params4bit(
                drawn(module.weight.shape), requires_grad=False, quant_type="nf4", compress_statistics=True,
                quant_storage=torch.uint8, module=packed,
            )  # fmt: skip
            packed.weight = weight.to(device)
            packed.support_avx512bf16_for_cpu = False  # or a CPU would repack them at the first inference
            model.set_submodule(name, packed)
    for name, value in list(model.named_parameters()):
        if value.device.type == "meta":
            owner, _, own = name.rpartition(".")
            norm = value.ndim == 1
            made = torch.ones(value.shape, dtype=value.dtype, device=device) if norm else drawn(value.shape)
            setattr(model.get_submodule(owner), own, torch.nn.Parameter(made, requires_grad=False))
    with torch.device(device):
        model.model.rotary_emb = type(model.model.rotary_emb)(config=model.config)
    model.is_loaded_in_4bit = model.is_quantized = True
    return model.eval()


def random_tokenizer(size: int) -> Any:
    """A tokenizer of bytes and of words that no text has, as large as the vocabulary: random models write any token."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers

    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    words = {word: number for number, word in enumerate(["<s>", "</s>", *letters])}
    words |= {f"Ġword{number}": number for number in range(len(words), size)}
    raw = Tokenizer(models.BPE(vocab=words, merges=[]))
    raw.pre_tokenizer, raw.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel()
    special = {"bos_token": "<s>", "eos_token": "</s>", "pad_token": "</s>"}
    tokenizer = transformers.PreTrainedTokenizerFast(tokenizer_object=raw, **special)
    tokenizer.padding_side = "left"
    return tokenizer


class Bench:
    """A model on a device, and what of it is measured."""

    def __init__(self, shape: Shape, sizes: Sizes, device: str, draft: Shape | None = None) -> None:
        self.shape, self.sizes, self.device = shape, sizes, torch.device(device)
        self.cuda = self.device.type == "cuda"
        name = torch.cuda.get_device_name() if self.cuda else "CPU"
        self.bandwidth = next((value for key, value in BANDWIDTH.items() if key in name), None)
        self.tokenizer = random_tokenizer(shape.vocabulary)
        self.small = draft or llama_shape("draft", DRAFT, shape.vocabulary)

    def lines(self) -> Any:
        """Each line as it is measured."""
        yield self._measured("loading (drawn and packed)", self._load, self._weights)
        yield self._generated("greedy, 1 text", 1)
        yield self._generated(f"greedy, {self.sizes.rows} texts", self.sizes.rows)
        yield self._scored()
        yield from self._with_draft()
        yield self._trained()

    @property
    def _weights(self) -> float:
        return weights_bytes(self.shape)

    def _load(self) -> int:
        self.model = random_nf4(self.shape.config, self.device)
        self.model.generation_config.eos_token_id = None
        return 1

    def _measured(self, what: str, work: Callable[[], int], planned: float, most: float | None = None) -> Line:
        if self.cuda:
            torch.cuda.empty_cache()
            torch.cuda.reset_peak_memory_stats()
            torch.cuda.synchronize()
        start = time.perf_counter()
        tokens = work()
        if self.cuda:
            torch.cuda.synchronize()
        seconds = time.perf_counter() - start
        return Line(what, seconds, tokens, torch.cuda.max_memory_allocated() if self.cuda else None, planned, most)

    def _requests(self, rows: int) -> list[GenerationRequest]:
        prompts = torch.randint(2, self.shape.vocabulary, (rows, self.sizes.prompt), generator=torch.Generator())
        new = self.sizes.new
        return [GenerationRequest(str(n), tuple(ids), new) for n, ids in enumerate(prompts.tolist())]

    def _write(self, engine: TransformersEngine, rows: int) -> int:
        answers = list(engine.generate(self._requests(rows)))
        failed = [answer.error for answer in answers if answer.error is not None]
        assert not failed, failed[0]
        return sum(answer.tokens for answer in answers)

    def _generated(self, what: str, rows: int, extra: float = 0.0, most: float | None = None, **more: Any) -> Line:
        engine = TransformersEngine(self.model, self.tokenizer, rows, **more)
        planned = self._weights + extra + pass_bytes(self.shape.config, Work(rows, self.sizes.prompt, self.sizes.new))
        if most is None and self.bandwidth is not None:
            most = bound(self.shape, self.bandwidth, self._middle, rows)
        return self._measured(what, lambda: self._write(engine, rows), planned, most)

    @property
    def _middle(self) -> int:
        return self.sizes.prompt + self.sizes.new // 2

    def _scored(self) -> Line:
        engine, sizes = TransformersEngine(self.model, self.tokenizer, self.sizes.rows), self.sizes
        prompts = [request.prompt for request in self._requests(sizes.rows)]
        ending = "x" * sizes.scored  # a token each
        planned = self._weights + pass_bytes(
            self.shape.config, Work(sizes.rows, sizes.prompt, sizes.scored, scored=True)
        )

        def work() -> int:
            scores = engine.score(prompts, [ending] * sizes.rows)
            assert all(score is not None for score in scores)
            return sizes.rows * (sizes.prompt + sizes.scored)

        return self._measured(f"scoring, {sizes.rows} texts", work, planned)

    def _with_draft(self) -> Any:
        """Contrastive decoding with a small amateur, and speculative decoding with the same model as its draft."""
        small = random_nf4(self.small.config, self.device, seed=1)
        extra, shapes = weights_bytes(self.small), (self.shape, self.small)
        most = contrastive_bound(shapes, self.bandwidth, self._middle) if self.bandwidth else None
        contrastive = {"amateur": small, "contrastive": ContrastiveSettings()}
        yield self._generated("contrastive, small amateur, 1 text", 1, extra, most, **contrastive)
        counts = SpeculationCounts()
        drafted = {"speculator": Speculator(self.model, small, PROPOSED, counts)}
        line = self._generated(f"speculative, {PROPOSED} proposed, 1 text", 1, extra, 0.0, **drafted)
        if self.bandwidth:
            gained = max(counts.tokens_per_pass - 1, 0.0)
            most = speculative_bound(shapes, self.bandwidth, self._middle, PROPOSED, gained)
        yield Line(line.what, line.seconds, line.tokens, line.memory, line.planned, most)
        self.foretold = self._foretell(small)

    def _foretell(self, small: Any) -> list[str]:
        """Tokens a second by the measured latencies, for drafts of which more is accepted."""
        token = self.tokenizer.eos_token_id
        alone, checking = (latency(self.model, token, width) for width in (1, PROPOSED + 1))
        step = latency(small, token, 1)
        rates = [f"{(n + 1) / (PROPOSED * step + checking):.1f} with {n}" for n in range(PROPOSED + 1)]
        return [
            f"a pass over 1 token {1e3 * alone:.1f} ms, over {PROPOSED + 1} {1e3 * checking:.1f} ms, "
            f"a token of the draft {1e3 * step:.1f} ms",
            f"tokens a second with so many of {PROPOSED} accepted: {', '.join(rates)}; {1 / alone:.1f} without a draft",
        ]

    def _trained(self) -> Line:
        settings = TRAINING.replace(max_length=self.sizes.trained)
        planned = plan(settings.replace(model=self.shape.name), self.shape, target_tokens=self.sizes.scored).total
        return self._measured(f"training, {UPDATES} updates", lambda: self._train(settings), planned)

    def _train(self, settings: TrainSettings) -> int:
        model = with_adapter(self.model, settings)
        base, optimizer = model.get_base_model().train(), make_optimizer(model, settings, Processes())
        shape = (1, settings.max_length)
        ids = torch.randint(2, self.shape.vocabulary, shape, generator=torch.Generator()).to(self.device)
        kept = self.sizes.scored + 1
        inputs = {"input_ids": ids, "attention_mask": torch.ones_like(ids), "labels": ids[:, -kept:], "kept": kept}
        self.losses = []
        for _ in range(UPDATES):
            loss = target_loss(base, inputs) / kept
            loss.backward()
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
            self.losses.append(float(loss.detach()))
        return UPDATES * settings.max_length


def make_bench(size: str, layers: int | None, device: str) -> Bench:
    """The bench of a size: "65b", of fewer layers if so many are given, or "tiny"."""
    if size != "tiny":
        shape = shape_of(f"llama-{size}")
        if layers is not None:
            shape = _of_layers(shape, layers)
        return Bench(shape, Sizes(), device)
    sizes = Sizes(rows=2, prompt=24, new=6, scored=4, trained=32)
    return Bench(llama_shape("tiny", TINY, 1000), sizes, device, llama_shape("tiny-draft", TINY_DRAFT, 1000))


def _of_layers(shape: Shape, layers: int) -> Shape:
    from dataclasses import replace

    config = type(shape.config)(**{**shape.config.to_dict(), "num_hidden_layers": layers})
    linear = shape.linear[: len(shape.linear) // shape.layers * layers]
    other = shape.other - 2 * shape.hidden * (shape.layers - layers)
    return replace(
        shape, name=f"{shape.name}-{layers}-layers", layers=layers, linear=linear, other=other, config=config
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", default="65b", choices=["7b", "13b", "30b", "65b", "tiny"])
    parser.add_argument("--layers", type=int, help="of the model's blocks, so many")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    options = parser.parse_args()
    bench = make_bench(options.size, options.layers, options.device)
    name = torch.cuda.get_device_name() if bench.cuda else "CPU"
    versions = f"torch {torch.__version__}, transformers {transformers.__version__}"
    draft = f"draft of {bench.small.parameters / 1e9:.2f} billion parameters"
    print(f"# LLaMA {options.size} in NF4 on {name}\n\n{versions}; {draft}; {bench.sizes}\n")
    print("| what | seconds | tokens/s | tokens/s by bandwidth | memory, GB | plan, GB |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |")
    for line in bench.lines():
        print(line.row(), flush=True)
    print()
    for sentence in bench.foretold:
        print(f"- {sentence}")
    print(f"- loss of each update: {', '.join(f'{loss:.3f}' for loss in bench.losses)}")


if __name__ == "__main__":
    main()
