"""Documents that `abroad teach` labelled, as examples to learn from, weighted by how much its passes agree."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from abroad.core.context import Context
from abroad.core.schema import Document
from abroad.documents.splitting import publications
from abroad.extraction.builtin.candidates import label_key
from abroad.extraction.builtin.examples import Example
from abroad.extraction.builtin.fit import SYNTHETIC_WEIGHT


def silver_examples(
    documents: Iterable[Document], curated: Sequence[Document], context: Context, weight: float = SYNTHETIC_WEIGHT
) -> list[Example]:
    """An example of each document that is no publication of the curated ones; the others are set aside.

    Args:
        documents: with `agreement`, and what is not known of them, beside their relations; one that stands twice
            counts once.
        curated: documents that people have labelled, which is what counts.
        weight: of a document whose passes agree on everything.
    """
    usable = usable_silver(documents, curated, context, "[organism, chemical]", lambda names: len(names) == 2)
    return [_example(document, weight * document.extra["agreement"]) for document in usable]


def usable_silver(
    documents: Iterable[Document],
    curated: Sequence[Document],
    context: Context,
    form: str,
    fits: Callable[[list[str]], bool],
) -> Iterator[Document]:
    """Silver documents that are no publication of the curated ones; the others are set aside.

    Args:
        form: of what is disputed, for people.
        fits: whether names have this form.
    """
    silver = _each_once(documents, context)
    known = {
        number - len(curated)
        for group in publications([*curated, *silver])
        if group[0] < len(curated)
        for number in group
        if number >= len(curated)
    }
    for number, document in enumerate(silver):
        reason = "a curated document is the same publication" if number in known else _mistake(document, form, fits)
        if reason is None:
            yield document
        else:
            context.rejects.add(f"silver document {document.id}", reason)


def _each_once(documents: Iterable[Document], context: Context) -> list[Document]:
    given = list(documents)
    once: dict[tuple[str, str], Document] = {}
    for document in given:
        once.setdefault((document.id, document.text), document)
    if dropped := len(given) - len(once):
        context.rejects.notes.append(f"{dropped} silver documents stand more than once, and count once")
    return list(once.values())


def _example(document: Document, weight: float) -> Example:
    """What is not known of a document is not learnt: of one with an answer that was cut off, all that it leaves out."""
    if document.extra.get("cut_off"):
        example = Example(document, weight)
        return replace(example, judged=dict.fromkeys(example.gold, True))
    pairs = [*(document.extra.get("disputed") or ()), *(document.extra.get("left_out") or ())]
    return Example(document, weight, unknown=frozenset((label_key(pair[0]), label_key(pair[-1])) for pair in pairs))


def _mistake(document: Document, form: str, fits: Callable[[list[str]], bool]) -> str | None:
    """Why a document is not what `abroad teach` writes, or None."""
    agreement: Any = document.extra.get("agreement")
    if isinstance(agreement, bool) or not isinstance(agreement, int | float) or not 0 < agreement <= 1:
        return f"expected 'agreement', above 0 and at most 1, as `abroad teach` writes it; found {agreement!r}"
    for key in ("disputed", "left_out"):
        named = document.extra.get(key) or []
        if not isinstance(named, list) or not all(
            isinstance(names, list) and all(isinstance(name, str) for name in names) and fits(names) for names in named
        ):
            return f"expected {key!r} as a list of {form}"
    return None
