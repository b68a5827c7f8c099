"""Short texts to learn from: a sentence of a document, with those of its relations whose names stand in it.

Documents with complete relations are whole abstracts; users also have titles alone and
single sentences, which look different to a model that has seen none.
"""

from __future__ import annotations

import random
from dataclasses import replace

from abroad.core.schema import Document
from abroad.extraction.builtin.align import align
from abroad.extraction.builtin.reading import Reading, read_text

_MARK, _AND = "#", " + "


def parents(id: str) -> set[str]:
    """The documents that an excerpt is of, by its id; of a whole document, itself."""
    return {part.rpartition(_MARK)[0] or part for part in id.split(_AND)}


def together(first: Document, second: Document) -> Document:
    """Two documents in one text, where what the one organism makes is not made by the other's."""
    joined = Document(f"{first.id}{_AND}{second.id}", "", f"{first.text.strip()} {second.text.strip()}")
    for number, document in enumerate((first, second)):
        joined.entities += [replace(entity, id=f"{number}{entity.id}") for entity in document.entities]
        joined.relations += [
            replace(triple, head=f"{number}{triple.head}", tail=f"{number}{triple.tail}")
            for triple in document.relations
        ]
    return joined


def excerpt(document: Document, reading: Reading, seed: int = 0) -> Document | None:
    """One sentence that names an organism and a chemical of a relation, or else any; None if there is but one sentence.

    The relations of the excerpt are those whose two names a reader of it alone can find.
    """
    bounds = list(reading.sentences.values())
    if len(bounds) < 2:
        return None
    chance = random.Random(f"{seed}:{document.id}")
    found = align(document, reading)
    telling = [
        (start, end)
        for start, end in bounds
        if any(
            any(start <= a < end for a, _ in found.organisms[organism])
            and any(start <= a < end for a, _ in found.chemicals[chemical])
            for organism, chemical in document.label_pairs()
        )
    ]
    start, end = chance.choice(telling or bounds)
    alone = replace(
        document,
        id=f"{document.id}{_MARK}{start}",
        title="",
        abstract=reading.text[start:end],
        extra=dict(document.extra),
    )
    if not alone.abstract.strip():
        return None
    if chance.random() < 0.3:
        alone.title, alone.abstract = alone.abstract, ""  # a title without an abstract
    named = align(alone, read_text(alone.text, len(alone.title)))
    ids = [
        pair
        for pair, (organism, chemical) in zip(document.relations, document.label_pairs(), strict=True)
        if named.organisms[organism] and named.chemicals[chemical]
    ]
    alone.relations = ids
    return alone
