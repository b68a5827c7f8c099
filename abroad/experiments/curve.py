"""How F1 grows with the size of the training set: the same model on nested parts of each set (as LIMA asks)."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from pathlib import Path

from abroad.core.context import Context
from abroad.core.errors import InputError
from abroad.core.schema import Document
from abroad.documents.instructions import Task
from abroad.experiments.compare import SetScore, compare_sets
from abroad.experiments.learners import Learner


def curve(
    sets: dict[str, list[Document | Task]],
    sizes: Sequence[int],
    dev: Sequence[Document],
    learner: Learner,
    out: Path,
    context: Context,
    done: Callable[[SetScore], None] = lambda _: None,
) -> dict[str, list[SetScore]]:
    """Set -> its scores by size; a size that a set does not reach is left out.

    Raises:
        InputError: no set reaches the smallest size.
    """
    parts: dict[str, list[Document | Task]] = {}
    for name, items in sets.items():
        order = list(items)
        random.Random(learner.seed).shuffle(order)  # nested: a larger part holds the smaller ones
        parts |= {f"{name}-{size}": order[:size] for size in sorted(set(sizes)) if size <= len(order)}
    if not parts:
        raise InputError(f"none of the sets has {min(sizes)} documents; expected smaller --sizes")
    scores = {score.name: score for score in compare_sets(parts, dev, learner, out, context, done)}
    return {name: [scores[key] for size in sorted(set(sizes)) if (key := f"{name}-{size}") in scores] for name in sets}


def plot_curves(curves: dict[str, list[SetScore]]) -> str:
    """F1 with its interval against the number of documents, a line a set, as SVG text."""
    from matplotlib.figure import Figure

    from abroad.core.pages import svg

    figure = Figure(figsize=(7.5, 4.5))
    axes = figure.add_subplot()
    for number, (name, scores) in enumerate(curves.items()):
        if not scores:
            continue
        sizes = [score.documents for score in scores]
        (line,) = axes.plot(sizes, [score.scores.f1 for score in scores], "o-", label=name, color=f"C{number}")
        low, high = ([getattr(score.intervals["f1"], end) for score in scores] for end in ("low", "high"))
        axes.fill_between(sizes, low, high, alpha=0.15, color=line.get_color())
    axes.set_xlabel("documents")
    axes.set_ylabel("F1, with 95% interval")
    axes.set_ylim(bottom=0)
    axes.legend(frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    figure.tight_layout()
    return svg(figure)
