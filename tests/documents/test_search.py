"""Searches of PubMed and Europe PMC: all hits, each once, whatever happens meanwhile."""

import json
import os
import random
import signal
import subprocess
import sys
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abroad.core.context import Context
from abroad.core.helpers import helper_folder
from abroad.core.http import HttpSettings, RateLimiter
from abroad.core.jsonl import read_jsonl
from abroad.documents.search import SearchSettings, search_europepmc, search_pubmed
from abroad.sources import pubmed_search
from abroad.sources.eutils import EutilsClient, EutilsSettings
from abroad.sources.pubmed_search import EARLIEST, LATEST, Span
from tests.sources.servers import Efetch, EuropePmcServer, article_xml

FIRST = date(2022, 1, 1)


def records(count):
    return {str(n): article_xml(str(n), f"Lichen {n}.", "Usnic acid.", f"10.1/{n}") for n in range(1, count + 1)}


@pytest.fixture
def pubmed():
    """40 papers on lichens, most of them of one day, others spread over three years, and one on mosses."""
    chance, dates = random.Random(1), {}
    for n in range(1, 41):
        published = date(2023, 5, 1) if n <= 15 else FIRST + timedelta(days=chance.randrange(1000))
        dates[str(n)] = (published, FIRST + timedelta(days=n))
    with Efetch(records(40) | {"99": article_xml("99", "Mosses.")}, dates=dates).serve() as server:
        yield server


def ids(out):
    return [record["id"] for record in read_jsonl(out)]


def search(server, out, query="lichen", context=None, **settings):
    eutils = EutilsSettings(base_url=server.url, first_wait=0.0, batch_size=4, attempts=3)
    with EutilsClient(eutils, RateLimiter(1e6)) as client:
        return search_pubmed(out, SearchSettings(query=query, **settings), client, context or Context())


def test_all_hits_become_documents_by_way_of_the_history(pubmed, tmp_path):
    report = search(pubmed, tmp_path / "docs.jsonl")
    assert sorted(map(int, ids(tmp_path / "docs.jsonl"))) == list(range(1, 41))
    assert (report.hits, report.documents, report.resumed) == (40, 40, 0)
    (first, *fetches) = pubmed.asked
    assert first["usehistory"] == "y" and "mindate" not in first
    assert all(form["WebEnv"] == "MCID_1" and "id" not in form for form in fetches) and len(fetches) == 10
    record = read_jsonl(tmp_path / "docs.jsonl")[0]
    assert (record["PMID"], record["doi"], record["AbstractText"]) == ("1", "10.1/1", "Usnic acid.")


@pytest.mark.parametrize("most", [16, 4])
def test_a_search_of_too_many_hits_is_divided_by_dates(pubmed, tmp_path, monkeypatch, most):
    monkeypatch.setattr(pubmed_search, "MAX_HITS", most)
    pubmed.most = most
    search(pubmed, tmp_path / "docs.jsonl")
    found = ids(tmp_path / "docs.jsonl")
    assert sorted(map(int, found)) == list(range(1, 41)) and len(found) == 40
    assert max(len(form.get("id", "").split(",")) for form in pubmed.asked) <= 4


def test_what_even_one_day_has_too_much_of_is_told(pubmed, tmp_path, monkeypatch):
    monkeypatch.setattr(pubmed_search, "MAX_HITS", 5)
    pubmed.most, pubmed.dates = 5, dict.fromkeys(pubmed.records, (FIRST, FIRST))
    context = Context()
    assert search(pubmed, tmp_path / "docs.jsonl", context=context).documents == 5
    assert [item["reason"] for item in context.rejects.items] == ["35 of 40 hits: NCBI gives 5"]


def test_dates_bound_the_search(pubmed, tmp_path):
    search(pubmed, tmp_path / "docs.jsonl", since="2023", until="2023-06")
    expected = {n for n, (day, _) in pubmed.dates.items() if date(2023, 1, 1) <= day <= date(2023, 6, 30)}
    assert set(ids(tmp_path / "docs.jsonl")) == expected
    assert (pubmed.asked[0]["mindate"], pubmed.asked[0]["maxdate"]) == ("2023/01/01", "2023/06/30")


def test_a_history_that_is_lost_costs_nothing(pubmed, tmp_path):
    pubmed.forgetful = True
    assert search(pubmed, tmp_path / "docs.jsonl").documents == 40
    assert len(pubmed.batches) == 10


def test_passing_troubles_are_tried_again(pubmed, tmp_path):
    pubmed.search_faults, pubmed.faults = [503, "page"], ["half", 429]
    assert search(pubmed, tmp_path / "docs.jsonl").documents == 40


