"""A round of the curation loop: where its files are, and what is said of it when it is over."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from abroad.core.errors import InputError


@dataclass(frozen=True)
class Round:
    """One turn of the loop.

    Attributes:
        model: the extractor in use; None for the built-in one.
        unseen: predictions of that model on curated documents of earlier rounds, made without them; None at first.
    """

    number: int
    folder: Path
    model: Path | None
    unseen: Path | None

    @property
    def name(self) -> str:
        return f"round-{self.number}"

    @property
    def predictions(self) -> Path:
        return self.folder / "predictions.jsonl"

    @property
    def batch(self) -> Path:
        return self.folder / "batch.jsonl"

    @property
    def report(self) -> Path:
        return self.folder / "round.json"

    @property
    def model_name(self) -> str:
        return "built-in" if self.model is None else "/".join(self.model.parts[-2:])


def read_report(path: Path) -> dict[str, Any]:
    """What round.json says of a closed round.

    Raises:
        InputError: it is broken.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        raise InputError(f"{path}: broken; remove it, and the round is closed again from its decisions") from None


def summary(turn: Round, report: dict[str, Any]) -> list[str]:
    """A closed round in a few lines."""
    lines = []
    if scores := report.get("scores"):
        lines.append(
            f"{turn.name}: {report['model']} beside the curators: precision {scores['precision']:.1f}, recall "
            f"{scores['recall']:.1f}, F1 {scores['f1']:.1f} ({scores['f1_low']:.1f} to {scores['f1_high']:.1f}) on "
            f"{scores['documents']} documents it had not seen; report: {turn.folder / 'report.html'}"
        )
    agreed = report["agreement"]
    if isinstance(agreed, dict) and agreed["fleiss"] is not None:
        lines.append(f"{turn.name}: Fleiss' kappa {agreed['fleiss']:.3f} on {agreed['documents']} shared documents")
    training = report["training"]
    if isinstance(training, str):
        return [*lines, f"{turn.name}: no training: {training}"]
    kept = "takes its place" if training["adopted"] else "is kept aside, the old one goes on"
    lines.append(
        f"{turn.name}: trained on {training['curated_documents']} curated and "
        f"{training['synthetic_documents']} synthetic documents: F1 {training['f1_of_the_new_model']:.1f} "
        f"(held out) beside {training['f1_of_the_model_in_use']:.1f} of the model in use; the new one {kept}"
    )
    return lines
