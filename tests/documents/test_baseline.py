"""PubMed's baseline and update files: what is left standing of them, however the records lie in files."""

import gzip
import json
import os
import re
import signal
import subprocess
import sys
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from abroad.core.context import Context
from abroad.core.errors import InputError
from abroad.core.helpers import helper_folder
from abroad.core.io import write_jsonl
from abroad.core.schema import Prediction
from abroad.documents.baseline import BaselineSettings, read_baseline
from abroad.documents.inputs import read_documents
from abroad.text.evidence import with_evidence
from tests.sources.servers import article_set

RETRACTED = '<PublicationType UI="D016441">Retracted Publication</PublicationType>'
NOTICE = (
    '<CommentsCorrectionsList><CommentsCorrections RefType="RetractionIn"><RefSource>J Nat Prod. 2024</RefSource>'
    "<PMID>9</PMID></CommentsCorrections></CommentsCorrectionsList>"
)


def record(pmid, text="An abstract.", version=1, year=2023, types="", more=""):
    """A record as NLM writes it; with text None it has no abstract."""
    abstract = "" if text is None else f"<Abstract><AbstractText>{text}</AbstractText></Abstract>"
    issue = f"<Journal><JournalIssue><PubDate><Year>{year}</Year></PubDate></JournalIssue></Journal>" if year else ""
    return (
        f'<PubmedArticle><MedlineCitation Status="MEDLINE"><PMID Version="{version}">{pmid}</PMID>'
        f"<Article>{issue}<ArticleTitle>Title {pmid}.</ArticleTitle>{abstract}"
        f"<PublicationTypeList><PublicationType>Journal Article</PublicationType>{types}</PublicationTypeList>"
        "</Article>"
        f"{more}</MedlineCitation><PubmedData/></PubmedArticle>"
    )


def deleted(*pmids):
    return "".join(["<DeleteCitation>", *(f'<PMID Version="1">{pmid}</PMID>' for pmid in pmids), "</DeleteCitation>"])


def write(folder, **files):
    """Gzipped files of records, by the number in their names: n0001=[...]."""
    folder.mkdir(exist_ok=True)
    for name, records in files.items():
        (folder / f"pubmed24{name}.xml.gz").write_bytes(gzip.compress(article_set(*records)))
    return folder


def texts(out):
    """PMID -> abstract of the documents written."""
    return {document.pmid: document.abstract for document in read_documents(out)}


def read(tmp_path, *paths, since=None, until=None, pmids=None, context=None):
    out = tmp_path / "docs.jsonl"
    report = read_baseline(
        paths or [tmp_path / "pubmed"], out, BaselineSettings(since=since, until=until), context or Context(), pmids
    )
    return report, texts(out)


def test_later_files_replace_and_delete_what_earlier_ones_said(tmp_path):
    write(tmp_path / "updatefiles", n1220=[record(2, "Second, mended."), deleted(3)], n1221=[record(4)])
    write(tmp_path / "baseline", n0001=[record(2, "Second."), record(1, "First."), record(3, "Third.")])
    report, found = read(tmp_path, tmp_path / "updatefiles", tmp_path / "baseline")
    assert found == {"1": "First.", "2": "Second, mended.", "4": "An abstract."}
    assert list(found) == ["1", "2", "4"]
    assert (report.files, report.records, report.documents) == (3, 5, 3)


def test_of_versions_the_highest_counts_and_a_deletion_is_of_one_version(tmp_path):
    first = [record(1, "v2", 2), record(1, "v1", 1), record(2, "v1", 1), record(2, "v2", 2)]
    write(tmp_path / "pubmed", n0001=first, n0002=[record(1, "v1, mended", 1), deleted(2)])
    assert read(tmp_path)[1] == {"1": "v2", "2": "v2"}
    write(tmp_path / "pubmed", n0003=['<DeleteCitation><PMID>2</PMID><PMID Version="2">1</PMID></DeleteCitation>'])
    assert read(tmp_path)[1] == {"1": "v1, mended"}


