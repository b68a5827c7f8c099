"""The greedy maximum entropy sampler: an estimator with its parameters, and one method that ranks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYet
from dataclasses import dataclass, field, fields
from functools import partial
from numbers import Real
from typing import TYPE_CHECKING, Any, Literal, Protocol, Self

import numpy as np

from gme_sampler.entropy import DECIMALS, Tally
from gme_sampler.ranking import Ranking, StopPoint
from gme_sampler.search import Goal, Picks, rank_exact, rank_sampled
from gme_sampler.table import RelationTable, TableError


class NotFittedError(ValueError, AttributeError):
    """What `fit` finds was asked for before it was called; of both kinds, as in scikit-learn."""


class Frame(Protocol):
    """A data frame, as far as it is read: the names of its columns, and each by its name."""

    @property
    def columns(self) -> Any: ...

    def __getitem__(self, name: Any, /) -> Any: ...


@dataclass
class GreedyMaximumEntropySampler:
    """Pick at each step the item that makes the entities picked so far most even.

    The point of entropies (H(V1), ..., H(VK)) after the pick comes as near as it
    can, by Euclidean distance, to the utopia point (log|V1|, ..., log|VK|):
    Delmas, Wysocka and Freitas 2024, arXiv 2311.06364, section 3.1. Entropies are
    rounded to 5 decimals before they are compared, and of equal items the first
    in text order is taken, as in the published implementation.

    An estimator in the manner of scikit-learn: its parameters are those below, `fit` picks and keeps what it found
    in attributes that end with an underscore. `rank` does the same and keeps nothing.

    Attributes:
        selector: "gme" as above; "gme-sum" takes the largest sum of entropies.
        binary: Count an entity once an item, however many relations it has there.
        approx: Score only this many random items at each step; None scores all.
        seed: Of the random draw of `approx`.
        n_items: Items that `fit` picks, n; None for all.
        items_: [n] names of the items in the order picked (after `fit`, as all below).
        entropies_: [n, K] entropy (natural logarithm) of each category after each pick, rounded to 5 decimals.
        categories_: [K] names of the categories of entities.
        utopia_: [K] log|V|, the entropy of an even spread over all entities of a category.
        stop_points_: [K] where the entropy of each category is highest.
        ranking_: All of these together.
        n_items_in_: Number of items that there were to pick from, N.

    Raises:
        ValueError: A parameter out of range.
    """

    selector: Literal["gme", "gme-sum"] = "gme"
    binary: bool = False
    approx: int | None = None
    seed: int = 0
    n_items: int | None = None

    ranking_: Ranking = field(init=False, repr=False, compare=False)
    n_items_in_: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        self._check()

    def fit(self, X: RelationTable | Mapping[str, Sequence[str | None]] | Frame, y: object = None) -> Self:
        """Pick `n_items` items and keep what was found.

        Args:
            X: A table of relations; or columns by name (a dict, or a data frame of pandas or polars), a row a
                relation [R]: the first column names the item, each other the entity of one category.
            y: Not used; it stands here by convention.

        Returns:
            The sampler itself.

        Raises:
            TableError: X is no table, has no category of entities, columns of different lengths, or no complete row.
        """
        table = X if isinstance(X, RelationTable) else _table_of(X)
        self.ranking_ = self.rank(table, self.n_items)
        self.n_items_in_ = len(table.items)
        return self

    if not TYPE_CHECKING:  # a checker that sees it takes every name for one of ours

        def __getattr__(self, name: str) -> Any:
            if name in _FITTED:
                raise NotFittedError(f"{name}: call fit first")
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    @property
    def items_(self) -> list[str]:
        return self.ranking_.items

    @property
    def entropies_(self) -> np.ndarray:
        return self.ranking_.entropies

    @property
    def categories_(self) -> tuple[str, ...]:
        return self.ranking_.categories

    @property
    def utopia_(self) -> np.ndarray:
        return self.ranking_.utopia

    @property
    def stop_points_(self) -> list[StopPoint]:
        return self.ranking_.stop_report()

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The parameters by name, as `sklearn.base.clone` asks for them; `deep` changes nothing."""
        return {name: getattr(self, name) for name in _PARAMETERS}

    def set_params(self, **params: Any) -> Self:
        """Change parameters; what was fitted stays until the next `fit`.

        Raises:
            ValueError: No such parameter, or a value out of range; then nothing is changed.
        """
        for name in params:
            if name not in _PARAMETERS:
                raise ValueError(f"expected a parameter of {', '.join(_PARAMETERS)}, found {name!r}")
        type(self)(**{**self.get_params(), **params})
        for name, value in params.items():
            setattr(self, name, value)
        return self

    def rank(
        self, table: RelationTable, n: int | None = None, progress: Callable[[int], None] | None = None
    ) -> Ranking:
        """Pick n items (all of them if there are fewer, or if n is None), best first.

        Args:
            table: The items, [N], with their entities in K categories.
            n: How many to pick.
            progress: Is told the number of picks so far, several times a second.

        Returns:
            The items in the order picked, with the entropies after each pick, [n, K].

        Raises:
            ValueError: n below 1, or a parameter out of range.
        """
        self._check()
        if n is not None and n < 1:
            raise ValueError(f"expected n of at least 1, found {n}")
        if self.binary:
            table = table.binary()
        n = min(n or len(table.items), len(table.items))
        tally, goal = Tally.of(table), Goal.of(table.utopia, self.selector == "gme-sum")
        picks = Picks.of(n, len(table.categories))
        if self.approx is None:
            _, classes = np.unique(tally.totals, axis=0, return_inverse=True)
            search = partial(rank_exact, tally, goal, picks, classes.reshape(-1))
        else:
            search = partial(rank_sampled, tally, goal, picks, self.approx, self.seed)
        _run(search, picks, progress)
        entropies = picks.heights.round(DECIMALS) + 0.0
        return Ranking([table.items[code] for code in picks.order], entropies, table.categories, table.utopia)

    def _check(self) -> None:
        if self.selector not in ("gme", "gme-sum"):
            raise ValueError(f"expected selector 'gme' or 'gme-sum', found {self.selector!r}")
        if self.approx is not None and self.approx < 1:
            raise ValueError(f"expected approx of at least 1, found {self.approx}")
        if self.n_items is not None and self.n_items < 1:
            raise ValueError(f"expected n_items of at least 1, found {self.n_items}")


