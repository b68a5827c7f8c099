"""Names of answers come from the text: the grammar of a document, and the sorting of answers that none has bound."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from abroad.core.context import Context
from abroad.core.errors import InputError
from abroad.core.io import write_documents
from abroad.engines.base import Generation, GenerationRequest
from abroad.extraction.fewshot.examples import load_examples
from abroad.extraction.fewshot.names import is_named, name_in, relations_grammar, split_named
from abroad.extraction.fewshot.retrieve import ORDERS, arrange
from abroad.extraction.fewshot.run import count_answers, read_answer
from abroad.extraction.fewshot.styles import load_style
from tests.conftest import make_document
from tests.sources.servers import Completions

TEXT = (
    "Hypholarenins A-C (1-3) and usnic acid from Usnea testalis. Ramalina montana gave atranorin (4), "
    "whereas R. litoralis produces 3S,4R-(+)-4-hydroxymellein; nothing else."
)
IN_TEXT = (
    "Usnea testalis produces usnic acid",
    "Ramalina litoralis produces 3S,4R-(+)-4-hydroxymellein",  # the genus is written out
    "R. litoralis produces atranorin",
    "Usnea testalis produces hypholarenin B",  # of a range
    "Usnea testalis produces Hypholarenins A-C; Ramalina montana produces atranorin",
    "none",
)
NOT_IN_TEXT = (
    "Usnea barbata produces usnic acid",
    "Usnea testalis produces barbatic acid",
    "Usnea testalis produces acid usnic",
    "Usnea testalis. Ramalina produces usnic acid",  # beyond the end of a sentence
    "Usnea testalis usnic acid",
    "Usnea testalis produces",
    "usnic acid produces atranorin",  # organisms begin with a capital
)


@pytest.fixture(scope="module")
def follow(smollm2):
    """(grammar, answer) -> whether the engine `transformers` lets a model write it."""
    from llguidance import LLMatcher

    from abroad.engines.transformers.constrain import grammar_of, wrap_tokenizer
    from abroad.models.load import load_tokenizer
    from abroad.models.source import ModelSource

    tokenizer = load_tokenizer(ModelSource(base=str(smollm2)))
    vocabulary = wrap_tokenizer(tokenizer, len(tokenizer))

    def allowed(grammar, answer):
        compiled = grammar_of(GenerationRequest("r", "", grammar=grammar))
        assert not LLMatcher.validate_grammar(compiled, vocabulary)
        ids = tokenizer.encode(answer, add_special_tokens=False)
        matcher = LLMatcher(vocabulary, compiled)
        return matcher.validate_tokens(ids) == len(ids) and matcher.consume_tokens(ids) and matcher.is_accepting()

    return allowed


@pytest.mark.parametrize(("answer", "allowed"), [*((a, True) for a in IN_TEXT), *((a, False) for a in NOT_IN_TEXT)])
def test_the_grammar_of_a_text_takes_its_names_and_no_others(follow, answer, allowed):
    assert follow(relations_grammar(TEXT), f" {answer}\n") is allowed


def test_steps_stand_before_the_relations(follow):
    style = load_style("cot")
    grammar = relations_grammar(TEXT, style.lead(len(TEXT)))
    steps = " Usnea\nChemicals: acids\nEvidence: It was found.\nRelations:"
    assert follow(grammar, f"{steps} {IN_TEXT[0]}\n") and not follow(grammar, f"{steps} {NOT_IN_TEXT[0]}\n")
    assert not follow(grammar, f" {IN_TEXT[0]}\n")


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=120))
def test_every_text_has_a_grammar_that_can_be_used(follow, text):
    assert follow(relations_grammar(text), " none\n")


@pytest.mark.parametrize("sign", "!\"#$%&'()*+,-./:<=>?@[\\]^_`{|}~α′–")
def test_no_sign_within_a_name_has_a_meaning_of_its_own(follow, sign):
    grammar = relations_grammar(f"Usnea X{sign}y gave a{sign}{sign}b here")
    assert follow(grammar, f" X{sign}y produces a{sign}{sign}b\n") and not follow(grammar, " Xy produces ab\n")


def test_a_text_too_long_for_a_grammar_has_none():
    assert relations_grammar("word " * 5_000) is None


def test_answers_of_an_engine_that_does_not_bind_are_sorted_and_what_goes_is_counted():
    document = make_document("1", "T.", TEXT, [])
    for answer in IN_TEXT[:-1]:
        pairs = [tuple(part.split(" produces ")) for part in answer.split("; ")]
        assert split_named(TEXT, pairs) == (pairs, [])
    written = f"{IN_TEXT[0]}; {NOT_IN_TEXT[0]}; {NOT_IN_TEXT[1]}; talk"
    bound, free = (
        read_answer(document, Generation("1", written, "stop", 9), load_style("classic"), names_from_text=named)
        for named in (True, False)
    )
    assert [(r.organism, r.chemical) for r in bound.relations] == [("Usnea testalis", "usnic acid")]
    assert bound.extra["not_in_text"] == 2 and bound.extra["malformed"] == 1 and len(free.relations) == 3
    nothing = read_answer(document, Generation("1", NOT_IN_TEXT[0], "stop", 9), load_style("classic"), True)
    assert nothing.extra["parsed"] and not nothing.relations  # it was read, and says nothing of this text
    assert count_answers([bound, free, nothing]).not_in_text == 3


@pytest.mark.parametrize(
    ("label", "named"),
    [("usnic ACID", True), ("usnic acid (1)", True), ("hypholarenins B and C", True), ("usnic", True), ("usn", False)],
)
def test_a_name_is_of_the_text_in_other_case_numbered_or_listed(label, named):
    assert is_named(TEXT, label) is named


@pytest.mark.parametrize("order", ORDERS)
def test_the_last_example_states_a_relation_if_any_does(order):
    empty = [make_document(str(n), "T.", "A.", []) for n in range(3)]
    stating = [make_document(f"s{n}", "T.", "A.", [("Usnea x", "y")]) for n in range(2)]
    for examples in ([*empty, *stating], [*stating, *empty], [empty[0], *stating, *empty[1:]], [stating[0], *empty]):
        arranged = arrange(examples, order, 0, "d")
        assert arranged[-1].relations and sorted(d.id for d in arranged) == sorted(d.id for d in examples)
    assert arrange(empty, "similar-first", 0, "d") == empty


def test_examples_without_a_relation_are_left_out_where_asked(tmp_path):
    path = tmp_path / "examples.jsonl"
    stating, empty = make_document("1", "T.", "A.", [("Usnea x", "y")]), make_document("2", "T.", "A.", [])
    write_documents(path, [empty, stating])
    assert [d.id for d in load_examples(path, [], Context())] == ["2", "1"]
    assert [d.id for d in load_examples(path, [], Context(), only_stating=True)] == ["1"]
    write_documents(path, [empty])
    with pytest.raises(InputError, match="none of its 1 examples has a relation"):
        load_examples(path, [], Context(), only_stating=True)


def test_a_command_shows_only_those_that_state_a_relation(cli, documents, tmp_path):
    write_documents(tmp_path / "docs.jsonl", documents[:1])
    with Completions(lambda body: ("none", "stop")).serve() as server:
        common = ("fewshot", tmp_path / "docs.jsonl", "--engine", "openai", "--model", "m", "--base-url", server.url)
        for n, more in enumerate(([], ["--only-stating"])):
            assert (
                cli(*common, "--out", tmp_path / f"{n}.jsonl", "--style", "classic", "--shots", 5, *more).exit_code == 0
            )
    shown, stating = (body["prompt"].count("Relations: none") for body in server.asked)
    assert shown > 0 and stating == 0


GREEK = (
    "β-Carotene, Gamma-tocopherol, alphapinene, (+)-α-pinene and N(ω)-hydroxy-nor-l-arginine of Usnea testalis; 4′-O-x."
)


@pytest.mark.parametrize(
    ("label", "name"),
    [
        ("beta-carotene", "β-Carotene"),
        ("BETA\u2010carotene", "β-Carotene"),
        ("γ-Tocopherol", "Gamma-tocopherol"),
        ("(+)-alpha-pinene", "(+)-α-pinene"),
        ("N(omega)-hydroxy-nor-l-arginine", "N(ω)-hydroxy-nor-l-arginine"),
        ("4'-O-x", "4′-O-x"),
        ("**Usnea testalis**", "Usnea testalis"),
        ("“usnea testalis”", "usnea testalis"),
        ("`beta-carotene`", "β-Carotene"),
        ("β-pinene", None),
        ("α-tocopherol", None),
        ("alphabeta", None),
        ("**", None),
        ("", None),
    ],
)
def test_a_name_is_that_of_the_text_however_its_greek_letters_are_written_or_it_is_marked(label, name):
    assert name_in(GREEK, label) == name
    kept, left_out = split_named(GREEK, [("Usnea testalis", label)])
    assert (kept, left_out) == (([("Usnea testalis", name)], []) if name else ([], [("Usnea testalis", label)]))


def test_relations_have_the_names_of_the_text_and_what_was_left_out_is_told():
    document = make_document("1", "T.", GREEK, [])
    written = "**Usnea testalis** produces **beta-carotene**; Usnea testalis produces δ-carotene"
    prediction = read_answer(document, Generation("1", written, "stop", 9), load_style("classic"), names_from_text=True)
    assert [(r.organism, r.chemical) for r in prediction.relations] == [("Usnea testalis", "β-Carotene")]
    assert {e.role for e in prediction.relations[0].evidence} == {"organism", "chemical"}
    assert prediction.extra["left_out"] == [["Usnea testalis", "produces", "δ-carotene"]]
    assert prediction.extra["not_in_text"] == 1
