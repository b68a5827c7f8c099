"""A field: what its entities and relations are called, how people say them, and where names come from. A YAML file.

This module says what a field may be and finds every mistake of a file of one; it runs nothing. The built-in field is
natural products; `abroad field new` writes a file for another (`abroad.core.field_file`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from string import Formatter
from types import SimpleNamespace
from typing import Annotated, Any, Literal

import yaml
from pydantic import Field as Key
from pydantic import StringConstraints, ValidationError, field_validator, model_validator

from abroad.core.errors import InputError, nearest
from abroad.core.io import atomic_write
from abroad.core.schema import Document, Prediction
from abroad.core.settings import PositiveShare, Settings, list_mistakes, mistakes_in, read_yaml

FIELDS = Path(__file__).with_name("fields")
BUILT_IN = "natural_products"
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_-]*$", max_length=64)]
NamesFrom = Literal["none", "builtin", "table", "spacy", "taxonomy", "annotated"]
_OWN_NAMES: NamesFrom = "builtin"
Linking = Literal["index", "opsin", "taxonomy"]
_SIDES = ("head", "tail")
_KEYS = (*_SIDES, "template")
_ROUNDING = 1e-6
_MAX_NAMED = 5


class NameSource(Settings):
    """Where names of a type come from, beside those that the labelled documents teach."""

    kind: NamesFrom = Key(
        "none",
        description="The source: none, builtin (organisms or chemicals, as the package knows them), table (a name a "
        "line), spacy (a pipeline), taxonomy (NCBI's) or annotated (documents with entities and spans, or tokens with "
        "tags in a file called .iob, whose kinds are the types).",
    )
    file: Path | None = Key(None, description="Of a table or of annotated documents, from the folder of this file.")
    pipeline: str | None = Key(None, description="Name of an installed spaCy pipeline.")
    label: str | None = Key(None, description="Label of the pipeline's entities; null: all of them.")

    @model_validator(mode="after")
    def _whole(self) -> NameSource:
        if (self.file is not None) != (self.kind in ("table", "annotated")):
            raise ValueError(f"expected a 'file' with table or annotated and no other kind, found kind {self.kind}")
        if (self.pipeline is not None) != (self.kind == "spacy"):
            raise ValueError(f"expected a 'pipeline' with spacy and no other kind, found kind {self.kind}")
        return self


class EntityType(Settings):
    """A type of entities."""

    singular: Text = Key(description="What one is called in a sentence.")
    plural: Text = Key(description="What several are called.")
    label: str = Key("", description="How a label is written, for curators and prompts.")
    names: NameSource = Key(NameSource(), description="Where names come from, beside the labelled documents.")
    linking: tuple[Linking, ...] = Key(
        (),
        description="How names get identifiers, in this order; none: they do not. Extraction knows taxonomy (NCBI's) "
        "alone; index (of LOTUS's names) and opsin (chemical names) are for `abroad knowledge build`.",
    )
    step: str = Key("", description="What a prompt that works in steps asks for of it; empty: all of the text.")
    ranges: bool = Key(False, description='Whether lists and ranges are expanded: "examplins A-C" are three names.')
    strains: bool = Key(
        False, description='Whether the designation of a strain belongs to a name: "Pseudomonas putida F1".'
    )
    classes: bool = Key(False, description='Whether a name may be of a class ("flavonoids"), by the subtype class.')
    colour: str | None = Key(None, description="Of its names on curators' pages, #rrggbb; null: one is chosen.")

    @property
    def is_organism(self) -> bool:
        """Whether its names are the organisms that the package knows: a binomial, with a capital."""
        return self.names.kind == _OWN_NAMES and not self.ranges

    @property
    def is_chemical(self) -> bool:
        """Whether its names are the chemicals that the package knows, with lists and ranges."""
        return self.names.kind == _OWN_NAMES and self.ranges

    @field_validator("names", mode="before")
    @classmethod
    def _by_kind_alone(cls, value: Any) -> Any:
        return {"kind": value} if isinstance(value, str) else value

    @field_validator("linking", mode="before")
    @classmethod
    def _one_or_none(cls, value: Any) -> Any:
        return (() if value == "none" else (value,)) if isinstance(value, str) else value

    @field_validator("colour")
    @classmethod
    def _is_colour(cls, value: str | None) -> str | None:
        if value is not None and not re.fullmatch(r"#[0-9a-fA-F]{6}", value):
            raise ValueError(f"expected a colour such as '#11632f', in quotes, found {value!r}")
        return value


class Verbalisation(Settings):
    """A way to say a relation in a sentence, of one thing and of several: its grammatical subject comes first."""

    singular: Text = Key(description="With {head} and {tail}, as in: {tail} was isolated from {head}.")
    plural: Text = Key(description="The same of several, as in: {tail} were isolated from {head}.")
    probability: PositiveShare = Key(description="How often it is chosen; those of a relation sum to 1.")

    @field_validator("singular", "plural")
    @classmethod
    def _names_both(cls, value: str) -> str:
        return _with_both_sides(value)

    @property
    def subject(self) -> str:
        """The side that the verb agrees with: "head" or "tail"."""
        return min(_SIDES, key=lambda side: self.singular.index(f"{{{side}}}"))


class Property(Settings):
    """The property of Wikidata that states a relation."""

    id: Annotated[str, StringConstraints(pattern=r"^P[1-9]\d*$")] = Key(description="Of the property: P703.")
    subject: Literal["head", "tail"] = Key("head", description="The side whose item has the statement.")


class RelationType(Settings):
    """A type of relations, between a head and a tail."""

    head: tuple[Name, ...] = Key(min_length=1, description="Type of its first side, or several that it may be.")
    tail: tuple[Name, ...] = Key(min_length=1, description="Type of its second side, or several.")
    directed: bool = Key(True, description="Whether head and tail are told apart; else A-B is B-A.")
    template: Text = Key(description="The relation as models write it: '{head} produces {tail}'.")
    verbalisations: tuple[Verbalisation, ...] = Key((), description="Ways to say it; none: the template, with a stop.")
    denials: tuple[Verbalisation, ...] = Key(
        (),
        description="Ways to say that it does not hold, of names that have no relation; none: nothing is denied.",
    )
    wikidata: Property | None = Key(None, description="The property of Wikidata that states it, if there is one.")

    @field_validator("template")
    @classmethod
    def _template(cls, value: str) -> str:
        _with_both_sides(value)
        if not re.fullmatch(r"\{head\} [^{};\n]*[^{};\s][^{};\n]* \{tail\}", value):
            raise ValueError(
                f"expected '{{head}}', words and '{{tail}}' with a space between, and no ';', found {value!r}"
            )
        return value

    @field_validator("verbalisations", "denials")
    @classmethod
    def _sum_to_one(cls, value: tuple[Verbalisation, ...]) -> tuple[Verbalisation, ...]:
        total = sum(each.probability for each in value)
        if value and abs(total - 1) > _ROUNDING:
            raise ValueError(f"expected probabilities that sum to 1, found a sum of {total:g}")
        return value

    @field_validator("head", "tail", mode="before")
    @classmethod
    def _one_or_several(cls, value: Any) -> Any:
        return (value,) if isinstance(value, str) else value

    @property
    def verb(self) -> str:
        """The words between head and tail in the template, with the spaces around them."""
        return self.template.removeprefix("{head}").removesuffix("{tail}")

    def joins(self, head: str, tail: str) -> bool:
        """Whether it may be between entities of these types, in either order if it is undirected."""
        sides = [(head, tail)] if self.directed else [(head, tail), (tail, head)]
        return any(first in self.head and second in self.tail for first, second in sides)


class Prompts(Settings):
    """Texts of prompts; what is missing is made of the names of types and relations."""

    question: Text | None = Key(
        None, description='What is asked of a text, as in "Which organism produces which chemical".'
    )
    find: Text | None = Key(None, description='The task in short, as in "Find the organisms in each text".')
    rules: str = Key("", description="What counts and what does not, as a few-shot prompt says it.")
    evidence: Text | None = Key(None, description="What a prompt that works in steps asks for as evidence.")
    leave_out: str = Key("", description='What such a prompt wants left out, as in "what was only tested".')
    synthesis: Text | None = Key(None, description="The task of writing an abstract from title, keywords and findings.")
    openings: tuple[str, ...] = Key((), description="First words of synthetic abstracts, of which one is drawn.")


class Field(Settings):
    """A field: types of entities, relations between them, and the texts that go with them."""

    name: Name = Key(description="Short, without spaces: natural_products.")
    title: Text = Key(description="For people: Natural products.")
    entities: dict[Name, EntityType] = Key(min_length=1, description="Name -> type of entities.")
    relations: dict[Name, RelationType] = Key(min_length=1, description="Name -> type of relations.")
    prompts: Prompts = Key(Prompts(), description="What prompts say of this field.")
    guidelines: str = Key("", description="What counts and what does not, in Markdown, as curators read it.")

    @model_validator(mode="after")
    def _consistent(self) -> Field:
        if mistakes := list(_between(self.relations, self.entities)):
            raise ValueError("; ".join(f"{key}: {text}" for key, text in mistakes))
        return self

    @property
    def is_built_in(self) -> bool:
        """Whether it is natural products, whose files have organisms and chemicals."""
        return self.name == BUILT_IN

    @property
    def undirected(self) -> list[str]:
        """The types of relations of which A-B is B-A."""
        return [name for name, relation in self.relations.items() if not relation.directed]

    @property
    def question(self) -> str:
        """What is asked of a text; made of the relation if the file does not say it and there is but one."""
        if self.prompts.question is not None:
            return self.prompts.question
        sides = [self._question(relation) for relation in self.relations.values()]
        return sides[0] if len(sides) == 1 else f"Which relations does the text state? {' '.join(sides)}"

    def _question(self, relation: RelationType) -> str:
        head, tail = (
            " or ".join(self.entities[name].singular for name in side) for side in (relation.head, relation.tail)
        )
        return f"Which {head}{relation.verb}which {tail}?"

    def mistakes_in(self, item: Document | Prediction) -> list[str]:
        """What a document, or what is predicted of one, says that the field has no place for: types, and relations."""
        types, stated = _types_of(item)
        unknown = dict.fromkeys(type for type in types if type not in self.entities)
        mistakes = [f"entities of the unknown type {type!r}{_meant(type, self.entities)}" for type in unknown]
        for head, name, tail in stated:
            relation = self.relations.get(name)
            if relation is None:
                mistakes.append(f"a relation of the unknown type {name!r}{_meant(name, self.relations)}")
            elif head and tail and not relation.joins(head, tail) and not {head, tail} & set(unknown):
                sides = f"{' or '.join(relation.head)} and {' or '.join(relation.tail)}"
                mistakes.append(f"{name} between {head} and {tail}: expected {sides}")
        return list(dict.fromkeys(mistakes))

    def check_documents(self, documents: Iterable[Document | Prediction], where: str | Path) -> None:
        """See that documents, or predictions of some, are of this field.

        Raises:
            InputError: those that are not, the first few by their ids.
        """
        wrong = [(d.id, "; ".join(mistakes)) for d in documents if (mistakes := self.mistakes_in(d))]
        if wrong:
            more = f"; and {len(wrong) - _MAX_NAMED} more" if len(wrong) > _MAX_NAMED else ""
            named = "; ".join(f"document {id!r}: {text}" for id, text in wrong[:_MAX_NAMED])
            raise InputError(f"{where}: not of the field {self.name}: {named}{more}")


@cache
def built_in_field() -> Field:
    """Natural products."""
    return load_field(FIELDS / f"{BUILT_IN}.yaml")


def is_built_in_name(name: str | Path) -> bool:
    """Whether it is the name of a field that comes with the package, and no file."""
    return (FIELDS / f"{name}.yaml").is_file() and Path(name).name == str(name)


def find_field(name: str | Path | None) -> Field:
    """A field by the name of a built-in one, or by its file; natural products without either.

    Raises:
        InputError: there is no such field, or every mistake of the file at once.
    """
    if name is None:
        return built_in_field()
    known = sorted(path.stem for path in FIELDS.glob("*.yaml"))
    if str(name) in known:
        return load_field(FIELDS / f"{name}.yaml")
    if not Path(name).exists() and not Path(name).suffix:
        raise InputError(f"no field {str(name)!r}: expected a file, or one of: {', '.join(known)}")
    return load_field(name)


def load_field(path: str | Path) -> Field:
    """Read a field's file.

    Raises:
        InputError: every mistake of the file at once, each with its key.
    """
    path = Path(path)
    values = read_yaml(path, "a YAML file of a field")
    try:
        found = Field.model_validate(values)
    except ValidationError as error:
        mistakes = [item for item in mistakes_in(error, kind=Field) if item[0]]
        relations, entities = (dict(_mappings(values.get(key))) for key in ("relations", "entities"))
        mistakes += _between(
            {name: SimpleNamespace(**{key: each.get(key) for key in _KEYS}) for name, each in relations.items()},
            entities,
        )
        mistakes += _empty_sources(path.parent, _mappings(values.get("entities")))
        raise InputError(list_mistakes(path, mistakes)) from None
    if mistakes := list(_empty_sources(path.parent, ((n, e.model_dump()) for n, e in found.entities.items()))):
        raise InputError(list_mistakes(path, mistakes))
    return found


def write_field(path: Path, field: Field) -> None:
    """Write a field where what was learnt of it lies; the files that its names came from stay behind."""
    values = field.model_dump(mode="json", exclude={"entities": {"__all__": {"names"}}})
    with atomic_write(path) as stream:
        stream.write(yaml.safe_dump(values, sort_keys=False, allow_unicode=True))


def _mappings(value: Any) -> list[tuple[str, Mapping[str, Any]]]:
    """The entries of a mapping that are mappings themselves; nothing of what is none."""
    entries = value.items() if isinstance(value, Mapping) else ()
    return [(str(name), each) for name, each in entries if isinstance(each, Mapping)]


def _between(relations: Mapping[str, Any], known: Iterable[str]) -> Iterator[tuple[str, str]]:
    """What is wrong with relations beside each other and the types of entities, each alone being right or not."""
    known, seen = list(known), dict[tuple[str, str, str], str]()
    for name, relation in relations.items():
        for side in _SIDES:
            for type in _types(relation, side):
                if known and type not in known:
                    expected = _meant(str(type), known) or f"; expected one of: {', '.join(known)}"
                    yield f"relations.{name}.{side}", f"no type of entities is called {type!r}{expected}"
        said = ((str(relation.template), h, t) for h in _types(relation, "head") for t in _types(relation, "tail"))
        others = dict.fromkeys(seen.setdefault(each, name) for each in said)
        if clashing := [other for other in others if other != name]:
            yield (
                f"relations.{name}.template",
                f"the same as that of {clashing[0]}, between the same types: expected another",
            )


def _types(relation: Any, side: str) -> list[str]:
    value = getattr(relation, side)
    return [value] if isinstance(value, str) else list(map(str, value)) if isinstance(value, list | tuple) else []


def _empty_sources(folder: Path, entities: Iterable[tuple[str, Mapping[str, Any]]]) -> Iterator[tuple[str, str]]:
    for name, entity in entities:
        source = entity.get("names")
        file = source.get("file") if isinstance(source, Mapping) else None
        if not isinstance(file, str | Path):
            continue
        path, key = folder / file, f"entities.{name}.names.file"
        if not path.is_file():
            yield key, f"no such file: {path}"
        elif not any(line.strip() for line in path.open("rb")):
            yield key, f"{path} is empty: expected names"


def _types_of(item: Document | Prediction) -> tuple[list[str], list[tuple[str, str, str]]]:
    """The types of entities, and (type of the head, of the relation, of the tail); of a prediction what it knows."""
    if isinstance(item, Document):
        ends = zip(item.relations, item.related_entities(), strict=True)
        return [e.type for e in item.entities], [(head.type, triple.type, tail.type) for triple, (head, tail) in ends]
    stated = [(relation.head_type, relation.type, relation.tail_type) for relation in item.relations]
    return [type for head, _, tail in stated for type in (head, tail) if type], stated


def _with_both_sides(value: str) -> str:
    try:
        names = [name for _, name, _, _ in Formatter().parse(value) if name is not None]
    except ValueError:
        raise ValueError(f"expected '{{head}}' and '{{tail}}' and no other bracket, found {value!r}") from None
    if sorted(names) != list(_SIDES):
        missing = " and ".join(f"{{{side}}}" for side in _SIDES if side not in names)
        wrong = f"no {missing}" if missing else "more"
        raise ValueError(f"expected '{{head}}' and '{{tail}}' once each, found {wrong} in {value!r}")
    return value


def _meant(name: str, known: Iterable[str]) -> str:
    near = nearest(name, list(known))
    return f"; did you mean {near}?" if near else ""