def test_a_history_that_cannot_be_read_is_asked_by_number(pubmed, tmp_path):
    pubmed.faults = ["page"] * 3
    assert search(pubmed, tmp_path / "docs.jsonl").documents == 40
    assert len(pubmed.batches) == 1


def test_made_again_a_search_adds_what_has_come_since(pubmed, tmp_path):
    out = tmp_path / "docs.jsonl"
    search(pubmed, out)
    pubmed.records["41"] = article_xml("41", "Lichen 41.")
    pubmed.asked.clear()
    report = search(pubmed, out)
    assert (report.resumed, report.documents) == (40, 41) and ids(out)[-1] == "41"
    assert len([form for form in pubmed.asked if "term" not in form]) == 1


def test_another_search_does_not_mix_with_the_first_and_loses_nothing_of_it(pubmed, tmp_path, capsys):
    out = tmp_path / "docs.jsonl"
    search(pubmed, out)
    first = out.read_bytes()
    search(pubmed, out, query="mosses")
    assert ids(out) == ["99"]
    said = " ".join(capsys.readouterr().err.split())
    assert "the documents of another search lay there; they stay in" in said
    (aside,) = helper_folder(out).glob("partial-*.jsonl")
    assert aside.read_bytes() == first
    pubmed.asked.clear()
    report = search(pubmed, out)  # the first search made again goes on from them
    assert (report.resumed, report.documents) == (40, 40) and out.read_bytes() == first
    assert [read_jsonl(path)[0]["id"] for path in helper_folder(out).glob("partial-*.jsonl")] == ["99"]


def test_a_list_that_is_too_short_is_asked_for_again(pubmed, tmp_path):
    pubmed.short = [7, 2]
    context = Context()
    assert search(pubmed, tmp_path / "docs.jsonl", context=context).documents == 40
    assert len(context.rejects) == 0


def test_a_list_that_stays_too_short_is_counted_and_told(pubmed, tmp_path):
    pubmed.short = [7, 7, 7]
    context = Context()
    report = search(pubmed, tmp_path / "docs.jsonl", context=context)
    assert (report.hits, report.documents) == (40, 33)
    assert "NCBI names 33 of the 40 hits that it counts" in context.rejects.items[0]["reason"]
    assert search(pubmed, tmp_path / "docs.jsonl").documents == 40


@given(st.dates(EARLIEST, LATEST), st.dates(EARLIEST, LATEST), st.dates(date(2020, 1, 1), date(2040, 1, 1)))
def test_halves_make_up_the_whole(one, other, today):
    span = Span(min(one, other), max(one, other))
    halves = span.halves(today)
    assert halves is not None
    first, second = halves
    if span.first != span.last:
        assert (first.first, second.last) == (span.first, span.last)
        assert second.first - first.last == timedelta(days=1) and first.first <= first.last < second.last
    else:
        assert first.entered[0] == EARLIEST and second.entered[1] == LATEST
        assert second.entered[0] - first.entered[1] == timedelta(days=1)


def test_a_query_that_finds_nothing_says_so(pubmed, tmp_path, cli):
    result = cli("documents", "search", "unicorn", "--base-url", pubmed.url, "--out", tmp_path / "d.jsonl")
    assert result.exit_code == 2
    assert "pubmed finds nothing for 'unicorn'" in result.stderr and "it does not know: unicorn" in result.stderr
    assert not (tmp_path / "d.jsonl").exists()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--from", "last year"], "--from: expected a year or a date such as 2022"),
        (["--from", "2022-02-30"], "--from: expected a date that there is"),
        (["--from", "2023", "--to", "2022"], "expected --from before --to"),
        (["--full-text"], "expected --full-text with --source europepmc"),
    ],
)
def test_wrong_options_are_refused(tmp_path, cli, options, said):
    result = cli("documents", "search", "lichen", *options, "--out", tmp_path / "d.jsonl")
    assert result.exit_code == 2 and said in result.stderr


@pytest.mark.parametrize("query", ["", "  "])
def test_a_query_without_words_is_refused_with_what_to_do(tmp_path, cli, query):
    result = cli("documents", "search", query, "--out", tmp_path / "d.jsonl")
    assert result.exit_code == 2 and "expected a QUERY as one types it there, found no words" in result.stderr


