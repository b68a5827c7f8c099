"""`abroad teach`: a strong model labels documents that nobody has labelled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from abroad.cli.common import report_rejects, say
from abroad.cli.options import ENGINE, Options, SettingsCommand, takes, with_base_url
from abroad.cli.outputs import JSONL, PAID, writes
from abroad.core.context import Context

if TYPE_CHECKING:
    from abroad.core.field import Field
    from abroad.core.schema import Document
    from abroad.engines.choice import EngineChoice
    from abroad.engines.lazy import LazyEngine
    from abroad.extraction.fewshot.run import FewShotSettings
    from abroad.synthesis.teaching.passes import Filter, Pass, Teacher
    from abroad.synthesis.teaching.settings import TeachSettings
    from abroad.synthesis.teaching.teach import Files, TeachReport


@dataclass(frozen=True)
class _Run:
    """What the record of a run has beside settings."""

    rank: str | None
    read: list[Path]
    context: Context


@dataclass(frozen=True)
class _Asked:
    """How the model is asked: by examples, or as what it was fine-tuned for.

    Attributes:
        decoding: settings that were given, in place of those that a release asks for itself.
        trained: None where the model's files tell.
    """

    asking: FewShotSettings
    settings: TeachSettings
    decoding: Mapping[str, Any]
    trained: bool | None
    prompt: Path | None
    examples: Path | None
    field: Path | None


@writes(out=PAID, curate=JSONL)
@takes(
    asking=Options(
        "abroad.extraction.fewshot.run:FewShotSettings",
        only=("shots", "only_stating", "retrieve", "chat", "fewer_shots", "temperature", "seed"),
    ),
    settings=Options("abroad.synthesis.teaching.settings:TeachSettings"),
    decoding=Options(
        "abroad.extraction.generative.decoding:Decoding",
        only=("num_beams", "max_new_tokens", "chunk_overlap"),
        partial=True,
    ),
    choice=ENGINE,
)
def teach(
    documents: Path = typer.Argument(..., metavar="DOCS", help="Documents without labels (.json, .jsonl, .xml, ...)."),
    out: Path = typer.Option(..., metavar="SILVER.jsonl", help="Documents with the relations that the passes share."),
    curate: Path = typer.Option(
        None, metavar="DOCS.jsonl", help="What they dispute, for `abroad annotate`; else beside the output."
    ),
    prompt: Path = typer.Option(None, metavar="FILE.j2", help="A prompt of your own in place of the style's."),
    examples: Path = typer.Option(None, metavar="DOCS", help="Documents to take examples from; else our own."),
    field: Path = typer.Option(None, metavar="FIELD.yaml", help="Ask for its relations, not for natural products."),
    rank: str = typer.Option(
        None,
        help="Filter what they share: likelihood, product, er-g or er-d. Five prompts a relation; servers need echo.",
    ),
    estimate: bool = typer.Option(False, "--estimate", help="Say what it costs at most, and ask nothing."),
    base_url: str = typer.Option(None, metavar="URL", help="Server of --engine openai, http://HOST:PORT/v1."),
    trained: bool = typer.Option(
        None,
        "--trained/--untrained",
        help="The model was fine-tuned for the task (`abroad train`) and is shown no examples; adapters and releases "
        "are taken for such.",
    ),
    *,
    asking: FewShotSettings,
    settings: TeachSettings,
    decoding: dict[str, Any],
    choice: EngineChoice,
) -> None:
    """Label documents with a strong or a fine-tuned model, in independent passes, to train the built-in extractor with.

    What the passes agree on is silver, weighted by how much they do; what they dispute goes to people. It never asks
    beyond a budget, and the same command goes on where it stopped. Never give it documents that you evaluate with.

    Example: abroad teach docs.jsonl --engine openai --model NAME --out silver.jsonl --budget-tokens 2000000
    """
    from abroad.core.helpers import helper
    from abroad.documents.inputs import read_path
    from abroad.synthesis.teaching.passes import Teacher
    from abroad.synthesis.teaching.teach import Files

    context = Context(say=say)
    engine = _engine(with_base_url(choice, base_url), rank, context)
    asked = _Asked(asking, settings, decoding, trained, prompt, examples, field)
    inputs = read_path(documents, context)
    passes = _passes(engine, asked, inputs, context)
    teacher = Teacher(passes, 2 * choice.batch_size, _filter(engine, passes[0].field, rank, settings.keep))
    _say_cost(teacher, inputs, settings)
    if not estimate:
        files = Files(out, curate or helper(out, "disputed.jsonl"))
        read = [file for file in (documents, examples, prompt, field) if file is not None and file.exists()]
        _label(inputs, teacher, settings, files, _Run(rank, read, context))


def _engine(choice: EngineChoice, rank: str | None, context: Context) -> LazyEngine:
    from abroad.engines.lazy import LazyEngine
    from abroad.ranking.filters import check_order, ranking_engine

    if rank is None:
        return LazyEngine(choice.spec, context)
    check_order(rank, "--rank")
    return ranking_engine(choice.spec, context)


def _passes(engine: LazyEngine, asked: _Asked, documents: list[Document], context: Context) -> Sequence[Pass]:
    from abroad.core.errors import InputError
    from abroad.core.field import find_field
    from abroad.core.registry import Capability
    from abroad.extraction.fewshot.styles import load_style
    from abroad.extraction.generative.load import is_trained
    from abroad.synthesis.teaching.fewshot_passes import Asking, make_passes
    from abroad.synthesis.teaching.trained_passes import decoding_of, make_trained_passes

    held = Capability.WEIGHTS in engine.capabilities
    if asked.trained if asked.trained is not None else held and is_trained(engine.spec):
        engine.spec.require(Capability.WEIGHTS, "labelling with a fine-tuned model")
        if asked.prompt is not None or asked.examples is not None:
            raise InputError("--prompt, --examples: a fine-tuned model is shown none; expected --untrained with them")
        if asked.field is not None:
            raise InputError("--field: a fine-tuned model has that of its training; expected --untrained with it")
        return make_trained_passes(engine, decoding_of(engine.spec, asked.decoding), asked.asking, asked.settings)
    if asked.decoding:
        raise InputError(f"{', '.join(asked.decoding)}: settings of a fine-tuned model; expected them with --trained")
    bound = asked.asking.replace(structured=Capability.CONSTRAINTS in engine.capabilities)
    how = Asking(load_style(asked.settings.style, asked.prompt, None, find_field(asked.field)), bound, asked.examples)
    return make_passes(engine, how, asked.settings, documents, context)


def _say_cost(teacher: Teacher, documents: list[Document], settings: TeachSettings) -> None:
    from abroad.synthesis.teaching.cost import Cost, Meter
    from abroad.synthesis.teaching.ranked import estimate_ranking

    meter, passes, keep = Meter(settings), teacher.passes, teacher.keep
    ranking = estimate_ranking(keep, passes, documents, meter) if keep is not None else Cost()
    most = meter.estimate(passes, documents) + ranking
    say(f"{len(documents)} documents, {len(passes)} passes: about {most.words(settings, 'at most ')}")
    if keep is not None and documents:
        one = sum((meter.reading(keep.longest(each)) for each in documents), Cost()).total // len(documents)
        say(f"of these ranking takes {ranking.total:,} at most; of each relation that it chooses among, about {one:,}")


def _label(documents: list[Document], teacher: Teacher, settings: TeachSettings, files: Files, run: _Run) -> None:
    """Ask, write, and say what came of it."""
    from abroad.core.provenance import run_record
    from abroad.synthesis.teaching.teach import teach as label

    asked = [each.identity for each in teacher.passes]
    how = settings.model_dump(mode="json") | {"asked": asked, "rank": run.rank}
    with run_record(files.silver, "teach", how, run.read) as record:
        report = label(documents, teacher, settings, files, run.context)
        record["result"] = asdict(report) | {"money": report.cost.money(settings)}
    report_rejects(run.context, files.silver)
    if not report.is_fruitless:
        _say_report(report, files)
    _say_spent(report, settings)
    _refuse_if_nothing(report, run.context)


def _refuse_if_nothing(report: TeachReport, context: Context) -> None:
    """End with exit code 1 where no document was labelled: neither a script nor a person should take it for silver."""
    from abroad.core.errors import AbroadError

    if not report.is_fruitless:
        return
    if report.set_aside:
        raise AbroadError(f"no answer of the teacher could be used{context.rejects.first()}")
    if report.stopped:
        reason = "the budget does not bear a document in all passes; expected a larger one (--estimate says how large)"
    else:
        reason = "the server answered no document in all passes; run the same command again when it does"
    raise AbroadError(f"nothing is labelled: {reason}")


def _filter(engine: LazyEngine, field: Field, by: str | None, keep: float) -> Filter | None:
    from abroad.ranking.filters import RelationFilter
    from abroad.ranking.rank import RankSettings

    return None if by is None else RelationFilter(engine, RankSettings(by=by, keep=keep), field)


def _say_report(report: TeachReport, files: Files) -> None:
    """Say where each document went."""
    share = "" if report.agreement is None else f"; the passes agree at F1 {100 * report.agreement:.1f}"
    say(
        f"{files.silver}: {report.silver} documents ({report.empty} without a relation), {report.relations} relations, "
        f"{report.not_in_text} with a name that the text has not left out{share}"
    )
    say(
        f"{files.curation}: {report.curation} documents ({report.both} of them silver too) with {report.disputed} "
        "disputed relations, to be curated"
    )
    if report.set_aside:
        say(f"{report.set_aside} documents are neither: set aside, with the reason")
    if report.unread:
        say(f"{report.unread} documents are judged without a pass that could not be read, by the others")
    if report.cut_off:
        say(f"{report.cut_off} silver documents have an answer that was cut off, and teach only what they state")
    if report.unsure:
        say(f"{report.unsure} documents below --min-confidence are no silver, and are to be curated too")
    if report.same_text:
        say(f"{report.same_text} documents have the text of another, and were asked with it")
    if report.silver and 5 * report.empty > 4 * report.silver:
        say("more than four in five silver documents have no relation: is the teacher too weak, or the field another?")


def _say_spent(report: TeachReport, settings: TeachSettings) -> None:
    """Say what it cost, and what was not asked."""
    guessed = f" ({report.guessed} answers reckoned by their length)" if report.guessed else ""
    ranking = f", of which ranking took about {report.ranking.total:,}" if report.ranking.total else ""
    say(f"spent {report.cost.words(settings)}{ranking}{guessed}; {report.resumed} answers are of an earlier run")
    if report.stopped:
        say(f"the budget ended the run: {report.left} documents are left; the same command with a larger one goes on")
    elif report.left:
        say(f"{report.left} documents are left, since the server did not answer; the same command asks again")


def register(app: typer.Typer) -> None:
    app.command("teach", cls=SettingsCommand)(teach)
