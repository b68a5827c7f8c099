"""What the joint extractor learns from and reads: texts with typed mentions, identifiers, and relations of these."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from abroad.text.normalise import NormalisedText, normalise
from abroad.text.tokens import Token, tokenise


@dataclass(frozen=True, slots=True)
class Mention:
    """A stretch of text that names an entity, or several at once ("MODY genes").

    Attributes:
        start: offset in the text as given, in code points.
        end: offset after it.
        type: of the entity.
        identifiers: of the entities; empty where none is known.
        name: of the entity, where the stretch is a list or range that stands for several; else empty.
        rule: how the name follows from the stretch.
    """

    start: int
    end: int
    type: str
    identifiers: tuple[str, ...] = ()
    name: str = ""
    rule: str = "verbatim"


@dataclass(frozen=True, slots=True)
class RelationType:
    """A kind of relation between entities of two types.

    Attributes:
        directed: whether head and tail may not change places; of undirected ones each pair is learnt and given once.
    """

    name: str
    head: str
    tail: str
    directed: bool = True


@dataclass(frozen=True, slots=True)
class Schema:
    """Types of entities, and the relations between them.

    Attributes:
        strains: types whose names go on with the designation of a strain.
        ranges: types of which lists and ranges of names are expanded.
        taxa: types whose identifiers are those of NCBI Taxonomy where a name has no other.
    """

    types: tuple[str, ...]
    relations: tuple[RelationType, ...]
    strains: tuple[str, ...] = ()
    ranges: tuple[str, ...] = ()
    taxa: tuple[str, ...] = ()


Triple = tuple[str, str, str]
"""Name of the relation, identifiers of head and tail."""


@dataclass(frozen=True)
class Text:
    """A text, tokenised.

    Attributes:
        given: title, one space, abstract.
        title_end: offset where the title ends.
    """

    id: str
    given: str
    title_end: int

    @cached_property
    def normalised(self) -> NormalisedText:
        return normalise(self.given, self.title_end)

    @cached_property
    def tokens(self) -> Sequence[Token]:
        """Offsets count in the normalised text."""
        return tokenise(self.normalised.folded, self.normalised.title_end)

    @property
    def sentences(self) -> int:
        return self.tokens[-1].sentence + 1 if self.tokens else 0

    def name(self, mention: Mention) -> str:
        """What a mention calls its entity, as the text has it; of a list or range, the member."""
        return mention.name or self.given[mention.start : mention.end]

    @cached_property
    def token_spans(self) -> list[tuple[int, int]]:
        """Offsets of each token in the text as given."""
        return [self.normalised.original_span(token.start, token.end) for token in self.tokens]


@dataclass(frozen=True)
class Annotated:
    """A text with all its mentions, and all relations that hold between their identifiers.

    Attributes:
        unknown: relations that may hold or not; nothing is learnt of them.
        weight: of what is learnt of its pairs.
        is_complete: False of one whose further mentions and relations are not known: only what it states is learnt.
    """

    text: Text
    mentions: Sequence[Mention]
    relations: frozenset[Triple] = field(default_factory=frozenset)
    unknown: frozenset[Triple] = field(default_factory=frozenset)
    weight: float = 1.0
    is_complete: bool = True

    @cached_property
    def entities(self) -> list[Entity]:
        return entities_of(self.text, self.mentions)


@dataclass(frozen=True, slots=True)
class Entity:
    """An identifier of a text with its mentions.

    Attributes:
        spans: first token of each mention, and one past its last; in order.
        mentions: the same, as they were found.
    """

    identifier: str
    type: str
    spans: tuple[tuple[int, int], ...]
    mentions: tuple[Mention, ...]


def entities_of(text: Text, mentions: Iterable[Mention]) -> list[Entity]:
    """Mentions by identifier and type, in the order of the text; what has no identifier or no token is left out."""
    grouped: dict[tuple[str, str], list[tuple[tuple[int, int], Mention]]] = {}
    for mention in sorted(mentions, key=lambda mention: (mention.start, mention.end)):
        span = span_of(text, mention.start, mention.end)
        if span[0] < span[1]:
            for identifier in mention.identifiers:
                grouped.setdefault((identifier, mention.type), []).append((span, mention))
    return [
        Entity(identifier, type, tuple(span for span, _ in found), tuple(mention for _, mention in found))
        for (identifier, type), found in grouped.items()
    ]


def span_of(text: Text, start: int, end: int) -> tuple[int, int]:
    """Indices (first, one past the last) of the tokens that a stretch of the text as given touches."""
    spans = text.token_spans
    return bisect_right(spans, start, key=lambda span: span[1]), bisect_left(spans, end, key=lambda span: span[0])


@dataclass(frozen=True, slots=True)
class Candidate:
    """A relation that may hold: number of its type in the schema, numbers of its head and tail among the entities."""

    relation: int
    head: int
    tail: int


def candidates(schema: Schema, entities: Sequence[Entity]) -> Iterator[Candidate]:
    """All relations that the types allow, none of an entity with itself; undirected ones of one type once a pair."""
    for number, relation in enumerate(schema.relations):
        for head, first in enumerate(entities):
            if first.type != relation.head:
                continue
            for tail, second in enumerate(entities):
                once = relation.directed or relation.head != relation.tail or head < tail
                if second.type == relation.tail and once and first.identifier != second.identifier:
                    yield Candidate(number, head, tail)


def holds(schema: Schema, candidate: Candidate, document: Annotated) -> bool:
    """Whether the document states the relation, in either order where it is undirected."""
    return _is_among(document.relations, schema, candidate, document)


def is_known(schema: Schema, candidate: Candidate, document: Annotated) -> bool:
    """Whether the document says if the relation holds."""
    if holds(schema, candidate, document):
        return True
    return document.is_complete and not _is_among(document.unknown, schema, candidate, document)


def _is_among(triples: frozenset[Triple], schema: Schema, candidate: Candidate, document: Annotated) -> bool:
    if not triples:
        return False
    relation = schema.relations[candidate.relation]
    head, tail = (document.entities[place].identifier for place in (candidate.head, candidate.tail))
    turned = not relation.directed and (relation.name, tail, head) in triples
    return turned or (relation.name, head, tail) in triples
