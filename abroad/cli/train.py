"""`abroad train`: fine-tune a model on documents with relations; plan, replay and learning curve of such runs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from abroad.cli.common import CommandGroup, parse_sets, report_rejects, say
from abroad.cli.options import Options, SettingsCommand, takes
from abroad.cli.outputs import folder, writes
from abroad.cli.paths import App
from abroad.core.context import Context

if TYPE_CHECKING:
    from abroad.experiments.learners import Learner
    from abroad.training.settings import TrainSettings

TRAIN = Options("abroad.training.settings:TrainSettings", section="train")

_DEFAULT = "run"


class _WithDefault(CommandGroup):
    """`abroad train DOCS` is `abroad train run DOCS`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        first = next((arg for arg in args if not arg.startswith("-")), None)
        if args and first not in self.commands and args[0] not in ctx.help_option_names:
            args = [_DEFAULT, *args]
        return super().parse_args(ctx, args)


app = App(
    cls=_WithDefault,
    help="Fine-tune a model: `abroad train DOCS --out DIR` (the word `run` may be left out).",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    epilog="Example: abroad train synthetic.jsonl --validation valid.jsonl --out model",
)

_Config = Annotated[Path | None, typer.Option(help="YAML with a section 'train' (a run config will do).")]


def register(parent: typer.Typer) -> None:
    parent.add_typer(app, name="train")


@app.command(
    epilog="Example: abroad train run synthetic.jsonl --validation valid.jsonl --out model", cls=SettingsCommand
)
@writes(out=folder("an adapter", grows=True))
@takes(settings=TRAIN)
def run(
    documents: list[Path] = typer.Argument(None, metavar="DOCS...", help="Documents, or instruction sets; joined."),
    out: Path = typer.Option(None, help="Directory of the adapter; made if missing."),
    config: _Config = None,
    validation: Path | None = typer.Option(None, help="Documents to choose the best checkpoint by."),
    plan: bool = typer.Option(False, "--plan", help="Say whether it fits the GPUs, and what would; train nothing."),
    gpus: int = typer.Option(1, min=1, help="GPUs that --plan reckons with."),
    gpu_memory: float = typer.Option(80.0, min=1, help="Memory of one GPU that --plan reckons with, GB."),
    *,
    settings: TrainSettings,
) -> None:
    """Fine-tune a LoRA adapter that writes the relations of a text.

    A run that was killed goes on from its last state when started again. On several GPUs:
    accelerate launch --config_file configs/gpu/8.yaml -m abroad train ...
    """
    from abroad.core.errors import InputError
    from abroad.core.provenance import run_record
    from abroad.training.stage import train_stage

    if plan:
        return _show_plan(settings, gpus, gpu_memory)
    held_out_file = validation or _validation(config)
    if out is None or not documents:
        raise InputError("expected documents to train on, and --out, the directory of the adapter")
    context = Context(say=say)
    inputs = [*documents, *([held_out_file] if held_out_file else [])]
    with run_record(out, "train", settings.model_dump(mode="json"), inputs) as record:
        report = train_stage(documents, held_out_file, out, settings, context)
        record["result"] = {
            "examples": report.examples,
            "steps": report.steps,
            "best_f1": report.best_f1,
            "spikes": report.spikes,
        }
    report_rejects(context, out)
    best = "" if report.best_f1 is None else f", validation F1 {report.best_f1:.1f}"
    spikes = f", {report.spikes} loss spikes ({out / 'spikes.jsonl'})" if report.spikes else ""
    say(f"{out}: adapter after {report.steps} updates on {report.examples} examples{best}{spikes}")


def _validation(config: Path | None) -> Path | None:
    """The validation documents that a config names."""
    from abroad.pipeline.config import load_section

    path: Path | None = load_section(config, "train").validation if config is not None else None
    return path