def test_without_a_query_it_searches_for_natural_products(pubmed, tmp_path, cli):
    cli("documents", "search", "--base-url", pubmed.url, "--out", tmp_path / "d.jsonl")
    assert '"natural products"[tiab]' in pubmed.asked[0]["term"] and '"J Nat Prod"[ta]' in pubmed.asked[0]["term"]


def test_the_command_tells_what_it_did(pubmed, tmp_path, cli):
    out = tmp_path / "d.jsonl"
    pubmed.records["3"] = article_xml("3", "", None) + "<!-- lichen -->"
    result = cli("documents", "search", "lichen", "--base-url", pubmed.url, "--api-key", "KEY", "--out", out)
    assert result.exit_code == 0 and "39 documents of 40 hits" in result.stderr and "1 without text" in result.stderr
    run = json.loads((helper_folder(out) / "run.json").read_text())
    assert run["hits"] == 40 and run["settings"]["query"] == "lichen" and "KEY" not in json.dumps(run)


KILLED = """
import os, signal, sys
from abroad.cli import app
from abroad.core import http, io
from abroad.sources import pubmed_search

last, pubmed_search.MAX_HITS, count = int(sys.argv.pop(1)), 9, 0
http.RateLimiter.wait = lambda self: None
extend = io.JsonlAppender.extend


def counted(self, records):
    global count
    count += 1
    if count == last:  # half of a batch, and half of a line, is on disk
        text = "".join(map(io.dump_line, records)).encode()
        self._stream.write(text[: len(text) // 2 + 7])
        os.kill(os.getpid(), signal.SIGKILL)
    extend(self, records)


io.JsonlAppender.extend = counted
app(sys.argv[1:])
"""


def killed_and_run(arguments, out, lasts):
    """Run a command, killed at some of its batches one after the other, until it ends; what it said in the end."""
    for last in (*lasts, 0):
        command = [sys.executable, "-c", KILLED, str(last), *map(str, arguments), "--out", str(out)]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == (-signal.SIGKILL if last else 0), done.stderr
        assert last == 0 or not out.exists()
    return done.stderr


@pytest.mark.skipif(os.name == "nt", reason="kills by signal")
def test_killed_at_any_moment_the_same_search_goes_on(pubmed, tmp_path, monkeypatch):
    monkeypatch.setenv("ABROAD_ANSWERS", "")
    pubmed.most = 9
    arguments = ["documents", "search", "lichen", "--base-url", pubmed.url, "--batch-size", 3]
    said = killed_and_run(arguments, tmp_path / "d.jsonl", (1, 4, 2))
    found = ids(tmp_path / "d.jsonl")
    assert sorted(map(int, found)) == list(range(1, 41)) and "documents of an earlier run" in said


ABSTRACT = "<h4>Background</h4>Lichens.<h4>Results:</h4><i>Usnea barbata</i> gave usnic acid."
JATS = b"""<article><front><article-meta><title-group><article-title>Other title</article-title></title-group>
<abstract><p>Own.</p></abstract></article-meta></front>
<body><sec><title>Results</title><p>Usnic acid came from <italic>Usnea barbata</italic>.</p></sec></body></article>"""


def hit(number, **more):
    return {
        **{"id": str(number), "source": "MED", "pmid": str(number), "title": f"Lichen <i>{number}</i>."},
        **{"abstractText": ABSTRACT, "pubYear": "2023", "doi": f"10.1/{number}", "isOpenAccess": "N"},
        **more,
    }


@pytest.fixture
def europepmc():
    hits = [hit(n) for n in range(1, 6)]
    hits[1] |= {"pmcid": "PMC2", "isOpenAccess": "Y", "inEPMC": "Y"}
    hits[2] |= {"pmcid": "PMC3", "isOpenAccess": "Y", "inEPMC": "Y"}  # which the server lacks
    hits[3] |= {"pubTypeList": {"pubType": ["Retracted Publication", "Journal Article"]}}
    hits += [{"id": "PPR7", "source": "PPR", "title": "A preprint.", "doi": "10.2/7"}, {"id": "8", "source": "AGR"}]
    with EuropePmcServer(hits, {"PMC2": JATS}).serve() as server:
        yield server


def ask(cli, server, out, *options):
    where = ("--source", "europepmc", "--base-url", server.url)
    return cli("documents", "search", "lichen", *where, "--out", out, *options)


