"""The registry of selectors: which items of a table of relations are picked, and in which order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from abroad.core.registry import Capability, Member, Registry
from abroad.core.settings import Count, Settings

if TYPE_CHECKING:
    from gme_sampler import Ranking, RelationTable


class ApproxSettings(Settings):
    """What can be set of greedy maximum entropy, beside what every selector takes."""

    approx: Count | None = Field(None, description="Score a random sample of so many items at each step.")


@dataclass(frozen=True)
class Draw:
    """What is asked of a selector.

    Attributes:
        n: items to pick; None: all.
        binary: an entity counts once an item.
        approx: items that are scored at each step; None: all.
        seed: of random draws.
        category: the column whose entities are counted, of a selector that counts those of one.
        shown: is told how many are picked, as they are.
    """

    n: int | None = None
    binary: bool = False
    approx: int | None = None
    seed: int = 0
    category: str | None = None
    shown: Callable[[int], None] = lambda picks: None


@dataclass(frozen=True)
class Selector(Member):
    """A member of the registry of selectors.

    Attributes:
        rank: (table, draw) -> the items picked, in order, with the entropies after each.
        word: in the name of the column whose entities it counts; "" for all columns.
    """

    rank: Callable[[RelationTable, Draw], Ranking]
    word: str = ""

    def category(self, columns: tuple[str, ...]) -> str | None:
        """The column whose entities it counts, if it counts those of one."""
        return next((name for name in columns if self.word in name.lower()), None) if self.word else None

    def fits(self, columns: tuple[str, ...]) -> bool:
        """Whether it can count what it counts."""
        return not self.word or self.category(columns) is not None


SELECTORS: Registry[Selector] = Registry(
    "selector",
    "abroad.selectors",
    {
        "gme": "abroad.documents.selectors:GME",
        "gme-sum": "abroad.documents.selectors:GME_SUM",
        "random": "abroad.documents.selectors:RANDOM",
        "topn-rel": "abroad.documents.selectors:MOST_RELATIONS",
        "topn-struct": "abroad.documents.selectors:MOST_STRUCTURES",
        "topn-org": "abroad.documents.selectors:MOST_ORGANISMS",
        "topn-sum": "abroad.documents.selectors:MOST_ENTITIES",
    },
)
"""What picks references."""


def _greedy(selector: Literal["gme", "gme-sum"], table: RelationTable, draw: Draw) -> Ranking:
    from gme_sampler import GreedyMaximumEntropySampler

    sampler = GreedyMaximumEntropySampler(selector, draw.binary, draw.approx, draw.seed)
    return sampler.rank(table, draw.n, draw.shown)


def _baseline(baseline: str, table: RelationTable, draw: Draw) -> Ranking:
    from gme_sampler import rank_by_baseline

    return rank_by_baseline(table.binary() if draw.binary else table, baseline, draw.n, draw.category, draw.seed)


def _as_baseline(baseline: str, word: str = "") -> Selector:
    return Selector(partial(_baseline, baseline), word, capabilities=Capability.BASELINE)


GME = Selector(partial(_greedy, "gme"), Settings=ApproxSettings)
GME_SUM = Selector(partial(_greedy, "gme-sum"), Settings=ApproxSettings)
RANDOM = _as_baseline("random")
MOST_RELATIONS = _as_baseline("relations")
MOST_STRUCTURES = _as_baseline("entities", "structure")
MOST_ORGANISMS = _as_baseline("entities", "organism")
MOST_ENTITIES = _as_baseline("entities")
