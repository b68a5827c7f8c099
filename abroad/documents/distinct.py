"""Documents of several files -> documents of distinct ids, without losing one that merely shares its number."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from abroad.core.context import Context
from abroad.core.resume import digest
from abroad.core.schema import Document
from abroad.core.scratch import FirstOf
from abroad.documents.file_documents import Item, Source


def distinct_items(found: Sequence[tuple[Source, Sequence[Item]]], context: Context) -> list[Item]:
    """The items of all sources, in order.

    Of one paper (the same PMID, or the same text) in several sources the first is kept. Where another paper has its
    id, both sources count for themselves: their records go by "file/id".
    """
    every = ((number, item) for number, (_, part) in enumerate(found) for item in part if isinstance(item, Document))
    clashing = clashing_sources(every) if len(found) > 1 else set()
    seen: set[str] = set()
    items: list[Item] = []
    shown: dict[str, str] = {}
    for number, (source, part) in enumerate(found):
        for item in part:
            if isinstance(item, Document):
                if number in clashing:
                    item = named_by_file(item, source, shown)
                if item.id in seen:
                    context.rejects.add(f"{source.name}: {item.id}", "the id stands in an earlier file too")
                    continue
                seen.add(item.id)
            items.append(item)
    note_named(shown, context)
    return items


def named_by_file(document: Document, source: Source, shown: dict[str, str]) -> Document:
    """A document of a source that clashes with another: by its file and id, unless its id is more than its file's.

    Args:
        shown: name of a source -> the first id that was made so; is filled.
    """
    if not _counts_in_its_file(document, source):
        return document
    document = replace(document, id=f"{source.stem}/{document.id}")
    shown.setdefault(source.name, document.id)
    return document


def note_named(shown: Mapping[str, str], context: Context) -> None:
    """Say in which sources documents go by their files."""
    if shown:
        context.rejects.notes.append(
            f"the same ids stand for different texts in {', '.join(shown)}: "
            f"there each record goes by its file and id ({', '.join(shown.values())}, ...)"
        )


def clashing_sources(documents: Iterable[tuple[int, Document]]) -> set[int]:
    """Numbers of the sources that share an id for different papers; what is remembered of each lies on disk.

    Args:
        documents: each with the number of its source.
    """
    clashing: set[int] = set()
    with FirstOf() as first:
        for number, document in documents:
            named = document.id == document.pmid
            before, text, same = first.setdefault(document.id, [number, digest(document.text), named])
            if before != number and text != digest(document.text) and not (named and same):
                clashing |= {before, number}
    return clashing


def _counts_in_its_file(document: Document, source: Source) -> bool:
    """Whether the id is one of its file alone: no PMID or DOI, nor named after the file already."""
    named = document.id == source.stem or document.id.startswith(f"{source.stem}-")
    return not named and document.id not in (document.pmid, document.doi)
