"""A small field with written documents: a drug relieves a symptom (directed), two drugs interact (undirected)."""

from __future__ import annotations

import itertools
import random
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from abroad.core.schema import Document, Entity, Triple
from tests.conftest import make_document

FIELD = """
name: remedies
title: Remedies
entities:
  drug: {singular: drug, plural: drugs}
  symptom: {singular: symptom, plural: symptoms}
relations:
  relieves: {head: drug, tail: symptom, template: "{head} relieves {tail}"}
  interacts_with: {head: drug, tail: drug, directed: false, template: "{head} interacts with {tail}"}
"""
DRUGS = {
    f"{start}{end}": f"DRUG:{number}"
    for number, (start, end) in enumerate(
        itertools.product(("Tavo", "Meli", "Sorbi", "Quina", "Lume"), ("zine", "pril", "statin", "mab"))
    )
}
SYMPTOMS = {
    name: f"SYM:{number}"
    for number, name in enumerate(
        ("headache", "back pain", "nausea", "fatigue", "joint pain", "dizziness", "dry cough", "skin rash")
    )
}
NAMES = {**DRUGS, **SYMPTOMS}


def field_file(folder: Path) -> Path:
    """The field's file, written."""
    path = folder / "remedies.yaml"
    path.write_text(FIELD, encoding="utf-8")
    return path


def document(id: str, title: str, abstract: str, relations: Sequence[tuple[str, str, str]]) -> Document:
    """A document whose entities are all names that its text has; relations by names."""
    text = f"{title} {abstract}"
    spans = {name: [list(m.span()) for m in re.finditer(rf"\b{name}\b", text, re.IGNORECASE)] for name in NAMES}
    entities = [
        Entity(NAMES[name], name, {"spans": found}, type="drug" if name in DRUGS else "symptom")
        for name, found in spans.items()
        if found
    ]
    return Document(
        id, title, abstract, entities=entities, relations=[Triple(NAMES[h], r, NAMES[t]) for h, r, t in relations]
    )


def products(count: int) -> list[Document]:
    """Documents of the built-in field: what two made-up plants or lichens gave, and what was not found in one."""
    chance = random.Random(0)
    organisms = [f"{genus} {epithet}" for genus in ("Usnea", "Ruta", "Salvia", "Rosa") for epithet in ("alba", "ficta")]
    chemicals = ["usnic acid", "barbatic acid", "scopoletin", "umbelliferone", "gallic acid", "salvinol", "rutin"]
    documents = []
    for number in range(count):
        one, other = chance.sample(organisms, 2)
        first, second, third = chance.sample(chemicals, 3)
        text = (
            f"{first.capitalize()} and {second} were isolated from {one}.",
            f"{one} gave {first}. {second.capitalize()} was isolated from {one}.",
        )[number % 2]
        pairs = [(one, first), (one, second)]
        documents.append(
            make_document(str(number), f"Study of {one}.", f"{text} No {third} was seen in {other}.", pairs)
        )
        documents[-1].entities += [Entity(other, other, type="organism"), Entity(third, third, type="chemical")]
    return documents


def remedies(count: int, seed: int = 0) -> list[Document]:
    """Documents in which every drug named beside a symptom relieves it, or does not."""
    chance = random.Random(seed)
    documents = []
    for number in range(count):
        one, other, third = chance.sample(sorted(DRUGS), 3)
        pain, ache = chance.sample(sorted(SYMPTOMS), 2)
        parts = [
            (f"{one} relieved {pain} in most patients.", [(one, "relieves", pain)]),
            (f"We saw that {pain} was relieved by {one} within a week.", [(one, "relieves", pain)]),
            (f"{other} had no effect on {ache}.", []),
            (f"Patients with {ache} were given {other} as a control.", []),
            (f"{one} interacts with {third} in the liver.", [(one, "interacts_with", third)]),
            (f"No contact of {other} and {third} was noted.", []),
        ]
        chosen = [parts[number % 2], parts[2 + number // 2 % 2], parts[4 + number // 4 % 2]]
        relations = list(dict.fromkeys(triple for _, own in chosen for triple in own))
        documents.append(
            document(str(number), f"A trial of {one}.", " ".join(sentence for sentence, _ in chosen), relations)
        )
    return documents


def biored_records(count: int) -> list[dict[str, Any]]:
    """The same texts in BioRED's form: drugs are its chemicals, symptoms its diseases."""
    types = {"drug": "ChemicalEntity", "symptom": "DiseaseOrPhenotypicFeature"}
    return [
        {
            "pmid": own.id,
            "title": own.title,
            "abstract": own.abstract,
            "split": "Train",
            "entities": [
                [start, end, types[entity.type], own.text[start:end], entity.id]
                for entity in own.entities
                for start, end in entity.spans
            ],
            "relations": [["Association", triple.head, triple.tail, "No"] for triple in own.relations],
        }
        for own in remedies(count)
    ]
