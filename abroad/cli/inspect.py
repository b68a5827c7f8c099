"""`abroad inspect`: what a model looks at."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from abroad.cli.common import group, report_rejects, say
from abroad.cli.options import Options, SettingsCommand, renamed, takes
from abroad.cli.outputs import PAGE, writes
from abroad.core.context import Context

if TYPE_CHECKING:
    from abroad.experiments.attention.study import StudySettings

PAGE_AND_NUMBERS = replace(PAGE, beside=lambda path: (path.with_suffix(".json"),))

app = group(
    "What a model looks at while it reads.",
    example="abroad inspect attention documents.jsonl --model model --out attention.html",
)


@app.callback()
def _group() -> None:
    """What a model looks at while it reads."""


@app.command(
    epilog="Example: abroad inspect attention docs.jsonl --model model --compare smollm2-135m --out page.html",
    cls=SettingsCommand,
)
@renamed(most="--max-documents")
@writes(out=PAGE_AND_NUMBERS)
@takes(settings=Options("abroad.experiments.attention.study:StudySettings"))
def attention(
    documents: Path = typer.Argument(
        ..., metavar="DOCS", help="The documents (as `abroad extract` reads them), with relations if any."
    ),
    out: Path = typer.Option(..., metavar="PAGE.html", help="The page; numbers go to PAGE.json."),
    model: str = typer.Option("smollm2-135m", help="A name or a path; a fine-tuned adapter is merged."),
    compare: str = typer.Option(None, metavar="MODEL", help="A second model on the same documents."),
    base: str = typer.Option(None, help="Base model of the adapters, if not the one they name."),
    max_documents: int = typer.Option(10, min=1, help="Look at the first so many documents."),
    *,
    settings: StudySettings,
) -> None:
    """Attention between the words of documents: heat map, trivial patterns, instruction, gold mentions.

    Does the model look at more than the word before and the first word? Does an instruction change what it looks
    at, more than random words do? Does it look at the mentions of a relation while it writes the relation?
    """
    from abroad.core.progress import Progress
    from abroad.core.provenance import run_record
    from abroad.documents.inputs import read_documents
    from abroad.experiments.attention.page import describe, write_study
    from abroad.experiments.attention.study import study_models

    context = Context(say=say)
    texts = read_documents(documents, context)[:max_documents]
    models = [(name, base) for name in dict.fromkeys((compare, model)) if name is not None]
    with (
        run_record(out, "inspect attention", {"model": model, "compare": compare, "seed": settings.seed}, [documents]),
        Progress("looking at documents", len(models) * len(texts)) as progress,
    ):
        measures, shown = study_models(models, texts, settings, context, progress.advance)
        numbers = write_study(out, measures, shown, settings, len(texts))
    report_rejects(context, out)
    typer.echo("mean over heads and documents for each quarter of the layers (95% interval)")
    for line in describe(measures):
        typer.echo(line)
    say(f"page: {out}; numbers: {numbers}")


def register(parent: typer.Typer) -> None:
    parent.add_typer(app, name="inspect")
