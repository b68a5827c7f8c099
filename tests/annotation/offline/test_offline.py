"""The offline page: what it holds, and what a curator does in it in Chromium, from a file, read back by `pull`."""

import json

import pytest
from typer.testing import CliRunner

from abroad.cli.app import app
from abroad.core.context import Context
from abroad.core.io import write_documents, write_jsonl
from abroad.core.schema import Prediction
from abroad.text.evidence import with_evidence
from annotation.argilla.pull import read_offline
from annotation.decisions.records import DISCARDED, DRAFT, SUBMITTED, Mention
from annotation.offline.page import OfflineSettings, write_offline
from tests.conftest import make_document

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
    write_offline(*shown, path, OfflineSettings(title=f"Lichens {EVIL}", batch="b1", model=EVIL), Context())
    return path


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
    context = Context()
    pulled = read_offline(target, context)
    assert not context.rejects
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
    assert "Discard this document?" in page.locator("#notice").inner_text()
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


def open_tab(context, page_file):
    tab = context.new_page()
    tab.goto(page_file.as_uri())
    return tab


def go_to(tab, number):
    tab.locator("#documents button").nth(number - 1).click()


def test_two_tabs_keep_the_answers_of_both_and_say_so(page, page_file, tmp_path):
    other = open_tab(page.context, page_file)
    page.locator("#curator").fill("ana")
    page.keyboard.press("Escape")
    page.keyboard.press("Shift+A")
    page.keyboard.press("Control+Enter")
    other.locator("#notice", has_text="another tab").wait_for()
    assert other.locator("#curator").input_value() == "ana"
    assert other.locator("#documents button.submitted").count() == 1
    go_to(other, 3)
    other.keyboard.press("r")
    page.locator("#notice", has_text="another tab").wait_for()
    assert page.locator("#documents button.draft").count() == 1
    for number, tab in enumerate((page, other)):
        decisions, _ = save(tab, tmp_path / f"{number}.json")
        assert {id: decision.status for id, decision in decisions.items()} == {"1": SUBMITTED, f"4{EVIL}": DRAFT}
    other.close()
    page.reload()
    assert [page.locator(f"#documents button.{status}").count() for status in ("submitted", "draft")] == [1, 1]


def sees_what_was_kept(tab, by):
    """Wait for what a tab has kept to reach another: Chromium's processes tell one another, and not at once."""
    kept = "() => JSON.stringify(Object.entries(localStorage).sort())"
    tab.wait_for_function(f"kept => ({kept})() === kept", arg=by.evaluate(kept))


def test_tabs_that_hear_nothing_of_each_other_overwrite_nothing(page, page_file, tmp_path):
    """As if the browser told tabs nothing: what was kept meanwhile is seen before anything is written."""
    page.context.add_init_script("addEventListener('storage', event => event.stopImmediatePropagation())")
    page.locator("#curator").fill("ana")
    page.reload()
    other = open_tab(page.context, page_file)
    page.keyboard.press("a")
    page.keyboard.press("a")
    sees_what_was_kept(other, page)
    other.keyboard.press("r")
    assert "as the other tab left it" in other.locator("#notice").inner_text()
    assert other.locator("#relations li.accepted").count() == 2 and other.locator("#relations li.rejected").count() == 0
    go_to(other, 3)
    other.keyboard.press("a")
    sees_what_was_kept(page, other)
    for number, tab in enumerate((page, other)):
        decisions, _ = save(tab, tmp_path / f"{number}.json")
        assert len(decisions["1"].relations) == 3 and len(decisions[f"4{EVIL}"].relations) == 1
    other.close()


def test_a_file_opened_takes_no_newer_answer_away(page, tmp_path):
    page.locator("#curator").fill("ana")
    page.keyboard.press("Escape")
    page.keyboard.press("a")
    save(page, tmp_path / "early.json")
    page.wait_for_timeout(5)
    page.keyboard.press("a")
    go_to(page, 3)
    page.keyboard.press("a")
    page.locator("#file").set_input_files(tmp_path / "early.json")
    page.locator("#notice", has_text="newer than in the file").wait_for()
    go_to(page, 1)
    assert page.locator("#relations li.accepted").count() == 2
    assert page.locator("#documents button.draft").count() == 2
    value = json.loads((tmp_path / "early.json").read_text())
    value["answers"] = [{"document": "of nobody"}, {"document": "1"}]
    (tmp_path / "broken.json").write_text(json.dumps(value))
    page.locator("#file").set_input_files(tmp_path / "broken.json")
    page.locator("#notice", has_text="no file of saved decisions").wait_for()
    assert page.locator("#relations li.accepted").count() == 2


