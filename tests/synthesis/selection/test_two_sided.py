"""The other side of selection: what a text says beyond its labels, and what makes it no abstract."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abroad.core.io import read_documents, write_documents, write_jsonl
from abroad.core.schema import Document
from abroad.synthesis.selection.fidelity import fidelity
from abroad.synthesis.selection.funnel import funnel, render_funnel
from abroad.synthesis.selection.quality import CUT_OFF, ECHO, LANGUAGE, LISTING, REFUSAL, flaws
from abroad.synthesis.selection.select import MORE, NEAR, NEAR_SEED, REASONS, SelectSettings, select
from abroad.synthesis.selection.validate import validate
from abroad.text.near_duplicates import NearDuplicates
from tests.conftest import make_document

TEXT = (
    "Three new diterpenes, gloeophyllins A-C (1-3), were isolated from cultures of the fungus Gloeophyllum abietinum. "
    "Their structures were elucidated by NMR spectroscopy and mass spectrometry, and all were moderately active."
)
MEMBERS = [("Gloeophyllum abietinum", f"gloeophyllin {letter}") for letter in "ABC"]


def document(id="1", text=TEXT, pairs=MEMBERS, **extra):
    made = make_document(id, "Diterpenes.", text, list(pairs))
    made.extra = {"source": "s", **extra}
    return made


def test_a_text_that_says_what_it_was_asked_to_is_faithful():
    assert fidelity(document()).score == 1.0
    assert fidelity(document(text="Nothing of interest was found here at all.")).score == 1.0


def test_chemicals_and_organisms_nobody_asked_for_are_named_and_lower_the_score():
    text = TEXT + " Usnic acid and barbatic acid were isolated from Usnea barbata."
    found = fidelity(document(text=text))
    assert found.organisms == ("Usnea barbata",) and "barbatic acid" in found.chemicals
    assert found.score < 0.8
    (verdict,) = select([document(text=text)], SelectSettings(fidelity=0.9)).verdicts
    assert MORE in verdict.reasons and "Usnea barbata" in verdict.extra
    assert not select([document(text=text)], SelectSettings(fidelity=0)).verdicts[0].reasons


@pytest.mark.parametrize(
    ("text", "flaw"),
    [
        ("I'm sorry, but I cannot write an abstract about this.", REFUSAL),
        ("As an AI language model I have no access to PubMed.", REFUSAL),
        ("1. Usnic acid\n2. Barbatic acid\n3. Evernic acid\n", LISTING),
        ("Main findings: usnic acid was isolated.", ECHO),
        ("### Usnic acid was isolated.", ECHO),
        (
            "Die neue Verbindung wurde aus den Blättern der Pflanze isoliert, und ihre Struktur wurde mit Hilfe der "
            "Kernresonanz und der Massenspektrometrie aufgeklärt; sie war gegen mehrere Stämme wirksam.",
            LANGUAGE,
        ),
    ],
)
def test_texts_that_are_no_abstracts_are_told(text, flaw):
    assert flaw in flaws(text)


def test_good_abstracts_have_no_flaw():
    assert flaws(TEXT) == []


def test_an_end_in_the_middle_counts_only_where_the_budget_cut_it():
    assert flaws(TEXT[:-20], finish_reason="length") == [CUT_OFF]
    assert flaws(TEXT[:-20], finish_reason="stop") == []


def test_an_echo_is_of_the_instruction_and_not_of_the_findings():
    prompt = "Please write an abstract in the style of a natural product paper that says the following. " + TEXT
    assert flaws(TEXT, prompt, findings=TEXT) == []
    assert ECHO in flaws(prompt[:90] + " Usnic acid.", prompt, findings=TEXT)


def test_near_duplicates_of_each_other_and_of_the_seed_go():
    near = TEXT.replace("moderately", "weakly")
    seed = Document("s", "Diterpenes.", TEXT.replace("fungus ", ""))
    other = document("3", TEXT.replace("cultures of the fungus", "the bark and wood extracts prepared from fruiting"))
    verdicts = select([document("1"), document("2", near), other]).verdicts
    assert verdicts[1].reasons == [NEAR] and verdicts[0].reasons == []
    assert select([document("1")], seeds=[seed]).verdicts[0].reasons == [NEAR_SEED]


@given(st.text(min_size=1, max_size=200))
def test_a_text_is_its_own_near_duplicate(text):
    index = NearDuplicates()
    assert index.add("1", text) is None
    assert index.add("2", text) == "1"


def test_the_selector_is_validated_on_curated_documents(documents):
    pairs = [("Ruta graveolens", f"{name} acid") for name in ("evernic", "lecanoric", "salazinic")]
    text = "Evernic acid, lecanoric acid and salazinic acid were isolated from Ruta graveolens, a shrub of dry slopes."
    curated = [document("x", text, pairs), document("y"), *documents]
    scores = {score.kind: score for score in validate(curated)}
    assert scores["as curated"].right == scores["as curated"].documents == 3
    assert scores["a relation too many"].right == scores["another document's relations"].right == 3
    assert validate(curated, seed=1) == validate(curated, seed=1)


def test_the_funnel_counts_each_abstract_once_at_its_first_reason(cli, tmp_path):
    texts = {"a": TEXT, "b": TEXT, "c": "I'm sorry, but I cannot.", "d": TEXT + " Usnic acid is from Usnea barbata."}
    write_documents(tmp_path / "abstracts.jsonl", [document(id, text) for id, text in texts.items()])
    out = tmp_path / "train.jsonl"
    assert cli("synth", "select", tmp_path / "abstracts.jsonl", "--out", out).exit_code == 0
    kept, rejected = read_documents(out), read_documents(tmp_path / "train.jsonl.abroad" / "rejected.jsonl")
    steps = funnel(kept, rejected)
    assert steps[-1].reason == "kept" and steps[-1].left == len(kept)
    assert sum(step.lost for step in steps) == len(rejected) and steps[0].reason == REFUSAL
    result = cli("synth", "report", out, "--out", tmp_path / "funnel.html")
    assert result.exit_code == 0 and "refuses" in result.stdout
    page = (tmp_path / "funnel.html").read_text(encoding="utf-8")
    assert "<svg" in page and "I&#39;m sorry" in page


def test_the_page_escapes_what_models_write():
    evil = document("e", "<script>alert(1)</script> " + TEXT)
    page = render_funnel(funnel([evil], []))
    assert "<script>" not in page and "&lt;script&gt;" in page


def test_reasons_of_other_versions_come_last(tmp_path):
    rejected = [document("1", reasons=["of another age"]), document("2", reasons=["of another age", REASONS[0]])]
    assert [step.reason for step in funnel([], rejected)] == [REASONS[0], "of another age", "kept"]


def test_a_selection_that_is_not_there_is_refused(cli, tmp_path):
    result = cli("synth", "report", tmp_path / "none.jsonl")
    assert result.exit_code == 2 and "no such selection" in result.stderr
    write_jsonl(tmp_path / "x.jsonl", [])
    assert json.dumps([]) and cli("synth", "report", tmp_path / "x.jsonl").exit_code == 2


def test_selection_validates_on_real_abstracts(shared_data):
    scores = {
        score.kind: score.right / score.documents
        for score in validate(read_documents(shared_data / "curated_dev.json"))
    }
    assert scores["as curated"] > 0.7
    assert scores["a relation too many"] == scores["another document's relations"] == 1.0
    assert scores["two thirds of the chemicals withheld"] > 0.8
