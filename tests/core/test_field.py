"""Files of fields: the one that is built in, those that are written new, and every mistake at once."""

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from abroad.core.errors import InputError
from abroad.core.field import FIELDS, Field, built_in_field, find_field, load_field
from abroad.core.field_file import NewField, new_field, plural
from abroad.core.schema import Document, Entity, Triple

ROOT = Path(__file__).parents[2]
SHIPPED = sorted(ROOT.glob("configs/fields/*.yaml"))
GENES = {
    "name": "genes",
    "title": "Genes",
    "entities": {
        "gene": {"singular": "gene", "plural": "genes"},
        "disease": {"singular": "disease", "plural": "diseases"},
    },
    "relations": {
        "binds": {"head": "gene", "tail": "gene", "directed": False, "template": "{head} binds {tail}"},
        "causes": {"head": ["gene"], "tail": "disease", "template": "{head} causes {tail}"},
    },
}


def changed(value, *path, **more):
    """A copy of the field with another value at a place, and more beside it."""
    made = yaml.safe_load(yaml.safe_dump({**GENES, **more}))
    at = made
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = value
    return made


def load(folder, values):
    path = folder / "f.yaml"
    path.write_text(yaml.safe_dump(values, sort_keys=False))
    return load_field(path)


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_the_fields_we_ship_have_no_mistake(path):
    assert load_field(path).name == path.stem == find_field(path).name


def test_a_field_that_is_built_in_is_one_file_with_its_config():
    for path in FIELDS.glob("*.yaml"):
        assert path.samefile(ROOT / "configs" / "fields" / path.name), "a copy would drift"
        assert find_field(path.stem) == load_field(path)
    assert built_in_field() is find_field(None) and built_in_field().is_built_in


def test_the_built_in_field_says_what_the_code_says():
    """What still stands in code; where a stage reads it from the field, its line here goes."""
    from abroad.core.linearise import VERB

    field = built_in_field()
    produces = field.relations["produces"]
    assert produces.verb == VERB
    assert [way.subject for way in produces.verbalisations] == ["head", "tail"]


BAD = {
    "a template without an entity": (changed("{head} causes", "relations", "causes", "template"), "no {tail}"),
    "a template with a separator": (changed("{head} a; b {tail}", "relations", "causes", "template"), "no ';'"),
    "two templates that are one": (
        changed(GENES["relations"]["binds"], "relations", "meets"),
        "relations.meets.template: the same as that of binds, between the same types",
    ),
    "a relation of an unknown type": (
        changed("disase", "relations", "causes", "tail"),
        "relations.causes.tail: no type of entities is called 'disase'; did you mean disease?",
    ),
    "probabilities that do not sum": (
        changed(
            [{"singular": "{head} causes {tail}.", "plural": "{head} cause {tail}.", "probability": 0.4}],
            *("relations", "causes", "verbalisations"),
        ),
        "relations.causes.verbalisations: expected probabilities that sum to 1, found a sum of 0.4",
    ),
    "a colour that is none": (changed("red", "entities", "gene", "colour"), "entities.gene.colour: expected a colour"),
    "an unknown key": (changed(1, "entities", "gene", "color"), "gene.color: unknown key; did you mean colour?"),
    "an unknown key above": (changed("x", "titel"), "titel: unknown key; did you mean title?"),
    "an unknown kind of names": (changed("tabel", "entities", "gene", "names"), "entities.gene.names.kind"),
    "a table without a file": (changed("table", "entities", "gene", "names"), "entities.gene.names: expected a 'file'"),
    "a file that is not there": (
        changed({"kind": "table", "file": "none.txt"}, "entities", "gene", "names"),
        "entities.gene.names.file: no such file",
    ),
    "a file without names": (
        changed({"kind": "table", "file": "empty.txt"}, "entities", "gene", "names"),
        "entities.gene.names.file: {folder}/empty.txt is empty",
    ),
    "a property that is none": (changed({"id": "Q5"}, "relations", "causes", "wikidata"), "causes.wikidata.id"),
    "a name with spaces": (changed("two words", "name"), "name: "),
    "no relation": (changed({}, "relations"), "relations: "),
    "no mapping": (changed([1], "entities"), "entities: "),
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(BAD))
def test_a_mistake_is_named_with_file_and_key(name, tmp_path):
    values, said = BAD[name]
    (tmp_path / "empty.txt").write_text("\n \n")
    with pytest.raises(InputError) as error:
        load(tmp_path, values)
    assert str(error.value).startswith(f"{tmp_path}/f.yaml: 1 mistake: ")
    assert said.replace("{folder}", str(tmp_path)) in str(error.value)


