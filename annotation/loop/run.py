"""The loop: sample, extract, show a batch to curators; with their decisions score, train, and show the next batch.

    documents.jsonl          what there is to curate (beside the files of the stages before it)
    decisions/               offline: where the files go that curators save
    curated/                 all decisions so far, as `abroad annotate pull` writes them
    adjudicate.html          offline: open conflicts, all answers shown; saved like the others
    round-N/predictions.jsonl  the model in use on every document not shown before
    round-N/batch.jsonl, batch.tsv  the documents shown, and why they were chosen
    round-N/curate.html      offline: the page
    round-N/scores.json, report.html  the model beside the curators, on documents it had not seen
    round-N/agreement.json, .svg      where two curators share documents
    round-N/model/           trained on all that was curated by then; decisions.json in it says on what
    round-N/round.json       the round in short; written last, so that it says that the round is over

Each run does what can be done and ends; waiting is nobody's work. A step that was done is never done again, since
curators may be at work on what it made.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from abroad.core.context import Context
from abroad.core.errors import InputError
from abroad.core.io import atomic_write, read_documents, read_predictions, write_documents, write_json, write_rejects
from abroad.core.provenance import input_hashes
from abroad.core.resume import digest
from abroad.core.schema import Document, Prediction
from abroad.core.stage import Performer, Stage
from annotation.argilla.pull import Pulled, write_pulled
from annotation.decisions.agreement import measure_agreement
from annotation.decisions.merge import Merged
from annotation.decisions.records import DISCARDED, SUBMITTED, Decision, counted
from annotation.loop.channel import Batch, open_channel
from annotation.loop.learn import TrainingSet, can_train, load_model, score_batch, train_model, write_predictions
from annotation.loop.rounds import Round, read_report, summary
from annotation.loop.select import choose_batch
from annotation.loop.settings import CurationSettings


@dataclass(frozen=True)
class LoopReport:
    """How far the rounds of curation came.

    Attributes:
        closed: rounds that are over, each as in round.json.
        waiting_for: what to do next, "" if nothing.
    """

    closed: list[dict[str, Any]]
    waiting_for: str


def run_loop(out: Path, settings: CurationSettings, seed: int, record: Performer, context: Context) -> LoopReport:
    """Go as far as decisions allow.

    Args:
        out: the run's directory, with documents.jsonl in it.
        seed: of what a round draws and trains.
        record: of the run, which the steps of the rounds join.
    Raises:
        InputError: a file of the settings does not fit.
        AbroadError: the annotation server is away.
    """
    loop = _Loop(out, settings, seed, record, context)
    closed: list[dict[str, Any]] = []
    model, unseen = settings.model, None
    while True:
        number = len(closed) + 1
        turn = Round(number, out / f"round-{number}", model, unseen)
        if not turn.report.exists():
            waiting = loop.advance(turn)
            if waiting is not None:
                return LoopReport(closed, waiting)
        result = read_report(turn.report)
        closed.append(result)
        model = None if result["next_model"] is None else Path(result["next_model"])
        unseen = turn.folder / "unseen.jsonl"


class _Loop:
    def __init__(self, out: Path, settings: CurationSettings, seed: int, record: Performer, context: Context) -> None:
        self.out, self.section, self.seed, self.record, self.context = out, settings, seed, record, context
        self.channel = open_channel(settings, out)

    def advance(self, turn: Round) -> str | None:
        """Do what can be done in a round; what to do next if it is not over, else None."""
        if not turn.batch.exists() and not self._uncurated(turn):
            return f"every document has been shown; {self.out / 'curated' / 'curated.jsonl'} holds what was decided"
        self._once("extract", turn, (turn.predictions,), lambda context: self._extract(turn))
        self._once("choose", turn, (turn.batch, turn.folder / "batch.tsv"), lambda context: self._choose(turn))
        self._once("push", turn, (), lambda context: self._push(turn, context))
        pulled, merged = self._collect()
        waiting = self._missing(turn, pulled.decisions)
        if waiting:
            return f"{turn.name}: {waiting}; {self.channel.advice(turn.folder)}, then run the same command again"
        if merged.conflicts:
            place = self.channel.settle(merged.conflicts, pulled)
            if self.section.conflicts == "settle":
                return (
                    f"{turn.name}: curators differ on {len(merged.conflicts)} documents: settle them in {place}, "
                    "then run the same command again"
                )
            self.context.say(
                f"{turn.name}: {len(merged.conflicts)} documents in conflict are left out; settle them in {place}"
            )
        self._close(turn, pulled, merged)
        return None

    def _once(self, what: str, turn: Round, outputs: tuple[Path, ...], do: Callable[[Context], dict[str, Any]]) -> None:
        name = f"{turn.name} {what}"
        if self.record.has_performed(name) and all(path.exists() for path in outputs):
            return
        self.context.say(f"{name} ...")
        inputs = tuple(path for path in (turn.model, turn.batch) if path is not None and path.exists())
        entry = self.record.perform(Stage(name, inputs, outputs, {"seed": self.seed}, do), self.context)
        figures = ", ".join(f"{key.replace('_', ' ')} {value}" for key, value in entry["result"].items())
        self.context.say(f"{name}: {entry['seconds']} s ({figures})")

    def _uncurated(self, turn: Round) -> list[Document]:
        shown = self._shown(turn.number - 1)
        return [d for d in read_documents(self.out / "documents.jsonl", Context()) if d.id not in shown]

    def _shown(self, rounds: int) -> set[str]:
        """Ids of the documents of the first so many rounds."""
        batches = [self.out / f"round-{number}" / "batch.jsonl" for number in range(1, rounds + 1)]
        return {document.id for batch in batches for document in read_documents(batch)}

    def _extract(self, turn: Round) -> dict[str, Any]:
        from abroad.extraction.base import extract_documents

        report = extract_documents(self._uncurated(turn), load_model(turn.model), turn.predictions)
        return {"model": turn.model_name, "documents": report.documents, "relations": report.relations}

    def _choose(self, turn: Round) -> dict[str, Any]:
        predictions = {prediction.id: prediction for prediction in read_predictions(turn.predictions)}
        section = self.section
        choices = choose_batch(
            self._uncurated(turn), predictions, section.batch, section.blind, self.seed + turn.number
        )
        write_documents(turn.batch, [choice.document for choice in choices])
        with atomic_write(turn.folder / "batch.tsv") as stream:
            stream.write("document\twhy\tgme_place\tuncertainty\n")
            for c in choices:
                stream.write(f"{c.document.id}\t{c.why}\t{c.place}\t{c.uncertainty:.4f}\n")
        return {"documents": len(choices), "mean_uncertainty": round(_mean([c.uncertainty for c in choices]), 3)}

    def _push(self, turn: Round, context: Context) -> dict[str, Any]:
        documents = read_documents(turn.batch)
        own = {document.id for document in documents}
        predictions = [prediction for prediction in read_predictions(turn.predictions) if prediction.id in own]
        self.channel.show(Batch(turn.name, turn.folder, documents, predictions, turn.model_name), context)
        write_rejects(context, turn.batch)
        return {"documents": len(documents), "set_aside": len(context.rejects)}

    def _collect(self) -> tuple[Pulled, Merged]:
        context = Context()
        pulled = self.channel.collect(context)
        merged, _ = write_pulled(pulled, self.out / "curated")
        if context.rejects:
            self.context.say(context.rejects.summary())
        write_rejects(context, self.out / "curated")
        return pulled, merged

    def _missing(self, turn: Round, decisions: Sequence[Decision]) -> str:
        """How far curators are with a batch; "" when that is far enough."""
        deciders: dict[str, set[str]] = {document.id: set() for document in read_documents(turn.batch)}
        for decision in decisions:
            if decision.status in (SUBMITTED, DISCARDED) and decision.document in deciders:
                deciders[decision.document].add(decision.curator)
        done = sum(len(names) >= self.channel.needed(id) for id, names in deciders.items())
        if done >= self.section.enough * len(deciders):
            return ""
        names = sorted(set().union(*deciders.values()))
        return f"{done} of {len(deciders)} documents are decided" + (f" ({', '.join(names)})" if names else "")

    def _close(self, turn: Round, pulled: Pulled, merged: Merged) -> None:
        """Score, train, and say which model goes on; round.json comes last."""
        conflicts = {conflict.document for conflict in merged.conflicts}
        shown = self._shown(turn.number)  # a dataset may hold decisions that are none of this loop's
        truth = [document for document in merged.documents if document.id in shown - conflicts]
        own = {document.id for document in truth}
        decisions = [decision for decision in counted(pulled.decisions) if decision.document in own]
        batch_ids = {document.id for document in read_documents(turn.batch)}
        before = [p for p in read_predictions(turn.predictions) if p.id in batch_ids]
        earlier = read_predictions(turn.unseen) if turn.unseen is not None else []
        training_set = TrainingSet(truth, decisions, {p.id: p for p in (*before, *earlier)})
        report: dict[str, Any] = {
            "round": turn.number,
            "model": turn.model_name,
            "batch": sorted(batch_ids),
            "curators": sorted({decision.curator for decision in decisions if decision.batch == turn.name}),
            "conflicts": len(conflicts & batch_ids),
        }
        scored = [document for document in truth if document.id in batch_ids]
        if scored:
            report["scores"] = score_batch(scored, before, turn.folder, self.section.resamples)
        report["agreement"] = self._agreement(turn, pulled.decisions, before)
        next_model, unseen = self._learn(turn, training_set, report)
        write_predictions(turn.folder / "unseen.jsonl", unseen)
        report["next_model"] = None if next_model is None else str(next_model)
        write_json(turn.report, report)
        for line in summary(turn, report):
            self.context.say(line)

    def _agreement(self, turn: Round, decisions: Sequence[Decision], predictions: Sequence[Prediction]) -> Any:
        from annotation.decisions.agreement_plot import plot_agreement

        try:
            measured = measure_agreement(decisions, predictions, turn.name, self.section.resamples, self.seed)
        except InputError as error:
            return str(error)  # one curator, or no document in common: nothing to measure
        write_json(turn.folder / "agreement.json", measured.to_dict())
        with atomic_write(turn.folder / "agreement.svg", binary=True) as stream:
            plot_agreement(measured).savefig(stream, format="svg")
        return {"documents": measured.documents, "fleiss": measured.fleiss.value}

    def _learn(
        self, turn: Round, training_set: TrainingSet, report: dict[str, Any]
    ) -> tuple[Path | None, Sequence[Prediction]]:
        """(the model that goes on, its predictions on what is curated, made without it)."""
        reason = can_train(training_set.documents)
        if not reason:
            try:
                figures, held_out = train_model(training_set, self.section, turn.folder / "model", self.seed)
            except InputError as error:
                reason = str(error)
        if reason:
            report["training"] = reason
            return turn.model, list(training_set.unseen.values())
        report["training"] = figures
        write_json(turn.folder / "model" / "decisions.json", self._link(turn, training_set, figures))
        if figures["adopted"]:
            return turn.folder / "model", held_out
        return turn.model, list(training_set.unseen.values())

    def _link(self, turn: Round, training_set: TrainingSet, figures: dict[str, Any]) -> dict[str, Any]:
        """What a model learned from: every decision and document with its hash, and the files beside them."""
        files = sorted((turn.folder / "model").iterdir())
        return {
            "round": turn.number,
            "model": input_hashes(files),
            "weight": self.section.weight,
            "seed": self.seed,
            "decisions": [
                {
                    "document": d.document,
                    "curator": d.curator,
                    "batch": d.batch,
                    "updated_at": d.updated_at,
                    "source": d.source,
                    "digest": digest(d.to_dict()),
                }
                for d in training_set.decisions
            ],
            "documents": {document.id: digest(document.to_dict()) for document in training_set.documents},
            "synthetic": input_hashes(self.section.synthetic),
            "result": figures,
        }


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0
