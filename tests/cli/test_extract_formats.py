"""`abroad extract` says what it assumed, skipped and set aside; a stand-in takes the extractor's place."""

import csv
import json

import pytest

from abroad.core.resume import digest
from abroad.core.schema import Document, Prediction, Relation
from tests.sources.formats.test_bibliographies import ABSTRACTS, NBIB
from tests.sources.servers import Efetch, article_xml


class StandIn:
    """Finds berberine of Coptis in every document."""

    def __init__(self):
        self.identity = {"model": "stand-in"}

    def extract(self, documents):
        for document in documents:
            yield Prediction(document.id, [Relation("Coptis", "berberine")])


@pytest.fixture
def extract(cli, monkeypatch):
    monkeypatch.setattr("abroad.extraction.load.load_extractor", lambda *_, **__: StandIn())
    return lambda *arguments, **options: cli("extract", "--no-link", *arguments, **options)


def test_several_files_a_folder_and_a_bad_record(extract, tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "abstract-set.txt").write_text(ABSTRACTS, encoding="utf-8")
    (tmp_path / "in" / "notes.docx").write_bytes(b"PK")
    (tmp_path / "set.nbib").write_text(NBIB, encoding="utf-8")
    (tmp_path / "own.csv").write_text('Name,What\nT,A\n"torn,B\nU,C\n', encoding="utf-8")
    out = tmp_path / "p.csv"
    columns = ["--title-column", "Name", "--abstract-column", "What"]
    result = extract(tmp_path / "in", tmp_path / "set.nbib", tmp_path / "own.csv", *columns, "--out", out)
    assert result.exit_code == 0, result.output
    found = [row["document"] for row in csv.DictReader(out.read_text(encoding="utf-8").splitlines())]
    assert found == ["25706243", "21351450", "13054692", "2", "3", "own-1", "own-2"]
    assert "skipped 1: notes.docx" in result.stderr
    assert "own.csv: title from the column 'Name', abstract from the column 'What'" in result.stderr
    assert "2 record(s) without an id are numbered: own-1, own-2" in result.stderr
    assert "own.csv:3: a quotation mark that does not close" in result.stderr
    rejected = [json.loads(line) for line in (tmp_path / "p.csv.abroad" / "rejects.jsonl").read_text().splitlines()]
    assert len(rejected) == 2  # the torn row, and the paper that stands in two files


def test_a_table_leaves_its_neighbours_alone_and_goes_on_from_its_own_records(extract, tmp_path, monkeypatch):
    (tmp_path / "docs.jsonl").write_text('{"id": "1", "AbstractText": "One."}\n{"id": "2", "AbstractText": "Two."}\n')
    before = (tmp_path / "docs.jsonl").read_bytes()
    (tmp_path / "p.jsonl").write_text("unrelated")
    for out in ("docs.csv", "p.csv"):
        for _ in range(2):
            result = extract(tmp_path / "docs.jsonl", "--out", tmp_path / out)
            assert result.exit_code == 0, result.output
            assert len((tmp_path / out).read_text().splitlines()) == 3
        monkeypatch.setattr(StandIn, "extract", lambda *_: iter(()))  # all is there already
        assert extract(tmp_path / "docs.jsonl", "--out", tmp_path / out).exit_code == 0
        assert len((tmp_path / out).read_text().splitlines()) == 3
        monkeypatch.undo()
        monkeypatch.setattr("abroad.extraction.load.load_extractor", lambda *_, **__: StandIn())
    assert (tmp_path / "docs.jsonl").read_bytes() == before
    assert (tmp_path / "p.jsonl").read_text() == "unrelated"


@pytest.mark.parametrize("unfinished", [True, False])
def test_a_table_of_an_earlier_version_is_gone_on_with(extract, tmp_path, monkeypatch, unfinished):
    """Version 0 kept the records of p.csv in p.jsonl, or p.jsonl.partial."""
    (tmp_path / "docs.jsonl").write_text('{"id": "1", "AbstractText": "One."}\n')
    made = {"id": "1", "relations": [{"organism": "O", "chemical": "of version 0", "score": 0.5}], "error": None}
    record = json.dumps({**made, "input_digest": digest(Document("1", "", "One.").text)}) + "\n"
    (tmp_path / ("p.jsonl.partial" if unfinished else "p.jsonl")).write_text(record)
    (tmp_path / "p.jsonl.resume.json").write_text(json.dumps(StandIn().identity))
    monkeypatch.setattr(StandIn, "extract", lambda *_: iter(()))
    result = extract(tmp_path / "docs.jsonl", "--out", tmp_path / "p.csv")
    assert result.exit_code == 0, result.output
    assert "of version 0" in (tmp_path / "p.csv").read_text()


def test_a_folder_that_holds_the_output_is_read_again(extract, tmp_path):
    (tmp_path / "a.txt").write_text("One.")
    for _ in range(2):
        result = extract(tmp_path, "--out", tmp_path / "p.csv")
        assert result.exit_code == 0, result.output
        assert "(a folder)" not in result.stderr


