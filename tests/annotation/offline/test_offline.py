"""The offline page: what it holds, and what a curator does in it in Chromium, from a file, read back by `pull`."""

import json
import os
from pathlib import Path

import pytest
from typer.testing import CliRunner

from abroad.cli.app import app
from abroad.core.io import Rejects, write_documents, write_jsonl
from abroad.core.schema import Prediction
from abroad.text.evidence import with_evidence
from annotation.argilla.pull import read_offline
from annotation.decisions.records import DISCARDED, DRAFT, SUBMITTED, Mention
from annotation.offline.page import OfflineSettings, write_offline
from tests.conftest import make_document

CHROMIUM = Path(os.environ.get("CHROMIUM", "/usr/bin/chromium"))
EVIL = "</script><script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">"


@pytest.fixture
def shown(documents):
    """Three documents with suggestions: two relations (one wrong), none, and injected HTML in every place."""
    evil = make_document(f"4{EVIL}", f"Title {EVIL}", f"\U0001d6fcUsnea {EVIL} gave scopoletin.", [])
    one, two, _ = documents
    predictions = [
        Prediction(
            one.id, [with_evidence(one, *pair, 0.5) for pair in [*one.label_pairs(), ("Usnea testalis", "acid")]]
        ),
        Prediction(two.id, []),
        Prediction(evil.id, [with_evidence(evil, f"Usnea {EVIL}", "scopoletin", 0.25)]),
    ]
    return [one, two, evil], predictions


@pytest.fixture
def page_file(shown, tmp_path):
    path = tmp_path / "curate.html"
    write_offline(*shown, path, OfflineSettings(title=f"Lichens {EVIL}", batch="b1", model=EVIL), Rejects())
    return path


@pytest.fixture(scope="module")
def browser():
    sync_api = pytest.importorskip("playwright.sync_api")
    if not CHROMIUM.exists():
        pytest.skip(f"no Chromium at {CHROMIUM} (apt-get install chromium, or set CHROMIUM)")
    flags = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
    flags += ["--disable-component-update", "--disable-sync"]
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=flags)
        yield browser
        browser.close()


@pytest.fixture
def page(browser, page_file):
    context = browser.new_context(viewport={"width": 1280, "height": 860}, offline=True)
    page = context.new_page()
    page.errors = []
    page.on("pageerror", lambda error: page.errors.append(str(error)))
    page.on("console", lambda message: page.errors.append(message.text) if message.type == "error" else None)
    page.goto(page_file.as_uri())
    yield page
    assert page.errors == []
    context.close()


def save(page, target):
    with page.expect_download() as download:
        page.keyboard.press("Control+s")
    download.value.save_as(target)
    rejects = Rejects()
    pulled = read_offline(target, rejects)
    assert not rejects
    return {decision.document: decision for decision in pulled.decisions}, pulled


def test_a_curator_accepts_rejects_edits_adds_and_saves(page, tmp_path):
    assert "0 of 3 decided" in page.locator("#count").inner_text()
    page.locator("#submit").click()
    assert "3 relations are undecided" in page.locator("#notice").inner_text()
    items = page.locator("#relations li")
    items.nth(0).hover()
    lit = "".join(page.locator(".lit").all_text_contents())
    assert "Usnic acid" in lit and "Usnea testalis" in lit and "barbatic" not in lit
    items.nth(0).locator("[data-do=accept]").click()
    items.nth(1).locator("[data-do=edit]").click()
    page.locator("#chemical").fill("barbatic acids A-B")
    page.keyboard.press("Enter")
    assert "looked at again" in page.locator("#notice").inner_text()
    items.nth(2).locator("[data-do=reject]").click()
    page.locator("#comment").fill("range made up")
    page.locator("#submit").click()
    page.locator("#add").click()
    page.locator("#organism").fill("R. fictiva")
    page.locator("#chemical").fill("scopoletin")
    page.locator("#form button[type=submit]").click()
    page.locator("#submit").click()
    page.locator("#discard").click()
    assert "All documents are decided" in page.locator("#notice").inner_text()
    page.locator("#save").click()
    assert "your name" in page.locator("#notice").inner_text()
    page.locator("#curator").fill("Ana María/../x")
    decisions, pulled = save(page, tmp_path / "ana.json")
    first, second = decisions["1"], decisions["2"]
    assert first.relations == (
        *(("Usnea testalis", "usnic acid"), ("Usnea testalis", "barbatic acid A")),
        ("Usnea testalis", "barbatic acid B"),
    )
    assert (first.status, first.batch, first.comment, first.curator) == (
        *(SUBMITTED, "b1", "range made up"),
        "Ana María/../x",
    )
    assert "does not name the chemical" in first.flagged[0].reason
    assert second.relations == (("Ruta fictiva", "scopoletin"),) and not second.flagged
    assert decisions[f"4{EVIL}"].status == DISCARDED
    assert pulled.predictions["1"].relations[0].score == 0.5 and pulled.documents["2"].title == "Coumarins."


