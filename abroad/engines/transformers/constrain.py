"""Structured output: tokens that a regex or a grammar does not allow are never chosen.

Masks come from llguidance (https://github.com/guidance-ai/llguidance), which vLLM uses too, so a
constraint means the same in both engines.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from abroad.core.errors import MissingDependencyError
from abroad.engines.base import GenerationRequest


class Constraints:
    """The constraints of a batch; made anew for each.

    Args:
        vocabulary: the tokenizer, as `wrap_tokenizer` gives it.
        eos: id of the token that ends a text; pad: that fills a row after its end.
        width: tokens of the (padded) prompts.
    """

    def __init__(self, requests: Sequence[GenerationRequest], vocabulary: Any, eos: int, pad: int, width: int) -> None:
        from llguidance import LLMatcher

        self._eos, self._ends, self._seen = eos, {eos, pad}, width
        self._matchers = {
            row: LLMatcher(vocabulary, grammar_of(request))
            for row, request in enumerate(requests)
            if is_constrained(request)
        }

    def __call__(self, input_ids: Any, scores: Any) -> Any:
        """The scores with -inf for what may not come next: a transformers LogitsProcessor."""
        import numpy
        import torch

        scores = scores.clone()
        for row, matcher in list(self._matchers.items()):
            tokens = input_ids[row, self._seen :].tolist()
            if self._ends & set(tokens):  # a row that has ended, by a stop string perhaps, is filled up
                del self._matchers[row]
                continue
            for token in tokens:
                if not matcher.is_stopped():
                    matcher.consume_token(token)
            if matcher.is_error():  # a grammar too large to follow: "stopped" would read as a finished text
                raise RuntimeError(f"the constraint cannot be followed: {matcher.get_error()}")
            if matcher.is_stopped():
                allowed = torch.zeros(scores.shape[-1], dtype=torch.bool)
                allowed[self._eos] = True
            else:
                bits = numpy.frombuffer(matcher.compute_bitmask(), dtype=numpy.uint8)
                if matcher.is_error():
                    raise RuntimeError(f"the constraint cannot be followed: {matcher.get_error()}")
                flags = numpy.unpackbits(bits, bitorder="little")[: scores.shape[-1]]
                allowed = torch.zeros(scores.shape[-1], dtype=torch.bool)
                allowed[: len(flags)] = torch.from_numpy(flags.astype(bool))
            scores[row].masked_fill_(~allowed.to(scores.device), float("-inf"))
        self._seen = input_ids.shape[1]
        return scores


def is_constrained(request: GenerationRequest) -> bool:
    return request.regex is not None or request.grammar is not None


def grammar_of(request: GenerationRequest) -> str:
    """The request's constraint in llguidance's notation."""
    import llguidance

    if request.regex is not None:
        return llguidance.grammar_from("regex", request.regex)
    return llguidance.grammar_from("grammar", request.grammar or "")


def constraint_error(request: GenerationRequest, vocabulary: Any) -> str | None:
    """Why the constraint cannot be used, or None."""
    from llguidance import LLMatcher

    reason = LLMatcher.validate_grammar(grammar_of(request), vocabulary)
    return f"the {'regex' if request.regex is not None else 'grammar'} is not valid: {reason}"[:300] if reason else None


def wrap_tokenizer(tokenizer: Any, size: int) -> Any:
    """The tokenizer as llguidance takes it; `size` is that of the model's output layer.

    Raises:
        MissingDependencyError: llguidance is not installed.
    """
    try:
        import llguidance.hf
    except ImportError:
        raise MissingDependencyError("llguidance", "train", "structured output") from None
    return llguidance.hf.from_tokenizer(tokenizer, n_vocab=size)
