"""What people really have becomes documents: any format by file and by pipe, several at once, folders, lists of ids."""

import io
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abroad.core.context import Context
from abroad.core.errors import AbroadError, InputError, MissingDependencyError
from abroad.documents.inputs import InputSettings, read_inputs
from abroad.sources.eutils import EutilsClient, EutilsSettings
from abroad.sources.formats.spreadsheets import ColumnNames
from abroad.sources.kept import KeptAnswers
from tests.sources.formats.test_bibliographies import ABSTRACTS, NBIB, RIS
from tests.sources.formats.test_pdf import PAPER, pdf
from tests.sources.formats.test_spreadsheets import workbook
from tests.sources.servers import Efetch, article_set, article_xml

TWO = [{"id": "1", "title": "T", "abstract": "A"}, {"id": "2", "title": "U", "text": "B"}]
PUBMED_CSV = (
    "PMID,Title,Authors,Citation,First Author,Journal/Book,Publication Year,Create Date,PMCID,NIHMS ID,DOI\n"
    '"1","T, of A","Doe J.","J Nat Prod. 2015.","Doe J","J Nat Prod","2015","2015/01/01","","","10.1021/a"\n'
    '"2","U","Doe J.","J Nat Prod. 2015.","Doe J","J Nat Prod","2015","2015/01/01","","",""\n'
)
FILES = {
    "array.json": (json.dumps(TWO).encode(), ["1", "2"]),
    "pretty.json": (json.dumps(TWO, indent=2).encode(), ["1", "2"]),
    "lines.jsonl": ("\n".join(map(json.dumps, TWO)).encode(), ["1", "2"]),
    "no_id.jsonl": (b'{"title": "T"}\n{"text": "B"}', ["{stem}-1", "{stem}-2"]),
    "set.nbib": (NBIB.encode(), ["25706243", "2", "3"]),
    "pubmed-set.txt": (NBIB.encode(), ["25706243", "2", "3"]),
    "abstract-set.txt": (ABSTRACTS.encode(), ["25706243", "21351450", "13054692"]),
    "csv-set.csv": (PUBMED_CSV.encode("utf-8-sig"), ["1", "2"]),
    "zotero.ris": (RIS.encode(), ["25706243", "21351450", "3"]),
    "own.tsv": (b"Title\tAbstract\nT\tA\nU\t\n", ["{stem}-1", "{stem}-2"]),
    "excel.txt": ("Title\tAbstract\nT\tβ\n".encode("utf-16"), ["{stem}-1"]),
    "own.xlsx": (workbook(("s", [["id", "Title", "Abstract"], ["a", "T", "A"]])), ["a"]),
    "paper.pdf": (pdf(PAPER), ["{stem}"]),
    "plain.txt": ("Berberine of Coptis.\u2028More.".encode(), ["{stem}"]),
    "set.xml": (article_set(article_xml("1", "T", "A"), article_xml("2", "U", None)), ["1", "2"]),
}


def read(*paths, columns=ColumnNames(), stdin=None, client=None, fetch=False):
    context = Context()
    settings = InputSettings(columns=columns, fetch=fetch, open_client=client)
    stream = None if stdin is None else io.BytesIO(stdin)
    return read_inputs([Path(path) for path in paths], context, settings, stream), context


def write(folder, name, data):
    path = folder / name
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("name", FILES)
def test_every_format_by_file(tmp_path, name):
    data, ids = FILES[name]
    path = write(tmp_path, name, data)
    documents, context = read(path)
    assert [document.id for document in documents] == [id.format(stem=path.stem) for id in ids]
    assert all(document.text.strip() for document in documents) and not context.rejects


@pytest.mark.parametrize("name", FILES)
def test_every_format_by_pipe(name):
    data, ids = FILES[name]
    documents, context = read("-", stdin=data)
    assert [document.id for document in documents] == [id.format(stem="stdin") for id in ids]
    assert not context.rejects


@pytest.mark.parametrize("name", [name for name in FILES if not name.endswith((".pdf", ".xlsx", ".spacy"))])
def test_the_content_counts_and_not_the_name(tmp_path, name):
    if name.endswith((".xml", "plain.txt")):
        pytest.skip("told by its name too")
    documents, _ = read(write(tmp_path, "anything.dat", FILES[name][0]))
    assert len(documents) == len(FILES[name][1])


