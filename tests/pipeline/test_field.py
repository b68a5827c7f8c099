"""A run of another field: one key tells every stage, and what contradicts it or has none of it is named."""

import json
import re

import pytest
import yaml

from abroad.core.errors import InputError
from abroad.core.field_file import NewField, new_field
from abroad.core.io import read_documents, write_documents
from abroad.core.schema import Document, Entity, Triple
from abroad.pipeline.config import check_config, load_config, load_section
from abroad.pipeline.field import extractor_settings, sampling
from abroad.pipeline.stages import make_stages
from abroad.synthesis.settings import SpecialiseSettings
from tests.sources.servers import Completions

RUN = {
    "out": "run",
    "field": "decay.yaml",
    "documents": {"files": ["d.jsonl"]},
    "synthesis": {"specialise": {"corpus": "d.jsonl"}},
    "train": {"add_seeds": True},
    "evaluate": {"gold": "d.jsonl"},
}
DECAY = NewField(name="decay", head="bacterium", tail="dye", verb="eats")


@pytest.fixture
def write(tmp_path):
    (tmp_path / "decay.yaml").write_text(new_field(DECAY))
    (tmp_path / "other.yaml").write_text(new_field(DECAY.replace(name="other")))
    entities = [Entity("b", "Rhodia alba", type="bacterium"), Entity("d", "indigo", type="dye")]
    texts = ("Rhodia alba eats indigo.", "Indigo is eaten by Rhodia alba in soil columns.")
    documents = [
        Document(str(n), "Dyes.", text, entities=entities, relations=[Triple("b", "eats", "d")])
        for n, text in enumerate(texts)
    ]
    write_documents(tmp_path / "d.jsonl", documents)

    def call(**changes):
        path = tmp_path / "run.yaml"
        path.write_text(yaml.safe_dump({key: v for key, v in {**RUN, **changes}.items() if v != "gone"}))
        return path

    return call


def test_every_stage_has_the_field_of_the_run(write, tmp_path):
    config = load_config(write())
    file = tmp_path / "decay.yaml"
    assert config.field == config.train.field == config.evaluate.field == config.synthesis.field == file
    assert config.synthesis.specialise.field == file
    following = {stage.name: file in stage.inputs for stage in make_stages(config)}
    assert following.pop("generate") is following.pop("select") is False and all(following.values())
    bare = load_config(write(field="gone"))
    assert (bare.train.field, bare.synthesis.field, bare.synthesis.specialise.field) == (None, None, None)
    assert not any(file in stage.inputs for stage in make_stages(bare))


def test_a_section_may_name_the_field_itself_and_a_single_command_follows_the_run(write, tmp_path):
    own = load_config(write(field="gone", train={"add_seeds": True, "field": "decay.yaml"}, synthesis="gone"))
    assert own.train.field == tmp_path / "decay.yaml" and own.field is None
    assert load_config(write(train={"add_seeds": True, "field": "decay.yaml"})).train.field == tmp_path / "decay.yaml"
    assert load_config(write(train={"add_seeds": True, "field": None})).train.field == tmp_path / "decay.yaml"
    for name in ("train", "synthesis", "evaluate", "rank"):
        assert load_section(write(), name).field == tmp_path / "decay.yaml"
    of_specialisation = SpecialiseSettings.of(load_section(write(), "synthesis").specialise)
    assert of_specialisation.field == tmp_path / "decay.yaml"


@pytest.mark.parametrize("place", ["train", "synthesis", "evaluate", "synthesis.specialise"])
def test_a_section_of_another_field_is_named(write, place):
    name, _, inner = place.partition(".")
    section = dict(RUN[name])
    section[inner or "field"] = {**section["specialise"], "field": "other.yaml"} if inner else "other.yaml"
    with pytest.raises(InputError, match=rf"{place}\.field: other\.yaml beside field: decay\.yaml: expected one field"):
        load_config(write(**{name: section}))
    with pytest.raises(InputError, match=rf"{place}\.field: other\.yaml beside field: decay\.yaml"):
        load_section(write(**{name: section}), name)
    with pytest.raises(InputError, match=rf"{place}\.field: other\.yaml beside field: decay\.yaml"):
        check_config(write(**{name: section, "out": "gone"}))  # sections for single commands


def test_two_sections_of_two_fields_are_named(write):
    sections = {
        "train": {"add_seeds": True, "field": "other.yaml"},
        "evaluate": {"gold": "d.jsonl", "field": "decay.yaml"},
    }
    with pytest.raises(InputError, match="expected one field for all of a run"):
        load_config(write(field="gone", synthesis="gone", **sections))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"lotus": {"metadata": "d.jsonl"}}, "lotus.metadata: of natural products alone: expected 'relations'"),
        (
            {"extract": {"model": "builtin"}, "train": "gone", "synthesis": "gone"},
            "extract.model: builtin is of natural",
        ),
        ({"curation": {"pool": "d.jsonl"}, "evaluate": "gone", "train": "gone"}, "curation: of natural products alone"),
    ],
    ids=lambda value: value.partition(":")[0] if isinstance(value, str) else "",
)
def test_what_natural_products_alone_have_is_named(write, changes, said):
    changes = {name: {} if name == "curation" else value for name, value in changes.items()}
    with pytest.raises(InputError, match=said):
        load_config(write(**changes))
    if "curation" not in changes:
        load_config(write(field="natural_products", **changes))


