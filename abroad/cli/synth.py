"""`abroad synth`: synthetic abstracts for known relations, in three steps."""

from __future__ import annotations

from pathlib import Path

import typer

from abroad.cli.common import ENGINE_SETTINGS_HELP, group, report_rejects, say
from abroad.cli.outputs import JSONL, PAGE, folder, writes

app = group("Synthetic abstracts for known relations: instruct, generate, select.")


def register(parent: typer.Typer) -> None:
    parent.add_typer(app, name="synth")


@app.command(epilog="Example: abroad synth instruct documents.jsonl --out prompts.jsonl")
@writes(out=JSONL)
def instruct(
    documents: Path = typer.Argument(..., metavar="DOCS", help="Documents with relations (JSON or JSONL)."),
    out: Path = typer.Option(..., metavar="PROMPTS.jsonl", help="Prompts to write."),
    style: str = typer.Option("completion", help="completion (small models), standard or vicuna."),
    prompts: int = typer.Option(10, min=1, help="Prompts a document."),
    keywords: int = typer.Option(7, min=1, help="Keywords a prompt."),
    temperature: tuple[float, float] = typer.Option((0.0, 1.0), metavar="LOW HIGH", help="Drawn uniformly between."),
    max_tokens: int = typer.Option(512, min=1, help="Most tokens of an abstract."),
    principles: str = typer.Option(None, metavar="default|FILE", help="Principles and exemplars before each task."),
    topics: bool = typer.Option(False, "--topics", help="Vary aim and technique of the studies, by kingdom."),
    classes: Path = typer.Option(None, metavar="TABLE", help="LOTUS metadata: superclasses (NPClassifier) to say."),
    seed: int = typer.Option(0, help="Of all draws."),
) -> None:
    """Make prompts of documents: keywords and main findings, varied, each with the labels that then hold."""
    from abroad.core.io import Rejects, write_jsonl
    from abroad.core.provenance import run_record
    from abroad.documents.inputs import read_documents
    from abroad.synthesis.prompts.classes import with_superclasses
    from abroad.synthesis.prompts.guides import load_guide
    from abroad.synthesis.prompts.instruct import InstructSettings
    from abroad.synthesis.prompts.instruct import instruct as make_prompts

    guide = None if principles is None else load_guide(None if principles == "default" else Path(principles))
    settings = InstructSettings(
        style, prompts, keywords, temperature, max_tokens=max_tokens, guide=guide, topics=topics, seed=seed
    )
    rejects = Rejects()
    seeds = read_documents(documents, rejects)
    if classes is not None:
        seeds = with_superclasses(seeds, classes, rejects)
    inputs = [documents] + ([classes] if classes else [])
    how = vars(settings) | {"guide": guide.model_dump() if guide else None}
    with run_record(out, "synth instruct", how, inputs) as record:
        records = list(make_prompts(seeds, settings, rejects))
        write_jsonl(out, records)
        record["prompts"] = len(records)
    report_rejects(rejects, out)
    used = len({record["source"] for record in records})
    without = sum(not document.relations for document in seeds)
    say(f"{len(records)} prompts for {used} documents ({without} without relations left out): {out}")


