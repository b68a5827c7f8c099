"""Instruction sets of the published sizes: several sources, a long-document kind, and topics that a model finds."""

from collections import Counter

import pytest
import yaml

from abroad.core.context import Context
from abroad.core.io import read_records, write_documents
from abroad.documents.instructions import Task, read_training_set
from abroad.engines.base import Generation
from abroad.synthesis.generation.writer import Writer
from abroad.synthesis.prompts.guides import load_guide
from abroad.synthesis.settings import SpecialiseSettings
from abroad.synthesis.tasks.kinds import LONG, balanced, instruction_set, kinds, long_tasks
from abroad.synthesis.tasks.specialise import specialise
from abroad.synthesis.tasks.topics import generate_topics, read_topics
from tests.conftest import make_document
from tests.synthesis.tasks.test_specialise import CORPUS, SEED


def studies(name, count, empty=0):
    """Documents with two organisms and three chemicals each, and some without any relation."""
    made = []
    for n in range(count):
        pairs = [(f"Ruta {name}{n}", f"rutin {name}{n}-{c}") for c in "ab"] + [
            (f"Salvia {name}{n}", f"salvinol {name}{n}")
        ]
        made.append(make_document(f"{name}{n}", f"Study {n}", "; ".join(" gave ".join(pair) for pair in pairs), pairs))
    return made + [
        make_document(f"{name}-empty{n}", "Assays", f"We compare plate reader {n}.", []) for n in range(empty)
    ]


def test_1335_tasks_come_of_the_documents_that_there_are_and_every_source_counts():
    """150 curated documents gave fewer than the published 1,335 where each kind was asked once."""
    sources = {"curated": studies("c", 150, 30), "reviews": studies("r", 40), "patents": studies("p", 60)}
    made = instruction_set(sources, 1335, long_characters=600)
    assert len(made) == 1335 and len({task.id for task in made}) == 1335
    assert len({(task.instruction, task.input) for task in made}) == 1335
    origins, by_kind = Counter(task.origin for task in made), Counter(task.kind for task in made)
    assert set(origins) == set(sources) and min(origins.values()) > 250
    assert set(by_kind) == {*kinds(), LONG}


def test_150_documents_alone_are_enough():
    assert len(instruction_set({"curated": studies("c", 150, 30)}, 1335)) == 1335


def test_a_small_source_is_not_swamped():
    tasks = instruction_set({"large": studies("l", 60), "small": studies("s", 6)}, 50)
    assert Counter(task.origin for task in tasks)["small"] >= 20


def test_a_long_task_has_the_relations_of_all_its_documents():
    documents = studies("d", 9)
    tasks = long_tasks(documents, 400)
    assert all(task.kind == LONG and len(task.input) <= 400 and "+" in task.source for task in tasks)
    used = [id for task in tasks for id in task.source.split("+")]
    assert len(used) == len(set(used))
    by_id = {document.id: document for document in documents}
    for task in tasks:
        parts = [by_id[id] for id in task.source.split("+")]
        assert all(part.text in task.input for part in parts)
        assert task.output.count(" produces ") == sum(len(part.relations) for part in parts)


def test_the_command_takes_several_files(cli, tmp_path):
    for name in ("one", "two"):
        write_documents(tmp_path / f"{name}.jsonl", studies(name, 8, 1))
    out = tmp_path / "i.jsonl"
    result = cli(
        "synth", "tasks", tmp_path / "one.jsonl", tmp_path / "two.jsonl", "--count", 60, "--long", 300, "--out", out
    )
    assert result.exit_code == 0, result.output
    tasks = read_training_set(out, Context())
    assert len(tasks) == 60 and {task.origin for task in tasks} == {"one", "two"} and any(t.kind == LONG for t in tasks)
    few = cli("synth", "tasks", tmp_path / "one.jsonl", "--count", 9999, "--out", tmp_path / "all.jsonl")
    assert few.exit_code == 0 and "different tasks of the 9999 asked for" in few.stderr


def test_without_origins_records_are_as_they_were():
    task = Task("1", "verify", "Is it?", "T", "Yes.")
    assert "origin" not in task.to_dict() and Task.from_dict(task.to_dict()) == task
    assert Task.from_dict({**task.to_dict(), "origin": "x"}).origin == "x"
    assert balanced([task], 1) == [task]


class Continuing:
    """Goes on with lists of topics, writes tasks and texts for them, and answers from the abstract that it is shown."""

    def __init__(self):
        self.asked = []

    def generate(self, requests):
        for request in requests:
            self.asked.append(request)
            yield Generation(request.id, self.answer(request.prompt), "stop", 5)

    def answer(self, prompt):
        number = len(self.asked)
        if "all different" in prompt.partition("\n")[0]:
            return " statins of fungi\n7. alkaloids of bark\n8. statins of fungi\n9. weather"
        if prompt.endswith("Task:"):
            return f" Name the compound number {number} of this organism, please."
        if prompt.endswith("Text:"):
            return f" In study {number} Aspergillus terreus was grown for two weeks and then looked at in detail."
        for document in CORPUS[:2]:
            if document.text in prompt:
                return " " + document.abstract
        return " Nothing."


