"""Files as they come from other people's programs: nothing of them is lost or taken for something else in silence."""

import io
import json
import zipfile

import openpyxl
import pytest

from abroad.core.io import read_predictions
from tests.sources.servers import Efetch, article_xml

SENTENCE = "Quercetin was isolated from the bulbs of Allium cepa."


@pytest.fixture
def extract(cli, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return lambda *words: cli("extract", "--no-link", *words, "--out", "p.jsonl")


def texts(folder):
    lines = (folder / "p.jsonl.abroad" / "documents.jsonl").read_text(encoding="utf-8").splitlines()
    return [(record["ArticleTitle"], record["AbstractText"]) for record in map(json.loads, lines)]


@pytest.mark.parametrize("blank", ["", "  ", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_a_text_has_its_title_whatever_its_lines_end_with(extract, tmp_path, end, blank, mark):
    lines = [f"{mark}Flavonoids of onions", blank, SENTENCE, "It was yellow.", ""]
    (tmp_path / "a.txt").write_bytes(end.join(lines).encode())
    assert extract("a.txt").exit_code == 0
    assert texts(tmp_path) == [("Flavonoids of onions", f"{SENTENCE} It was yellow.")]


@pytest.mark.parametrize("odd", ["4567x", "to be read", "-"])
def test_an_odd_line_of_a_list_is_set_aside_and_the_others_are_looked_up(extract, tmp_path, odd):
    (tmp_path / "ids.txt").write_text(f"5\n{odd}\n6\n")
    with Efetch({"5": article_xml("5"), "6": article_xml("6")}).serve() as pubmed:
        result = extract("ids.txt", "--base-url", pubmed.url)
    assert result.exit_code == 0 and f"ids.txt:2: expected a PMID or a DOI, found '{odd}'" in result.stderr
    assert [prediction.id for prediction in read_predictions(tmp_path / "p.jsonl")] == ["5", "6"]


@pytest.mark.parametrize("bare", ["5", '"12345"', '"10.1021/np500813g"', "null", '"x"', "true", "1.5", "[]"])
@pytest.mark.parametrize("first", [True, False])
def test_a_bare_value_among_records_is_a_bad_record_and_nobody_is_asked_for_it(extract, tmp_path, bare, first):
    good = json.dumps({"id": "1", "AbstractText": SENTENCE})
    lines = [bare, good] if first else [good, bare]
    (tmp_path / "a.jsonl").write_text("\n".join(lines) + "\n")
    with Efetch({}).serve() as pubmed:
        result = extract("a.jsonl", "--base-url", pubmed.url)
    assert result.exit_code == 0 and not pubmed.asked
    assert f"a.jsonl:{1 if first else 2}: expected" in result.stderr, result.stderr
    assert [prediction.id for prediction in read_predictions(tmp_path / "p.jsonl")] == ["1"]


@pytest.mark.parametrize("blank", ["\t", "  ", "\u00a0", "\n"])
def test_blanks_around_an_id_of_a_workbook_are_none_of_it(extract, tmp_path, blank):
    book = openpyxl.Workbook()
    for row in (["id", "Title", "PMID"], [f"{blank}A1{blank}", SENTENCE, f"{blank}123"], ["B2", SENTENCE, None]):
        book.active.append(row)
    book.save(tmp_path / "a.xlsx")
    assert extract("a.xlsx").exit_code == 0
    assert [prediction.id for prediction in read_predictions(tmp_path / "p.jsonl")] == ["A1", "B2"]


@pytest.mark.parametrize("id", ["\tA", " B ", "=C", "-1", "D\u00a0"])
@pytest.mark.parametrize("name", ["p.xlsx", "p.csv", "p.tsv", "p.json", "p.jsonl"])
def test_an_id_is_the_same_in_what_is_written_whatever_it_begins_with(cli, tmp_path, id, name):
    gold = {
        "id": id,
        "AbstractText": SENTENCE,
        "organisms": [{"id": "o", "label": "Allium cepa"}],
        "chemicals": [{"id": "c", "label": "Quercetin"}],
        "relations": [["o", "c"]],
    }
    (tmp_path / "gold.jsonl").write_text(json.dumps(gold) + "\n")
    assert cli("extract", tmp_path / "gold.jsonl", "--no-link", "--out", tmp_path / name).exit_code == 0
    scored = cli("evaluate", "--gold", tmp_path / "gold.jsonl", "--pred", tmp_path / name, "--json")
    assert json.loads(scored.stdout)["f1"] == 100, scored.output


def packed(*names):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name in ("[Content_Types].xml", *names):
            archive.writestr(name, "<a/>")
    return stream.getvalue()


@pytest.mark.parametrize(
    ("name", "data", "looks"),
    [
        ("a.docx", packed("word/document.xml"), "Word document"),
        ("a.docx", packed("word/document.xml", "word/embeddings/xl/book.xml"), "Word document"),
        ("a.txt", packed("word/document.xml"), "Word document"),
        ("a.docx", b"PK\x03\x04nonsense", "Word document"),
        ("a.pptx", packed("ppt/presentation.xml"), "PowerPoint presentation"),
        ("a.epub", packed("META-INF/container.xml"), "e-book"),
        ("a.zip", packed("a/b.txt"), "zip archive"),
    ],
)
def test_a_packed_file_is_called_what_people_call_it_with_what_to_do(extract, tmp_path, name, data, looks):
    (tmp_path / name).write_bytes(data)
    result = extract(name)
    assert result.exit_code == 2 and f"{name}: looks like" in result.stderr and looks in result.stderr
    assert "save" in result.stderr or "unpack" in result.stderr


@pytest.mark.parametrize("content", [";", "?!", "{", "nul"])
@pytest.mark.parametrize("name", ["a.json", "a.jsonl"])
def test_what_is_no_json_is_called_broken_and_not_a_value(extract, tmp_path, name, content):
    (tmp_path / name).write_text(content)
    result = extract(name)
    assert result.exit_code == 2 and "broken JSON" in result.stderr and "nothing but" not in result.stderr


def test_no_further_attempt_is_announced_than_is_made(extract, tmp_path):
    (tmp_path / "ids.txt").write_text("5\n6\n")
    result = extract("ids.txt", "--base-url", "http://127.0.0.1:9")
    assert result.exit_code == 1 and "attempt 1 of 2" in result.stderr and "of 6" not in result.stderr
    assert result.stderr.count("attempt ") == 1


@pytest.mark.parametrize(
    ("words", "message"), [(["<b>"], "user name '<b>'"), (["marie", "--role", "boss"], "role 'boss'")]
)
def test_a_name_of_a_curator_is_checked_before_a_server_is_asked(cli, monkeypatch, words, message):
    pytest.importorskip("argilla")
    monkeypatch.setattr("annotation.argilla.connection.connect", lambda *_: pytest.fail("it was asked"))
    result = cli("annotate", "user", *words)
    assert result.exit_code == 2 and message in result.stderr
