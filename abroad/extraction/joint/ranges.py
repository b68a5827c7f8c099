"""Lists and ranges of names as their members, for the types whose names a field says are expanded.

"urolithins A-C" is one mention to the tagger, and three to whatever comes after it: each has the whole stretch, its own
name and the rule by which the stretch stands for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from abroad.core.entities import Entity
from abroad.extraction.builtin.align import squash
from abroad.extraction.joint.texts import Mention, Text, span_of
from abroad.text.expand import expand_lists, expand_phrase, expand_shared_heads, without_numbering


@dataclass(frozen=True)
class _List:
    """A list or range of a text.

    Attributes:
        start: offset in the text as given.
        end: offset after it.
    """

    start: int
    end: int
    names: tuple[str, ...]
    rule: str

    def member(self, type: str, name: str, *identifiers: str) -> Mention:
        return Mention(self.start, self.end, type, identifiers, name, self.rule)

    def holds(self, mention: Mention) -> bool:
        return self.start <= mention.start and mention.end <= self.end


def with_members(text: Text, mentions: Sequence[Mention], types: Sequence[str]) -> list[Mention]:
    """The mentions; in place of a list of these types, whole or cut off at one end, a mention of each member."""
    if not types:
        return list(mentions)
    lists = list(_lists(text))
    expanded = {(found, m.type): None for m in mentions if m.type in types and (found := _list_of(text, m, lists))}
    kept = [
        mention
        for mention in mentions
        if not any(type == mention.type and _covers(text, found, mention) for found, type in expanded)
    ]
    members = [found.member(type, name) for found, type in expanded for name in found.names]
    return sorted([*kept, *members], key=lambda mention: (mention.start, mention.end))


def annotated_members(text: Text, entities: Sequence[Entity], types: Sequence[str]) -> list[Mention]:
    """Mentions of annotated entities of these types as members of lists.

    A list counts where half of its names or more are annotated: what only reads like a list has other names. Where an
    entity has spans these say which lists are meant. One whose label is a list itself is each of its members.
    """
    named: dict[tuple[str, str], list[Entity]] = {}
    for entity in entities:
        if entity.type in types:
            for name in expand_phrase(entity.label):
                named.setdefault((entity.type, squash(name)), []).append(entity)
    if not named:
        return []
    found: list[Mention] = []
    for listed in _lists(text):
        for type in types:
            own = [(name, one) for name in listed.names for one in named.get((type, squash(name)), ())]
            if 2 * len({name for name, _ in own}) >= len(listed.names):
                found += [listed.member(type, name, one.id) for name, one in own if _meant(listed, one)]
    return found


def _lists(text: Text) -> Iterator[_List]:
    """The lists and ranges of a text, in which names that share a part stand outside the others."""
    clean = text.normalised
    lists = expand_lists(clean.text)
    shared = [
        one
        for one in expand_shared_heads(clean.text)
        if all(one.end <= other.start or one.start >= other.end for other in lists)
    ]
    for one in (*lists, *shared):
        yield _List(*clean.original_span(one.start, one.end), one.labels, one.rule)


def _list_of(text: Text, mention: Mention, lists: Iterable[_List]) -> _List | None:
    """The list that begins or ends with a mention, or that it is but for the numbers of compounds behind it."""
    first, last = span_of(text, mention.start, mention.end)
    for listed in lists:
        begin, end = span_of(text, listed.start, listed.end)
        if begin <= first and last <= end:
            if begin == first or last == end:
                return listed
        elif begin == first and not without_numbering(text.given[listed.end : mention.end]).strip(" .,;"):
            return listed
    return None


def _covers(text: Text, listed: _List, mention: Mention) -> bool:
    return listed.holds(mention) or _list_of(text, mention, [listed]) is not None


def _meant(listed: _List, entity: Entity) -> bool:
    return not entity.spans or any(start < listed.end and listed.start < end for start, end in entity.spans)
