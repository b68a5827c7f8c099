"""The built-in extractor as components of spaCy pipelines, and documents as DocBins."""

import importlib
import json
import os
import pickle
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import spacy
from hypothesis import given
from hypothesis import strategies as st
from spacy.tokenizer import Tokenizer as WhitespaceTokenizer
from spacy.tokens import Doc, DocBin
from spacy.training import Example

from abroad.core.errors import InputError
from abroad.core.io import write_documents
from abroad.core.schema import Document
from abroad.extraction.builtin import spacy_pipeline
from abroad.extraction.builtin.pairs import load_pair_extractor
from abroad.text.tokens import tokenise

ROOT = Path(__file__).parents[3]
ENTRY_POINTS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["entry-points"]
TITLE = "Metabolites of a wood-rotting fungus."
ABSTRACT = "Gloeophyllins A-C (1-3) were isolated from Gloeophyllum abietinum."
DOCUMENT = Document("7", TITLE, ABSTRACT)
NAMES = ["Gloeophyllin A", "Gloeophyllin B", "Gloeophyllin C"]


@pytest.fixture(scope="module")
def own():
    return spacy_pipeline.load()


@pytest.fixture
def blank():
    nlp = spacy.blank("en")
    nlp.add_pipe("abroad")
    return nlp


def read(nlp, document=DOCUMENT):
    """The document through a pipeline, in the pipeline's own tokens."""
    doc = nlp.make_doc(document.text)
    doc.user_data.update(id=document.id, title_end=len(document.title))
    return nlp(doc)


def chemicals(doc):
    return [relation.chemical for relation in doc._.relations]


def assert_evidence_is_in_the_text(doc):
    for relation in doc._.relations:
        assert {e.role for e in relation.evidence} == {"organism", "chemical"}
        for e in relation.evidence:
            assert doc.text[e.start : e.end] == e.text


# The tokenizer


@given(st.text(st.characters(exclude_categories=["Cs"])) | st.text(" \t\n\u00a0a,.(β<中"))
def test_tokens_are_those_of_tokenise_and_the_text_is_kept(text):
    doc = spacy_pipeline.Tokenizer(spacy.blank("en").vocab)(text)
    assert doc.text == text
    tokens = [(token.text, token.idx) for token in doc if token.text.strip()]
    assert tokens == [(token.text, token.start) for token in tokenise(text)]


# Pipelines


def test_a_blank_pipeline_finds_organisms_chemicals_and_relations(blank):
    doc = read(blank)
    group, organism = doc.spans["organisms"]
    assert (group.text, group.label_) == ("fungus", "ORGANISM")
    assert (organism.text, organism.label_, organism.kb_id_) == (
        *("Gloeophyllum abietinum", "ORGANISM", "NCBITaxon:180171"),
    )
    (listed,) = doc.spans["chemicals"]
    assert (listed.text, listed.label_, listed.kb_id_) == ("Gloeophyllins A-C (1-3)", "CHEMICAL", "")
    assert listed._.labels == NAMES
    assert 0.5 < listed._.score <= 1 and listed._.rule == "range"
    assert chemicals(doc) == NAMES
    assert {relation.organism_id for relation in doc._.relations} == {"NCBITaxon:180171"}
    assert_evidence_is_in_the_text(doc)
    assert doc._.abroad_prediction.id == "7"


def test_relations_are_those_of_the_extractor(own, blank):
    expected = load_pair_extractor().predict(DOCUMENT)
    for nlp in (own, blank):
        found = read(nlp)._.relations
        assert [(r.chemical, r.score, r.evidence) for r in found] == [
            (r.chemical, r.score, r.evidence) for r in expected.relations
        ]


def test_the_title_ends_where_the_user_data_say_under_the_name_that_is_configured():
    text = "Usnic acid in Usnea barbata Usnic acid was found"
    nlp = spacy.blank("en")
    nlp.add_pipe("abroad", config={"title_end": "heading"})
    doc = nlp.make_doc(text)
    doc.user_data["heading"] = 27
    expected = load_pair_extractor().predict(Document("", text[:27], text[28:]))
    assert [r.score for r in nlp(doc)._.relations] == [r.score for r in expected.relations]


