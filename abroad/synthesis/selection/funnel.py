"""Where synthetic abstracts are lost on the way: a table, a plot, and samples of each kind, as one HTML page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from abroad.core.pages import render, svg
from abroad.core.schema import Document
from abroad.synthesis.selection.select import REASONS

_SAMPLES = 3


@dataclass(frozen=True)
class FunnelStep:
    """One reason for which abstracts are lost.

    Attributes:
        reason: why abstracts are lost here; "kept" for the last.
        lost: abstracts lost at this step.
        left: abstracts left after it.
        samples: a few of those lost (or kept).
    """

    reason: str
    lost: int
    left: int
    samples: tuple[Document, ...]


def funnel(kept: Sequence[Document], rejected: Sequence[Document]) -> list[FunnelStep]:
    """Each rejected abstract counts at the first of its reasons, in the order of `REASONS`; unknown ones come last."""
    groups: dict[str, list[Document]] = {}
    for document in rejected:
        reasons = [str(reason) for reason in document.extra.get("reasons") or ["no reason given"]]
        groups.setdefault(min(reasons, key=_order), []).append(document)
    left = len(kept) + len(rejected)
    steps = []
    for reason in sorted(groups, key=_order):
        left -= len(groups[reason])
        steps.append(FunnelStep(reason, len(groups[reason]), left, tuple(groups[reason][:_SAMPLES])))
    return [*steps, FunnelStep("kept", 0, left, tuple(kept[:_SAMPLES]))]


def _order(reason: str) -> tuple[int, str]:
    return (REASONS.index(reason), "") if reason in REASONS else (len(REASONS), reason)


def plot_funnel(steps: Sequence[FunnelStep]) -> str:
    """A bar chart as SVG text: what is left after each step, what it lost."""
    from matplotlib.figure import Figure

    names = ["generated", *(step.reason for step in steps[:-1])]
    total = steps[0].left + steps[0].lost
    left = [total, *(step.left for step in steps[:-1])]
    lost = [0, *(step.lost for step in steps[:-1])]
    figure = Figure(figsize=(8, 0.42 * len(names) + 0.9))
    axes = figure.add_subplot()
    axes.barh(names, left, color="#3a6ea5", label="left")
    axes.barh(names, lost, left=left, color="#d98a4a", label="lost here")
    for index, (kept, gone) in enumerate(zip(left, lost, strict=True)):
        axes.text(kept + gone, index, f" {kept:,}" + (f" (-{gone:,})" if gone else ""), va="center", fontsize=8)
    axes.invert_yaxis()
    axes.set_xlim(0, total * 1.16 or 1)
    axes.set_xlabel("abstracts")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, loc="lower right", fontsize=8)
    figure.tight_layout()
    return svg(figure)


def render_funnel(steps: Sequence[FunnelStep], title: str = "Synthetic abstracts") -> str:
    """The report as one HTML page that needs no network; texts are escaped."""
    from markupsafe import Markup

    return render(
        "abroad.synthesis.selection",
        "funnel.html.j2",
        title=title,
        steps=steps,
        total=steps[0].left + steps[0].lost,
        plot=Markup(plot_funnel(steps)),  # made by matplotlib of our own words and numbers
        samples=[(step, [_view(document) for document in step.samples]) for step in steps],
    )


def _view(document: Document) -> dict[str, Any]:
    extra = document.extra
    return {
        "id": document.id,
        "title": document.title,
        "abstract": document.abstract,
        "missing": [str(label) for label in extra.get("missing") or ()],
        "extra": [str(label) for label in extra.get("extra") or ()],
        "pairs": document.label_pairs(),
    }
