"""Candidate relations, or candidate outputs, of documents put in order by a language model, without training.

    engine = make_engine("transformers", "smollm2-135m")
    for ranking in rank_candidates(engine, [CandidateSet("1", text, ("A produces b", "A produces c"))]):
        ranking.order("er-d"), ranking.values("er-d")

What they are put in order by: `abroad.ranking.orders`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar

from pydantic import Field

from abroad.core.errors import InputError
from abroad.core.field import find_field
from abroad.core.jsonl import read_jsonl
from abroad.core.progress import Progress
from abroad.core.registry import member_of
from abroad.core.resume import ResumableOutput, digest
from abroad.core.schema import Document, Prediction, Relation
from abroad.core.settings import PositiveShare, Settings, Share
from abroad.engines.base import Engine
from abroad.ranking.game import CORRECT, INCORRECT, GameSettings, Policies, find_equilibria
from abroad.ranking.orders import ORDERS
from abroad.ranking.policies import CandidateSet, ModelView, RankingPrompts, view_candidates
from abroad.ranking.statements import Statements, key_of, names_of

_AT_ONCE = 16  # candidates, of one document or several, that the engine is asked of together
_FIELD = "ranking"
_NONE = Policies((), ())


@dataclass(frozen=True)
class CandidateRanking:
    """What is held of one set of candidates.

    Attributes:
        likelihood: mean ln P of a token, of each candidate.
        initial: policies before the game.
        final: policies after it.
        error: why there is nothing to rank by, if so.
    """

    id: str
    likelihood: Any = ()
    initial: Policies = _NONE
    final: Policies = _NONE
    error: str | None = None

    def values(self, by: str) -> list[float]:
        """What each candidate is ranked by, higher first: logarithms, in the candidates' own order.

        Raises:
            InputError: no such order, or the set could not be ranked.
        """
        order = ORDERS.get(by)
        if self.error is not None:
            raise InputError(f"{self.id}: {self.error}")
        if not len(self.likelihood):
            return []
        return [float(value) for value in order.values(ModelView(self.likelihood, self.initial), self.final)]

    def order(self, by: str) -> list[int]:
        """Indices of the candidates, best first; equal ones stay as they were."""
        values = self.values(by)
        return sorted(range(len(values)), key=lambda index: -values[index])

    def details(self) -> list[dict[str, Any]]:
        """Of each candidate: its probability in each order, and what generator and discriminator say of it."""
        import numpy as np

        orders = ORDERS.names()
        columns = {by: np.exp(self.values(by)) for by in orders}
        rows: list[dict[str, Any]] = []
        for n in range(len(self.likelihood)):
            row: dict[str, Any] = {by: _rounded(columns[by][n]) for by in orders}
            for name, policies in (("first", self.initial), ("final", self.final)):
                generator, discriminator = policies.generator[n], policies.discriminator[n]
                row[f"{name}_generator_correct"] = bool(generator[CORRECT] > generator[INCORRECT])
                row[f"{name}_discriminator_correct"] = bool(discriminator[CORRECT] > discriminator[INCORRECT])
            row["first_generator"] = _rounded(np.exp(self.initial.generator[n, CORRECT]))
            row["first_discriminator"] = _rounded(np.exp(self.initial.discriminator[n, CORRECT]))
            rows.append(row)
        return rows


def _rounded(value: float) -> float:
    return float(f"{value:.10g}")


def rank_candidates(
    engine: Engine,
    sets: Iterable[CandidateSet],
    game: GameSettings | None = None,
    prompts: RankingPrompts | None = None,
) -> Iterator[CandidateRanking]:
    """The ranking of each set, in order; one that does not fit the model's context gets an error.

    Raises:
        InputError: a server without log-probabilities.
    """
    for group in _groups(sets):
        views = view_candidates(engine, group, prompts)
        known = [view for view in views if view is not None]
        finals = iter(find_equilibria([view.initial for view in known], game))
        for item, view in zip(group, views, strict=True):
            if view is None:
                yield CandidateRanking(item.id, error="text and candidates do not fit the ranking model's context")
            else:
                yield CandidateRanking(item.id, view.likelihood, view.initial, next(finals))


def _groups(sets: Iterable[CandidateSet]) -> Iterator[list[CandidateSet]]:
    group: list[CandidateSet] = []
    for item in sets:
        group.append(item)
        if sum(len(other.candidates) for other in group) >= _AT_ONCE:
            yield group
            group = []
    if group:
        yield group


class RankSettings(Settings):
    """How predictions are ranked."""

    former_names: ClassVar[Mapping[str, str]] = {"least": "min_probability"}
    later_fields: ClassVar[frozenset[str]] = frozenset({"field"})

    field: Path | None = Field(
        None, description="File of the field of the relations, whose templates state them; null: natural products."
    )
    by: Annotated[str, member_of(ORDERS)] = Field(
        "er-d", description="Order of the relations: likelihood, product, er-g or er-d."
    )
    keep: PositiveShare = Field(
        1.0, description="Share of a document's relations that stays, one at least; of whole outputs the first stays."
    )
    min_probability: Share = Field(
        0.0, description="Leave out relations of a lower value (a probability) in this order."
    )
    game: GameSettings = Field(GameSettings(), description="Settings of the equilibrium search.")
    prompts: RankingPrompts = Field(RankingPrompts(), description="How the model is asked.")

    @property
    def statements(self) -> Statements:
        """How relations are stated.

        Raises:
            InputError: a field that is none.
        """
        return Statements(find_field(self.field))

    def identity(self) -> dict[str, Any]:
        """As of all settings; of a field, what its file says, wherever it stands."""
        whole = super().identity()
        return (
            whole if "field" not in whole else whole | {"field": digest(find_field(self.field).model_dump(mode="json"))}
        )


class FewShotKeep(Settings):
    """How much stays of the answers of a model that was not trained for the task.

    Such a model names too much: about half of its relations are right, and of those of `abroad fewshot --rank` the
    better half stays. Trained extractors have a score of their own for that, and theirs are only put in order.
    """

    keep: PositiveShare = Field(0.5, description="Share of a document's ranked relations that stays, one at least.")


class FewShotRankSettings(FewShotKeep, RankSettings):
    """How the answers of a model that was not trained for the task are ranked.

    The better half of them stays, since such a model names too much (`FewShotKeep`); of trained extractors all stay.
    """


def rank_relations(
    engine: Engine,
    documents: Sequence[Document],
    predictions: Sequence[Prediction],
    settings: RankSettings | None = None,
    statements: Statements | None = None,
) -> Iterator[Prediction]:
    """Each document's prediction with its relations in the new order, those that do not stay left out.

    Relations keep their own `score`, which is a calibrated probability or nothing; what the model holds of each
    stands in `extra["ranking"]`, of all candidates, best first. A prediction with an error stays as it is.

    Args:
        statements: how relations are stated, where that is known without the file of a field.
    Raises:
        InputError: relations of another field.
    """
    settings = settings or RankSettings()
    statements = statements or settings.statements
    statements.check([predictions])
    by_id = {prediction.id: prediction for prediction in predictions}
    todo = [(document, by_id[document.id]) for document in documents if document.id in by_id]
    stated = [statements.by_statement(prediction.relations) for _, prediction in todo]
    sets = (CandidateSet(d.id, d.text, tuple(each)) for (d, _), each in zip(todo, stated, strict=True))
    ranked = rank_candidates(engine, sets, settings.game, settings.prompts)
    for (_, prediction), each, ranking in zip(todo, stated, ranked, strict=True):
        if prediction.error is not None:
            yield prediction
            continue
        yield _ranked(prediction, list(each.values()), ranking, settings, statements)


def _ranked(
    prediction: Prediction,
    relations: list[Relation],
    ranking: CandidateRanking,
    settings: RankSettings,
    statements: Statements,
) -> Prediction:
    if ranking.error is not None:
        return Prediction(prediction.id, error=ranking.error, extra=prediction.extra)
    order, details = ranking.order(settings.by), ranking.details()
    record = [{**statements.row(relations[n]), "place": n, **details[n]} for n in order]
    extra = {**prediction.extra, _FIELD: record, "game_steps": ranking.final.steps}
    kept = _keep([details[n][settings.by] for n in order], settings)
    return Prediction(prediction.id, [relations[n] for n in order[:kept]], extra=extra)


def _keep(values: Sequence[float], settings: RankSettings) -> int:
    """How many of the candidates stay, by their values in order."""
    most = max_kept(len(values), settings)
    return sum(value >= settings.min_probability for value in values[:most])


def max_kept(count: int, settings: RankSettings) -> int:
    """How many of so many candidates stay at most."""
    return max(1, round(settings.keep * count))


def reorder(prediction: Prediction, settings: RankSettings) -> Prediction:
    """A prediction that was ranked with all its relations kept, in another of the orders; no model is asked.

    Args:
        settings: order and what stays; game and prompts are those that it was ranked with.
    Raises:
        InputError: it was ranked before there was such an order.
    """
    if prediction.error is not None:
        return prediction
    if any(settings.by not in row for row in prediction.extra[_FIELD]):
        raise InputError(f"{prediction.id}: it was ranked without the order {settings.by!r}; rank it again")
    record = sorted(prediction.extra[_FIELD], key=lambda row: (-row[settings.by], row["place"]))
    known = {names_of(relation): relation for relation in prediction.relations}
    kept = record[: _keep([row[settings.by] for row in record], settings)]
    relations = [known[key_of(row)] for row in kept]
    return Prediction(prediction.id, relations, extra={**prediction.extra, _FIELD: record})


def rank_outputs(
    engine: Engine,
    documents: Sequence[Document],
    outputs: Sequence[Sequence[Prediction]],
    settings: RankSettings | None = None,
) -> Iterator[Prediction]:
    """Of several predictions for each document, the best: whole outputs are candidates, relation by relation written.

    Args:
        outputs: predictions of each run; those without relations count as the output "no relation"; those with an
            error do not count.
    """
    settings = settings or RankSettings()
    statements = settings.statements
    statements.check(outputs)
    by_id = [{prediction.id: prediction for prediction in run} for run in outputs]
    kept: list[dict[str, tuple[int, Prediction]]] = []
    sets = []
    for document in documents:
        distinct: dict[str, tuple[int, Prediction]] = {}
        for number, run in enumerate(by_id):
            prediction = run.get(document.id)
            if prediction is not None and prediction.error is None:
                distinct.setdefault(statements.written(prediction.relations), (number, prediction))
        kept.append(distinct)
        sets.append(CandidateSet(document.id, document.text, tuple(distinct)))
    ranked = rank_candidates(engine, sets, settings.game, settings.prompts)
    for distinct, ranking in zip(kept, ranked, strict=True):
        choices = list(distinct.values())
        if ranking.error is not None or not choices:
            yield Prediction(ranking.id, error=ranking.error or "no output without an error to choose from")
            continue
        order, details = ranking.order(settings.by), ranking.details()
        said = [[_listed(relation, statements) for relation in output.relations] for _, output in choices]
        record = [{"relations": said[n], "place": n, **details[n]} for n in order]
        number, best = choices[order[0]]
        extra = {**best.extra, _FIELD: record, "chosen": number, "game_steps": ranking.final.steps}
        yield Prediction(best.id, best.relations, extra=extra)


def _listed(relation: Relation, statements: Statements) -> list[str] | dict[str, Any]:
    return [relation.head, relation.tail] if relation.is_built_in else statements.row(relation)


@dataclass(frozen=True)
class RankReport:
    """What came of ranking a file.

    Attributes:
        documents: ranked.
        resumed: of an earlier run.
        failed: with an error.
        candidates: of all.
        kept: relations that stay.
    """

    documents: int
    resumed: int
    failed: int
    candidates: int
    kept: int


def rank_file(
    engine: Engine,
    identity: dict[str, Any],
    documents: Sequence[Document],
    outputs: Sequence[Sequence[Prediction]],
    settings: RankSettings,
    out: Path,
    whole: bool = False,
) -> RankReport:
    """Write the ranked prediction of each document to `out` (JSONL), resumably.

    Args:
        identity: of the engine; `abroad.engines.spec.text_identity` gives it.
        outputs: one list of predictions, or several: their relations together, or with `whole` each an output.
    """
    wanted: dict[str, str] = {}
    settings.statements.check(outputs)  # before a model is loaded
    runs = [{prediction.id: prediction for prediction in run} for run in outputs]
    todo_documents = [document for document in documents if any(document.id in run for run in runs)]
    for document in todo_documents:
        parts = [[r.to_dict() for r in run[document.id].relations] if document.id in run else None for run in runs]
        wanted[document.id] = digest(document.text, parts)
    settings_identity = settings.identity() | {"whole": whole}
    with ResumableOutput(out, {**identity, "ranking": settings_identity}, wanted) as output:
        left = [document for document in todo_documents if document.id not in output.done]
        resumed = len(todo_documents) - len(left)
        ranked = (
            rank_outputs(engine, left, outputs, settings)
            if whole
            else rank_relations(engine, left, merge_runs(outputs, settings.statements), settings)
        )
        with Progress("ranking candidates", len(todo_documents), done=resumed) as progress:
            for prediction in ranked:
                output.append(prediction.to_dict())
                progress.advance()
    output.finish(order=wanted)
    records = read_jsonl(out)
    return RankReport(
        documents=len(records),
        resumed=resumed,
        failed=sum(record["error"] is not None for record in records),
        candidates=sum(len(record.get(_FIELD) or ()) for record in records),
        kept=sum(len(record["relations"]) for record in records),
    )


def merge_runs(outputs: Sequence[Sequence[Prediction]], statements: Statements) -> list[Prediction]:
    """One prediction a document: the relations of all runs, each once; an error only where no run did without."""
    merged: dict[str, Prediction] = {}
    for run in outputs:
        for prediction in run:
            earlier = merged.get(prediction.id)
            if earlier is None or (earlier.error is not None and prediction.error is None):
                merged[prediction.id] = prediction
            elif prediction.error is None:
                both = {statements.key(r): r for r in (*prediction.relations, *earlier.relations)}
                order = statements.by_key([*earlier.relations, *prediction.relations])
                extra = {**prediction.extra, **earlier.extra}
                merged[prediction.id] = Prediction(prediction.id, [both[key] for key in order], extra=extra)
    return list(merged.values())
