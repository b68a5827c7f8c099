"""The leaderboard as data, as Markdown for the terminal and the repository, and as a page."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from abroad.core.io import atomic_write, write_json
from abroad.evaluation.metrics import Outcome
from abroad.experiments.leaderboard.run import Result
from abroad.experiments.leaderboard.suite import Suite

COLUMNS = {
    "model": "name of the model, as given or in the config",
    "style": "prompt: classic (examples alone), instruct (instruction and examples), cot (in four steps)",
    "shots": "examples in the prompt, and how they were chosen: the same for all (fixed), or like the document",
    "rank": "order by which the model itself sorted out its relations afterwards; none: all stay",
    "F1": "micro F1 over all documents, percent, with its 95% bootstrap interval over documents",
    "P": "precision: share of the predicted relations that are gold",
    "R": "recall: share of the gold relations that were predicted",
    "parsed": "answers that could be read as relations or as 'none', percent of all answers",
    "set aside": "documents without an answer (prompt beyond the context); they count as answered with nothing",
    "tokens in": "of all prompts, chat templates included",
    "tokens out": "generated",
    "seconds": "that generating took on this machine, prompts included; ranking is not counted",
    "tokens/s": "tokens out for each of those seconds",
    "price": "of these tokens at the prices in the config",
    "prompt": "beginning of the SHA-256 of the prompt's file: equal hashes are equal prompts",
}
"""What each column means; the page and the Markdown say it too."""
_MAX_ANSWER = 1500  # characters of an answer shown
_EXAMPLES = 3


def best_first(results: Sequence[Result]) -> list[Result]:
    """The results, the highest F1 first."""
    return sorted(results, key=lambda result: -result.scores.f1)


def result_record(result: Result) -> dict[str, Any]:
    """One row of the table as JSON; percentages with 2 decimals."""
    row, scores, reading = result.row, result.scores, result.reading
    interval = result.intervals["f1"]
    return {
        "suite": result.suite,
        "model": row.model.label,
        "engine": row.model.engine,
        "style": row.style,
        "shots": row.shots,
        "retrieve": row.retrieve or None,
        "rank": row.rank,
        "f1": round(scores.f1, 2),
        "f1_low": round(interval.low, 2),
        "f1_high": round(interval.high, 2),
        "precision": round(scores.precision, 2),
        "recall": round(scores.recall, 2),
        "true_positives": scores.true_positives,
        "predicted": scores.predicted,
        "gold": scores.gold,
        "parse_rate": round(reading.parse_rate, 2),
        "set_aside": reading.failed,
        "malformed": reading.malformed,
        "cut_off": reading.cut_off,
        "tokens_in": reading.prompt_tokens,
        "tokens_out": reading.tokens,
        "seconds": round(reading.seconds, 1),
        "tokens_per_second": round(result.tokens_per_second, 1),
        "price": None if result.price is None else round(result.price, 6),
        "prompt": result.prompt,
        "tasks": {
            task.name: {
                "f1": round(task.scores.f1, 2),
                "f1_low": round(task.f1.low, 2),
                "f1_high": round(task.f1.high, 2),
                "documents": task.documents,
                "parsed": task.parsed,
            }
            for task in result.tasks
        },
    }


def cells_of(result: Result) -> list[str]:
    """The row as text, in the order of COLUMNS."""
    row, scores, reading = result.row, result.scores, result.reading
    interval = result.intervals["f1"]
    return [
        row.model.label,
        row.style,
        f"{row.shots} {row.retrieve}".strip(),
        row.rank,
        f"{scores.f1:.1f} ({interval.low:.1f} to {interval.high:.1f})",
        f"{scores.precision:.1f}",
        f"{scores.recall:.1f}",
        f"{reading.parse_rate:.0f}%",
        f"{reading.failed}",
        f"{reading.prompt_tokens:,}",
        f"{reading.tokens:,}",
        f"{reading.seconds:.0f}",
        f"{result.tokens_per_second:.1f}",
        "–" if result.price is None else f"{result.price:.4f}",
        result.prompt,
    ]


def markdown(suites: Sequence[Suite], results: Sequence[Result]) -> str:
    """A table of each suite, one of its tasks where it has several, and what the columns mean."""
    parts = []
    for suite in suites:
        own = best_first([result for result in results if result.suite == suite.name])
        if not own:
            continue
        parts.append(f"## {suite.name}\n\n{len(suite.documents)} documents. {suite.description}".rstrip())
        parts.append(_table(list(COLUMNS), [cells_of(result) for result in own]))
        if len(suite.tasks) > 1:
            names = [f"{task.name} ({len(task.documents)})" for task in suite.tasks]
            rows = [
                [result.row.name, *(f"{t.scores.f1:.1f} ({t.f1.low:.0f} to {t.f1.high:.0f})" for t in result.tasks)]
                for result in own
            ]
            parts.append("F1 of each task:")
            parts.append(_table(["row", *names], rows))
    parts.append("\n".join(f"- **{name}**: {meaning}" for name, meaning in COLUMNS.items()))
    return "\n\n".join(parts) + "\n"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def write_leaderboard(suites: Sequence[Suite], results: Sequence[Result], out: Path) -> None:
    """Write `leaderboard.json`, `leaderboard.md` and `leaderboard.html` into a folder."""
    write_json(out / "leaderboard.json", [result_record(result) for result in results])
    for name, text in (
        ("leaderboard.md", markdown(suites, results)),
        ("leaderboard.html", render_page(suites, results)),
    ):
        with atomic_write(out / name) as stream:
            stream.write(text)


def render_page(suites: Sequence[Suite], results: Sequence[Result]) -> str:
    """The page; it needs no network."""
    from abroad.core.pages import render

    views = []
    for suite in suites:
        own = best_first([result for result in results if result.suite == suite.name])
        if own:
            views.append(
                {
                    "suite": suite,
                    "documents": len(suite.documents),
                    "rows": [{"cells": cells_of(result), "result": result} for result in own],
                    "errors": [_error_view(result) for result in own],
                }
            )
    return render("abroad.experiments.leaderboard", "leaderboard.html.j2", views=views, columns=COLUMNS)


def _error_view(result: Result) -> dict[str, Any]:
    """The documents that went most wrong, and answers that could not be read, with what the model wrote."""
    outcomes = {outcome.document.id: outcome for outcome in result.comparison.outcomes}
    predictions = {prediction.id: prediction for prediction in result.predictions}
    unread = {p.id for p in predictions.values() if p.error is None and not p.extra.get("parsed")}
    wrong = sorted(
        (o for o in outcomes.values() if _wrongs(o) or o.error or o.document.id in unread), key=lambda o: -_wrongs(o)
    )
    return {
        "row": result.row.name,
        "wrong": len(wrong),
        "documents": len(outcomes),
        "examples": [
            {
                "id": outcome.document.id,
                "text": outcome.document.text.strip(),
                "answer": _answer(predictions.get(outcome.document.id)),
                "error": outcome.error,
                "unread": outcome.document.id in unread,
                "correct": [(r.organism, r.chemical) for r in outcome.correct.values()],
                "missed": [(o.label, c.label) for o, c in outcome.missed.values()],
                "spurious": [(r.organism, r.chemical) for r in outcome.spurious.values()],
            }
            for outcome in wrong[:_EXAMPLES]
        ],
    }


def _wrongs(outcome: Outcome) -> int:
    return len(outcome.missed) + len(outcome.spurious)


def _answer(prediction: Any) -> str:
    text = str(prediction.extra.get("answer", "")) if prediction is not None else ""
    return text if len(text) <= _MAX_ANSWER else f"{text[:_MAX_ANSWER]} ..."