def _show_plan(settings: TrainSettings, gpus: int, gpu_memory: float) -> None:
    from abroad.training.plan import plan, shape_of

    shape = shape_of(settings.model)
    result = plan(settings, shape, gpus, gpu_memory * 1e9)
    kind = {"nf4": "NF4", "int8": "8 bits"}.get(settings.quantization, "bf16")
    typer.echo(f"{settings.model}: {shape.parameters / 1e9:.2f} billion parameters in {kind}, on {gpus} GPU(s)")
    typer.echo(f"{'on each GPU':14} {'GB':>8}")
    for name, size in result.rows():
        typer.echo(f"{name:14} {size / 1e9:8.2f}")
    if result.fits:
        typer.echo(f"fits {gpu_memory:g} GB (92% of it are counted on)")
        return
    typer.echo(f"does not fit {gpu_memory:g} GB (92% of it are counted on)")
    for advice in result.advice or ("nothing short of larger GPUs, a smaller model or a shorter max_length",):
        typer.echo(f"  would fit: {advice}" if result.advice else f"  {advice}")
    raise typer.Exit(2)


@app.command(epilog="Example: abroad train replay model synthetic.jsonl --updates 3")
def replay(
    directory: Path = typer.Argument(..., metavar="DIR", help="A run of `abroad train`."),
    documents: list[Path] = typer.Argument(..., metavar="DOCS...", help="What it was trained on."),
    updates: int = typer.Option(0, min=0, help="Also make so many updates again and compare their losses."),
) -> None:
    """Show that the same data come in the same order again; exit code 1 where they do not."""
    from abroad.documents.instructions import read_training_set
    from abroad.training.replay import replay as again

    context = Context(say=say)
    examples = [item for path in documents for item in read_training_set(path, context)]
    result = again(directory, examples, updates, context)
    typer.echo(f"{result.equal} of {result.updates} updates have the same data in the same order")
    if context.rejects:
        say(context.rejects.summary())
    for number, before, now in result.losses:
        typer.echo(f"update {number}: loss {before:.6f} then, {now:.6f} now")
    if result.first_difference is not None:
        typer.echo(f"the first that differs is update {result.first_difference}")
        raise typer.Exit(1)


@app.command(
    epilog="Example: abroad train curve raw=a.json curated=b.jsonl --sizes 50,100 --dev dev.json --out o",
    cls=SettingsCommand,
)
@writes(out=folder("curves", "curve.svg.run.json", "*.predictions.jsonl.resume.json"))
@takes(
    learner=Options("abroad.experiments.learners:CurveLearner", only=("kind",), names={"kind": "--learner"}),
    settings=TRAIN,
)
def curve(
    sets: list[str] = typer.Argument(..., metavar="NAME=DOCS...", help="Training sets to compare."),
    sizes: str = typer.Option(..., metavar="N,N,...", help="Documents to train on."),
    dev: Path = typer.Option(..., metavar="DOCS", help="Curated documents to score on; in none of the sets."),
    out: Path = typer.Option(..., metavar="DIR", help="Folder for curve.svg, curve.json and the predictions."),
    config: _Config = None,
    *,
    learner: Learner,
    settings: TrainSettings,
) -> None:
    """Train on parts of each set, each holding the smaller ones, and plot F1 with intervals against their size."""
    from dataclasses import asdict

    from abroad.core.errors import InputError
    from abroad.core.field import find_field
    from abroad.core.io import atomic_write, write_json
    from abroad.core.provenance import run_record
    from abroad.documents.inputs import read_documents_of
    from abroad.documents.instructions import read_training_set
    from abroad.experiments.compare import TABLE_HEAD, table_line
    from abroad.experiments.curve import curve as measure
    from abroad.experiments.curve import plot_curves

    try:
        steps = [int(size) for size in sizes.split(",")]
    except ValueError:
        raise InputError(f"--sizes {sizes}: expected numbers, such as 50,100,200") from None
    files, context = parse_sets(sets), Context(say=say)
    trained = learner.replace(train=settings, seed=settings.seed)
    field = find_field(settings.field)
    items = {name: read_training_set(path, context, field) for name, path in files.items()}
    curated = read_documents_of(field, dev, context)
    with run_record(out, "train curve", {"sizes": steps, **trained.identity()}, [*files.values(), dev]):
        typer.echo(TABLE_HEAD)
        curves = measure(items, steps, curated, trained, out, context, lambda entry: typer.echo(table_line(entry)))
        write_json(out / "curve.json", {name: [asdict(score) for score in part] for name, part in curves.items()})
        with atomic_write(out / "curve.svg") as stream:
            stream.write(plot_curves(curves))
    report_rejects(context, out)
    say(f"plot: {out / 'curve.svg'}")
