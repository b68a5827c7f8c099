"""A study as one HTML page: course of the best, each parameter against F1, importance, all trials."""

from __future__ import annotations

from typing import Any

from abroad.core.pages import render, svg
from abroad.experiments.tuning.study import best_section, import_optuna, readable


def render_study(study: Any) -> str:
    """The page; it needs no network."""
    from markupsafe import Markup

    optuna = import_optuna()
    done = [trial for trial in study.trials if trial.value is not None]
    section = best_section(study)
    return render(
        "abroad.experiments.tuning",
        "study.html.j2",
        kind=study.study_name,
        section=section,
        trials=[
            (trial.number, trial.state.name.lower(), trial.value, readable(trial.params))
            for trial in sorted(study.trials, key=lambda trial: -(trial.value or -1))
        ],
        importance=_importance(optuna, study, done),
        plot=Markup(_plot(done)),  # made by matplotlib of parameters' names and numbers
    )


def _importance(optuna: Any, study: Any, done: list[Any]) -> list[tuple[str, float]]:
    """Share of the variance of F1 that each parameter explains (fANOVA); empty for a handful of trials."""
    if len(done) < 4 or len({trial.value for trial in done}) == 1:
        return []
    try:
        return list(optuna.importance.get_param_importances(study).items())
    except (RuntimeError, ValueError):  # no parameter that all trials share
        return []


def _plot(done: list[Any]) -> str:
    from matplotlib.figure import Figure

    names = sorted({name for trial in done for name in trial.params})
    figure = Figure(figsize=(9, 3 * (1 + -(-len(names) // 3))))
    rows = 1 + -(-len(names) // 3)
    course = figure.add_subplot(rows, 1, 1)
    best, bests = -1.0, []
    for trial in done:
        best = max(best, trial.value)
        bests.append(best)
    course.plot([t.number for t in done], [t.value for t in done], "o", color="#3a6ea5", label="trial")
    course.plot([t.number for t in done], bests, color="#d98a4a", label="best so far")
    course.set_xlabel("trial")
    course.set_ylabel("F1")
    course.legend(frameon=False, fontsize=8)
    for index, name in enumerate(names):
        axes = figure.add_subplot(rows, 3, 4 + index)
        trials = [trial for trial in done if name in trial.params]
        values = [trial.params[name] for trial in trials]
        plain = all(isinstance(value, int | float) for value in values)
        axes.plot(values if plain else [str(v) for v in values], [t.value for t in trials], "o", color="#3a6ea5")
        if name == "learning_rate":
            axes.set_xscale("log")
        axes.set_xlabel(name)
    figure.tight_layout()
    return svg(figure)
