"""Writes the file of a new field: commented, and without a mistake from the first."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from pydantic import Field as Key

from abroad.core.field import Field, Name, Text
from abroad.core.settings import Settings, check


class NewField(Settings):
    """What is asked for a new field, of one relation between two types."""

    name: Name = Key(description="Short name of the field, without spaces.")
    head: Name = Key(description="Type of the relation's first side, of one thing: bacterium.")
    tail: Name = Key(description="Type of its second side: pollutant.")
    verb: Text = Key(description="What stands between them: degrades.")
    passive: str = Key("", description='How it is said the other way round: "is degraded by"; empty: not at all.')
    head_plural: str = Key("", description="Several of the first side; empty: it is guessed.")
    tail_plural: str = Key("", description="Several of the second side; empty: it is guessed.")
    directed: bool = Key(True, description="Whether the sides are told apart.")


def new_field(wanted: NewField) -> str:
    """The text of a field's file.

    Raises:
        InputError: what was asked for makes no field, such as a verb with a semicolon.
    """
    verb, passive = (" ".join(words.split()) for words in (wanted.verb, wanted.passive))
    sides = {wanted.head: wanted.head_plural, wanted.tail: wanted.tail_plural}
    entities = "\n".join(_entity(name, many or plural(name)) for name, many in sides.items())
    ways = [_way(f"{{head}} {verb} {{tail}}.", f"{{head}} {_of_several(verb)} {{tail}}.", 0.5 if passive else 1.0)]
    if passive:
        ways.append(_way(f"{{tail}} {passive} {{head}}.", f"{{tail}} {_of_several(passive)} {{head}}.", 0.5))
    text = _FILE.format(
        name=_key(wanted.name),
        title=_quoted(wanted.name.replace("_", " ").replace("-", " ").capitalize()),
        entities=entities,
        relation=_key(_named(verb)),
        head=_key(wanted.head),
        tail=_key(wanted.tail),
        directed=str(wanted.directed).lower(),
        template=_quoted(f"{{head}} {verb} {{tail}}"),
        ways="\n".join(ways),
        question=_quoted(f"Which {_spoken(wanted.head)} {verb} which {_spoken(wanted.tail)}?"),
        sentence=f"{_spoken(wanted.head)} {verb} {_spoken(wanted.tail)}",
    )
    _see_that_it_holds(text, wanted.name)
    return text


def plural(name: str) -> str:
    """What several are called, as well as it can be guessed of an English word: fungi, genera, species."""
    word = _spoken(name)
    return str(_engine().plural_noun(word)) if re.search(r"\w", word) else word


def _of_several(verb: str) -> str:
    """A verb of the third person in the plural: is -> are, produces -> produce."""
    first, space, rest = verb.partition(" ")
    return f"{_engine().plural_verb(first)}{space}{rest}" if re.search(r"\w", first) else verb


@cache
def _engine() -> Any:
    """English endings; imported when a field is written, since that takes a tenth of a second."""
    import inflect

    engine = inflect.engine()
    engine.classical(all=True)
    return engine


def _spoken(name: str) -> str:
    return name.replace("_", " ").replace("-", " ")


def _named(verb: str) -> str:
    """The name of a relation: letters, digits and underscores, a letter first."""
    return re.sub(r"\W+", "_", verb.lower(), flags=re.ASCII).strip("_0123456789")[:64] or "relates"


def _key(name: str) -> str:
    """A name as it stands in YAML, where "no" and "on" would be truth values."""
    return name if yaml.safe_load(name) == name else _quoted(name)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)  # a string of JSON is one of YAML


def _entity(name: str, many: str) -> str:
    return _ENTITY.format(name=_key(name), singular=_quoted(_spoken(name)), plural=_quoted(many))


def _way(singular: str, many: str, probability: float) -> str:
    return (
        f"      - singular: {_quoted(singular)}\n        plural: {_quoted(many)}\n        probability: {probability:g}"
    )


def _see_that_it_holds(text: str, name: str) -> None:
    from abroad.core.bounded_yaml import load_yaml

    check(Field, load_yaml(text), Path(f"{name}.yaml"))


_ENTITY = """\
  {name}:
    singular: {singular}
    plural: {plural}
    # How a label is written, for curators and prompts.
    label: ""
    # Where names come from, beside those in labelled documents: none, taxonomy (NCBI Taxonomy), or one of
    #   {{kind: table, file: names.txt}}          a name a line
    #   {{kind: spacy, pipeline: en_core_sci_sm}} an installed pipeline; `label: CHEMICAL` takes those alone
    #   {{kind: annotated, file: texts.jsonl}}    documents with entities and spans, or tokens with tags (texts.iob)
    names: none
    # How names get identifiers, in this order: taxonomy (NCBI's), and, in `abroad knowledge build` alone, index (of
    # LOTUS's names) and opsin (chemical names).
    linking: []
    # Whether "examplins A-C" are three names.
    ranges: false
    # Whether the designation of a strain belongs to a name: "Pseudomonas putida F1".
    strains: false
    # On curators' pages, such as "#11632f"; null chooses one.
    colour: null"""

_FILE = """\
# A field: {sentence}. `abroad field check FILE` finds every mistake of this file.
name: {name}
title: {title}

# Types of entities: what they are called, and where their names and identifiers come from.
entities:
{entities}

# Types of relations; there may be several, and head or tail may be a list of types.
relations:
  {relation}:
    head: {head}
    tail: {tail}
    # false: A-B is B-A.
    directed: {directed}
    # As models write it, and as it is read back.
    template: {template}
    # How synthetic abstracts say it; the subject, with which the verb agrees, comes first. Probabilities sum to 1.
    verbalisations:
{ways}
    # How they say that it does not hold, written like the ways above; without it nothing is denied.
    denials: []
    # The property of Wikidata that states it, such as {{id: P703, subject: tail}}.
    wikidata: null

prompts:
  question: {question}
  # What counts and what does not, for models that are shown examples.
  rules: ""

# What counts and what does not, in Markdown, for curators.
guidelines: ""
"""