def test_three_papers_of_a_pipe_are_three_documents(extract):
    result = extract("-", input=ABSTRACTS)
    assert result.exit_code == 0, result.output
    assert [json.loads(line)["id"] for line in result.stdout.splitlines()] == ["25706243", "21351450", "13054692"]


def test_a_list_of_identifiers(extract, tmp_path):
    (tmp_path / "ids.txt").write_text("7\n10.1021/x\n9\n")
    articles = {"7": article_xml("7", "Seven."), "8": article_xml("8", "Eight.", doi="10.1021/X")}
    with Efetch(articles).serve() as server:
        arguments = [tmp_path / "ids.txt", "--out", tmp_path / "p.jsonl", "--base-url", server.url]
        result = extract(*arguments)
    assert result.exit_code == 0, result.output
    assert [json.loads(line)["id"] for line in (tmp_path / "p.jsonl").read_text().splitlines()] == ["7", "8"]
    assert "ids.txt:3: PMID 9: not found in PubMed" in result.stderr


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("a.bib", b"@article{x,}", "looks like BibTeX; export RIS"),
        ("a.csv", b"Name,What\nT,A\n", "name them: --title-column NAME, --abstract-column NAME"),
        ("a.zip", b"PK\x03\x04..", "looks like a zip archive"),
    ],
)
def test_what_is_not_recognised_is_refused_in_one_line(extract, tmp_path, name, data, message):
    (tmp_path / name).write_bytes(data)
    result = extract(tmp_path / name, "--out", tmp_path / "p.csv")
    assert result.exit_code == 2 and message in result.stderr and result.stderr.count("\n") == 1
    assert not (tmp_path / "p.csv").exists()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--out", "x.csv", "--format", "xlsx"), "the name says csv"),
        (("--out", "x.jsonl", "--format", "csv"), "the name says jsonl"),
        (("--out", "x.tsv", "--format", "spacy"), "the name says tsv"),
        (("--out", "noext"), "no ending that tells the format"),
    ],
)
def test_a_name_and_a_format_that_do_not_agree_are_refused(extract, tmp_path, monkeypatch, options, words):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.txt").write_text("Berberine of Coptis.")
    result = extract("a.txt", *options)
    assert result.exit_code == 2 and words in result.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


@pytest.mark.parametrize(("name", "format"), [("x.tab", "tsv"), ("noext", "csv"), ("x.txt", "tsv")])
def test_a_name_and_a_format_that_agree(extract, tmp_path, name, format):
    (tmp_path / "a.txt").write_text("Berberine of Coptis.")
    assert extract(tmp_path / "a.txt", "--out", tmp_path / name, "--format", format).exit_code == 0
    assert (tmp_path / name).read_text().startswith("document")


@pytest.mark.parametrize(
    ("format", "start"), [("jsonl", '{"id"'), ("json", "["), ("csv", "document,"), ("tsv", "document\t")]
)
def test_a_dash_is_standard_output_in_every_format_of_text(extract, tmp_path, format, start):
    (tmp_path / "a.txt").write_text("Berberine of Coptis.")
    result = extract(tmp_path / "a.txt", "--out", "-", "--format", format)
    assert result.exit_code == 0 and result.stdout.startswith(start), result.stderr


@pytest.mark.parametrize("content", ["5", " 12345 \n", '"10.1021/x"', "true", "null", "1e3"])
@pytest.mark.parametrize("name", ["a.json", "a.jsonl"])
def test_a_lone_value_is_no_document_and_nobody_is_asked_for_it(extract, tmp_path, name, content):
    (tmp_path / name).write_text(content)
    with Efetch({}).serve() as pubmed:
        result = extract(tmp_path / name, "--out", tmp_path / "p.csv", "--base-url", pubmed.url)
    assert result.exit_code == 2 and "found nothing but" in result.stderr and not pubmed.asked


@pytest.mark.parametrize("content", ["[5]", "5\n6\n"])
def test_several_numbers_are_pmids(extract, tmp_path, content):
    (tmp_path / "a.json").write_text(content)
    with Efetch({"5": article_xml("5"), "6": article_xml("6")}).serve() as pubmed:
        result = extract(tmp_path / "a.json", "--out", tmp_path / "p.csv", "--base-url", pubmed.url)
    assert result.exit_code == 0 and pubmed.asked


@pytest.mark.parametrize("name", ["p.spacy", "p.bin", "p.jsonl"])
def test_predictions_in_a_binary_file_are_refused_without_naming_its_kind_as_expected(cli, tmp_path, name):
    (tmp_path / "g.jsonl").write_text('{"id": "1", "AbstractText": "a"}\n')
    (tmp_path / name).write_bytes(b"\x82\xa5\x00\x01attrs")
    result = cli("evaluate", "--gold", tmp_path / "g.jsonl", "--pred", tmp_path / name)
    assert result.exit_code == 2 and ".spacy" not in result.stderr.replace(str(tmp_path / name), "")
