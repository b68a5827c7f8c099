"""Synthesis of any field: findings as its file says them, labels that hold, abstracts that are kept; and what was."""

import hashlib
import json
from random import Random

import pytest

from abroad.core.errors import InputError
from abroad.core.field import Field
from abroad.core.field_file import NewField, new_field
from abroad.core.io import read_documents, write_documents
from abroad.core.schema import Document, Entity, Triple
from abroad.extraction.fewshot.examples import DEFAULT
from abroad.synthesis.prompts.findings import express_findings
from abroad.synthesis.prompts.instruct import InstructSettings, instruct
from abroad.synthesis.prompts.styles import PROMPT_STYLES
from abroad.synthesis.selection.select import MISSING, select
from tests.sources.servers import Completions

DEGRADES = new_field(
    NewField(name="biodegradation", head="bacterium", tail="pollutant", verb="degrades", passive="is degraded by")
)
GENES = Field.model_validate(
    {
        "name": "genes",
        "title": "Genes",
        "entities": {"gene": {"singular": "gene", "plural": "genes"}},
        "relations": {
            "binds": {"head": "gene", "tail": "gene", "directed": False, "template": "{head} binds {tail}"},
            "blocks": {"head": "gene", "tail": "gene", "template": "{head} blocks {tail}"},
        },
    }
)
WRITTEN = {  # of commit fa2e8e1, of our own examples
    ("completion", False): "d51db58d920c61a2",
    ("completion", True): "329cdf033d1f5a5a",
    ("standard", False): "08a54d303346cc22",
    ("standard", True): "7809eaee3a3eb10e",
    ("vicuna", False): "a4cdf9165ee30372",
    ("vicuna", True): "a20283b012364137",
}


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "f.yaml").write_text(DEGRADES)
    entities = [Entity("b", "Rhodia alba", type="bacterium"), Entity("p", "pyrene", type="pollutant")]
    entities.append(Entity("q", "fluorene", type="pollutant"))
    relations = [Triple("b", "degrades", "p"), Triple("b", "degrades", "q")]
    abstract = (
        "Rhodia alba degrades pyrene and fluorene. Growth in contaminated soil columns was followed by respirometry."
    )
    write_documents(tmp_path / "docs.jsonl", [Document("1", "Soil.", abstract, entities=entities, relations=relations)])
    return tmp_path


@pytest.mark.parametrize(("style", "guided"), sorted(WRITTEN))
def test_prompts_of_natural_products_are_what_they_were(style, guided):
    more = {"principles": "default", "topics": True} if guided else {}
    records = list(instruct(read_documents(DEFAULT), InstructSettings(style=style, **more)))
    assert hashlib.sha256(json.dumps(records).encode()).hexdigest()[:16] == WRITTEN[style, guided]


@pytest.mark.parametrize("style", PROMPT_STYLES.own)
def test_prompts_of_another_field_say_what_its_file_says(folder, style):
    settings = InstructSettings(style=style, field=folder / "f.yaml", prompts_per_document=20)
    records = list(instruct(read_documents(folder / "docs.jsonl"), settings))
    assert {word in record["findings"] for record in records for word in ("degrades", "degraded by")} == {True, False}
    for record in records:
        assert not any(word in record["prompt"] + record["lead"] for word in ("organism", "compound", "isolated"))
        assert {each["type"] for each in record["entities"]} == {"bacterium", "pollutant"}
        assert not {"alba", "pyrene", "fluorene"} & set(" ".join(record["keywords"]).split())
        assert "organisms" not in record and len(record["relations"]) == 2


def test_a_field_without_ways_to_say_it_says_its_template():
    entities = [Entity(name, name, type="gene") for name in ("ABC", "DEF", "GHI")]
    relations = [Triple("ABC", "binds", "DEF"), Triple("DEF", "blocks", "GHI")]
    found = express_findings(Document("1", "", "", entities=entities, relations=relations), Random(0), of=GENES)
    assert found.text in ("ABC binds DEF. DEF blocks GHI.", "DEF blocks GHI. ABC binds DEF.")
    assert {(t.head, t.type, t.tail) for t in found.relations} == {(t.head, t.type, t.tail) for t in relations}


