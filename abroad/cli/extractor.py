"""`abroad extractor`: train one on documents of your own, of natural products or any field; see what it is worth."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import typer

from abroad.cli.common import group, report_rejects, say
from abroad.cli.options import Options, SettingsCommand, takes
from abroad.cli.outputs import JSONL, folder, writes
from abroad.core.context import Context
from abroad.core.errors import InputError

if TYPE_CHECKING:
    from abroad.core.schema import Document
    from abroad.extraction.base import CalibratedExtractor
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
@writes(out=folder("an extractor"), held_out=JSONL)
@takes(
    settings=Options(
        "abroad.extraction.builtin.settings:ExtractorTrainSettings",
        only=("folds", "seed", "adapt"),
        names={"folds": "--cv"},
    )
)
def train(
    curated: Path = typer.Argument(..., metavar="DOCS", help="Curated documents (JSON or JSONL), relations complete."),
    out: Path = typer.Option(..., metavar="DIR", help="The extractor to write."),
    synthetic: list[Path] = typer.Option(
        [], metavar="DOCS", help="Further documents, of half weight (whole with --field); repeatable."
    ),
    silver: list[Path] = typer.Option(
        [], metavar="DOCS", help="Documents that `abroad teach` labelled, weighted by its agreement; repeatable."
    ),
    held_out: Path = typer.Option(None, metavar="PRED.jsonl", help="Write the held-out predictions."),
    from_scratch: bool = typer.Option(
        False, "--from-scratch", help="Learn from these documents alone, without the built-in tagger."
    ),
    field: Path = typer.Option(
        None, metavar="FIELD.yaml", help="Learn the entities and relations of this field, not of natural products."
    ),
    *,
    settings: ExtractorTrainSettings,
) -> None:
    """Train on all documents; calibrate and measure by cross-validation. Under a minute for 150 abstracts.

    `abroad extract DOCS --model DIR` uses it.
    """
    from abroad.core.field import find_field

    if from_scratch and settings.adapt is False:
        raise InputError("--from-scratch: there is no tagger yet that could stay as it is; leave --no-adapt out")
    if find_field(field).is_built_in:
        _train_products(curated, (synthetic, silver, from_scratch), out, held_out, settings)
    elif from_scratch:
        raise InputError("--field: learns from its documents alone; expected no --from-scratch, which changes nothing")
    else:
        _train_field(field, (curated, synthetic, silver), out, held_out, settings)


def _train_products(
    curated: Path,
    given: tuple[list[Path], list[Path], bool],
    out: Path,
    held_out: Path | None,
    settings: ExtractorTrainSettings,
) -> None:
    """Train upon the built-in extractor; given are paths of synthetic and of silver documents, and if from scratch."""
    from abroad.core.io import write_jsonl
    from abroad.core.provenance import run_record
    from abroad.extraction.builtin.examples import Example
    from abroad.extraction.builtin.fit import Basis, train_extractor
    from abroad.extraction.builtin.mentions import NoTagger
    from abroad.extraction.builtin.silver import silver_examples

    synthetic, silver, from_scratch = given
    context = Context(say=say)
    inputs = [path for path in (curated, *synthetic, *silver) if path.is_file()]
    told = {"cv": settings.folds, "from_scratch": from_scratch, "seed": settings.seed}
    with run_record(out, "extractor train", told, inputs) as record:
        documents, further, taught = (_read(paths, None, context) for paths in ([curated], synthetic, silver))
        base = Basis(NoTagger()) if from_scratch else Basis.built_in()
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


def _train_field(
    field: Path,
    given: tuple[Path, list[Path], list[Path]],
    out: Path,
    held_out: Path | None,
    settings: ExtractorTrainSettings,
) -> None:
    """Train an extractor of a field; given are paths of curated, synthetic and silver documents."""
    from abroad.core.field import find_field
    from abroad.core.io import write_jsonl
    from abroad.core.provenance import run_record
    from abroad.extraction.joint.fit import KnownNames, train_joint
    from abroad.extraction.joint.from_documents import annotated, names_of, schema_of
    from abroad.extraction.joint.names import NameFinder
    from abroad.extraction.joint.settings import JointTrainSettings
    from abroad.extraction.joint.silver import silver_texts

    context, (curated, synthetic, silver) = Context(say=say), given
    told = {"cv": settings.folds, "field": str(field), "seed": settings.seed}
    inputs = [path for path in (curated, *synthetic, *silver, field) if path.is_file()]
    with run_record(out, "extractor train", told, inputs) as record:
        known = find_field(field)
        schema, own = schema_of(known), JointTrainSettings(folds=settings.folds, seed=settings.seed)
        documents, drawn, labelled = (_read(paths, field, context) for paths in ([curated], synthetic, silver))
        texts, more = ([annotated(document, schema.ranges) for document in part] for part in (documents, drawn))
        taught = silver_texts(labelled, documents, known, context)
        names = KnownNames(list(names_of(known, field.parent)), NameFinder.of_field(known, field.parent))
        extractor, measured = train_joint(schema, texts, own, names, [*more, *taught])
        if silver:
            extractor.facts["silver documents"] = len(taught)
            extractor.facts["synthetic documents"] -= len(taught)
        extractor.save(out)
        record["result"] = extractor.facts
    if held_out is not None:
        write_jsonl(held_out, (prediction.to_dict() for prediction in measured.predictions(schema)))
    report_rejects(context, out)
    _show(extractor.facts)
    say(f"extractor: {out}")


def _read(paths: list[Path], field: Path | None, context: Context) -> list[Document]:
    """The documents of files whose texts can be read; all are of the field, or of natural products without one.

    Raises:
        InputError: those that are of another field, and how --field stands to them.
    """
    from abroad.core.field import find_field
    from abroad.documents.inputs import read_documents
    from abroad.extraction.builtin.reading import readable

    known = find_field(field)
    found: list[Document] = []
    for path in paths:
        documents = read_documents(path, context)
        try:
            known.check_documents(documents, path)
        except InputError as error:
            learns = "--field FILE learns another" if field is None else f"--field {field} learns no other"
            raise InputError(f"{error}; {learns}") from None
        found += readable(documents, context)
    return found


@app.command(epilog="Example: abroad extractor show")
def show(
    model: Path = typer.Argument(None, metavar="[DIR]", help="An extractor; without it, the one that is built in."),
) -> None:
    """What an extractor was trained on, and what each threshold gave on documents it had not seen."""
    from abroad.core.registry import Capability
    from abroad.extraction.load import BUILTIN, check_extractor, load_extractor

    name = model or BUILTIN
    kind, _ = check_extractor(name, {})
    if Capability.CALIBRATED not in kind.capabilities:
        raise InputError(
            f"{name}: {kind.description} has no thresholds; expected a directory of `abroad extractor train`"
        )
    extractor = cast("CalibratedExtractor", load_extractor(name))
    _show(extractor.facts)
    beside = "" if extractor.beside is None else f"; {extractor.beside:g} for what stands beside it in an abstract"
    typer.echo(f"\ndefault --min-score {extractor.min_score:g}{beside}")
    typer.echo("\nmin-score  precision  recall     F1  (held out, percent)")
    for point in extractor.points:
        if round(point.threshold * 100) % 5 == 0:
            typer.echo(f"{point.threshold:9.2f}  {point.precision:9.1f}  {point.recall:6.1f}  {point.f1:5.1f}")


def _show(facts: Mapping[str, Any]) -> None:
    for name, value in facts.items():
        text = ", ".join(f"{key} {item:g}" for key, item in value.items()) if isinstance(value, dict) else value
        typer.echo(f"{name}: {text}")