@app.command(epilog="Example: abroad synth generate prompts.jsonl --engine transformers --out abstracts.jsonl")
@writes(out=JSONL)
def generate(
    prompts: Path = typer.Argument(..., metavar="PROMPTS.jsonl", help="Written by `abroad synth instruct`."),
    out: Path = typer.Option(..., metavar="ABSTRACTS.jsonl", help="Abstracts to write."),
    engine: str = typer.Option("transformers", help="transformers, vllm, or openai (any server of that API)."),
    model: str = typer.Option("smollm2-135m", help="Model: local path, hub name, or smollm2-135m (in a PyPI package)."),
    batch_size: int = typer.Option(16, min=1, help="Texts at once; with a server, requests at once."),
    base_url: str = typer.Option(None, metavar="URL", help="With --engine openai: the server, http://HOST:PORT/v1."),
    workers: int = typer.Option(1, min=1, help="Processes, each with an engine; of a cluster with RAY_ADDRESS (Ray)."),
    assignments: list[str] = typer.Option([], "--set", metavar="KEY=VALUE", help=ENGINE_SETTINGS_HELP),
) -> None:
    """Generate the abstracts, record by record; interrupted, the same command goes on."""
    from abroad.core.io import Rejects
    from abroad.core.provenance import run_record
    from abroad.engines.spec import EngineSpec, parse_assignments, read_settings
    from abroad.synthesis.generation.workers import generate as write_abstracts

    rejects = Rejects()
    values = parse_assignments(assignments) | ({"base_url": base_url} if base_url is not None else {})
    spec = EngineSpec(engine, model, batch_size, read_settings(engine, values))
    how = spec.identity | values | {"batch_size": batch_size, "workers": workers}
    with run_record(out, "synth generate", how, [prompts]) as record:
        report = write_abstracts(prompts, out, spec, rejects, workers, say)
        record["result"] = vars(report)
    report_rejects(rejects, out)
    say(f"{report.written} abstracts ({report.resumed} from an earlier run): {out}")


@app.command(epilog="Example: abroad synth select abstracts.jsonl --out train.jsonl")
@writes(out=JSONL)
def select(
    abstracts: Path = typer.Argument(..., metavar="ABSTRACTS.jsonl", help="Written by `abroad synth generate`."),
    out: Path = typer.Option(..., metavar="TRAIN.jsonl", help="Documents to write; the others go beside it."),
    threshold: float = typer.Option(0.9, min=0, max=1, help="Least share of relations with both labels in the text."),
    fidelity: float = typer.Option(0.7, min=0, max=1, help="Least share of names in the text that a label covers."),
    similarity: float = typer.Option(0.7, min=0, max=1, help="MinHash similarity of a near-duplicate."),
    best: int = typer.Option(3, min=1, help="Abstracts kept for each seed document."),
    seeds: Path = typer.Option(None, metavar="DOCS", help="The seed documents, to refuse copies of them."),
) -> None:
    """Keep faithful abstracts; each of the others is written to OUT.abroad/rejected.jsonl with its reasons.

    `abroad synth report OUT` shows where abstracts were lost.
    """
    from abroad.core.helpers import helper
    from abroad.core.io import Rejects, write_documents, write_jsonl
    from abroad.core.provenance import run_record
    from abroad.documents.inputs import read_documents
    from abroad.synthesis.selection.select import SelectSettings
    from abroad.synthesis.selection.select import select as choose

    rejects = Rejects()
    settings = SelectSettings(threshold, fidelity, similarity, best)
    candidates = read_documents(abstracts, rejects)
    originals = read_documents(seeds, rejects) if seeds is not None else []
    inputs = [path for path in (abstracts, seeds) if path is not None]
    with run_record(out, "synth select", vars(settings), inputs) as record:
        selection = choose(candidates, settings, originals)
        write_documents(out, selection.kept)
        write_jsonl(helper(out, "rejected.jsonl"), selection.rejected)
        record.update(candidates=len(candidates), faithful=selection.faithful, reasons=selection.reasons())
    report_rejects(rejects, out)
    share = selection.faithful / max(len(candidates), 1)
    count = len(selection.kept)
    say(f"{selection.faithful} of {len(candidates)} abstracts are faithful ({share:.1%}), {count} kept: {out}")
    for reason, count in selection.reasons().items():
        say(f"  set aside: {reason}: {count}")


