"""Tables without a relation have the columns of the field of their extractor, so that batches go below each other."""

import polars
import pytest

import abroad
from abroad.core.field_file import NewField, new_field
from abroad.core.io import write_documents
from abroad.core.schema import Document, Entity, Prediction
from abroad.documents.columns import PRODUCTS, TYPED
from abroad.sources.formats.spreadsheets import read_workbook

BARE = Document("1", "", "Mice ate.")


@pytest.fixture
def model(tmp_path):
    text = new_field(NewField(name="decay", head="bacterium", tail="dye", verb="eats"))
    (tmp_path / "dyes.txt").write_text("Nile red\n")
    text = text.replace("names: none", "names: taxonomy", 1)
    (tmp_path / "field.yaml").write_text(text.replace("names: none", "names: {kind: table, file: dyes.txt}"))
    return tmp_path / "field.yaml"


def header(path):
    if path.suffix == ".parquet":
        return [name for name in polars.read_parquet(path).columns if name != "evidence"]
    if path.suffix == ".xlsx":
        return list(read_workbook(path.read_bytes(), str(path))[0].header)
    return path.read_text().splitlines()[0].split("," if path.suffix == ".csv" else "\t")


@pytest.mark.parametrize("ending", ["csv", "tsv", "xlsx", "parquet"])
def test_a_table_without_a_relation_has_the_columns_of_its_field(cli, tmp_path, model, ending):
    write_documents(tmp_path / "d.jsonl", [BARE])
    done = cli("extract", tmp_path / "d.jsonl", "--model", model, "--out", tmp_path / f"p.{ending}")
    assert done.exit_code == 0, done.stderr
    assert header(tmp_path / f"p.{ending}") == list(TYPED.names)


def test_what_is_printed_has_them_too(cli, model):
    done = cli("extract", "--text", "Mice ate.", "--model", model, "--format", "csv")
    assert done.stdout.splitlines()[0].split(",") == list(TYPED.names)


def test_a_frame_has_those_of_its_documents():
    of_another = Document("1", "", "Mice ate.", entities=[Entity("m", "Mice", type="animal")])
    for document, columns in ((of_another, TYPED), (BARE, PRODUCTS)):
        assert abroad.predictions_frame([Prediction("1")], [document], library="polars").columns == list(columns.names)
