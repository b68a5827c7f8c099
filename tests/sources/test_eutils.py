"""The E-utilities client against a server that speaks efetch."""

from itertools import pairwise

import pytest

from abroad.core.context import Context
from abroad.core.errors import AbroadError
from abroad.core.http import RateLimiter
from abroad.sources.eutils import EutilsClient, EutilsSettings
from tests.sources.servers import Efetch, article_xml


class Clock:
    """Time that passes only by sleeping."""

    def __init__(self):
        self.now, self.slept = 0.0, []

    def time(self):
        return self.now

    def sleep(self, seconds):
        self.slept.append(seconds)
        self.now += seconds


@pytest.fixture
def pubmed():
    with Efetch({str(n): article_xml(str(n)) for n in range(1, 8)}).serve() as server:
        yield server


def fetch(server, pmids, context=None, **settings):
    clock = Clock()
    settings = EutilsSettings(base_url=server.url, first_wait=0.0, **settings)
    with EutilsClient(settings, RateLimiter(3, clock.time, clock.sleep)) as c:
        answers = list(c.fetch(pmids, context or Context()))
    return {pmid: article for answer in answers for pmid, article in answer.items()}


def test_batches_are_posted_with_the_fields_ncbi_asks_for(pubmed):
    found = fetch(pubmed, ["1", "2", "3"], batch_size=2, api_key="KEY", email="me@example.org")
    assert list(found) == ["1", "2", "3"]
    assert pubmed.batches == [["1", "2"], ["3"]]
    assert pubmed.asked[0] == {
        "db": "pubmed",
        "retmode": "xml",
        "id": "1,2",
        "tool": "abroad",
        "email": "me@example.org",
        "api_key": "KEY",
    }


def test_identifiers_pubmed_does_not_know_are_none(pubmed):
    assert [pmid for pmid, article in fetch(pubmed, ["1", "999", "2"]).items() if article is None] == ["999"]


@pytest.mark.parametrize("fault", [429, ("429", "0"), 500, 503, "drop", "half", "page"])
def test_passing_troubles_are_tried_again(pubmed, fault):
    pubmed.faults = [fault, fault]
    said = []
    assert fetch(pubmed, ["1"], Context(say=said.append), attempts=3)["1"].pmid == "1"
    assert len(pubmed.asked) == 3 and len(said) == 2


def test_trouble_that_lasts_ends_the_run_and_keeps_what_came(pubmed):
    pubmed.faults = [None, 503, 503]
    with EutilsClient(EutilsSettings(base_url=pubmed.url, batch_size=1, attempts=2, first_wait=0.0)) as client:
        answers = client.fetch(["1", "2"], Context())
        assert next(answers)["1"].pmid == "1"
        with pytest.raises(AbroadError, match="HTTP 503 after 2 attempts"):
            next(answers)


def test_a_refused_batch_is_halved_down_to_the_identifier_refused(pubmed):
    pubmed.refused = {"3"}
    context = Context()
    found = fetch(pubmed, ["1", "2", "3", "4"], context)
    assert sorted(found) == ["1", "2", "4"]
    assert [item["where"] for item in context.rejects.items] == ["PMID 3"]


def test_a_refusal_of_access_is_not_tried_again(pubmed):
    pubmed.faults = [403]
    with pytest.raises(AbroadError, match="HTTP 403"):
        fetch(pubmed, ["1"])
    assert len(pubmed.asked) == 1


def test_requests_keep_the_distance_the_rules_ask_for():
    clock = Clock()
    limiter = RateLimiter(3, clock.time, clock.sleep)
    starts = []
    for pause in (0, 0, 0.1, 5, 0, 0):
        clock.now += pause
        limiter.wait()
        starts.append(clock.now)
    assert all(later - earlier >= 1 / 3 for earlier, later in pairwise(starts))
    assert clock.slept[0] == pytest.approx(0.35)


@pytest.mark.parametrize(("key", "rate"), [(None, 3), ("KEY", 10)])
def test_a_key_raises_the_rate(key, rate):
    with EutilsClient(EutilsSettings(api_key=key)) as client:
        assert 1 / rate <= client._limiter.interval <= 1.1 / rate


def test_a_server_sees_requests_apart(pubmed):
    with EutilsClient(EutilsSettings(base_url=pubmed.url, batch_size=1, api_key="KEY")) as client:
        list(client.fetch(["1", "2", "3"], Context()))
    gaps = [later - earlier for earlier, later in pairwise(pubmed.starts)]
    assert min(gaps) > 0.05  # a tenth of a second less what the way to the server may vary by


def test_the_key_shows_in_no_message():
    assert "SECRET" not in repr(EutilsSettings(api_key="SECRET"))


def search(server, dois, context=None, **settings):
    settings = EutilsSettings(base_url=server.url, first_wait=0.0, **settings)
    clock = Clock()
    with EutilsClient(settings, limiter=RateLimiter(3, clock.time, clock.sleep)) as client:
        return [found for _, found in client.search_dois(dois, context or Context())]


@pytest.fixture
def with_dois():
    with Efetch({str(n): article_xml(str(n), doi=f"10.1/X({n})") for n in range(1, 5)}).serve() as server:
        yield server


def test_dois_are_searched_in_batches_with_the_fields_ncbi_asks_for(with_dois):
    assert search(with_dois, ["10.1/x(1)", "10.1/x(3)", "10.1/x(9)"], batch_size=2, email="me@example.org") == [
        ["1", "3"],
        [],
    ]
    assert with_dois.asked[0] == {
        "db": "pubmed",
        "retmode": "json",
        "term": '"10.1/x(1)"[doi] OR "10.1/x(3)"[doi]',
        "retmax": "4",
        "tool": "abroad",
        "email": "me@example.org",
    }


@pytest.mark.parametrize("fault", [429, 500, "page", "backend"])
def test_a_search_that_fails_in_passing_is_tried_again(with_dois, fault):
    with_dois.search_faults = [fault, fault]
    assert search(with_dois, ["10.1/x(2)"], attempts=3) == [["2"]]


def test_a_search_that_finds_everything_is_halved_down_to_the_doi_that_does(with_dois):
    with_dois.search_faults = ["everything", None, "everything", "everything", None]
    context = Context()
    found = search(with_dois, [f"10.1/x({n})" for n in range(1, 5)], context)
    assert found == [["1", "2", "4"]]
    assert [item["where"] for item in context.rejects.items] == ["DOI 10.1/x(3)"]
