"""Curation of fields other than natural products: what is shown, what is read back, and what is refused."""

import hashlib
import json
from unittest.mock import MagicMock

import pytest

from abroad.core.context import Context
from abroad.core.errors import InputError
from abroad.core.field import built_in_field, load_field
from abroad.core.field_colours import colours_of
from abroad.core.io import read_documents, write_json, write_jsonl
from abroad.core.schema import Document, Entity, Prediction, Relation, Triple
from annotation.argilla.pull import Pulled, read_offline, together, write_pulled
from annotation.argilla.task import Card, document_of, make_record, task_settings
from annotation.decisions.answers import read_answer
from annotation.decisions.records import Decision
from annotation.offline.page import OfflineSettings, write_offline
from annotation.words import guidelines_of, rules_of
from tests.conftest import make_document

FIELD = """
name: diseases
title: Genes, drugs and diseases
entities:
  gene: {singular: gene, plural: genes, label: The symbol.}
  drug: {singular: drug, plural: drugs, colour: "#123456", ranges: true}
  disease: {singular: disease, plural: diseases}
relations:
  treats: {head: drug, tail: disease, template: "{head} treats {tail}"}
  binds: {head: [gene, drug], tail: [gene, drug], directed: false, template: "{head} binds to {tail}"}
guidelines: |
  Only what was shown in patients.

  - **Drugs** by their generic name.
"""
TEXT = "Aspirin treats fever. BRCA1 binds to TP53, and aspirin binds to COX2."


@pytest.fixture
def field_file(tmp_path):
    path = tmp_path / "diseases.yaml"
    path.write_text(FIELD)
    return path


@pytest.fixture
def field(field_file):
    return load_field(field_file)


@pytest.fixture
def document():
    entities = [Entity("MESH:1", "aspirin", {"spans": [[1, 8]]}, type="drug"), Entity("d", "fever", type="disease")]
    return Document("1", "", TEXT, entities=entities, relations=[Triple("MESH:1", "treats", "d")])


@pytest.fixture
def prediction():
    ends = {"head_type": "gene", "tail_type": "gene"}
    return Prediction("1", [Relation("TP53", "BRCA1", 0.5, type="binds", **ends)])


def page_of(documents, predictions, tmp_path, **settings):
    out = tmp_path / "page.html"
    write_offline(documents, predictions, out, OfflineSettings(**settings), Context())
    return out


def saved(page, tmp_path, **answers):
    """A file as the page saves it: curator -> lines of relations and spans."""
    data = json.loads(page.read_text().split('id="data">')[1].split("</script>")[0])
    records = [
        {"document": "1", "curator": curator, "status": "submitted", "relations": lines, "spans": spans, "decided": []}
        for curator, (lines, spans) in answers.items()
    ]
    path = tmp_path / "decisions.json"
    shown = {"documents": [card["document"] for card in data["cards"]], "answers": records}
    write_json(path, {"format": data["format"], "key": data["key"], "field": data["field"], **shown})
    return path


def test_natural_products_are_shown_as_they_were(tmp_path):
    """Digests of what 0.2 showed before fields: where page or task is changed on purpose, they change with it."""
    text = "Usnic acid and barbatic acid of Usnea testalis."
    document = make_document("1", "T.", text, [("Usnea testalis", "usnic acid")])
    made = Prediction("1", [Relation("Usnea testalis", "barbatic acid", 0.5, status="new")])
    own, suggested = (
        hashlib.sha256(page_of([document], predictions, tmp_path).read_bytes()).hexdigest()
        for predictions in ([], [made])
    )
    assert own == "450ef9b8dcf0e8afc69c67ecbc083d3f808d8a09973fd6ad58553b25b35f2c7f"
    assert suggested == "30b725c87f3198f7150de341e9df03d16bf684b73dd07cd6e7ffbeb47f2a9840"
    texts = rules_of(built_in_field()) + guidelines_of(built_in_field())
    assert hashlib.sha256(texts.encode()).hexdigest() == (
        "edcbeda41885e6fb3b0a6febc12738009f175a1681eb7a4259243527fc15f3c6"
    )


@pytest.fixture
def no_server(monkeypatch):
    argilla = pytest.importorskip("argilla")
    monkeypatch.setattr(argilla.Argilla, "_get_default", classmethod(lambda cls: MagicMock()))


