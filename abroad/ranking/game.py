"""The Consensus Game: a generator and a discriminator look for an equilibrium near where they begin.

Jacob et al., "The Consensus Game: language model generation via equilibrium search",
https://arxiv.org/abs/2310.09139, section 2. For candidates y and v in {correct, incorrect}:

    Q_G(y|v) = mean over past steps of pi_D(v|y) / 2,    Q_D(v|y) = mean of pi_G(y|v) / 2,
    pi(a) proportional to exp((Q(a) + lambda * ln pi_1(a)) / (1 / (eta * t) + lambda)),

both players at once. Nothing here knows of a language model.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from pydantic import Field

from abroad.core.errors import InputError
from abroad.core.settings import Count, NotNegative, Positive, Settings

CORRECT, INCORRECT = 0, 1
"""Columns of every policy."""
_MIN_LOG = -1e4  # a policy that is 0 somewhere would never move there; its logarithm would not be a number
_LOOK_EVERY = 10  # steps; whether a value has moved costs as much as moving it
_PAD_TO = 1.5  # games are played together up to this times the candidates of the smallest


class GameSettings(Settings):
    """How the game is played."""

    former_names: ClassVar[Mapping[str, str]] = {"rate": "learning_rate"}

    regularisation: Positive = Field(0.1, description="How hard both players hold on to their first policies (lambda).")
    learning_rate: Positive = Field(0.1, description="How fast the policies move in a step (eta).")
    steps: Count = Field(5000, description="Maximum iterations of the equilibrium search.")
    tolerance: NotNegative = Field(
        1e-6, description="A game ends when no probability moves by more in one step; looked at every tenth."
    )


@dataclass(frozen=True, slots=True)
class Policies:
    """What generator and discriminator hold of n candidates, as natural logarithms.

    Attributes:
        generator: ln pi_G(y|v), array of shape (n, 2); each column sums to 1 as probabilities.
        discriminator: ln pi_D(v|y), of shape (n, 2); each row sums to 1.
        steps: played; 0 for initial policies.
    """

    generator: Any
    discriminator: Any
    steps: int = 0


def find_equilibrium(initial: Policies, settings: GameSettings | None = None) -> Policies:
    """The policies that one game ends with; see `find_equilibria`."""
    return find_equilibria([initial], settings)[0]


def find_equilibria(initial: Sequence[Policies], settings: GameSettings | None = None) -> list[Policies]:
    """The policies that each game ends with.

    Games of like size are played together, as arrays; what comes of one does not depend on the others. Equal
    candidates stay equal, and the order of candidates does not matter.

    Raises:
        InputError: shapes that are not (n, 2), or a value that is not a number.
    """
    settings = settings or GameSettings()
    for policies in initial:
        _check(policies)
    found: list[Policies | None] = [p if not len(p.generator) else None for p in initial]
    order = sorted((n for n, p in enumerate(found) if p is None), key=lambda n: len(initial[n].generator))
    while order:
        widest = max(len(initial[order[0]].generator) + 2, _PAD_TO * len(initial[order[0]].generator))
        group = [n for n in order if len(initial[n].generator) <= widest]
        order = order[len(group) :]
        for n, policies in zip(group, _play([initial[n] for n in group], settings), strict=True):
            found[n] = policies
    return [policies for policies in found if policies is not None]


def _check(policies: Policies) -> None:
    import numpy as np

    shapes = np.shape(policies.generator), np.shape(policies.discriminator)
    if shapes[0] != shapes[1] or len(shapes[0]) != 2 or shapes[0][1] != 2:
        raise InputError(f"expected two policies of shape (candidates, 2), found {shapes[0]} and {shapes[1]}")
    if np.isnan(policies.generator).any() or np.isnan(policies.discriminator).any():
        raise InputError("a policy holds a value that is not a number")


def _play(initial: Sequence[Policies], settings: GameSettings) -> list[Policies]:
    """Play games side by side; those that have ended leave the arrays.

    Shapes: generator (games, 2, width), padded with -inf; the discriminator as the log-odds of "correct",
    (games, width), since it has two values only.
    """
    import numpy as np

    lam, width = settings.regularisation, max(len(p.generator) for p in initial)
    start_g = np.full((len(initial), 2, width), -np.inf)
    start_d = np.zeros((len(initial), width))
    for row, policies in enumerate(initial):
        n = len(policies.generator)
        start_g[row, :, :n] = np.maximum(np.asarray(policies.generator, float).T, _MIN_LOG)
        values = np.maximum(np.asarray(policies.discriminator, float), _MIN_LOG)
        start_d[row, :n] = values[:, CORRECT] - values[:, INCORRECT]
    pi_g, pi_d = _softmax(start_g.copy())[0], _sigmoid(start_d)
    sum_g, sum_d = pi_g.copy(), pi_d.copy()
    pull_g, pull_d = lam * start_g, lam * start_d
    playing: np.ndarray = np.arange(len(initial))
    found: dict[int, Policies] = {}
    quality = np.empty_like(start_g)
    for step in range(1, settings.steps + 1):
        scale = 1 / (1 / (settings.learning_rate * step) + lam)
        quality[:, CORRECT] = sum_d
        np.subtract(step, sum_d, out=quality[:, INCORRECT])  # pi_D(incorrect) is what pi_D(correct) leaves
        quality *= scale / (2 * step)
        quality += scale * pull_g
        new_g, log_g = _softmax(quality)
        odds = (sum_g[:, CORRECT] - sum_g[:, INCORRECT]) * (scale / (2 * step)) + scale * pull_d
        new_d = _sigmoid(odds)
        sum_g += new_g
        sum_d += new_d
        ended = np.zeros(0, bool)
        if step == settings.steps:
            ended = np.ones(len(playing), bool)
        elif step % _LOOK_EVERY == 0:
            moved = np.maximum(np.abs(new_g - pi_g).max(axis=(1, 2)), np.abs(new_d - pi_d).max(axis=1))
            ended = moved <= settings.tolerance
        pi_g, pi_d = new_g, new_d
        if ended.any():
            for done in np.flatnonzero(ended):
                n = len(initial[playing[done]].generator)
                found[int(playing[done])] = _policies(log_g[done, :, :n], odds[done, :n], step)
            left = ~ended
            if not left.any():
                break
            playing = playing[left]
            pi_g, sum_g, pull_g, quality = pi_g[left], sum_g[left], pull_g[left], quality[left]
            pi_d, sum_d, pull_d = pi_d[left], sum_d[left], pull_d[left]
    return [found[row] for row in range(len(initial))]


def _policies(log_g: Any, odds: Any, step: int) -> Policies:
    import numpy as np

    discriminator = np.stack([-np.logaddexp(0, -odds), -np.logaddexp(0, odds)], axis=-1)
    return Policies(log_g.T.copy(), discriminator, step)


def _softmax(logits: Any) -> tuple[Any, Any]:
    """(probabilities, their logarithms) over the last axis; `logits` is used up."""
    import numpy as np

    logits -= logits.max(axis=-1, keepdims=True)
    powers = np.exp(logits)
    total = powers.sum(axis=-1, keepdims=True)
    powers /= total
    return powers, logits - np.log(total)


def _sigmoid(odds: Any) -> Any:
    import numpy as np

    return 0.5 + 0.5 * np.tanh(0.5 * odds)
