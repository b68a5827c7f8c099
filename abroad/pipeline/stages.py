"""The stages of `abroad run`, made of a config: what each reads, writes and does.

Files of a run, in its directory: relations.tsv, sample.tsv and sample.png,
documents.jsonl, prompts.jsonl, abstracts.jsonl, synthetic.jsonl, instructions.jsonl, model/,
predictions.jsonl, scores.json and report.html; run.json records them all.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from abroad.core.errors import InputError
from abroad.core.helpers import helper
from abroad.core.io import Rejects, read_predictions, write_documents, write_json, write_jsonl
from abroad.documents.inputs import read_documents
from abroad.documents.instructions import read_training_set
from abroad.pipeline.config import Config, EvaluateSection
from abroad.pipeline.runner import Stage

if TYPE_CHECKING:
    from abroad.engines.spec import EngineSpec


def make_stages(config: Config, say: Callable[[str], None] = print) -> list[Stage]:
    """The stages in order; `prepare` is left out where a prepared table is given.

    Args:
        say: is told what a stage has to say beside its figures.
    """
    run = _Run(config, say)
    stages = [
        *_document_stages(run),
        Stage(
            "instruct",
            (run.documents,),
            (run.prompts,),
            {**config.synthesis.model_dump(exclude=_NOT_INSTRUCT), "seed": config.seed},
            run.do_instruct,
        ),
        Stage(
            "generate",
            (run.prompts,),
            (run.abstracts,),
            config.synthesis.model_dump(include=set(_ENGINE_KEYS)),
            run.do_generate,
        ),
        Stage(
            "select",
            (run.abstracts,),
            (run.synthetic,),
            config.synthesis.model_dump(include=set(_SELECT_KEYS)),
            run.do_select,
        ),
        Stage(
            "train",
            (*run.training_sets, *run.validation),
            (run.model,),
            {**config.train.model_dump(mode="json"), "seed": config.seed},
            run.do_train,
        ),
        Stage(
            "extract",
            (run.gold, run.model),
            (run.predictions,),
            config.extract.model_dump(),
            run.do_extract,
        ),
        Stage(
            "evaluate",
            (run.gold, run.predictions),
            (run.scores, run.report),
            {**run.evaluate.model_dump(mode="json"), "seed": config.seed},
            run.do_evaluate,
        ),
    ]
    if config.synthesis.specialise is not None:
        section = config.synthesis.specialise
        settings = {
            **section.model_dump(mode="json"),
            **config.synthesis.model_dump(include=set(_ENGINE_KEYS)),
            "seed": config.seed,
        }
        specialise = Stage(
            "specialise", (run.documents, section.corpus), (run.instructions,), settings, run.do_specialise
        )
        stages.insert(next(place for place, stage in enumerate(stages) if stage.name == "train"), specialise)
    return stages


def make_document_stages(config: Config, say: Callable[[str], None] = print) -> list[Stage]:
    """The stages up to `documents`, with which curation begins; the last one's output is documents.jsonl."""
    return _document_stages(_Run(config, say))


def _document_stages(run: _Run) -> list[Stage]:
    config = run.config
    stages = [
        Stage(
            "sample",
            (run.relations,),
            (run.sample, run.curves),
            {**config.sample.model_dump(), "seed": config.seed},
            run.do_sample,
        ),
        Stage(
            "documents",
            (run.sample, run.relations, *config.documents.files, *config.documents.xml),
            (run.documents,),
            config.documents.model_dump(mode="json"),
            run.do_documents,
        ),
    ]
    if config.lotus.metadata is not None and config.lotus.doi2pmid is not None:
        inputs = (config.lotus.metadata, config.lotus.doi2pmid)
        prepare = Stage("prepare", inputs, (run.relations,), config.lotus.model_dump(mode="json"), run.do_prepare)
        stages.insert(0, prepare)
    return stages


_ENGINE_KEYS = ("engine", "engine_settings", "workers", "model", "batch_size")
_JUDGE_KEYS = ("threshold", "fidelity", "similarity", "best")
_SELECT_KEYS = (*_JUDGE_KEYS, "curate")
_NOT_INSTRUCT = {*_ENGINE_KEYS, *_SELECT_KEYS, "specialise"}