def test_a_field_that_is_not_there_or_has_mistakes_is_named_wherever_it_stands(write, tmp_path):
    for changes, key in (({"field": "none.yaml"}, "field"), ({"field": "gone"}, "train.field")):
        train = {"add_seeds": True, "field": "none.yaml"}
        with pytest.raises(InputError, match=f"{key}: no such file"):
            load_config(write(synthesis="gone", train=train, **changes))
    (tmp_path / "decay.yaml").write_text("name: decay\n")
    for run in (write(), write(out="gone")):
        with pytest.raises(InputError, match=r"decay\.yaml: 3 mistakes: title: .*entities: .*relations: "):
            check_config(run)


def test_an_extractor_that_asks_for_a_field_is_told_the_run_s(write, tmp_path):
    extract = {"model": "fewshot", "settings": {"model": "m", "shots": 0}}
    config = load_config(write(extract=extract, train="gone", synthesis="gone"))
    assert extractor_settings(config)["field"] == tmp_path / "decay.yaml"


PUBMED = """<PubmedArticleSet>{}</PubmedArticleSet>"""
ARTICLE = """<PubmedArticle><MedlineCitation><PMID>{0}</PMID><Article><ArticleTitle>Dyes {0}.</ArticleTitle>
<Abstract><AbstractText>Rhodia alba eats indigo in columns of soil.</AbstractText></Abstract></Article>
</MedlineCitation></PubmedArticle>"""


def test_a_run_samples_and_fetches_by_a_table_of_the_field(write, tmp_path, cli):
    rows = ["PMID\thead\ttail\ttail_id", "1\tRhodia alba\tindigo\tMESH:1", "1\tRhodia alba\tazo\t", "2\tTestia\tazo\t"]
    rows += ["x\tRhodia alba\tindigo\tMESH:1", "3\t\tindigo\tMESH:1"]
    (tmp_path / "table.tsv").write_text("\n".join(rows) + "\n")
    (tmp_path / "pubmed.xml").write_text(PUBMED.format("".join(map(ARTICLE.format, "123"))))
    run = write(
        lotus={"relations": "table.tsv"}, documents={"xml": ["pubmed.xml"]}, sample={"n": 2},
        synthesis="gone", train="gone", evaluate="gone",
    )  # fmt: skip
    assert (sampling(load_config(run)).on, sampling(load_config(run)).item) == (("head", "tail"), "PMID")
    made = cli("run", run)
    assert made.exit_code == 0, made.output
    documents = {document.id: document for document in read_documents(tmp_path / "run" / "documents.jsonl")}
    assert set(documents) <= {"1", "2", "3", "x"} and len(documents) >= 1
    entities = {(e.id, e.label, e.type) for document in documents.values() for e in document.entities}
    assert ("bacterium Rhodia alba", "Rhodia alba", "bacterium") in entities and ("MESH:1", "indigo", "dye") in entities
    rejects = (tmp_path / "run" / "documents.jsonl.abroad" / "rejects.jsonl").read_text()
    assert "table.tsv:6" in rejects and "nothing in head" in rejects
    command = ["documents", "fetch", tmp_path / "run" / "sample.tsv", "--relations", tmp_path / "table.tsv"]
    fetched = cli(
        *command, "--field", tmp_path / "decay.yaml", "--xml", tmp_path / "pubmed.xml", "--out", tmp_path / "o.jsonl"
    )
    assert fetched.exit_code == 0, fetched.output
    assert cli("field", "check", tmp_path / "decay.yaml", "--documents", tmp_path / "o.jsonl").exit_code == 0
    assert [json.loads(line)["id"] for line in (tmp_path / "o.jsonl").read_text().splitlines()] == list(documents)


def test_a_whole_run_of_another_field_comes_to_scores_and_a_report(write, tmp_path, cli, tiny_model):
    """From documents through synthesis by a server and a fine-tuned model to a report; nothing else names the field."""
    said = (
        "Rhodia alba eats indigo. Growth was followed for thirty days in columns of soil, and what was left of the "
        "substance was measured by chromatography at the end of every week."
    )
    train = {"model": str(tiny_model), "epochs": 1, "batch_size": 1, "max_length": 256, "validation_max_new_tokens": 8}
    with Completions(lambda body: (said, "stop")).serve() as server:
        engine = {"engine": "openai", "model": "m", "engine_settings": {"base_url": server.url}, "style": "standard"}
        run = write(synthesis={**engine, "prompts_per_document": 1}, train=train, extract={"max_new_tokens": 8})
        assert cli("config", "check", run).exit_code == 0
        made = cli("run", run)
    assert made.exit_code == 0, made.output
    out = tmp_path / "run"
    (kept, *_) = read_documents(out / "synthetic.jsonl")
    assert [(triple.type, pair) for triple, pair in zip(kept.relations, kept.label_pairs(), strict=True)] == [
        ("eats", ("Rhodia alba", "indigo"))
    ]
    assert "bacterium" in json.dumps(server.asked[0]) and "organism" not in json.dumps(server.asked[0])
    assert (out / "model" / "field.yaml").exists() and "f1" in json.dumps(json.loads((out / "scores.json").read_text()))
    assert "organism" not in re.sub(r"<(style|script).*?</\1>", "", (out / "report.html").read_text(), flags=re.DOTALL)
    assert cli("run", run).output.count("done before, unchanged") == 7