def test_a_folder_with_all_of_them_and_what_it_skipped(tmp_path):
    for name, (data, _) in FILES.items():
        write(tmp_path, name, data)
    write(tmp_path, "picture.png", b"\x89PNG")
    write(tmp_path, "out.csv.run.json", b"{}")
    (tmp_path / "more").mkdir()
    documents, context = read(tmp_path)
    ids = {id.format(stem=Path(name).stem) for name, (_, ids) in FILES.items() for id in ids}
    # Two stems stand for two files each.
    assert ids - {document.id for document in documents} <= {"own-1", "own-2", "own"}
    assert {"own.tsv-1", "own.tsv-2", "a"} <= {document.id for document in documents}
    assert context.rejects.notes[0] == f"{tmp_path}: skipped 3: more/ (a folder), out.csv.run.json, picture.png"
    assert {item["reason"] for item in context.rejects.items} == {"the id stands in an earlier file too"}


def test_several_files_at_once_and_a_bad_one_among_them(tmp_path):
    a, b = write(tmp_path, "a.jsonl", b'{"title": "T"}'), write(tmp_path, "b.bib", b"@article{x, title={y}}")
    documents, context = read(a, b, "-", stdin=b"Berberine of Coptis.")
    assert [document.id for document in documents] == ["a-1", "stdin"]
    assert context.rejects.items == [
        {"where": str(b), "reason": "looks like BibTeX; export RIS, .nbib or CSV from your reference manager"}
    ]
    with pytest.raises(InputError, match=r"none\.txt: no such file"):
        read(a, tmp_path / "none.txt")


def test_files_of_one_stem_do_not_share_ids(tmp_path):
    for folder in ("x", "y"):
        (tmp_path / folder).mkdir()
        write(tmp_path / folder, "docs.jsonl", b'{"title": "T"}')
    documents, context = read(tmp_path / "x" / "docs.jsonl", tmp_path / "y" / "docs.jsonl")
    assert len(documents) == 2 and not context.rejects


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("a.bib", b"@article{x, title={y}}", "looks like BibTeX; export RIS"),
        ("a.docx", b"PK\x03\x04word/", "looks like a Word document; save it there as plain text"),
        ("a.txt", b"   \n", "the text is empty"),
        ("a.txt", b"", "empty"),
        ("a.csv", b"Name,What\nx,y\n", "no column of titles"),
        ("a.csv", b"Title,Abstract\n,\n", "no abstract and no title"),
        ("a.xml", b"<article><front/></article>", "no title, no abstract and no section with text"),
        ("a.xml", b"<html><body/></html>", "XML, but not PubMed.s: expected the root PubmedArticleSet"),
        ("a.jsonl", b"{nonsense\n", "broken JSON"),
        ("a.pdf", b"%PDF-1.7", "damaged PDF"),
        ("a.txt", "β".encode() + b"\xe9", "not UTF-8"),
    ],
)
def test_what_gives_no_document_is_refused_in_one_line(tmp_path, name, data, reason):
    with pytest.raises(InputError, match=reason) as caught:
        read(write(tmp_path, name, data))
    assert "\n" not in str(caught.value) and str(tmp_path) in str(caught.value)
    assert str(caught.value).count(str(tmp_path)) == 1


def test_pdf_without_its_extra_says_how_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pypdf", None)
    path = write(tmp_path, "p.pdf", pdf(PAPER))
    with pytest.raises(MissingDependencyError, match=r"\[pdf\]"):
        read(path)
    documents, context = read(path, write(tmp_path, "a.txt", b"Berberine."))
    assert len(documents) == 1 and "[pdf]" in context.rejects.items[0]["reason"]


def test_columns_and_titles_alone_are_told(tmp_path):
    path = write(tmp_path, "search.csv", PUBMED_CSV.encode())
    documents, context = read(path)
    assert [(d.pmid, d.doi, d.title, d.abstract) for d in documents] == [
        ("1", "10.1021/a", "T, of A", ""),
        ("2", None, "U", ""),
    ]
    assert context.rejects.notes == [
        f"{path}: title from the column 'Title', PMID from the column 'PMID', DOI from the column 'DOI', "
        "year from the column 'Publication Year'; no column of abstracts",
        "2 of 2 documents have no abstract: their titles alone are read",
    ]
    path = write(tmp_path, "own.csv", b"What;Name\nA;T\n")
    (document,), context = read(path, columns=ColumnNames("name", "what"))
    assert (document.title, document.abstract) == ("T", "A")