def test_topics_are_found_by_the_model_and_what_was_shown_is_none():
    assert read_topics(" Statins of fungi.\n7. alkaloids of bark\n8) statins of fungi\n- x") == [
        "statins of fungi",
        "alkaloids of bark",
    ]


def test_a_list_is_continued_until_there_are_enough(tmp_path):
    engine = Continuing()
    found = generate_topics({"aims of studies": ["weather", "rust"]}, 2, Writer(engine, {}, tmp_path, Context()))
    assert found == {"aims of studies": ["statins of fungi", "alkaloids of bark"]}
    prompts = [request.prompt for request in engine.asked]
    assert all(p.startswith("Aims of studies, all different:\n1. ") and p.endswith("\n3.") for p in prompts)
    assert len({request.seed for request in engine.asked}) == len(prompts) > 1


def test_instructions_are_guided_by_topics_each_as_often(tmp_path):
    engine = Continuing()
    settings = SpecialiseSettings(count=20, topics=2, retrieve=1, similarity=1.0)
    result = specialise([SEED], CORPUS, engine, {}, settings, tmp_path, Context())
    prompts = [record for _, _, record in read_records(tmp_path / "instruction_prompts.jsonl")]
    types, topics = Counter(p["type"] for p in prompts), Counter(p["topic"] for p in prompts)
    assert set(types.values()) == {4} and set(topics.values()) == {10}
    assert all(f"Topic: {p['topic']}\n" in p["prompt"] for p in prompts)
    assert {p["about"] for p in prompts if p["topic"] == "alkaloids of bark"} == {"b"}  # the abstract near the topic
    assert result.tasks and {task["topic"] for task in result.tasks} <= set(topics)


def test_inputs_are_written_and_what_is_kept_is_equal_in_topic(tmp_path):
    engine = Continuing()
    settings = SpecialiseSettings(count=20, topics=2, retrieve=1, inputs="generated", keep=6, similarity=1.0)
    result = specialise([SEED], CORPUS, engine, {}, settings, tmp_path, Context())
    assert len(result.tasks) <= 6
    assert all("Aspergillus terreus was grown" in task["input"] for task in result.tasks)
    counts = Counter(task["topic"] for task in result.tasks)
    assert max(counts.values()) - min(counts.values()) <= 1


def test_a_guide_gets_topics_of_the_model_beside_its_own(cli, tiny_model, tmp_path):
    out = tmp_path / "own.yaml"
    result = cli("synth", "topics", "--model", tiny_model, "--count", 2, "--out", out)
    assert result.exit_code == 0, result.output
    own, given = load_guide(out), load_guide()
    assert own.principles == given.principles and own.exemplars == given.exemplars
    assert all(set(own.topics[kingdom].aims) >= set(topics.aims) for kingdom, topics in given.topics.items())
    assert list(yaml.safe_load(out.read_text())["topics"]) == list(given.topics)


def test_principles_are_reasoned_about_before_the_abstract_is_begun(documents, tmp_path):
    """In the completion style too: the check is the model's own, of each document, and is not trained on."""
    from abroad.core.io import write_jsonl
    from abroad.core.schema import Document
    from abroad.synthesis.generation.generate import generate_abstracts
    from abroad.synthesis.prompts.instruct import InstructSettings, instruct
    from abroad.synthesis.selection.select import select

    class Thinking(Continuing):
        def answer(self, prompt):
            if prompt.endswith("Check:"):
                return f" Both names are copied, thought {len(self.asked)} (3).\nAbstract: too much"[:-18]
            return " It was collected in the hills, dried in the shade, extracted with methanol and then fractionated."

    records = list(instruct(documents[:2], InstructSettings(principles="default", prompts_per_document=1)))
    write_jsonl(tmp_path / "p.jsonl", records)
    engine = Thinking()
    generate_abstracts(tmp_path / "p.jsonl", tmp_path / "a.jsonl", engine, Context(), {})
    written = [record for _, _, record in read_records(tmp_path / "a.jsonl")]
    checks = [record["check"] for record in written]
    assert len(set(checks)) == 2 and all(check.startswith("Both names are copied") for check in checks)
    second = [request.prompt for request in engine.asked if not request.prompt.endswith("Check:")]
    for prompt, record in zip(second, written, strict=True):
        assert prompt.endswith(f"Check: {record['check']}\nAbstract: {record['lead']}")
        assert record["AbstractText"].startswith(record["lead"]) and "thought" not in record["AbstractText"]
    kept = select([Document.from_dict(record) for record in written]).kept
    assert all(not {"check", "then"} & set(document.extra) for document in kept)


@pytest.mark.parametrize("keep", [0, 3])
def test_no_more_are_kept_than_wanted(tmp_path, keep):
    settings = SpecialiseSettings(count=8, retrieve=1, keep=keep, similarity=1.0)
    tasks = specialise([SEED], CORPUS[:1], Continuing(), {}, settings, tmp_path, Context()).tasks
    assert len(tasks) == (keep or 8)
