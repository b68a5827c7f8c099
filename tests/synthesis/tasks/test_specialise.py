"""A round of self-specialisation, with answers as a model might give them."""

import pytest

from abroad.core.context import Context
from abroad.core.errors import InputError
from abroad.core.schema import Document, Entity
from abroad.engines.base import Generation
from abroad.synthesis.tasks.specialise import SpecialiseSettings, next_round, specialise
from abroad.text.retrieval import Bm25Index

SEED = Document(
    "s1",
    "Flavonoids of Ruta graveolens",
    "Rutin was isolated from Ruta graveolens.",
).with_products([Entity("o", "Ruta graveolens")], [Entity("c", "rutin")], [("o", "c")])
CORPUS = [
    Document("a", "Aspergillus terreus", "Lovastatin was isolated from Aspergillus terreus."),
    Document("b", "Quinine in bark", "Quinine was isolated from Cinchona officinalis."),
    Document("c", "Weather", "It rained on Tuesday."),
]


class Scripted:
    """Answers prompts by their kind: a task for an input, an answer to a task."""

    def __init__(self, instruct, answer):
        self.instruct, self.answer, self.asked = instruct, answer, []

    def generate(self, requests):
        for request in requests:
            self.asked.append(request)
            say = self.answer if request.prompt.endswith("Answer:") else self.instruct
            yield Generation(request.id, say(request), "stop", tokens=5)


def run(engine, tmp_path, count, previous=(), corpus=CORPUS):
    settings = SpecialiseSettings(count=count, retrieve=1)
    return specialise([SEED], corpus, engine, {"model": "scripted"}, settings, tmp_path, Context(), previous)


def test_an_answer_stays_if_all_it_names_was_retrieved(tmp_path):
    tasks = {
        "r1-0": " Name the compound of this fungus.",
        "r1-1": " Which alkaloid does this bark contain?",
        "r1-2": " Why?",
        "r1-3": " Does Penicillium notatum produce what is described?",
    }

    def answer(request):
        if "Lovastatin was isolated" in request.prompt:
            return " Lovastatin was isolated from Aspergillus terreus."
        return " Penicillin was isolated from Penicillium notatum."

    result = run(Scripted(lambda request: tasks[request.id], answer), tmp_path, 4, corpus=CORPUS[:1])
    assert [(task["output"], task["context"], task["round"]) for task in result.tasks] == [
        ("Lovastatin was isolated from Aspergillus terreus.", ["a"], 1)
    ] * 2
    assert result.reasons() == {"instruction too short": 1, "asks about what the abstracts do not name": 1}
    assert (result.grounded, result.grounded_without) == (1.0, 0.0)


def test_prompts_show_seeds_and_end_with_an_unlabelled_abstract(tmp_path):
    engine = Scripted(lambda request: " Name the compound of this fungus.", lambda request: " Lovastatin.")
    run(engine, tmp_path, 1, corpus=CORPUS[:1])
    instruct, with_context, without = [request.prompt for request in engine.asked]
    assert "Ruta graveolens" in instruct and instruct.endswith("Input: Aspergillus terreus\nTask:")
    assert CORPUS[0].text in with_context and CORPUS[0].text not in without
    assert with_context.count("Answer:") == without.count("Answer:") == 2


def test_near_duplicates_go_in_a_second_round_too(tmp_path):
    engine = Scripted(lambda request: " Name the compound of this fungus.", lambda request: " Lovastatin.")
    first = run(engine, tmp_path / "1", 3, corpus=CORPUS[:1])
    assert len(first.tasks) == 1 and first.reasons() == {"near-duplicate": 2}
    with pytest.raises(InputError, match="new instruction"):
        run(engine, tmp_path / "2", 3, previous=first.tasks, corpus=CORPUS[:1])


def test_a_killed_round_goes_on(tmp_path):
    engine = Scripted(lambda request: " Name the compound of this fungus.", lambda request: " Lovastatin.")
    first = run(engine, tmp_path, 2)
    asked = len(engine.asked)
    assert run(engine, tmp_path, 2) == first and len(engine.asked) == asked


def test_a_third_round_is_refused():
    assert next_round([]) == 1 and next_round([{"round": 1}]) == 2
    with pytest.raises(InputError, match="two rounds"):
        next_round([{"round": 1}, {"round": 2}])


def test_seeds_without_relations_are_refused(tmp_path):
    with pytest.raises(InputError, match="none of the seed documents has a relation"):
        specialise([CORPUS[0]], CORPUS, None, {}, SpecialiseSettings(), tmp_path, Context())


def test_bm25_finds_the_abstract_with_the_words_and_leaves_out_one():
    index = Bm25Index(CORPUS)
    assert [document.id for document in index.nearest("lovastatin of Aspergillus", 2)] == ["a"]
    assert index.nearest("lovastatin", 2, leave_out="a") == [] and index.nearest("of the", 2) == []
    with pytest.raises(InputError, match="no documents"):
        Bm25Index([])
