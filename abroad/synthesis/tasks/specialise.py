"""Self-specialisation: from a few seeds, new instructions by the model itself, answered with retrieved abstracts.

Kang et al., "Self-Specialization: Uncovering Latent Expertise within Large Language Models"
(arXiv 2310.00160). An answer stays only if everything it names (organisms and chemicals, or what
the field has) stands in what was retrieved; the share that does is reported with and without
retrieval. The model trained on the first round may make a second; a third only repeats the model's own words.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Any

from abroad.core.context import Context
from abroad.core.errors import InputError
from abroad.core.field import find_field
from abroad.core.helpers import helper, old_helper
from abroad.core.schema import Document
from abroad.documents.instructions import Task
from abroad.engines.base import Engine
from abroad.extraction.builtin.reading import LONGEST_TEXT
from abroad.synthesis.generation.writer import Writer
from abroad.synthesis.prompts.keywords import extract_keywords
from abroad.synthesis.selection.fidelity import stands_in
from abroad.synthesis.settings import SpecialiseSettings
from abroad.synthesis.tasks.grounding import Names, names_of
from abroad.synthesis.tasks.kinds import balanced, make_tasks
from abroad.synthesis.tasks.topics import generate_topics
from abroad.synthesis.tasks.wording import TaskWords, words_of
from abroad.text.near_duplicates import NearDuplicates
from abroad.text.retrieval import Bm25Index

ROUNDS = 2
_SHORTEST = 4  # words of an instruction
_SHORTEST_INPUT = 8  # words of a text that the model writes
_WITHOUT = "-plain"  # marks the same question asked without retrieval


@dataclass(frozen=True)
class Specialised:
    """What a round gave.

    Attributes:
        tasks: records of the instruction set: a `Task`, with `context` (ids of abstracts) and `round`.
        rejected: the others, with `reason`.
        grounded: share of finished answers that name something, all of it in the retrieved abstracts.
        grounded_without: the same without the abstracts in the prompt.
    """

    tasks: list[dict[str, Any]]
    rejected: list[dict[str, Any]]
    grounded: float
    grounded_without: float

    def reasons(self) -> dict[str, int]:
        return dict(Counter(record["reason"] for record in self.rejected).most_common())


def next_round(previous: Sequence[dict[str, Any]]) -> int:
    """The round that follows these records.

    Raises:
        InputError: two rounds are done.
    """
    number = 1 + max((int(record.get("round") or 1) for record in previous), default=0)
    if number > ROUNDS:
        raise InputError(f"two rounds are done; a third repeats the model's own words: at most {ROUNDS}")
    return number


def work_folder(out: Path) -> Path:
    """Where a round that writes `out` keeps generated texts; those of an earlier version are moved there."""
    old, work = old_helper(out, "work"), helper(out, "work")
    if not work.exists() and (old / "instruction_prompts.jsonl").is_file():
        work.parent.mkdir(parents=True, exist_ok=True)
        old.rename(work)
    return work


def specialise(
    seeds: Sequence[Document],
    corpus: Sequence[Document],
    engine: Engine,
    identity: dict[str, Any],
    settings: SpecialiseSettings,
    work: Path,
    context: Context,
    previous: Sequence[dict[str, Any]] = (),
) -> Specialised:
    """One round; generated texts are kept in `work`, so that a rerun goes on.

    Args:
        identity: what decides a text beside its prompt (engine, model).
        previous: records of the first round, for the second: near-duplicates of them go.
    Raises:
        InputError: a third round, seeds without relations, or of another field than the settings say.
    """
    number = next_round(previous)
    field = find_field(settings.field)
    field.check_documents([*seeds, *corpus], "documents")
    words, names = words_of(field), names_of(field, [*seeds, *corpus])
    if not any(document.relations for document in seeds):
        raise InputError("none of the seed documents has a relation; expected a handful of curated documents")
    examples = make_tasks(seeds, settings.seed, field=field)
    index = Bm25Index(corpus)
    titles = {document.id: _title(document) for document in seeds}
    writer = Writer(engine, identity, work, context)
    asked = _topics(seeds, writer, settings, words) if settings.topics else []
    prompts = _instruction_prompts(titles, corpus, examples, settings, number)
    prompts = [_headed(record, words) for record in _about_topics(prompts, asked, examples, index, titles)]
    instructions = writer.write(prompts, "instruction_prompts.jsonl", "instructions.jsonl")
    questions, rejected = _questions(instructions, examples, previous, settings)
    shown = [(task, titles[task.source]) for task in examples if task.kind not in ("empty", "verify")]
    if settings.inputs == "generated":
        questions = _with_inputs(questions, shown, writer, settings, words)
    prompts = [prompt for question in questions for prompt in _answer_prompts(question, shown, index, settings)]
    written = writer.write(prompts, "answer_prompts.jsonl", "answers.jsonl")
    texts = {document.id: document.text for document in corpus}
    answers = [_judged(record, texts, number, settings.inputs == "generated", names) for record in written]
    answers = _with_topics(answers, instructions)
    with_context = [answer for answer in answers if not answer["id"].endswith(_WITHOUT)]
    without = [answer for answer in answers if answer["id"].endswith(_WITHOUT)]
    return Specialised(
        tasks=_equalised([_clean(answer) for answer in with_context if not answer["reason"]], settings.keep),
        rejected=rejected + [answer for answer in with_context if answer["reason"]],
        grounded=_grounded_share(with_context),
        grounded_without=_grounded_share(without),
    )


def _title(document: Document) -> str:
    """The title, or the beginning of an abstract that has none: it stands for the text, so that prompts stay short."""
    return document.title or document.abstract[:120]


def _instruction_prompts(
    titles: dict[str, str],
    corpus: Sequence[Document],
    examples: Sequence[Task],
    settings: SpecialiseSettings,
    number: int,
) -> list[dict[str, Any]]:
    """Few-shot prompts that end with an unlabelled abstract's title, for which a task is to be found."""
    records = []
    for place in range(settings.count):
        draw = Random(f"{settings.seed}:{number}:{place}")
        shown = balanced(examples, settings.demonstrations, draw.randrange(2**31))
        draw.shuffle(shown)
        about = draw.choice(corpus)
        parts = [f"Input: {titles[task.source]}\nTask: {task.instruction}" for task in shown]
        records.append(
            {
                "id": f"r{number}-{place}",
                "prompt": "\n\n".join([*parts, f"Input: {_title(about)}\nTask:"]),
                "about": about.id,
                "input": _title(about),
                "temperature": settings.temperature,
                "top_p": 0.95,
                "max_tokens": settings.max_new_tokens,
                "stop": ["\n"],
                "seed": draw.randrange(2**31),
            }
        )
    return records


