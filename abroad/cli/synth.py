"""`abroad synth`: synthetic abstracts for known relations, in three steps."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from abroad.cli import synth_sets, synth_state
from abroad.cli.common import group, report_rejects, say
from abroad.cli.options import ENGINE, Options, SettingsCommand, takes, with_base_url
from abroad.cli.outputs import JSONL, PAGE, writes
from abroad.cli.synth_sets import CONFIG
from abroad.core.context import Context

if TYPE_CHECKING:
    from abroad.engines.choice import EngineChoice
    from abroad.synthesis.prompts.settings import InstructSettings
    from abroad.synthesis.settings import (
        CurateSettings,
        GenerateSettings,
        SelectSettings,
    )

app = group(
    "Synthetic abstracts for known relations: instruct, generate, select.",
    example="abroad synth generate prompts.jsonl --out abstracts.jsonl",
)


def register(parent: typer.Typer) -> None:
    synth_sets.register(app)
    synth_state.register(app)
    parent.add_typer(app, name="synth")


@app.command(epilog="Example: abroad synth instruct documents.jsonl --out prompts.jsonl", cls=SettingsCommand)
@writes(out=JSONL)
@takes(
    settings=Options(
        "abroad.synthesis.prompts.settings:InstructSettings",
        section="synthesis",
        former={"--prompts": "prompts_per_document"},
    ),
    engine=replace(ENGINE, section="synthesis"),
)
def instruct(
    documents: Path = typer.Argument(..., metavar="DOCS", help="Documents with relations (JSON or JSONL)."),
    out: Path = typer.Option(..., metavar="PROMPTS.jsonl", help="Prompts to write."),
    classes: Path = typer.Option(None, metavar="TABLE", help="LOTUS metadata: superclasses (NPClassifier) to say."),
    config: CONFIG = None,
    *,
    settings: InstructSettings,
    engine: EngineChoice,
) -> None:
    """Make prompts of documents: keywords and main findings, varied, each with the labels that then hold.

    The model is only asked with --keywords-by model.
    """
    from abroad.core.provenance import run_record
    from abroad.synthesis.prompts.guides import guide_of
    from abroad.synthesis.stages import instruct_stage

    guide, context = guide_of(settings.principles), Context(say=say)
    inputs = [documents] + ([classes] if classes else [])
    inputs += [settings.field] if settings.field and settings.field.exists() else []
    how = settings.identity() | {"guide": guide.model_dump() if guide else None}
    how |= engine.text_identity if settings.keywords_by == "model" else {}
    with run_record(out, "synth instruct", how, inputs) as record:
        report = instruct_stage(documents, out, settings, context, classes, engine)
        record["prompts"] = report.prompts
    report_rejects(context, out)
    left_out = f"{report.without_relations} without relations left out"
    say(f"{report.prompts} prompts for {report.documents} documents ({left_out}): {out}")


@app.command(
    epilog="Example: abroad synth generate prompts.jsonl --engine transformers --out abstracts.jsonl",
    cls=SettingsCommand,
)
@writes(out=JSONL)
@takes(settings=Options("abroad.synthesis.settings:GenerateSettings", section="synthesis"))
def generate(
    prompts: Path = typer.Argument(..., metavar="PROMPTS.jsonl", help="Written by `abroad synth instruct`."),
    out: Path = typer.Option(..., metavar="ABSTRACTS.jsonl", help="Abstracts to write."),
    base_url: str = typer.Option(None, metavar="URL", help="Server of --engine openai, http://HOST:PORT/v1."),
    config: CONFIG = None,
    *,
    settings: GenerateSettings,
) -> None:
    """Generate the abstracts, record by record; interrupted, the same command goes on."""
    from abroad.core.provenance import run_record
    from abroad.synthesis.stages import generate_stage

    context = Context(say=say)
    settings = with_base_url(settings, base_url)
    how = settings.text_identity | settings.engine_settings
    how |= {"batch_size": settings.batch_size, "workers": settings.workers}
    with run_record(out, "synth generate", how, [prompts]) as record:
        report = generate_stage(prompts, out, settings, context)
        record["result"] = vars(report)
    report_rejects(context, out)
    say(f"{report.written} abstracts ({report.resumed} from an earlier run): {out}")


@app.command(epilog="Example: abroad synth select abstracts.jsonl --out train.jsonl", cls=SettingsCommand)
@writes(out=JSONL)
@takes(settings=Options("abroad.synthesis.settings:SelectSettings", section="synthesis"))
def select(
    abstracts: Path = typer.Argument(..., metavar="ABSTRACTS.jsonl", help="Written by `abroad synth generate`."),
    out: Path = typer.Option(..., metavar="TRAIN.jsonl", help="Documents to write; the others go beside it."),
    seeds: Path = typer.Option(None, metavar="DOCS", help="The seed documents, to refuse copies of them."),
    config: CONFIG = None,
    *,
    settings: SelectSettings,
) -> None:
    """Keep faithful abstracts; each of the others is written to OUT.abroad/rejected.jsonl with its reasons.

    `abroad synth report OUT` shows where abstracts were lost.
    """
    from abroad.core.provenance import run_record
    from abroad.synthesis.stages import select_stage

    context = Context(say=say)
    inputs = [path for path in (abstracts, seeds) if path is not None]
    with run_record(out, "synth select", settings.identity(), inputs) as record:
        report = select_stage(abstracts, out, settings, context, seeds)
        record.update(candidates=report.candidates, faithful=report.faithful, reasons=report.reasons)
    report_rejects(context, out)
    share = report.faithful / max(report.candidates, 1)
    say(f"{report.faithful} of {report.candidates} abstracts are faithful ({share:.1%}), {report.kept} kept: {out}")
    for reason, count in report.reasons.items():
        say(f"  set aside: {reason}: {count}")


@app.command(epilog="Example: abroad synth report train.jsonl --out funnel.html")
@writes(out=PAGE)
def report(
    selected: Path = typer.Argument(..., metavar="TRAIN.jsonl", help="Written by `abroad synth select`."),
    out: Path = typer.Option(None, metavar="FILE.html", help="Also write a page with a plot and samples."),
) -> None:
    """Where abstracts were lost: how many at each step, why, and what they look like."""
    from abroad.core.helpers import found
    from abroad.core.io import atomic_write
    from abroad.documents.inputs import read_documents
    from abroad.synthesis.selection.funnel import funnel, render_funnel

    context = Context(say=say)
    beside = found(selected, "rejected.jsonl")
    kept = read_documents(selected, context) if selected.exists() and selected.stat().st_size else []
    rejected = read_documents(beside, context) if beside.exists() and beside.stat().st_size else []
    if not kept and not rejected:
        from abroad.core.errors import InputError

        raise InputError(f"{selected}: no such selection; expected a file that `abroad synth select` wrote")
    steps = funnel(kept, rejected)
    total = steps[0].left + steps[0].lost
    typer.echo(f"{'generated':52} {total:8,}")
    for step in steps[:-1]:
        typer.echo(f"{step.reason:52} {-step.lost:8,} {step.left:8,} left ({step.left / total:.1%})")
    typer.echo(f"{'kept':52} {steps[-1].left:8,} ({steps[-1].left / total:.1%})")
    if out is not None:
        with atomic_write(out) as stream:
            stream.write(render_funnel(steps))
        say(f"report: {out}")


@app.command(epilog="Example: abroad synth validate curated.json", cls=SettingsCommand)
@takes(settings=Options("abroad.synthesis.settings:SelectSettings", only=("threshold", "fidelity")))
def validate(
    curated: Path = typer.Argument(..., metavar="DOCS", help="Curated documents (JSON or JSONL)."),
    seed: int = typer.Option(0, help="Seed of the corruptions."),
    *,
    settings: SelectSettings,
) -> None:
    """Score the selector itself: it should take curated documents, and refuse them with wrong relations."""
    from abroad.documents.inputs import read_documents
    from abroad.synthesis.selection.validate import validate as judge

    context = Context(say=say)
    documents = read_documents(curated, context)
    for score in judge(documents, settings, seed):
        share = score.right / score.documents if score.documents else 0.0
        typer.echo(f"{score.kind:40} {score.right:4} of {score.documents:4} judged rightly ({share:.1%})")
    if context.rejects:
        say(context.rejects.summary())


@app.command(epilog="Example: abroad synth curate train.jsonl --k 1000 --out best.jsonl", cls=SettingsCommand)
@writes(out=JSONL)
@takes(settings=Options("abroad.synthesis.settings:CurateSettings"))
def curate(
    selected: Path = typer.Argument(..., metavar="TRAIN.jsonl", help="Accepted abstracts, of `abroad synth select`."),
    out: Path = typer.Option(..., metavar="BEST.jsonl", help="Documents to write, in the order picked."),
    *,
    settings: CurateSettings,
) -> None:
    """Choose the k best and most diverse abstracts: by score, then by entropy of heads (organisms) and tails."""
    from abroad.core.io import write_documents
    from abroad.core.provenance import run_record
    from abroad.documents.inputs import read_documents
    from abroad.synthesis.selection.curate import curate as choose

    context = Context(say=say)
    documents = read_documents(selected, context)
    with run_record(out, "synth curate", settings.identity(), [selected]) as record:
        chosen = choose(documents, settings)
        write_documents(out, chosen.documents)
        record.update(chosen=len(chosen.documents), candidates=chosen.candidates, least_score=chosen.least_score)
    report_rejects(context, out)
    heads, tails = ("organisms", "chemicals") if all(d.is_built_in for d in documents) else ("heads", "tails")
    say(
        f"{len(chosen.documents)} of {len(documents)} abstracts, with {chosen.heads} {heads} and "
        f"{chosen.tails} {tails}, from {chosen.candidates} of score {chosen.least_score:g} or more: {out}"
    )
