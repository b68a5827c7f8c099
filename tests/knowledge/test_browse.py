"""The pages of a knowledge base: what they show, what they refuse, by HTTP and in Chromium."""

import http.client
import os
import re
import shutil
import signal
import subprocess
import sys
from html import unescape
from pathlib import Path
from urllib.parse import quote, urlencode

import pytest

from abroad.core.errors import AbroadError
from abroad.knowledge.curation import Said
from tests.knowledge.world import FORMATS, Verdicts, World, document

pytest.importorskip("fastapi")
EVIL = "</script><script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">"
USNIC = {"head": "organism/NCBITaxon:192174", "tail": "compound/wikidata:Q1"}


class FakeDesk:
    """Keeps what it is sent; fails where it is told to."""

    def __init__(self):
        self.sent, self.error = [], None

    def send(self, documents, predictions, field):
        if self.error:
            raise AbroadError(self.error)
        self.sent.append(([d.id for d in documents], predictions))
        return f"{len(documents)} documents sent to <nowhere>"

    def answers(self, ids, field):
        return [(Said("1", "ana <b>", "", EVIL, "2024-05-06T07:08"), [("Usnea barbata", "usnic acid")])]

    def page(self, documents, predictions, field):
        return f"<html>{len(documents)}</html>"


def add_evil(world):
    """One more document, with HTML in every place that a page shows."""
    evil = document(f"x{EVIL}", f"Rutin{EVIL} was isolated from Ruta{EVIL} of old.", "10.1000/x'<b>", 2020)
    evil.title = f"Evil {EVIL}"
    world.write([evil], {evil.id: [(f"Ruta{EVIL}", f"Rutin{EVIL}", 0.7)]})
    return world


@pytest.fixture(scope="module", params=FORMATS)
def shown(request, made_world, tmp_path_factory):
    """A database of each format, with something evil in it; nobody writes to it."""
    folder = tmp_path_factory.mktemp("shown") / "world"
    shutil.copytree(made_world.folder, folder)
    world, base = add_evil(World(folder)), folder / f"np.{request.param}"
    world.build(base, request.param, verdicts=[Verdicts("1", f"eva{EVIL}", [], f"no {EVIL}", "2024-01-02")])
    return base


@pytest.fixture
def desk():
    return FakeDesk()


@pytest.fixture
def client(shown, desk):
    from starlette.testclient import TestClient

    from abroad.knowledge.browse.app import make_app

    return TestClient(make_app(shown, desk), base_url="http://127.0.0.1:8321")


def text_of(response):
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]*>", "", response.text)))


def token_of(response):
    return re.search(r'name="token" value="([^"]+)"', response.text)[1]


def test_the_first_page_has_figures_and_the_surest_new_pairs(client):
    page = client.get("/")
    assert page.status_code == 200
    assert "5 pairs of organism and compound" in text_of(page) and "3-O-methylquercetin" in page.text


@pytest.mark.parametrize(
    ("asked", "found"),
    [("usnea", "Usnea barbata"), ("Usnic ACID", "Usnic acid"), ("NCBITaxon:192174", "Usnea barbata"),
     ("3’-O-methyl", "3'-O-methylquercetin"), ("wikidata:Q3", "(-)-Epicatechin"), ("Theaceae", "Theaceae"),
     ("nothing of that name", "Nothing in the database has"), ("100%_", "Nothing in the database"), ("", "Type the")],
)  # fmt: skip
def test_a_search_goes_by_organism_compound_taxon_and_identifier(client, asked, found):
    page = client.get("/search", params={"q": asked})
    assert page.status_code == 200 and found in text_of(page)


def test_links_lead_from_a_search_to_the_sentence(client):
    page = client.get("/search", params={"q": "Camellia sinensis"})
    page = client.get(unescape(re.search(r'href="(/entity[^"]+)"', page.text)[1]))
    assert "3'-O-methylquercetin" in text_of(page) and "Theaceae" in text_of(page)
    page = client.get(unescape(re.search(r'href="(/pair[^"]+3-O-methyl[^"]+|/pair[^"]+Q2)"', page.text)[1]))
    assert '<mark class="organism" title="organism">Camellia sinensis</mark>' in page.text
    assert '<mark class="chemical" title="chemical">3-O-methylquercetin</mark>' in page.text
    page = client.get(unescape(re.search(r'href="(/document[^"]+)"', page.text)[1]))
    assert "2 relations" in page.text