def test_an_english_abstract_from_elsewhere_counts_where_there_is_no_other(tmp_path):
    other = '<OtherAbstract Type="plain-language-summary" Language="{}"><AbstractText>{}</AbstractText></OtherAbstract>'
    english, spanish = other.format("eng", "In English."), other.format("spa", "En castellano.")
    records = [record(1, None, more=spanish + english), record(2, "Own.", more=english), record(3, None, more=spanish)]
    write(tmp_path / "pubmed", n0001=records)
    assert read(tmp_path)[1] == {"1": "In English.", "2": "Own.", "3": ""}


def test_retracted_publications_are_marked(tmp_path):
    write(tmp_path / "pubmed", n0001=[record(1, types=RETRACTED), record(2, more=NOTICE), record(3)])
    report, _ = read(tmp_path)
    marks = {document.id: document.extra.get("retracted") for document in read_documents(tmp_path / "docs.jsonl")}
    assert marks == {"1": True, "2": True, "3": None} and report.retracted == 2


def test_years_and_lists_choose(tmp_path):
    old, new, none = record(1, year=2020), record(2, year=2022), record(3, year=None)
    write(tmp_path / "pubmed", n0001=[old, new, none, record(4, year=2024)])
    assert set(read(tmp_path, since=2022)[1]) == {"2", "4"}
    assert set(read(tmp_path, since=2021, until=2022)[1]) == {"2"}
    assert set(read(tmp_path, pmids={"3", "4", "7"})[1]) == {"3", "4"}
    assert read(tmp_path, until=2020)[0].left_out == 3


@pytest.mark.parametrize(
    ("since", "until", "taken"), [(1999, None, 1), (None, 1998, 1), (1998, 1998, 1), (1997, 1997, 0), (2000, None, 0)]
)
def test_an_issue_of_two_years_is_of_both(tmp_path, since, until, taken):
    text = record(1, year=1998).replace("<Year>1998</Year>", "<MedlineDate>1998 Nov-1999 Jan</MedlineDate>")
    assert "MedlineDate" in text
    write(tmp_path / "pubmed", n0001=[text, record(2, year=1950), record(3, year=2020)])
    found = read(tmp_path, since=since, until=until)[1] if taken or since != 1997 else {}
    assert ("1" in found) == bool(taken)
    (document,) = [d for d in read_documents(tmp_path / "docs.jsonl") if d.id == "1"] if taken else [None]
    assert document is None or document.extra["year"] == 1998


def test_why_no_record_is_left_is_told(tmp_path, cli):
    folder = write(tmp_path / "pubmed", n0001=[record(1, year=2020), record(2, year=2021), record(3), deleted(3)])
    result = cli("documents", "baseline", folder, "--from", 2030, "--out", tmp_path / "docs.jsonl")
    assert result.exit_code == 2
    assert "of 3 records, 3 are not of the years 2030 to today" in " ".join(result.stderr.split())
    (tmp_path / "list.txt").write_text("77\n78\n")
    result = cli("documents", "baseline", folder, "--pmids", tmp_path / "list.txt", "--out", tmp_path / "docs.jsonl")
    assert result.exit_code == 2 and "3 are not of the 2 PMIDs asked for" in " ".join(result.stderr.split())
    other = write(tmp_path / "other", n0001=[record(1)], n0002=[deleted(1)])
    result = cli("documents", "baseline", other, "--out", tmp_path / "docs.jsonl")
    assert "of 1 records, 1 were deleted or replaced by later ones" in " ".join(result.stderr.split())


def test_a_record_that_is_moved_to_another_year_leaves_no_older_one_behind(tmp_path):
    moved = [record(1, "was of 2022", year=2022), record(1, "is of 2021", year=2021)]
    write(tmp_path / "pubmed", n0001=[*moved, record(2), record(3, "v2", 2, 2021)], n0002=[record(3, "v1", 1, 2022)])
    assert read(tmp_path, since=2022)[1] == {"2": "An abstract."}


