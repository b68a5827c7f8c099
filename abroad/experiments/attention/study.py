"""The attention study of a model over documents: trivial patterns, instruction, mentions of gold relations.

https://arxiv.org/abs/2310.19084; what the paper does not have: the attention from relations to their mentions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from pydantic import Field

from abroad.core.context import Context
from abroad.core.entities import PRODUCES
from abroad.core.errors import InputError
from abroad.core.linearise import SEPARATOR, VERB
from abroad.core.schema import Document
from abroad.core.settings import Count, Seed, Settings
from abroad.experiments.attention.attention import Encoded, encode_text, token_attention, word_attention
from abroad.experiments.attention.measures import (
    MIN_WORDS,
    by_quarter,
    divergence,
    mention_mass,
    trivial_share,
)
from abroad.extraction.generative.encode import encode_answer
from abroad.extraction.generative.notation import Notation

INSTRUCTION = "Which organism produces which chemical, according to this text?\n\n"


class StudySettings(Settings):
    """What is looked at, and how much of it."""

    former_names: ClassVar[Mapping[str, str]] = {"max_tokens": "max_length"}

    instruction: str = Field(INSTRUCTION, description="Put before each text.")
    max_length: Annotated[int, Field(ge=16)] = Field(
        1024, description="Longer documents are set aside: a matrix grows as the square."
    )
    max_relations: Count = Field(8, description="Relations of a document whose mentions are looked for.")
    seed: Seed = Field(0, description="Seed of the random prefix and the bootstrap.")


@dataclass(frozen=True)
class DocumentAttention:
    """What one model shows on one document. Q stands for the quarters of the layers.

    Attributes:
        words: of the text.
        attention: (layers, heads, words, words).
        trivial: R2 on trivial patterns, (layers, heads).
        instruction: divergence from the plain text with the instruction before it, (layers, heads).
        random: with as many random tokens before it, (layers, heads).
        own: attention from where the labels of relations are written to the mentions of that very label, (layers,
            heads); None without relations whose labels stand in the text.
        any: to the mentions of any label, likewise.
        uniform_own: what `own` would be if all tokens were looked at alike.
        uniform_any: what `any` would be.
    """

    id: str
    words: list[str]
    attention: Any
    trivial: Any
    instruction: Any
    random: Any
    own: Any = None
    any: Any = None
    uniform_own: float = 0.0
    uniform_any: float = 0.0

    def quarters(self) -> dict[str, list[float]]:
        """Each measure, averaged over heads and the quarters of the layers."""
        found = {"trivial": self.trivial, "instruction": self.instruction, "random_prefix": self.random}
        found["instruction_effect"] = self.instruction - self.random
        if self.own is not None:
            found |= {"own_mention": self.own, "any_mention": self.any}
            found["own_mention_lift"] = self.own / self.uniform_own
            found["any_mention_lift"] = self.any / self.uniform_any
        return {name: by_quarter(values.mean(axis=1)).tolist() for name, values in found.items()}


class AttentionStudy:
    """Looks at documents with one model.

    Args:
        model: a name or path; an adapter is merged.
        base: replaces the base model that an adapter names.
    Raises:
        InputError: no such model.
    """

    def __init__(self, model: str, settings: StudySettings | None = None, base: str | None = None) -> None:
        from abroad.models.load import load_model, load_tokenizer
        from abroad.models.resolve import resolve_model

        source = resolve_model(model, base)
        self.name, self.settings = model, settings or StudySettings()
        self.tokenizer = load_tokenizer(source)
        self.model = load_model(source)
        self.model.set_attn_implementation("eager")
        self.context = int(getattr(self.model.config, "max_position_embeddings", 0) or 2**31)

    def look(self, documents: Sequence[Document], context: Context) -> Iterator[DocumentAttention]:
        """What the model shows on each document; those too long or too short are set aside."""
        for document in documents:
            try:
                yield self.look_at(document)
            except InputError as error:
                context.rejects.add(document.id, str(error))

    def look_at(self, document: Document) -> DocumentAttention:
        """The attention of every layer and head over a document.

        Raises:
            InputError: it is too long or too short.
        """
        text = encode_text(self.tokenizer, document.text.strip())
        if len(text.words) < MIN_WORDS:
            raise InputError(f"{len(text.words)} words; expected {MIN_WORDS} or more")
        prefix = encode_text(self.tokenizer, self.settings.instruction).ids
        self._check_length(len(text.before) + len(prefix) + len(text.ids))
        plain = self._words(text, ())
        instructed, random = self._words(text, prefix), self._words(text, self._random(len(prefix), document.id))
        mentions = self._mentions(document, text)
        return DocumentAttention(
            document.id,
            text.words,
            plain,
            trivial_share(plain),
            divergence(plain, instructed),
            divergence(plain, random),
            **mentions,
        )

    def _check_length(self, tokens: int) -> None:
        if tokens > min(self.context, self.settings.max_length):
            limit = "the model's context" if self.context <= self.settings.max_length else "the limit (--max-length)"
            raise InputError(f"{tokens} tokens, more than {min(self.context, self.settings.max_length)}: {limit}")

    def _words(self, text: Encoded, prefix: Sequence[int]) -> Any:
        skipped = len(text.before) + len(prefix)
        found = token_attention(self.model, (*text.before, *prefix, *text.ids))
        return word_attention(found[:, :, skipped:, skipped:], text.word_of_token())

    def _random(self, count: int, id: str) -> list[int]:
        """Ordinary tokens, the same for the same document."""
        import zlib

        import numpy as np

        generator = np.random.default_rng([self.settings.seed, zlib.crc32(id.encode())])
        special = set(self.tokenizer.all_special_ids)
        usable = [n for n in range(min(len(self.tokenizer), self.model.config.vocab_size)) if n not in special]
        return [int(n) for n in generator.choice(usable, size=count)]

    def _mentions(self, document: Document, text: Encoded) -> dict[str, Any]:
        """Attention to mentions while the relations are written, as `abroad train` has them written."""
        import numpy as np

        shift = len(document.text) - len(document.text.lstrip())
        head = (*text.before, *text.ids, self.tokenizer.eos_token_id)
        begin = self.tokenizer.bos_token_id
        head = (*head, begin if begin is not None else self.tokenizer.eos_token_id)
        ids, written, notation = list(head), [], Notation()
        for organism, chemical in document.label_pairs()[: self.settings.max_relations]:
            spans = notation.relation(document, organism, PRODUCES, chemical).evidence
            for role, label, mark in (("organism", organism, VERB), ("chemical", chemical, SEPARATOR)):
                pieces = list(encode_answer(self.tokenizer, label + mark)[:-1])
                length = len(encode_answer(self.tokenizer, label)[:-1])
                places = {
                    len(text.before) + token
                    for span in spans
                    if span.role == role
                    for token in text.tokens_in(span.start - shift, span.end - shift)
                } - {0}  # every head rests on the first token of all, whatever stands there
                if places:
                    # A token is chosen at the position before it: that is where the model looks for it.
                    written.append((np.arange(len(ids) - 1, len(ids) + length - 1), sorted(places)))
                ids += pieces
        if not written or len(ids) > min(self.context, self.settings.max_length):
            return {}
        attention = token_attention(self.model, ids)
        everything = sorted(set().union(*(places for _, places in written)))
        rows = np.concatenate([own_rows for own_rows, _ in written])
        weights = [len(own_rows) for own_rows, _ in written]
        own = [mention_mass(attention, own_rows, places) for own_rows, places in written]
        uniform = [float((len(places) / (own_rows + 1)).mean()) for own_rows, places in written]
        return {
            "own": np.average(own, axis=0, weights=weights),
            "any": mention_mass(attention, rows, everything),
            "uniform_own": float(np.average(uniform, weights=weights)),
            "uniform_any": float((len(everything) / (rows + 1)).mean()),
        }


@dataclass(frozen=True)
class Measure:
    """A figure of attention over documents, with its interval.

    Attributes:
        quarters: mean over documents, of each quarter of the layers.
        low: of its 95% bootstrap over documents.
        high: likewise.
        documents: that have it.
    """

    quarters: list[float]
    low: list[float]
    high: list[float]
    documents: int


def summarise(found: Sequence[dict[str, list[float]]], seed: int = 0) -> dict[str, Measure]:
    """Each measure over documents, of what `DocumentAttention.quarters` gave for each."""
    from abroad.evaluation.bootstrap import mean_interval

    measures = {}
    for name in dict.fromkeys(name for item in found for name in item):
        rows = [item[name] for item in found if name in item]
        columns = list(zip(*rows, strict=True))
        bounds = [mean_interval(column, seed=seed) for column in columns]
        means = [sum(column) / len(column) for column in columns]
        measures[name] = Measure(means, [b.low for b in bounds], [b.high for b in bounds], len(rows))
    return measures


def between_models(a: DocumentAttention, b: DocumentAttention) -> dict[str, list[float]]:
    """Divergence of two models on one document, of the mean head of each quarter of the layers."""
    if a.words != b.words or a.attention.shape[-1] != b.attention.shape[-1]:
        raise InputError(f"{a.id}: the two models read other words")
    first, second = (by_quarter(item.attention.mean(axis=1)) for item in (a, b))
    least = min(len(first), len(second))
    return {"between_models": divergence(first[:least], second[:least]).tolist()}


Step = Callable[[], None]


def study_models(
    models: Sequence[tuple[str, str | None]],
    documents: Sequence[Document],
    settings: StudySettings,
    context: Context,
    advance: Step = lambda: None,
) -> tuple[dict[str, dict[str, Measure]], dict[str, list[DocumentAttention]]]:
    """(measures of each model, attention of the first usable document of each), one model at a time.

    With two models the measures of the second hold `between_models` too.
    """
    measures: dict[str, dict[str, Measure]] = {}
    shown: dict[str, list[DocumentAttention]] = {}
    references: dict[str, DocumentAttention] = {}
    for number, (name, base) in enumerate(models):
        study = AttentionStudy(name, settings, base)
        rows: list[dict[str, list[float]]] = []
        for document in documents:
            for item in study.look([document], context):
                row = item.quarters()
                if number == 0 and len(models) > 1:
                    references[item.id] = _light(item)
                elif item.id in references:
                    row |= between_models(references[item.id], item)
                rows.append(row)
                if not shown.get(name):
                    shown[name] = [item]
            advance()
        if not rows:
            raise InputError(f"{name}: no document to look at (first: {context.rejects.items[0]['reason']})")
        measures[name] = summarise(rows, settings.seed)
    return measures, shown


def _light(item: DocumentAttention) -> DocumentAttention:
    """Quarters of the attention only: all heads of all documents would fill the memory."""
    from dataclasses import replace

    return replace(item, attention=by_quarter(item.attention.mean(axis=1))[:, None])
