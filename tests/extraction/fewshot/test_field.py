"""Few-shot prompts, forms and answers of any field; those of natural products stay what they were, byte for byte."""

import hashlib
import json
import re

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from abroad.core.context import Context
from abroad.core.errors import InputError
from abroad.core.field import Field, built_in_field
from abroad.core.field_file import NewField, new_field
from abroad.core.io import read_documents, write_documents
from abroad.core.schema import Document, Entity, Triple
from abroad.engines.base import Generation
from abroad.extraction.fewshot.answers import cut_relations
from abroad.extraction.fewshot.examples import DEFAULT, load_examples, show_example
from abroad.extraction.fewshot.names import relations_grammar
from abroad.extraction.fewshot.run import read_answer
from abroad.extraction.fewshot.styles import STYLES, load_style
from abroad.extraction.load import load_extractor
from tests.conftest import make_document
from tests.sources.servers import Completions

DEGRADES = new_field(
    NewField(name="biodegradation", head="bacterium", tail="pollutant", verb="degrades", passive="is degraded by")
)
BACTERIA = Field.model_validate(yaml.safe_load(DEGRADES))
GENES = Field.model_validate(
    {
        "name": "genes",
        "title": "Genes",
        "entities": {
            "gene": {"singular": "gene", "plural": "genes"},
            "drug": {"singular": "drug", "plural": "drugs", "ranges": True},
            "long-text": {"singular": "text", "plural": "text"},
        },
        "relations": {
            "binds": {"head": "gene", "tail": ["gene", "drug"], "template": "{head} binds {tail}"},
            "is_in": {"head": "drug", "tail": "gene", "template": "{head} is in {tail}"},
            "inhibits": {"head": "drug", "tail": "drug", "template": '{head} "blocks" {tail}'},
        },
    }
)
TEXT = "Rhodia alba degrades fluorene and pyrene. Rhodia nigra did not; isobutane is no pollutant of bacteria."
PROMPTS = {  # of commit fa2e8e1: hash of the prompt's file; prompts with our own examples, their form and grammars
    "classic": ("7abfa2f96e5e", "f66d6c1682a89264", "065dc64667fc9d4d", "0acacbefd6c3a3e3"),
    "cot": ("57efb1ef52d4", "429129ce3c64fefe", "a5af161c442c390c", "8bab3f3fdec606c3"),
    "instruct": ("c86e0bb0ec1b", "1427db8e48e4606e", "065dc64667fc9d4d", "0acacbefd6c3a3e3"),
}


def hashed(text):
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def degrading(id, head, tail, text=None):
    entities = [Entity("b", head, type="bacterium"), Entity("p", tail, type="pollutant")]
    abstract = text or f"It was seen that {head} lives on {tail}."
    return Document(id, "", abstract, entities=entities, relations=[Triple("b", "degrades", "p")])


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "f.yaml").write_text(DEGRADES)
    write_documents(tmp_path / "docs.jsonl", [Document("1", "", TEXT)])
    shown = [degrading("a", "Testia prima", "fluoranthene"), degrading("b", "Testia altera", "toluene")]
    write_documents(tmp_path / "shown.jsonl", shown)
    return tmp_path


@pytest.mark.parametrize("name", sorted(PROMPTS))
def test_what_is_asked_of_natural_products_is_what_it_was(name):
    style, pool = load_style(name), read_documents(DEFAULT)
    prompt = style.render(pool[0].text, [show_example(document) for document in pool])
    grammars = "".join(relations_grammar(d.text, style.lead(len(d.text))) or "" for d in pool)
    assert (style.hash, hashed(prompt), hashed(style.form(1000)), hashed(grammars)) == PROMPTS[name]
    assert style.hash == load_style(name, field=built_in_field()).hash


@pytest.mark.parametrize("name", STYLES.own)
@pytest.mark.parametrize("field", [BACTERIA, GENES], ids=lambda field: field.name)
def test_a_prompt_of_another_field_says_nothing_of_natural_products(name, field):
    style = load_style(name, field=field)
    prompt = style.render("THE TEXT", [])
    assert not re.search("organism|chemical|natural product|examplin|produces", prompt, re.IGNORECASE)
    assert "THE TEXT" in prompt and "[[" not in prompt and "[%" not in prompt
    for relation in field.relations.values():
        assert relation.verb in prompt or field.question[6:-1] in prompt


def test_a_prompt_in_steps_names_the_types_of_the_field():
    style = load_style("cot", field=BACTERIA)
    prompt = style.render("T", [show_example(degrading("a", "Testia prima", "toluene"), style.notation)])
    assert prompt.startswith("Which bacterium degrades which pollutant, according to the text? Work in four steps")
    assert 'Relations: "BACTERIUM degrades POLLUTANT; BACTERIUM degrades POLLUTANT"; "none"' in prompt
    assert (
        "Bacteria: Testia prima\nPollutants: toluene\nEvidence: It was seen that Testia prima lives on toluene.\n"
        "Relations: Testia prima degrades toluene\n" in prompt
    )
    assert prompt.endswith("Text: T\nBacteria:")
    answer = " Testia\nPollutants: toluene\nEvidence: It does.\nRelations: Testia prima degrades toluene\n"
    assert re.fullmatch(style.form(100), answer)