def test_a_file_that_breaks_off_gives_what_it_holds_and_is_named(tmp_path, cli):
    folder = write(tmp_path / "pubmed", n0001=[record(n) for n in range(400)], n0002=[record(900)])
    whole = (folder / "pubmed24n0001.xml.gz").read_bytes()
    (folder / "pubmed24n0001.xml.gz").write_bytes(whole[: len(whole) // 2])
    result = cli("documents", "baseline", folder, "--out", tmp_path / "docs.jsonl")
    assert result.exit_code == 0 and "pubmed24n0001.xml.gz: damaged or cut-off gzip file" in result.stderr
    assert "900" in texts(tmp_path / "docs.jsonl") and len(texts(tmp_path / "docs.jsonl")) > 10


@pytest.mark.parametrize("broken", [b"\x1f\x8b", b"<html></html>", b"<PubmedArticleSet></PubmedArticleSet>"])
def test_nothing_to_read_is_an_error_that_says_so(tmp_path, cli, broken):
    (tmp_path / "pubmed24n0001.xml").write_bytes(broken)
    result = cli("documents", "baseline", tmp_path / "pubmed24n0001.xml", "--out", tmp_path / "docs.jsonl")
    assert result.exit_code == 2 and "no record of 1 files is left" in result.stderr
    assert not (tmp_path / "docs.jsonl").exists()


def test_a_list_without_pmids_is_refused(tmp_path, cli):
    write(tmp_path / "pubmed", n0001=[record(1)])
    (tmp_path / "list.txt").write_text("10.1000/x\n")
    result = cli(
        *("documents", "baseline", tmp_path / "pubmed", "--pmids", tmp_path / "list.txt"), "--out", tmp_path / "d.jsonl"
    )
    assert result.exit_code == 2 and "expected a list of PMIDs, found none" in result.stderr


STREAM = st.lists(
    st.one_of(
        st.tuples(st.integers(1, 6), st.integers(0, 99), st.integers(1, 3), st.sampled_from([2020, 2023])),
        st.tuples(st.integers(1, 6)),
    ),
    min_size=1,
    max_size=14,
)


@settings(max_examples=40)
@given(STREAM, st.lists(st.integers(0, 14), max_size=4), st.sampled_from([None, 2022]))
def test_however_records_are_spread_over_files_the_documents_are_the_same(tmp_path_factory, stream, cuts, since):
    tmp_path = tmp_path_factory.mktemp("spread")
    xml = [deleted(*item) if len(item) == 1 else record(item[0], f"t{item[1]}", *item[2:]) for item in stream]
    places = sorted({0, len(xml), *(cut for cut in cuts if cut < len(xml))})
    for number, (start, end) in enumerate(pairwise(places)):
        write(tmp_path / "pubmed", **{f"n{number:04}": xml[start:end]})
    kept = {}
    for item in stream:
        if len(item) == 1:
            kept.pop((item[0], 1), None)
        else:
            kept[item[0], item[2]] = f"t{item[1]}" if since is None or item[3] >= since else None
    expected = {str(pmid): text for (pmid, _), text in sorted(kept.items())}
    expected = {pmid: text for pmid, text in expected.items() if text is not None}
    if expected:
        assert read(tmp_path, since=since)[1] == expected
    else:
        with pytest.raises(InputError, match="no record"):
            read(tmp_path, since=since)


KILLED = """
import os, signal, sys
from abroad.cli import app
from abroad.documents import baseline

last, count, take = int(sys.argv.pop(1)), 0, baseline._Store._take


def counted(self, *arguments):
    global count
    count += 1
    if count == last:
        os.kill(os.getpid(), signal.SIGKILL)
    return take(self, *arguments)


baseline._Store._take = counted
app(sys.argv[1:])
"""


@pytest.mark.skipif(os.name == "nt", reason="kills by signal")
def test_killed_at_any_moment_the_same_command_goes_on(tmp_path):
    files = {f"n{n:04}": [record(10 * n + m, f"{n} {m}") for m in range(8)] for n in range(4)}
    files["n0004"] = [record(3, "mended"), deleted(14)]
    write(tmp_path / "pubmed", **files)
    _, whole = read(tmp_path)
    out = tmp_path / "killed.jsonl"
    command = [sys.executable, "-c", KILLED, "{}", "documents", "baseline", tmp_path / "pubmed", "--out", out]

    def run(last):
        return subprocess.run([str(part).format(last) for part in command], capture_output=True, text=True)

    for last in (3, 20, 17):
        done = run(last)
        assert done.returncode == -signal.SIGKILL, done.stderr
        assert not out.exists()
    done = run(0)
    assert done.returncode == 0 and "4 of 5 files were read by an earlier run" in done.stderr
    assert texts(out) == whole and whole["3"] == "mended" and "14" not in whole
    assert not list(helper_folder(out).glob("*.sqlite*"))


def test_files_that_changed_since_are_read_again(tmp_path, monkeypatch):
    write(tmp_path / "pubmed", n0001=[record(1, "old")], n0002=[record(2)])
    from abroad.documents import baseline

    with monkeypatch.context() as patch:
        patch.setattr(baseline._Store, "write", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            read(tmp_path)
    write(tmp_path / "pubmed", n0001=[record(1, "new and longer than before")])
    report, found = read(tmp_path)
    assert found["1"] == "new and longer than before" and report.resumed == 0


PEAK = """
import sys
from pathlib import Path
from abroad.core.context import Context
from abroad.core.provenance import peak_memory_mb
from abroad.documents.baseline import BaselineSettings, read_baseline
read_baseline([Path(sys.argv[1])], Path(sys.argv[2]), BaselineSettings(), Context())
print(peak_memory_mb())
"""


def test_memory_does_not_grow_with_the_records(tmp_path):
    peaks = []
    for count in (500, 10_000):
        path = tmp_path / f"n{count}.xml"
        path.write_bytes(article_set(*(record(n, "Usnic acid. " * 120) for n in range(count))))
        command = [sys.executable, "-c", PEAK, path, tmp_path / f"{count}.jsonl"]
        peaks.append(float(subprocess.run([*map(str, command)], capture_output=True, text=True, check=True).stdout))
    assert peaks[1] < 1.1 * peaks[0]


def test_the_run_record_says_what_was_read(tmp_path, cli):
    write(tmp_path / "pubmed", n0001=[record(1), record(2, year=1999)])
    result = cli("documents", "baseline", tmp_path / "pubmed", "--from", "2022", "--out", tmp_path / "docs.jsonl")
    assert result.exit_code == 0 and re.search(r"1 documents of 2 records in 1 files", result.stderr)
    run = json.loads((helper_folder(tmp_path / "docs.jsonl") / "run.json").read_text())
    assert run["documents"] == 1 and run["left_out"] == 1 and run["settings"]["since"] == 2022


def test_retracted_publications_are_left_out_of_a_knowledge_base_unless_asked_for(tmp_path, cli):
    text = "Usnic acid was isolated from Usnea barbata."
    write(tmp_path / "pubmed", n0001=[record(1, text, types=RETRACTED)])
    docs, predictions = tmp_path / "docs.jsonl", tmp_path / "predictions.jsonl"
    assert cli("documents", "baseline", tmp_path / "pubmed", "--out", docs).exit_code == 0
    (document,) = read_documents(docs)
    write_jsonl(predictions, [Prediction("1", [with_evidence(document, "Usnea barbata", "Usnic acid", 0.9)]).to_dict()])
    for name, more, pairs in (("without", [], 0), ("with", ["--retracted"], 1)):
        out = tmp_path / f"{name}.duckdb"
        result = cli("knowledge", "build", predictions, "--documents", docs, "--out", out, "--no-opsin", *more)
        assert result.exit_code == 0, result.stderr
        assert f"{pairs} pairs" in result.stderr