def test_an_entity_and_a_group_are_shown_by_status(client):
    page = client.get("/entity", params={"id": USNIC["tail"], "status": "known"})
    assert "Usnea barbata" in page.text
    assert "No pair that is new" in text_of(client.get("/entity", params={"id": USNIC["tail"], "status": "new"}))
    page = client.get("/group", params={"name": "Lamiaceae"})
    assert "1 pairs" in text_of(page) and "(-)-Epicatechin" in page.text
    assert "Usnic acid" in client.get("/group", params={"name": "Polyketides"}).text


def test_a_pair_shows_its_publications_and_what_curators_said(client):
    page = client.get("/pair", params=USNIC)
    words = text_of(page)
    assert "known" in words and "2 publications, 2001 to 2005" in words and "0.900" in words
    assert "rejected by eva" in words and "2024-01-02" in words


def test_a_button_sends_the_documents_of_a_pair_and_another_asks_for_answers(client, desk):
    token = token_of(client.get("/pair", params=USNIC))
    page = client.post("/pair", content=urlencode({**USNIC, "token": token, "action": "send"}))
    assert page.status_code == 200 and "2 documents sent to <nowhere>" in text_of(page)
    ((ids, predictions),) = desk.sent
    assert ids == ["1", "2"] and predictions[0].relations[0].status == "known"
    assert predictions[0].relations[0].evidence[0].text == "Usnea barbata"
    page = client.post("/pair", content=urlencode({**USNIC, "token": token, "action": "answers"}))
    assert "1 answers of curators" in page.text and "accepted by ana <b>" in text_of(page)
    desk.error = "no server answers"
    page = client.post("/pair", content=urlencode({**USNIC, "token": token, "action": "send"}))
    assert page.status_code == 200 and "Not sent: no server answers" in page.text


@pytest.mark.parametrize("token", ["", "wrong", "é"])
def test_a_form_of_another_page_changes_nothing(client, desk, token):
    page = client.post("/pair", content=urlencode({**USNIC, "token": token, "action": "send"}))
    assert page.status_code == 403 and desk.sent == []


def test_a_page_to_curate_without_a_server_is_a_download(client):
    page = client.get("/curate", params=USNIC)
    assert page.text == "<html>2</html>" and page.headers["Content-Disposition"].startswith("attachment")


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example:8321", "10.0.0.1:8321", ""])
def test_a_request_by_another_name_is_refused(client, host):
    assert client.get("/", headers={"Host": host}).status_code == 400


@pytest.mark.parametrize(
    ("path", "code"),
    [("/entity?id=none", 404), ("/pair?head=a&tail=b", 404), ("/document?id=none", 404), ("/entity?id=a&page=0", 400),
     ("/entity?id=a&status=odd", 400), ("/entity", 400), ("/nowhere", 404), ("/docs", 404), ("/openapi.json", 404),
     ("/curate?head=a&tail=b", 404), ("/search?q=" + "a" * 3000, 400)],
)  # fmt: skip
def test_what_there_is_not_is_said_on_a_page(client, path, code):
    page = client.get(path)
    assert page.status_code == code and "To the first page" in page.text


def addresses(client):
    """Every page that can be reached from the first one and from a search."""
    seen, waiting = {}, ["/", "/search?q=ut", "/search?q=" + quote(EVIL)]
    while waiting and len(seen) < 80:
        address = waiting.pop(0)
        if address in seen or address.startswith(("/curate", "/style")):
            continue
        seen[address] = page = client.get(address)
        waiting += [unescape(found) for found in re.findall(r'href="(/[^"]*)"', page.text)]
    return seen


