"""Put every document to every pass, each once: within the budget, past what fails, and on where it was stopped.

What a server would not take is no answer: it is asked again by the next run.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from abroad.core.context import Context
from abroad.core.http import NoAnswer
from abroad.core.jsonl import read_jsonl
from abroad.core.resume import ASK_AGAIN, ResumableOutput, digest
from abroad.core.schema import Document, Prediction
from abroad.synthesis.teaching.cost import Cost, Meter
from abroad.synthesis.teaching.former import take_over
from abroad.synthesis.teaching.ledger import Ledger
from abroad.synthesis.teaching.passes import Pass, Teacher

_KEY = "key"
_MAX_SILENT = 3
"""Groups of questions in a row without an answer, after which a server is taken to be gone."""


@dataclass
class Answers:
    """What came of asking.

    Attributes:
        by_document: id -> pass -> its answer, an error too.
        resumed: answers of an earlier run.
        silent: id -> why the server did not answer it; asked again by the next run.
        stopped: whether the budget ended the run.
    """

    by_document: dict[str, dict[int, Prediction]] = field(default_factory=dict)
    resumed: int = 0
    silent: dict[str, str] = field(default_factory=dict)
    stopped: bool = False


def ask_all(documents: Sequence[Document], teacher: Teacher, meter: Meter, out: Path, context: Context) -> Answers:
    """The answers of all passes, the documents of a group by all before the next; `out` keeps them as they come.

    Raises:
        AbroadError: the server is away, gives no access, or has ceased to answer; what it said before is kept.
    """
    passes = teacher.passes
    # What the passes share is one for any number of them, so that more passes ask for their own answers alone.
    shared = _shared([each.identity for each in passes])
    own = [{key: value for key, value in each.identity.items() if key not in shared} for each in passes]
    wanted = {
        _key(number, document): digest(each.input_digest(document), own[number])
        for document in documents
        for number, each in enumerate(passes)
    }
    answers = Answers()
    identity: dict[str, Any] = {"teach": shared}
    take_over(out, identity, documents, passes, wanted)
    with (
        ResumableOutput(out, identity, wanted, key=_KEY) as output,
        Ledger(output.partial.with_name(output.partial.name.replace("partial-", "asked-")), meter, wanted) as ledger,
    ):
        asker = _Asker(passes, meter, output, ledger, answers, context)
        asker.take_up(documents, wanted)
        todo = [d for d in documents if any(_key(n, d) not in output.done for n in range(len(passes)))]
        with context.progress("asking the teacher", len(wanted), done=answers.resumed) as progress:
            for _ in asker.ask(todo, teacher.at_once):
                progress.advance(note=f"{meter.spent.total:,} tokens")
        whole = not answers.stopped and not answers.silent
    if whole:
        output.finish(order=wanted)
    return answers


@dataclass
class _Asker:
    passes: Sequence[Pass]
    meter: Meter
    output: ResumableOutput
    ledger: Ledger
    answers: Answers
    context: Context

    def take_up(self, documents: Sequence[Document], wanted: Mapping[str, str]) -> None:
        """Count what an earlier run was told, and what it asked in vain.

        Args:
            wanted: key -> digest of what is asked; answers to something else stay where they are.
        """
        lost, cost = self.ledger.take_up(self.output.done)
        if lost:
            self.context.say(
                f"{lost} questions of an earlier run were asked and brought no answer: "
                f"reckoned at {cost.total:,} tokens"
            )
        if not self.output.done:
            return
        by_id = {document.id: document for document in documents}
        for record in read_jsonl(self.output.partial):
            if record.get(ASK_AGAIN) or record["id"] not in by_id:
                continue
            if wanted.get(record[_KEY]) == record["input_digest"]:
                number = int(record["pass"])
                prediction = Prediction.from_dict(record)
                if number not in self.answers.by_document.get(prediction.id, {}):
                    self._took(by_id[prediction.id], number, prediction)
                    self.answers.resumed += 1

    def ask(self, todo: Sequence[Document], at_once: int) -> Iterator[None]:
        """Group by group, until all is asked or the budget does not bear the next document; a step for each answer."""
        silent = start = 0
        while start < len(todo):
            group, costs = self._affordable(todo[start : start + at_once])
            if not group:
                self.answers.stopped = True
                return
            start += len(group)
            heard = False
            self.ledger.reserve(costs)
            for number in range(len(self.passes)):
                left = [document for document in group if _key(number, document) not in self.output.done]
                try:
                    for _ in self._ask_pass(number, left):
                        heard = True
                        yield
                except NoAnswer as error:
                    silent += not heard
                    if error.unreachable or silent >= _MAX_SILENT:
                        raise
                    self._note_silence(number, left, str(error))
            silent = 0 if heard else silent
            self._say_lost(*self.ledger.close_group())
            self.answers.stopped = self.ledger.exhausted

    def _say_lost(self, tries: int, cost: Cost) -> None:
        if tries:
            self.context.say(f"{tries} tries brought no answer: reckoned at {cost.total:,} tokens")

    def _ask_pass(self, number: int, documents: Sequence[Document]) -> Iterator[None]:
        by_id = {document.id: document for document in documents}
        keys = {id: _key(number, document) for id, document in by_id.items()}
        with (
            self.ledger.listening(self.context.tries, keys),
            contextlib.closing(self.passes[number].extract(documents)) as predictions,  # type: ignore[type-var]
        ):
            for prediction in predictions:
                record = {_KEY: _key(number, by_id[prediction.id]), "pass": number, **prediction.to_dict()}
                self.output.append(record)
                self._took(by_id[prediction.id], number, prediction)
                yield

    def _took(self, document: Document, number: int, prediction: Prediction) -> None:
        if prediction.extra.get(ASK_AGAIN):
            prediction = replace(prediction, error=f"{prediction.error}; the next run asks again")
        else:
            self.ledger.answered(_key(number, document))
            self.meter.count(prediction, self.passes[number].prompt_characters(document, prediction))
        self.answers.by_document.setdefault(document.id, {})[number] = prediction

    def _note_silence(self, number: int, documents: Sequence[Document], reason: str) -> None:
        for document in documents:
            if _key(number, document) not in self.output.done:
                self.answers.silent[document.id] = f"{reason}; the next run asks again"

    def _affordable(self, documents: Sequence[Document]) -> tuple[list[Document], dict[str, Cost]]:
        """As many of the first documents as the budget bears, and the most that each of their questions costs."""
        group: list[Document] = []
        costs: dict[str, Cost] = {}
        for document in documents:
            more = {
                _key(number, document): self.meter.reckon(each, document)
                for number, each in enumerate(self.passes)
                if _key(number, document) not in self.output.done
            }
            if not self.meter.allows(sum((*costs.values(), *more.values()), Cost())):
                break
            group.append(document)
            costs |= more
        return group, costs


def _shared(identities: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """What is equal in all of them."""
    first, *others = identities
    return {key: value for key, value in first.items() if all(key in o and o[key] == value for o in others)}


def _key(number: int, document: Document) -> str:
    return f"{number}:{document.id}"
