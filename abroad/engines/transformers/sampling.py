"""Each row by its own temperature, nucleus and seed, while `generate` of transformers only ever decodes greedily.

Gumbel noise from the request's own generator is added to the logits, and the maximum is taken (Gumbel-max trick,
https://arxiv.org/abs/1611.01144, eq. 1). The noise of a token depends on seed and position alone, so a text does not
depend on what else is in its batch, nor on whether a draft proposed its tokens: what the maximum is, a proposal can
only guess.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from abroad.engines.base import GenerationRequest


class Noise:
    """The Gumbel noise of one request, by the position of the new token.

    Args:
        seed: of the request.
        size: of the vocabulary.
        kept: positions that are kept behind the last one asked for; those before are not asked for again.
    """

    def __init__(self, seed: int, size: int, kept: int = 0) -> None:
        import torch

        self._generator = torch.Generator().manual_seed(seed)
        self._size, self._kept, self._next = size, kept, 0
        self._drawn: dict[int, Any] = {}

    def at(self, position: int) -> Any:
        """float32 of shape (vocabulary,), the same whenever it is asked for."""
        import torch

        while self._next <= position:
            uniform = torch.rand(self._size, generator=self._generator)
            self._drawn[self._next] = -torch.log(-torch.log(uniform.clamp(1e-20, 1 - 1e-7)))
            self._drawn.pop(self._next - self._kept - 1, None)
            self._next += 1
        return self._drawn[position]


class RowSampler:
    """A logits processor that makes greedy decoding sample each row as its request asks.

    Attributes:
        logprobs: of each row, those of the tokens taken.
    """

    def __init__(self, requests: Sequence[GenerationRequest], start: int) -> None:
        self._requests, self._start = requests, start
        self._noise: dict[int, Noise] = {}
        self.logprobs: list[list[float]] = [[] for _ in requests]

    def __call__(self, input_ids: Any, scores: Any) -> Any:
        import torch

        scores = scores.float()
        noisy = scores.clone()
        for row, request in enumerate(self._requests):
            if request.temperature > 0:
                noise = self._noise.setdefault(row, Noise(request.seed, scores.shape[-1]))
                noisy[row] = perturbed(scores[row], request, noise.at(input_ids.shape[1] - self._start))
        chosen = noisy.argmax(-1, keepdim=True)
        picked = torch.log_softmax(scores, -1).gather(-1, chosen)[:, 0].tolist()
        for row, value in enumerate(picked):
            self.logprobs[row].append(value)
        return noisy


class DraftedSampler:
    """The same for a single request whose tokens are proposed and checked several at once.

    A draft model that is given this processor too samples with the same noise, and so guesses well.

    Args:
        start: tokens of the prompt.
        size: of the model's vocabulary.
        drafted: tokens proposed at once.
    """

    def __init__(self, request: GenerationRequest, start: int, size: int, drafted: int) -> None:
        self._request, self._start = request, start
        self._noise = Noise(request.seed, size, kept=2 * drafted + 2)

    def __call__(self, input_ids: Any, scores: Any) -> Any:
        import torch

        noise = self._noise.at(input_ids.shape[1] - self._start)
        width = scores.shape[-1]
        if width > len(noise):  # a draft's output layer may be padded further; the model has no such tokens
            noise = torch.nn.functional.pad(noise, (0, width - len(noise)), value=float("-inf"))
        return perturbed(scores[0].float(), self._request, noise[:width])[None]


def perturbed(scores: Any, request: GenerationRequest, noise: Any) -> Any:
    """Logits of a row, tempered, within the nucleus, with noise: their maximum is a sample."""
    return nucleus(scores / request.temperature, request.top_p) + noise.to(scores.device)


def nucleus(logits: Any, top_p: float) -> Any:
    """Set all but the smallest set of tokens with probability top_p to -inf (arXiv 1904.09751)."""
    if top_p >= 1:
        return logits
    ordered, indices = logits.sort(descending=True)
    probabilities = ordered.softmax(-1)
    outside = probabilities.cumsum(-1) - probabilities > top_p
    return logits.masked_fill(outside.scatter(-1, indices, outside), float("-inf"))
