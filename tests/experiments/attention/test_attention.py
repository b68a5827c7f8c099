"""Attention of real models: words, measures, page."""

import base64
import json
import re

import numpy as np
import pytest

from abroad.core.context import Context
from abroad.core.errors import InputError
from abroad.core.io import write_documents
from abroad.experiments.attention.attention import encode_text, token_attention, word_attention
from abroad.experiments.attention.study import AttentionStudy, StudySettings, between_models
from abroad.models.load import load_model, load_tokenizer
from abroad.models.resolve import resolve_model
from tests.conftest import make_document

HOSTILE = make_document(
    "bad</script><b>", "Usnea <i>testalis</i>.", "Usnic acid & </script><script>alert(1)</script> rutin were found.", []
)


@pytest.fixture(scope="module")
def study(tiny_model):
    return AttentionStudy(str(tiny_model))


@pytest.mark.parametrize("name", ["tiny_model", "biogpt"])
def test_attention_between_words_is_lower_triangular_and_sums_to_1(request, name):
    source = resolve_model(str(request.getfixturevalue(name)))
    model, tokenizer = load_model(source), load_tokenizer(source)
    model.set_attn_implementation("eager")
    text = encode_text(tokenizer, "Usnic acid was isolated  from Usnea testalis.")
    assert len(text.ids) == len(text.spans)
    attention = token_attention(model, (*text.before, *text.ids))
    skipped = len(text.before)
    words = word_attention(attention[:, :, skipped:, skipped:], text.word_of_token())
    assert words.shape[-1] == len(text.words) == 7
    np.testing.assert_allclose(words.sum(axis=-1), 1, atol=1e-5)
    assert np.triu(words, k=1).max() == 0


def test_what_is_looked_at_in_a_word_is_the_sum_over_its_tokens():
    attention = np.array([[[[1, 0, 0], [0.5, 0.5, 0], [0.2, 0.4, 0.4]]]])
    words = word_attention(attention, [0, 1, 1])  # rows of word 1: (0.5, 0.5) and (0.2, 0.8)
    np.testing.assert_allclose(words[0, 0], [[1, 0], [0.35, 0.65]])


def test_tokens_know_their_words_and_places(smollm2):
    tokenizer = load_tokenizer(resolve_model(str(smollm2)))
    text = encode_text(tokenizer, "Usnic acid from Usnea")
    places = text.word_of_token()
    assert places == sorted(places) and set(places) == {0, 1, 2, 3}
    assert {places[n] for n in text.tokens_in(*re.search("acid", text.text).span())} == {1}


def test_a_document_has_every_measure_and_a_random_prefix_that_comes_again(study, documents):
    first, second = study.look_at(documents[0]), study.look_at(documents[0])
    for name in ("trivial", "instruction", "random", "own", "any"):
        assert getattr(first, name).shape == (2, 4)
        assert np.array_equal(getattr(first, name), getattr(second, name))
    assert 0 < first.uniform_own <= first.uniform_any < 1
    quarters = first.quarters()
    difference = np.subtract(quarters["instruction"], quarters["random_prefix"])
    np.testing.assert_allclose(quarters["instruction_effect"], difference)


def test_a_document_without_relations_has_no_mentions(study, documents):
    assert study.look_at(documents[2]).own is None


def test_a_model_does_not_diverge_from_itself(study, documents):
    item = study.look_at(documents[0])
    assert max(between_models(item, item)["between_models"]) == 0


@pytest.mark.parametrize(
    ("text", "limit", "message"),
    [("word " * 600, 1024, "context"), ("word " * 60, 32, "--max-length"), ("one two", 1024, "words")],
)
def test_documents_that_cannot_be_looked_at_are_set_aside_with_the_reason(tiny_model, text, limit, message):
    context = Context()
    study = AttentionStudy(str(tiny_model), StudySettings(max_length=limit))
    assert list(study.look([make_document("x", "", text, [])], context)) == []
    assert message in context.rejects.items[0]["reason"]


def test_the_page_holds_what_was_seen_and_nothing_of_a_text_is_markup(cli, tiny_model, smollm2, documents, tmp_path):
    write_documents(tmp_path / "d.jsonl", [HOSTILE, *documents, make_document("long", "T", "word " * 700, [])])
    out = tmp_path / "page.html"
    result = cli("inspect", "attention", tmp_path / "d.jsonl", "--model", tiny_model, "--out", out)
    assert result.exit_code == 0, result.output
    page = out.read_text()
    assert page.count("<script") == 2 and "alert(1)</script>" not in page
    data = re.search(r'<script id="data" type="application/json">(.*?)</script>', page, re.DOTALL).group(1)
    view = json.loads(data)[0]
    assert view["document"] == HOSTILE.id and "</script><script>alert(1)</script>" in view["words"]
    n = len(view["words"])
    triangle = np.frombuffer(base64.b64decode(view["maps"][0]["bytes"]), np.uint8)
    assert len(triangle) == n * (n + 1) // 2 and triangle[0] == 255
    numbers = json.loads((tmp_path / "page.json").read_text())["models"][str(tiny_model)]
    assert numbers["trivial"]["documents"] == 4 and numbers["own_mention"]["documents"] == 2
    assert "long" in (tmp_path / "page.html.abroad" / "rejects.jsonl").read_text()


def test_two_models_are_set_beside_each_other(cli, tiny_model, biogpt, documents, tmp_path):
    write_documents(tmp_path / "d.jsonl", documents[:1])
    out = tmp_path / "page.html"
    result = cli("inspect", "attention", tmp_path / "d.jsonl", "--model", tiny_model, "--compare", biogpt, "--out", out)
    assert result.exit_code == 0, result.output
    found = json.loads((tmp_path / "page.json").read_text())["models"]
    assert "between_models" in found[str(tiny_model)] and "between_models" not in found[str(biogpt)]
    assert 0 < found[str(tiny_model)]["between_models"]["quarters"][0] <= 1


def test_nothing_to_look_at_ends_with_a_line(cli, tiny_model, tmp_path):
    write_documents(tmp_path / "d.jsonl", [make_document("x", "", "word " * 700, [])])
    arguments = ["inspect", "attention", tmp_path / "d.jsonl", "--model", tiny_model, "--out", tmp_path / "p.html"]
    result = cli(*arguments)
    assert result.exit_code == 2 and "no document to look at" in result.output


def test_a_model_without_attention_is_refused():
    class Blind:
        device = "cpu"

        def __call__(self, **_):
            return type("Output", (), {"attentions": None})()

    with pytest.raises(InputError, match="no attention"):
        token_attention(Blind(), [1, 2])
