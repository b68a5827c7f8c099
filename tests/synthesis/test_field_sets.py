"""Instruction sets, self-specialisation, the judge of selection and curation of any field; natural products as ever."""

import hashlib
import json

import pytest

from abroad.core.context import Context
from abroad.core.errors import InputError
from abroad.core.field import load_field
from abroad.core.io import read_documents, read_records, write_documents
from abroad.core.schema import Document, Entity, Triple
from abroad.engines.base import Generation
from abroad.extraction.fewshot.examples import DEFAULT
from abroad.synthesis.prompts.instruct import InstructSettings, instruct
from abroad.synthesis.prompts.model_keywords import ask_keywords
from abroad.synthesis.selection.known_names import KnownNames
from abroad.synthesis.selection.select import MORE, select
from abroad.synthesis.selection.validate import validate
from abroad.synthesis.settings import SpecialiseSettings
from abroad.synthesis.tasks.kinds import instruction_set, kinds, make_tasks
from abroad.synthesis.tasks.specialise import specialise
from abroad.synthesis.tasks.topics import guide_lists
from abroad.text.lexicon import Lexicon
from tests.synthesis.test_field import GENES, folder

__all__ = ["folder"]  # the fixture
SET = "596e7f5b56dca4ce"
ASKED = "7de6a56c49b71772"
"""Of commit ac97c2b, of our own examples."""


def digest(value):
    return hashlib.sha256(json.dumps(value).encode()).hexdigest()[:16]


def soil(id, *names):
    """A document: bacteria with a capital, pollutants without; each bacterium degrades each pollutant."""
    entities = [Entity(name, name, type="bacterium" if name[0].isupper() else "pollutant") for name in names]
    heads, tails = ([e.id for e in entities if e.type == type] for type in ("bacterium", "pollutant"))
    relations = [Triple(head, "degrades", tail) for head in heads for tail in tails]
    text = f"{' and '.join(heads)} degraded {', '.join(tails)} in soil columns that were followed by respirometry."
    return Document(id, f"Report {id}.", text, entities=entities, relations=relations)


SOILS = [
    soil("1", "Rhodia alba", "pyrene", "fluorene", "anthracene"),
    soil("2", "Testia prima", "toluene", "xylene", "benzene"),
    soil("3", "Hydria nova", "phenol", "cresol", "aniline"),
]


class Scripted:
    def __init__(self, answer):
        self.answer, self.asked = answer, []

    def generate(self, requests):
        for request in requests:
            self.asked.append(request.prompt)
            if request.prompt.endswith("Task:"):
                say = f" Which compounds does study {len(self.asked)} report from it?"
            else:
                say = "2. soil\n3. heat\n" if request.prompt.endswith(".") else self.answer
            yield Generation(request.id, say, "stop", tokens=5)


def test_the_set_of_natural_products_is_what_it_was():
    documents = read_documents(DEFAULT)
    tasks = instruction_set({"a": documents, "b": documents[:3]}, 60, 1, 3000)
    assert digest([task.to_dict() for task in tasks]) == SET


def test_what_is_asked_of_natural_products_is_what_it_was(tmp_path):
    documents, engine = read_documents(DEFAULT), Scripted(" Usnic acid.")
    settings = SpecialiseSettings(count=6, topics=2, inputs="generated", retrieve=2)
    specialise(documents[:4], documents[4:], engine, {"model": "x"}, settings, tmp_path, Context())
    assert digest(engine.asked) == ASKED


def test_tasks_of_another_field_are_asked_in_its_words(folder):
    field = load_field(folder / "f.yaml")
    (document,) = read_documents(folder / "docs.jsonl")
    made = {task.kind: task for task in make_tasks([document, Document("2", "Weather.", "It rained.")], field=field)}
    assert list(made) == [*kinds(field)] == ["extract", "verify", "heads", "tails", "source", "empty"]
    assert "'bacterium degrades pollutant'" in made["extract"].instruction
    assert made["extract"].output == "Rhodia alba degrades pyrene; Rhodia alba degrades fluorene"
    assert made["heads"].instruction == "List every bacterium that degrades a pollutant."
    assert (made["heads"].output, made["tails"].output) == ("Rhodia alba", "pyrene; fluorene")
    assert made["tails"].instruction == "List every pollutant that a bacterium degrades."
    assert made["source"].instruction in ("Which bacterium degrades pyrene?", "Which bacterium degrades fluorene?")
    assert made["empty"].output == "The text reports no relation between a bacterium and a pollutant."
    assert not any(word in task.instruction for task in made.values() for word in ("organism", "compound", "chemical"))


def test_what_an_undirected_relation_says_the_other_way_round_is_not_asked_as_false():
    entities = [Entity(name, name, type="gene") for name in ("ABC", "DEF", "GHI")]
    relations = [Triple("ABC", "binds", "DEF"), Triple("DEF", "blocks", "GHI")]
    document = Document("1", "", "Genes.", entities=entities, relations=relations)
    asked = {
        (task.instruction, task.output)
        for seed in range(300)
        for task in make_tasks([document], seed, field=GENES)
        if task.kind == "verify"
    }
    false = {question for question, answer in asked if answer == "No."}
    assert "Does the text say that GHI blocks DEF? Answer yes or no." in false
    assert "Does the text say that DEF binds ABC? Answer yes or no." not in false
    themselves = [f"{name} {verb} {name}" for name in ("ABC", "DEF", "GHI") for verb in ("binds", "blocks")]
    assert not any(each in question for question in false for each in themselves)


