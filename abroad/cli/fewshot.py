"""`abroad fewshot`: relations from a model that is not trained for them."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from abroad.cli.common import report_rejects, say
from abroad.cli.options import ENGINE, Options, SettingsCommand, takes, with_base_url
from abroad.cli.outputs import JSONL, writes
from abroad.core.context import Context

if TYPE_CHECKING:
    from abroad.engines.choice import EngineChoice
    from abroad.extraction.base import ExtractionReport
    from abroad.extraction.fewshot.run import AnswerCounts, FewShotSettings
    from abroad.ranking.rank import RankSettings


@writes(out=JSONL)
@takes(
    settings=Options(
        "abroad.extraction.fewshot.run:FewShotSettings", without=("structured",), names={"resolution": "--images"}
    ),
    ranking=Options("abroad.ranking.rank:FewShotRankSettings", only=("keep",)),
    choice=ENGINE,
)
def fewshot(
    documents: Path = typer.Argument(..., metavar="DOCS", help="A file (.json, .jsonl, .txt, .xml) or a folder."),
    out: Path = typer.Option(..., metavar="PRED.jsonl", help="Predictions to write."),
    style: str = typer.Option("instruct", help="classic (short, as published), instruct, or cot (in four steps)."),
    prompt: Path = typer.Option(None, metavar="FILE.j2", help="A prompt of your own in place of the style's."),
    examples: Path = typer.Option(None, metavar="DOCS", help="Documents to take them from; else our own."),
    field: Path = typer.Option(
        None, metavar="FIELD.yaml", help="Ask for the relations of this field, not of natural products."
    ),
    embedder: str = typer.Option(None, metavar="DIR", help="Encoder for embeddings; minilm-l6 comes as a package."),
    structured: bool = typer.Option(
        None, "--structured/--free", help="Bind answers to their form; by default where the engine can."
    ),
    tokens_per_character: float = typer.Option(
        None, min=0.01, help="New tokens for each character of a document; else by style."
    ),
    rank: str = typer.Option(None, help="Let the model rank its relations: likelihood, product, er-g or er-d."),
    base_url: str = typer.Option(None, metavar="URL", help="Server of --engine openai, http://HOST:PORT/v1."),
    *,
    settings: FewShotSettings,
    ranking: RankSettings,
    choice: EngineChoice,
) -> None:
    """Extract relations with a base or instruct model as it is, by a few examples in the prompt.

    Examples that the documents hold too are left out. Interrupted, the same command goes on. With --field the prompt
    says what the field does, and --examples are documents of it.

    Example: abroad fewshot docs.jsonl --out predictions.jsonl --model smollm2-135m --style classic --only-stating
    """
    from abroad.core.errors import InputError
    from abroad.core.field import find_field
    from abroad.core.helpers import helper
    from abroad.core.io import read_predictions
    from abroad.core.provenance import run_record
    from abroad.core.registry import Capability
    from abroad.documents.images import IMAGES, SET_ASIDE
    from abroad.documents.inputs import read_path
    from abroad.engines.lazy import LazyEngine
    from abroad.extraction.base import extract_documents, refuse_if_all_failed
    from abroad.extraction.fewshot.entry import make_extractor
    from abroad.extraction.fewshot.run import count_answers
    from abroad.extraction.fewshot.styles import load_style
    from abroad.ranking.filters import check_order, ranking_engine
    from abroad.ranking.rank import rank_file

    context = Context(say=say)
    choice = with_base_url(choice, base_url)
    spec = choice.spec
    if settings.resolution:
        spec.require(Capability.IMAGES, "reading images")
    known = find_field(field)
    if rank is not None:
        check_order(rank, "--rank")
    engine = LazyEngine(spec, context) if rank is None else ranking_engine(spec, context)
    if structured is None:
        structured = Capability.CONSTRAINTS in spec.capabilities
    asked_for = settings.shots is not None
    settings = settings.replace(structured=structured)
    if rank is not None:
        ranking = ranking.replace(by=rank, field=field)
    chosen = load_style(style, prompt, tokens_per_character, known)
    inputs = read_path(documents, context)
    extractor = make_extractor(engine, chosen, settings, inputs, examples, embedder, context)
    answers = helper(out, "answers.jsonl") if rank is not None else out
    files = [file for file in (documents, examples, prompt, field) if file is not None and file.exists()]
    how = extractor.identity | choice.engine_settings | {"batch_size": choice.batch_size}
    with run_record(out, "fewshot", how, files) as record:
        report = extract_documents(inputs, extractor, answers, out.with_suffix(".answers.jsonl"))
        predictions = read_predictions(answers)
        reading = count_answers(predictions)
        record["result"] = vars(report) | vars(reading) | {"parse_rate": round(reading.parse_rate, 2)}
        if rank is not None:
            ranked = rank_file(extractor.engine, spec.identity, inputs, [predictions], ranking, out)
            predictions = read_predictions(out)
            record["ranking"] = {"by": rank, "keep": ranking.keep} | vars(ranked)
    for prediction in predictions:
        if prediction.error is not None:
            context.rejects.add(f"{documents}: {prediction.id}", prediction.error)
        for reason in prediction.extra.get(SET_ASIDE, ()):
            context.rejects.add_image(f"{documents}: {prediction.id}", reason)
    report_rejects(context, out)
    shown = (
        f"{extractor.count} examples{'' if asked_for or extractor.fewer else f', as is usual for {style} (--shots)'}"
    )
    _say_report(answers, report, reading, f"{chosen.hash}, {shown}")
    hidden = sum(bool(document.extra.get(IMAGES)) for document in inputs)
    if hidden and not settings.resolution:
        with contextlib.suppress(InputError):  # of a model that reads text only
            spec.require(Capability.IMAGES, "reading images")
            say(f"{hidden} documents have images; none was shown: --images 336 shows them")
    if reading.says_nothing and extractor.count and not settings.only_stating:
        say("no answer states a relation: small models repeat the “none” of an example; --only-stating shows them none")
    if rank is not None:
        say(f"{out}: {sum(len(p.relations) for p in predictions)} of {report.relations} relations stay, by {rank}")
    refuse_if_all_failed(report.failed, report.documents, report.first_error)


def _say_report(answers: Path, report: ExtractionReport, reading: AnswerCounts, prompt: str) -> None:
    say(
        f"{answers}: {report.relations} relations from {report.documents} documents ({report.resumed} from an earlier "
        f"run); {reading.parsed} of {reading.answers} answers could be read ({reading.parse_rate:.1f}%), "
        f"{report.failed} set aside, {report.malformed} malformed parts, "
        f"{reading.not_in_text} relations with a name that the text has not, {report.cut_off} cut off; prompt {prompt}"
    )
    if reading.not_in_text_kept:
        say(
            f"{reading.not_in_text_kept} relations with a name that the text has not were kept, since figures may have "
            "it; such a name has no evidence (--names-from-text leaves them out)"
        )
    if reading.images_set_aside:
        say(f"{reading.images_set_aside} images could not be shown; their documents were read without them")


def register(app: typer.Typer) -> None:
    app.command("fewshot", cls=SettingsCommand)(fewshot)
