"""The stages of `abroad run`, made of a config: which files each reads and writes, and which function it calls.

The functions are those that the commands call. What decides the outputs of a stage, beside its inputs, is its
settings: the section of the config, or the part of a section that is the stage's own.

Files of a run, in its directory: relations.tsv, sample.tsv and sample.png,
documents.jsonl, prompts.jsonl, abstracts.jsonl, synthetic.jsonl, instructions.jsonl, model/,
predictions.jsonl, scores.json and report.html; run.json records them all.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from abroad.core.context import Context
from abroad.core.errors import InputError
from abroad.core.field import find_field
from abroad.core.schema import Document
from abroad.core.stage import Stage
from abroad.pipeline.config import Config
from abroad.pipeline.field import extractor_settings, files_of, sampling
from abroad.pipeline.sections import EvaluateSection, LotusSection


@dataclass(frozen=True)
class Files:
    """Where the files of a run are.

    Attributes:
        out: directory of the run.
        relations: the table that it begins with, its own or the one that the config names; None without LOTUS.
    """

    out: Path
    relations: Path | None

    @classmethod
    def of(cls, config: Config) -> Files:
        """The files of a config's run."""
        lotus = config.lotus
        return cls(config.out, None if lotus is None else lotus.relations or config.out / "relations.tsv")

    def __getitem__(self, name: str) -> Path:
        return self.out / name


def make_stages(config: Config) -> list[Stage]:
    """The stages of the sections that the config has, in order."""
    files = Files.of(config)
    stages = make_document_stages(config)
    if config.uses("synthesis"):
        stages += _synthesis_stages(config, files)
    if config.uses("train"):
        stages.append(_train_stage(config, files))
    if config.uses("extract"):
        stages.append(_extract_stage(config, files))
    if config.evaluate is not None:
        stages.append(_evaluate_stage(config.evaluate, files, files_of(config)))
    return stages


def make_document_stages(config: Config) -> list[Stage]:
    """The stages up to `documents`, with which curation begins; the last one's output is documents.jsonl.

    `prepare` is left out where a prepared table is given, `sample` too where there is none.
    """
    files, lotus, fields = Files.of(config), config.lotus, files_of(config)
    sample, curves, documents = files["sample.tsv"], files["sample.png"], files["documents.jsonl"]
    stages = []
    if lotus is not None and lotus.metadata is not None:
        assert files.relations is not None
        given = (lotus.metadata, *([lotus.doi2pmid] if lotus.doi2pmid is not None else []))
        do = partial(_prepare, lotus, files.relations)
        stages.append(Stage("prepare", given, (files.relations,), lotus.identity(), do))
    drawn: tuple[Path, Path] | None = None
    if files.relations is not None and config.uses("sample"):
        do = partial(_sample, config, files.relations, sample, curves)
        stages.append(Stage("sample", (files.relations,), (sample, curves), sampling(config).identity(), do))
        drawn = (sample, files.relations)
    if config.uses("documents"):
        section = config.documents
        inputs = (*(drawn or ()), *section.files, *section.xml, *fields)
        do = partial(_documents, config, drawn, documents)
        stages.append(Stage("documents", inputs, (documents,), section.identity(), do))
    return stages


def _train_stage(config: Config, files: Files) -> Stage:
    train, model = config.train, files["model"]
    sets = [files["synthetic.jsonl"]] if config.uses("synthesis") else []
    sets += [files["instructions.jsonl"]] if sets and config.synthesis.specialise is not None else []
    sets += [files["documents.jsonl"]] if train.add_seeds else []
    validation = (train.validation,) if train.validation is not None else ()
    inputs, do = (*sets, *validation, *files_of(config)), partial(_train, config, sets, model)
    return Stage("train", inputs, (model,), train.identity(), do)


