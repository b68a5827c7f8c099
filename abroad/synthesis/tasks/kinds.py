"""Curated documents as instructions of several kinds: extract, verify, list, look up, and say that there is nothing.

One set over several tasks, the same number of each kind from each document where it has them, as
InvestLM (arXiv 2309.13064) and self-specialisation (arXiv 2310.00160) build theirs.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from random import Random

from abroad.core.schema import Document
from abroad.documents.instructions import Task
from abroad.extraction.generative.linearise import linearise

LONG = "long"
"""The kind of tasks over several documents."""
_LIST = "List every relation in the text as 'organism produces compound', separated by semicolons."
_TRIES = 4  # draws for each further task that a document may give
NOTHING = "The text reports no relation between an organism and a compound."


def make_tasks(documents: Sequence[Document], seed: int = 0, each: int = 1, origin: str = "") -> list[Task]:
    """Tasks of every kind that a document gives, in the order of the documents.

    A document without relations gives those whose answer is that there is nothing.

    Args:
        each: tasks of a kind at most, of a document that has so many different ones.
        origin: name of the source of the documents, by which tasks are balanced.
    """
    tasks = []
    for document in documents:
        draw = Random(f"{seed}:{document.id}")
        for kind, make in _KINDS.items():
            seen: set[tuple[str, str, str]] = set()
            for _ in range(1 if each == 1 else _TRIES * each):
                made = make(document, draw)
                if made is None or len(seen) == each:
                    break
                if made not in seen:
                    id = f"{document.id}-{kind}" + (f"-{len(seen) + 1}" if seen else "")
                    tasks.append(Task(id, kind, *made, source=document.id, origin=origin))
                    seen.add(made)
    return tasks


def long_tasks(documents: Sequence[Document], characters: int, seed: int = 0, origin: str = "") -> list[Task]:
    """Tasks over several documents read one after another, as long as the context that interpolation gives.

    Each has all relations of its documents as the answer, so that they must be found all over a long text.

    Args:
        characters: of a text, at most.
    """
    shuffled = [document for document in documents if document.text]
    Random(f"{seed}:long").shuffle(shuffled)
    tasks: list[Task] = []
    parts: list[Document] = []
    for document in [*shuffled, None]:
        full = document is None or sum(len(part.text) + 2 for part in parts) + len(document.text) > characters
        if full and len(parts) > 1:
            pairs = dict.fromkeys(pair for part in parts for pair in part.label_pairs())
            text = "\n\n".join(part.text for part in parts)
            answer = linearise(pairs) if pairs else NOTHING
            id = f"long-{len(tasks) + 1}"
            tasks.append(Task(id, LONG, _LIST, text, answer, "+".join(part.id for part in parts), origin))
        if document is not None:
            parts = [document] if full else [*parts, document]
    return tasks


def instruction_set(
    sources: Mapping[str, Sequence[Document]], count: int | None, seed: int = 0, long_characters: int = 0
) -> list[Task]:
    """Tasks of several sources, as equal in source and kind as can be.

    Args:
        sources: name -> documents.
        count: of the tasks; a document gives as many of a kind as that takes. None: one of each kind and document.
        long_characters: also tasks over several documents, of texts of so many characters; 0: none.
    """
    made: list[Task] = []
    for each in (1, 2, 4, 8):
        made = [task for name, documents in sources.items() for task in make_tasks(documents, seed, each, name)]
        for name, documents in sources.items():
            made += long_tasks(documents, long_characters, seed, name) if long_characters else []
        made = _distinct_ids(made, len(sources) > 1)
        if count is None or len(balanced(made, count, seed)) == count:
            break
    return balanced(made, count, seed) if count is not None else made


def _distinct_ids(tasks: Sequence[Task], several: bool) -> list[Task]:
    return [replace(task, id=f"{task.origin}:{task.id}") if several else task for task in tasks]


def kinds() -> list[str]:
    """Kinds of tasks of one document each."""
    return list(_KINDS)


_Made = tuple[str, str, str] | None


def _extract(document: Document, draw: Random) -> _Made:
    wording = draw.choice(
        [
            _LIST,
            "Which organism produces which compound? Answer with 'organism produces compound', one after another.",
        ]
    )
    return (wording, document.text, linearise(document.label_pairs())) if document.relations else None


def _empty(document: Document, draw: Random) -> _Made:
    return None if document.relations else (_LIST, document.text, NOTHING)


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
    """`count` tasks, as equal in source and kind as can be, drawn at random within each of these."""
    draw = Random(seed)
    groups: dict[tuple[str, str], list[Task]] = {}
    for task in tasks:
        groups.setdefault((task.kind, task.origin), []).append(task)
    for group in groups.values():
        draw.shuffle(group)
    return list(itertools.islice(_in_turn(list(groups.values())), count))


def _in_turn(groups: list[list[Task]]) -> Iterator[Task]:
    for row in itertools.zip_longest(*groups):
        yield from (task for task in row if task is not None)
