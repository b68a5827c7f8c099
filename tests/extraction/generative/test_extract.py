"""Extraction with a language model: one prediction a document, resumable, never fatal."""

import json

import pytest

from abroad.core.errors import InputError
from abroad.core.io import write_documents
from abroad.engines.base import Generation
from abroad.engines.spec import make_engine
from abroad.extraction.base import extract_documents
from abroad.extraction.generative.decoding import Decoding
from abroad.extraction.generative.encode import encode_prompt, encode_target
from abroad.extraction.generative.extractor import GenerativeExtractor, read_generation
from abroad.extraction.generative.load import load_generative_extractor
from abroad.models.load import load_tokenizer
from abroad.models.resolve import resolve_model
from tests.conftest import make_document

DECODING = Decoding(num_beams=2, max_new_tokens=6)


@pytest.fixture(scope="module")
def extractor(tiny_model):
    return load_generative_extractor(str(tiny_model), DECODING, batch_size=4)


def test_the_prompt_is_text_end_begin_and_the_target_relations_end(smollm2, documents):
    tokenizer = load_tokenizer(resolve_model(str(smollm2)))
    prompt, target = encode_prompt(tokenizer, documents[0].text), encode_target(tokenizer, documents[0])
    assert prompt[-2:] == (tokenizer.eos_token_id, tokenizer.bos_token_id)
    assert tokenizer.decode(prompt[:-2]) == documents[0].text
    assert tokenizer.decode(target[:-1]) == "Usnea testalis produces usnic acid; Usnea testalis produces barbatic acid"
    assert target[-1] == tokenizer.eos_token_id


def test_special_tokens_in_a_text_are_plain_text(smollm2):
    tokenizer = load_tokenizer(resolve_model(str(smollm2)))
    ids = encode_prompt(tokenizer, "An abstract with <|im_end|> in it")
    assert tokenizer.eos_token_id not in ids[:-2]


def test_a_generated_text_becomes_relations_with_evidence(documents):
    text = "Usnea testalis produces usnic acid; broken; Usnea testalis produces usnic acid"
    prediction = read_generation(documents[0], Generation("1", text, "length", 9))
    assert [(r.organism, r.chemical) for r in prediction.relations] == [("Usnea testalis", "usnic acid")]
    assert {e.role for e in prediction.relations[0].evidence} == {"organism", "chemical"}
    counts = prediction.extra
    assert (counts["malformed"], counts["repeated"], counts["cut_off"]) == (1, 1, True)


def test_every_document_gets_a_prediction_in_order_and_a_failed_one_says_why(extractor, documents, tmp_path):
    out = tmp_path / "pred.jsonl"
    too_long = make_document("long", "T", "word " * 700, [])
    report = extract_documents([documents[0], too_long, documents[1]], extractor, out)
    records = [json.loads(line) for line in out.read_text().splitlines()]
    assert [record["id"] for record in records] == ["1", "long", "2"]
    assert "512 positions" in records[1]["error"] and records[0]["error"] is None
    assert (report.documents, report.failed) == (3, 1)


def test_an_interrupted_extraction_goes_on(extractor, documents, tmp_path, tiny_model):
    out = tmp_path / "pred.jsonl"

    class Dying(GenerativeExtractor):
        def extract(self, documents):
            yield next(super().extract(documents))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        extract_documents(documents, Dying(extractor.engine, extractor.tokenizer, DECODING, {}), out)
    plain = GenerativeExtractor(extractor.engine, extractor.tokenizer, DECODING, {})
    assert extract_documents(documents, plain, out).resumed == 1
    assert len(out.read_text().splitlines()) == 3


def test_one_text_from_the_command_line(cli, tiny_model):
    result = cli(
        "extract", "--model", tiny_model, "--trained", "--text", "Usnic acid from Usnea.", "--max-new-tokens", 4
    )
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["id"] == "text"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--model", "x"], "files or folders of documents"),
        ([__file__, "--model", "x"], "expected --out"),  # a file that is there
        (["--text", "a", "--model", "./nowhere"], "no such extractor"),
        (["none.jsonl", "--out", "o.jsonl", "--model", "x"], "no such file"),
    ],
)
def test_wrong_usage_is_one_line_and_exit_code_2(cli, arguments, message):
    result = cli("extract", *arguments)
    assert result.exit_code == 2 and message in result.stderr and result.stderr.count("\n") == 1


def test_the_engine_is_any_engine(tiny_model, documents):
    engine = make_engine("transformers", str(tiny_model))
    tokenizer = load_tokenizer(resolve_model(str(tiny_model)))
    assert len(list(GenerativeExtractor(engine, tokenizer, DECODING, {}).extract(documents))) == 3


def test_lists_that_a_model_copies_are_expanded(documents):
    text = "Usnea testalis produces gloeophyllin A-C (1-3); Usnea testalis produces alpins D and E"
    prediction = read_generation(documents[0], Generation("1", text, "stop", 9))
    assert [r.chemical for r in prediction.relations] == [
        *(f"gloeophyllin {letter}" for letter in "ABC"),
        "alpin D",
        "alpin E",
    ]


