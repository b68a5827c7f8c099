"""What is wrong with a field, or not of it, is named with file and key by every command that takes a field.

Before anything is loaded, asked or written: the model of these commands is none, and no server answers.
"""

import shlex

import pytest
import typer

from abroad.cli import app
from abroad.core.field_file import NewField, new_field
from abroad.core.io import write_documents, write_jsonl
from abroad.core.schema import Document, Entity, Prediction, Relation, Triple
from tests.conftest import make_document

FIELD = new_field(NewField(name="decay", head="bacterium", tail="dye", verb="eats", passive="is eaten by"))
COMMANDS = {
    "annotate adjudicate": "--field {field}",
    "annotate export": "{docs} --field {field} --html {out}.html",
    "annotate pull": "--out {out} --field {field}",
    "annotate push": "{docs} --field {field}",
    "documents biored": "{docs} --field {field} --out {out}",
    "documents pairs": "{pairs} --field {field} --out {out}",
    "documents fetch": "{sample} --relations {table} --field {field} --xml {docs} --out {out}",
    "evaluate": "--gold {docs} --pred {pred} --field {field}",
    "extract": "{docs} --rank er-d --rank-field {field} --out {out}",
    "extractor train": "{docs} --field {field} --out {out}.d",
    "fewshot": "{docs} --examples {docs} --field {field} --model {model} --shots 1 --out {out}",
    "field check": "{field} --documents {docs}",
    "knowledge build": "{pred} --documents {docs} --field {field} --out {out}.duckdb",
    "rank": "{docs} {pred} --field {field} --model {model} --out {out}",
    "run": "{run}",
    "synth compare": "a={docs} --dev {docs} --field {field} --model {model} --out {out}.d",
    "synth instruct": "{docs} --field {field} --out {out}",
    "synth specialise": "{docs} --corpus {docs} --field {field} --model {model} --out {out}",
    "synth tasks": "{docs} --field {field} --out {out}",
    "synth topics": "--principles {guide} --field {field} --model {model} --out {out}.yaml",
    "teach": "{docs} --examples {docs} --field {field} --model {model} --shots 1 --out {out}",
    "train curve": "a={docs} --sizes 1 --dev {docs} --field {field} --model {model} --out {out}.d",
    "train run": "{docs} --field {field} --model {model} --out {out}.d",
    "tune images": "{docs} --validation {docs} --field {field} --model {model} --out {out}.d",
    "tune train": "{docs} --validation {docs} --field {field} --model {model} --study {out}.sqlite",
}
NO_DOCUMENTS = {
    "annotate adjudicate",  # what the server has is the field's
    "annotate pull",
    "documents biored",  # its types are renamed by the field
    "documents pairs",  # a table of names
    "documents fetch",  # rows of another field are set aside
    "knowledge build",  # takes texts alone of them; of relations see tests/knowledge/test_field.py
    "extract",  # reads documents of any field; what is predicted is compared
    "synth topics",
}
NO_FIELD = {
    "annotate push",  # asks for a key of the server first
    "evaluate",  # compares relations of any field
}
MISTAKES = {
    "a template that lacks an entity": (
        lambda text: text.replace('"{head} eats {tail}"', '"{head} eats"'),
        "field.yaml: 1 mistake: relations.eats.template: expected '{head}' and '{tail}' once each, found no {tail}",
    ),
    "a verbalisation that lacks one": (
        lambda text: text.replace('singular: "{head} eats {tail}."', 'singular: "It eats {tail}."'),
        "field.yaml: 1 mistake: relations.eats.verbalisations.0.singular: expected '{head}' and '{tail}' once each",
    ),
    "a source of names that is empty": (
        lambda text: text.replace("names: none", "names: {kind: table, file: names.txt}", 1),
        "field.yaml: 1 mistake: entities.bacterium.names.file: ",
    ),
    "a source of names that is not there": (
        lambda text: text.replace("names: none", "names: {kind: annotated, file: none.jsonl}", 1),
        "field.yaml: 1 mistake: entities.bacterium.names.file: no such file",
    ),
    "a relation of a type that is missing": (
        lambda text: text.replace("tail: dye", "tail: die"),
        "field.yaml: 1 mistake: relations.eats.tail: no type of entities is called 'die'; did you mean dye?",
    ),
}
OTHERS = {
    "natural products": "document '1': entities of the unknown type 'organism'",
    "a type that the field lacks": "document '1': entities of the unknown type 'colour'",
    "a relation that the field lacks": "document '1': a relation of the unknown type 'drinks'",
    "a relation between other types": "document '1': eats between dye and bacterium: expected bacterium and dye",
}


