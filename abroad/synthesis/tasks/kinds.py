"""Curated documents as instructions of several kinds: extract, verify, list, look up, and say that there is nothing.

One set over several tasks, the same number of each kind from each document where it has them, as
InvestLM (arXiv 2309.13064) and self-specialisation (arXiv 2310.00160) build theirs.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from random import Random

from abroad.core.schema import Document
from abroad.documents.instructions import Task
from abroad.extraction.generative.linearise import linearise

NOTHING = "The text reports no relation between an organism and a compound."


def make_tasks(documents: Sequence[Document], seed: int = 0) -> list[Task]:
    """Tasks of every kind that a document gives, one each, in the order of the documents.

    A document without relations gives those whose answer is that there is nothing.
    """
    tasks = []
    for document in documents:
        draw = Random(f"{seed}:{document.id}")
        for kind, make in _KINDS.items():
            made = make(document, draw)
            if made is not None:
                tasks.append(Task(f"{document.id}-{kind}", kind, *made, source=document.id))
    return tasks


def kinds() -> list[str]:
    """Names of all kinds of tasks."""
    return list(_KINDS)


_Made = tuple[str, str, str] | None


def _extract(document: Document, draw: Random) -> _Made:
    wording = draw.choice(
        [
            "List every relation in the text as 'organism produces compound', separated by semicolons.",
            "Which organism produces which compound? Answer with 'organism produces compound', one after another.",
        ]
    )
    return (wording, document.text, linearise(document.label_pairs())) if document.relations else None


def _empty(document: Document, draw: Random) -> _Made:
    wording = "List every relation in the text as 'organism produces compound', separated by semicolons."
    return None if document.relations else (wording, document.text, NOTHING)


def _verify(document: Document, draw: Random) -> _Made:
    pairs = document.label_pairs()
    if not pairs:
        return None
    false = _false_pairs(document)
    truth = not (false and draw.random() < 0.5)
    organism, chemical = draw.choice(pairs if truth else false)
    return (
        f"Does the text say that {organism} produces {chemical}? Answer yes or no.",
        document.text,
        "Yes." if truth else "No.",
    )


def _false_pairs(document: Document) -> list[tuple[str, str]]:
    true = set(document.label_pairs())
    labels = itertools.product((e.label for e in document.organisms), (e.label for e in document.chemicals))
    return [pair for pair in labels if pair not in true]


def _organisms(document: Document, draw: Random) -> _Made:
    names = list(dict.fromkeys(organism for organism, _ in document.label_pairs()))
    return ("List the organisms that compounds were isolated from.", document.text, "; ".join(names)) if names else None


def _compounds(document: Document, draw: Random) -> _Made:
    names = list(dict.fromkeys(chemical for _, chemical in document.label_pairs()))
    return (
        ("List the compounds that were isolated from an organism.", document.text, "; ".join(names)) if names else None
    )


def _source(document: Document, draw: Random) -> _Made:
    if not document.relations:
        return None
    chemical = draw.choice(document.label_pairs())[1]
    names = [organism for organism, other in document.label_pairs() if other == chemical]
    return f"Which organism produces {chemical}?", document.text, "; ".join(dict.fromkeys(names))


_KINDS: dict[str, Callable[[Document, Random], _Made]] = {
    "extract": _extract,
    "verify": _verify,
    "organisms": _organisms,
    "compounds": _compounds,
    "source": _source,
    "empty": _empty,
}


def balanced(tasks: Sequence[Task], count: int, seed: int = 0) -> list[Task]:
    """`count` tasks, as equal in kind as can be, drawn at random within each kind."""
    draw = Random(seed)
    groups: dict[str, list[Task]] = {}
    for task in tasks:
        groups.setdefault(task.kind, []).append(task)
    for group in groups.values():
        draw.shuffle(group)
    return list(itertools.islice(_in_turn(list(groups.values())), count))


def _in_turn(groups: list[list[Task]]) -> Iterator[Task]:
    for row in itertools.zip_longest(*groups):
        yield from (task for task in row if task is not None)
