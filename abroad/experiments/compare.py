"""Which training set is better: the same small model is trained on each, and scored on the same curated documents."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from abroad.core.context import Context
from abroad.core.errors import InputError
from abroad.core.field import Field, find_field
from abroad.core.io import read_predictions, write_jsonl
from abroad.core.resume import digest, keeps_identity, write_identity
from abroad.core.schema import Document, Prediction
from abroad.documents.instructions import Task
from abroad.evaluation.bootstrap import Interval, bootstrap_intervals, paired_bootstrap
from abroad.evaluation.metrics import Scores, compare
from abroad.experiments.learners import Learner
from abroad.extraction.base import predictions_of

_NAME = re.compile(r"[\w.+-]+")
_RESAMPLES = 2000


@dataclass(frozen=True)
class SetScore:
    """What a model trained on one set does on the curated documents.

    Attributes:
        documents: of the training set.
        relations: of the training set.
        intervals: "precision", "recall", "f1" -> 95% interval over documents.
        difference: F1 less that of the first set (points), with `low`, `high` and `p_value`; None for the first.
    """

    name: str
    documents: int
    relations: int
    scores: Scores
    intervals: dict[str, Interval]
    difference: dict[str, float] | None


def compare_sets(
    sets: dict[str, list[Document | Task]],
    dev: Sequence[Document],
    learner: Learner,
    out: Path,
    context: Context,
    done: Callable[[SetScore], None] = lambda _: None,
) -> list[SetScore]:
    """Train on each set and score; what an earlier run found for the same set, learner and documents is kept.

    Args:
        sets: name -> training documents; the first is what the others are compared with.
        out: folder for predictions (and adapters).
        done: is called with each score as it comes.
    Raises:
        InputError: a name that is no file name, a set that a curated document is in, or documents of another field than
            the learner's (`train.field`).
    """
    field = find_field(learner.train.field)
    _check(sets, dev, field)
    undirected = [type for type, relation in field.relations.items() if not relation.directed]
    result: list[SetScore] = []
    first: list[Scores] = []
    for name, documents in sets.items():
        try:
            predictions = _predictions(name, documents, dev, learner, out, context)
        except InputError as error:
            raise InputError(f"set {name}: {error}") from None
        comparison = compare(dev, predictions, undirected=undirected)
        outcomes = [outcome.scores for outcome in comparison.outcomes]
        result.append(
            SetScore(
                name,
                len(documents),
                sum(len(item.relations) for item in documents if isinstance(item, Document)),
                comparison.scores,
                bootstrap_intervals(outcomes, _RESAMPLES, learner.seed),
                paired_bootstrap(first, outcomes, seed=learner.seed) if first else None,
            )
        )
        first = first or outcomes
        done(result[-1])
    return result


def _check(sets: dict[str, list[Document | Task]], dev: Sequence[Document], field: Field) -> None:
    """Refuse what cannot be compared, before anything is learnt."""
    known = {document.id for document in dev}
    field.check_documents(dev, "the curated documents")
    for name, documents in sets.items():
        if not _NAME.fullmatch(name):
            raise InputError(f"set {name!r}: expected a name of letters, digits, and . _ + -")
        shared = sorted(known & {item.source if isinstance(item, Task) else item.id for item in documents})
        if shared:
            raise InputError(f"set {name}: {len(shared)} of its documents are scored on, {shared[0]} first")
        field.check_documents([item for item in documents if isinstance(item, Document)], f"set {name}")


def _predictions(
    name: str,
    documents: Sequence[Document | Task],
    dev: Sequence[Document],
    learner: Learner,
    out: Path,
    context: Context,
) -> list[Prediction]:
    path = out / f"{name}.predictions.jsonl"
    identity = {
        "learner": learner.identity(),
        "set": digest([document.to_dict() for document in documents]),
        "dev": digest([document.to_dict() for document in dev]),
    }
    if not (path.exists() and keeps_identity(path, identity)):
        path.unlink(missing_ok=True)
        extractor = learner.fit(documents, out / f"{name}.adapter", context)
        write_jsonl(path, [prediction.to_dict() for prediction in predictions_of(extractor, dev)])
        write_identity(path, identity)
    return read_predictions(path)


TABLE_HEAD = f"{'set':20} {'docs':>6} {'rels':>6} {'P':>6} {'R':>6} {'F1':>6}  95% interval    against the first"


def table_line(entry: SetScore) -> str:
    """A line of the table on the terminal, under `TABLE_HEAD`."""
    s, f1, gain = entry.scores, entry.intervals["f1"], entry.difference
    counts = f"{entry.name:20} {entry.documents:6} {entry.relations:6}"
    against = f"{gain['difference']:+.1f} (p {gain['p_value']:.3f})" if gain else ""
    figures = f"{s.precision:6.1f} {s.recall:6.1f} {s.f1:6.1f}  {f1.low:5.1f} to {f1.high:5.1f}"
    return f"{counts} {figures}  {against}".rstrip()


def plot_sets(scores: Sequence[SetScore]) -> str:
    """F1 and its interval of each set, as SVG text."""
    from matplotlib.figure import Figure

    from abroad.core.pages import svg

    figure = Figure(figsize=(8, 0.5 * len(scores) + 1))
    axes = figure.add_subplot()
    for place, entry in enumerate(scores):
        interval = entry.intervals["f1"]
        axes.plot([interval.low, interval.high], [place, place], color="#3a6ea5", linewidth=2)
        axes.plot(entry.scores.f1, place, "o", color="#d98a4a")
    axes.set_yticks(range(len(scores)), [f"{entry.name} ({entry.documents})" for entry in scores])
    axes.set_ylim(len(scores) - 0.5, -0.5)
    axes.set_xlabel("F1 on the curated documents, 95% interval")
    axes.spines[["top", "right"]].set_visible(False)
    figure.tight_layout()
    return svg(figure)


def render_sets(scores: Sequence[SetScore], learner: Learner, dev: int) -> str:
    """Table and plot as one HTML page that needs no network."""
    from markupsafe import Markup

    from abroad.core.pages import render

    return render(
        "abroad.experiments",
        "compare.html.j2",
        scores=scores,
        learner=learner.name,
        dev=dev,
        plot=Markup(plot_sets(scores)),  # made by matplotlib, which escapes the names
    )