def test_every_page_is_escaped_and_has_its_headers(client):
    pages = addresses(client)
    assert len(pages) > 20 and all(page.status_code == 200 for page in pages.values())
    assert sum("owned" in page.text for page in pages.values()) > 5
    for address, page in pages.items():
        assert "<script" not in page.text and "<img" not in page.text, address
        assert "http" not in re.sub(r'href="https://[^"]*"', "", page.text.replace("<!doctype html>", "")), address
        policy = page.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy and "script-src" not in policy and "unsafe" not in policy
        assert page.headers["X-Content-Type-Options"] == "nosniff"


def test_a_database_that_is_being_written_is_said(client, monkeypatch):
    from abroad.knowledge.browse import app
    from abroad.knowledge.store import Busy

    def busy(path):
        raise Busy("x")

    monkeypatch.setattr(app, "readable", busy)
    page = client.get("/")
    assert page.status_code == 503 and "being written at this moment" in page.text


@pytest.fixture
def server(world, tmp_path):
    """`abroad knowledge browse`, really started."""
    path = world.folder / "np.duckdb"
    world.build(path, "duckdb")
    process = subprocess.Popen(
        [sys.executable, "-m", "abroad", "knowledge", "browse", str(path), "--port", "0"],
        stderr=subprocess.PIPE, text=True, env={**os.environ, "ABROAD_ANNOTATION_DIR": str(tmp_path / "none")},
    )  # fmt: skip
    line = process.stderr.readline()
    found = re.match(r"(http://127\.0\.0\.1:(\d+)/) shows", line)
    assert found, line + process.stderr.read()
    yield found[1], int(found[2]), path
    process.send_signal(signal.SIGINT)
    process.wait(30)


def test_the_command_serves_this_machine_and_lets_a_build_write(server, world):
    _, port, path = server
    connection = http.client.HTTPConnection("127.0.0.1", port)
    connection.request("GET", "/")
    assert b"4 pairs" in connection.getresponse().read()
    more = document("9", "Usnic acid of Ruta fictiva.", "10.1000/9")
    world.write([more], {"9": [("Ruta fictiva", "Usnic acid", 0.5)]})
    world.build(path, "duckdb")
    connection.request("GET", "/")
    assert b"5 pairs" in connection.getresponse().read()


def test_a_curator_searches_and_reads_in_a_browser(browser, server):
    address, _, _ = server
    context = browser.new_context(viewport={"width": 1280, "height": 860})
    page = context.new_page()
    errors, asked = [], []
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    page.on("request", lambda request: asked.append(request.url))
    page.goto(address)
    page.fill("#q", "usnic")
    page.keyboard.press("Enter")
    page.get_by_role("link", name="Usnic acid").click()
    page.get_by_role("link", name="evidence").click()
    assert page.locator("mark.organism").first.inner_text() == "Usnea barbata"
    assert (
        page.locator("mark.chemical").first.evaluate("e => getComputedStyle(e).backgroundColor") != "rgba(0, 0, 0, 0)"
    )
    page.get_by_role("button", name="Send to curation").click()
    assert "Not sent: no annotation server" in page.locator(".notice").inner_text()
    with page.expect_download() as download:
        page.get_by_role("link", name="curate without a server").click()
    assert "Usnea barbata" in Path(download.value.path()).read_text(encoding="utf-8")
    assert errors == [] and all(url.startswith(address) for url in asked)
    context.close()


def test_what_a_text_holds_does_not_run_in_a_browser(browser, world):
    path = world.folder / "np.duckdb"
    add_evil(world)
    world.build(path, "duckdb")
    process = subprocess.Popen(
        [sys.executable, "-m", "abroad", "knowledge", "browse", str(path), "--port", "0"],
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        address = process.stderr.readline().split(" ")[0]
        context = browser.new_context()
        page = context.new_page()
        page.goto(f"{address}search?q=rutin")
        with page.expect_navigation():  # a click alone does not wait for the next page
            page.locator("tbody a").first.click()
        with page.expect_navigation():
            page.get_by_role("link", name="evidence").click()
        assert "owned'" in page.title() and page.title() != "owned" and EVIL in page.locator("article").inner_text()
        with page.expect_navigation():
            page.get_by_role("link", name="whole document").click()
        assert page.title() != "owned"
        context.close()
    finally:
        process.kill()
        process.wait()
