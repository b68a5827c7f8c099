"""Examples: none of the test set, the right ones, in the order asked for, written as the prompts want them."""

import dataclasses
import re
from pathlib import Path

import pytest

from abroad.core.context import Context
from abroad.core.errors import InputError
from abroad.core.io import read_documents, write_documents
from abroad.core.registry import Capability
from abroad.experiments.leaderboard.suite import load_suite
from abroad.extraction.fewshot.examples import DEFAULT, find_leaks, load_examples, one_line, show_example
from abroad.extraction.fewshot.retrieve import RETRIEVERS, arrange, make_retriever
from abroad.extraction.fewshot.run import FewShotExtractor, FewShotSettings, Shots
from abroad.extraction.fewshot.styles import STYLES, load_style
from abroad.models.load import load_tokenizer
from abroad.models.resolve import resolve_model
from tests.conftest import make_document
from tests.extraction.fewshot import members

POOL = [
    make_document(str(n), f"Study {n}.", f"The {word} of Planta {word} gave {word}one and some further words.", [])
    for n, word in enumerate(("bark", "root", "leaf", "seed"))
]


def test_our_own_examples_are_in_no_set_that_we_score_on(shared_data):
    own = read_documents(DEFAULT)
    assert len(own) >= 16 and any(not document.relations for document in own)
    tests = [*read_documents(shared_data / "curated_dev.json"), *load_suite("builtin", Context()).documents]
    assert find_leaks(own, tests) == {}
    names = {entity.label.lower() for document in tests for entity in document.organisms}
    assert not names & {entity.label.lower() for document in own for entity in document.organisms}


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"id": "x", "pmid": "77"},
        {"id": "77-3", "pmid": None},
        {"id": "x", "pmid": None, "doi": "10.1/ABC"},
        {"id": "x", "pmid": None, "doi": None, "title": ""},
        {
            "id": "x",
            "pmid": None,
            "title": "",
            "abstract": "We isolated usnic acid from the lichen Usnea testalis here.",
        },
    ],
    ids=["itself", "PMID", "made from it", "DOI", "text", "sentence"],
)
def test_an_example_of_the_test_set_is_found_however_it_is_disguised(change):
    abstract = "We isolated usnic acid from the lichen Usnea testalis here. Its structure is known from other species."
    test = make_document("77", "Lichen acids.", abstract, [("Usnea testalis", "usnic acid")])
    test.doi = "10.1/abc"
    example = dataclasses.replace(test, **{"doi": None, **change})
    assert list(find_leaks([*POOL, example], [test])) == [example.id]


def test_leaks_are_left_out_and_told_of_and_a_file_of_nothing_else_is_refused(tmp_path):
    path = tmp_path / "examples.jsonl"
    write_documents(path, POOL)
    context = Context()
    assert [document.id for document in load_examples(path, POOL[:1], context)] == ["1", "2", "3"]
    assert "left out as an example" in context.rejects.items[0]["reason"]
    with pytest.raises(InputError, match="all 4 examples are in the test set"):
        load_examples(path, POOL, Context())


def test_retrieved_examples_are_the_likest_and_fixed_ones_the_first(tiny_model):
    text = "The seed of Planta seed gave seedone and some further words."
    assert [d.id for d in make_retriever("fixed", POOL).nearest(text, 2)] == ["0", "1"]
    assert make_retriever("bm25", POOL).nearest(text, 1)[0].id == "3"
    assert len(make_retriever("bm25", POOL).nearest("zzz", 3)) == 3  # filled up where nothing is alike
    embeddings = make_retriever("embeddings", POOL, str(tiny_model))
    assert [embeddings.nearest(document.text, 1)[0].id for document in POOL] == ["0", "1", "2", "3"]
    with pytest.raises(InputError, match="expected one of"):
        make_retriever("psychic", POOL)
    with pytest.raises(InputError, match="no such encoder"):
        make_retriever("embeddings", POOL, "nowhere")


def test_the_order_is_the_one_asked_for():
    assert [d.id for d in arrange(POOL, "similar-last", 0, "a")] == ["3", "2", "1", "0"]
    assert [d.id for d in arrange(POOL, "similar-first", 0, "a")] == ["0", "1", "2", "3"]
    drawn = [[d.id for d in arrange(POOL, "shuffled", 0, id)] for id in "abcdef"]
    assert drawn[0] == [d.id for d in arrange(POOL, "shuffled", 0, "a")] and len(set(map(tuple, drawn))) > 1


