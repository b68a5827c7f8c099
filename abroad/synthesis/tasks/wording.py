"""The words of tasks over documents: those that natural products have had from the first, or made of a field's file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from abroad.core.field import Field, RelationType
from abroad.core.wording import enumerate_words

HEADS, TAILS = "heads", "tails"
"""Kinds of tasks that ask for one side of the relations; of natural products, "organisms" and "compounds"."""


@dataclass(frozen=True)
class RelationWords:
    """What is asked of one type of relations.

    Attributes:
        verify: a question with {head} and {tail}.
        heads: asks for all heads.
        tails: asks for all tails.
        source: asks for the heads of {tail}.
        question: what all of it is about, without a question mark.
        whether: the same of one relation.
        find: asks for the heads of a tail, in general.
    """

    verify: str
    heads: str
    tails: str
    source: str
    question: str
    whether: str
    find: str


@dataclass(frozen=True)
class TaskWords:
    """How tasks of a field are said.

    Attributes:
        listing: asks for every relation.
        asking: the same as a question.
        nothing: the answer where there is none.
        about: what texts of the field are about.
        kinds: what tasks for the heads and for the tails are called, in records.
        relations: type of a relation -> its words.
        topics: kind of a task -> what topics of such questions are.
    """

    listing: str
    asking: str
    nothing: str
    about: str
    kinds: tuple[str, str]
    relations: dict[str, RelationWords]
    topics: dict[str, str]


_PRODUCES = RelationWords(
    verify="Does the text say that {head} produces {tail}? Answer yes or no.",
    heads="List the organisms that compounds were isolated from.",
    tails="List the compounds that were isolated from an organism.",
    source="Which organism produces {tail}?",
    question="which organism produces which compounds",
    whether="whether an organism produces a compound",
    find="where a compound comes from",
)
_NATURAL_PRODUCTS = TaskWords(
    listing="List every relation in the text as 'organism produces compound', separated by semicolons.",
    asking="Which organism produces which compound? Answer with 'organism produces compound', one after another.",
    nothing="The text reports no relation between an organism and a compound.",
    about="organisms and the compounds they produce",
    kinds=("organisms", "compounds"),
    relations={"produces": _PRODUCES},
    topics={
        "extract": f"topics of questions {_PRODUCES.question}",
        "verify": f"topics of questions {_PRODUCES.whether}",
        "organisms": "topics of questions for the organisms of a study",
        "compounds": "topics of questions for the compounds of a study",
        "source": f"topics of questions {_PRODUCES.find}",
    },
)


def words_of(field: Field) -> TaskWords:
    """The words of a field's tasks."""
    if field.is_built_in:
        return _NATURAL_PRODUCTS
    relations = {name: _relation_words(field, relation) for name, relation in field.relations.items()}
    forms = [f"'{_one(field, each.head)}{each.verb}{_one(field, each.tail)}'" for each in field.relations.values()]
    form = " or ".join(dict.fromkeys(forms))
    sides = [f"{_a(field, each.head)} and {_a(field, each.tail)}" for each in field.relations.values()]
    plurals = _plurals(field, [name for each in field.relations.values() for name in (*each.head, *each.tail)])
    heads, tails = (_plurals(field, [n for r in field.relations.values() for n in getattr(r, s)]) for s in _SIDES)
    words = list(relations.values())
    return TaskWords(
        listing=f"List every relation in the text as {form}, separated by semicolons.",
        asking=f"{field.question} Answer with {form}, one after another.",
        nothing=f"The text reports no relation between {' or between '.join(dict.fromkeys(sides))}.",
        about=plurals,
        kinds=(HEADS, TAILS),
        relations=relations,
        topics={
            "extract": f"topics of questions {' or '.join(each.question for each in words)}",
            "verify": f"topics of questions {' or '.join(each.whether for each in words)}",
            HEADS: f"topics of questions for the {heads} of a study",
            TAILS: f"topics of questions for the {tails} of a study",
            "source": f"topics of questions {' or '.join(each.find for each in words)}",
        },
    )


_SIDES = ("head", "tail")


def _relation_words(field: Field, relation: RelationType) -> RelationWords:
    head, tail, verb = _one(field, relation.head), _one(field, relation.tail), relation.verb
    a_head, a_tail = _a(field, relation.head), _a(field, relation.tail)
    if relation.head == relation.tail:
        a_tail = f"another {tail}"
    return RelationWords(
        verify=f"Does the text say that {{head}}{verb}{{tail}}? Answer yes or no.",
        heads=f"List every {head} that{verb}{a_tail}.",
        tails=f"List every {tail} that {a_head}{verb.rstrip()}.",
        source=f"Which {head}{verb}{{tail}}?",
        question=f"which {head}{verb}which {tail}",
        whether=f"whether {a_head}{verb}{a_tail}",
        find=f"which {head}{verb}{a_tail}",
    )


def _one(field: Field, types: Sequence[str]) -> str:
    return " or ".join(field.entities[name].singular for name in types)


def _a(field: Field, types: Sequence[str]) -> str:
    words = _one(field, types)
    return f"{'an' if words[0].lower() in 'aeiou' else 'a'} {words}"


def _plurals(field: Field, names: Sequence[str]) -> str:
    return enumerate_words([field.entities[name].plural for name in dict.fromkeys(names)])
