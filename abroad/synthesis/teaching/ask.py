"""Put every document to every pass, each once: within the budget, past what fails, and on where it was stopped."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from abroad.core.context import Context
from abroad.core.http import NoAnswer
from abroad.core.jsonl import read_jsonl
from abroad.core.resume import ResumableOutput, digest
from abroad.core.schema import Document, Prediction
from abroad.synthesis.teaching.cost import Cost, Meter
from abroad.synthesis.teaching.former import take_over
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
    with ResumableOutput(out, identity, wanted, key=_KEY) as output:
        asker = _Asker(passes, meter, output, answers)
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
    answers: Answers

    def take_up(self, documents: Sequence[Document], wanted: Mapping[str, str]) -> None:
        """Count what an earlier run was told.

        Args:
            wanted: key -> digest of what is asked; answers to something else stay where they are.
        """
        if not self.output.done:
            return
        by_id = {document.id: document for document in documents}
        for record in read_jsonl(self.output.partial):
            if wanted.get(record[_KEY]) == record["input_digest"] and record["id"] in by_id:
                number = int(record["pass"])
                prediction = Prediction.from_dict(record)
                if number not in self.answers.by_document.get(prediction.id, {}):
                    self._took(by_id[prediction.id], number, prediction)
                    self.answers.resumed += 1

    def ask(self, todo: Sequence[Document], at_once: int) -> Iterator[None]:
        """Group by group, until all is asked or the budget does not bear the next document; a step for each answer."""
        silent = start = 0
        while start < len(todo):
            group = self._affordable(todo[start : start + at_once])
            if not group:
                self.answers.stopped = True
                return
            start += len(group)
            heard = False
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

    def _ask_pass(self, number: int, documents: Sequence[Document]) -> Iterator[None]:
        by_id = {document.id: document for document in documents}
        with contextlib.closing(self.passes[number].extract(documents)) as predictions:  # type: ignore[type-var]
            for prediction in predictions:
                record = {_KEY: _key(number, by_id[prediction.id]), "pass": number, **prediction.to_dict()}
                self.output.append(record)
                self._took(by_id[prediction.id], number, prediction)
                yield

    def _took(self, document: Document, number: int, prediction: Prediction) -> None:
        self.meter.count(prediction, self.passes[number].prompt_characters(document, prediction))
        self.answers.by_document.setdefault(document.id, {})[number] = prediction

    def _note_silence(self, number: int, documents: Sequence[Document], reason: str) -> None:
        for document in documents:
            if _key(number, document) not in self.output.done:
                self.answers.silent[document.id] = f"{reason}; the next run asks again"

    def _affordable(self, documents: Sequence[Document]) -> list[Document]:
        """As many of the first documents as the budget bears at their dearest."""
        if self.meter.is_free:
            return list(documents)
        group: list[Document] = []
        cost = Cost()
        for document in documents:
            for number, each in enumerate(self.passes):
                if _key(number, document) not in self.output.done:
                    cost += self.meter.reckon(each, document)
            if not self.meter.allows(cost):
                break
            group.append(document)
        return group


def _shared(identities: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """What is equal in all of them."""
    first, *others = identities
    return {key: value for key, value in first.items() if all(key in o and o[key] == value for o in others)}


def _key(number: int, document: Document) -> str:
    return f"{number}:{document.id}"