@pytest.fixture
def pubmed():
    articles = {
        "1": article_xml("1", "One.", "Text one.", "10.1021/One"),
        "2": article_xml("2", "Two.", None),
        "4": article_xml("4", "", None),
        "7": article_xml("7", "Seven.", "Text seven.", "10.1021/seven"),
    }
    with Efetch(articles).serve() as server:
        settings = EutilsSettings(base_url=server.url, first_wait=0.0)
        server.client = lambda: EutilsClient(settings, kept=KeptAnswers("NCBI"))
        yield server


def test_lists_of_pmids_and_dois_are_looked_up(pubmed, tmp_path):
    text = b"PMID\n2\nhttps://doi.org/10.1021/ONE\n3\n4\n10.1021/none\n1\nPMID: 7\nnonsense\n"
    path = write(tmp_path, "ids.txt", text)
    documents, context = read(path, "-", stdin=b'[{"id": "own", "title": "T"}]', client=pubmed.client)
    assert [(d.id, d.abstract) for d in documents] == [("2", ""), ("1", "Text one."), ("7", "Text seven."), ("own", "")]
    assert {item["where"].rpartition(":")[2]: item["reason"] for item in context.rejects.items} == {
        "9": "expected a PMID or a DOI, found 'nonsense'",
        "4": "PMID 3: not found in PubMed",
        "5": "PMID 4: no text",
        "6": "DOI 10.1021/none: not found in PubMed",
    }


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.csv", b"pmid,year\n1,2015\n7,2016\n1,2017\n"),
        ("a.json", b'[1, "7"]'),
        ("a.tsv", b"DOI\tx\n10.1021/one\ty\n10.1021/seven\tz\n"),
    ],
)
def test_tables_and_arrays_of_identifiers_alone(pubmed, tmp_path, name, data):
    documents, _ = read(write(tmp_path, name, data), client=pubmed.client)
    assert [document.id for document in documents] == ["1", "7"]


def test_abstracts_are_fetched_where_they_lack_and_only_if_asked(pubmed, tmp_path):
    path = write(tmp_path, "search.csv", PUBMED_CSV.encode())
    documents, context = read(path, client=pubmed.client)
    assert not pubmed.asked and "--fetch" in context.rejects.notes[-1]
    documents, context = read(path, client=pubmed.client, fetch=True)
    assert [(d.id, d.title, d.abstract) for d in documents] == [("1", "One.", "Text one."), ("2", "U", "")]
    assert context.rejects.notes[-1].startswith("1 of 2 documents have no abstract")


def test_identifiers_without_a_network_say_what_to_do(tmp_path):
    with pytest.raises(InputError, match="abroad documents fetch"):
        read(write(tmp_path, "ids.txt", b"1\n2\n"))


def test_identifiers_of_nothing_are_refused(pubmed, tmp_path):
    with pytest.raises(InputError, match="none of 1 PMIDs"):
        read(write(tmp_path, "ids.txt", b"999\n"), client=pubmed.client)


@given(st.binary(max_size=400) | st.text(max_size=400).map(lambda text: text.encode("utf-8", "replace")))
def test_any_pipe_is_documents_or_an_input_error(data):
    try:
        documents, _ = read("-", stdin=data)
    except InputError as error:
        assert "\n" not in str(error)
    else:
        assert documents
        json.dumps([document.to_dict() for document in documents], ensure_ascii=False).encode()


pieces = st.sampled_from(sorted(data for data, _ in FILES.values()))


@given(pieces, st.integers(0, 2_000), st.binary(max_size=6))
def test_a_damaged_file_is_documents_or_an_input_error(data, place, noise):
    try:
        read("-", stdin=data[: place % len(data)] + noise + data[place % len(data) + len(noise) :])
    except InputError as error:
        assert "\n" not in str(error)


@pytest.mark.parametrize("name", ["c10_lone_surrogate.jsonl"])
def test_cases_of_bad_records(shared_cases, name):
    documents, context = read(shared_cases / name)
    assert documents and context.rejects


@pytest.mark.parametrize("kind", ["csv", "jsonl", "pipe"])
def test_ids_that_count_in_their_files_lose_no_record(tmp_path, kind):
    def file(name, word):
        if kind == "jsonl":
            lines = [json.dumps({"id": id, "title": word}) for id in (1, 2)]
            return write(tmp_path, f"{name}.jsonl", "\n".join(lines).encode())
        return write(tmp_path, f"{name}.csv", f"id,Title\n1,{word} x\n2,{word} y\n".encode())

    a, b = file("a", "one"), file("b", "two")
    paths, stdin = ([a, b], None) if kind != "pipe" else ([a, "-"], b.read_bytes())
    documents, context = read(*paths, stdin=stdin)
    second = "stdin" if kind == "pipe" else "b"
    assert [document.id for document in documents] == ["a/1", "a/2", f"{second}/1", f"{second}/2"]
    assert not context.rejects and sum("file and id" in note for note in context.rejects.notes) == 1