def test_abstracts_of_another_field_are_written_and_those_that_lack_a_label_are_not_kept(cli, folder):
    prompts, abstracts, kept = (folder / name for name in ("prompts.jsonl", "abstracts.jsonl", "kept.jsonl"))
    command = ["synth", "instruct", folder / "docs.jsonl", "--field", folder / "f.yaml", "--style", "standard"]
    made = cli(*command, "--prompts-per-document", 2, "--out", prompts)
    assert made.exit_code == 0, made.output
    tail = " Growth was followed for thirty days in soil columns, and the residues were measured by chromatography."
    answers = iter(
        ["Rhodia alba degrades pyrene and fluorene." + tail, "Rhodia alba grows on oil that was spilt." + tail]
    )
    with Completions(lambda body: (next(answers), "stop")).serve() as server:
        engine = ["--engine", "openai", "--model", "m", "--base-url", server.url, "--batch-size", 1]
        assert cli("synth", "generate", prompts, "--out", abstracts, *engine).exit_code == 0
    chosen = cli("synth", "select", abstracts, "--out", kept, "--seeds", folder / "docs.jsonl")
    assert chosen.exit_code == 0, chosen.output
    (document,) = read_documents(kept)
    assert "pyrene" in document.abstract and [t.type for t in document.relations] == ["degrades"] * 2
    assert cli("field", "check", folder / "f.yaml", "--documents", kept).exit_code == 0
    judged = select(read_documents(abstracts)).verdicts
    assert sorted(MISSING in verdict.reasons for verdict in judged) == [False, True]


@pytest.mark.parametrize("given", [{"topics": True}, {"principles": "default"}], ids=str)
def test_what_knows_natural_products_alone_is_named(folder, given):
    settings = InstructSettings(field=folder / "f.yaml", **given)
    with pytest.raises(InputError, match=f"{min(given)}.* of natural products alone"):
        list(instruct(read_documents(folder / "docs.jsonl"), settings))


def test_documents_of_another_field_are_named(folder):
    with pytest.raises(InputError, match="not of the field natural_products: document '1'"):
        list(instruct(read_documents(folder / "docs.jsonl"), InstructSettings()))


DENIED = DEGRADES.replace(
    "denials: []",
    "denials:\n      - {singular: '{tail} withstood {head}.', plural: '{tail} withstood {head}.', probability: 1}",
)


def denying():
    entities = [Entity(id, id, type="bacterium" if id == "b" else "pollutant") for id in ("b", "p", "q")]
    return Document("1", "Soil.", "", entities=entities, relations=[Triple("b", "degrades", "p")])


def test_what_has_no_relation_is_denied_where_the_field_says_how(folder):
    for text, said, named in ((DENIED, "q withstood b.", {"b", "p", "q"}), (DEGRADES, "", {"b", "p"})):
        (folder / "f.yaml").write_text(text)
        (record,) = instruct([denying()], InstructSettings(field=folder / "f.yaml", prompts_per_document=1, keywords=0))
        assert ("withstood" in record["findings"]) == bool(said) and said in record["findings"]
        assert {each["id"] for each in record["entities"]} == named
        assert record["relations"] == [{"head": "b", "type": "degrades", "tail": "p"}]
        assert "Keywords" not in record["prompt"]


def test_findings_alone_are_abstracts_that_can_be_selected(cli, folder):
    (folder / "f.yaml").write_text(DENIED)
    prompts, abstracts = folder / "prompts.jsonl", folder / "abstracts.jsonl"
    instructed = ["synth", "instruct", folder / "docs.jsonl", "--field", folder / "f.yaml", "--out", prompts]
    assert cli(*instructed, "--prompts-per-document", 3, "--keywords", 0).exit_code == 0
    assert cli("synth", "state", prompts, "--out", abstracts).exit_code == 0
    for record, document in zip(map(json.loads, prompts.open()), read_documents(abstracts), strict=True):
        assert document.abstract == record["findings"] and document.title == record["ArticleTitle"]
    for verdict in select(read_documents(abstracts)).verdicts:
        assert verdict.score == 1 and MISSING not in verdict.reasons
    (folder / "none.jsonl").write_text('{"id": "1", "prompt": "x"}\n')
    result = cli("synth", "state", folder / "none.jsonl", "--out", folder / "x.jsonl")
    assert result.exit_code == 2 and "no prompt with findings" in result.stderr
