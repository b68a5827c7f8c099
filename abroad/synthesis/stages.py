"""The stages of synthesis, from file to file: `abroad synth` and `abroad run` call the same functions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from abroad.core.context import Context
from abroad.core.errors import InputError
from abroad.core.field import find_field
from abroad.core.helpers import helper
from abroad.core.io import read_records, write_documents, write_jsonl
from abroad.documents.inputs import read_documents, read_documents_of
from abroad.synthesis.prompts.settings import InstructSettings
from abroad.synthesis.settings import GenerateSettings, SelectSettings, SpecialiseSettings

if TYPE_CHECKING:
    from abroad.core.schema import Document
    from abroad.engines.choice import EngineChoice
    from abroad.synthesis.generation.generate import GenerationReport
    from abroad.synthesis.selection.select import Selection
    from abroad.synthesis.tasks.specialise import Specialised


@dataclass(frozen=True)
class InstructReport:
    """What prompts were made.

    Attributes:
        prompts: written.
        documents: that they are of.
        without_relations: documents that were left out.
    """

    prompts: int
    documents: int
    without_relations: int


def instruct_stage(
    documents: Path,
    out: Path,
    settings: InstructSettings,
    context: Context,
    classes: Path | None = None,
    engine: EngineChoice | None = None,
) -> InstructReport:
    """Write the prompts of documents with relations.

    Args:
        classes: LOTUS metadata, whose superclasses stand for several chemicals of one class.
        engine: the model that is asked for keywords, where the settings say so.
    Raises:
        InputError: no document has relations, or keywords of a model without one.
    """
    from abroad.documents.superclasses import with_superclasses
    from abroad.synthesis.prompts.instruct import instruct

    seeds = read_documents_of(find_field(settings.field), documents, context)
    if classes is not None:
        seeds = with_superclasses(seeds, classes, context)
    ask = None
    if settings.keywords_by == "model":
        if engine is None:
            raise InputError("keywords_by: model: expected a model to ask, found none")
        ask = _asking(settings, engine, helper(out, "work"), context)
    records = list(instruct(seeds, settings, context, ask))
    if not records:
        raise InputError(f"{documents}: no document with relations to write synthetic abstracts for")
    write_jsonl(out, records)
    without = sum(not document.relations for document in seeds)
    return InstructReport(len(records), len({record["source"] for record in records}), without)


def _asking(
    settings: InstructSettings, engine: EngineChoice, work: Path, context: Context
) -> Callable[[Sequence[Document]], list[list[str]]]:
    """What asks a model for keywords; it is loaded when there is something to ask."""
    from abroad.engines.lazy import LazyEngine
    from abroad.synthesis.generation.writer import Writer
    from abroad.synthesis.prompts.model_keywords import ask_keywords

    spec = engine.spec
    writer = Writer(LazyEngine(spec, context), spec.identity, work, context)

    def ask(documents: Sequence[Document]) -> list[list[str]]:
        return ask_keywords(documents, settings, writer)

    return ask


def generate_stage(prompts: Path, out: Path, settings: GenerateSettings, context: Context) -> GenerationReport:
    """Write the abstracts of prompts, in this process or by several workers.

    Raises:
        InputError: the prompts cannot be read, or none is usable.
        AbroadError: a shard could not be answered; all others are, and kept.
    """
    from abroad.synthesis.generation.generate import generate_abstracts
    from abroad.synthesis.generation.workers import generate_on_workers

    spec = settings.spec
    if settings.workers == 1:
        return generate_abstracts(prompts, out, spec.make(context), context, spec.identity)
    return generate_on_workers(prompts, out, spec, settings.workers, context)


@dataclass(frozen=True)
class SelectReport:
    """What came of the abstracts.

    Attributes:
        candidates: abstracts that were judged.
        kept: documents that were written.
        faithful: abstracts good enough to keep, were there no limit to each seed document.
        reasons: why the others went -> how many.
    """

    candidates: int
    kept: int
    faithful: int
    reasons: dict[str, int]


def select_stage(
    abstracts: Path, out: Path, settings: SelectSettings, context: Context, seeds: Path | None = None
) -> SelectReport:
    """Write the abstracts that are worth training on; the others go to OUT.abroad/rejected.jsonl.

    Args:
        seeds: documents that the abstracts were made of, to tell those that copy theirs.
    """
    from abroad.synthesis.selection.curate import curate
    from abroad.synthesis.selection.select import select
    from abroad.synthesis.settings import CurateSettings

    candidates = read_documents(abstracts, context)
    selection: Selection = select(candidates, settings, read_documents(seeds, context) if seeds else [])
    kept = selection.kept
    if settings.curate is not None and kept:
        kept = curate(kept, CurateSettings(k=settings.curate)).documents
    write_documents(out, kept)
    write_jsonl(helper(out, "rejected.jsonl"), selection.rejected)
    return SelectReport(len(candidates), len(kept), selection.faithful, selection.reasons())


@dataclass(frozen=True)
class SpecialiseReport:
    """What came of a round of self-specialisation.

    Attributes:
        from_seeds: tasks of the seeds, or of the round before.
        kinds: of them -> how many.
        result: what was generated.
    """

    from_seeds: int
    kinds: dict[str, int]
    result: Specialised


def specialise_stage(
    seeds: Path,
    corpus: Path,
    out: Path,
    engine: EngineChoice,
    settings: SpecialiseSettings,
    context: Context,
    previous: Path | None = None,
) -> SpecialiseReport:
    """Write the tasks of the seeds and the new instructions; rejected ones go to OUT.abroad/rejected.jsonl.

    Args:
        corpus: abstracts to answer from.
        previous: instructions of round one, for round two.
    Raises:
        InputError: a third round, or nothing to begin with.
    """
    from abroad.synthesis.tasks.kinds import make_tasks
    from abroad.synthesis.tasks.specialise import next_round, specialise, work_folder

    earlier: list[dict[str, Any]] = [record for _, _, record in read_records(previous)] if previous else []
    next_round(earlier)  # refuses a third before a model is loaded
    curated, abstracts = (read_documents_of(find_field(settings.field), path, context) for path in (seeds, corpus))
    spec, work = engine.spec, work_folder(out)
    made = spec.make(context)
    result = specialise(curated, abstracts, made, spec.identity, settings, work, context, earlier)
    field = find_field(settings.field)
    own = earlier or [task.to_dict() for task in make_tasks(curated, settings.seed, field=field)]
    write_jsonl(out, [*own, *result.tasks])
    write_jsonl(helper(out, "rejected.jsonl"), result.rejected)
    return SpecialiseReport(len(own), dict(Counter(str(task.get("kind")) for task in own)), result)
