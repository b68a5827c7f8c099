"""In which order each order puts three candidates, by what a model holds of them before and after a game."""

import numpy as np

from abroad.ranking.game import Policies
from abroad.ranking.policies import ModelView

_HALF = np.log(np.full(3, 0.5))


def _policies(generator: list[float], discriminator: list[float]) -> Policies:
    """Of the probabilities of "correct", array (3, 2) each."""
    return Policies(*(np.stack([np.log(values), _HALF], axis=1) for values in (generator, discriminator)))


VIEW = ModelView(np.array([-1.0, -2.0, -3.0]), _policies([0.2, 0.5, 0.3], [0.5, 0.5, 0.9]))
FINAL = _policies([0.1, 0.2, 0.7], [0.1, 0.8, 0.6])

MEMBERS: dict[str, list[int]] = {
    "likelihood": [0, 1, 2],
    "product": [2, 1, 0],  # 0.10, 0.25, 0.27
    "er-g": [2, 1, 0],
    "er-d": [1, 2, 0],
}
