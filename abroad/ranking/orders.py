"""The registry of orders: what candidates are ranked by.

`likelihood` is that of P(y|x); `product` the generator's times the discriminator's initial policy (no game is played);
`er-g` and `er-d` are pi_G(y|correct) and pi_D(correct|y) of the equilibrium.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from abroad.core.registry import Member, Registry
from abroad.ranking.game import CORRECT, GameSettings, Policies
from abroad.ranking.policies import ModelView


@dataclass(frozen=True)
class Order(Member):
    """A member of the registry of orders.

    Attributes:
        values: (the model's view, policies after the game) -> what each candidate is ranked by, higher first:
            logarithms of probabilities, array (n,).
    """

    values: Callable[[ModelView, Policies], Any]


ORDERS: Registry[Order] = Registry(
    "order",
    "abroad.orders",
    {
        "likelihood": "abroad.ranking.orders:LIKELIHOOD",
        "product": "abroad.ranking.orders:PRODUCT",
        "er-g": "abroad.ranking.orders:GENERATOR",
        "er-d": "abroad.ranking.orders:DISCRIMINATOR",
    },
)
"""What candidates are ranked by."""

LIKELIHOOD = Order(lambda view, final: view.likelihood)
PRODUCT = Order(lambda view, final: view.initial.generator[:, CORRECT] + view.initial.discriminator[:, CORRECT])
GENERATOR = Order(lambda view, final: final.generator[:, CORRECT], Settings=GameSettings)
DISCRIMINATOR = Order(lambda view, final: final.discriminator[:, CORRECT], Settings=GameSettings)
