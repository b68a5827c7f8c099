"""`abroad extract` takes what people have: files, folders, pipes, texts, PMIDs; and writes what they can use."""

import csv
import io
import json

import pytest

from abroad.core.io import read_documents, write_documents
from abroad.core.schema import Document
from tests.sources.servers import Efetch, article_set, article_xml

SENTENCE = "Quercetin and rutin were isolated from the bulbs of Allium cepa."


GREEK = "  β-Sitosterol of <i>Allium cepa</i>\n\nQuercetin &amp; rutin (𝛂) were isolated from Allium cepa.\n"


def spans(records, texts):
    """Each span of the evidence beside what stands at its offsets."""
    for record in records:
        for relation in record["relations"]:
            for span in relation["evidence"]:
                yield span["text"], texts[record["id"]][span["start"] : span["end"]]


@pytest.mark.parametrize("given", [["--text", GREEK], ["-"], ["a.txt"]], ids=["text", "pipe", "file"])
@pytest.mark.parametrize("to", [[], ["--out", "-"], ["--format", "json"], ["--out", "-", "--format", "json"]])
def test_offsets_count_in_the_text_that_is_printed_with_them(cli, tmp_path, monkeypatch, given, to):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.txt").write_text(GREEK)
    if given == ["a.txt"] and "--out" not in to:
        to = [*to, "--out", "-"]
    result = cli("extract", *given, *to, input=GREEK)
    records = json.loads(result.stdout) if "json" in to else [json.loads(line) for line in result.stdout.splitlines()]
    found = list(spans(records, {record["id"]: record["text"] for record in records}))
    assert found and all(said == there for said, there in found)


@pytest.mark.parametrize("name", ["a.txt", "a.json", "a.xml"])
@pytest.mark.parametrize("ending", ["jsonl", "json"])
def test_offsets_count_in_the_documents_beside_the_output(cli, tmp_path, name, ending):
    data = {"a.json": json.dumps([{"title": GREEK, "text": SENTENCE}]).encode(), "a.txt": GREEK.encode()}
    data["a.xml"] = article_set(article_xml("1", "β-Sitosterol", SENTENCE))
    (tmp_path / name).write_bytes(data[name])
    out = tmp_path / f"p.{ending}"
    assert cli("extract", tmp_path / name, "--out", out).exit_code == 0
    read = json.loads(out.read_text()) if ending == "json" else map(json.loads, out.read_text().splitlines())
    texts = {
        document.id: document.text for document in read_documents(tmp_path / f"{out.name}.abroad" / "documents.jsonl")
    }
    found = list(spans(read, texts))
    assert found and all(said == there for said, there in found)


def rows(text, delimiter=","):
    return list(csv.DictReader(io.StringIO(text), delimiter=delimiter))


def organisms(result):
    assert result.exit_code == 0, result.output
    return [
        sorted({r["organism"] for r in json.loads(line)["relations"]}) for line in result.stdout.splitlines() if line
    ]


def test_a_text(cli):
    result = cli("extract", "--text", f"<i>Flavonols</i>\n\n{SENTENCE}")
    assert organisms(result) == [["Allium cepa"]]
    assert json.loads(result.stdout)["relations"][0]["organism_id"] == "NCBITaxon:4679"


@pytest.mark.parametrize(
    "pipe",
    [
        SENTENCE,
        json.dumps({"id": "1", "AbstractText": SENTENCE}),
        json.dumps({"1": {"AbstractText": SENTENCE}}),
        json.dumps({"id": "1", "ArticleTitle": SENTENCE}),
        json.dumps({"1": {"ArticleTitle": SENTENCE, "AbstractText": ""}}),
        "The bulbs of<i>Allium cepa</i>gave quer&shy;cetin &amp;amp; rutin,<br>which were isolated.",
        json.dumps({"id": "1", "AbstractText": SENTENCE}) + "\n{broken\n",
    ],
)
def test_a_pipe_of_any_form(cli, pipe):
    assert organisms(cli("extract", "-", input=pipe)) == [["Allium cepa"]]


def test_a_title_alone_is_read_from_every_kind_of_file(cli, tmp_path):
    title = "Isolation of quercetin and rutin from Allium cepa"
    (tmp_path / "a.jsonl").write_text(json.dumps({"id": "1", "ArticleTitle": title}) + "\n")
    (tmp_path / "b.json").write_text(json.dumps({"2": {"ArticleTitle": title, "AbstractText": None}}))
    (tmp_path / "c.xml").write_bytes(article_set(article_xml("3", title, None), article_xml("4", "", None)))
    for format in ("csv", "jsonl"):
        out = tmp_path / "out" / f"relations.{format}"
        result = cli("extract", tmp_path, "--out", out)
        assert result.exit_code == 0, result.output
        assert "PMID 4: no abstract and no title" in result.stderr
    found = rows((tmp_path / "out" / "relations.csv").read_text(encoding="utf-8"))
    assert {(row["document"], row["organism_text"]) for row in found} == {(id, "Allium cepa") for id in "123"}


