"""The HTML report: one file that needs no network, for people who would rather look than read.

Rendered with Jinja2, escaping on: labels and abstracts are other people's text.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

from abroad.core.io import atomic_write
from abroad.core.pages import render
from abroad.evaluation.errors import errors_of
from abroad.evaluation.evaluate import Evaluation
from abroad.evaluation.highlight import marks_of, to_html
from abroad.evaluation.metrics import Outcome


def write_report(evaluation: Evaluation, path: str | Path, title: str = "Extracted relations") -> None:
    """Write the report; whole or not at all."""
    html = render_report(evaluation, title)
    with atomic_write(path) as stream:
        stream.write(html)


def render_report(evaluation: Evaluation, title: str = "Extracted relations") -> str:
    """The report as one HTML document."""
    outcomes = sorted(
        evaluation.comparison.outcomes, key=lambda outcome: -(len(outcome.missed) + len(outcome.spurious))
    )
    return render(
        "abroad.evaluation",
        "report.html.j2",
        title=title,
        today=date.today().isoformat(),
        scores=evaluation.comparison.scores,
        evaluation=evaluation,
        documents=[_view(outcome, evaluation.comparison.is_built_in) for outcome in outcomes],
    )


def _view(outcome: Outcome, built_in: bool) -> dict[str, Any]:
    from markupsafe import Markup

    document = outcome.document
    kinds = {(e.side, e.head, e.tail): e.kind for e in errors_of(outcome, built_in)}
    return {
        "id": document.id,
        "pmid": document.pmid if document.pmid and document.pmid.isdigit() else None,
        "title": document.title or document.id,
        "error": outcome.error,
        "scores": outcome.scores,
        "text": Markup(to_html(document.text, marks_of(outcome))),
        "relations": [
            *(("correct", r.head, r.tail, "") for r in outcome.correct.values()),
            *(("missed", o.label, c.label, kinds["missed", o.label, c.label]) for o, c in outcome.missed.values()),
            *(("spurious", r.head, r.tail, kinds["false", r.head, r.tail]) for r in outcome.spurious.values()),
        ],
    }
