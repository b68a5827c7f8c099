"""`abroad synth`: synthetic abstracts for known relations, in three steps."""

from __future__ import annotations

from pathlib import Path

import typer

from abroad.cli.common import group, report_rejects, say

app = group("Synthetic abstracts for known relations: instruct, generate, select.")


def register(parent: typer.Typer) -> None:
    parent.add_typer(app, name="synth")


@app.command(epilog="Example: abroad synth instruct documents.jsonl --out prompts.jsonl")
def instruct(
    documents: Path = typer.Argument(..., metavar="DOCS", help="Documents with relations (JSON or JSONL)."),
    out: Path = typer.Option(..., metavar="PROMPTS.jsonl", help="Prompts to write."),
    style: str = typer.Option("completion", help="completion (small models), standard or vicuna."),
    prompts: int = typer.Option(10, min=1, help="Prompts a document."),
    keywords: int = typer.Option(7, min=1, help="Keywords a prompt."),
    temperature: tuple[float, float] = typer.Option((0.0, 1.0), metavar="LOW HIGH", help="Drawn uniformly between."),
    max_tokens: int = typer.Option(512, min=1, help="Most tokens of an abstract."),
    seed: int = typer.Option(0, help="Of all draws."),
) -> None:
    """Make prompts of documents: keywords and main findings, varied, each with the labels that then hold."""
    from abroad.io import Rejects, read_documents, write_jsonl
    from abroad.provenance import run_record
    from abroad.synthesis.instruct import InstructSettings
    from abroad.synthesis.instruct import instruct as make_prompts

    settings = InstructSettings(style, prompts, keywords, temperature, max_tokens=max_tokens, seed=seed)
    rejects = Rejects()
    seeds = read_documents(documents, rejects)
    with run_record(out, "synth instruct", vars(settings), [documents]) as record:
        records = list(make_prompts(seeds, settings))
        write_jsonl(out, records)
        record["prompts"] = len(records)
    report_rejects(rejects, out)
    without = sum(not document.relations for document in seeds)
    say(f"{len(records)} prompts for {len(seeds) - without} documents ({without} without relations left out): {out}")


@app.command(epilog="Example: abroad synth generate prompts.jsonl --engine transformers --out abstracts.jsonl")
def generate(
    prompts: Path = typer.Argument(..., metavar="PROMPTS.jsonl", help="Written by `abroad synth instruct`."),
    out: Path = typer.Option(..., metavar="ABSTRACTS.jsonl", help="Abstracts to write."),
    engine: str = typer.Option("transformers", help="What runs the model."),
    model: str = typer.Option("smollm2-135m", help="Model: local path, hub name, or smollm2-135m (in a PyPI package)."),
    batch_size: int = typer.Option(16, min=1, help="Texts at once."),
) -> None:
    """Generate the abstracts, record by record; interrupted, the same command goes on."""
    from abroad.engines.base import make_engine
    from abroad.io import Rejects
    from abroad.provenance import run_record
    from abroad.synthesis.generate import generate_abstracts

    rejects = Rejects()
    identity = {"engine": engine, "model": model}
    with run_record(out, "synth generate", identity | {"batch_size": batch_size}, [prompts]) as record:
        running = make_engine(engine, model, batch_size=batch_size)
        report = generate_abstracts(prompts, out, running, rejects, identity)
        record["result"] = vars(report)
    report_rejects(rejects, out)
    say(f"{report.written} abstracts ({report.resumed} from an earlier run): {out}")


@app.command(epilog="Example: abroad synth select abstracts.jsonl --out train.jsonl")
def select(
    abstracts: Path = typer.Argument(..., metavar="ABSTRACTS.jsonl", help="Written by `abroad synth generate`."),
    out: Path = typer.Option(..., metavar="TRAIN.jsonl", help="Documents to write; the others go beside it."),
    threshold: float = typer.Option(0.9, min=0, max=1, help="Least share of relations with both labels in the text."),
    best: int = typer.Option(3, min=1, help="Abstracts kept for each seed document."),
) -> None:
    """Keep faithful abstracts; each of the others is written to OUT.rejected.jsonl with its reasons."""
    from abroad.io import Rejects, read_documents, write_documents, write_jsonl
    from abroad.provenance import run_record
    from abroad.synthesis.select import select as choose

    rejects = Rejects()
    candidates = read_documents(abstracts, rejects)
    with run_record(out, "synth select", {"threshold": threshold, "best": best}, [abstracts]) as record:
        selection = choose(candidates, threshold, best)
        write_documents(out, selection.kept)
        write_jsonl(out.with_name(out.name + ".rejected.jsonl"), selection.rejected)
        record.update(candidates=len(candidates), faithful=selection.faithful, reasons=selection.reasons())
    report_rejects(rejects, out)
    share = selection.faithful / max(len(candidates), 1)
    count = len(selection.kept)
    say(f"{selection.faithful} of {len(candidates)} abstracts are faithful ({share:.1%}), {count} kept: {out}")
    for reason, count in selection.reasons().items():
        say(f"  set aside: {reason}: {count}")
