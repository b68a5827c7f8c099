"""`abroad synth`: instruction sets made of curated documents, or by the model itself, and sets compared."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from abroad.cli.common import parse_sets, report_rejects, say
from abroad.cli.options import ENGINE, Options, SettingsCommand, takes
from abroad.cli.outputs import JSONL, folder, writes
from abroad.core.context import Context
from abroad.core.outputs import Kind

if TYPE_CHECKING:
    from abroad.engines.choice import EngineChoice
    from abroad.experiments.learners import Learner
    from abroad.synthesis.settings import SpecialiseSettings
    from abroad.training.settings import TrainSettings

CONFIG = Annotated[Path | None, typer.Option(help="YAML with a section 'synthesis' (a run config will do).")]
_FIELD = typer.Option(None, metavar="FIELD.yaml", help="The field that the documents are of; else natural products.")

GUIDE = Kind("principles and topics", (".yaml", ".yml"))


def register(app: typer.Typer) -> None:
    app.command(
        epilog="Example: abroad synth specialise seeds.json --corpus abstracts.jsonl --out instructions.jsonl",
        cls=SettingsCommand,
    )(specialise)
    app.command(epilog="Example: abroad synth topics --model smollm2-135m --out own.yaml", cls=SettingsCommand)(topics)
    app.command(epilog="Example: abroad synth tasks curated.json --out instructions.jsonl --count 1000")(tasks)
    app.command(
        epilog="Example: abroad synth compare plain=plain.jsonl curated=best.jsonl --dev dev.json --out compared",
        cls=SettingsCommand,
    )(compare)


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
    config: CONFIG = None,
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
    of = settings.field if settings.field is not None and settings.field.exists() else None
    inputs = [path for path in (seeds, corpus, previous, of) if path is not None]
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


@writes(out=GUIDE)
@takes(engine=ENGINE)
def topics(
    out: Path = typer.Option(..., metavar="GUIDE.yaml", help="Principles, exemplars and topics to write."),
    principles: str = typer.Option("default", help="The guide to begin with: 'default' or a YAML file."),
    count: int = typer.Option(20, min=1, help="New aims, and new techniques, of each kingdom."),
    seed: int = typer.Option(0, min=0, help="Seed of all draws."),
    field: Path = _FIELD,
    *,
    engine: EngineChoice,
) -> None:
    """Let a model find further aims and techniques of studies: `abroad synth instruct --principles FILE --topics`.

    With --field they are of studies of that field; the guide that they begin with is then a file of your own.
    """
    import yaml

    from abroad.core.errors import InputError
    from abroad.core.field import find_field
    from abroad.core.helpers import helper
    from abroad.core.io import atomic_write
    from abroad.core.provenance import run_record
    from abroad.synthesis.generation.writer import Writer
    from abroad.synthesis.prompts.guides import guide_of
    from abroad.synthesis.tasks.topics import generate_topics, guide_lists, with_own_topics

    known, guide, context = find_field(field), guide_of(principles), Context(say=say)
    if principles == "default" and not known.is_built_in:
        raise InputError(f"--principles default: of natural products alone; expected a file of the field {known.name}")
    if guide is None or not guide.topics:
        raise InputError(f"--principles {principles}: no topics in it to begin with")
    spec, lists = engine.spec, guide_lists(guide, known)
    with run_record(out, "synth topics", engine.text_identity | {"count": count, "seed": seed}, []) as record:
        writer = Writer(spec.make(context), spec.identity, helper(out, "work"), context)
        found = generate_topics(lists, count, writer, seed)
        record["topics"] = {what: len(new) for what, new in found.items()}
        with atomic_write(out) as stream:
            whole = with_own_topics(guide, found, known).model_dump(mode="json")
            stream.write(yaml.safe_dump(whole, sort_keys=False, allow_unicode=True, width=120))
    report_rejects(context, out)
    say(f"{sum(record['topics'].values())} new topics in {len(lists)} lists: {out}")


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
    field: Path = _FIELD,
) -> None:
    """Turn curated documents into instructions: extract, verify, list one side of the relations, look up, nothing.

    Also extraction from several documents in one long text (--long). `abroad evaluate --by task` scores a model on it.
    """
    from collections import Counter

    from abroad.core.field import find_field
    from abroad.core.io import write_jsonl
    from abroad.core.provenance import run_record
    from abroad.documents.inputs import read_documents
    from abroad.synthesis.tasks.kinds import instruction_set

    context = Context(say=say)
    known = find_field(field)
    how = {"count": count, "long": long, "seed": seed} | ({"field": str(field)} if field is not None else {})
    read = [*documents, *([field] if field is not None and field.exists() else [])]
    with run_record(out, "synth tasks", how, read) as record:
        names = [path.stem for path in documents]
        names = names if len(set(names)) == len(names) else [str(path) for path in documents]
        sources = {name: read_documents(path, context) for name, path in zip(names, documents, strict=True)}
        for path, items in zip(documents, sources.values(), strict=True):
            known.check_documents(items, path)
        chosen = instruction_set(sources, count, seed, long, known)
        write_jsonl(out, [task.to_dict() for task in chosen])
        record["kinds"] = dict(Counter(task.kind for task in chosen))
    report_rejects(context, out)
    if count is not None and len(chosen) < count:
        say(f"only {len(chosen)} different tasks of the {count} asked for: more documents give more")
    say(f"{len(chosen)} tasks ({', '.join(f'{n} {kind}' for kind, n in record['kinds'].items())}): {out}")


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

    from abroad.core.field import find_field
    from abroad.core.io import atomic_write, write_json
    from abroad.core.provenance import run_record
    from abroad.documents.inputs import read_documents_of
    from abroad.documents.instructions import read_training_set
    from abroad.experiments.compare import TABLE_HEAD, compare_sets, render_sets, table_line

    files, context = parse_sets(sets), Context(say=say)
    field = find_field(settings.field)
    documents = {name: read_training_set(path, context, field) for name, path in files.items()}
    curated = read_documents_of(field, dev, context)
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