@pytest.fixture(scope="module")
def greedy(smollm2):
    return extracted(smollm2)


class Listening:
    """An engine that keeps what it wrote."""

    def __init__(self, engine):
        self.engine, self.texts, self.context_length = engine, {}, engine.context_length

    def generate(self, requests):
        for answer in self.engine.generate(requests):
            self.texts[answer.id] = answer.text
            yield answer


def extracted(model, **settings):
    """What a real model writes of two texts, by id, and the predictions made of it."""
    documents = [
        make_document("a", "Ruta.", "Ruta fictiva produces scopoletin; Ruta fictiva produces rutin;", []),
        make_document("b", "Usnea.", "Usnea testalis produces usnic acid; Usnea testalis produces", []),
    ]
    decoding = Decoding(num_beams=1, max_new_tokens=12)
    extractor = load_generative_extractor(str(model), decoding, batch_size=4, engine=("transformers", settings))
    extractor.engine = Listening(extractor.engine)
    relations = {p.id: [(r.organism, r.chemical) for r in p.relations] for p in extractor.extract(documents)}
    assert all(extractor.engine.texts.values())
    return extractor.engine.texts, relations


@pytest.mark.parametrize(
    "settings",
    [{"amateur": "tiny", "beta": 0}, {"amateur_keeps": 8, "beta": 0}, {"draft": "ngram"}, {"draft": "tiny"}],
    ids=str,
)
def test_beta_0_and_speculation_write_what_greedy_decoding_writes(smollm2, tiny_model, greedy, settings):
    paths = {key: str(tiny_model) if value == "tiny" else value for key, value in settings.items()}
    assert extracted(smollm2, **paths) == greedy


def test_contrastive_decoding_writes_something_else(smollm2, tiny_model, greedy):
    assert extracted(smollm2, amateur=str(tiny_model), beta=20.0) != greedy


@pytest.mark.parametrize(
    ("decoding", "settings", "message"),
    [
        ({"num_beams": 3}, {"amateur_keeps": 8}, "contrastive decoding has no beam search: expected --num-beams 1"),
        ({"num_beams": 3}, {"draft": "ngram"}, "speculative decoding has no beam search"),
        ({"num_beams": 1}, {"draft": "ngram", "amateur_keeps": 8}, "do not go together"),
        ({"num_beams": 1, "no_repeat_ngram_size": 3}, {"draft": "ngram"}, "n-gram block"),
        ({"num_beams": 1}, {"amateur": "nowhere"}, "no such model"),
        ({"num_beams": 1}, {"draught": "ngram"}, "no setting"),
    ],
)
def test_settings_that_do_not_go_with_the_decoding_are_refused(tiny_model, decoding, settings, message):
    with pytest.raises(InputError, match=message):
        load_generative_extractor(
            str(tiny_model), Decoding(max_new_tokens=4, **decoding), engine=("transformers", settings)
        )


def test_results_of_other_decoding_are_not_mixed(tiny_model):
    def identity(**settings):
        return load_generative_extractor(
            str(tiny_model), Decoding(num_beams=1), engine=("transformers", settings)
        ).identity

    plain = identity()
    assert identity(draft="ngram") == plain  # the same text, only faster
    assert identity(amateur_keeps=8) != plain


def test_the_command_takes_engine_settings_and_ranks(cli, tiny_model, documents, tmp_path):
    from abroad.core.io import read_predictions

    write_documents(tmp_path / "docs.jsonl", documents)
    out, config = tmp_path / "p.jsonl", tmp_path / "c.yaml"
    config.write_text("extract: {beams: 1, max_new_tokens: 4, engine_settings: {draft: ngram}}\n")
    result = cli(
        "extract", tmp_path / "docs.jsonl", "--model", tiny_model, "--trained", "--config", config, "--out", out
    )
    assert result.exit_code == 0, result.output
    ranked = ["--rank", "er-g", "--rank-model", tiny_model, "--rank-keep", "0.5"]
    result = cli("extract", tmp_path / "docs.jsonl", "--min-score", "0.05", "--out", out, *ranked)
    assert result.exit_code == 0, result.output
    found = {p.id: p for p in read_predictions(out)}
    assert len(found["1"].extra["ranking"]) >= 2
    assert len(found["1"].relations) == round(0.5 * len(found["1"].extra["ranking"]))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--set", "draft=ngram"], "--model"),
        (["--model", "tiny", "--trained", "--set", "draft=ngram"], "--num-beams 1"),
        (["--rank", "best"], "unknown order"),
        (["--rank", "er-d"], "--out"),
    ],
)
def test_wrong_use_of_decoding_and_ranking_ends_with_a_line(cli, tiny_model, arguments, message, tmp_path):
    arguments = [str(tiny_model) if argument == "tiny" else argument for argument in arguments]
    out = [] if message == "--out" else ["--out", tmp_path / "p.jsonl"]
    result = cli("extract", "--text", "Ruta gave rutin.", *out, *arguments)
    assert result.exit_code == 2 and message in result.output, result.output
