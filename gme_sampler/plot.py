"""Entropy curves of a ranking beside the baselines, as a matplotlib figure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from gme_sampler.ranking import Ranking

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito's palette: told apart by colour-blind readers too.
_COLOURS = ("#000000", "#E69F00", "#56B4E9", "#009E73", "#CC79A7", "#D55E00", "#0072B2")
_STYLES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (1, 1)), (0, (8, 3)))


def plot_entropies(strata: Mapping[str, Mapping[str, Ranking]]) -> Figure:
    """Draw entropy after each pick: a row of panels a stratum, a panel a category, a curve a strategy.

    The first strategy of a stratum is the one used: a dot marks where its entropy
    is highest. The dashed line on top is the utopian entropy log|V|.

    Args:
        strata: stratum (may be "") -> strategy -> ranking; the same categories everywhere.
    """
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    categories = next(iter(next(iter(strata.values())).values())).categories
    figure = Figure(figsize=(5.2 * len(categories), 0.7 + 3.4 * len(strata)), layout="constrained")
    panels = figure.subplots(len(strata), len(categories), squeeze=False)
    for row, (stratum, rankings) in zip(panels, strata.items(), strict=True):
        for k, panel in enumerate(row):
            _draw_panel(panel, rankings, k)
            panel.set_title(f"{stratum}: {categories[k]}" if stratum else categories[k], fontsize=10)
            panel.set_xlabel("references picked")
            panel.xaxis.set_major_locator(MaxNLocator(integer=True))
            panel.set_ylabel("entropy (nats)")
    handles, labels = panels[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=min(len(labels), 7), fontsize=9, frameon=False)
    return figure


def _draw_panel(panel: Axes, rankings: Mapping[str, Ranking], k: int) -> None:
    for number, (strategy, ranking) in enumerate(rankings.items()):
        curve = ranking.entropies[:, k]
        style: dict[str, Any] = {"color": _COLOURS[number % len(_COLOURS)], "linestyle": _STYLES[number % len(_STYLES)]}
        width = 2.2 if number == 0 else 1.3
        marker: dict[str, Any] = {"marker": "."} if len(curve) == 1 else {}
        panel.plot(
            np.arange(1, len(curve) + 1), curve, label=strategy, linewidth=width, zorder=9 - number, **style, **marker
        )
    used = next(iter(rankings.values()))
    stop = used.stop_report()[k]
    panel.plot(stop.step, stop.entropy, "o", color=_COLOURS[0], zorder=10)
    words = "still rising" if stop.rising else f"highest after {stop.step}"
    panel.annotate(words, (stop.step, stop.entropy), (0, 6), textcoords="offset points", ha="right", fontsize=8)
    panel.axhline(used.utopia[k], color="#777777", linestyle=(0, (2, 3)), linewidth=1)
    panel.annotate(
        f"log|V| = {used.utopia[k]:.2f}", (0.01, used.utopia[k]), (0, 3), xycoords=("axes fraction", "data"),
        textcoords="offset points", fontsize=8, color="#555555",
    )  # fmt: skip
    panel.set_ylim(0, max(used.utopia[k] * 1.1, 0.1))
    panel.spines[["top", "right"]].set_visible(False)
