"""The comparison of orders as a page and as text."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from abroad.core.io import atomic_write
from abroad.core.pages import render
from abroad.ranking.compare import RankingComparison

COLUMNS = (
    ("average_precision", "average precision"),
    ("first", "first is right"),
    ("f1", "F1 at the fixed share"),
    ("best_f1", "F1 at the best share"),
)


def write_report(comparison: RankingComparison, path: Path, model: str) -> None:
    """Write the page; whole or not at all."""
    page = render(
        "abroad.ranking",
        "report.html.j2",
        comparison=comparison,
        columns=shown_columns(comparison),
        model=model,
        today=date.today().isoformat(),
    )
    with atomic_write(path) as stream:
        stream.write(page)


def shown_columns(comparison: RankingComparison) -> tuple[tuple[str, str], ...]:
    """(attribute, title): of whole outputs one is chosen, so only its F1 counts."""
    return (("f1", "F1 of the first output"),) if comparison.whole else COLUMNS


def describe(comparison: RankingComparison) -> list[str]:
    """The comparison as lines for a terminal."""
    c = comparison
    lines = [
        f"{c.candidates} candidates of {c.documents} documents, {c.correct} "
        f"{'with a right relation' if c.whole else 'right'}; an order matters in {c.mattering} documents; F1 "
        f"with the right ones alone {c.ceiling:.1f}; protocol {c.protocol}"
    ]
    columns = shown_columns(c)
    if not c.whole:
        lines.append(f"a random order is expected to have an average precision of {c.chance:.1f}")
    lines.append(f"{'order':11}" + "".join(f" {title:>26}" for _, title in columns))
    for order in c.orders:
        cells = []
        for name, _ in columns:
            interval = order.intervals[name]
            cell = f"{getattr(order, name):.1f} ({interval.low:.1f} to {interval.high:.1f})"
            cells.append(f" {cell + (f' {order.best_share:.0%}' if name == 'best_f1' else ''):>26}")
        lines.append(f"{order.name:11}" + "".join(cells))
    lines.append(
        f"generator and discriminator disagree on {c.before.verdicts:.1f}% of candidates before the game and "
        f"{c.after.verdicts:.1f}% after it; on which is first in {c.before.firsts:.1f}% and {c.after.firsts:.1f}% of "
        f"documents with two or more; median {c.steps} steps"
    )
    return lines
