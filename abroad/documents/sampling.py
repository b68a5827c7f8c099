"""Sample references from a relations table: read it, rank each stratum, write the sample and the plot."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import Field, PlainValidator, model_validator

from abroad.core.context import Context
from abroad.core.errors import MAX_DIGITS, InputError, short
from abroad.core.io import atomic_write
from abroad.core.progress import Progress
from abroad.core.registry import Capability, member_of, setting_names
from abroad.core.settings import Count, Seed, Settings
from abroad.documents.selectors import SELECTORS, Draw

if TYPE_CHECKING:
    from gme_sampler import Ranking, RelationTable, StopPoint

PLOT_FORMATS = (".png", ".svg", ".pdf")
_WHAT = "a relations table (tab separated)"


def _number_or_word(value: Any) -> int | Literal["stop"] | None:
    """One message for what is neither; of a union pydantic would give one for each of its parts."""
    if value is None or value == "all":
        return None
    if value == "stop":
        return "stop"
    digits = str(value).strip() if isinstance(value, str) or type(value) is int else ""
    if not digits.isdecimal() or len(digits) > MAX_DIGITS or int(digits) < 1:
        raise ValueError(f"expected a whole number from 1 on, all or stop, found {short(value)}")
    return int(digits)


class SampleSettings(Settings):
    """Which items are picked, and how."""

    n: Annotated[int | Literal["stop"] | None, PlainValidator(_number_or_word)] = Field(
        500,
        description="Items to pick, of each stratum if there are several; 'all' ranks all, 'stop' picks up to the pick "
        "after which no entropy rises.",
    )
    item: str = Field("reference_doi", description="Column of what is picked.")
    on: tuple[str, ...] = Field(
        ("organism_wikidata", "structure_wikidata"), description="Column of entities to balance; repeatable."
    )
    by: str | None = Field(None, description="Sample each value of this column separately.")
    strategy: Annotated[str, member_of(SELECTORS)] = Field(
        "gme",
        description="How references are chosen: gme or gme-sum, greedy maximum entropy (of the least even entity, of "
        "their sum), or a baseline (random, topn-rel, topn-struct, topn-org or topn-sum).",
    )
    binary: bool = Field(False, description="Count an entity once in each item, however often it stands there.")
    approx: Count | None = Field(None, description="Score a random sample of so many items at each step.")
    seed: Seed = Field(0, description="Seed of random draws.")

    @property
    def wanted(self) -> int | None:
        """Items to rank; None: all of them, of which the stop rule takes the first."""
        return None if self.n == "stop" else self.n

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if len(set(self.on)) != len(self.on):
            raise ValueError(f"expected different columns to sample on, found {', '.join(self.on)}")
        selector = SELECTORS.get(self.strategy)
        if not selector.fits(self.on):
            raise ValueError(
                f"strategy {self.strategy!r} needs a column to sample on with {selector.word!r} in its name"
            )
        if self.approx is not None and "approx" not in setting_names(selector.Settings):
            raise ValueError(f"approx goes with gme and gme-sum, not with {self.strategy}")
        return self


@dataclass
class SampleReport:
    """What was picked.

    Attributes:
        rankings: stratum ("" if there is one) -> ranking.
        available: stratum -> items there were to pick from.
        stop_points: stratum -> where each entropy stops rising, of all items that were ranked.
        dropped: rows left out for a missing item, entity or stratum.
    """

    rankings: dict[str, Ranking] = field(default_factory=dict)
    available: dict[str, int] = field(default_factory=dict)
    stop_points: dict[str, list[StopPoint]] = field(default_factory=dict)
    dropped: int = 0

    def stops(self) -> list[dict[str, object]]:
        """The stop report as records, for the run record."""
        points = [(stratum, point) for stratum, found in self.stop_points.items() for point in found]
        return [{"stratum": stratum, **vars(point)} for stratum, point in points]

    def stop_lines(self) -> list[str]:
        """The stop report for people, a line a stratum and category."""
        lines = []
        for stratum, points in self.stop_points.items():
            for point in points:
                name = f"{stratum}, {point.category}" if stratum else point.category
                after = "still rising at the last pick" if point.rising else f"stops rising after pick {point.step}"
                lines.append(f"{name}: entropy {after} ({point.entropy:.5f}, {point.share:.1%} of log|V|)")
        return lines


def sample_table(
    path: str | Path,
    out: str | Path,
    settings: SampleSettings,
    context: Context,
    plot: str | Path | None = None,
) -> SampleReport:
    """Pick items of each stratum and write them in order, with the entropies after each pick.

    Args:
        out: tab separated: the stratum if there is one, the item, a column an entity category.
        plot: entropy curves beside the baselines, by its ending PNG, SVG or PDF.
    Raises:
        InputError: the table lacks a column or a complete row, or a setting does not fit it.
    """
    _check(plot)
    strata, dropped = _read_strata(path, settings, context)
    report = SampleReport(dropped=dropped)
    beside: dict[str, dict[str, Ranking]] = {}
    for stratum, table in strata.items():
        ranking = _rank(table, settings, settings.strategy, f"sampling {stratum}".strip())
        report.stop_points[stratum] = points = ranking.stop_report()
        if settings.n == "stop":
            ranking = ranking.first(max(point.step for point in points))
        report.rankings[stratum] = ranking
        report.available[stratum] = len(table.items)
        if plot is not None:
            beside[stratum] = {settings.strategy: ranking} | {
                name: _rank(table, settings, name)
                for name in SELECTORS.able(Capability.BASELINE)
                if name != settings.strategy and SELECTORS.get(name).fits(settings.on)
            }
    _write(out, report.rankings, settings)
    if plot is not None:
        _draw(beside, Path(plot))
    return report


def _check(plot: str | Path | None) -> None:
    if plot is not None and Path(plot).suffix.lower() not in PLOT_FORMATS:
        raise InputError(f"{plot}: expected a plot file that ends in {', '.join(PLOT_FORMATS)}")


def _read_strata(path: str | Path, settings: SampleSettings, context: Context) -> tuple[dict[str, RelationTable], int]:
    from abroad.sources.tables import read_rows
    from gme_sampler import RelationTable

    columns = (*([settings.by] if settings.by else []), settings.item, *settings.on)
    rows: dict[str, list[tuple[str, ...]]] = {}
    dropped = 0
    for line, row in read_rows(path, columns, "\t", _WHAT, context):
        if all(value.strip() for value in row):
            rows.setdefault(row[0] if settings.by else "", []).append(row[1:] if settings.by else row)
        else:
            empty = next(name for name, value in zip(columns, row, strict=True) if not value.strip())
            context.rejects.add(f"{path}:{line}", f"nothing in column {empty}")
            dropped += 1
    if not rows:
        raise InputError(f"{path}: no row with a value in each of {', '.join(columns)}; expected {_WHAT}")
    tables = {}
    for stratum in sorted(rows):
        items, *entities = zip(*rows.pop(stratum), strict=True)
        tables[stratum] = RelationTable.from_columns(items, dict(zip(settings.on, entities, strict=True)))
    return tables, dropped


def _rank(table: RelationTable, settings: SampleSettings, strategy: str, title: str | None = None) -> Ranking:
    selector = SELECTORS.get(strategy)
    draw = Draw(settings.wanted, settings.binary, settings.approx, settings.seed, selector.category(settings.on))
    if Capability.BASELINE in selector.capabilities:  # done at once
        return selector.rank(table, draw)
    with Progress(title or strategy, min(settings.wanted or len(table.items), len(table.items))) as progress:
        return selector.rank(table, replace(draw, shown=_shower(progress.advance)))


def _shower(advance: Callable[[int], object]) -> Callable[[int], None]:
    shown = 0

    def show(picks: int) -> None:
        nonlocal shown
        advance(picks - shown)
        shown = picks

    return show


def _write(out: str | Path, rankings: dict[str, Ranking], settings: SampleSettings) -> None:
    with atomic_write(out) as stream:
        header = [*([settings.by] if settings.by else []), settings.item, *settings.on]
        stream.write("\t".join(header) + "\n")
        for stratum, ranking in rankings.items():
            lead = [stratum] if settings.by else []
            for item, entropies in zip(ranking.items, ranking.entropies.tolist(), strict=True):
                stream.write("\t".join([*lead, item, *map(repr, entropies)]) + "\n")


def _draw(beside: dict[str, dict[str, Ranking]], path: Path) -> None:
    from gme_sampler.plot import plot_entropies

    figure = plot_entropies(beside)
    with atomic_write(path, binary=True) as stream:
        figure.savefig(stream, format=path.suffix[1:].lower(), dpi=150)