def _topics(
    seeds: Sequence[Document],
    writer: Writer,
    settings: SpecialiseSettings,
    words: TaskWords,
) -> list[tuple[str, str]]:
    """(type of question, topic) in the order in which they are asked about, each type as often as any other."""
    keywords = list(dict.fromkeys(word for found in extract_keywords(seeds, 3) for word in found))
    lists = dict.fromkeys(words.topics.values(), keywords)
    found = generate_topics(lists, settings.topics, writer, settings.seed, settings.temperature)
    by_type = {kind: found[what] or keywords for kind, what in words.topics.items()}
    most = max(map(len, by_type.values()))
    return [(kind, topics[place % len(topics)]) for place in range(most) for kind, topics in by_type.items()]


def _about_topics(
    prompts: list[dict[str, Any]],
    asked: Sequence[tuple[str, str]],
    examples: Sequence[Task],
    index: Bm25Index,
    titles: dict[str, str],
) -> list[dict[str, Any]]:
    """The prompts, each about the next type and topic: with examples of the type, and an abstract near the topic."""
    if not asked:
        return prompts
    guided = []
    for place, record in enumerate(prompts):
        kind, topic = asked[place % len(asked)]
        near = index.nearest(topic, 1)
        about = {"about": near[0].id, "input": _title(near[0])} if near else {}
        draw = Random(record["seed"])
        of_kind = [task for task in examples if task.kind == kind] or list(examples)
        shown = draw.sample(of_kind, min(3, len(of_kind)))
        parts = [f"Input: {titles[task.source]}\nTask: {task.instruction}" for task in shown]
        ask = f"Topic: {topic}\nInput: {about.get('input', record['input'])}\nTask:"
        guided.append({**record, **about, "topic": topic, "type": kind, "prompt": "\n\n".join([*parts, ask])})
    return guided


def _headed(record: dict[str, Any], words: TaskWords) -> dict[str, Any]:
    return {**record, "prompt": f"Tasks for readers of abstracts about {words.about}.\n\n{record['prompt']}"}


def _with_inputs(
    questions: Sequence[Task],
    shown: Sequence[tuple[Task, str]],
    writer: Writer,
    settings: SpecialiseSettings,
    words: TaskWords,
) -> list[Task]:
    """The questions, each with a text that the model writes for it; those that it writes none for keep the title."""
    prompts = []
    for question in questions:
        draw = Random(f"{settings.seed}:{question.id}:input")
        examples = draw.sample(list(shown), min(2, len(shown)))
        parts = [f"Task: {task.instruction}\nText: {' '.join(task.input.split())[:400]}" for task, _ in examples]
        ask = f"Task: {question.instruction}\nTitle: {question.input}\nText:"
        fields = {"temperature": settings.temperature, "top_p": 0.95, "max_tokens": 2 * settings.max_new_tokens}
        prompt = "\n\n".join([f"Texts about {words.about}, each for a task.", *parts, ask])
        prompts.append({"id": question.id, "prompt": prompt, "stop": ["\n"], "seed": draw.randrange(2**31), **fields})
    texts = writer.write(prompts, "input_prompts.jsonl", "inputs.jsonl")
    written = {record["id"]: record["AbstractText"].strip() for record in texts}
    return [
        replace(question, input=written[question.id])
        if len(written.get(question.id, "").split()) >= _SHORTEST_INPUT
        else question
        for question in questions
    ]


