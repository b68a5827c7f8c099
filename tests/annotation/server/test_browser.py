"""A curator at the real page of Argilla in Chromium: log in, read, edit, submit; then the answer is pulled.

`ABROAD_SCREENSHOT=docs/curation.png pytest tests/annotation/test_browser.py` renews the picture in the docs.
"""

import os
import sqlite3
from urllib.parse import urlsplit

import pytest

from abroad.core.context import Context
from abroad.core.io import read_documents
from abroad.core.schema import Document, Prediction, Relation
from annotation.argilla.pull import pull, write_pulled
from annotation.argilla.push import PushSettings, find_dataset, push, send
from annotation.argilla.task import Card
from annotation.argilla.users import add_curator

pytest.importorskip("argilla")
sync_api = pytest.importorskip("playwright.sync_api")
NAME = "browser"
SECONDS_30 = 30_000


@pytest.fixture(scope="module")
def page(browser):
    page = browser.new_page(viewport={"width": 1400, "height": 820})
    page.set_default_timeout(SECONDS_30)
    page.asked = set()
    page.on("request", lambda request: page.asked.add(urlsplit(request.url).netloc))
    return page


@pytest.fixture(scope="module")
def pushed(annotation_server):
    """Two documents of the sample with the built-in extractor's predictions, and a curator's password."""
    from abroad.extraction.builtin.pairs import load_pair_extractor

    client = annotation_server.connect()
    documents = read_documents("data/sample/curated.jsonl")[:2]
    predictions = list(load_pair_extractor().extract(documents))
    settings = PushSettings(dataset=NAME, workspace=NAME, model="pairs 0.1")
    push(client, documents, predictions, settings, Context())
    password = add_curator(client, "browser-marie", workspace=NAME)
    return client, documents, predictions, password


def test_log_in_read_edit_submit_and_pull(annotation_server, pushed, page, tmp_path):
    client, documents, predictions, password = pushed
    page.goto(f"{annotation_server.url}/sign-in")
    page.get_by_label("Username").or_(page.locator("input[type=text]")).first.fill("browser-marie")
    page.locator("input[type=password]").fill(password)
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: "sign-in" not in url)
    page.goto(f"{annotation_server.url}/dataset/{find_dataset(client, NAME, NAME).id}/annotation-mode")

    lines = page.locator("[contenteditable=true]").first
    first = predictions[0].relations[0]
    sync_api.expect(lines).to_contain_text(f"{first.organism} | {first.chemical}")
    sync_api.expect(page.locator("body")).to_contain_text("Tinctoric acids A-C, lanostanes")
    spans = {(e.start, e.end, e.role) for relation in predictions[0].relations for e in relation.evidence}
    sync_api.expect(page.locator(".span-entity__text")).to_have_count(len(spans))
    sync_api.expect(page.locator(".span-entity__text").first).to_contain_text("chemical")
    if target := os.environ.get("ABROAD_SCREENSHOT"):
        page.screenshot(path=target)

    lines.click()
    page.keyboard.press("Control+End")
    page.keyboard.press("Enter")
    page.keyboard.type("G. tinctorium | tinctoric acid C")
    page.keyboard.press("Enter")
    page.keyboard.type("a line for nobody")
    page.get_by_role("button", name="Submit").click()

    sync_api.expect(page.locator("body")).to_contain_text(documents[1].title)  # the next record
    decisions = {decision.document: decision for decision in pull(client, NAME, NAME, Context()).decisions}
    decision = decisions[documents[0].id]
    assert (decision.curator, decision.status) == ("browser-marie", "submitted")
    assert {(r.organism, r.chemical) for r in predictions[0].relations} <= set(decision.relations)
    assert [flag.line for flag in decision.flagged] == ["a line for nobody"]
    assert decision.mentions
    merged, _ = write_pulled(pull(client, NAME, NAME, Context()), tmp_path)
    assert merged.documents[0].label_pairs() == list(decision.relations)


@pytest.mark.parametrize("place", ["abstract", "answers", "label", "kingdom"])
def test_html_is_text_wherever_it_stands(annotation_server, pushed, page, place):
    """Argilla's own text fields would run it: see `annotation.argilla.task`."""
    client = pushed[0]
    html = "<img src=x onerror='window.top.owned=1'></script><script>window.top.owned=1</script>&lt;"
    of = {name: f" {html}" if name == place else "" for name in ("abstract", "answers", "label", "kingdom")}
    document = Document("1", "Rutin & co.", "Rutin of Ruta." + of["abstract"])
    prediction = Prediction("1", [Relation("Ruta", "rutin" + of["label"], 0.5)])
    card = Card(document, prediction, answers=f"ana:{of['answers']}", kingdom=f"Plantae{of['kingdom']}")
    send(client, f"html-{place}", NAME, 1, [card])
    page.goto(f"{annotation_server.url}/dataset/{find_dataset(client, f'html-{place}', NAME).id}/annotation-mode")
    sync_api.expect(page.locator("[contenteditable=true]").first).to_contain_text("Ruta | rutin")
    sync_api.expect(page.locator("body")).to_contain_text("Rutin \uff06 co.")
    if place != "kingdom":
        shown = "<img src=x onerror=" if place == "label" else "\uff1cimg src=x onerror="
        sync_api.expect(page.locator("body")).to_contain_text(shown)
    page.wait_for_timeout(500)  # a picture that cannot be loaded runs its handler a little later
    assert page.evaluate("window.owned") is None
    assert page.locator("img[src=x]").count() == 0
    stored = pull(client, f"html-{place}", NAME, Context())
    assert stored.documents["1"].text == document.text
    assert stored.predictions["1"].relations == prediction.relations


def test_a_script_in_a_name_does_not_run_and_no_other_address_is_asked(annotation_server, pushed, page):
    """Names that got into the database all the same: the page shows them as HTML, its policy stops what they hold."""
    client = pushed[0]
    script = "<img src=/favicon.ico onload=window.top.owned=1 onerror=window.top.owned=1>"
    dataset = send(client, "named", NAME, 1, [Card(Document("1", "Rutin.", "Rutin of Ruta."))])
    id = find_dataset(client, "named", NAME).id
    with sqlite3.connect(annotation_server.home / "argilla.db") as database:
        changed = database.execute("UPDATE datasets SET name = ? WHERE name = 'named'", [script]).rowcount
        changed += database.execute(
            "UPDATE users SET first_name = ? WHERE username = 'browser-marie'", [script]
        ).rowcount
    assert changed == 2, dataset
    for path in (f"dataset/{id}/annotation-mode", f"dataset/{id}/settings", "", "user-settings"):
        page.goto(f"{annotation_server.url}/{path}")
        page.wait_for_load_state("networkidle")
        assert page.evaluate("window.owned") is None
    page.goto(f"{annotation_server.url}/dataset/{id}/annotation-mode")
    page.wait_for_load_state("networkidle")
    page.evaluate(f"document.body.insertAdjacentHTML('beforeend', {script!r})")  # whatever way HTML gets there
    page.wait_for_timeout(500)
    assert page.evaluate("window.owned") is None and page.locator("img[onload]").count() >= 1
    assert page.evaluate("document.fonts.load('16px Inter', 'aβ').then(fonts => fonts.length)") == 2
    assert page.asked == {urlsplit(annotation_server.url).netloc}