@app.command(epilog="Example: abroad synth report train.jsonl --out funnel.html")
@writes(out=PAGE)
def report(
    selected: Path = typer.Argument(..., metavar="TRAIN.jsonl", help="Written by `abroad synth select`."),
    out: Path = typer.Option(None, metavar="FILE.html", help="Also write a page with a plot and samples."),
) -> None:
    """Where abstracts were lost: how many at each step, why, and what they look like."""
    from abroad.core.helpers import found
    from abroad.core.io import Rejects, atomic_write
    from abroad.documents.inputs import read_documents
    from abroad.synthesis.selection.funnel import funnel, render_funnel

    rejects = Rejects()
    beside = found(selected, "rejected.jsonl")
    kept = read_documents(selected, rejects) if selected.exists() and selected.stat().st_size else []
    rejected = read_documents(beside, rejects) if beside.exists() and beside.stat().st_size else []
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


@app.command(epilog="Example: abroad synth validate curated.json")
def validate(
    curated: Path = typer.Argument(..., metavar="DOCS", help="Curated documents (JSON or JSONL)."),
    threshold: float = typer.Option(0.9, min=0, max=1, help="As of `abroad synth select`."),
    fidelity: float = typer.Option(0.7, min=0, max=1, help="As of `abroad synth select`."),
    seed: int = typer.Option(0, help="Of the corruptions."),
) -> None:
    """Score the selector itself: it should take curated documents, and refuse them with wrong relations."""
    from abroad.core.io import Rejects
    from abroad.documents.inputs import read_documents
    from abroad.synthesis.selection.select import SelectSettings
    from abroad.synthesis.selection.validate import validate as judge

    rejects = Rejects()
    documents = read_documents(curated, rejects)
    for score in judge(documents, SelectSettings(threshold, fidelity), seed):
        share = score.right / score.documents if score.documents else 0.0
        typer.echo(f"{score.kind:40} {score.right:4} of {score.documents:4} judged rightly ({share:.1%})")
    if rejects:
        say(rejects.summary())


@app.command(epilog="Example: abroad synth curate train.jsonl --k 1000 --out best.jsonl")
@writes(out=JSONL)
def curate(
    selected: Path = typer.Argument(..., metavar="TRAIN.jsonl", help="Accepted abstracts, of `abroad synth select`."),
    out: Path = typer.Option(..., metavar="BEST.jsonl", help="Documents to write, in the order picked."),
    k: int = typer.Option(1000, min=1, help="How many to choose."),
    quality: float = typer.Option(0.5, min=0, max=1, help="Share, best scores first, that diversity chooses from."),
) -> None:
    """Choose the k best and most diverse abstracts: by score, then by entropy of organisms and chemicals."""
    from abroad.core.io import Rejects, write_documents
    from abroad.core.provenance import run_record
    from abroad.documents.inputs import read_documents
    from abroad.synthesis.selection.curate import curate as choose

    rejects = Rejects()
    documents = read_documents(selected, rejects)
    with run_record(out, "synth curate", {"k": k, "quality": quality}, [selected]) as record:
        chosen = choose(documents, k, quality)
        write_documents(out, chosen.documents)
        record.update(chosen=len(chosen.documents), candidates=chosen.candidates, least_score=chosen.least_score)
    report_rejects(rejects, out)
    say(
        f"{len(chosen.documents)} of {len(documents)} abstracts, with {chosen.organisms} organisms and "
        f"{chosen.chemicals} chemicals, from {chosen.candidates} of score {chosen.least_score:g} or more: {out}"
    )