def marked(decision, document):
    return {(document.text[mention.start : mention.end], mention.role) for mention in decision.mentions}


@pytest.mark.parametrize("answers", ["aar", "rar", "rrr", "arr"])
def test_marks_are_those_of_the_accepted_relations(page, shown, tmp_path, answers):
    page.locator("#curator").fill("ana")
    page.keyboard.press("Escape")
    for answer in answers:
        page.keyboard.press(answer)
    page.keyboard.press("Control+Enter")
    decisions, pulled = save(page, tmp_path / "ana.json")
    found = marked(decisions["1"], shown[0][0])
    evidence = {
        (span.text, span.role)
        for relation, answer in zip(pulled.predictions["1"].relations, answers, strict=True)
        if answer == "a"
        for span in relation.evidence
    }
    assert found == evidence
    assert (("Usnea testalis", "organism") in found) == ("a" in answers)
    assert (("Usnic acid", "chemical") in found) == (answers[0] == "a")


def test_marks_of_edited_and_added_relations_and_by_hand(page, shown, tmp_path):
    """An edit moves the marks to the new name, a word within a word is none; what is done by hand stays so."""
    page.locator("#curator").fill("ana")
    page.keyboard.press("Escape")
    for key in ("r", "r", "e"):
        page.keyboard.press(key)
    page.locator("#organism").fill("Usnea")
    page.locator("#chemical").fill("barbatic")
    page.keyboard.press("Enter")
    page.keyboard.press("n")
    page.locator("#organism").fill("Usnea")
    page.locator("#chemical").fill("acid")
    page.keyboard.press("Enter")
    page.locator("#marks summary").click()
    page.locator("#marks li", has_text="barbatic").locator("button").click()
    decisions, _ = save(page, tmp_path / "ana.json")
    wanted = {("Usnea", "organism"), ("acid", "chemical")}
    assert marked(decisions["1"], shown[0][0]) == wanted
    page.evaluate("localStorage.clear()")
    page.evaluate("unsaved = false")
    page.reload()
    page.locator("#file").set_input_files(tmp_path / "ana.json")
    page.wait_for_selector("#documents .draft")
    again, _ = save(page, tmp_path / "again.json")
    assert marked(again["1"], shown[0][0]) == wanted


@pytest.mark.parametrize("other", ["j", "a", "Escape", "click", "comment"])
def test_discarding_asks_first_and_anything_else_keeps_the_document(page, other):
    page.keyboard.press("d")
    assert "Once more" in page.locator("#notice").inner_text()
    if other == "click":
        page.locator("#id").click()
    elif other == "comment":
        page.locator("#comment").press_sequentially("maybe")
    else:
        page.keyboard.press(other)
    page.keyboard.press("Escape")
    page.keyboard.press("d")
    assert page.locator("#documents .discarded").count() == 0
    page.keyboard.press("d")
    assert page.locator("#documents .discarded").count() == 1


def test_a_relation_of_ones_own_is_rejected_and_not_lost(page, tmp_path):
    page.locator("#curator").fill("ana")
    go_to(page, 2)
    page.keyboard.press("n")
    for side, name in (("organism", "Ruta fictiva"), ("chemical", "scopoletin")):
        page.locator(f"#{side}").fill(name)
    page.keyboard.press("Enter")
    page.keyboard.press("r")
    assert page.locator("#relations li.rejected").count() == 1
    decisions, _ = save(page, tmp_path / "ana.json")
    assert decisions["2"].relations == () and decisions["2"].mentions == ()


DEGRADED = {
    "id": "1",
    "AbstractText": "Ab c degrades tar.",
    "entities": [{"id": "b", "label": "Ab c", "type": "bacterium"}, {"id": "p", "label": "tar", "type": "pollutant"}],
    "relations": [{"head": "b", "type": "degrades", "tail": "p"}],
}


@pytest.mark.parametrize("with_predictions", [False, True])
def test_documents_of_another_field_are_not_shown_as_natural_products(tmp_path, with_predictions):
    write_jsonl(tmp_path / "d.jsonl", [DEGRADED])
    write_jsonl(tmp_path / "p.jsonl", [Prediction("1").to_dict()])
    command = ["annotate", "export", str(tmp_path / "d.jsonl"), "--html", str(tmp_path / "page.html")]
    more = ["--pred", str(tmp_path / "p.jsonl")] if with_predictions else []
    result = CliRunner().invoke(app, [*command, *more])
    assert result.exit_code == 2 and not (tmp_path / "page.html").exists()
    assert "document '1'" in result.output and "bacterium" in result.output