def test_each_step_stands_for_itself():
    for name, groups in (("organisms", {"organisms"}), ("chemicals", {"chemicals"})):
        nlp = spacy.blank("en")
        nlp.add_pipe(f"abroad_{name}")
        doc = read(nlp)
        assert set(doc.spans) == groups and doc._.relations == []
    nlp = spacy.blank("en")
    nlp.add_pipe("abroad_relations")
    doc = read(nlp)
    assert chemicals(doc) == NAMES
    assert {span.text for span in doc.spans["chemicals"]} == {"Gloeophyllins A-C (1-3)"}


def test_the_steps_together_give_what_the_whole_gives_and_read_each_text_once(blank):
    nlp = spacy.blank("en")
    for name in ("abroad_organisms", "abroad_chemicals", "abroad_relations"):
        nlp.add_pipe(name)
    (reader,) = {nlp.get_pipe(name)._reader for name in nlp.pipe_names}
    reader.read.cache_clear()
    assert read(nlp).user_data == read(blank).user_data
    assert reader.read.cache_info().misses == 1


def test_another_tokenizer_and_a_sentencizer_stay(blank):
    blank.add_pipe("sentencizer", first=True)
    blank.tokenizer = WhitespaceTokenizer(blank.vocab)
    doc = read(blank)
    assert [token.text for token in doc][-2:] == ["Gloeophyllum", "abietinum."]
    assert doc.has_annotation("SENT_START")
    assert [span.text for span in doc.spans["organisms"]] == ["fungus.", "Gloeophyllum abietinum."]  # whole tokens
    assert [e.text for e in doc._.relations[0].evidence] == ["Gloeophyllum abietinum", "Gloeophyllins A-C (1-3)"]
    assert doc.spans["chemicals"][0]._.labels == NAMES


def test_thresholds_are_settings():
    for config in ({"min_score": 0.999}, {"precision": 0.5}, {"min_score": 0.0}):
        nlp = spacy.blank("en")
        nlp.add_pipe("abroad", config=config)
        expected = load_pair_extractor(None, **config).predict(DOCUMENT).relations
        assert chemicals(read(nlp)) == [relation.chemical for relation in expected]


def test_a_model_that_is_not_there_is_named(tmp_path):
    with pytest.raises(InputError, match=r"no(t an| such) extractor"):
        spacy.blank("en").add_pipe("abroad", config={"model": str(tmp_path / "none")})


def test_two_thresholds_are_one_too_many():
    with pytest.raises(InputError, match="not both"):
        spacy.blank("en").add_pipe("abroad", config={"min_score": 0.5, "precision": 0.8})


@pytest.mark.parametrize("text", ["", " ", "\n\n", "We compare plate readers.", "Usnea barbata", "\u00ad"])
def test_nothing_to_find(own, blank, text):
    for nlp in (own, blank):
        doc = nlp(text)
        assert doc.text == text and doc._.relations == []
        assert list(doc.spans["chemicals"]) == []


@pytest.mark.parametrize("end", [-5, 0, 3, 10_000, None])
def test_a_title_end_out_of_bounds_does_no_harm(own, end):
    doc = own.make_doc(ABSTRACT)
    doc.user_data["title_end"] = end
    assert_evidence_is_in_the_text(own(doc))


def test_offsets_count_in_the_text_with_its_markup_and_soft_hyphens(own, blank):
    text = "<i>Usnea  barbata</i> gave us\u00adnic acid &amp; barbatic acid, isolated from it; H<sub>2</sub>O."
    for nlp in (own, blank):
        doc = nlp(text)
        assert doc.text == text
        (organism,) = {e for r in doc._.relations for e in r.evidence if e.role == "organism"}
        assert organism.text == "Usnea  barbata"
        assert "Usnea  barbata" in doc.spans["organisms"][0].text
        spans = {label: span for span in doc.spans["chemicals"] for label in span._.labels}
        assert "us\u00adnic acid" in spans["usnic acid"].text
        assert_evidence_is_in_the_text(doc)


def test_a_long_text_is_read_to_the_limit(own):
    text = " ".join(["Filler words that say nothing at all of anything."] * 400) + f" {ABSTRACT}"
    doc = own(text)
    assert chemicals(doc) == NAMES
    assert_evidence_is_in_the_text(doc)


def test_a_text_that_is_read_again_leaves_nothing_of_the_first_time(own):
    doc = read(own)
    before = json.dumps(doc.user_data)
    assert json.dumps(own(doc).user_data) == before


