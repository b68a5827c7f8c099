"""Whatever a server answers, a client gives an answer, sets a record aside, or ends with one error: no traceback."""

import gzip
import json
import threading

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from abroad.core import http
from abroad.core.context import Context
from abroad.core.errors import AbroadError
from abroad.core.http import HttpSettings
from abroad.core.schema import Document
from abroad.engines.base import GenerationRequest
from abroad.engines.openai.engine import OpenAiEngine
from abroad.engines.openai.member import OpenAiSettings
from abroad.sources import download, pubchem, pubtator
from abroad.sources.eutils import EutilsClient, EutilsSettings
from abroad.sources.kept import KeptAnswers
from tests.sources.servers import _Handler, serving

HALF = json.loads('"\\ud83d"')
anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.sampled_from(["", "text", HALF, "9" * 400, "1e999", "10.1/x"]),
    lambda children: (
        st.lists(children, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                "choices text message content usage completion_tokens prompt_tokens logprobs token_logprobs tokens "
                "text_offset finish_reason error esearchresult idlist count ERROR PubTator3 id pmid passages "
                "annotations infons identifier type locations offset length PropertyTable Properties CID InChIKey "
                "InformationList Information Synonym".split()
            ),
            children,
            max_size=6,
        )
    ),
    max_leaves=30,
)
SOUND = {
    "choices": [{"text": "a", "finish_reason": "stop", "logprobs": {"token_logprobs": [-0.5]}}],
    "usage": {"completion_tokens": 3, "prompt_tokens": 2},
    "esearchresult": {"idlist": ["1"], "count": "1"},
    "PubTator3": [
        {
            "id": "1",
            "passages": [
                {
                    "annotations": [
                        {
                            "text": "a",
                            "infons": {"type": "Species", "identifier": "1"},
                            "locations": [{"offset": 0, "length": 1}],
                        }
                    ]
                }
            ],
        }
    ],
    "PropertyTable": {"Properties": [{"CID": 1, "InChIKey": "A"}]},
    "InformationList": {"Information": [{"CID": 1, "Synonym": ["a"]}]},
}


def replaced(value, place, new):
    """The value with one of its parts, counted through, replaced."""
    count = [0]

    def walk(item):
        count[0] += 1
        if count[0] == place:
            return new
        if isinstance(item, dict):
            return {key: walk(child) for key, child in item.items()}
        return [walk(child) for child in item] if isinstance(item, list) else item

    return walk(value)


bodies = (
    st.binary(max_size=60)
    | st.sampled_from([b"", b"<html>busy</html>", b"[" * 20_000, b'{"a":' * 20_000, b"9" * 5_000, b"null"])
    | anything.map(lambda value: json.dumps(value).encode())
    | st.builds(replaced, st.just(SOUND), st.integers(1, 45), anything).map(lambda value: json.dumps(value).encode())
)
FAST = {"attempts": 1, "first_wait": 0.0}


@pytest.fixture(scope="module")
def server():
    state = {"body": b"", "headers": {}}

    class Handler(_Handler):
        def do_GET(self):
            self.answer(200, state["body"], state["headers"])

        def do_POST(self):
            self.rfile.read(int(self.headers["Content-Length"]))
            self.do_GET()

    with serving(Handler) as url:
        state["url"] = url
        yield state


def complete(url, folder):
    engine = OpenAiEngine("m", OpenAiSettings(base_url=url, attempts=1, first_wait=0.0))
    engine._understood = True
    for chat in (False, True):
        (made,) = engine.generate([GenerationRequest("1", "prompt", chat=chat)])
        made.text.encode()
    engine.score(["a"], ["b"])


def fetch(url, folder):
    with EutilsClient(EutilsSettings(base_url=url, **FAST), limiter=http.RateLimiter(1e9)) as client:
        client._understood = True
        list(client.fetch(["1", "2"], Context()))
        list(client.search_dois(["10.1/x"], Context()))


def annotate(url, folder):
    found = pubtator.fetch_bioc(["1"], KeptAnswers("a", folder / "kept"), HttpSettings(base_url=url, rate=1e9, **FAST))
    pubtator.annotate(Document("1", "", "a text", pmid="1"), found.get("1", {}), Context())


def synonyms(url, folder):
    pubchem.fetch_synonyms(["A"], KeptAnswers("b", folder / "kept"), HttpSettings(base_url=url, rate=1e9, **FAST))


@pytest.mark.parametrize("ask", [complete, fetch, annotate, synonyms])
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=bodies)
def test_any_answer(server, tmp_path_factory, ask, body):
    server["body"] = body
    try:
        ask(server["url"], tmp_path_factory.mktemp("caches"))
    except AbroadError as error:
        assert "\n" not in str(error)


def test_one_unreadable_answer_costs_its_record_alone(server):
    server["body"] = json.dumps(SOUND).encode()
    engine = OpenAiEngine("m", OpenAiSettings(base_url=server["url"], attempts=2, first_wait=0.0), concurrency=1)
    with pytest.raises(AbroadError, match="unreadable"):  # never a readable one: a server of another kind
        server["body"] = b"<html>"
        list(engine.generate([GenerationRequest("0", "p")]))
    made = []
    for body in (json.dumps(SOUND).encode(), b'{"choices": {}}', json.dumps(SOUND).encode()):
        server["body"] = body
        made += engine.generate([GenerationRequest(str(len(made)), "p")])
    assert [bool(generation.error) for generation in made] == [False, True, False]