@app.command(epilog="Example: abroad synth specialise seeds.json --corpus abstracts.jsonl --out instructions.jsonl")
@writes(out=JSONL)
def specialise(
    seeds: Path = typer.Argument(..., metavar="DOCS", help="A handful of curated documents."),
    corpus: Path = typer.Option(..., metavar="DOCS", help="Abstracts to answer from; relations are not needed."),
    out: Path = typer.Option(..., metavar="INSTRUCTIONS.jsonl", help="Instruction set to write."),
    engine: str = typer.Option("transformers", help="As of `abroad synth generate`."),
    model: str = typer.Option("smollm2-135m", help="As of `abroad synth generate`; in round two the specialised one."),
    batch_size: int = typer.Option(16, min=1, help="Texts at once."),
    assignments: list[str] = typer.Option([], "--set", metavar="KEY=VALUE", help=ENGINE_SETTINGS_HELP),
    count: int = typer.Option(200, min=1, help="Instructions to generate, before filtering."),
    retrieve: int = typer.Option(3, min=1, help="Abstracts in the context of an answer (BM25)."),
    previous: Path = typer.Option(None, metavar="INSTRUCTIONS.jsonl", help="Of round one, for round two."),
    seed: int = typer.Option(0, help="Of all draws."),
) -> None:
    """Generate new instructions from a few seeds and answer them with retrieved abstracts (self-specialisation).

    The seeds' own tasks (extract, verify, list, look up) open the set. Answers that name what the
    abstracts do not are written to OUT.abroad/rejected.jsonl with the other rejected ones.
    """
    from abroad.core.helpers import helper
    from abroad.core.io import Rejects, read_records, write_jsonl
    from abroad.core.provenance import run_record
    from abroad.documents.inputs import read_documents
    from abroad.engines.spec import EngineSpec, parse_assignments, read_settings
    from abroad.synthesis.tasks.kinds import make_tasks
    from abroad.synthesis.tasks.specialise import SpecialiseSettings, next_round, work_folder
    from abroad.synthesis.tasks.specialise import specialise as one_round

    rejects = Rejects()
    settings = SpecialiseSettings(count=count, retrieve=retrieve, seed=seed)
    values = parse_assignments(assignments)
    spec = EngineSpec(engine, model, batch_size, read_settings(engine, values))
    earlier = [record for _, _, record in read_records(previous)] if previous is not None else []
    next_round(earlier)  # refuses a third before a model is loaded
    curated, abstracts = read_documents(seeds, rejects), read_documents(corpus, rejects)
    inputs = [path for path in (seeds, corpus, previous) if path is not None]
    with run_record(out, "synth specialise", spec.identity | vars(settings), inputs) as record:
        work = work_folder(out)
        result = one_round(curated, abstracts, spec.make(say), spec.identity, settings, work, rejects, earlier)
        own = earlier or [task.to_dict() for task in make_tasks(curated, seed)]
        write_jsonl(out, [*own, *result.tasks])
        write_jsonl(helper(out, "rejected.jsonl"), result.rejected)
        record["result"] = {"generated": len(result.tasks), "reasons": result.reasons()}
        record["grounded"] = {"with retrieval": result.grounded, "without": result.grounded_without}
    report_rejects(rejects, out)
    say(f"{len(own)} tasks of the seeds and earlier rounds, {len(result.tasks)} of {count} new ones kept: {out}")
    for reason, times in result.reasons().items():
        say(f"  set aside: {reason}: {times}")
    say(f"grounded answers: {result.grounded:.1%} with retrieval, {result.grounded_without:.1%} without")


@app.command(epilog="Example: abroad synth tasks curated.json --out instructions.jsonl --count 1000")
@writes(out=JSONL)
def tasks(
    documents: Path = typer.Argument(..., metavar="DOCS", help="Curated documents; some may be without relations."),
    out: Path = typer.Option(..., metavar="INSTRUCTIONS.jsonl", help="Instruction set to write."),
    count: int = typer.Option(None, min=1, help="Most tasks, as equal in kind as can be; all by default."),
    seed: int = typer.Option(0, help="Of all draws."),
) -> None:
    """Turn curated documents into instructions: extract, verify, list organisms or compounds, look up, nothing."""
    from collections import Counter

    from abroad.core.io import Rejects, write_jsonl
    from abroad.core.provenance import run_record
    from abroad.documents.inputs import read_documents
    from abroad.synthesis.tasks.kinds import balanced, make_tasks

    rejects = Rejects()
    with run_record(out, "synth tasks", {"count": count, "seed": seed}, [documents]) as record:
        made = make_tasks(read_documents(documents, rejects), seed)
        chosen = balanced(made, count, seed) if count else made
        write_jsonl(out, [task.to_dict() for task in chosen])
        record["kinds"] = dict(Counter(task.kind for task in chosen))
    report_rejects(rejects, out)
    say(f"{len(chosen)} tasks ({', '.join(f'{n} {kind}' for kind, n in record['kinds'].items())}): {out}")