def _extract_stage(config: Config, files: Files) -> Stage:
    """Reads the gold documents; those of the run where they are the user's own, or there is no gold.

    What is drawn from LOTUS for a run with gold is there to learn from.
    """
    section, predictions = config.extract, files["predictions.jsonl"]
    gold = [config.evaluate.gold] if config.evaluate is not None else []
    asked = config.uses("documents") and section.model is not None and not config.is_whole
    read = [files["documents.jsonl"], *gold] if asked else gold
    # one that comes with a package, or from a hub, has no files here
    model = files["model"] if section.model is None else Path(section.model)
    index = [section.index] if section.index is not None else []
    inputs = (*read, *([model] if section.model is None or model.exists() else []), *index, *files_of(config))
    do = partial(_extract, config, read, files["model"], predictions)
    return Stage("extract", inputs, (predictions,), section.identity(), do)


def _evaluate_stage(section: EvaluateSection, files: Files, fields: tuple[Path, ...]) -> Stage:
    predictions, scores, report = files["predictions.jsonl"], files["scores.json"], files["report.html"]
    do = partial(_evaluate, section, predictions, scores, report)
    return Stage("evaluate", (section.gold, predictions, *fields), (report, scores), section.identity(), do)


def _synthesis_stages(config: Config, files: Files) -> list[Stage]:
    from abroad.synthesis.prompts.settings import InstructSettings
    from abroad.synthesis.settings import GenerateSettings, SelectSettings

    section = config.synthesis
    documents, prompts, abstracts = files["documents.jsonl"], files["prompts.jsonl"], files["abstracts.jsonl"]
    synthetic, instructions = files["synthetic.jsonl"], files["instructions.jsonl"]
    instruct, generate = InstructSettings.of(section), GenerateSettings.of(section)
    select = SelectSettings.of(section)
    stages = [
        Stage(
            "instruct",
            (documents, *files_of(config)),
            (prompts,),
            instruct.identity() | (generate.text_identity if instruct.keywords_by == "model" else {}),
            partial(_instruct, documents, prompts, instruct, generate),
        ),
        Stage(
            "generate",
            (prompts,),
            (abstracts,),
            generate.identity(),
            partial(_generate, prompts, abstracts, generate),
        ),
        Stage(
            "select",
            (abstracts,),
            (synthetic,),
            select.identity(),
            partial(_select, documents, abstracts, synthetic, select),
        ),
    ]
    if section.specialise is not None:
        settings = section.specialise.identity() | generate.identity()
        inputs = (documents, section.specialise.corpus, *files_of(config))
        do = partial(_specialise, config, documents, instructions)
        stages.append(Stage("specialise", inputs, (instructions,), settings, do))
    return stages


def _prepare(lotus: LotusSection, out: Path, context: Context) -> dict[str, Any]:
    from abroad.sources.lotus import PrepareSettings, prepare

    assert lotus.metadata is not None
    report = prepare(lotus.metadata, lotus.doi2pmid, out, PrepareSettings.of(lotus), context)
    lost = {loss.name: loss.rows_before - loss.rows_after for loss in report.losses}
    return {"rows": report.rows, "references": report.references, "rows_lost": lost}


def _sample(config: Config, relations: Path, out: Path, curves: Path, context: Context) -> dict[str, Any]:
    from abroad.documents.sampling import sample_table

    report = sample_table(relations, out, sampling(config), context, curves)
    for line in report.stop_lines():
        context.say(line)
    picks = sum(len(ranking.items) for ranking in report.rankings.values())
    return {"picks": picks, "stop_report": {"points": report.stops()}}


def _documents(config: Config, drawn: tuple[Path, Path] | None, out: Path, context: Context) -> dict[str, Any]:
    from abroad.documents.stage import documents_stage, own_documents_stage
    from abroad.sources.eutils import EutilsSettings
    from abroad.sources.field_tables import FieldTable

    section, field = config.documents, None if config.field is None else find_field(config.field)
    if drawn is None:
        report = own_documents_stage((*section.files, *section.xml), out, context, field)
    else:
        sample, relations = drawn
        table = relations if field is None or field.is_built_in else FieldTable(relations, field)
        eutils = EutilsSettings() if section.eutils else None
        report = documents_stage(sample, table, out, context, section.xml, eutils, section.files)
    return {"documents": report.documents, "with_relations": report.related}


