"""Main findings: sentences that express a document's relations in varied ways, with the labels that then hold.

Delmas et al. 2024, section on synthetic data: relations in shuffled order,
congeners contracted, chemicals sometimes numbered, chemicals of one class
sometimes replaced by their class.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import NamedTuple

from pydantic import Field as Key

from abroad.core.field import Field, RelationType, Verbalisation, built_in_field
from abroad.core.schema import Document, Entity, Triple
from abroad.core.settings import Settings, Share
from abroad.core.wording import enumerate_words
from abroad.synthesis.prompts.classes import class_of
from abroad.synthesis.prompts.contract import Phrase, contract

NUMBERS = ("two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")


class FindingsSettings(Settings):
    """Probabilities of each way to vary the sentences of the main findings."""

    classes: Share = Key(0.2, description='Two or more chemicals of one class become "three flavonoids".')
    contraction: Share = Key(0.7, description="Congeners become a range.")
    numbering: Share = Key(0.5, description='Chemicals get their numbers, "(1-3)".')


@dataclass
class Findings:
    """Sentences and the relations they state.

    Attributes:
        text: the sentences.
        heads: that the text states: of natural products, organisms.
        tails: likewise: chemicals.
        relations: likewise.
        denied: entities of which the sentences deny a relation, and that have none.
        surfaces: id of a tail -> the words that stand for it where its label does not ("gloeophyllins A-C").
    """

    text: str = ""
    heads: list[Entity] = field(default_factory=list)
    tails: list[Entity] = field(default_factory=list)
    relations: list[Triple] = field(default_factory=list)
    denied: list[Entity] = field(default_factory=list)
    surfaces: dict[str, str] = field(default_factory=dict)


class _Group(NamedTuple):
    """What a sentence says: the type of its relations, between all heads and all tails."""

    type: str
    heads: list[Entity]
    tails: list[Entity]


def express_findings(
    document: Document, draw: Random, settings: FindingsSettings | None = None, of: Field | None = None
) -> Findings:
    """Write the relations of a document as sentences; another draw gives other words.

    Args:
        of: the field, which says how relations are said; by default natural products.
    """
    settings, of = settings or FindingsSettings(), of or built_in_field()
    groups = _groups(document, draw)
    listed = all(_has(of, tails, "ranges") for _, _, tails in groups)
    numbered = len(groups) == 1 and listed and draw.random() < settings.numbering
    result, sentences = Findings(), []
    for type, heads, tails in groups:
        tails = draw.sample(tails, len(tails))
        phrases, replaced = _class_phrases(tails, draw, settings) if _has(of, tails, "classes") else ([], {})
        labels = [tail.label for tail in tails if tail.id not in replaced]
        contracted = _has(of, tails, "ranges") and draw.random() < settings.contraction
        phrases += contract(labels) if contracted else [Phrase(label, (label,)) for label in labels]
        draw.shuffle(phrases)
        single = len(phrases) == 1 and len(phrases[0].labels) == 1
        ways = of.relations[type].verbalisations
        said = _way(ways, {"head": len(heads) == 1, "tail": single}, draw) or f"{of.relations[type].template}."
        sentences.append(_sentence(said, [head.label for head in heads], _worded(phrases, numbered)))
        _record(result, _Group(type, heads, tails), replaced, phrases)
    for relation in of.relations.values():
        for said in _denials(document, relation, draw, result) if relation.denials else ():
            sentences.insert(draw.randint(1, len(sentences)), said)
    result.text = " ".join(sentences)
    return result


def _denials(document: Document, relation: RelationType, draw: Random, result: Findings) -> Iterator[str]:
    """A sentence for each entity without a relation that could be a tail: one of the heads has none to it."""
    related = {id for triple in document.relations for id in (triple.head, triple.tail)}
    heads = [head for head in result.heads if head.type in relation.head]
    for entity in document.entities if heads else ():
        if entity.type in relation.tail and entity.id not in related:
            head = draw.choice(heads)
            said = _way(relation.denials, {"head": True, "tail": True}, draw)
            result.denied.append(entity)
            yield _sentence(said, [head.label], entity.label)


def _has(of: Field, tails: list[Entity], what: str) -> bool:
    """Whether the field says so of the types of all of these."""
    return all(getattr(of.entities[tail.type], what) for tail in tails)


def _groups(document: Document, draw: Random) -> list[_Group]:
    """Heads (organisms) that share all their tails (chemicals), with these; in a random order."""
    tails_of: dict[tuple[str, str], dict[str, Entity]] = {}
    heads: dict[str, Entity] = {}
    for triple, (head, tail) in zip(document.relations, document.related_entities(), strict=True):
        heads[head.id] = head
        tails_of.setdefault((triple.type, head.id), {})[tail.id] = tail
    by_tails: dict[tuple[str, frozenset[str]], list[str]] = {}
    for (type, head_id), tails in tails_of.items():
        by_tails.setdefault((type, frozenset(tails)), []).append(head_id)
    groups = [
        _Group(type, [heads[id] for id in draw.sample(ids, len(ids))], list(tails_of[type, ids[0]].values()))
        for (type, _), ids in by_tails.items()
    ]
    draw.shuffle(groups)
    return groups


def _class_phrases(
    chemicals: list[Entity], draw: Random, settings: FindingsSettings
) -> tuple[list[Phrase], dict[str, Entity]]:
    """(a phrase for each class that replaces its chemicals, chemical id -> that class)."""
    members: dict[str, list[Entity]] = {}
    for chemical in chemicals:
        if name := class_of(chemical):
            members.setdefault(name, []).append(chemical)
    phrases: list[Phrase] = []
    replaced: dict[str, Entity] = {}
    for name, group in members.items():
        if 2 <= len(group) <= len(NUMBERS) + 1 and draw.random() < settings.classes:
            entity = Entity(f"CLASS:{name.replace(' ', '-')}", name, {"type": "class"}, type=group[0].type)
            phrases.append(Phrase(f"{NUMBERS[len(group) - 2]} {name}", tuple(c.label for c in group)))
            replaced |= {chemical.id: entity for chemical in group}
    return phrases, replaced


def _worded(phrases: list[Phrase], numbered: bool) -> str:
    words, number = [], 1
    for phrase in phrases:
        last = number + len(phrase.labels) - 1
        words.append(phrase.text + (f" ({number}{f'-{last}' if last > number else ''})" if numbered else ""))
        number = last + 1
    return enumerate_words(words)


def _way(ways: Sequence[Verbalisation], single: dict[str, bool], draw: Random) -> str:
    """One of the ways to say a relation, in the number of its subject; empty where the field has none."""
    reached = draw.random()
    for way in ways:
        if reached < way.probability or way is ways[-1]:
            return way.singular if single[way.subject] else way.plural
        reached -= way.probability
    return ""


def _sentence(said: str, heads: list[str], tails: str) -> str:
    sentence = said.format(head=enumerate_words(heads), tail=tails)
    return sentence[0].upper() + sentence[1:] if sentence.partition(" ")[0] in NUMBERS else sentence


def _record(
    result: Findings,
    group: _Group,
    replaced: dict[str, Entity],
    phrases: list[Phrase],
) -> None:
    """Add what a sentence states, in its order, to the labels that hold."""
    by_label = {tail.label: tail for tail in group.tails}
    stated: dict[str, Entity] = {}
    for phrase in phrases:
        for label in phrase.labels:
            tail = by_label[label]
            entity = replaced.get(tail.id, tail)
            stated[entity.id] = entity
            if entity is tail and len(phrase.labels) > 1:
                result.surfaces[tail.id] = phrase.text
    known = {entity.id for entity in result.tails}
    result.tails += [entity for id, entity in stated.items() if id not in known]
    result.heads += group.heads
    result.relations += [Triple(head.id, group.type, id) for head in group.heads for id in stated]