def test_the_keyboard_does_it_all(page, tmp_path):
    page.locator("#curator").fill("ben")
    for key in ("Escape", "a", "a", "r", "Control+Enter"):
        page.keyboard.press(key)
    assert "2 of 3" in page.locator("#id").inner_text()
    page.keyboard.press("n")
    page.keyboard.type("Ruta fictiva")
    page.keyboard.press("Tab")
    page.keyboard.type("scopoletin")
    page.keyboard.press("Enter")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+A")
    page.keyboard.press("Control+Enter")
    decisions, _ = save(page, tmp_path / "ben.json")
    assert decisions["1"].relations == (("Usnea testalis", "usnic acid"), ("Usnea testalis", "barbatic acid"))
    assert (decisions["2"].status, decisions["2"].relations) == (DRAFT, (("Ruta fictiva", "scopoletin"),))


def test_selected_text_becomes_a_mark_with_code_point_offsets(page, shown, tmp_path):
    page.locator("#curator").fill("eva")
    page.locator("#documents button").nth(2).click()
    page.evaluate(
        """() => { const spans = [...document.querySelectorAll('#abstract span')];
        const node = spans.find(s => s.textContent.includes('gave')).firstChild, at = node.data.indexOf('gave');
        getSelection().setBaseAndExtent(node, at, node, at + 4); }"""
    )
    page.locator("[data-mark=organism]").click()
    decisions, _ = save(page, tmp_path / "eva.json")
    document = shown[0][2]
    start = document.text.index("gave")
    assert Mention(start, start + 4, "organism") in decisions[document.id].mentions


def test_injected_html_is_text(page, page_file, shown):
    page.locator("#documents button").nth(2).click()
    assert page.title() == f"Lichens {EVIL}"
    assert EVIL in page.locator("#title").inner_text() and EVIL in page.locator("#abstract").inner_text()
    assert EVIL in page.locator("#relations .pair").inner_text() and EVIL in page.locator("#id").inner_text()
    assert page.locator("img").count() == 0 and page.locator("script").count() == 2
    page.locator("#curator").fill(EVIL)
    assert page.title() == f"Lichens {EVIL}"


def test_answers_are_back_after_the_page_was_closed(page, page_file, browser, tmp_path):
    page.locator("#curator").fill("ana")
    page.keyboard.press("Escape")
    page.keyboard.press("a")
    page.reload()
    assert page.locator("#curator").input_value() == "ana" and page.locator("#relations li.accepted").count() == 1
    save(page, tmp_path / "ana.json")
    elsewhere = browser.new_page()
    # A browser that keeps nothing for files: the saved file is the way to go on.
    elsewhere.add_init_script(
        "Object.defineProperty(window, 'localStorage', {get() { throw new DOMException('no', 'SecurityError'); }})"
    )
    elsewhere.goto(page_file.as_uri())
    assert "keeps nothing" in elsewhere.locator("#notice").inner_text()
    elsewhere.locator("#file").set_input_files(tmp_path / "ana.json")
    elsewhere.wait_for_selector("#relations li.accepted")
    assert elsewhere.locator("#curator").input_value() == "ana"
    elsewhere.close()


def test_the_command_writes_a_page_that_fetches_nothing(documents, tmp_path):
    write_documents(tmp_path / "d.jsonl", documents)
    write_jsonl(tmp_path / "p.jsonl", [Prediction("1", error="too long").to_dict(), Prediction("9").to_dict()])
    out = tmp_path / "page.html"
    command = ["annotate", "export", str(tmp_path / "d.jsonl"), "--html", str(out)]
    assert CliRunner().invoke(app, command).exit_code == 0

    def suggested():
        data = json.loads(out.read_text().split('id="data">')[1].split("</script>")[0])
        return [relation["chemical"] for relation in data["cards"][0]["relations"]]

    html = out.read_text()
    assert suggested() == ["usnic acid", "barbatic acid"]
    assert "default-src 'none'" in html.replace("&#39;", "'") and "http://" not in html and "https://" not in html
    result = CliRunner().invoke(app, [*command, "--predictions", str(tmp_path / "p.jsonl")])
    assert "2 record(s) set aside" in result.output and suggested() == []


def test_predictions_alone_have_no_text_to_show(tmp_path):
    write_jsonl(tmp_path / "p.jsonl", [Prediction("1").to_dict()])
    result = CliRunner().invoke(app, ["annotate", "export", str(tmp_path / "p.jsonl"), "--html", str(tmp_path / "o")])
    assert result.exit_code == 2 and "predictions go to --predictions" in result.output
