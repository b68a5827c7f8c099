"""`abroad extractor`: train the built-in extractor on documents of your own, and see what it is worth."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from abroad.cli.common import group, report_rejects, say
from abroad.cli.options import Options, SettingsCommand, takes
from abroad.cli.outputs import JSONL, folder, writes
from abroad.core.context import Context

if TYPE_CHECKING:
    from abroad.extraction.builtin.settings import ExtractorTrainSettings

app = group(
    "The built-in extractor: train it on your own documents, see what it scores.",
    example="abroad extractor train curated.jsonl --out mine",
)


def register(parent: typer.Typer) -> None:
    parent.add_typer(app, name="extractor")


@app.command(
    cls=SettingsCommand,
    epilog="Example: abroad extractor train curated.json --synthetic data/synthetic/abstracts.jsonl --out my-extractor",
)
@writes(out=folder("an extractor", "scorer.json"), held_out=JSONL)
@takes(
    settings=Options(
        "abroad.extraction.builtin.settings:ExtractorTrainSettings", only=("folds", "seed"), names={"folds": "--cv"}
    )
)
def train(
    curated: Path = typer.Argument(..., metavar="DOCS", help="Curated documents (JSON or JSONL), relations complete."),
    out: Path = typer.Option(..., metavar="DIR", help="The extractor to write."),
    synthetic: list[Path] = typer.Option([], metavar="DOCS", help="Further documents, of half weight; repeatable."),
    silver: list[Path] = typer.Option(
        [], metavar="DOCS", help="Documents that `abroad teach` labelled, weighted by its agreement; repeatable."
    ),
    held_out: Path = typer.Option(None, metavar="PRED.jsonl", help="Write the held-out predictions."),
    from_scratch: bool = typer.Option(
        False, "--from-scratch", help="Learn from these documents alone, without the built-in tagger."
    ),
    *,
    settings: ExtractorTrainSettings,
) -> None:
    """Train on all documents; calibrate and measure by cross-validation. Under a minute for 150 abstracts.

    `abroad extract DOCS --model DIR` uses it.
    """
    from abroad.core.io import write_jsonl
    from abroad.core.provenance import run_record
    from abroad.documents.inputs import read_documents
    from abroad.extraction.builtin.fit import Example, train_extractor
    from abroad.extraction.builtin.mentions import NoTagger
    from abroad.extraction.builtin.pairs import default_tagger
    from abroad.extraction.builtin.reading import readable
    from abroad.extraction.builtin.silver import silver_examples

    context = Context(say=say)
    inputs = [path for path in (curated, *synthetic, *silver) if path.is_file()]
    told = {"cv": settings.folds, "from_scratch": from_scratch, "seed": settings.seed}
    with run_record(out, "extractor train", told, inputs) as record:
        documents = readable(read_documents(curated, context), context)
        further = readable((document for path in synthetic for document in read_documents(path, context)), context)
        base = NoTagger() if from_scratch else default_tagger()
        taught = readable((document for path in silver for document in read_documents(path, context)), context)
        examples = silver_examples(taught, documents, context)
        extractor, measured = train_extractor(documents, [*further, *examples], base, settings)
        if silver:
            extractor.facts["silver documents"] = len(examples)
            extractor.facts["synthetic documents"] -= len(examples)
        extractor.save(out)
        record["result"] = extractor.facts
    if held_out is not None:
        predictions = measured.predictions([Example(document) for document in documents])
        write_jsonl(held_out, (prediction.to_dict() for prediction in predictions))
    report_rejects(context, out)
    _show(extractor.facts)
    say(f"extractor: {out}")


@app.command(epilog="Example: abroad extractor show")
def show(
    model: Path = typer.Argument(None, metavar="[DIR]", help="An extractor; without it, the one that is built in."),
) -> None:
    """What an extractor was trained on, and what each threshold gave on documents it had not seen."""
    from abroad.extraction.builtin.pairs import DEFAULT_FOLDER, PairExtractor

    extractor = PairExtractor.load(model or DEFAULT_FOLDER)
    _show(extractor.facts)
    beside = "" if extractor.beside is None else f"; {extractor.beside:g} for what stands beside it in an abstract"
    typer.echo(f"\ndefault --min-score {extractor.min_score:g}{beside}")
    typer.echo("\nmin-score  precision  recall     F1  (held out, percent)")
    for point in extractor.points:
        if round(point.threshold * 100) % 5 == 0:
            typer.echo(f"{point.threshold:9.2f}  {point.precision:9.1f}  {point.recall:6.1f}  {point.f1:5.1f}")


def _show(facts: dict[str, Any]) -> None:
    for name, value in facts.items():
        text = ", ".join(f"{key} {item:g}" for key, item in value.items()) if isinstance(value, dict) else value
        typer.echo(f"{name}: {text}")
