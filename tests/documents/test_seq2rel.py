"""The format of seq2rel: written, read back, and scored."""

import re

from abroad.core.io import read_predictions, write_documents
from abroad.core.schema import Document, Entity
from abroad.documents.seq2rel import line, parse_target, read_output, target


def study():
    return Document(
        "1",
        "Salvia",
        "Rutin was found in Ruta ficta, and salvinol in Salvia ficta.\nSo was rutin.",
    ).with_products(
        [Entity("o1", "Ruta ficta"), Entity("o2", "Salvia ficta")],
        [Entity("c1", "Rutin"), Entity("c2", "salvinol")],
        [("o2", "c2"), ("o1", "c1")],
    )


def test_relations_stand_in_the_order_of_the_text():
    assert target(study()) == (
        "Ruta ficta @ORGANISM@ Rutin @CHEMICAL@ @PRODUCES@ Salvia ficta @ORGANISM@ salvinol @CHEMICAL@ @PRODUCES@"
    )
    assert line(study()).count("\t") == 1 and "\n" not in line(study())


def test_output_is_read_and_broken_parts_are_counted():
    text = "ruta ficta; r. ficta @ORGANISM@ rutin @CHEMICAL@ @PRODUCES@ salvia ficta @ORGANISM@ @PRODUCES@"
    assert parse_target(text) == ([("ruta ficta", "rutin")], 1)
    assert parse_target("") == ([], 0)


def test_there_and_back(cli, tmp_path):
    write_documents(tmp_path / "d.jsonl", [study()])
    assert cli("documents", "seq2rel", tmp_path / "d.jsonl", "--out", tmp_path / "t.tsv").exit_code == 0
    output = tmp_path / "output.txt"
    relations = (tmp_path / "t.tsv").read_text().split("\t")[1]
    # seq2rel writes lower case, its special tokens aside
    output.write_text(re.sub(r"@\w+@|[^@]+", lambda part: part[0] if part[0][0] == "@" else part[0].lower(), relations))
    made = cli("documents", "seq2rel", tmp_path / "d.jsonl", "--output", output, "--out", tmp_path / "p.jsonl")
    assert made.exit_code == 0
    (prediction,) = read_predictions(tmp_path / "p.jsonl")
    assert {(r.organism, r.chemical) for r in prediction.relations} == set(study().label_pairs())
    output.write_text("one\ntwo\n")
    assert cli("documents", "seq2rel", tmp_path / "d.jsonl", "--output", output, "--out", output).exit_code == 2


def test_a_spelling_is_that_of_the_text():
    (prediction,) = read_output([study()], ["ruta ficta @ORGANISM@ rutin @CHEMICAL@ @PRODUCES@"])
    assert (prediction.relations[0].organism, prediction.relations[0].chemical) == ("Ruta ficta", "Rutin")
