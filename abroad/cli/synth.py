"""`abroad synth`: synthetic abstracts for known relations, in three steps."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from abroad.cli import synth_state
from abroad.cli.common import group, parse_sets, report_rejects, say
from abroad.cli.options import ENGINE, Options, SettingsCommand, takes, with_base_url
from abroad.cli.outputs import JSONL, PAGE, folder, writes
from abroad.core.context import Context
from abroad.core.outputs import Kind

if TYPE_CHECKING:
    from abroad.engines.choice import EngineChoice
    from abroad.experiments.learners import Learner
    from abroad.synthesis.prompts.settings import InstructSettings
    from abroad.synthesis.settings import (
        CurateSettings,
        GenerateSettings,
        SelectSettings,
        SpecialiseSettings,
    )
    from abroad.training.settings import TrainSettings

_Config = Annotated[Path | None, typer.Option(help="YAML with a section 'synthesis' (a run config will do).")]

GUIDE = Kind("principles and topics", (".yaml", ".yml"))

app = group(
    "Synthetic abstracts for known relations: instruct, generate, select.",
    example="abroad synth generate prompts.jsonl --out abstracts.jsonl",
)


def register(parent: typer.Typer) -> None:
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
    config: _Config = None,
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
    config: _Config = None,
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
    config: _Config = None,
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
    """Choose the k best and most diverse abstracts: by score, then by entropy of organisms and chemicals."""
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
    say(
        f"{len(chosen.documents)} of {len(documents)} abstracts, with {chosen.organisms} organisms and "
        f"{chosen.chemicals} chemicals, from {chosen.candidates} of score {chosen.least_score:g} or more: {out}"
    )


@app.command(
    epilog="Example: abroad synth specialise seeds.json --corpus abstracts.jsonl --out instructions.jsonl",
    cls=SettingsCommand,
)
@writes(out=JSONL)
@takes(
    engine=replace(ENGINE, section="synthesis"),
    settings=Options("abroad.synthesis.settings:SpecialiseSettings", section="synthesis.specialise"),
)
def specialise(
    seeds: Path = typer.Argument(..., metavar="DOCS", help="A handful of curated documents."),
    corpus: Path = typer.Option(..., metavar="DOCS", help="Abstracts to answer from; relations are not needed."),
    out: Path = typer.Option(..., metavar="INSTRUCTIONS.jsonl", help="Instruction set to write."),
    previous: Path = typer.Option(
        None, metavar="INSTRUCTIONS.jsonl", help="Instructions of round one, for round two with the specialised model."
    ),
    config: _Config = None,
    *,
    engine: EngineChoice,
    settings: SpecialiseSettings,
) -> None:
    """Generate new instructions from a few seeds and answer them with retrieved abstracts (self-specialisation).

    The seeds' own tasks (extract, verify, list, look up) open the set. Answers that name what the
    abstracts do not are written to OUT.abroad/rejected.jsonl with the other rejected ones.
    """
    from abroad.core.provenance import run_record
    from abroad.synthesis.stages import specialise_stage

    context = Context(say=say)
    inputs = [path for path in (seeds, corpus, previous) if path is not None]
    with run_record(out, "synth specialise", engine.text_identity | settings.identity(), inputs) as record:
        report = specialise_stage(seeds, corpus, out, engine, settings, context, previous)
        result = report.result
        record["result"] = {"generated": len(result.tasks), "reasons": result.reasons()}
        record["grounded"] = {"with retrieval": result.grounded, "without": result.grounded_without}
    report_rejects(context, out)
    say(
        f"{report.from_seeds} tasks of the seeds and earlier rounds, "
        f"{len(result.tasks)} of {settings.count} new ones kept: {out}"
    )
    for reason, times in result.reasons().items():
        say(f"  set aside: {reason}: {times}")
    say(f"grounded answers: {result.grounded:.1%} with retrieval, {result.grounded_without:.1%} without")


@app.command(epilog="Example: abroad synth topics --model smollm2-135m --out own.yaml", cls=SettingsCommand)
@writes(out=GUIDE)
@takes(engine=ENGINE)
def topics(
    out: Path = typer.Option(..., metavar="GUIDE.yaml", help="Principles, exemplars and topics to write."),
    principles: str = typer.Option("default", help="The guide to begin with: 'default' or a YAML file."),
    count: int = typer.Option(20, min=1, help="New aims, and new techniques, of each kingdom."),
    seed: int = typer.Option(0, min=0, help="Seed of all draws."),
    *,
    engine: EngineChoice,
) -> None:
    """Let a model find further aims and techniques of studies: `abroad synth instruct --principles FILE --topics`."""
    import yaml

    from abroad.core.errors import InputError
    from abroad.core.helpers import helper
    from abroad.core.io import atomic_write
    from abroad.core.provenance import run_record
    from abroad.synthesis.generation.writer import Writer
    from abroad.synthesis.prompts.guides import guide_of
    from abroad.synthesis.tasks.topics import generate_topics, guide_lists, with_own_topics

    guide, context = guide_of(principles), Context(say=say)
    if guide is None or not guide.topics:
        raise InputError(f"--principles {principles}: no topics in it to begin with")
    spec, lists = engine.spec, guide_lists(guide)
    with run_record(out, "synth topics", engine.text_identity | {"count": count, "seed": seed}, []) as record:
        writer = Writer(spec.make(context), spec.identity, helper(out, "work"), context)
        found = generate_topics(lists, count, writer, seed)
        record["topics"] = {what: len(new) for what, new in found.items()}
        with atomic_write(out) as stream:
            whole = with_own_topics(guide, found).model_dump(mode="json")
            stream.write(yaml.safe_dump(whole, sort_keys=False, allow_unicode=True, width=120))
    report_rejects(context, out)
    say(f"{sum(record['topics'].values())} new topics in {len(lists)} lists: {out}")


@app.command(epilog="Example: abroad synth tasks curated.json --out instructions.jsonl --count 1000")
@writes(out=JSONL)
def tasks(
    documents: list[Path] = typer.Argument(
        ..., metavar="DOCS...", help="Curated documents, a file for each source; some may be without relations."
    ),
    out: Path = typer.Option(..., metavar="INSTRUCTIONS.jsonl", help="Instruction set to write."),
    count: int = typer.Option(
        None,
        min=1,
        help="So many tasks, as equal in source and kind as can be; by default one of each kind a document.",
    ),
    long: int = typer.Option(
        0, min=0, metavar="CHARACTERS", help="Also tasks over several documents, so long together."
    ),
    seed: int = typer.Option(0, help="Seed of all draws."),
) -> None:
    """Turn curated documents into instructions: extract, verify, list organisms or compounds, look up, nothing.

    Also extraction from several documents in one long text (--long). `abroad evaluate --by task` scores a model on it.
    """
    from collections import Counter

    from abroad.core.io import write_jsonl
    from abroad.core.provenance import run_record
    from abroad.documents.inputs import read_documents
    from abroad.synthesis.tasks.kinds import instruction_set

    context = Context(say=say)
    with run_record(out, "synth tasks", {"count": count, "long": long, "seed": seed}, documents) as record:
        names = [path.stem for path in documents]
        names = names if len(set(names)) == len(names) else [str(path) for path in documents]
        sources = {name: read_documents(path, context) for name, path in zip(names, documents, strict=True)}
        chosen = instruction_set(sources, count, seed, long)
        write_jsonl(out, [task.to_dict() for task in chosen])
        record["kinds"] = dict(Counter(task.kind for task in chosen))
    report_rejects(context, out)
    if count is not None and len(chosen) < count:
        say(f"only {len(chosen)} different tasks of the {count} asked for: more documents give more")
    say(f"{len(chosen)} tasks ({', '.join(f'{n} {kind}' for kind, n in record['kinds'].items())}): {out}")


@app.command(
    epilog="Example: abroad synth compare plain=plain.jsonl curated=best.jsonl --dev dev.json --out compared",
    cls=SettingsCommand,
)
@writes(out=folder("a comparison", "compare.html.run.json", "*.predictions.jsonl.resume.json"))
@takes(
    learner=Options("abroad.experiments.learners:Learner", without=("train",), names={"kind": "--learner"}),
    settings=Options("abroad.training.settings:TrialSettings", without=("seed",)),
)
def compare(
    sets: list[str] = typer.Argument(..., metavar="NAME=DOCS...", help="Training sets; the first is the reference."),
    dev: Path = typer.Option(..., metavar="DOCS", help="Curated documents to score on; in none of the sets."),
    out: Path = typer.Option(..., metavar="DIR", help="Folder for compare.html, compare.json and the predictions."),
    *,
    learner: Learner,
    settings: TrainSettings,
) -> None:
    """Train the same small model on each set alone and tabulate its F1, with intervals."""
    from dataclasses import asdict

    from abroad.core.io import atomic_write, write_json
    from abroad.core.provenance import run_record
    from abroad.documents.inputs import read_documents
    from abroad.documents.instructions import read_training_set
    from abroad.experiments.compare import TABLE_HEAD, compare_sets, render_sets, table_line

    files, context = parse_sets(sets), Context(say=say)
    documents = {name: read_training_set(path, context) for name, path in files.items()}
    curated = read_documents(dev, context)
    trained = learner.replace(train=settings.replace(seed=learner.seed))
    with run_record(out, "synth compare", trained.identity(), [*files.values(), dev]) as record:
        typer.echo(TABLE_HEAD)
        scores = compare_sets(documents, curated, trained, out, context, lambda entry: typer.echo(table_line(entry)))
        write_json(out / "compare.json", [asdict(entry) for entry in scores])
        with atomic_write(out / "compare.html") as stream:
            stream.write(render_sets(scores, trained, len(curated)))
        record["f1"] = {entry.name: round(entry.scores.f1, 2) for entry in scores}
    report_rejects(context, out)
    say(f"table and plot: {out / 'compare.html'}")