@pytest.mark.parametrize(
    ("field", "answer", "fits"),
    [
        (BACTERIA, "Rhodia alba degrades pyrene; Rhodia alba degrades fluorene", True),
        (BACTERIA, "none", True),
        (BACTERIA, "Rhodia alba produces pyrene", False),
        (BACTERIA, "Rhodia alba degrades pyrene degrades fluorene", False),
        (BACTERIA, "This text says of the bacterium that it is one which degrades pyrene", False),
        (GENES, 'ABC binds DEF; isobutane is in ABC; examplin A "blocks" examplin B', True),
        (GENES, "ABC binds DEF binds GHI", False),
        (GENES, "ABC inhibits DEF", False),
    ],
)
def test_the_form_has_the_verbs_of_the_field_and_no_prose(field, answer, fits):
    style = load_style("classic", field=field)
    assert bool(re.fullmatch(style.form(100), f" {answer}\n")) is fits
    if fits:
        assert cut_relations(answer, verbs=style.notation.verbs) == ("" if answer == "none" else answer)


@given(st.from_regex(r"[a-z][a-z.()'\"/-]{0,9}( [a-z][a-z.-]{0,9}){0,2}", fullmatch=True))
def test_whatever_the_verb_is_its_relations_fit_the_form_and_are_read_back(verb):
    field = Field.model_validate(
        yaml.safe_load(new_field(NewField(name="x", head="bacterium", tail="pollutant", verb=verb)))
    )
    style, answer = load_style("instruct", field=field), f"Qaa 0qbb {verb} 0qcc"
    assert re.fullmatch(style.form(10), f" {answer}; {answer}\n")
    assert style.notation.parse(answer).triples == [("Qaa 0qbb", *field.relations, "0qcc")]


@pytest.mark.parametrize(
    ("answer", "found", "left_out"),
    [
        ("Rhodia alba degrades pyrene", [("Rhodia alba", "degrades", "pyrene")], 0),
        ("- Rhodia alba degrades pyrene\n- Rhodia rubra degrades pyrene", [("Rhodia alba", "degrades", "pyrene")], 1),
        ("Rhodia alba produces pyrene", [], 0),
    ],
)
def test_an_answer_becomes_relations_of_the_field(answer, found, left_out):
    style = load_style("instruct", field=BACTERIA)
    prediction = read_answer(Document("1", "", TEXT), Generation("1", answer, "stop", 5), style, names_from_text=True)
    assert [(r.head, r.type, r.tail) for r in prediction.relations] == found
    assert prediction.extra["not_in_text"] == left_out and prediction.extra["parsed"] is bool(found)
    for relation in prediction.relations:
        assert (relation.head_type, relation.tail_type) == ("bacterium", "pollutant")
        assert {evidence.role for evidence in relation.evidence} == {"head", "tail"}


def test_a_small_model_writes_relations_of_the_field_with_names_of_the_text(cli, smollm2, folder):
    out = folder / "p.jsonl"
    command = ["fewshot", folder / "docs.jsonl", "--out", out, "--model", smollm2, "--field", folder / "f.yaml"]
    made = cli(*command, "--style", "classic", "--shots", 2, "--examples", folder / "shown.jsonl")
    assert made.exit_code == 0, made.output
    (prediction,) = map(json.loads, out.read_text().splitlines())
    assert prediction["parsed"] and prediction["relations"], prediction["answer"]
    for relation in prediction["relations"]:
        assert relation["type"] == "degrades" and relation["head_type"] == "bacterium" and "organism" not in relation
        assert relation["head"] in TEXT and relation["tail"].lower() in TEXT.lower()
    record = json.loads((folder / "p.jsonl.abroad" / "run.json").read_text())
    assert record["settings"]["field"] and any("f.yaml" in str(file) for file in record["inputs"])


def test_a_server_is_asked_in_the_words_of_the_field(cli, folder):
    answer = "Rhodia alba degrades fluorene; Rhodia alba degrades pyrene"
    with Completions(lambda body: (answer, "stop")).serve() as server:
        engine = ["--engine", "openai", "--model", "m", "--base-url", server.url]
        command = ["fewshot", folder / "docs.jsonl", "--out", folder / "p.jsonl", *engine, "--field", folder / "f.yaml"]
        assert cli(*command, "--shots", 1, "--examples", folder / "shown.jsonl").exit_code == 0
    (asked,) = server.asked
    said = json.dumps(asked)
    assert "Testia prima degrades fluoranthene" in said and "Which bacterium degrades which pollutant" in said
    (prediction,) = map(json.loads, (folder / "p.jsonl").read_text().splitlines())
    assert [relation["tail"] for relation in prediction["relations"]] == ["fluorene", "pyrene"]


def test_examples_are_of_the_field(cli, folder):
    write_documents(
        folder / "products.jsonl", [make_document("9", "T.", "Usnea x had usnic acid.", [("Usnea x", "y")])]
    )
    command = ["fewshot", folder / "docs.jsonl", "--out", folder / "p.jsonl", "--model", "none", "--field"]
    for more, said in (
        ([folder / "f.yaml"], "no examples of the field biodegradation; expected some with --examples, or --shots 0"),
        ([folder / "f.yaml", "--examples", folder / "products.jsonl"], "not of the field biodegradation: document '9'"),
        (["natural_products", "--examples", folder / "shown.jsonl"], "not of the field natural_products: document 'a'"),
        ([folder / "g.yaml"], "g.yaml"),
    ):
        refused = cli(*command, *more)
        assert refused.exit_code == 2 and said in " ".join(refused.stderr.split()), refused.output
    with pytest.raises(InputError, match="no examples of the field"):
        load_examples(None, (), Context(), field=BACTERIA)


def test_answers_of_two_fields_are_not_mixed(tiny_model, folder):
    def extractor(field, **more):
        return load_extractor("fewshot", model=str(tiny_model), style="classic", shots=0, field=field, **more)

    (folder / "g.yaml").write_text(DEGRADES.replace("ranges: false", "ranges: true"))
    ids = [extractor(field).identity for field in (None, "natural_products", folder / "f.yaml", folder / "g.yaml")]
    assert ids[0] == ids[1] and "field" not in ids[0] and len({json.dumps(each) for each in ids}) == 3