def test_tasks_and_answers_of_another_field_by_command(cli, folder):
    write_documents(folder / "soils.jsonl", SOILS)
    command = ["synth", "tasks", folder / "soils.jsonl", "--out", folder / "t.jsonl", "--long", 400]
    assert cli(*command, "--field", folder / "f.yaml").exit_code == 0
    records = [record for _, _, record in read_records(folder / "t.jsonl")]
    assert {record["kind"] for record in records} == {"extract", "verify", "heads", "tails", "source", "long"}
    refused = cli(*command)
    assert refused.exit_code == 2 and "soils.jsonl: not of the field natural_products" in refused.stderr


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (" Testia prima degrades toluene; Testia prima degrades xylene.", ""),
        (" toluene; xylene", ""),
        (" Testia prima", ""),
        (" Testia prima degrades hexane", "names what the abstracts do not"),
        (" toluene; hexane", "names what the abstracts do not"),
        (" It is said that many bacteria do so.", "names what the abstracts do not"),
        (" Yes.", "names nothing"),
    ],
)
def test_an_answer_of_another_field_stays_if_all_it_names_was_retrieved(folder, answer, reason):
    engine = Scripted(answer)
    settings = SpecialiseSettings(count=1, retrieve=1, field=folder / "f.yaml")
    found = specialise(SOILS[:1], SOILS[1:2], engine, {"model": "x"}, settings, folder, Context())
    assert [record["reason"] for record in found.rejected] == ([reason] if reason else [])
    assert len(found.tasks) == (not reason)
    assert engine.asked[0].startswith("Tasks for readers of abstracts about bacteria and pollutants.\n")


def test_topics_and_keywords_of_another_field_are_asked_in_its_words(folder, tmp_path):
    from abroad.synthesis.generation.writer import Writer
    from abroad.synthesis.prompts.guides import load_guide

    field, guide = load_field(folder / "f.yaml"), folder / "guide.yaml"
    guide.write_text("principles: [Be true.]\ntopics: {other: {aims: [soil], techniques: [respirometry]}}\n")
    assert list(guide_lists(load_guide(guide), field)) == [
        "aims of studies of bacteria and pollutants",
        "techniques of studies of bacteria and pollutants",
    ]
    settings = InstructSettings(field=folder / "f.yaml", principles=str(guide), topics=True, prompts_per_document=1)
    (record,) = instruct(read_documents(folder / "docs.jsonl"), settings)
    assert record["topic"] == ["soil", "respirometry"]
    engine = Scripted(" soil columns, respirometry")
    writer = Writer(engine, {"model": "x"}, tmp_path, Context())
    (words,) = ask_keywords(SOILS[:1], InstructSettings(field=folder / "f.yaml", keywords_by="model"), writer)
    assert words[:2] == ["soil columns", "respirometry"] and "Name no bacterium and no pollutant." in engine.asked[0]


def test_selection_sees_names_of_other_documents_that_a_text_was_not_asked_for():
    more = Document("1-1", "T.", SOILS[0].abstract + " Testia prima and Hydria nova ate benzene, cresol and phenol.")
    more.entities, more.relations, more.extra = SOILS[0].entities, SOILS[0].relations, {"source": "1"}
    (verdict,) = select([more], seeds=SOILS).verdicts
    assert MORE in verdict.reasons and set(verdict.extra) == {
        "Testia prima",
        "Hydria nova",
        "benzene",
        "cresol",
        "phenol",
    }
    same = Entity("MESH:1", "carbolic acid", type="pollutant"), Entity("MESH:1", "phenol", type="pollutant")
    one, other = (Document(str(n), "", "Phenol was eaten.", entities=[each]) for n, each in enumerate(same))
    assert KnownNames([one, other]).judge(one) == (1.0, [])  # another name of the same thing


def test_the_selector_is_judged_on_another_field():
    scores = {score.kind: (score.documents, score.right) for score in validate(SOILS)}
    assert scores == {
        "as curated": (3, 3),
        "a relation too many": (3, 3),
        "two thirds of the tails withheld": (3, 3),
        "another document's relations": (3, 3),
    }
    with pytest.raises(InputError, match="no document with relations of two tails"):
        validate([soil("1", "Rhodia alba", "pyrene")])


def test_names_are_found_as_whole_words_the_longest_first():
    lexicon = Lexicon(["acid", "usnic acid", "2,4-D", "ab"])
    assert lexicon.find("Usnic  acid and 2,4-d; abacids, acid.") == ["usnic acid", "2,4-D", "acid"]
    assert not Lexicon(["ab", "--"]) and Lexicon([]).find("acid") == []
