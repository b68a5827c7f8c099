"""Main findings: sentences that express a document's relations in varied ways, with the labels that then hold.

Delmas et al. 2024, section on synthetic data: relations in shuffled order,
congeners contracted, chemicals sometimes numbered, chemicals of one class
sometimes replaced by their class.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random

from pydantic import Field

from abroad.core.schema import Document, Entity
from abroad.core.settings import Settings, Share
from abroad.synthesis.prompts.classes import class_of
from abroad.synthesis.prompts.contract import Phrase, contract, enumerate_words

NUMBERS = ("two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")


class FindingsSettings(Settings):
    """Probabilities of each way to vary the sentences of the main findings."""

    classes: Share = Field(0.2, description='Two or more chemicals of one class become "three flavonoids".')
    contraction: Share = Field(0.7, description="Congeners become a range.")
    numbering: Share = Field(0.5, description='Chemicals get their numbers, "(1-3)".')
    produces: Share = Field(
        0.1, description='A sentence says "X produces Y", where else it is "Y was isolated from X".'
    )


@dataclass
class Findings:
    """Sentences and the relations they state.

    Attributes:
        text: the sentences.
        organisms: that the text states, as in a Document.
        chemicals: likewise.
        relations: likewise.
        surfaces: chemical id -> the words that stand for it where its label does not ("gloeophyllins A-C").
    """

    text: str = ""
    organisms: list[Entity] = field(default_factory=list)
    chemicals: list[Entity] = field(default_factory=list)
    relations: list[tuple[str, str]] = field(default_factory=list)
    surfaces: dict[str, str] = field(default_factory=dict)


def express_findings(document: Document, draw: Random, settings: FindingsSettings | None = None) -> Findings:
    """Write the relations of a document as sentences; another draw gives other words."""
    settings = settings or FindingsSettings()
    groups = _groups(document, draw)
    numbered = len(groups) == 1 and draw.random() < settings.numbering
    result, sentences = Findings(), []
    for organisms, chemicals in groups:
        chemicals = draw.sample(chemicals, len(chemicals))
        phrases, replaced = _class_phrases(chemicals, draw, settings)
        rest = [chemical for chemical in chemicals if chemical.id not in replaced]
        labels = [chemical.label for chemical in rest]
        contracted = draw.random() < settings.contraction
        phrases += contract(labels) if contracted else [Phrase(label, (label,)) for label in labels]
        draw.shuffle(phrases)
        sentences.append(_sentence([o.label for o in organisms], _worded(phrases, numbered), phrases, draw, settings))
        _record(result, organisms, chemicals, replaced, phrases)
    result.text = " ".join(sentences)
    return result


def _groups(document: Document, draw: Random) -> list[tuple[list[Entity], list[Entity]]]:
    """Organisms that share all their chemicals, with these chemicals; in a random order."""
    chemicals_of: dict[str, dict[str, Entity]] = {}
    organisms = {organism.id: organism for organism in document.organisms}
    for organism, chemical in document.related_entities():
        chemicals_of.setdefault(organism.id, {})[chemical.id] = chemical
    by_chemicals: dict[frozenset[str], list[str]] = {}
    for organism_id, chemicals in chemicals_of.items():
        by_chemicals.setdefault(frozenset(chemicals), []).append(organism_id)
    groups = [
        ([organisms[id] for id in draw.sample(ids, len(ids))], list(chemicals_of[ids[0]].values()))
        for ids in by_chemicals.values()
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
            entity = Entity(f"CLASS:{name.replace(' ', '-')}", name, {"type": "class"})
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


def _sentence(
    organisms: list[str], chemicals: str, phrases: list[Phrase], draw: Random, settings: FindingsSettings
) -> str:
    sources = enumerate_words(organisms)
    if draw.random() < settings.produces:
        return f"{sources} {'produces' if len(organisms) == 1 else 'produce'} {chemicals}."
    single = len(phrases) == 1 and len(phrases[0].labels) == 1
    first = chemicals[0].upper() + chemicals[1:] if chemicals.partition(" ")[0] in NUMBERS else chemicals
    return f"{first} {'was' if single else 'were'} isolated from {sources}."


def _record(
    result: Findings,
    organisms: list[Entity],
    chemicals: list[Entity],
    replaced: dict[str, Entity],
    phrases: list[Phrase],
) -> None:
    """Add what a sentence states, in its order, to the labels that hold."""
    by_label = {chemical.label: chemical for chemical in chemicals}
    stated: dict[str, Entity] = {}
    for phrase in phrases:
        for label in phrase.labels:
            chemical = by_label[label]
            entity = replaced.get(chemical.id, chemical)
            stated[entity.id] = entity
            if entity is chemical and len(phrase.labels) > 1:
                result.surfaces[chemical.id] = phrase.text
    known = {entity.id for entity in result.chemicals}
    result.chemicals += [entity for id, entity in stated.items() if id not in known]
    result.organisms += organisms
    result.relations += [(organism.id, id) for organism in organisms for id in stated]
