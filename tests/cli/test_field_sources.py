"""`abroad field check` reads the sources of names: one without a name of its type is a mistake, told with its key."""

import pytest

from abroad.core.field import find_field
from abroad.core.field_file import NewField, new_field
from abroad.core.io import write_documents
from abroad.core.schema import Document, Entity
from abroad.extraction.joint.names import NameFinder
from tests.conftest import make_document

TYPED = Document("1", "", "Nile red was eaten.", entities=[Entity("d1", "Nile red", type="dye")])
SOURCES = {
    "another type": ("{kind: annotated, file: typed.jsonl}", "names.file: ", "names no bacterium"),
    "natural products": (
        "{kind: annotated, file: products.jsonl}",
        "names.file: ",
        "found entities of chemical, organism",
    ),
    "no entity": ("{kind: annotated, file: bare.jsonl}", "names.file: ", "found no entity"),
    "a list of names": ("{kind: annotated, file: names.txt}", "names.file: ", "expected documents with entities"),
    "tags of tokens under another name": (
        "{kind: annotated, file: tags.tsv}",
        "names.file: ",
        "tokens with tags in a file called .iob",
    ),
    "tags of another kind": ("{kind: annotated, file: others.iob}", "names.file: ", "found entities of dye"),
    "broken tags": ("{kind: annotated, file: broken.iob}", "names.file: ", "broken.iob:2: expected a token, a tab"),
    "a pipeline": ("{kind: spacy, pipeline: xx_never_installed}", "names.pipeline: ", "'xx_never_installed'"),
}


@pytest.fixture
def field(tmp_path):
    write_documents(tmp_path / "typed.jsonl", [TYPED])
    write_documents(tmp_path / "products.jsonl", [make_document("1", "", "Usnea barbata.", [("Usnea barbata", "x")])])
    write_documents(tmp_path / "bare.jsonl", [Document("1", "", "Nothing.")])
    (tmp_path / "names.txt").write_text("Escherichia coli\n")
    tags = "Escherichia\tB-Bacterium\ncoli\tI-Bacterium\neats\tO\n"
    (tmp_path / "tags.iob").write_text(tags)
    (tmp_path / "tags.tsv").write_text(tags)
    (tmp_path / "others.iob").write_text("indigo\tB-dye\n")
    (tmp_path / "broken.iob").write_text("indigo\tB-dye\nblue\n")
    text = new_field(NewField(name="decay", head="bacterium", tail="dye", verb="eats", passive="is eaten by"))

    def write(bacterium="none", dye="none"):
        head, middle, rest = text.split("names: none")
        (tmp_path / "field.yaml").write_text(f"{head}names: {bacterium}{middle}names: {dye}{rest}")
        return tmp_path / "field.yaml"

    return write


@pytest.mark.parametrize("case", SOURCES)
def test_a_source_without_names_of_its_type_is_a_mistake(cli, field, case):
    source, key, said = SOURCES[case]
    done = cli("field", "check", field(bacterium=source))
    assert done.exit_code == 2
    assert "field.yaml: 1 mistake: entities.bacterium." + key in done.stderr and said in done.stderr
    assert "no mistakes" not in done.stderr + done.stdout


def test_a_source_with_names_is_none(cli, field):
    done = cli("field", "check", field(dye="{kind: annotated, file: typed.jsonl}"))
    assert done.exit_code == 0, done.stderr


def test_names_come_from_tokens_with_tags(cli, field):
    path = field(bacterium="{kind: annotated, file: tags.iob}", dye="{kind: annotated, file: typed.jsonl}")
    assert cli("field", "check", path).exit_code == 0
    finder = NameFinder.of_field(find_field(path), path.parent)
    assert finder.listed["bacterium"] and finder.listed["dye"]
    shown = cli("extract", "--text", "Escherichia coli eats Nile red.", "--model", path, "--format", "csv")
    assert "Escherichia coli" in shown.stdout and "Nile red" in shown.stdout, shown.stderr