def test_a_task_has_the_types_and_the_relations_of_its_field(no_server, field, document, prediction):
    settings = task_settings(1, field)
    relations, spans, _ = settings.questions
    assert "HEAD | RELATION | TAIL" in relations.description and spans.title == "Genes, drugs and diseases"
    assert [label["value"] for label in spans.serialize()["settings"]["options"]] == ["gene", "drug", "disease"]
    assert "Only what was shown in patients." in settings.guidelines and "`treats`: drug treats" in settings.guidelines
    record = make_record(Card(document, prediction, field=field))
    lines, marks = record.suggestions
    assert lines.value == "BRCA1 | binds | TP53"
    assert {(TEXT[m["start"] - 1 : m["end"] - 1], m["label"]) for m in marks.value} == {
        ("BRCA1", "gene"),
        ("TP53", "gene"),
    }
    assert document_of(record).entities == document.entities


def test_natural_products_have_the_task_they_had(no_server):
    settings = task_settings(2)
    relations, spans, _ = settings.questions
    assert relations.description == "One a line: ORGANISM | CHEMICAL. Without any: none."
    assert spans.title == "Organisms and chemicals"
    assert settings.guidelines.startswith("**Which organism produces which chemical?** Read title and abstract;")


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("aspirin | treats | fever", ("aspirin", "treats", "fever")),
        ("- aspirin | TREATS | fever;", ("aspirin", "treats", "fever")),
        ("aspirin\ttreats\tfever", ("aspirin", "treats", "fever")),
        ("aspirin treats fever.", ("aspirin", "treats", "fever")),
        ("TP53 | binds to | BRCA1", ("BRCA1", "binds", "TP53")),
        ("aspirin | fever", "which relation?"),
        ("aspirin | treat | fever", "no relation is called 'treat'; expected treats"),
        ("a | b | c | d", "not understood"),
        ("| treats | fever", "not understood"),
        ("none", None),
    ],
)
def test_a_line_names_head_relation_and_tail(field, document, line, expected):
    answer = read_answer(line, document, field)
    if isinstance(expected, tuple):
        assert answer.relations == (expected,) and not answer.flagged
    else:
        assert not answer.relations
        assert [expected in flagged.reason for flagged in answer.flagged] == ([] if expected is None else [True])


def test_lists_are_expanded_where_the_type_says_so_and_missing_names_are_flagged(field, document):
    answer = read_answer("examplins A and B | treats | fever", document, field)
    assert [relation[0] for relation in answer.relations] == ["examplin A", "examplin B"]
    assert all("does not name the head" in flagged.reason for flagged in answer.flagged)


def test_a_field_of_one_relation_needs_no_name_of_it(tmp_path):
    from abroad.core.field_file import NewField, new_field

    path = tmp_path / "bio.yaml"
    path.write_text(new_field(NewField(name="bio", head="bacterium", tail="pollutant", verb="degrades")))
    own, document = load_field(path), Document("1", "", "Ab c degrades tar.")
    for line in ("Ab c | tar", "Ab c degrades tar", "Ab c -> tar"):
        assert read_answer(line, document, own).relations == (("Ab c", "degrades", "tar"),)
    assert "`BACTERIUM | POLLUTANT`" in guidelines_of(own)
    assert list(colours_of(own)) == ["bacterium", "pollutant"] and len(set(colours_of(own).values())) == 2


def test_what_a_page_saves_becomes_documents_of_the_field(field, field_file, document, prediction, tmp_path):
    page = page_of([document], [prediction], tmp_path, field=field_file)
    start = document.text.index("COX2")
    spans = [{"start": start, "end": start + 4, "label": "drug"}]
    path = saved(
        page,
        tmp_path,
        ana=("aspirin | treats | fever\nBRCA1 | binds | TP53\naspirin | binds | COX2", spans),
        ben=("Aspirin | treats | fever\nTP53 | binds | BRCA1", []),
    )
    context = Context()
    merged, report = write_pulled(together([read_offline(path, context)]), tmp_path / "out")
    assert not context.rejects and (report.curators, report.flagged, report.conflicts) == (2, 0, 1)
    (curated,) = read_documents(tmp_path / "out" / "curated.jsonl")
    assert not field.mistakes_in(curated)
    assert curated.relations == [Triple("MESH:1", "treats", "d"), Triple("G1", "binds", "G2")]
    assert [(e.id, e.label, e.type) for e in curated.entities] == [
        *(("MESH:1", "aspirin", "drug"), ("d", "fever", "disease"), ("G1", "BRCA1", "gene"), ("G2", "TP53", "gene"))
    ]
    assert curated.entities[0].spans == [(1, 8)]
    (conflict,) = merged.conflicts
    assert conflict.open == (("aspirin", "binds", "COX2"),)
    (anas,) = read_documents(tmp_path / "out" / "curators" / "ana.jsonl")
    assert {(entity.label, entity.type) for entity in anas.entities} >= {("COX2", "drug")}


