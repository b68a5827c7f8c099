"""`abroad tune`: searches for settings of training and decoding."""

from __future__ import annotations

import contextlib
from pathlib import Path

import typer

from abroad.cli.common import group, say
from abroad.cli.outputs import PAGE, writes
from abroad.core.outputs import Kind


def _is_study(path: Path) -> bool:
    import sqlite3

    try:
        with contextlib.closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as connection:
            tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
    except sqlite3.Error:
        return False
    return {"studies", "trials"} <= tables


STUDY = Kind("a study", (".sqlite", ".sqlite3", ".db"), recognise=_is_study, grows=True, shared=True)

app = group("Search for the best settings of training or decoding (Optuna); a study goes on where it was.")


def register(parent: typer.Typer) -> None:
    parent.add_typer(app, name="tune")


@app.command(epilog="Example: abroad tune train train.jsonl --validation valid.jsonl --study study.sqlite --trials 80")
@writes(study=STUDY)
def train(
    documents: list[Path] = typer.Argument(..., metavar="DOCS...", help="Documents, or instruction sets; joined."),
    validation: Path = typer.Option(..., metavar="DOCS", help="Documents that trials are scored on."),
    study: Path = typer.Option(..., metavar="FILE.sqlite", help="Of the study; made if missing."),
    trials: int = typer.Option(80, min=1, help="Of the study, those of earlier and parallel runs included."),
    config: Path | None = typer.Option(None, help="YAML with a section 'train' for what is not searched."),
    model: str | None = typer.Option(None, help="Overrides the config."),
    epochs: int | None = typer.Option(None, min=1, help="Overrides the config."),
    seed: int = typer.Option(0, min=0),
) -> None:
    """Search learning rate, batch size, rank and alpha; trials below the median are pruned.

    The same command started several times shares the trials of the study.
    """
    from dataclasses import asdict

    from abroad.cli.train import settings_of
    from abroad.core.helpers import helper
    from abroad.core.io import Rejects, file_sha256, read_documents
    from abroad.documents.instructions import read_training_set
    from abroad.experiments.tuning.study import best_section, open_study, tune_training

    settings, _ = settings_of(config, {"model": model, "epochs": epochs}, seed)
    rejects = Rejects()
    items = [item for path in documents for item in read_training_set(path, rejects)]
    what = {"settings": asdict(settings), "files": [file_sha256(path) for path in (*documents, validation)]}
    opened = open_study(study, "train", what, seed)
    old, adapters = study.with_suffix(".trials"), helper(study, "trials")
    adapters = old if old.is_dir() and not adapters.exists() else adapters
    tune_training(items, read_documents(validation, rejects), settings, opened, trials, adapters, say)
    if rejects:
        say(rejects.summary())
    typer.echo(best_section(opened), nl=False)


@app.command(epilog="Example: abroad tune decode dev.jsonl --model model --study study.sqlite --trials 40")
@writes(study=STUDY)
def decode(
    documents: Path = typer.Argument(..., metavar="DOCS", help="Documents with relations that trials are scored on."),
    model: str = typer.Option(..., help="Fine-tuned model: a directory of `abroad train`, or a name."),
    study: Path = typer.Option(..., metavar="FILE.sqlite", help="Of the study; made if missing."),
    trials: int = typer.Option(40, min=1, help="Of the study, those of earlier and parallel runs included."),
    max_new_tokens: int = typer.Option(512, min=1, help="A document."),
    batch_size: int = typer.Option(16, min=1, help="Rows at once (beams count)."),
    seed: int = typer.Option(0, min=0),
) -> None:
    """Search beams, early stopping, length penalty and n-gram block for one model."""
    from abroad.core.io import Rejects, file_sha256, read_documents
    from abroad.experiments.tuning.study import best_section, open_study, tune_decoding
    from abroad.extraction.generative.decoding import Decoding
    from abroad.extraction.generative.load import load_generative_extractor

    rejects = Rejects()
    dev = read_documents(documents, rejects)
    base = Decoding(max_new_tokens=max_new_tokens)
    extractor = load_generative_extractor(model, base, batch_size=batch_size)
    what = {"model": extractor.identity, "files": [file_sha256(documents)]}
    opened = open_study(study, "decode", what, seed)
    tune_decoding(extractor, dev, base, opened, trials, say)
    if rejects:
        say(rejects.summary())
    typer.echo(best_section(opened), nl=False)


@app.command(epilog="Example: abroad tune report study.sqlite --out study.html")
@writes(out=PAGE)
def report(
    study: Path = typer.Argument(..., metavar="FILE.sqlite"),
    kind: str = typer.Option("train", help="train or decode."),
    out: Path = typer.Option(None, metavar="FILE.html", help="Also write a page with plots and all trials."),
) -> None:
    """The best settings as a section of a config, and a page with plots."""
    from abroad.core.io import atomic_write
    from abroad.experiments.tuning.report import render_study
    from abroad.experiments.tuning.study import best_section, open_study

    opened = open_study(study, kind)
    typer.echo(best_section(opened), nl=False)
    if out is not None:
        with atomic_write(out) as stream:
            stream.write(render_study(opened))
        say(f"report: {out}")