_FITTED = ("items_", "entropies_", "categories_", "utopia_", "stop_points_", "ranking_", "n_items_in_")
_PARAMETERS = tuple(item.name for item in fields(GreedyMaximumEntropySampler) if item.init)


def _table_of(columns: Mapping[str, Sequence[str | None]] | Frame) -> RelationTable:
    """The table of columns by name, the items first."""
    if not isinstance(columns, Mapping) and not hasattr(columns, "columns"):
        found = "None" if columns is None else type(columns).__name__
        raise TableError(f"expected a RelationTable, a dict of columns or a data frame, found {found}")
    names = list(columns if isinstance(columns, Mapping) else columns.columns)
    if not names:
        raise TableError("expected a column of items and one of entities, found none")
    values = {name: [_text(value) for value in columns[name]] for name in names}
    return RelationTable.from_columns(values.pop(names[0]), values)


def _text(value: Any) -> str | None:
    """A name as text; None for what is missing (None, or NaN and NA as pandas has it)."""
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, Real) and value == value else None


def _run(search: Callable[[], None], picks: Picks, progress: Callable[[int], None] | None) -> None:
    """Run a compiled search in a thread (it holds no lock), so that it can be watched and interrupted."""
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(search)
        try:
            while True:
                try:
                    return running.result(timeout=0.2)
                except NotYet:
                    if progress is not None:
                        progress(int(np.searchsorted(picks.order == -1, True)))
        finally:
            picks.halt[0] = True
