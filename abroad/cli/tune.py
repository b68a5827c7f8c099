"""`abroad tune`: searches for settings of training and decoding."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from abroad.cli.common import group, report_rejects, say
from abroad.cli.options import Options, SettingsCommand, takes
from abroad.cli.outputs import PAGE, folder, writes
from abroad.cli.train import TRAIN
from abroad.core.context import Context
from abroad.core.outputs import Kind

if TYPE_CHECKING:
    from abroad.experiments.tuning.settings import DraftSettings, ImageTrainSettings, SearchedSettings
    from abroad.extraction.generative.decoding import GenerativeSettings


def _is_study(path: Path) -> bool:
    import sqlite3

    try:
        with contextlib.closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as connection:
            tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
    except sqlite3.Error:
        return False
    return {"studies", "trials"} <= tables


STUDY = Kind(
    "a study",
    (".sqlite", ".sqlite3", ".db"),
    recognise=_is_study,
    grows=True,
    shared=True,
    commands=("abroad tune train", "abroad tune decode"),
)

GRID = "images.json"
"""The cells of a grid of images, in its folder."""

app = group(
    "Search for the best settings of training or decoding (Optuna); a study goes on where it was.",
    example="abroad tune train train.jsonl --validation valid.jsonl --study study.sqlite --trials 80",
)


def register(parent: typer.Typer) -> None:
    parent.add_typer(app, name="tune")


@app.command(
    epilog="Example: abroad tune train train.jsonl --validation valid.jsonl --study study.sqlite --trials 80",
    cls=SettingsCommand,
)
@writes(study=STUDY)
@takes(
    settings=replace(
        TRAIN,
        source="abroad.experiments.tuning.settings:SearchedSettings",
        # those that it searches, or sets itself
        without=(
            "learning_rate",
            "batch_size",
            "gradient_accumulation_steps",
            "lora_rank",
            "lora_alpha",
            "keep_every",
        ),
    )
)
def train(
    documents: list[Path] = typer.Argument(..., metavar="DOCS...", help="Documents, or instruction sets; joined."),
    validation: Path = typer.Option(..., metavar="DOCS", help="Documents that trials are scored on."),
    study: Path = typer.Option(..., metavar="FILE.sqlite", help="File of the study; made if missing."),
    trials: int = typer.Option(
        80, min=1, help="Trials that the study shall hold, those of earlier and parallel runs included."
    ),
    space: str = typer.Option("base", help="base, or large (BioGPT-Large): batch sizes and ranks that are searched."),
    config: Path | None = typer.Option(None, help="YAML with a section 'train' for what is not searched."),
    *,
    settings: SearchedSettings,
) -> None:
    """Search learning rate, batch size, rank and alpha; trials below the median are pruned.

    An update reads about 80 examples, whatever the batch size.

    The same command started several times shares the trials of the study.
    """
    from abroad.core.errors import InputError
    from abroad.core.field import find_field
    from abroad.core.helpers import helper
    from abroad.core.io import file_sha256
    from abroad.documents.inputs import read_documents_of
    from abroad.documents.instructions import read_training_set
    from abroad.experiments.tuning.study import SPACES, best_section, open_study, tune_training

    if space not in SPACES:
        raise InputError(f"--space {space}: expected one of: {', '.join(SPACES)}")
    context = Context(say=say)
    field = find_field(settings.field)
    items = [item for path in documents for item in read_training_set(path, context, field)]
    held_out = read_documents_of(field, validation, context)
    searched = {"batches": SPACES[space].batches, "adapters": SPACES[space].adapters}
    what = {"settings": settings.identity(), "files": [file_sha256(path) for path in (*documents, validation)]}
    what["space"] = searched  # studies of other spaces cannot be gone on with
    opened = open_study(study, "train", what, settings.seed)
    old, adapters = study.with_suffix(".trials"), helper(study, "trials")
    adapters = old if old.is_dir() and not adapters.exists() else adapters
    tune_training(items, held_out, settings, opened, trials, adapters, context, SPACES[space])
    if context.rejects:
        say(context.rejects.summary())
    typer.echo(best_section(opened), nl=False)


@app.command(
    epilog="Example: abroad tune decode dev.jsonl --model model --study study.sqlite --trials 40", cls=SettingsCommand
)
@writes(study=STUDY)
@takes(
    settings=Options(
        "abroad.extraction.generative.decoding:GenerativeSettings",
        only=("max_new_tokens", "force_end", "chunk_overlap", "batch_size", "trained"),
    )
)
def decode(
    documents: Path = typer.Argument(..., metavar="DOCS", help="Documents with relations that trials are scored on."),
    model: str = typer.Option(..., help="Fine-tuned model: a directory of `abroad train`, or a name."),
    study: Path = typer.Option(..., metavar="FILE.sqlite", help="File of the study; made if missing."),
    trials: int = typer.Option(
        40, min=1, help="Trials that the study shall hold, those of earlier and parallel runs included."
    ),
    seed: int = typer.Option(0, min=0, help="Seed of the search."),
    *,
    settings: GenerativeSettings,
) -> None:
    """Search beams, early stopping, length penalty and n-gram block for one model."""
    from abroad.core.io import file_sha256
    from abroad.documents.inputs import read_documents
    from abroad.experiments.tuning.study import best_section, open_study, tune_decoding
    from abroad.extraction.generative.decoding import Decoding
    from abroad.extraction.generative.load import load_generative_extractor
    from abroad.extraction.load import check_extractor

    check_extractor(model, {"trained": settings.trained})
    context = Context(say=say)
    dev = read_documents(documents, context)
    base = Decoding.of(settings)
    extractor = load_generative_extractor(model, base, batch_size=settings.batch_size)
    what = {"model": extractor.identity, "files": [file_sha256(documents)]}
    opened = open_study(study, "decode", what, seed)
    tune_decoding(extractor, dev, base, opened, trials, context)
    if context.rejects:
        say(context.rejects.summary())
    typer.echo(best_section(opened), nl=False)


@app.command(
    epilog="Example: abroad tune draft dev.jsonl --model model --draft ngram --draft small --draft-tokens 3,5,8",
    cls=SettingsCommand,
)
@takes(
    settings=Options(
        "abroad.experiments.tuning.settings:DraftSettings",
        only=("max_new_tokens", "base", "quantization", "batch_size"),
    )
)
def draft(
    documents: Path = typer.Argument(..., metavar="DOCS", help="Documents like those to be extracted from."),
    model: str = typer.Option(..., help="Fine-tuned model: a directory of `abroad train`, or a name."),
    drafts: list[str] = typer.Option(
        ["ngram"], "--draft", help="A candidate, as often as needed: ngram, or a smaller model with the same tokenizer."
    ),
    draft_tokens: str = typer.Option("3,5,8", metavar="N,N,...", help="Tokens proposed at once, to try."),
    count: int = typer.Option(8, "--documents", min=1, help="Documents to measure on: the first so many."),
    *,
    settings: DraftSettings,
) -> None:
    """Measure what drafts of speculative decoding gain, and name the one that the clock and the formula prefer."""
    from abroad.core.errors import InputError
    from abroad.documents.inputs import read_documents
    from abroad.engines.base import GenerationRequest
    from abroad.experiments.tuning.draft import load_drafts, measure_drafts, preferred
    from abroad.extraction.generative.encode import encode_prompt

    try:
        widths = [int(part) for part in draft_tokens.split(",")]
    except ValueError:
        widths = []
    if not widths or min(widths) < 1:
        raise InputError(f"--draft-tokens {draft_tokens}: expected whole numbers from 1 on, such as 3,5,8")
    context = Context(say=say)
    texts = read_documents(documents, context)[:count]
    loaded, candidates = load_drafts(model, settings.base, settings.quantization, list(dict.fromkeys(drafts)), context)
    requests = [
        GenerationRequest(text.id, encode_prompt(loaded[1], text.text), max_new_tokens=settings.max_new_tokens)
        for text in texts
    ]
    head = ("draft", "at once", "tokens a pass", "accepted", "tokens/s", "speed-up", "predicted")
    typer.echo(f"{head[0]:24}" + "".join(f"{name:>14}" for name in head[1:]))
    measured = []
    for found in measure_drafts(loaded, requests, candidates, widths, settings.batch_size):
        measured.append(found)
        rates = (f"{found.counts.tokens_per_pass:.2f}", f"{found.counts.acceptance:.0%}") if found.counts else ("", "")
        predicted = "" if found.predicted is None else f"{found.predicted:.2f}"
        cells = (str(found.tokens), *rates, f"{found.rate:.1f}", f"{found.speedup:.2f}", predicted)
        note = f"  {found.differing} texts differ" if found.differing else ""
        typer.echo(f"{found.draft or 'none':24}" + "".join(f"{cell:>14}" for cell in cells) + note)
    clock, formula = preferred(measured)
    typer.echo(f"fastest by the clock: {clock.settings} ({clock.speedup:.2f} times one text at a time without a draft)")
    typer.echo(f"fastest by the formula: {formula.settings} ({formula.predicted:.2f} times)")


@app.command(
    epilog="Example: abroad tune images train.jsonl --validation valid.jsonl --model DIR --out grid",
    cls=SettingsCommand,
)
@writes(out=folder("a grid of images", grows=True))
@takes(
    settings=replace(
        TRAIN,
        source="abroad.experiments.tuning.settings:ImageTrainSettings",
        without=("resolution", "text_share", "pack"),  # tried, or not with images
    )
)
def images(
    documents: list[Path] = typer.Argument(..., metavar="DOCS...", help="Documents, some with images; joined."),
    validation: Path = typer.Option(..., metavar="DOCS", help="Documents that trainings are scored on."),
    out: Path = typer.Option(..., metavar="DIR", help="Folder of the table and of the trainings; made if missing."),
    resolutions: str = typer.Option(
        "224,336,448", metavar="N,N,...", help="Longest sides of images to try, in pixels."
    ),
    text_shares: str = typer.Option("0,0.2,0.5", metavar="X,X,...", help="Shares of examples without images to try."),
    config: Path | None = typer.Option(None, help="YAML with a section 'train' for what is not tried."),
    *,
    settings: ImageTrainSettings,
) -> None:
    """Train at each resolution with each share of text among the images, and tabulate F1.

    A training that was killed goes on, and one that ended is not made again.
    """
    from abroad.core.field import find_field
    from abroad.core.io import write_json
    from abroad.core.provenance import run_record
    from abroad.documents.inputs import read_documents_of
    from abroad.documents.instructions import read_training_set
    from abroad.experiments.tuning.images import HEAD, Grid, aligned, best_cell, measure_images
    from abroad.models.resolve import resolve_model
    from abroad.training.images import check_reads_images

    grid = Grid.read(resolutions, text_shares)
    context = Context(say=say)
    field = find_field(settings.field)
    items = [item for path in documents for item in read_training_set(path, context, field)]
    data = (items, read_documents_of(field, validation, context))
    what = {**settings.identity(), "resolutions": grid.resolutions, "text_shares": grid.text_shares}
    cells = []
    with run_record(out, "tune images", what, [*documents, validation]) as record:
        check_reads_images(resolve_model(settings.model), settings.replace(resolution=grid.resolutions[0]))
        typer.echo(aligned(HEAD))
        for cell in measure_images(data, grid, settings, out, context):
            typer.echo(cell.line())
            cells.append(cell)
            write_json(out / GRID, [cell.to_dict() for cell in cells])
        best = best_cell(cells)
        record["result"] = best.to_dict() if best is not None else None
    report_rejects(context, out)
    if best is None:
        say("no training found anything in the validation documents: more epochs, a higher rate or more documents?")
    else:
        typer.echo(best.section(), nl=False)


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
