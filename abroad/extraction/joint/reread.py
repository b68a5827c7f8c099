"""Documents as the tagger and the linker read them, with the truth carried over from their annotation.

A scorer that has seen gold mentions only meets other entities at work: names that were missed, cut off, or taken for
two things. So it learns from documents as models of other documents read them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from abroad.extraction.joint.linking import Linker
from abroad.extraction.joint.ranges import with_members
from abroad.extraction.joint.strains import whole_strains
from abroad.extraction.joint.tagger import MentionTagger
from abroad.extraction.joint.tags import mentions_of
from abroad.extraction.joint.texts import Annotated, Mention, Schema, Text, Triple, span_of


def read_mentions(schema: Schema, text: Text, tagger: MentionTagger, linker: Linker) -> list[Mention]:
    """The mentions of a text with identifiers."""
    tagged = spread(text, mentions_of(text, tagger.scores(text), schema.types))
    found = linker.link(text, with_members(text, tagged, schema.ranges))
    return whole_strains(text, found, schema.strains) if schema.strains else found


def spread(text: Text, mentions: Sequence[Mention]) -> list[Mention]:
    """The mentions, and the same words wherever else they stand in the text: one sense per discourse (Gale 1992)."""
    words = [token.text.lower() for token in text.tokens]
    places: dict[str, list[int]] = {}
    for place, word in enumerate(words):
        places.setdefault(word, []).append(place)
    taken = [False] * len(words)
    senses: dict[tuple[str, ...], Counter[str]] = {}
    for mention in mentions:
        first, last = span_of(text, mention.start, mention.end)
        taken[first:last] = [True] * (last - first)
        senses.setdefault(tuple(words[first:last]), Counter())[mention.type] += 1
    found, spans = list(mentions), text.token_spans
    for name in sorted((name for name in senses if sum(map(len, name)) > 1), key=lambda name: -len(name)):
        for first in places[name[0]]:
            last = first + len(name)
            if tuple(words[first:last]) == name and not any(taken[first:last]):
                taken[first:last] = [True] * len(name)
                found.append(Mention(spans[first][0], spans[last - 1][1], senses[name].most_common(1)[0][0]))
    return sorted(found, key=lambda mention: (mention.start, mention.end))


def meant(document: Annotated, mentions: Sequence[Mention]) -> dict[str, str]:
    """Identifier of mentions that were read -> the annotated one that most of its mentions have, if any."""
    gold = {(mention.start, mention.end, mention.type, mention.name): mention for mention in document.mentions}
    counts: dict[str, Counter[str]] = {}
    for mention in mentions:
        true = gold.get((mention.start, mention.end, mention.type, mention.name))
        for identifier in mention.identifiers if true else ():
            own = true.identifiers if true else ()
            exact = [identifier] if identifier in own else own
            counts.setdefault(identifier, Counter()).update(exact)
    return {identifier: counter.most_common(1)[0][0] for identifier, counter in counts.items() if counter}


def reread(document: Annotated, mentions: Sequence[Mention]) -> Annotated:
    """The document with other mentions; its relations hold between what those mean."""
    known = meant(document, mentions)
    relations, unknown = (_carried(triples, known) for triples in (document.relations, document.unknown))
    return replace(document, mentions=mentions, relations=relations, unknown=unknown)


def _carried(triples: Iterable[Triple], meant: Mapping[str, str]) -> frozenset[Triple]:
    read_as: dict[str, list[str]] = {}
    for identifier, true in meant.items():
        read_as.setdefault(true, []).append(identifier)
    return frozenset(
        (name, head, tail)
        for name, true_head, true_tail in triples
        for head in read_as.get(true_head, ())
        for tail in read_as.get(true_tail, ())
    )