def of_field(id="1", type="bacterium", other="dye", relation="eats", turned=False):
    entities = [Entity("b", "Rhodia alba", type=type), Entity("d", "indigo", type=other)]
    sides = ("d", "b") if turned else ("b", "d")
    text = "Rhodia alba eats indigo in columns of soil."
    return Document(id, "Dyes.", text, entities=entities, relations=[Triple(sides[0], relation, sides[1])])


def of_another(what):
    if what == "natural products":
        return make_document("1", "Usnea.", "Usnic acid was isolated from Usnea x.", [("Usnea x", "usnic acid")])
    changes = {
        "a type that the field lacks": {"other": "colour"},
        "a relation that the field lacks": {"relation": "drinks"},
    }
    return of_field(**changes.get(what, {"turned": True}))


@pytest.fixture
def call(cli, tmp_path, tiny_model):
    def run(command):
        names = {"field": "field.yaml", "docs": "docs.jsonl", "pred": "pred.jsonl", "out": "out.jsonl"}
        names |= {
            "sample": "sample.tsv",
            "table": "table.tsv",
            "run": "run.yaml",
            "guide": "guide.yaml",
            "pairs": "pairs.tsv",
        }
        paths = {name: tmp_path / file for name, file in names.items()} | {"model": tiny_model}
        server = ["--url", "http://127.0.0.1:9"] if command.startswith("annotate p") or "adjudicate" in command else []
        done = cli(*command.split(), *shlex.split(COMMANDS[command].format(**paths)), *server)
        assert not (tmp_path / "out.jsonl").exists() and not (tmp_path / "out.jsonl.html").exists()
        return done.exit_code, " ".join(done.stderr.split())

    (tmp_path / "field.yaml").write_text(FIELD)
    (tmp_path / "pairs.tsv").write_text("bacterium\tdye\nRhodia alba\tindigo\n")
    (tmp_path / "names.txt").write_text("\n \n")
    (tmp_path / "sample.tsv").write_text("PMID\n1\n")
    (tmp_path / "table.tsv").write_text("PMID\thead\ttail\n1\tRhodia alba\tindigo\n")
    (tmp_path / "guide.yaml").write_text("principles: [Be true.]\ntopics: {other: {aims: [a], techniques: [b]}}\n")
    (tmp_path / "run.yaml").write_text(
        "out: run\nfield: field.yaml\ndocuments: {files: [docs.jsonl]}\nsynthesis: {}\ntrain: {}\n"
    )
    write_documents(tmp_path / "docs.jsonl", [of_field()])
    relation = Relation("Rhodia alba", "indigo", type="eats", head_type="bacterium", tail_type="dye")
    write_jsonl(tmp_path / "pred.jsonl", [Prediction("1", [relation]).to_dict()])
    return run


def test_every_command_that_takes_a_field_is_here():
    def walk(command, path):
        for name, inner in getattr(command, "commands", {}).items():
            yield from walk(inner, (*path, name))
        if not getattr(command, "commands", None):
            yield " ".join(path), {option for parameter in command.params for option in parameter.opts}

    group = typer.main.get_command(app)
    taking = {name for name, options in walk(group, ()) if options & {"--field", "--rank-field", "field"}}
    assert taking == set(COMMANDS) - {"run"}


