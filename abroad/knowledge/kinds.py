"""Which kind of relation a knowledge base holds: the types of its two sides, and the name of what is between them.

Tables and queries know heads and tails; what those are called, a reader of a page or of a table sees from here.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class RelationKind:
    """Type of the head, name of the relation, type of the tail; `property` is Wikidata's, from tail to head."""

    head: str
    relation: str
    tail: str
    property: str


PRODUCES = RelationKind("organism", "produces", "compound", "P703")
"""Organism produces compound; Wikidata says that the compound is found in the taxon."""