def test_a_bomb_in_an_answer_is_refused(server, monkeypatch, tmp_path):
    monkeypatch.setattr(http, "MAX_ANSWER", 1 << 20)
    server["body"], server["headers"] = gzip.compress(b" " * (1 << 26)), {"Content-Encoding": "gzip"}
    try:
        with pytest.raises(AbroadError, match="more than 1 MB"):
            annotate(server["url"], tmp_path)
    finally:
        server["headers"] = {}


@pytest.mark.parametrize("head", [False, True])
@pytest.mark.parametrize("what", ["answer", "file"])
def test_a_server_that_drips_is_given_up(tmp_path, head, what):
    """Each of its bytes comes in time, the answer never; in the head as in the body."""
    stop = threading.Event()

    class Drip(_Handler):
        def do_GET(self):
            self.send_response(200)
            if head:
                self.flush_headers()
                self.wfile.write(b"X-Long: ")
            else:
                self.end_headers()
            while not stop.wait(0.05):
                self.wfile.write(b"a")

    with serving(Drip) as url, http.open_client(0.3) as client:
        if what == "answer":
            with pytest.raises(http.TransientError, match="too slowly"):
                http.request(client, "GET", url)
        else:
            part = download._Part(tmp_path / "file", url)
            with pytest.raises(http.TransientError, match="too slowly"):
                download._fetch_rest(client, part, download.Check())
        stop.set()


def complete_once(url, settings):
    engine = OpenAiEngine("m", OpenAiSettings(base_url=url, **settings), concurrency=1)
    list(engine.generate([GenerationRequest("1", "p")]))


def fetch_once(url, settings):
    with EutilsClient(EutilsSettings(base_url=url, **settings), limiter=http.RateLimiter(1e9)) as client:
        list(client.fetch(["1"], Context()))


def ask_json(url, settings):
    with http.JsonClient("Somebody", HttpSettings(base_url=url, rate=1e9, **settings)) as client:
        client.ask("a", lambda status, answer: answer)


def tries(asked):
    """How often the question itself was put: the list of a server's models is asked for once, beside."""
    return len(asked) - asked.count("/models")


@pytest.mark.parametrize("ask", [complete_once, fetch_once, ask_json])
@pytest.mark.parametrize("bytes_of_it", [b"", b"a"], ids=["silent", "dripping"])
def test_all_tries_of_a_slow_server_together_have_a_deadline(ask, bytes_of_it):
    """Without it each of 20 tries would have its time: 2 s of the clock here, 400 s with the defaults."""
    stop, asked = threading.Event(), []

    class Slow(_Handler):
        def do_POST(self):
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()
            while not stop.wait(0.02):
                self.wfile.write(bytes_of_it)
                self.wfile.flush()

        do_GET = do_POST

    try:
        with serving(Slow) as url, pytest.raises(http.NoAnswer, match=r"after \d attempts?; run the same command"):
            ask(url, {"timeout": 0.1, "deadline": 0.25, "attempts": 20, "first_wait": 0.0})
    finally:
        stop.set()
    assert 1 <= tries(asked) <= 3


@pytest.mark.parametrize("ask", [complete_once, fetch_once, ask_json])
def test_a_server_that_says_soon_that_it_is_busy_has_all_the_tries(ask):
    asked = []

    class Busy(_Handler):
        def do_POST(self):
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            asked.append(self.path)
            self.answer(503, headers={"Retry-After": "0"})

        do_GET = do_POST

    with serving(Busy) as url, pytest.raises(http.NoAnswer, match="HTTP 503 after 5 attempts"):
        ask(url, {"timeout": 60.0, "deadline": 1e-9, "attempts": 5, "first_wait": 0.0})
    assert tries(asked) == 5


def test_a_server_out_of_reach_gets_one_more_try():
    said = []
    with (
        http.JsonClient(
            "Nobody",
            http.HttpSettings(base_url="http://127.0.0.1:9", rate=1e9, first_wait=0.0),
            Context(say=said.append),
        ) as client,
        pytest.raises(http.NoAnswer, match="is there a network"),
    ):
        client.ask("a", lambda status, answer: answer)
    assert len(said) == 1


def test_a_server_that_has_answered_gets_all_the_patience():
    class Once(_Handler):
        def do_GET(self):
            self.answer(200, b"{}")

    with serving(Once) as url:
        settings = http.HttpSettings(base_url=url, rate=1e9, first_wait=0.0, attempts=4)
        with http.JsonClient("Somebody", settings) as client:
            assert client.ask("a", lambda status, answer: answer) == {}
    with http.JsonClient("Somebody", settings) as client, pytest.raises(http.NoAnswer, match="after 4 attempts"):
        client.ask("a", lambda status, answer: answer)
