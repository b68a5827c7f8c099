"""Where a text has names that the sources of a field give: tables, annotated documents, NCBI Taxonomy, pipelines.

Without labelled documents these names are all that is known of a field; beside them they are features of the tagger,
which decides for itself how far it believes them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from abroad.core.errors import InputError, MissingDependencyError
from abroad.core.field import EntityType, Field
from abroad.core.field_names import table_names
from abroad.documents.field_sources import annotated_names
from abroad.extraction.joint.strains import end_of_strain, with_designations
from abroad.extraction.joint.texts import Mention, Text, span_of
from abroad.text.abbreviations import definitions
from abroad.text.organisms import find_organisms

_TAXA = frozenset(("binomial", "abbreviated", "unnamed", "genus", "candidatus"))
_BELIEVED = 0.5  # of a name of the taxonomy that is an ordinary word too
_AS_WRITTEN = 4  # characters up to which capitals count: "DDT", "Ti"


@dataclass(frozen=True)
class NameFinder:
    """Names of a field by their sources.

    Attributes:
        listed: type -> names of its table or documents.
        taxa: types whose names are those of NCBI Taxonomy.
        chemicals: types whose names are the chemicals that the built-in tagger finds.
        strains: types whose names go on with the designation of a strain.
        pipelines: type -> (name of a pipeline of spaCy, label of its entities; all of them without).
    """

    listed: Mapping[str, Sequence[str]] = field(default_factory=dict)
    taxa: Sequence[str] = ()
    chemicals: Sequence[str] = ()
    strains: Sequence[str] = ()
    pipelines: Mapping[str, tuple[str, str | None]] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.listed or self.taxa or self.chemicals or self.pipelines)

    def find(self, text: Text) -> list[Mention]:
        """Mentions without identifiers, in order; of two that overlap, the longer, or the first."""
        found = [Mention(start, end, type) for start, end, type in self._spans(text)]
        kept: list[Mention] = []
        taken = [False] * len(text.given)
        for mention in sorted(found, key=lambda m: (m.start - m.end, m.start)):
            if not any(taken[mention.start : mention.end]):
                taken[mention.start : mention.end] = [True] * (mention.end - mention.start)
                kept.append(mention)
        return sorted(kept, key=lambda mention: mention.start)

    def features(self, text: Text) -> dict[int, str]:
        """Number of a token -> the type that a source gives it, and whether a name begins with it."""
        found: dict[int, str] = {}
        for mention in self.find(text):
            first, last = span_of(text, mention.start, mention.end)
            found |= {place: f"named={mention.type}{'' if place > first else ':first'}" for place in range(first, last)}
        return found

    def _spans(self, text: Text) -> Iterator[tuple[int, int, str]]:
        for type in self._types:
            spans = [*self._listed(text, type)]
            if type in self.taxa:
                spans += [span for span in self._taxa(text, type) if not _overlaps(span, spans)]
            if type in self.strains:
                spans = with_designations(text.given, spans)
            spans += _abbreviated(text.given, spans)
            for start, end in spans:
                yield start, end, type
        for type in self.chemicals:
            for start, end in _chemicals(text):
                yield start, end, type
        for type, (name, label) in self.pipelines.items():
            for entity in _pipeline(name)(text.given).ents:
                if label is None or entity.label_ == label:
                    yield entity.start_char, entity.end_char, type

    @cached_property
    def _types(self) -> list[str]:
        return list(dict.fromkeys([*self.listed, *self.taxa]))

    @cached_property
    def _keys(self) -> dict[str, tuple[set[str], int]]:
        """Type -> (its names as they are compared, most tokens of one)."""
        return {
            type: ({_key(name) for name in names}, max((len(_tokens(name)) for name in names), default=0))
            for type, names in self.listed.items()
        }

    def _listed(self, text: Text, type: str) -> Iterator[tuple[int, int]]:
        names, most = self._keys.get(type, (set(), 0))
        spans, given, place = text.token_spans, text.given, 0
        while place < len(spans):
            start = spans[place][0]
            inside = start > 0 and (given[start - 1].isalnum() or given[start - 1] == "-")
            for last in range(min(place + most, len(spans)) - 1, place - 1, -1) if not inside else ():
                end = spans[last][1]
                if _key(given[start:end]) in names:
                    yield start, end_of_strain(given, end) if type in self.strains else end
                    place = last
                    break
            place += 1

    def _taxa(self, text: Text, type: str) -> Iterator[tuple[int, int]]:
        for one in find_organisms(text.normalised.text):
            if one.form in _TAXA and one.belief >= _BELIEVED:
                start, end = text.normalised.original_span(one.start, one.end)
                yield start, end_of_strain(text.given, end) if type in self.strains else end

    @classmethod
    def of_field(cls, of: Field, folder: Path) -> NameFinder:
        """The sources that a field names.

        Args:
            folder: of the field's file, from which its files are named.
        """
        listed = {type: list(dict.fromkeys(_names(type, one, folder))) for type, one in of.entities.items()}
        return cls(
            {type: names for type, names in listed.items() if names},
            [type for type, one in of.entities.items() if one.names.kind == "taxonomy" or one.is_organism],
            [type for type, one in of.entities.items() if one.is_chemical],
            [type for type, one in of.entities.items() if one.strains],
            {
                type: (one.names.pipeline, one.names.label)
                for type, one in of.entities.items()
                if one.names.pipeline is not None
            },
        )

    def to_dict(self) -> dict[str, Any]:
        return {
            "listed": {type: list(names) for type, names in self.listed.items()},
            "taxa": list(self.taxa),
            "chemicals": list(self.chemicals),
            "strains": list(self.strains),
            "pipelines": {type: list(pipeline) for type, pipeline in self.pipelines.items()},
        }

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> NameFinder:
        pipelines = {type: (name, label) for type, (name, label) in record["pipelines"].items()}
        return cls(record["listed"], record["taxa"], record["chemicals"], record["strains"], pipelines)


def _names(type: str, one: EntityType, folder: Path) -> Iterator[str]:
    yield from table_names(one, folder)
    if one.names.kind == "annotated" and one.names.file is not None:
        yield from (name for kind, name in annotated_names(folder / one.names.file) if kind in (type, type.casefold()))


def _abbreviated(text: str, spans: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Abbreviations that the text defines for one of these names."""
    names = {_key(text[start:end]) for start, end in spans}
    for short, long in definitions(text).items():
        if _key(long) in names:
            yield from (match.span() for match in re.finditer(rf"(?<![\w-]){re.escape(short)}(?![\w-])", text))


def _chemicals(text: Text) -> Iterator[tuple[int, int]]:
    from abroad.extraction.builtin.candidates import named_stretches
    from abroad.extraction.builtin.pairs import default_tagger
    from abroad.extraction.builtin.reading import read_text

    reading = read_text(text.given, text.title_end)
    for first, last in named_stretches(reading, default_tagger().tag(reading).chemical):
        yield reading.original_span(reading.tokens[first].start, reading.tokens[last - 1].end)


def _overlaps(span: tuple[int, int], others: Iterable[tuple[int, int]]) -> bool:
    return any(start < span[1] and span[0] < end for start, end in others)


def _key(name: str) -> str:
    name = " ".join(name.split())
    return name if len(name) <= _AS_WRITTEN else name.casefold()


def _tokens(name: str) -> Sequence[Any]:
    return Text("", name, 0).tokens


@cache
def _pipeline(name: str) -> Any:
    try:
        import spacy
    except ImportError:
        raise MissingDependencyError("spacy", "spacy", "names of a pipeline") from None
    try:
        return spacy.load(name)
    except OSError as error:
        raise InputError(f"the field's pipeline {name!r}: {error}") from None