@app.command(epilog="Example: abroad synth compare plain=plain.jsonl curated=best.jsonl --dev dev.json --out compared")
@writes(out=folder("a comparison", "compare.html.run.json", "*.predictions.jsonl.resume.json"))
def compare(
    sets: list[str] = typer.Argument(..., metavar="NAME=DOCS...", help="Training sets; the first is the reference."),
    dev: Path = typer.Option(..., metavar="DOCS", help="Curated documents to score on; in none of the sets."),
    out: Path = typer.Option(..., metavar="DIR", help="Folder for compare.html, compare.json and the predictions."),
    learner: str = typer.Option("extractor", help="extractor (seconds), or lm: a LoRA adapter of --model."),
    model: str = typer.Option("smollm2-135m", help="With lm: base model, name or local path."),
    epochs: int = typer.Option(5, min=1, help="With lm."),
    batch_size: int = typer.Option(4, min=1, help="With lm: examples an update."),
    learning_rate: float = typer.Option(5e-4, help="With lm."),
    max_length: int = typer.Option(1024, min=64, help="With lm: most tokens of a document with its relations."),
    seed: int = typer.Option(0, help="Of training and resampling."),
) -> None:
    """Train the same small model on each set alone and tabulate its F1, with intervals."""
    from dataclasses import asdict

    from abroad.core.io import Rejects, atomic_write, write_json
    from abroad.core.provenance import run_record
    from abroad.documents.inputs import read_documents
    from abroad.documents.instructions import read_training_set
    from abroad.experiments.compare import TABLE_HEAD, Learner, compare_sets, render_sets, table_line
    from abroad.training.settings import TrainSettings

    files = parse_sets(sets)
    rejects = Rejects()
    documents = {name: read_training_set(path, rejects) for name, path in files.items()}
    curated = read_documents(dev, rejects)
    settings = TrainSettings(
        model=model,
        epochs=epochs,
        batch_size=batch_size,
        accumulation=1,
        learning_rate=learning_rate,
        max_length=max_length,
        seed=seed,
    )
    trained = Learner(learner, settings, seed)

    with run_record(out, "synth compare", asdict(trained), [*files.values(), dev]) as record:
        typer.echo(TABLE_HEAD)
        scores = compare_sets(documents, curated, trained, out, rejects, lambda entry: typer.echo(table_line(entry)))
        write_json(out / "compare.json", [asdict(entry) for entry in scores])
        with atomic_write(out / "compare.html") as stream:
            stream.write(render_sets(scores, trained, len(curated)))
        record["f1"] = {entry.name: round(entry.scores.f1, 2) for entry in scores}
    report_rejects(rejects, out)
    say(f"table and plot: {out / 'compare.html'}")


def parse_sets(assignments: list[str]) -> dict[str, Path]:
    """NAME=FILE pairs, in the order given.

    Raises:
        InputError: no "=" in one, or a name that stands twice.
    """
    from abroad.core.errors import InputError

    files: dict[str, Path] = {}
    for text in assignments:
        name, equals, path = text.partition("=")
        if not (name and equals and path):
            raise InputError(f"{text!r}: expected NAME=FILE, such as plain=train.jsonl")
        if name in files:
            raise InputError(f"{text!r}: the name {name!r} stands twice")
        files[name] = Path(path)
    return files
