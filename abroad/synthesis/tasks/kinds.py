"""Curated documents as instructions of several kinds: extract, verify, list, look up, and say that there is nothing.

One set over several tasks, the same number of each kind from each document where it has them, as
InvestLM (arXiv 2309.13064) and self-specialisation (arXiv 2310.00160) build theirs.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from random import Random

from abroad.core.field import Field, built_in_field
from abroad.core.schema import Document
from abroad.documents.instructions import Task
from abroad.extraction.generative.notation import Notation
from abroad.synthesis.tasks.wording import words_of

LONG = "long"
"""The kind of tasks over several documents."""
_TRIES = 4  # draws for each further task that a document may give


def make_tasks(
    documents: Sequence[Document], seed: int = 0, each: int = 1, origin: str = "", field: Field | None = None
) -> list[Task]:
    """Tasks of every kind that a document gives, in the order of the documents.

    A document without relations gives those whose answer is that there is nothing.

    Args:
        each: tasks of a kind at most, of a document that has so many different ones.
        origin: name of the source of the documents, by which tasks are balanced.
        field: that the documents are of; by default natural products.
    Raises:
        InputError: documents of another field.
    """
    tasks, maker = [], _Maker(field or built_in_field())
    (field or built_in_field()).check_documents(documents, origin or "documents")
    for document in documents:
        draw = Random(f"{seed}:{document.id}")
        for kind, make in maker.kinds.items():
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


def long_tasks(
    documents: Sequence[Document], characters: int, seed: int = 0, origin: str = "", field: Field | None = None
) -> list[Task]:
    """Tasks over several documents read one after another, as long as the context that interpolation gives.

    Each has all relations of its documents as the answer, so that they must be found all over a long text.

    Args:
        characters: of a text, at most.
        field: that the documents are of; by default natural products.
    """
    maker = _Maker(field or built_in_field())
    shuffled = [document for document in documents if document.text]
    Random(f"{seed}:long").shuffle(shuffled)
    tasks: list[Task] = []
    parts: list[Document] = []
    for document in [*shuffled, None]:
        full = document is None or sum(len(part.text) + 2 for part in parts) + len(document.text) > characters
        if full and len(parts) > 1:
            text = "\n\n".join(part.text for part in parts)
            id, source = f"long-{len(tasks) + 1}", "+".join(part.id for part in parts)
            tasks.append(Task(id, LONG, maker.words.listing, text, maker.answer(parts), source, origin))
        if document is not None:
            parts = [document] if full else [*parts, document]
    return tasks


def instruction_set(
    sources: Mapping[str, Sequence[Document]],
    count: int | None,
    seed: int = 0,
    long_characters: int = 0,
    field: Field | None = None,
) -> list[Task]:
    """Tasks of several sources, as equal in source and kind as can be.

    Args:
        sources: name -> documents.
        count: of the tasks; a document gives as many of a kind as that takes. None: one of each kind and document.
        long_characters: also tasks over several documents, of texts of so many characters; 0: none.
        field: that the documents are of; by default natural products.
    """
    made: list[Task] = []
    for each in (1, 2, 4, 8):
        made = [task for name, documents in sources.items() for task in make_tasks(documents, seed, each, name, field)]
        for name, documents in sources.items():
            made += long_tasks(documents, long_characters, seed, name, field) if long_characters else []
        made = _distinct_ids(made, len(sources) > 1)
        if count is None or len(balanced(made, count, seed)) == count:
            break
    return balanced(made, count, seed) if count is not None else made


def _distinct_ids(tasks: Sequence[Task], several: bool) -> list[Task]:
    return [replace(task, id=f"{task.origin}:{task.id}") if several else task for task in tasks]


def kinds(field: Field | None = None) -> list[str]:
    """Kinds of tasks of one document each."""
    return list(_Maker(field or built_in_field()).kinds)


_Made = tuple[str, str, str] | None


class _Maker:
    """Makes the tasks of a field; each draws what it is about from one document."""

    def __init__(self, field: Field) -> None:
        self._notation, self.words = Notation(field), words_of(field)
        heads, tails = self.words.kinds
        self.kinds: dict[str, Callable[[Document, Random], _Made]] = {
            "extract": self._extract,
            "verify": self._verify,
            heads: self._heads,
            tails: self._tails,
            "source": self._source,
            "empty": self._empty,
        }

    def answer(self, documents: Sequence[Document]) -> str:
        """All relations of documents, each once; or that there is none."""
        triples = dict.fromkeys(triple for document in documents for triple in _triples(document))
        return self._notation.join(triples) or self.words.nothing

    def _extract(self, document: Document, draw: Random) -> _Made:
        wording = draw.choice([self.words.listing, self.words.asking])
        return (wording, document.text, self._notation.write(document)) if document.relations else None

    def _empty(self, document: Document, draw: Random) -> _Made:
        return None if document.relations else (self.words.listing, document.text, self.words.nothing)

    def _verify(self, document: Document, draw: Random) -> _Made:
        true = _triples(document)
        if not true:
            return None
        false = self._false(document, true)
        truth = not (false and draw.random() < 0.5)
        head, type, tail = draw.choice(true if truth else false)
        question = self.words.relations[type].verify.format(head=head, tail=tail)
        return question, document.text, "Yes." if truth else "No."

    def _false(self, document: Document, true: Sequence[_Triple]) -> list[_Triple]:
        """Relations between the document's entities that it does not state, of the types that it does."""
        known, field, found = set(true), self._notation.field, []
        for type in dict.fromkeys(type for _, type, _ in true):
            relation = field.relations[type]
            known |= set() if relation.directed else {(tail, name, head) for head, name, tail in true if name == type}
            heads, tails = ([e for e in document.entities if e.type in side] for side in (relation.head, relation.tail))
            pairs = ((head, tail) for head, tail in itertools.product(heads, tails) if head is not tail)
            found += [(head.label, type, tail.label) for head, tail in pairs]
        return [triple for triple in found if triple not in known]

    def _heads(self, document: Document, draw: Random) -> _Made:
        return self._side(document, draw, 0)

    def _tails(self, document: Document, draw: Random) -> _Made:
        return self._side(document, draw, 2)

    def _side(self, document: Document, draw: Random, side: int) -> _Made:
        triples = _triples(document)
        if not triples:
            return None
        type = _one_type(triples, draw)
        asked = self.words.relations[type]
        names = dict.fromkeys(triple[side] for triple in triples if triple[1] == type)
        return asked.tails if side else asked.heads, document.text, "; ".join(names)

    def _source(self, document: Document, draw: Random) -> _Made:
        triples = _triples(document)
        if not triples:
            return None
        _, type, tail = draw.choice(triples)
        names = dict.fromkeys(head for head, *other in triples if other == [type, tail])
        return self.words.relations[type].source.format(tail=tail), document.text, "; ".join(names)


_Triple = tuple[str, str, str]


def _triples(document: Document) -> list[_Triple]:
    """The relations as (head label, type, tail label), in order."""
    ends = zip(document.relations, document.label_pairs(), strict=True)
    return [(head, triple.type, tail) for triple, (head, tail) in ends]


def _one_type(triples: Sequence[_Triple], draw: Random) -> str:
    types = list(dict.fromkeys(type for _, type, _ in triples))
    return draw.choice(types) if len(types) > 1 else types[0]


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
