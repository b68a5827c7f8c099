"""Each document is silver, to be curated, or set aside with the reason, whatever its passes say."""

import json
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from abroad.core.context import Context
from abroad.core.io import read_documents
from abroad.core.resume import ResumableOutput
from abroad.engines.base import Generation
from abroad.extraction.fewshot.run import FewShotExtractor, FewShotSettings, Shots
from abroad.extraction.fewshot.styles import load_style
from abroad.synthesis.teaching.fewshot_passes import FewShotPass
from abroad.synthesis.teaching.passes import Teacher
from abroad.synthesis.teaching.settings import TeachSettings
from abroad.synthesis.teaching.teach import Files, teach
from tests.conftest import make_document

NAMES = ("usnic acid", "atranorin", "barbatic acid", "β-carotene", "emodin")
A, B, C, D, E = (f"Usnea testalis produces {name}" for name in NAMES)
INVENTED = "Usnea testalis produces inventic acid"


class Script:
    """An engine that answers the documents in the order they come, each by its own answer."""

    has_chat_template = False

    def __init__(self, answers):
        self.answers = answers

    def generate(self, requests):
        for request in requests:
            told = self.answers[request.id]
            text, reason = told if isinstance(told, tuple) else (told, "stop")
            if text is None:
                yield Generation(request.id, "", "error", 0, error="refused by the server")
            else:
                yield Generation(request.id, text, reason, 5, prompt_tokens=7)


class Keep:
    """A filter that keeps the first relation of a document, or none, or fails."""

    def __init__(self, what):
        self.what, self.identity = what, {"keep": what}

    def chooses(self, count):
        return count > 0

    def questions(self, document, relations):
        return [1]

    def longest(self, document):
        return [1]

    def __call__(self, documents, predictions):
        for prediction in predictions:
            prediction.error = "does not fit" if self.what == "fails" else None
            prediction.relations = prediction.relations[: self.what == "first"]
            yield prediction


def make_passes(answers):
    """A pass for each answer of a document; `answers` has those of one document a row."""
    return [
        FewShotPass(
            FewShotExtractor(
                Script({str(row): each[number] for row, each in enumerate(answers)}),
                load_style("classic"),
                FewShotSettings(shots=0, temperature=0.7, seed=number),
                Shots(),
                {"model": repr(answers)},
            )
        )
        for number in range(len(answers[0]))
    ]


def make_documents(count):
    text = f"{', '.join(NAMES)} were found in Usnea testalis."
    return [make_document(str(row), f"Report {row}.", text, []) for row in range(count)]


def label(folder, answers, keep=None, **given):
    """Teach, and say what became of the documents."""
    passes, documents = make_passes(answers), make_documents(len(answers))
    context, files = Context(), Files(folder / "silver.jsonl", folder / "disputed.jsonl")
    report = teach(documents, Teacher(passes, 4, keep), TeachSettings(passes=len(passes), **given), files, context)
    silver, doubtful = (
        {d.id: d for d in read_documents(path)} if path.exists() and path.read_text() else {}
        for path in (files.silver, files.curation)
    )
    return report, silver, doubtful, {item["where"]: item["reason"] for item in context.rejects.items}


relations = st.lists(st.sampled_from((A, B, C, D, E, INVENTED)), min_size=1, max_size=4)
texts = st.one_of(
    relations.map("; ".join),
    relations.map("\n".join),
    st.just("none"),
    st.sampled_from(("I'm sorry.", "<think>none", f"<think>{A}</think>\n\n{B}", f"Here they are:\n\n{A}", "", " ;")),
)
one_answer = st.one_of(st.just(None), texts, st.tuples(texts, st.just("length")))


