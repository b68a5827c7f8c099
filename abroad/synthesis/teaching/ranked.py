"""Rank what the passes agree on: each document once, within the budget, past what fails, and on where it was stopped.

What is asked for a relation is a handful of texts that a server reads whole. What those cost is reckoned by their
length, as the tokens of prompts are until the server tells them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from abroad.core.context import Context
from abroad.core.http import NoAnswer
from abroad.core.jsonl import read_jsonl
from abroad.core.resume import ResumableOutput, digest
from abroad.core.schema import Document, Prediction
from abroad.synthesis.teaching.cost import Cost, Meter
from abroad.synthesis.teaching.passes import Filter, Pass, Teacher
from abroad.synthesis.teaching.settings import TeachSettings

_MIN_TOKENS = 8
"""Of a relation in an answer, at least: a binomial, a verb, a chemical's name and a separator."""
_MAX_SILENT = 3
"""Groups in a row without an answer, after which a server is taken to be gone."""
_COST = "cost"


@dataclass
class Ranked:
    """What came of ranking.

    Attributes:
        by_document: id -> the relations that stay, or an error; of documents in which there was something to choose.
        left: id -> why it is not ranked yet; the next run asks again.
        spent: on it, by earlier runs too.
        stopped: whether the budget ended it.
    """

    by_document: dict[str, Prediction] = field(default_factory=dict)
    left: dict[str, str] = field(default_factory=dict)
    spent: Cost = field(default_factory=Cost)
    stopped: bool = False


class RankingMeter(Meter):
    """A meter that lets the passes leave what ranking their answers will take."""

    def __init__(self, settings: TeachSettings, teacher: Teacher, documents: Iterable[Document]) -> None:
        super().__init__(settings)
        self._keep, self._passes = teacher.keep, len(teacher.passes)
        self._documents = {document.id: document for document in documents}
        self._answers: dict[str, list[Prediction]] = {}
        self._owed = Cost()

    def count(self, prediction: Prediction, characters: int) -> None:
        super().count(prediction, characters)
        answers = self._answers.setdefault(prediction.id, [])
        answers.append(prediction)
        if self._keep is not None and len(answers) == self._passes:
            most = max((answer.relations for answer in answers), key=len)
            if self._keep.chooses(len(most)):
                self._owed += self.reading(self._keep.questions(self._documents[prediction.id], most))

    def allows(self, cost: Cost) -> bool:
        return super().allows(self._owed + cost)

    def settle(self) -> None:
        """From here on ranking itself is paid."""
        self._owed = Cost()


def estimate_ranking(keep: Filter, passes: Sequence[Pass], documents: Sequence[Document], meter: Meter) -> Cost:
    """The most that ranking may take: of as many relations as the longest answers can hold."""
    total = Cost()
    for document in documents:
        each = max(asked.max_tokens(document) for asked in passes) // _MIN_TOKENS
        agreed = len(passes) * each // (len(passes) // 2 + 1)  # relations that more than half of the passes name
        if keep.chooses(agreed):
            one = meter.reading(keep.longest(document))
            total += Cost(agreed * one.prompt_tokens, agreed * one.tokens)
    return total


def rank_all(
    agreed: Sequence[tuple[Document, Prediction]],
    teacher: Teacher,
    meter: Meter,
    out: Path,
    context: Context,
) -> Ranked:
    """Let the teacher's filter choose among the relations of each document; `out` keeps what it chose, as it comes.

    Args:
        agreed: documents with the relations that the passes agree on.
    Raises:
        AbroadError: the server is away, gives no access, or has ceased to answer; what it said before is kept.
    """
    keep, ranked = teacher.keep, Ranked()
    if isinstance(meter, RankingMeter):
        meter.settle()
    if keep is None:
        return ranked
    asked = [pair for pair in agreed if keep.chooses(len(pair[1].relations))]
    if not asked:
        return ranked
    wanted = {document.id: digest(document.text, prediction.to_dict()["relations"]) for document, prediction in asked}
    with ResumableOutput(out, keep.identity, wanted) as output:
        _take_up(output, wanted, ranked)
        meter.spent += ranked.spent
        todo = [pair for pair in asked if pair[0].id not in output.done]
        with context.progress("ranking what they share", len(asked), done=len(asked) - len(todo)) as progress:
            asker = _Asker(keep, meter, output, ranked)
            for count in asker.groups(todo, teacher.at_once):
                progress.advance(count)
    if not ranked.left:
        output.finish(order=wanted)
    return ranked


def _take_up(output: ResumableOutput, wanted: dict[str, str], ranked: Ranked) -> None:
    """Take what an earlier run chose, and what it paid for that."""
    if not output.done:
        return
    for record in read_jsonl(output.partial):
        if wanted.get(record["id"]) == record["input_digest"]:
            ranked.spent += Cost(**record.pop(_COST))
            ranked.by_document[record["id"]] = Prediction.from_dict(record)


@dataclass
class _Asker:
    keep: Filter
    meter: Meter
    output: ResumableOutput
    ranked: Ranked

    def groups(self, todo: Sequence[tuple[Document, Prediction]], at_once: int) -> Iterator[int]:
        """Group by group, until all is ranked or the budget does not bear the next; how many each brought."""
        start = silent = 0
        while start < len(todo):
            group = self._affordable(todo[start : start + at_once])
            if not group:
                self.ranked.stopped = True
                self.ranked.left |= {document.id: "" for document, _ in todo[start:]}
                return
            start += len(group)
            before = len(self.output.done)
            try:
                self._rank(group)
            except NoAnswer as error:
                silent = silent + 1 if len(self.output.done) == before else 0
                if error.unreachable or silent >= _MAX_SILENT:
                    raise
                unranked = [document.id for document, _ in group if document.id not in self.output.done]
                self.ranked.left |= dict.fromkeys(unranked, f"{error}; the next run asks again")
            else:
                silent = 0
            yield len(self.output.done) - before

    def _rank(self, group: Sequence[tuple[Document, Prediction]]) -> None:
        costs = {document.id: self._cost(document, prediction) for document, prediction in group}
        for prediction in self.keep([document for document, _ in group], [prediction for _, prediction in group]):
            cost = costs[prediction.id]
            self.output.append(
                {**prediction.to_dict(), _COST: {"prompt_tokens": cost.prompt_tokens, "tokens": cost.tokens}}
            )
            self.meter.spent += cost
            self.ranked.spent += cost
            self.ranked.by_document[prediction.id] = prediction

    def _affordable(self, pairs: Sequence[tuple[Document, Prediction]]) -> list[tuple[Document, Prediction]]:
        """As many of the first documents as the budget bears."""
        group, cost = [], Cost()
        for pair in pairs:
            cost += self._cost(*pair)
            if not self.meter.allows(cost):
                break
            group.append(pair)
        return group

    def _cost(self, document: Document, prediction: Prediction) -> Cost:
        return self.meter.reading(self.keep.questions(document, prediction.relations))
