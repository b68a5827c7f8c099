"""What the card of a release says of its field."""

from __future__ import annotations

from dataclasses import dataclass

from abroad.core.field import Field


@dataclass(frozen=True)
class CardWords:
    """Sentences of a model card.

    Attributes:
        tag: of the hub.
        title: of the card.
        relations: which relations are written.
        form: how they are written.
        labels: lines on the labels.
        about: what the abstracts are about that it was trained on.
    """

    tag: str
    title: str
    relations: str
    form: str
    labels: tuple[str, ...]
    about: str


_NATURAL_PRODUCTS = CardWords(
    tag="natural-products",
    title="Relations between organisms and natural products",
    relations='"organism produces chemical"',
    form="`ORGANISM produces CHEMICAL; ORGANISM produces CHEMICAL`",
    labels=(
        "Labels are written as in the text; lists and ranges (`A-C`) are expanded by abroad after decoding;",
        "classes (`three alkaloids`) stand where no compound is named; new and known compounds count alike.",
    ),
    about="natural products",
)


def words_of(field: Field) -> CardWords:
    """The words of a field's card."""
    if field.is_built_in:
        return _NATURAL_PRODUCTS
    sides = [
        tuple(" or ".join(field.entities[name].singular for name in types) for types in (each.head, each.tail))
        for each in field.relations.values()
    ]
    said = [f"{h}{r.verb}{t}" for (h, t), r in zip(sides, field.relations.values(), strict=True)]
    forms = [f"`{h.upper()}{r.verb}{t.upper()}`" for (h, t), r in zip(sides, field.relations.values(), strict=True)]
    return CardWords(
        tag=field.name.replace("_", "-"),
        title=f"Relations of the field {field.title}",
        relations=", ".join(f'"{each}"' for each in dict.fromkeys(said)),
        form=f"{' or '.join(dict.fromkeys(forms))}, one after another with `; ` between",
        labels=("Labels are written as in the text.",),
        about=", ".join(kind.plural for kind in field.entities.values()),
    )