@settings(max_examples=60, deadline=None)
@given(
    st.integers(2, 5)
    .flatmap(lambda passes: st.lists(st.lists(one_answer, min_size=passes, max_size=passes), min_size=1, max_size=4))
    .map(lambda rows: [[(None,) * 2 if each is None else each for each in row] for row in rows]),
    st.sampled_from((0.1, 0.5, 0.9, 1.0)),
    st.sampled_from((None, "first", "none", "fails")),
)
def test_no_document_vanishes(tmp_path_factory, answers, min_agreement, keep):
    folder = tmp_path_factory.mktemp("teach")
    report, silver, doubtful, rejects = label(
        folder, answers, Keep(keep) if keep else None, min_agreement=min_agreement
    )
    ids = {str(row) for row in range(len(answers))}
    assert report.silver + report.curation - report.both + report.set_aside + report.left == len(ids)
    assert (report.silver, report.curation, report.set_aside) == (len(silver), len(doubtful), len(rejects))
    assert report.both == len(silver.keys() & doubtful.keys()) and report.left == 0
    assert silver.keys() | doubtful.keys() | rejects.keys() == ids
    assert not rejects.keys() & (silver.keys() | doubtful.keys())
    for document in silver.values():
        told = document.extra
        assert min_agreement <= told["agreement"] <= 1
        if told.get("cut_off"):
            assert document.relations and told["agreement"] < 1
        if told.get("left_out"):
            assert told["agreement"] < 1
        assert not {tuple(pair) for pair in told["disputed"]} & set(document.label_pairs())


@pytest.mark.parametrize(
    ("passes", "where", "pairs"),
    [
        ([A, A, "none"], "curation", [A]),  # what two of three say, but they agree at a third
        ([A, A, "I'm sorry."], "silver", [A]),  # a minority that cannot be read
        ([A, A, None], "silver", [A]),
        (["none", "none", None], "silver", []),
        ([A, B, None], "curation", [A, B]),
        ([A, "I'm sorry."], "curation", [A]),  # nobody says it a second time
        (["none", None], "curation", []),
        ([A, None, "<think>none"], "curation", [A]),
        ([None, "<think>none"], "set aside", "refused"),
        ([INVENTED, INVENTED], "set aside", "both of its names in the text"),
        (["<think>" + A, "<think>none"], "set aside", "ends in its thoughts"),
        ([f"<think>{A}</think>none"] * 2, "silver", []),
        (["Let me see. I would say that"] * 2, "set aside", "'Let me see. I would say that'"),
    ],
)
def test_a_document_goes_where_most_of_all_its_passes_say(tmp_path, passes, where, pairs):
    row = [(None, "error") if each is None else each for each in passes]
    report, silver, doubtful, rejects = label(tmp_path, [row])
    found = {"silver": silver, "curation": doubtful, "set aside": rejects}
    assert {name for name, told in found.items() if told} == {where}
    if where == "set aside":
        assert pairs in rejects["0"] and rejects["0"].startswith("pass 1: ") and report.is_fruitless
        return
    document = found[where]["0"]
    assert [f"{head} produces {tail}" for head, tail in document.label_pairs()] == pairs
    unread = sum(each is None or each in ("I'm sorry.", "<think>none") for each in passes)
    if where == "curation":
        assert len(document.extra.get("unread", ())) == unread
    elif unread:
        assert document.extra["agreement"] == pytest.approx(1 - unread / len(passes), abs=1e-3)


@pytest.mark.parametrize(
    ("passes", "where", "pairs", "unknown"),
    [
        # The text states five; both answers end after the first, or half a name.
        ([f"{A}; Usnea testalis produces atra"] * 2, "silver", [A], []),
        ([f"{A}; {B}; {C}", f"{A}; {B}"], "silver", [A], [B]),  # B may be half a name
        ([f"{A}; {B};", f"{A}; {C};"], "silver", [A], [B, C]),  # what one lacks, it does not deny
        ([A, A], "set aside", [], []),  # whole, maybe, or half a name
        (["none", "none"], "set aside", [], []),  # the beginning of anything
        ([f"{A}; {A}; {A}; {A}; Usnea", f"{A}; {B}; {A}; {B}; Usnea"], "silver", [A], [B]),  # it goes round
    ],
)
def test_what_an_answer_that_was_cut_off_does_not_name_is_not_known(tmp_path, passes, where, pairs, unknown):
    report, silver, _, rejects = label(tmp_path, [[(each, "length") for each in passes]])
    assert ("0" in silver, "0" in rejects) == (where == "silver", where == "set aside")
    if where == "set aside":
        assert "cut off before a relation of it was whole" in rejects["0"]
        return
    document = silver["0"]
    said = [" produces ".join(pair) for pair in document.label_pairs()]
    assert said == pairs and [" produces ".join(pair) for pair in document.extra["disputed"]] == unknown
    goes_round = passes[0].count(A) > 2
    assert document.extra.get("cut_off") == (None if goes_round else 2) and report.cut_off == (not goes_round)
    assert document.extra["agreement"] == pytest.approx(2 / 3 if goes_round else 0.5, abs=1e-3) or unknown


