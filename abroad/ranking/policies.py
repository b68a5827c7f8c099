"""What a language model thinks of candidates before any game: how likely, and how likely to be correct.

https://arxiv.org/abs/2310.09139, section 2.1: the generator's initial policy is P(y|x,v) divided by the sum over
v, normalised over candidates; the discriminator's is P(v|x,y) divided by the sum over candidates, normalised over
the two values (written from memory, not checked line by line against the paper). The paper's prompts are for questions
and answers; those here are our own. P(y|x,v) is that of the mean token, or long candidates would lose to short ones.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import Field

from abroad.core.errors import InputError
from abroad.core.settings import Settings
from abroad.engines.base import Engine
from abroad.ranking.game import Policies

VERDICTS = ("correct", "incorrect")
"""In the order of the policies' columns."""


@dataclass(frozen=True)
class CandidateSet:
    """What may be said of one text.

    Attributes:
        id: of the document.
        text: x, as the model reads it.
        candidates: y, distinct and not empty: "ORGANISM produces CHEMICAL", or whole outputs.
    """

    id: str
    text: str
    candidates: tuple[str, ...]

    def __post_init__(self) -> None:
        if len(set(self.candidates)) < len(self.candidates) or not all(map(str.strip, self.candidates)):
            raise InputError(f"{self.id}: expected distinct candidates that are not empty")


class RankingPrompts(Settings):
    """How a model is asked; {text} and {candidate} are filled in. A candidate follows each of the first three."""

    plain: str = Field("{text}\n\nStatement about the text:", description="Text before a candidate for P(y|x).")
    correct: str = Field(
        "{text}\n\nCorrect statement about the text:", description="Text before a candidate for P(y|x,correct)."
    )
    incorrect: str = Field(
        "{text}\n\nIncorrect statement about the text:", description="Text before a candidate for P(y|x,incorrect)."
    )
    judge: str = Field(
        "{text}\n\nStatement about the text: {candidate}\nThis statement is (correct or incorrect):",
        description="For P(v|x,y), followed by one of the verdicts.",
    )


@dataclass(frozen=True)
class ModelView:
    """What a model holds of the candidates of one text.

    Attributes:
        likelihood: mean log-probability of a token of each candidate, P(y|x), array (n,).
        initial: the policies before the game.
    """

    likelihood: Any
    initial: Policies


def questions(text: str, candidates: Sequence[str], prompts: RankingPrompts) -> Iterator[tuple[str, str]]:
    """(prompt, continuation) of all that is asked of the candidates of a text: five for each."""
    for template in (prompts.plain, prompts.correct, prompts.incorrect):
        for candidate in candidates:
            yield _fill(template, text), f" {candidate}"
    for candidate in candidates:
        for verdict in VERDICTS:
            yield _fill(prompts.judge, text, candidate), f" {verdict}"


def view_candidates(
    engine: Engine, sets: Sequence[CandidateSet], prompts: RankingPrompts | None = None
) -> list[ModelView | None]:
    """The model's view of each set of candidates, all asked together; None where one does not fit the context.

    Raises:
        InputError: a server without log-probabilities.
    """
    prompts = prompts or RankingPrompts()
    pairs = [pair for item in sets for pair in questions(item.text, item.candidates, prompts)]
    asked, continuations = [prompt for prompt, _ in pairs], [continuation for _, continuation in pairs]
    scores = iter(engine.score(asked, continuations) if asked else [])
    views: list[ModelView | None] = []
    for item in sets:
        n = len(item.candidates)
        own = [next(scores) for _ in range(5 * n)]
        if any(score is None for score in own):
            views.append(None)
            continue
        means = [score.logprob / score.tokens for score in own[: 3 * n] if score is not None]
        sums = [score.logprob for score in own[3 * n :] if score is not None]
        views.append(ModelView(*_policies(means, sums)))
    return views


def initial_policies(generation: Any, judgement: Any) -> Policies:
    """The players' first policies.

    Args:
        generation: ln P(y|x,v), length-normalised, array (n, 2).
        judgement: ln P(v|x,y), array (n, 2).
    Raises:
        InputError: a value that is not a finite number.
    """
    import numpy as np

    generation, judgement = np.asarray(generation, float).reshape(-1, 2), np.asarray(judgement, float).reshape(-1, 2)
    if not (np.isfinite(generation).all() and np.isfinite(judgement).all()):
        raise InputError("a log-probability of the model is not a finite number")
    if not len(generation):
        return Policies(generation, judgement)
    generator = _normalised(_normalised(generation, axis=1), axis=0)
    return Policies(generator, _normalised(_normalised(judgement, axis=0), axis=1))


def _policies(means: Sequence[float], sums: Sequence[float]) -> tuple[Any, Policies]:
    import numpy as np

    plain, correct, incorrect = np.asarray(means, float).reshape(3, -1)
    return plain, initial_policies(np.stack([correct, incorrect], axis=1), np.reshape(sums, (-1, 2)))


def _normalised(logs: Any, axis: int) -> Any:
    import numpy as np

    logs = logs - logs.max(axis=axis, keepdims=True)
    return logs - np.log(np.exp(logs).sum(axis=axis, keepdims=True))


def _fill(template: str, text: str, candidate: str = "") -> str:
    """Not str.format: braces in a text are only text."""
    head, _, tail = template.partition("{text}")
    return head + text + tail.replace("{candidate}", candidate)