def test_europe_pmc_gives_abstracts_page_by_page(europepmc, tmp_path, cli):
    out = tmp_path / "d.jsonl"
    europepmc.faults = [503]
    result = ask(cli, europepmc, out, "--from", "2022")
    assert result.exit_code == 0 and "6 documents of 7 hits" in result.stderr, result.stderr
    found = {record["id"]: record for record in read_jsonl(out)}
    assert list(found) == ["1", "2", "3", "4", "5", "10.2/7"]
    assert found["1"]["ArticleTitle"] == "Lichen 1." and found["1"]["year"] == 2023
    assert found["1"]["AbstractText"] == "Background: Lichens. Results: Usnea barbata gave usnic acid."
    assert found["4"]["retracted"] is True and "retracted" not in found["1"]
    assert europepmc.asked[-1][1]["query"] == "(lichen) AND (FIRST_PDATE:[2022-01-01 TO 3000-12-31])"


def test_open_full_texts_come_with_their_sections(europepmc, tmp_path, cli):
    out = tmp_path / "d.jsonl"
    assert "1 full texts" in ask(cli, europepmc, out, "--full-text").stderr
    found = {record["id"]: record for record in read_jsonl(out)}
    text = f"{found['2']['ArticleTitle']} {found['2']['AbstractText']}"
    assert [text[s["start"] : s["end"]] for s in found["2"]["sections"]] == [
        "Background: Lichens. Results: Usnea barbata gave usnic acid.",
        "Results: Usnic acid came from Usnea barbata.",
    ]
    assert "sections" not in found["3"] and found["3"]["pmcid"] == "PMC3"


@pytest.mark.parametrize("broken", [b"<article><front>", b"<html>busy</html>", b""])
def test_a_full_text_that_stays_broken_ends_no_search(europepmc, tmp_path, broken):
    europepmc.full_texts = {"PMC2": broken}
    context = Context()
    http = HttpSettings(base_url=europepmc.url, rate=1e6, first_wait=0.0, attempts=3)
    settings = SearchSettings(query="lichen", source="europepmc", full_text=True)
    report = search_europepmc(tmp_path / "d.jsonl", settings, http, context)
    assert (report.documents, report.full_texts) == (6, 0)
    reasons = {item["where"]: item["reason"] for item in context.rejects.items}
    assert reasons["PMC2"].endswith("its abstract is taken")


@pytest.mark.parametrize("ends", [[7, 4, 4, 7], [0]])
def test_a_service_that_ends_too_soon_is_asked_again(europepmc, tmp_path, ends):
    europepmc.ends = ends
    context = Context()
    http = HttpSettings(base_url=europepmc.url, rate=1e6, first_wait=0.0, attempts=3)
    settings = SearchSettings(query="lichen", source="europepmc")
    report = search_europepmc(tmp_path / "d.jsonl", settings, http, context)
    assert report.documents == 6 and [item["where"] for item in context.rejects.items] == ["AGR 8"]


def test_a_service_that_keeps_ending_too_soon_is_told(europepmc, tmp_path):
    europepmc.ends = [4] * 5
    context = Context()
    http = HttpSettings(base_url=europepmc.url, rate=1e6, first_wait=0.0, attempts=3)
    settings = SearchSettings(query="lichen", source="europepmc")
    assert search_europepmc(tmp_path / "d.jsonl", settings, http, context).documents == 4
    assert "3 of the 7 hits that it counts were not given" in context.rejects.items[0]["reason"]
    assert search_europepmc(tmp_path / "d.jsonl", settings, http, Context()).documents == 6


def test_europe_pmc_refuses_a_query_in_words(europepmc, tmp_path, cli):
    where = ("--source", "europepmc", "--base-url", europepmc.url, "--out", tmp_path / "d.jsonl")
    result = cli("documents", "search", "(lichen", *where)
    assert result.exit_code == 2 and "Europe PMC refuses the query: The query is not well formed" in result.stderr
    europepmc.hits.clear()
    result = cli("documents", "search", "lichen", *where)
    assert result.exit_code == 2 and "europepmc finds nothing" in result.stderr


@pytest.mark.skipif(os.name == "nt", reason="kills by signal")
def test_killed_a_search_of_europe_pmc_goes_on_at_its_page(europepmc, tmp_path):
    europepmc.hits[:] = [hit(n) for n in range(1, 12)]
    arguments = ["documents", "search", "lichen", "--source", "europepmc", "--base-url", europepmc.url]
    killed_and_run(arguments, tmp_path / "d.jsonl", (2, 5, 3))
    assert ids(tmp_path / "d.jsonl") == [str(n) for n in range(1, 12)]
    marks = [form["cursorMark"] for _, form in europepmc.asked]
    assert marks.count("*") == 2 and marks.count("mark2") <= 3
    assert not list(helper_folder(tmp_path / "d.jsonl").glob("p*.json*"))
