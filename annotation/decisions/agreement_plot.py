"""Agreement as a picture: each figure a dot, its 95% interval a line."""

from __future__ import annotations

from typing import Any

from annotation.decisions.agreement import Agreement, Estimate


def plot_agreement(agreement: Agreement) -> Any:
    """A matplotlib figure: F1 and kappa of pairs, curators and batches, all on a scale from 0 to 1."""
    from matplotlib.figure import Figure

    rows: list[tuple[str, dict[str, Estimate]]] = [("all curators", {"Fleiss' kappa": agreement.fleiss})]
    for pair in agreement.pairs:
        name = f"{pair.first} and {pair.second}"
        rows.append((name, {"F1": pair.f1, "Cohen's kappa": pair.kappa, "F1 of spans": pair.spans}))
    if len(agreement.curators) > 2:
        rows += [(f"{part.name} and others", {"F1": part.f1, "F1 of spans": part.spans}) for part in agreement.curators]
    if len(agreement.batches) > 1:
        for part in agreement.batches:
            rows.append(
                (f"batch {part.name}", {"F1": part.f1, "Fleiss' kappa": part.fleiss, "F1 of spans": part.spans})
            )
    # Okabe and Ito's palette: told apart by colour-blind readers too.
    styles = {"F1": "#0072B2", "Cohen's kappa": "#E69F00", "Fleiss' kappa": "#D55E00", "F1 of spans": "#009E73"}
    figure = Figure(figsize=(8, 1.4 + 0.55 * len(rows)), layout="constrained")
    axes = figure.subplots()
    drawn: set[str] = set()
    for index, (_, estimates) in enumerate(rows):
        for offset, (measure, estimate) in enumerate(estimates.items()):
            if estimate.value is None:
                continue
            scale = 100 if measure.startswith("F1") else 1
            y = index + 0.2 * (offset - (len(estimates) - 1) / 2)
            label = None if measure in drawn else measure
            drawn.add(measure)
            axes.plot(estimate.value / scale, y, "o", color=styles[measure], label=label)
            if estimate.interval is not None:
                ends = [estimate.interval.low / scale, estimate.interval.high / scale]
                axes.plot(ends, [y, y], color=styles[measure], linewidth=1.5)
    axes.set_yticks(range(len(rows)), [name.replace("$", r"\$") for name, _ in rows])
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.set_xlim(right=1.03)
    axes.set_xlabel(f"agreement, 1 is perfect; {agreement.documents} documents that two curators or more decided")
    axes.grid(axis="x", alpha=0.3)
    figure.legend(loc="outside upper center", ncols=4, frameon=False)
    return figure