def _instruct(documents: Path, out: Path, settings: Any, engine: Any, context: Context) -> dict[str, Any]:
    from abroad.synthesis.stages import instruct_stage

    report = instruct_stage(documents, out, settings, context, engine=engine)
    return {"prompts": report.prompts, "documents": report.documents}


def _generate(prompts: Path, out: Path, settings: Any, context: Context) -> dict[str, Any]:
    from abroad.synthesis.stages import generate_stage

    report = generate_stage(prompts, out, settings, context)
    return {"abstracts": report.written, "from_before": report.resumed}


def _select(seeds: Path, abstracts: Path, out: Path, settings: Any, context: Context) -> dict[str, Any]:
    from abroad.synthesis.stages import select_stage

    report = select_stage(abstracts, out, settings, context, seeds)
    if not report.kept:
        raise InputError(f"{abstracts}: none of {report.candidates} abstracts is faithful enough to train on")
    figures = {"kept": report.kept, "faithful": report.faithful, "candidates": report.candidates}
    return figures | {"acceptance": round(report.faithful / report.candidates, 3), "reasons": report.reasons}


def _specialise(config: Config, seeds: Path, out: Path, context: Context) -> dict[str, Any]:
    from abroad.synthesis.settings import GenerateSettings, SpecialiseSettings
    from abroad.synthesis.stages import specialise_stage

    section = config.synthesis.specialise
    assert section is not None, "the stage is made only with this section"
    engine, settings = GenerateSettings.of(config.synthesis), SpecialiseSettings.of(section)
    report = specialise_stage(seeds, section.corpus, out, engine, settings, context)
    result = report.result
    return {
        "from_seeds": report.from_seeds,
        "generated": len(result.tasks),
        "reasons": result.reasons(),
        "grounded": round(result.grounded, 3),
        "grounded_without_retrieval": round(result.grounded_without, 3),
    }


def _train(config: Config, sets: list[Path], out: Path, context: Context) -> dict[str, Any]:
    from abroad.training.settings import TrainSettings
    from abroad.training.stage import train_stage

    report = train_stage(sets, config.train.validation, out, TrainSettings.of(config.train), context)
    best = None if report.best_f1 is None else round(report.best_f1, 2)
    return {"examples": report.examples, "updates": report.steps, "validation_f1": best}


def _extract(config: Config, read: list[Path], model: Path, out: Path, context: Context) -> dict[str, Any]:
    from abroad.core.registry import Capability
    from abroad.documents.inputs import read_documents
    from abroad.documents.stream import ListedDocuments
    from abroad.extraction.base import refuse_if_all_failed
    from abroad.extraction.load import extractor_kind, load_extractor
    from abroad.pipeline.extract import Extraction, extract_stage
    from abroad.pipeline.extract_settings import FileSettings

    section = config.extract
    name = section.model or model
    make = partial(load_extractor, name, **extractor_settings(config))
    alone = Capability.ENGINE in extractor_kind(name).capabilities
    documents: dict[str, Document] = {}
    for path in read:
        for document in read_documents(path, context):
            documents.setdefault(document.id, document)
    by = Extraction(make(), make, 1 if alone else None)
    inputs, settings = ListedDocuments([*documents.values()]), FileSettings.of(section)
    report = extract_stage(inputs, out, by, settings, context)
    refuse_if_all_failed(report.counts.failed, report.counts.documents, report.counts.first_error)
    return report.to_dict()


def _evaluate(
    section: EvaluateSection, predictions: Path, scores: Path, report: Path, context: Context
) -> dict[str, Any]:
    from abroad.core.io import write_json
    from abroad.evaluation.report import write_report
    from abroad.evaluation.settings import EvaluateSettings
    from abroad.pipeline.evaluate import evaluate_stage

    evaluation = evaluate_stage(section.gold, predictions, EvaluateSettings.of(section), context)
    write_json(scores, evaluation.to_dict())
    write_report(evaluation, report)
    return evaluation.to_dict()