def test_one_paper_in_two_files_is_one_document(tmp_path):
    a = write(tmp_path, "a.jsonl", b'{"id": "x", "title": "T"}\n{"PMID": 7, "title": "T7"}')
    b = write(tmp_path, "b.jsonl", b'{"id": "x", "title": "T"}\n{"PMID": 7, "title": "T7", "abstract": "more"}')
    documents, context = read(a, b)
    assert [document.id for document in documents] == ["x", "7"] and len(context.rejects) == 2


@given(st.lists(st.lists(st.tuples(st.sampled_from("123"), st.sampled_from(["T", "U", "V"])), max_size=4), max_size=4))
def test_no_text_is_lost_whatever_the_ids(tmp_path_factory, files):
    folder = tmp_path_factory.mktemp("files")
    files = [list(dict(records).items()) for records in files]
    files = [records for records in files if records]
    if not files:
        return
    for number, records in enumerate(files):
        lines = [json.dumps({"id": id, "title": title}) for id, title in records]
        write(folder, f"f{number}.jsonl", "\n".join(lines).encode())
    documents, _ = read(folder)
    assert {document.title for document in documents} == {title for records in files for _, title in records}
    assert len({document.id for document in documents}) == len(documents)


@pytest.mark.parametrize("by_folder", [True, False])
def test_own_results_are_no_documents(tmp_path, cli, by_folder):
    write(tmp_path, "a.txt", b"Quercetin was isolated from Allium cepa.")
    for name in ("p.csv", "p.jsonl", "p.json", "p.xlsx"):
        assert cli("extract", tmp_path / "a.txt", "--out", tmp_path / name).exit_code == 0
        if by_folder:
            continue
        with pytest.raises(InputError, match="predictions, as `abroad extract` writes them"):
            read(tmp_path / name)
    if by_folder:
        documents, context = read(tmp_path)
        assert [document.id for document in documents] == ["a"] and not context.rejects
        assert context.rejects.notes[0].count("(a result of `abroad extract`)") == 4


def test_documents_that_abroad_wrote_are_read_in_a_folder(tmp_path, cli):
    write(tmp_path, "s.nbib", NBIB.encode())
    (tmp_path / "in").mkdir()
    arguments = "documents split FILE --random --test-share 0.4 --out-train TRAIN --out-test TEST".split()
    names = {"FILE": tmp_path / "s.nbib", "TRAIN": tmp_path / "in" / "a.jsonl", "TEST": tmp_path / "in" / "b.jsonl"}
    assert cli(*[names.get(word, word) for word in arguments]).exit_code == 0
    documents, _ = read(tmp_path / "in")
    assert len(documents) == 3


@pytest.mark.parametrize("faults", [["drop"] * 9, ["500"] * 9, ["403"], ["page"] * 9])
def test_a_failed_look_up_sets_its_records_aside(pubmed, tmp_path, faults):
    pubmed.faults, pubmed.search_faults = list(faults), ["500"] * 9
    client = lambda: EutilsClient(EutilsSettings(base_url=pubmed.url, first_wait=0.0, attempts=2))  # noqa: E731
    path = write(tmp_path, "ids.txt", b"1\n2\n10.1021/seven\n")
    documents, context = read(path, "-", stdin=b'[{"id": "own", "title": "T"}]', client=client)
    assert [document.id for document in documents] == ["own"]
    assert len(context.rejects) == 3 and all(
        "not looked up" in item["reason"] or "refused" in item["reason"] for item in context.rejects.items
    )
    pubmed.faults, pubmed.search_faults = list(faults), []
    with pytest.raises(AbroadError):
        read(path, client=client)


def test_what_was_looked_up_is_kept_for_the_next_run(pubmed, tmp_path):
    path = write(tmp_path, "ids.txt", b"1\n2\n10.1021/seven\n999\n")
    context = Context()
    settings = InputSettings(open_client=pubmed.client)
    first = read_inputs([path], context, settings)
    asked = len(pubmed.asked)
    again = read_inputs([path], Context(), settings)
    assert [d.id for d in first] == ["1", "2", "7"] and again == first
    assert all(form.get("id") == "999" for form in pubmed.asked[asked:])
    pubmed.faults = ["drop"] * 20
    assert read_inputs([path], Context(), settings) == first