# Saving


def test_a_pipeline_is_saved_as_its_settings(tmp_path, own):
    own.to_disk(tmp_path / "own")
    again = spacy.load(tmp_path / "own")
    assert isinstance(again.tokenizer, spacy_pipeline.Tokenizer)
    assert read(again).user_data == read(own).user_data
    assert sum(file.stat().st_size for file in (tmp_path / "own").rglob("*") if file.is_file()) < 1_000_000
    other = spacy_pipeline.load().from_bytes(own.to_bytes())
    assert read(other).user_data == read(own).user_data


def test_the_saved_config_keeps_the_threshold(tmp_path):
    spacy_pipeline.load(min_score=0.999).to_disk(tmp_path / "p")
    assert spacy.load(tmp_path / "p").config["components"]["abroad"]["min_score"] == 0.999


def test_a_docbin_keeps_spans_and_relations(own):
    doc = read(own)
    data = DocBin(docs=[doc], store_user_data=True).to_bytes()
    (again,) = DocBin().from_bytes(data).get_docs(spacy.blank("en").vocab)
    (bytes_,) = [Doc(own.vocab).from_bytes(doc.to_bytes())]
    for copy in (again, bytes_):
        assert copy._.relations == doc._.relations
        assert copy._.abroad_prediction == doc._.abroad_prediction
        for group in ("organisms", "chemicals"):
            seen = [[(s.text, s.label_, s.kb_id_, s._.labels, s._.score) for s in d.spans[group]] for d in (copy, doc)]
            assert seen[0] == seen[1]


def test_several_processes_give_what_one_gives(own, blank):
    texts = [ABSTRACT, "", "Usnic acid was isolated from Usnea barbata."] * 3
    for nlp in (own, blank):
        alone = [doc._.relations for doc in nlp.pipe(texts)]
        assert [doc._.relations for doc in nlp.pipe(texts, n_process=2, batch_size=2)] == alone
    assert chemicals(own(ABSTRACT)) == NAMES


def test_components_are_pickled_as_their_settings(blank):
    component = blank.get_pipe("abroad")
    data = pickle.dumps(component)
    assert len(data) < 1000
    assert pickle.loads(data)(blank.make_doc(ABSTRACT))._.relations == blank(ABSTRACT)._.relations


def test_entry_points_lead_to_what_is_registered():
    nlp = spacy.blank("en")
    for name, target in ENTRY_POINTS["spacy_factories"].items():
        assert callable(target_of(target)) and nlp.has_factory(name)
    for name, target in ENTRY_POINTS["spacy_tokenizers"].items():
        assert spacy.registry.tokenizers.get(name) is target_of(target)


def target_of(entry_point):
    module, _, function = entry_point.partition(":")
    return getattr(importlib.import_module(module), function)


def test_spacy_finds_the_components_where_nobody_imported_abroad(tmp_path):
    installed = tmp_path / "components-0.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: components\nVersion: 0\n")
    groups = [f"[{g}]\n" + "".join(f"{n} = {t}\n" for n, t in points.items()) for g, points in ENTRY_POINTS.items()]
    (installed / "entry_points.txt").write_text("\n".join(groups))
    script = (
        "import spacy; nlp = spacy.blank('en', config={'nlp': {'tokenizer': {'@tokenizers': 'abroad.Tokenizer.v1'}}})\n"
        f"nlp.add_pipe('abroad'); print(len(nlp({ABSTRACT!r})._.relations))"
    )
    path = os.pathsep.join((str(tmp_path), str(ROOT)))
    result = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, env={**os.environ, "PYTHONPATH": path}
    )
    assert result.stdout.strip() == "3", result.stderr


