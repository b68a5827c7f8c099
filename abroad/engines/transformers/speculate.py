"""Speculative decoding with transformers: a draft proposes tokens, the model checks them in one pass.

Leviathan et al., arXiv 2211.17192; what makes a draft good: arXiv 2402.01528. The text is that of
plain decoding, token for token, sampled or not; only the time differs.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from abroad.engines.base import GenerationRequest
from abroad.engines.speculation import SpeculationCounts
from abroad.engines.transformers.sampling import DraftedSampler


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
        """(token ids after the prompt, sum of their log-probabilities) of a request."""
        import torch

        passes = self.counts.passes
        inputs = torch.tensor([ids], device=self.model.device)
        if self.draft is None:
            options = {**options, "prompt_lookup_num_tokens": self.draft_tokens}
        else:
            self.draft.generation_config.num_assistant_tokens = self.draft_tokens
            self.draft.generation_config.num_assistant_tokens_schedule = "constant"
            self.draft.generation_config.assistant_confidence_threshold = 0.0
            options = {**options, "assistant_model": self.draft}
        if request.temperature > 0:
            size = self.model.get_output_embeddings().weight.shape[0]
            options["logits_processor"] = [DraftedSampler(request, len(ids), size, self.draft_tokens)]
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
        self.counts.accepted += len(tokens) - (self.counts.passes - passes)  # each pass adds one token of its own
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