def test_an_example_is_written_in_all_its_parts():
    (document,) = (d for d in read_documents(DEFAULT) if d.id == "shot-2")
    shown = show_example(document)
    assert shown["relations"].startswith("Saxifraga montivaga produces arbutin; ")
    assert shown["organisms"] == "Saxifraga montivaga; Saxifraga pallidiflora"
    assert shown["evidence"] == shown["text"]  # its one sentence
    assert show_example(POOL[0])["relations"] == "none"


@pytest.mark.parametrize("name", STYLES.own)
def test_a_prompt_ends_where_the_answer_begins_and_has_a_hash(name):
    style = load_style(name)
    prompt = style.render("Some text.", [show_example(document) for document in read_documents(DEFAULT)[:2]])
    assert prompt.endswith("Text: Some text.\n" + ("Organisms:" if style.steps else "Relations:"))
    assert prompt.count("Text: ") == 3 and len(style.hash) == 12
    assert style.budget(2000) > style.budget(100) > 0


def test_prompts_of_ones_own(tmp_path):
    path = tmp_path / "own.j2"
    path.write_text("{% for e in examples %}{{ e.text }} => {{ e.relations }}\n{% endfor %}{{ text }} <&> =>")
    style = load_style("classic", path)
    assert style.render("T", []) == "T <&> =>" and style.hash != load_style("classic").hash
    for content, message in (
        ("{{ txt }}", "txt"),
        ("{% for %}", "line 1"),
        ("no document", "never gives the document"),
    ):
        path.write_text(content)
        with pytest.raises(InputError, match=message):
            load_style("classic", path)


@pytest.mark.parametrize("name", STYLES.own)
def test_a_style_says_what_its_prompt_and_its_answer_are(name):
    style, can = load_style(name), STYLES.capabilities(name)
    assert (style.steps, style.chat) == (Capability.STEPS in can, Capability.CHAT in can)
    assert re.fullmatch(style.form(300), members.STYLES[name])
    assert style.steps == ("Chemicals:" in members.STYLES[name])


@pytest.mark.parametrize("name", RETRIEVERS.own)
def test_a_retriever_finds_as_many_as_are_asked_for_and_the_likest_first_if_it_says_so(name, tiny_model):
    can = RETRIEVERS.capabilities(name)
    encoder = members.RETRIEVERS[name](tiny_model)
    assert (encoder is not None) == (Capability.EMBEDDER in can)
    retriever = make_retriever(name, POOL, encoder)
    for count in range(len(POOL) + 2):
        found = [document.id for document in retriever.nearest(POOL[3].text, count)]
        assert len(found) == len(set(found)) == min(count, len(POOL))
    assert (found[0] == POOL[3].id) == (Capability.LIKENESS in can)


@pytest.mark.parametrize("name", STYLES.own)
def test_every_prompt_says_first_what_is_wanted(name):
    style = load_style(name)
    for examples in ([], [show_example(document) for document in load_examples(None, (), Context())[:2]]):
        instruction, _, rest = style.render("THE TEXT", examples).partition("Text:")
        assert "produces" in instruction and "\n\n" in instruction and rest.rstrip().endswith(":")
        assert rest.count("Text:") == len(examples)


@pytest.mark.parametrize("name", STYLES.own)
def test_prompts_with_the_examples_of_their_style_fit_the_context_of_llama(name, smollm2):
    """2,048 tokens with the answer's budget, and LLaMA's tokenizer makes more of such names than ours: by 15%."""
    tokenizer, style = load_tokenizer(resolve_model(str(smollm2))), load_style(name)
    documents = read_documents(Path("data/sample/curated.jsonl"), Context())
    extractor = FewShotExtractor(None, style, FewShotSettings(), Shots(size=10), {})
    examples = [show_example(document) for document in load_examples(None, (), Context())[: extractor.count]]
    for document in documents:
        prompt = style.render(one_line(document.text), examples)
        assert 1.15 * (len(tokenizer(prompt)["input_ids"]) + style.budget(len(document.text))) <= 2048
    assert extractor.identity["shots"] == extractor.count == style.kind.shots