def test_one_answer_of_two_that_was_cut_off_denies_nothing_and_weighs_less(tmp_path):
    _, silver, doubtful, _ = label(tmp_path, [[f"{A}; {B}", (f"{A}; Usn", "length")], ["none", ("none\nTh", "length")]])
    assert silver["0"].label_pairs() == [("Usnea testalis", "usnic acid")] and silver["0"].extra["cut_off"] == 1
    assert silver["0"].extra["disputed"] == [["Usnea testalis", "atranorin"]]
    assert silver["0"].extra["agreement"] == pytest.approx(0.75)  # not 2/3 and less: nobody knows what it would say
    assert doubtful.keys() == {"0", "1"}
    report, silver, doubtful, _ = label(tmp_path, [[(f"{A}; Usn", "length"), *["none"] * 4]], min_agreement=0.1)
    assert not silver and doubtful.keys() == {"0"} and report.disputed == 1  # it might have gone on to name more


def test_a_relation_with_a_name_that_the_text_has_not_is_told_and_shared_by_nobody(tmp_path):
    report, silver, _, _ = label(tmp_path, [[f"{A}; {INVENTED}", f"{A}; {INVENTED}"], [f"{D}", D.replace("β", "beta")]])
    assert silver["0"].extra["left_out"] == [["Usnea testalis", "inventic acid"]]
    assert silver["0"].extra["agreement"] == pytest.approx(0.5) and report.not_in_text == 2
    assert silver["1"].label_pairs() == [("Usnea testalis", "β-carotene")] and silver["1"].extra["agreement"] == 1


def test_where_nothing_can_be_used_an_earlier_result_stays(tmp_path):
    label(tmp_path, [[A, A]])
    before = (tmp_path / "silver.jsonl").read_text()
    report, *_ = label(tmp_path, [["Well.", "Well."], ["Well.", (None, "error")]])
    assert report.is_fruitless and report.set_aside == 2 and (tmp_path / "silver.jsonl").read_text() == before
    kept = [json.loads(line) for line in (tmp_path / "silver.jsonl.abroad" / "answers.jsonl").read_text().splitlines()]
    assert Counter(each["id"] for each in kept) == {"0": 2, "1": 2}


@pytest.mark.parametrize("is_finished", [True, False])
def test_answers_that_an_earlier_version_kept_are_not_asked_anew(tmp_path, is_finished):
    answers = [[A, A], [B, B]]
    passes, documents = make_passes(answers), make_documents(2)
    wanted = {f"{n}:{d.id}": each.input_digest(d) for n, each in enumerate(passes) for d in documents}
    former = {"teach": [each.identity | {"reading": 2} for each in passes]}
    with ResumableOutput(tmp_path / "silver.jsonl.abroad" / "answers.jsonl", former, wanted, key="key") as output:
        for number, each in enumerate(passes):
            for prediction in each.extract(documents if is_finished else documents[:1]):
                output.append({"key": f"{number}:{prediction.id}", "pass": number, **prediction.to_dict()})
    if is_finished:
        output.finish()
    report, silver, *_ = label(tmp_path, answers)
    assert report.resumed == (4 if is_finished else 2) and silver.keys() == {"0", "1"}
