"""Papers with their sections -> documents, the sections one after the other in the document's text.

The text of a document is its title, one space, and what stands in AbstractText, for all who count offsets: so a full
text stands there whole, its abstract first, and `sections` says where each section is, its heading included.
"""

from __future__ import annotations

from typing import Any

from abroad.core.errors import InputError
from abroad.core.schema import Document
from abroad.documents.images import IMAGES, SET_ASIDE
from abroad.documents.parts import SECTIONS
from abroad.sources.formats.full_text import FullText, Section

_ENDS = (".", ":", "?", "!")


def full_text_document(paper: FullText, stem: str) -> Document:
    """The document of a paper; it goes by its PMID, PMCID, DOI or own id.

    Args:
        stem: its id where it has none.
    Raises:
        InputError: it holds no text.
    """
    extra: dict[str, Any] = {"pmcid": paper.pmcid} if paper.pmcid else {}
    extra |= {"year": paper.year} if paper.year else {}
    extra |= {"retracted": True} if paper.retracted else {}
    text = paper.abstract
    if paper.sections:
        text, extra[SECTIONS] = _laid_out(paper)
    extra |= {IMAGES: list(paper.images)} if paper.images else {}
    extra |= {SET_ASIDE: list(paper.images_set_aside)} if paper.images_set_aside else {}
    id = paper.pmid or paper.pmcid or paper.doi or paper.id or stem
    if not paper.title.strip() and not text.strip():
        raise InputError("no title, no abstract and no section with text")
    return Document(id, paper.title, text, paper.pmid or None, paper.doi or None, extra=extra)


def _laid_out(paper: FullText) -> tuple[str, list[dict[str, Any]]]:
    """The text that follows the title, and where in the whole text each section stands."""
    first, texts, places = len(paper.title) + 1, list[str](), list[dict[str, Any]]()
    abstract = [Section("Abstract", (paper.abstract,))] if paper.abstract else []
    for number, section in enumerate([*abstract, *paper.sections]):
        heading = section.title.rpartition(" > ")[2] if number or not abstract else ""
        lead = f"{heading}{'' if heading.endswith(_ENDS) else ':'} " if heading else ""
        text = lead + "\n".join(section.paragraphs)
        places.append({"title": section.title, "start": first, "end": first + len(text)})
        texts.append(text)
        first += len(text) + 1
    return "\n".join(texts), places
