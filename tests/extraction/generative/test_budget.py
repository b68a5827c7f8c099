"""Budgets and contexts of real lengths: the published 1,024 tokens are those of prompt and answer together."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abroad.core.io import write_documents
from abroad.extraction.generative.decoding import Decoding
from abroad.extraction.generative.extractor import budget
from abroad.extraction.generative.load import load_generative_extractor
from tests.conftest import make_document

PUBLISHED = Decoding(num_beams=3, max_new_tokens=1024, length_penalty=1.5)


@given(st.integers(1, 3000), st.integers(1, 3000), st.integers(1, 2048))
def test_a_budget_never_leaves_the_context_and_is_what_was_wanted_where_that_fits(wanted, prompt, context):
    found = budget(wanted, prompt, context)
    if prompt + wanted <= context or prompt >= context:
        assert found == wanted
    else:
        assert 1 <= found <= context - prompt < found + 16
    assert budget(wanted, prompt, None) == wanted


def texts(*lengths):
    """Documents of about so many characters: to this tokenizer each character is about a token."""
    return [make_document(str(n), "T.", ("ruta " * 300)[:n], []) for n in lengths]


def test_the_published_budget_is_that_of_prompt_and_answer_together(biogpt):
    """BioGPT has 1,024 learned positions: documents of different lengths end within them, alone and in a batch."""
    extractor = load_generative_extractor(str(biogpt), PUBLISHED, batch_size=6)
    assert extractor.engine.context_length == 1024
    documents = texts(1180, 1220, 1225)
    together = {prediction.id: prediction for prediction in extractor.extract(documents)}
    assert [prediction.error for prediction in together.values()] == [None] * 3
    alone = [next(extractor.extract([document])) for document in documents]
    for prediction in alone:  # a text does not depend on what else is in its batch
        assert prediction.relations == together[prediction.id].relations
        assert prediction.extra["logprob"] == pytest.approx(together[prediction.id].extra["logprob"], rel=1e-4)


def test_rows_of_different_budgets_share_a_greedy_batch_within_learned_positions(biogpt):
    extractor = load_generative_extractor(str(biogpt), PUBLISHED.replace(num_beams=1), batch_size=8)
    found = list(extractor.extract(texts(1120, 1230)))
    assert [prediction.error for prediction in found] == [None, None]


@pytest.mark.parametrize("out", [True, False], ids=["to a file", "printed"])
def test_a_run_in_which_every_document_fails_ends_with_1_and_says_why(cli, biogpt, tmp_path, out):
    write_documents(tmp_path / "d.jsonl", texts(1350, 1450))
    given = [tmp_path / "d.jsonl", "--out", tmp_path / "p.jsonl"] if out else ["--text", texts(1400)[0].text]
    result = cli("extract", *given, "--model", biogpt)
    assert result.exit_code == 1
    assert "failed: " in result.stderr and "do not fit the model's 1024 positions" in result.stderr
    if out:
        assert all(json.loads(line)["error"] for line in (tmp_path / "p.jsonl").read_text().splitlines())


def test_one_document_that_succeeds_is_enough(cli, biogpt, tmp_path):
    write_documents(tmp_path / "d.jsonl", texts(1400, 40))
    command = ("extract", tmp_path / "d.jsonl", "--model", biogpt, "--out", tmp_path / "p.jsonl")
    assert cli(*command, "--max-new-tokens", 4).exit_code == 0


def test_so_it_is_with_examples_in_the_prompt(cli, biogpt, tmp_path):
    write_documents(tmp_path / "d.jsonl", texts(1400))
    command = ("fewshot", tmp_path / "d.jsonl", "--model", biogpt, "--out", tmp_path / "p.jsonl", "--shots", 0)
    result = cli(*command, "--style", "classic", "--free")
    assert result.exit_code == 1 and "failed: " in result.stderr