class _Run:
    """Where the files of a run are, and what each stage does with them."""

    def __init__(self, config: Config, say: Callable[[str], None]) -> None:
        self.config, self.say = config, say
        out = config.out
        self.relations: Path = config.lotus.relations or out / "relations.tsv"
        self.sample, self.curves = out / "sample.tsv", out / "sample.png"
        self.documents, self.prompts = out / "documents.jsonl", out / "prompts.jsonl"
        self.abstracts, self.synthetic = out / "abstracts.jsonl", out / "synthetic.jsonl"
        self.model, self.predictions = out / "model", out / "predictions.jsonl"
        self.scores, self.report = out / "scores.json", out / "report.html"
        self.instructions = out / "instructions.jsonl"
        self.training_sets = [
            self.synthetic,
            *([self.instructions] if config.synthesis.specialise else []),
            *([self.documents] if config.train.add_seeds else []),
        ]
        self.validation = [config.train.validation] if config.train.validation else []

    @property
    def evaluate(self) -> EvaluateSection:
        assert self.config.evaluate is not None, "a config without it has a section curation and no such stages"
        return self.config.evaluate

    @property
    def gold(self) -> Path:
        return self.evaluate.gold

    def do_prepare(self) -> dict[str, Any]:
        from abroad.sources.lotus import prepare

        lotus = self.config.lotus
        assert lotus.metadata is not None and lotus.doi2pmid is not None
        report = prepare(lotus.metadata, lotus.doi2pmid, self.relations, lotus.max_relations, lotus.max_name_length)
        report.rejects.write_beside(self.relations)
        lost = {loss.name: loss.rows_before - loss.rows_after for loss in report.losses}
        figures = {"rows": report.rows, "references": report.references, "set_aside": len(report.rejects)}
        return figures | {"rows_lost": lost}

    def do_sample(self) -> dict[str, Any]:
        from abroad.documents.sampling import SampleSettings, sample_table

        rejects = Rejects()
        settings = SampleSettings(**self.config.sample.model_dump(), seed=self.config.seed)
        report = sample_table(self.relations, self.sample, settings, rejects, self.curves)
        rejects.write_beside(self.sample)
        for line in report.stop_lines():
            self.say(f"  {line}")
        picks = sum(len(ranking.items) for ranking in report.rankings.values())
        return {"picks": picks, "set_aside": len(rejects), "stop_report": {"points": report.stops()}}

    def do_documents(self) -> dict[str, Any]:
        rejects = Rejects()
        section = self.config.documents
        found = self._fetch(rejects) if section.xml or section.eutils else []
        for path in section.files:
            present = {document.id for document in found}
            found += [document for document in read_documents(path, rejects) if document.id not in present]
        if not found:
            raise InputError("no document: give 'documents' of the config files, xml or eutils: true")
        write_documents(self.documents, found)
        rejects.write_beside(self.documents)
        related = sum(bool(document.relations) for document in found)
        return {"documents": len(found), "with_relations": related, "set_aside": len(rejects)}

    def _fetch(self, rejects: Rejects) -> list[Any]:
        import contextlib

        from abroad.documents.fetch import fetch_documents
        from abroad.sources.eutils import EutilsClient, EutilsSettings
        from abroad.sources.references import read_references

        section = self.config.documents
        references, related = read_references(self.sample, self.relations, rejects)
        online = EutilsClient(EutilsSettings(), self.say) if section.eutils else contextlib.nullcontext()
        with online as client:
            fetch_documents(references, related, self.documents, rejects, section.xml, client, self.say)
        return read_documents(self.documents, rejects)

    def do_instruct(self) -> dict[str, Any]:
        from abroad.synthesis.prompts.guides import load_guide
        from abroad.synthesis.prompts.instruct import InstructSettings, instruct

        rejects = Rejects()
        keys = InstructSettings.__dataclass_fields__
        section = self.config.synthesis.model_dump()
        principles = self.config.synthesis.principles
        guide = None if principles is None else load_guide(None if principles == "default" else Path(principles))
        chosen = {key: value for key, value in section.items() if key in keys}
        settings = InstructSettings(**chosen, guide=guide, seed=self.config.seed)
        records = list(instruct(read_documents(self.documents, rejects), settings, rejects))
        if not records:
            raise InputError(f"{self.documents}: no document with relations to write synthetic abstracts for")
        write_jsonl(self.prompts, records)
        rejects.write_beside(self.prompts)
        return {"prompts": len(records), "documents": len({record["source"] for record in records})}

    def _engine_spec(self) -> EngineSpec:
        from abroad.engines.spec import EngineSpec, read_settings

        section = self.config.synthesis
        settings = read_settings(section.engine, section.engine_settings)
        return EngineSpec(section.engine, section.model, section.batch_size, settings)

    def do_generate(self) -> dict[str, Any]:
        from abroad.synthesis.generation.workers import generate

        rejects = Rejects()
        workers = self.config.synthesis.workers
        report = generate(self.prompts, self.abstracts, self._engine_spec(), rejects, workers, self.say)
        rejects.write_beside(self.abstracts)
        return {"abstracts": report.written, "from_before": report.resumed, "set_aside": len(rejects)}

    def do_select(self) -> dict[str, Any]:
        from abroad.synthesis.selection.curate import curate
        from abroad.synthesis.selection.select import SelectSettings, select

        rejects = Rejects()
        section = self.config.synthesis
        candidates = read_documents(self.abstracts, rejects)
        settings = SelectSettings(**{key: getattr(section, key) for key in _JUDGE_KEYS})
        selection = select(candidates, settings, read_documents(self.documents, rejects))
        if not selection.kept:
            raise InputError(f"{self.abstracts}: none of {len(candidates)} abstracts is faithful enough to train on")
        kept = curate(selection.kept, section.curate).documents if section.curate else selection.kept
        write_documents(self.synthetic, kept)
        write_jsonl(helper(self.synthetic, "rejected.jsonl"), selection.rejected)
        rejects.write_beside(self.synthetic)
        return {
            "kept": len(kept),
            "faithful": selection.faithful,
            "candidates": len(candidates),
            "acceptance": round(selection.faithful / len(candidates), 3),
            "reasons": selection.reasons(),
        }

    def do_specialise(self) -> dict[str, Any]:
        from abroad.synthesis.tasks.kinds import make_tasks
        from abroad.synthesis.tasks.specialise import SpecialiseSettings, specialise, work_folder

        rejects = Rejects()
        section = self.config.synthesis.specialise
        assert section is not None, "the stage is made only with this section"
        seeds, corpus = (read_documents(path, rejects) for path in (self.documents, section.corpus))
        spec = self._engine_spec()
        settings = SpecialiseSettings(count=section.count, retrieve=section.retrieve, seed=self.config.seed)
        work = work_folder(self.instructions)
        result = specialise(seeds, corpus, spec.make(self.say), spec.identity, settings, work, rejects)
        own = [task.to_dict() for task in make_tasks(seeds, self.config.seed)]
        write_jsonl(self.instructions, [*own, *result.tasks])
        rejects.write_beside(self.instructions)
        return {
            "from_seeds": len(own),
            "generated": len(result.tasks),
            "reasons": result.reasons(),
            "grounded": round(result.grounded, 3),
            "grounded_without_retrieval": round(result.grounded_without, 3),
        }

    def do_train(self) -> dict[str, Any]:
        from abroad.training.settings import TrainSettings
        from abroad.training.train import train

        rejects = Rejects()
        section = self.config.train
        examples = [item for path in self.training_sets for item in read_training_set(path, rejects)]
        held_out = [document for path in self.validation for document in read_documents(path, rejects)]
        settings = TrainSettings(**section.model_dump(exclude={"validation", "add_seeds"}), seed=self.config.seed)
        report = train(examples, held_out, settings, self.model, rejects)
        rejects.write_beside(self.model)
        best = None if report.best_f1 is None else round(report.best_f1, 2)
        return {"examples": report.examples, "updates": report.steps, "validation_f1": best, "set_aside": len(rejects)}

    def do_extract(self) -> dict[str, Any]:
        from abroad.extraction.base import extract_documents
        from abroad.extraction.load import load_extractor

        rejects = Rejects()
        extractor = load_extractor(self.model, **self.config.extract.model_dump())
        report = extract_documents(read_documents(self.gold, rejects), extractor, self.predictions)
        rejects.write_beside(self.predictions)
        return {**vars(report), "set_aside": len(rejects)}

    def do_evaluate(self) -> dict[str, Any]:
        from abroad.evaluation.evaluate import evaluate
        from abroad.evaluation.report import write_report

        rejects = Rejects()
        section = self.evaluate
        gold = read_documents(section.gold, rejects)
        predictions = read_predictions(self.predictions, rejects)
        evaluation = evaluate(gold, predictions, section.protocol, section.resamples, self.config.seed)
        scores = evaluation.to_dict()
        write_json(self.scores, scores)
        write_report(evaluation, self.report)
        rejects.write_beside(self.report)
        return scores