def test_abroad_is_imported_without_spacy_and_the_components_without_the_model():
    script = (
        "import sys, abroad, abroad.extraction.builtin.pairs; first = 'spacy' in sys.modules\n"
        "import abroad.extraction.builtin.spacy_pipeline\n"
        "print(first, [name for name in ('onnxruntime', 'sklearn', 'polars') if name in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert result.stdout.strip() == "False []", result.stderr


def test_attributes_that_somebody_else_declared_stay():
    script = (
        "from spacy.tokens import Doc; Doc.set_extension('relations', default='mine')\n"
        "from abroad.extraction.builtin import spacy_pipeline\n"
        f"doc = spacy_pipeline.load()({ABSTRACT!r}); print(doc._.relations, len(doc._.abroad_prediction.relations))"
    )
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert result.stdout.strip() == "mine 3", result.stderr


# Files


@pytest.fixture
def docbin(tmp_path):
    """Three documents in spaCy's own tokens: with an id, with a title and no space after it, with neither."""
    nlp = spacy.blank("en")
    docs = [nlp.make_doc(text) for text in (DOCUMENT.text, f"{TITLE}{ABSTRACT}", ABSTRACT)]
    docs[0].user_data.update(id="7", title_end=len(TITLE))
    docs[1].user_data["title_end"] = len(TITLE)
    docs[1].cats = {"fungal": 1.0}
    path = tmp_path / "docs.spacy"
    DocBin(docs=docs, store_user_data=True).to_disk(path)
    return path


def load_docs(path):
    return list(DocBin().from_disk(path).get_docs(spacy.blank("en").vocab))


def test_extract_reads_a_docbin(cli, docbin, tmp_path):
    out = tmp_path / "predictions.jsonl"
    assert cli("extract", docbin, "--out", out).exit_code == 0
    records = [json.loads(line) for line in out.read_text().splitlines()]
    assert [record["id"] for record in records] == ["7", "docs-2", "docs-3"]
    assert [[r["chemical"] for r in record["relations"]] for record in records] == [NAMES] * 3


def test_extract_writes_a_docbin_with_the_docs_it_read(cli, docbin, tmp_path):
    out = tmp_path / "out.spacy"
    assert cli("extract", docbin, "--out", out).exit_code == 0
    before, docs = load_docs(docbin), load_docs(out)
    assert [[token.text for token in doc] for doc in docs] == [[token.text for token in doc] for doc in before]
    assert docs[1].cats == {"fungal": 1.0}
    assert [doc.user_data["id"] for doc in docs] == ["7", "docs-2", "docs-3"]
    for doc in docs:
        assert chemicals(doc) == NAMES
        assert_evidence_is_in_the_text(doc)
        assert doc.spans["chemicals"][0]._.labels == NAMES


def test_extract_writes_other_documents_as_a_docbin(cli, tmp_path):
    documents, out = tmp_path / "documents.jsonl", tmp_path / "out.spacy"
    documents.write_text(json.dumps(DOCUMENT.to_dict()) + "\n")
    assert cli("extract", documents, "--out", out).exit_code == 0
    (doc,) = load_docs(out)
    assert doc.text == DOCUMENT.text and doc.user_data["title_end"] == len(TITLE)
    assert chemicals(doc) == NAMES
    assert_evidence_is_in_the_text(doc)


def test_extract_never_writes_over_what_it_reads(cli, docbin):
    before = docbin.read_bytes()
    result = cli("extract", docbin, "--out", docbin)
    assert result.exit_code == 2 or isinstance(result.exception, InputError)
    assert docbin.read_bytes() == before


def test_another_file_is_no_docbin(tmp_path):
    from abroad.core.context import Context
    from abroad.documents.inputs import read_path

    path = tmp_path / "x.spacy"
    path.write_text("{}")
    with pytest.raises(InputError, match="expected a DocBin"):
        read_path(path, Context())


def test_labelled_documents_become_a_docbin_to_train_on(cli, documents, tmp_path):
    source, out = tmp_path / "documents.jsonl", tmp_path / "train.spacy"
    write_documents(source, documents)
    result = cli("documents", "docbin", source, "--out", out)
    assert result.exit_code == 0 and "6 entities in 3 documents" in result.output
    docs = load_docs(out)
    assert [(ent.text, ent.label_) for ent in docs[0].ents] == [
        ("Usnea testalis", "ORGANISM"),
        ("Usnic acid", "CHEMICAL"),
        ("barbatic acid", "CHEMICAL"),
        ("Usnea testalis", "ORGANISM"),
    ]
    assert [(r.organism, r.chemical) for r in docs[0]._.relations] == documents[0].label_pairs()
    assert_evidence_is_in_the_text(docs[0])
    assert not docs[2].ents and docs[2]._.relations == []
    assert all(Example(doc.copy(), doc).get_aligned_ner() for doc in docs)
