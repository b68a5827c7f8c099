"""`abroad train`: fine-tune a model on documents with relations."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from abroad.cli.common import report_rejects, say

TrainFiles = Annotated[list[Path], typer.Argument(help="Documents with relations (JSON or JSONL); several are joined.")]


def train(
    documents: TrainFiles,
    out: Path = typer.Option(..., help="Directory of the adapter; made if missing."),
    config: Path | None = typer.Option(None, help="YAML with a section 'train' (a run config will do)."),
    validation: Path | None = typer.Option(None, help="Documents to choose the best checkpoint by."),
    model: str | None = typer.Option(None, help="Base model: a name or a local path; overrides the config."),
    epochs: int | None = typer.Option(None, min=1, help="Overrides the config."),
    seed: int = typer.Option(0, min=0),
) -> None:
    """Fine-tune a LoRA adapter that writes the relations of a text.

    A run that was killed goes on from its last checkpoint when started again.

    Example: abroad train synthetic.jsonl --validation valid.jsonl --config configs/quickstart.yaml --out model
    """
    from dataclasses import asdict

    from abroad.config import TrainSection, load_section
    from abroad.io import Rejects, read_documents
    from abroad.provenance import run_record
    from abroad.training.settings import TrainSettings
    from abroad.training.train import train as train_adapter

    section = load_section(config, "train") if config else TrainSection()
    overrides = {"model": model, "epochs": epochs, "validation": validation}
    section = section.model_copy(update={key: value for key, value in overrides.items() if value is not None})
    settings = TrainSettings(**section.model_dump(exclude={"validation", "add_seeds"}), seed=seed)
    rejects = Rejects()
    examples = [document for path in documents for document in read_documents(path, rejects)]
    held_out = read_documents(section.validation, rejects) if section.validation else []
    inputs = [*documents, *([section.validation] if section.validation else [])]
    with run_record(out, "train", asdict(settings), inputs) as record:
        report = train_adapter(examples, held_out, settings, out, rejects)
        record["result"] = {"examples": report.examples, "steps": report.steps, "best_f1": report.best_f1}
    report_rejects(rejects, out)
    best = "" if report.best_f1 is None else f", validation F1 {report.best_f1:.1f}"
    say(f"{out}: adapter after {report.steps} updates on {report.examples} examples{best}")


def register(app: typer.Typer) -> None:
    app.command("train")(train)