def test_agreement_of_any_field(field_file, document, prediction, tmp_path):
    from annotation.decisions.agreement import measure_agreement

    page = page_of([document], [prediction], tmp_path, field=field_file)
    path = saved(page, tmp_path, ana=("BRCA1 | binds | TP53", []), ben=("TP53 | binds | BRCA1", []))
    pulled = read_offline(path, Context())
    assert measure_agreement(pulled.decisions, resamples=10).pairs[0].f1.value == 100


def test_what_is_of_another_field_is_named(field_file, document, prediction, tmp_path):
    products = make_document("2", "", "Usnic acid of Usnea.", [("Usnea", "usnic acid")])
    for documents, predictions, settings, said in (
        ([document], [], {}, "document '1': found 'drug, disease, treats'"),
        ([products], [], {"field": field_file}, "document '2': entities of the unknown type 'organism'"),
        ([Document("1", "", TEXT)], [prediction], {}, "prediction '1': found 'gene binds gene'"),
        ([document], [Prediction("1", [Relation("a", "b")])], {"field": field_file}, "organism produces chemical"),
    ):
        with pytest.raises(InputError, match=said):
            page_of(documents, predictions, tmp_path, **settings)
    assert not (tmp_path / "page.html").exists()


def test_answers_of_two_fields_are_not_put_together(field):
    with pytest.raises(InputError, match="several fields"):
        together([Pulled(), Pulled(of=field)])
    with pytest.raises(InputError, match="the decision on '1': expected natural products"):
        _ = Decision("1", "ana", "submitted", (("a", "binds", "b"),)).pairs


def test_a_curator_works_on_the_page_of_a_field(browser, field_file, document, prediction, tmp_path):
    page_file = page_of([document], [prediction], tmp_path, field=field_file)
    page, errors = browser.new_page(), []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    page.goto(page_file.as_uri())
    assert page.locator("#relations .pair").first.inner_text().startswith("TP53 binds to BRCA1")
    assert page.locator(".legend .mark").all_inner_texts() == ["gene", "drug", "disease"]
    colour = page.locator(".legend .type-drug").evaluate("e => getComputedStyle(e).borderBottomColor")
    assert colour == "rgb(18, 52, 86)"
    page.locator("#curator").fill("ana")
    page.locator("#relations [data-do=accept]").click()
    page.locator("#add").click()
    page.locator("#type").select_option("treats")
    page.locator("#head").fill("aspirin")
    page.locator("#tail").fill("fever")
    page.locator("#form button[type=submit]").click()
    page.evaluate(
        """() => { const spans = [...document.querySelectorAll('#abstract span')];
        const node = spans.find(s => s.textContent.includes('COX2')).firstChild, at = node.data.indexOf('COX2');
        getSelection().setBaseAndExtent(node, at, node, at + 4); }"""
    )
    page.locator("#selection").wait_for()  # the browser tells of a selection in its own time
    page.keyboard.press("1")
    page.locator("#relations li").nth(1).locator("[data-do=edit]").click()
    assert page.locator("#type").input_value() == "treats"
    page.keyboard.press("Escape")
    page.locator("#submit").click()
    with page.expect_download() as download:
        page.locator("#save").click()
    download.value.save_as(tmp_path / "ana.json")
    assert errors == []
    page.close()
    context = Context()
    pulled = read_offline(tmp_path / "ana.json", context)
    (decision,) = pulled.decisions
    assert not context.rejects and pulled.of.name == "diseases"
    assert decision.relations == (("BRCA1", "binds", "TP53"), ("aspirin", "treats", "fever"))
    marks = {(document.text[mark.start : mark.end], mark.role) for mark in decision.mentions}
    assert marks == {
        *{("TP53", "gene"), ("BRCA1", "gene"), ("COX2", "gene")},
        *{("Aspirin", "drug"), ("aspirin", "drug"), ("fever", "disease")},
    }


def test_the_commands_take_a_field(cli, field_file, document, tmp_path):
    write_jsonl(tmp_path / "d.jsonl", [document.to_dict()])
    page = tmp_path / "page.html"
    command = ("annotate", "export", tmp_path / "d.jsonl", "--html", page)
    assert cli(*command).exit_code == 2
    result = cli(*command, "--field", field_file)
    assert result.exit_code == 0, result.output
    path = saved(page, tmp_path, ana=("aspirin | treats | fever", []))
    result = cli("annotate", "pull", "--no-server", "--from", path, "--out", tmp_path / "out")
    assert result.exit_code == 0, result.output
    checked = cli("field", "check", field_file, "--documents", tmp_path / "out" / "curated.jsonl")
    assert checked.exit_code == 0, checked.output
