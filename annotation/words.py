"""What curators read of a field: guidelines, how a relation is written on a line, the colours of its types."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from abroad.core.errors import InputError, short
from abroad.core.field import Field, RelationType
from abroad.core.schema import Document, Entity, Prediction, Relation

SEPARATOR = " | "
RelationText = tuple[str, ...]
"""A relation as curators name it: (organism, chemical) of natural products, (head, type, tail) of other fields."""


def line_of(field: Field) -> str:
    """What is to be written on a line: `ORGANISM | CHEMICAL`, or `HEAD | RELATION | TAIL` where there are several."""
    relations = list(field.relations.values())
    if len(relations) > 1:
        return SEPARATOR.join(("HEAD", "RELATION", "TAIL"))
    return SEPARATOR.join(side.upper() for side in sides_of(field, relations[0]))


def sides_of(field: Field, relation: RelationType) -> tuple[str, str]:
    """What may stand on either side of a relation: "gene or disease"."""
    head, tail = (" or ".join(field.entities[t].singular for t in side) for side in (relation.head, relation.tail))
    return head, tail


def said_of(field: Field, relation: RelationType) -> str:
    """A relation between its types: "bacterium degrades pollutant"."""
    head, tail = sides_of(field, relation)
    return f"{head}{relation.verb}{tail}"


def plurals_of(field: Field) -> str:
    """All types of entities: "organisms and chemicals"."""
    *first, last = (entity.plural for entity in field.entities.values())
    return f"{', '.join(first)} and {last}" if first else last


def rules_of(field: Field) -> str:
    """What counts and what does not, in Markdown; of other fields than natural products, how labels are written too."""
    rules = field.guidelines if not field.guidelines or field.guidelines.endswith("\n") else f"{field.guidelines}\n"
    if field.is_built_in:
        return rules
    labels = [f"- **{e.singular.capitalize()}**: {e.label}\n" for e in field.entities.values() if e.label]
    several = field.relations if len(field.relations) > 1 else {}
    kinds = [f"- `{name}`: {said_of(field, relation)}.\n" for name, relation in several.items()]
    return "".join([rules, *labels, *kinds])


def guidelines_of(field: Field) -> str:
    """The guidelines of a server, in Markdown."""
    genus = "; the genus in full" if field.is_built_in else ""
    return f"""\
**{field.question}** Read title and abstract; check the relations; submit.

{rules_of(field)}\
- **One relation a line**, `{line_of(field)}`, as the text names them{genus}. No relation: `none`.
- **Spans**: mark {plurals_of(field)} of the relations where they stand; they may overlap.
- A suggestion is a model's guess, not the truth: its score is beside it. All right? Submit. Not sure? Save a draft.
"""


def relation_text(relation: Relation, field: Field) -> RelationText:
    """A relation of a model as curators name it."""
    if field.is_built_in:
        return relation.organism, relation.chemical
    return canonical((relation.head, relation.type, relation.tail), field)


def canonical(relation: RelationText, field: Field) -> RelationText:
    """(head, type, tail) in the one order in which an undirected relation of two of a kind is compared."""
    head, type, tail = relation
    kind = field.relations[type]
    undirected = not kind.directed and set(kind.head) == set(kind.tail)
    return (tail, type, head) if undirected and tail.casefold() < head.casefold() else relation


def stated(document: Document, field: Field) -> Prediction:
    """The relations that a document states itself, as a suggestion."""
    if field.is_built_in:
        return Prediction(document.id, [Relation(*pair) for pair in document.label_pairs()])
    ends = zip(document.relations, document.related_entities(), strict=True)
    return Prediction(
        document.id,
        [
            Relation(head.label, tail.label, type=triple.type, head_type=head.type, tail_type=tail.type)
            for triple, (head, tail) in ends
        ],
    )


def check_shown(documents: Iterable[Document], predictions: Iterable[Prediction], field: Field) -> None:
    """See that what curators are to be shown is of the field.

    Raises:
        InputError: a document or a prediction is of another one.
    """
    expected = f"expected the field {field.name}" + ("" if not field.is_built_in else ", or --field with the right one")
    for document in documents:
        if field.is_built_in and not document.is_built_in:
            types = dict.fromkeys([*(e.type for e in document.entities), *(t.type for t in document.relations)])
            raise InputError(f"document {document.id!r}: found {short(', '.join(types))}; {expected}")
        if not field.is_built_in and (mistakes := field.mistakes_in(document)):
            raise InputError(f"document {document.id!r}: {'; '.join(mistakes)}; {expected}")
    for prediction in predictions:
        for relation in prediction.relations:
            if relation.type not in field.relations or relation.is_built_in != field.is_built_in:
                kind = f"{relation.head_type or 'something'} {relation.type} {relation.tail_type or 'something'}"
                raise InputError(f"prediction {prediction.id!r}: found {short(kind)}; {expected}")


def end_types(relation: RelationText, known: Sequence[tuple[str, str]], field: Field) -> tuple[str, str]:
    """The types of the head and the tail of (head, type, tail).

    Args:
        known: (label, type) of entities, marks and suggestions of the document; the first one of a label counts.
        field: says which types the relation allows; the first of these is taken where nothing is known.
    """
    head, type, tail = relation
    kind = field.relations[type]
    either = () if kind.directed else (*kind.head, *kind.tail)
    found = []
    for label, allowed in ((head, (*kind.head, *either)), (tail, (*kind.tail, *either))):
        same = (t for name, t in known if name.casefold() == label.casefold() and t in allowed)
        found.append(next(same, allowed[0]))
    return found[0], found[1]


def known_types(entities: Iterable[Entity], relations: Iterable[Relation]) -> list[tuple[str, str]]:
    """(label, type) of entities and of the ends of relations."""
    ends = [side for r in relations for side in ((r.head, r.head_type), (r.tail, r.tail_type)) if side[1]]
    return [*((entity.label, entity.type) for entity in entities), *ends]
