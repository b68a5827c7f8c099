"""What a prompt says of a field: its question, the names of its types, the form of its answers."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from abroad.core.field import EntityType, Field, RelationType
from abroad.core.linearise import SEPARATOR
from abroad.core.wording import enumerate_words

_NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
_ASKING = re.compile(r"(?:Which|What|Who|How|Whether)\b[^?]*\?")
_OF_PROMPTS = re.compile(r"\{[{%#]")
_TAKEN = frozenset(("text", "evidence", "relations"))
# A step may take so many characters for each of the document's: organisms take at most 0.34 in the curated documents,
# chemicals, whose lists are written out, 0.75. Those of all types together leave room for the relations.
_SHARE, _LISTED, _ALL = 0.35, 0.8, 0.35 + 0.8


@dataclass(frozen=True)
class Step:
    """A type of entities in a prompt that goes through steps.

    Attributes:
        type: its name.
        slot: what an example calls its names.
        heading: of its line.
        said: what is asked for.
        share: characters that its line may take for each of the document's.
    """

    type: str
    slot: str
    heading: str
    said: str
    share: float


def steps(field: Field) -> list[Step]:
    """The types of a field in order, as the steps of a prompt name them."""
    shares = [_LISTED if kind.ranges else _SHARE for kind in field.entities.values()]
    less = min(1.0, _ALL / sum(shares))
    found: list[Step] = []
    for (name, kind), share in zip(field.entities.items(), shares, strict=True):
        slot = _free(re.sub(r"\W+", "_", kind.plural, flags=re.ASCII).strip("_"), name, {step.slot for step in found})
        heading = kind.plural[:1].upper() + kind.plural[1:]
        found.append(Step(name, slot, heading, kind.step or f"all {kind.plural} of the text", share * less))
    return found


def fill(template: str, field: Field) -> str:
    """A prompt of ours, `[[ question ]]` and the like in it replaced by what the field says; Jinja2 is left in it."""
    import jinja2

    environment = jinja2.Environment(
        variable_start_string="[[",
        variable_end_string="]]",
        block_start_string="[%",
        block_end_string="%]",
        comment_start_string="[#",
        comment_end_string="#]",
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
        finalize=_quoted,
    )
    return environment.from_string(template).render(_texts(field))


def _texts(field: Field) -> dict[str, Any]:
    forms = [answer(field, relation) for relation in field.relations.values()]
    inline = f"which of these relations it states: {SEPARATOR.join(forms)}"
    asked = f"According to the text: {field.question}"
    if _ASKING.fullmatch(field.question):
        bare = field.question.removesuffix("?")
        inline, asked = bare[:1].lower() + bare[1:], f"{bare}, according to the text?"
    plurals = [kind.plural for kind in field.entities.values()]
    return {
        "asked": asked,
        "inline": inline,
        "form": SEPARATOR.join(forms * 2 if len(forms) == 1 else forms),
        "find": field.prompts.find or f"Find the {enumerate_words(plurals)} in each text",
        "rules": field.prompts.rules.strip(),
        "steps": steps(field),
        "number": _number(len(field.entities) + 2),
        "evidence": field.prompts.evidence or "the sentences that say so",
        "leave_out": field.prompts.leave_out,
    }


def answer(field: Field, relation: RelationType) -> str:
    """The form of a relation in an answer: ORGANISM produces CHEMICAL."""
    return relation.template.format(head=_upper(field, relation.head), tail=_upper(field, relation.tail))


def _upper(field: Field, types: Iterable[str]) -> str:
    kinds: list[EntityType] = [field.entities[name] for name in types]
    return "/".join(kind.singular.upper() for kind in kinds)


def _free(slot: str, name: str, taken: set[str]) -> str:
    """A name for a slot that a prompt may use and no other has."""
    slot = slot if re.match("[A-Za-z]", slot) else name.replace("-", "_")
    while slot in _TAKEN | taken:
        slot += "_"
    return slot


def _quoted(value: Any) -> Any:
    """A text of a field, whose braces are no Jinja2."""
    return _OF_PROMPTS.sub(lambda found: f'{{{{ "{found[0]}" }}}}', value) if isinstance(value, str) else value


def _number(count: int) -> str:
    return _NUMBERS[count] if count < len(_NUMBERS) else str(count)
