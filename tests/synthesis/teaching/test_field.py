"""A teacher of another field: what passes share becomes documents of the field, with types, evidence and places."""

import json

import pytest

from abroad.core.field import Field
from abroad.core.field_file import NewField, new_field
from abroad.core.io import read_documents, write_documents
from abroad.core.schema import Document, Entity, Prediction, Relation, Triple
from abroad.extraction.generative.notation import Notation
from abroad.synthesis.teaching.agreement import judge
from abroad.synthesis.teaching.silver import curation_prediction, silver_document
from tests.sources.servers import Completions

DEGRADES = new_field(NewField(name="biodegradation", head="bacterium", tail="pollutant", verb="degrades"))
ANY = Field.model_validate(
    {
        "name": "genes",
        "title": "Genes",
        "entities": {"gene": {"singular": "gene", "plural": "genes"}, "drug": {"singular": "drug", "plural": "drugs"}},
        "relations": {
            "binds": {"head": ["gene", "drug"], "tail": "gene", "template": "{head} binds {tail}"},
            "blocks": {"head": "drug", "tail": "gene", "template": "{head} blocks {tail}"},
        },
    }
)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "f.yaml").write_text(DEGRADES)
    texts = [Document(str(n), "", f"Report {n}: Rhodia alba degrades pyrene and fluorene.") for n in range(4)]
    write_documents(tmp_path / "docs.jsonl", texts)
    entities = [Entity("b", "Testia prima", type="bacterium"), Entity("p", "toluene", type="pollutant")]
    shown = [
        Document(id, "", f"In case {id}, Testia prima lives on toluene.", entities=entities, relations=relations)
        for id, relations in (("a", [Triple("b", "degrades", "p")]), ("b", [Triple("b", "degrades", "p")]))
    ]
    write_documents(tmp_path / "shown.jsonl", shown)
    return tmp_path


def answer(body):
    asked = json.dumps(body).rpartition("Report ")[2]
    first = "case a" in json.dumps(body).partition("Testia prima lives")[0][-20:]
    more = "; Rhodia alba degrades fluorene" if int(asked[0]) % 2 and first else ""
    return f"Rhodia alba degrades pyrene{more}", "stop"


def test_silver_of_another_field_is_documents_of_it(cli, folder):
    out, disputed = folder / "silver.jsonl", folder / "disputed.jsonl"
    with Completions(answer).serve() as server:
        engine = ["--engine", "openai", "--model", "m", "--base-url", server.url, "--batch-size", 1, "--shots", 1]
        command = ["teach", folder / "docs.jsonl", "--out", out, "--curate", disputed, *engine]
        made = cli(*command, "--field", folder / "f.yaml", "--examples", folder / "shown.jsonl")
        assert made.exit_code == 0, made.output
        assert "bacterium degrades which pollutant" in json.dumps(server.asked[0])
    silver, doubtful = read_documents(out), read_documents(disputed)
    assert cli("field", "check", folder / "f.yaml", "--documents", out).exit_code == 0
    assert cli("field", "check", folder / "f.yaml", "--documents", disputed).exit_code == 0
    assert [d.label_pairs() for d in silver] == [[("Rhodia alba", "pyrene")]] * 4
    assert {(e.label, e.type) for e in silver[0].entities} == {("Rhodia alba", "bacterium"), ("pyrene", "pollutant")}
    assert [d.id for d in doubtful] == ["1", "3"] and len(doubtful[0].relations) == 2
    assert silver[1].extra["disputed"] == [["Rhodia alba", "degrades", "fluorene"]]
    (evidence,) = silver[0].extra["evidence"]
    assert (evidence["head"], evidence["type"], evidence["tail"]) == ("Rhodia alba", "degrades", "pyrene")
    assert all(silver[0].text[s["start"] : s["end"]] == s["text"] for s in evidence["spans"]) and evidence["spans"]


def curated(number):
    names = [("b", f"Testia {'prima' if number % 2 else 'altera'}", "bacterium")]
    names += [(f"p{n}", f"{'abcdefghijklm'[number + n]}ylene", "pollutant") for n in range(2)]
    one, first, second = (label for _, label, _ in names)
    text = f"Report {number + 50}: {one} degrades {first}, and never {second}."
    entities = [Entity(id, label, type=type) for id, label, type in names]
    return Document(f"c{number}", "", text, entities=entities, relations=[Triple("b", "degrades", "p0")])


def test_the_extractor_of_the_field_learns_from_what_its_teacher_wrote(cli, folder):
    write_documents(folder / "curated.jsonl", [curated(number) for number in range(12)])
    field, silver = ["--field", folder / "f.yaml"], folder / "silver.jsonl"
    with Completions(answer).serve() as server:
        engine = ["--engine", "openai", "--model", "m", "--base-url", server.url, "--batch-size", 1, "--shots", 1]
        shown = ["--examples", folder / "shown.jsonl"]
        assert cli("teach", folder / "docs.jsonl", "--out", silver, *engine, *field, *shown).exit_code == 0
    assert any(document.extra["disputed"] for document in read_documents(silver))
    out = folder / "student"
    made = cli("extractor", "train", folder / "curated.jsonl", "--silver", silver, *field, "--out", out, "--cv", 2)
    assert made.exit_code == 0, made.output
    assert "silver documents: 4" in made.stdout and not (folder / "student.abroad" / "rejects.jsonl").exists()


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ([], "no examples of the field biodegradation"),
        (["--trained"], "--field: a fine-tuned model has that of its training"),
    ],
)
def test_what_another_field_has_not_is_named_before_anything_is_asked(cli, folder, tiny_model, more, said):
    more = [folder / word if word.endswith(".jsonl") else word for word in more]
    command = ["teach", folder / "docs.jsonl", "--out", folder / "s.jsonl", "--model", tiny_model, "--shots", 1]
    refused = cli(*command, "--field", folder / "f.yaml", *more)
    assert refused.exit_code == 2 and said in " ".join(refused.stderr.split()), refused.output


def test_relations_of_several_types_between_the_same_names_are_told_apart():
    text = Document("1", "", "Drugs: abine binds DEF, and blocks it.")
    names = {"head_type": "", "tail_type": "gene"}
    binds, blocks = (Relation("abine", "DEF", type=type, **names) for type in ("binds", "blocks"))
    judgement = judge([Prediction("1", [binds, blocks]), Prediction("1", [binds])])
    assert judgement.agreed == [("abine", "binds", "DEF")] and judgement.disputed == [("abine", "blocks", "DEF")]
    silver = silver_document(text, judgement, judgement.agreed, Notation(ANY))
    assert ANY.mistakes_in(silver) == [] and [t.type for t in silver.relations] == ["binds"]
    suggested = curation_prediction(text, judgement, Notation(ANY))
    assert [(r.type, r.score) for r in suggested.relations] == [("binds", 1.0), ("blocks", 0.5)]