def test_all_mistakes_are_named_at_once(tmp_path):
    values = changed("gen", "relations", "causes", "head")
    values["entities"]["gene"] |= {"colour": "red", "names": {"kind": "table", "file": "none.txt"}}
    values["relations"]["binds"]["template"] = "{head} binds"
    with pytest.raises(InputError, match="4 mistakes") as error:
        load(tmp_path, values)
    for key in ("gene.colour", "gene.names.file", "binds.template", "causes.head"):
        assert key in str(error.value)


def document(*triples, types=("gene", "gene", "disease")):
    entities = [Entity(f"{n}", f"name {n}", type=type) for n, type in enumerate(types)]
    return Document("7", "T", "A", entities=entities, relations=[Triple(*triple) for triple in triples])


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (document(("0", "binds", "1"), ("1", "causes", "2")), []),
        (document(("2", "causes", "0")), ["causes between disease and gene: expected gene and disease"]),
        (document(("0", "bind", "1")), ["a relation of the unknown type 'bind'; did you mean binds?"]),
        (document(types=("genes",)), ["entities of the unknown type 'genes'; did you mean gene?"]),
    ],
)
def test_documents_of_another_field_are_named(found, said):
    field = Field.model_validate(GENES)
    assert field.mistakes_in(found) == said
    if said:
        with pytest.raises(InputError, match=r"x\.jsonl: not of the field genes: document '7': "):
            field.check_documents([found], "x.jsonl")


def test_an_undirected_relation_joins_either_way_and_a_directed_one_does_not():
    field = Field.model_validate(changed(["disease"], "relations", "binds", "tail"))
    assert field.relations["binds"].joins("disease", "gene") and not field.relations["causes"].joins("disease", "gene")


def test_a_name_that_is_no_field_says_which_there_are():
    with pytest.raises(InputError, match="natural_products"):
        find_field("natural_product")


WORDS = st.text("abcdefghijklmnopqrstuvwxyzé ", min_size=1, max_size=20).filter(str.strip)
NAMES = st.one_of(st.sampled_from(["no", "on", "y", "null"]), st.from_regex(r"[a-z][a-z0-9_-]{0,10}", fullmatch=True))


@given(NAMES, NAMES, NAMES, WORDS, st.one_of(st.just(""), WORDS), st.booleans())
def test_a_new_field_has_no_mistake_whatever_it_is_called(name, head, tail, verb, passive, directed):
    text = new_field(NewField(name=name, head=head, tail=tail, verb=verb, passive=passive, directed=directed))
    field = Field.model_validate(yaml.safe_load(text))
    (relation,) = field.relations.values()
    assert (relation.head, relation.tail, relation.directed) == ((head,), (tail,), directed)
    assert relation.verb.strip() == " ".join(verb.split()) and len(relation.verbalisations) == (
        2 if passive.strip() else 1
    )


@pytest.mark.parametrize("verb", ["degrades; or not", "{degrades}", "  "])
def test_a_verb_that_makes_no_field_is_refused(verb):
    with pytest.raises(InputError):
        new_field(NewField(name="x", head="a", tail="b", verb=verb))


def test_plurals_are_guessed():
    words = ["bacterium", "pollutant", "enzyme", "assay", "therapy", "diagnosis", "virus_class", "toxin"]
    many = ["bacteria", "pollutants", "enzymes", "assays", "therapies", "diagnoses", "virus classes", "toxins"]
    words += ["fungus", "species", "genus", "alga", "phenomenon", "matrix", "mouse", "leaf", "disease", "gut-microbe"]
    many += [
        "fungi",
        "species",
        "genera",
        "algae",
        "phenomena",
        "matrices",
        "mice",
        "leaves",
        "diseases",
        "gut microbes",
    ]
    assert [plural(word) for word in words] == many


@pytest.mark.parametrize(
    ("verb", "many"),
    [("degrades", "degrade"), ("passes on", "pass on"), ("is found in", "are found in"), ("carries", "carry")],
)
def test_a_verb_of_several_is_guessed(verb, many):
    written = yaml.safe_load(new_field(NewField(name="x", head="a", tail="b", verb=verb)))
    assert many in str(written["relations"])
