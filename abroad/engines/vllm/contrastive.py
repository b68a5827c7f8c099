"""Contrastive decoding in vLLM: a logits processor in its worker, where an amateur of transformers reads along.

vLLM imports this module by name in the processes of its workers, and gives it the logits after a constraint has
forbidden what it forbids, and before temperature and nucleus: where the method belongs. The amateur takes a pass of
its own for each text and token, so it should be a small model. It was tested on a CPU and has never run on a GPU.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from vllm.v1.sample.logits_processor import BatchUpdate, LogitsProcessor
from vllm.v1.sample.logits_processor.builtin import process_dict_updates

from abroad.engines.contrastive import ContrastiveSettings, contrast
from abroad.models.load import load_model
from abroad.models.source import ModelSource

CONFIG_KEY = "abroad_contrastive"
"""Of vLLM's `additional_config`: what `amateur_config` gives."""


def amateur_config(amateur: ModelSource, settings: ContrastiveSettings, keeps: int | None) -> dict[str, Any]:
    """What the processes of the workers need to know, in plain values."""
    adapter = str(amateur.adapter) if amateur.adapter is not None else None
    return {
        "base": amateur.base,
        "adapter": adapter,
        "alpha": settings.alpha,
        "beta": settings.beta,
        "keeps": keeps,
    }


@dataclass
class _Text:
    """One text as the amateur reads it: `output` is vLLM's own list, which grows."""

    prompt: list[int]
    output: list[int]
    cache: Any = None
    seen: int = 0
    logits: Any = None


class AmateurProcessor(LogitsProcessor):  # type: ignore[misc]  # vLLM is an extra
    """Takes the amateur's logits out of the model's, row by row."""

    def __init__(self, vllm_config: Any, device: torch.device, is_pin_memory: bool) -> None:
        facts = vllm_config.additional_config[CONFIG_KEY]
        adapter = Path(facts["adapter"]) if facts["adapter"] else None
        self._amateur = load_model(ModelSource(facts["base"], adapter))
        self._settings, self._keeps = ContrastiveSettings(alpha=facts["alpha"], beta=facts["beta"]), facts["keeps"]
        self._texts: dict[int, _Text] = {}

    def is_argmax_invariant(self) -> bool:
        return False

    def update_state(self, batch_update: BatchUpdate | None) -> None:
        process_dict_updates(self._texts, batch_update, self._begin)

    def _begin(self, params: Any, prompt: list[int] | None, output: list[int]) -> _Text:
        if prompt is None:
            raise ValueError("contrastive decoding needs prompts of tokens")
        kept = prompt if self._keeps is None else prompt[-self._keeps :]
        return _Text(list(kept), output)

    def apply(self, logits: torch.Tensor) -> torch.Tensor:
        """The logits, shape (texts, vocabulary), with the contrast in the rows of the texts that ask for one."""
        for row, text in self._texts.items():
            amateur = self._read(text).to(logits.device, logits.dtype)
            width = min(len(amateur), logits.shape[-1])  # output layers may be padded differently
            padded = logits.new_zeros(logits.shape[-1])
            padded[:width] = amateur[:width]
            logits[row] = contrast(logits[row], padded, self._settings)
        return logits

    def _read(self, text: _Text) -> torch.Tensor:
        """The amateur's logits of the next token, float of shape (vocabulary,)."""
        ids = [*text.prompt, *text.output]
        if text.seen < len(ids):
            new = torch.tensor([ids[text.seen :]], device=self._amateur.device)
            with torch.inference_mode():
                output = self._amateur(input_ids=new, past_key_values=text.cache, use_cache=True)
            text.cache, text.seen, text.logits = output.past_key_values, len(ids), output.logits[0, -1].float()
        logits: torch.Tensor = text.logits
        return logits