@pytest.mark.parametrize("mistake", MISTAKES)
@pytest.mark.parametrize("command", COMMANDS)
def test_a_mistake_of_a_field_is_named_with_file_and_key(call, tmp_path, command, mistake):
    change, said = MISTAKES[mistake]
    (tmp_path / "field.yaml").write_text(change(FIELD))
    code, stderr = call(command)
    assert code == 2 and said in stderr, stderr


@pytest.mark.parametrize("other", OTHERS)
@pytest.mark.parametrize("command", [name for name in COMMANDS if name not in NO_DOCUMENTS])
def test_documents_that_are_not_of_the_field_are_named_with_their_file(call, tmp_path, command, other):
    write_documents(tmp_path / "docs.jsonl", [of_another(other)])
    code, stderr = call(command)
    assert code == 2 and f"not of the field decay: {OTHERS[other]}" in stderr, stderr
    assert "docs.jsonl" in stderr or (command == "evaluate" and "gold" in stderr), stderr


@pytest.mark.parametrize("command", [name for name in COMMANDS if name not in NO_DOCUMENTS])
def test_of_two_fields_in_one_file_the_second_is_set_aside_and_named(call, tmp_path, command):
    """The first document decides; where it is of the other field, the file is."""
    write_documents(tmp_path / "docs.jsonl", [of_another("natural products"), of_field("2")])
    code, stderr = call(command)
    assert code == 2 and f"not of the field decay: {OTHERS['natural products']}" in stderr, stderr


@pytest.mark.parametrize(
    "command", [name for name, told in COMMANDS.items() if " --field" in told and name not in NO_DOCUMENTS | NO_FIELD]
)
def test_a_field_that_was_forgotten_is_told(call, monkeypatch, command):
    """Without --field documents are of natural products; those of another field are not taken for them."""
    monkeypatch.setitem(COMMANDS, command, COMMANDS[command].replace(" --field {field}", ""))
    code, stderr = call(command)
    assert code == 2 and "document '1': " in stderr and "the field natural_products" in stderr, stderr


@pytest.mark.parametrize("command", ["evaluate", "rank"])
def test_predictions_of_another_field_are_named(call, tmp_path, command):
    write_jsonl(tmp_path / "pred.jsonl", [Prediction("1", [Relation("Usnea x", "usnic acid")]).to_dict()])
    code, stderr = call(command)
    assert code == 2 and "predictions: not of the field decay: document '1': entities of the unknown type" in stderr


@pytest.mark.parametrize(
    ("learnt", "option"),
    [("natural products", option) for option in ("", "--synthetic", "--silver")]
    + [("decay", ""), ("decay", "--synthetic")],
)
@pytest.mark.parametrize("other", OTHERS)
def test_no_two_fields_are_learnt_together(cli, tmp_path, learnt, other, option):
    """Whatever option brings the second: `extractor train` names file, document and --field."""
    own, wrong = of_another("natural products"), of_another(other)
    field, known = [], "natural_products"
    if learnt == "decay":
        own, field, known = of_field(), ["--field", tmp_path / "field.yaml"], "decay"
        (tmp_path / "field.yaml").write_text(FIELD)
    elif other == "natural products":
        wrong = of_field()
    write_documents(tmp_path / "own.jsonl", [own])
    write_documents(tmp_path / "wrong.jsonl", [wrong])
    files = [tmp_path / "own.jsonl", option, tmp_path / "wrong.jsonl"] if option else [tmp_path / "wrong.jsonl"]
    done = cli("extractor", "train", *files, *field, "--out", tmp_path / "out")
    said = f"wrong.jsonl: not of the field {known}: document '1': "
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert done.exit_code == 2 and said in line and "--field " in line, done.stderr
    assert not [file for file in ("scorer.json", "joint.json") if (tmp_path / "out" / file).exists()]
