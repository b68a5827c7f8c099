"""The colours of a field's types of entities, on curators' pages and those of a knowledge base."""

from __future__ import annotations

from abroad.core.field import Field

PALETTE = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#b8860b", "#56b4e9", "#7a4fa3", "#6b6b6b")
"""For types without a colour of their own, in their order; after Okabe and Ito, told apart by the colour-blind too."""


def colours_of(field: Field) -> dict[str, str]:
    """Type of entities -> its colour."""
    return {
        name: entity.colour or PALETTE[number % len(PALETTE)]
        for number, (name, entity) in enumerate(field.entities.items())
    }
