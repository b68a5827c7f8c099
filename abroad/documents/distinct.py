"""Documents of several files -> documents of distinct ids, without losing one that merely shares its number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from abroad.core.context import Context
from abroad.core.schema import Document
from abroad.documents.file_documents import Item, Source


def distinct_items(found: Sequence[tuple[Source, Sequence[Item]]], context: Context) -> list[Item]:
    """The items of all sources, in order.

    Of one paper (the same PMID, or the same text) in several sources the first is kept. Where another paper has its
    id, both sources count for themselves: their records go by "file/id".
    """
    clashing = _clashing(found)
    seen: set[str] = set()
    items: list[Item] = []
    shown: dict[str, str] = {}
    for number, (source, part) in enumerate(found):
        for item in part:
            if isinstance(item, Document):
                if number in clashing and _counts_in_its_file(item, source):
                    item = replace(item, id=f"{source.stem}/{item.id}")
                    shown.setdefault(source.name, item.id)
                if item.id in seen:
                    context.rejects.add(f"{source.name}: {item.id}", "the id stands in an earlier file too")
                    continue
                seen.add(item.id)
            items.append(item)
    if shown:
        context.rejects.notes.append(
            f"the same ids stand for different texts in {', '.join(shown)}: "
            f"there each record goes by its file and id ({', '.join(shown.values())}, ...)"
        )
    return items


def _clashing(found: Sequence[tuple[Source, Sequence[Item]]]) -> set[int]:
    """Numbers of the sources that share an id for different papers."""
    first: dict[str, tuple[int, Document]] = {}
    clashing: set[int] = set()
    for number, (_, part) in enumerate(found):
        for item in part:
            if isinstance(item, Document):
                before, document = first.setdefault(item.id, (number, item))
                if before != number and document.text != item.text and not item.id == item.pmid == document.pmid:
                    clashing |= {before, number}
    return clashing


def _counts_in_its_file(document: Document, source: Source) -> bool:
    """Whether the id is one of its file alone: no PMID or DOI, nor named after the file already."""
    named = document.id == source.stem or document.id.startswith(f"{source.stem}-")
    return not named and document.id not in (document.pmid, document.doi)