def _with_topics(answers: list[dict[str, Any]], instructions: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The answers, each with the topic of its instruction, where that has one."""
    topics = {record["id"]: record.get("topic", "") for record in instructions}
    found = ((answer, topics.get(answer["id"].removesuffix(_WITHOUT))) for answer in answers)
    return [{**answer, "topic": topic} if topic else answer for answer, topic in found]


def _equalised(tasks: list[dict[str, Any]], keep: int) -> list[dict[str, Any]]:
    """At most `keep` of the tasks, taken from their topics in turn; all of them for 0."""
    if not keep or len(tasks) <= keep:
        return tasks
    by_topic: dict[str, list[dict[str, Any]]] = {}
    for task in tasks:
        by_topic.setdefault(task.get("topic", ""), []).append(task)
    rows = itertools.zip_longest(*by_topic.values())
    return [task for row in rows for task in row if task is not None][:keep]


def _questions(
    generated: Sequence[dict[str, Any]],
    examples: Sequence[Task],
    previous: Sequence[dict[str, Any]],
    settings: SpecialiseSettings,
) -> tuple[list[Task], list[dict[str, Any]]]:
    """New instructions with their inputs, and what was set aside with its reason.

    Raises:
        InputError: there is no new one.
    """
    known = NearDuplicates(settings.similarity)
    for task in (*examples, *map(Task.from_dict, previous)):
        known.add(task.id, f"{task.instruction} {task.input}")
    questions: list[Task] = []
    rejected: list[dict[str, Any]] = []
    for record in generated:
        text, about = record["AbstractText"].strip(), record["input"]
        if len(text.split()) < _SHORTEST:
            reason = "instruction too short"
        elif record.get("finish_reason") == "length":
            reason = "cut off"
        elif known.add(record["id"], f"{text} {about}") is not None:
            reason = "near-duplicate"
        else:
            questions.append(Task(record["id"], "generated", text, about, "", record["about"]))
            continue
        rejected.append({"id": record["id"], "instruction": text, "input": about, "reason": reason})
    if not questions:
        raise InputError(
            f"none of the {settings.count} generated texts is a new instruction; "
            "expected a larger model, more seeds or a lower temperature"
        )
    return questions, rejected


def _answer_prompts(
    question: Task, examples: Sequence[tuple[Task, str]], index: Bm25Index, settings: SpecialiseSettings
) -> list[dict[str, Any]]:
    """The question with retrieved abstracts before it, and without."""
    found = index.nearest(f"{question.instruction} {question.input}", settings.retrieve)
    example, title = Random(f"{settings.seed}:{question.id}").choice(list(examples))
    shown = f"Input: {title}\nTask: {example.instruction}\nAnswer: {example.output}\n\n"
    context = "".join(f"Text: {document.text}\n" for document in found)
    ask = f"Input: {question.input}\nTask: {question.instruction}\nAnswer:"
    fields = {
        "instruction": question.instruction,
        "input": question.input,
        "source": question.source,
        "context": [document.id for document in found],
        "temperature": 0.0,
        "max_tokens": settings.max_new_tokens,
        "stop": ["\n"],
    }
    return [
        {"id": question.id, "prompt": f"Text: {example.input}\n{shown}{context}{ask}", **fields},
        {"id": question.id + _WITHOUT, "prompt": shown + ask, **fields},
    ]


def _judged(
    record: dict[str, Any], texts: dict[str, str], number: int, own_input: bool, known: Names
) -> dict[str, Any]:
    """The answer with why it cannot be used; an empty `reason` for a good one."""
    answer = record["AbstractText"].strip()
    context = " ".join(texts[id] for id in record["context"])
    short = max(len(answer), len(record["instruction"]), len(record["input"])) <= LONGEST_TEXT
    names = known.in_answer(answer) if short else []
    foreign = [name for name in names if not stands_in(name, context)]
    question = record["instruction"] + (f"\n{record['input']}" if own_input else "")
    asked = [name for name in known.in_question(question) if not stands_in(name, context)] if short else []
    if not answer:
        reason = "empty answer"
    elif not short:
        reason = "too long to be read"
    elif record.get("finish_reason") == "length":
        reason = "cut off"
    elif not record["context"]:
        reason = "nothing retrieved"
    elif answer.lower() in (record["input"].lower(), record["instruction"].lower()):
        reason = "repeats the question"
    elif asked:
        reason = "asks about what the abstracts do not name"
    elif foreign:
        reason = "names what the abstracts do not"
    elif not names:
        reason = "names nothing"
    else:
        reason = ""
    fields = {name: record[name] for name in ("id", "instruction", "input", "source", "context")}
    return {**fields, "output": answer, "kind": "generated", "round": number, "reason": reason, "foreign": foreign}


def _grounded_share(answers: Sequence[dict[str, Any]]) -> float:
    naming = [a for a in answers if a["reason"] in ("", "names what the abstracts do not")]
    return sum(not answer["reason"] for answer in naming) / len(naming) if naming else 0.0


def _clean(answer: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in answer.items() if name not in ("reason", "foreign")}
