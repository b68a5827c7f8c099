"""Which identifier a mention means: a dictionary learnt from documents, names of the field, abbreviations of the text.

What is in neither gets its own name as identifier (`name:…`): mentions of one thing in a text hold together, but what
it is called in a database is not known. A thing that no training document and no table names cannot be linked.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from abroad.extraction.joint.texts import Annotated, Mention, Text
from abroad.text.abbreviations import definitions

Name = tuple[str, str, str]
"""Type of the entity, one of its names, its identifier."""
UNKNOWN = "name:"
"""What identifiers begin with that are no database's."""

_SIGNS = re.compile(r"[\W_]+")


@dataclass(frozen=True)
class Linker:
    """Names and what they mean.

    Attributes:
        names: type -> `name_key` of a name -> identifiers.
    """

    names: Mapping[str, Mapping[str, tuple[str, ...]]]

    def link(self, text: Text, mentions: Sequence[Mention]) -> list[Mention]:
        """The mentions with identifiers; an abbreviation that the text defines means what its long form does."""
        longs = {name_key(short): name_key(long) for short, long in definitions(text.given).items()}
        return [replace(mention, identifiers=self._of(text, mention, longs)) for mention in mentions]

    def _of(self, text: Text, mention: Mention, longs: Mapping[str, str]) -> tuple[str, ...]:
        known = self.names.get(mention.type, {})
        own = name_key(text.name(mention))
        long = longs.get(own, own)
        return known.get(long) or known.get(own) or (f"{UNKNOWN}{long or own}",)

    @classmethod
    def learn(cls, documents: Iterable[Annotated], names: Iterable[Name] = ()) -> Linker:
        """From the mentions of documents, and further names.

        Args:
            documents: whose identifiers are a database's, "MESH:D003924"; others ("e1") mean nothing elsewhere.
            names: what documents say of a name goes before them.
        """
        counts: dict[str, dict[str, Counter[tuple[str, ...]]]] = {}
        for document in documents:
            for mention in document.mentions:
                if mention.identifiers and all(":" in identifier for identifier in mention.identifiers):
                    key = name_key(document.text.name(mention))
                    counts.setdefault(mention.type, {}).setdefault(key, Counter())[mention.identifiers] += 1
        learnt: dict[str, dict[str, tuple[str, ...]]] = {}
        for type, name, identifier in names:
            learnt.setdefault(type, {}).setdefault(name_key(name), (identifier,))
        for type, found in counts.items():
            learnt.setdefault(type, {}).update({key: counter.most_common(1)[0][0] for key, counter in found.items()})
        return cls(learnt)

    def to_dict(self) -> dict[str, Any]:
        return {type: {name: list(found) for name, found in sorted(own.items())} for type, own in self.names.items()}

    @classmethod
    def from_dict(cls, record: dict[str, Any]) -> Linker:
        return cls({type: {name: tuple(found) for name, found in own.items()} for type, own in record.items()})


def name_key(name: str) -> str:
    """What spellings of a name have in common: small letters and digits, without the plural's "s"."""
    words = [word for word in _SIGNS.split(name.casefold()) if word]
    if words and len(words[-1]) > 3 and words[-1].endswith("s") and not words[-1].endswith(("ss", "us", "is")):
        words[-1] = words[-1][:-1]
    return "".join(words)