@pytest.mark.parametrize(("format", "delimiter"), [("csv", ","), ("tsv", "\t")])
def test_tables_for_people(cli, tmp_path, format, delimiter):
    write_documents(tmp_path / "docs.jsonl", [Document("1", "", SENTENCE, pmid="7", doi="10.1/x")])
    out = tmp_path / f"relations.{format}"
    result = cli("extract", tmp_path / "docs.jsonl", "--out", out)
    assert result.exit_code == 0, result.output
    table = rows(out.read_text(encoding="utf-8"), delimiter)
    assert {row["chemical"].lower() for row in table} == {"quercetin", "rutin"}
    assert {(row["pmid"], row["doi"], row["organism_text"]) for row in table} == {("7", "10.1/x", "Allium cepa")}
    assert (tmp_path / f"{out.name}.abroad" / "predictions.jsonl").exists()  # what a later run goes on from


def test_pmids_are_fetched_and_those_without_any_text_are_told(cli):
    articles = {
        "1": article_xml("1", "Flavonols.", SENTENCE),
        "2": article_xml("2", "", None),
        "4": article_xml("4", SENTENCE, None),
    }
    with Efetch(articles).serve() as server:
        result = cli("extract", *("--pmid 1 --pmid 2 --pmid 3 --pmid 4 --base-url".split()), server.url)
    assert organisms(result) == [["Allium cepa"], ["Allium cepa"]]
    assert "PMID 2: no abstract and no title" in result.stderr and "PMID 3: not found" in result.stderr


def test_a_folder_of_mixed_files_with_broken_ones(cli, tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "a.txt").write_text(SENTENCE, encoding="utf-8")
    write_documents(folder / "b.jsonl", [Document("1", "", SENTENCE), Document("a", "", "the same id")])
    (folder / "c.json").write_text("{broken", encoding="utf-8")
    (folder / "d.txt").write_bytes(b"\xff\xfe\x00")
    (folder / "e.txt").write_text("", encoding="utf-8")
    (folder / "picture.png").write_bytes(b"x")
    out = tmp_path / "pred.jsonl"
    result = cli("extract", folder, "--out", out)
    assert result.exit_code == 0, result.output
    assert [json.loads(line)["id"] for line in out.read_text().splitlines()] == ["a", "b/1", "b/a"]
    assert "3 record(s) set aside" in result.stderr


def test_an_empty_folder_is_refused(cli, tmp_path):
    result = cli("extract", tmp_path, "--out", tmp_path / "x.jsonl")
    assert result.exit_code == 2 and "no documents (.json" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--text", "a", "--pmid", "1"], "expected one of"),
        (["--text", "   "], "the text is empty"),
        (["--pmid", "12x"], "expected a PMID"),
        (["--text", "a", "--min-score", "0.5", "--precision", "0.9"], "not both"),
        (["--text", "a", "--format", "docx"], "jsonl, json, csv, tsv"),
        (["--text", "a", "--format", "xlsx"], "expected --out FILE.xlsx"),
        (["--text", "a", "--quickstatements", "q.txt"], "--index"),
        (["--text", "a", "--index", "none.sqlite"], "no such index"),
        (["--text", "a", "--model", "smollm2-135m", "--min-score", "0.5"], "built-in extractor"),
    ],
)
def test_wrong_usage_is_one_line_and_exit_code_2(cli, arguments, message):
    result = cli("extract", *arguments)
    assert result.exit_code == 2 and message in result.stderr and result.stderr.count("\n") == 1


def test_an_empty_pipe_is_refused(cli):
    result = cli("extract", "-", input="  \n")
    assert result.exit_code == 2 and "standard input is empty" in result.stderr


def test_an_interrupted_run_goes_on_and_links_all(cli, tmp_path, monkeypatch):
    from abroad.extraction.builtin.pairs import PairExtractor

    write_documents(tmp_path / "docs.jsonl", [Document(str(n), "", SENTENCE) for n in range(6)])
    out = tmp_path / "pred.jsonl"
    original, calls = PairExtractor.predict, []

    def predict(self, document):
        calls.append(document.id)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return original(self, document)

    monkeypatch.setattr(PairExtractor, "predict", predict)
    assert cli("extract", tmp_path / "docs.jsonl", "--out", out).exit_code == 130
    assert not out.exists()
    assert cli("extract", tmp_path / "docs.jsonl", "--out", out).exit_code == 0
    assert calls == ["0", "1", "2", "3", "3", "4", "5"]
    lines = [json.loads(line) for line in out.read_text().splitlines()]
    assert len(lines) == 6 and all(r["organism_id"] for line in lines for r in line["relations"])
