"""Speculative decoding with transformers: a draft proposes tokens, the model checks them in one pass.

Leviathan et al., arXiv 2211.17192; what makes a draft good: arXiv 2402.01528. The text is that of
plain decoding, token for token; only the time differs.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from abroad.engines.base import GenerationRequest


@dataclass
class SpeculationCounts:
    """What speculation did, over all texts of an engine.

    Attributes:
        passes, tokens: of the model, and tokens they gave (the one the model adds itself included).
        proposed: tokens the draft proposed.
        draft_seconds, seconds: spent in the draft model, and in all.
    """

    passes: int = 0
    tokens: int = 0
    proposed: int = 0
    draft_seconds: float = 0.0
    seconds: float = 0.0

    @property
    def tokens_per_pass(self) -> float:
        """Token acceptance rate of arXiv 2402.01528: tokens gained a pass, the bonus token included."""
        return self.tokens / self.passes if self.passes else 0.0


@dataclass(frozen=True)
class Speculator:
    """Generates one text at a time with a draft.

    Attributes:
        draft: a model with the same tokenizer, or None to copy from the prompt.
        draft_tokens: proposed at once.
    """

    model: Any
    draft: Any
    draft_tokens: int
    counts: SpeculationCounts

    def generate(self, request: GenerationRequest, ids: list[int], options: dict[str, Any]) -> tuple[list[int], float]:
        """(token ids after the prompt, sum of their log-probabilities) of a greedy request."""
        import torch

        inputs = torch.tensor([ids], device=self.model.device)
        if self.draft is None:
            options = {**options, "prompt_lookup_num_tokens": self.draft_tokens}
        else:
            self.draft.generation_config.num_assistant_tokens = self.draft_tokens
            self.draft.generation_config.num_assistant_tokens_schedule = "constant"
            self.draft.generation_config.assistant_confidence_threshold = 0.0
            options = {**options, "assistant_model": self.draft}
        start = time.perf_counter()
        with torch.inference_mode(), self._counted():
            output = self.model.generate(
                input_ids=inputs,
                attention_mask=torch.ones_like(inputs),
                max_new_tokens=request.max_new_tokens,
                do_sample=False,
                return_dict_in_generate=True,
                output_logits=True,
                **options,
            )
        self.counts.seconds += time.perf_counter() - start
        tokens = output.sequences[0, len(ids) :].tolist()
        self.counts.tokens += len(tokens)
        scores = zip(output.logits, tokens, strict=False)
        return tokens, sum(float(torch.log_softmax(step[0].float(), -1)[token]) for step, token in scores)

    @contextmanager
    def _counted(self) -> Iterator[None]:
        """Count the passes of the model and the time of the draft while generating."""
        handles = [self.model.register_forward_pre_hook(self._on_pass, with_kwargs=True)]
        started: list[float] = []
        if self.draft is not None:
            handles.append(self.draft.register_forward_pre_hook(lambda *_: started.append(time.perf_counter())))
            handles.append(self.draft.register_forward_hook(lambda *_: self._on_draft(started.pop())))
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()

    def _on_pass(self, module: Any, arguments: Any, keywords: dict[str, Any]) -> None:
        self.counts.passes += 1
        if self.draft is None:
            width = keywords["input_ids"].shape[1]
            self.counts.proposed += min(width - 1, self.draft_tokens)

    def _on_draft(self, started: float) -> None:
        self.counts.proposed += 1
        self.counts.draft_seconds += time.perf_counter() - started
