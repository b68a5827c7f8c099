"""From documents with relations to prompt records: several for each, each with findings of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from random import Random
from typing import Any

from abroad.core.context import Context
from abroad.core.errors import InputError
from abroad.core.field import Field, find_field
from abroad.core.schema import Document
from abroad.synthesis.prompts.findings import Findings, express_findings
from abroad.synthesis.prompts.guides import TopicDraw, guide_of, load_guide
from abroad.synthesis.prompts.keywords import extract_keywords
from abroad.synthesis.prompts.settings import InstructSettings
from abroad.synthesis.prompts.styles import Brief, make_prompt

_POOL = 3  # keywords are drawn from this many times as many, so that prompts of a document differ


def instruct(
    documents: Sequence[Document],
    settings: InstructSettings,
    context: Context | None = None,
    find_keywords: Callable[[Sequence[Document]], list[list[str]]] | None = None,
) -> Iterator[dict[str, Any]]:
    """Yield the prompt records of the documents that have relations and an abstract; the same for the same seed.

    The record of prompt n of document D has id "D-n" and the fields of the
    document that will be: title, entities and relations that its findings
    state, `source` = D, and what `generate_abstracts` needs.

    Args:
        context: its rejects are the documents that have relations but no abstract to take keywords from.
        find_keywords: gives the keywords of each document; without it statistics do (`extract_keywords`).
    """
    of = field_of(settings)
    of.check_documents(documents, "documents")
    guide = guide_of(settings.principles)
    topics = TopicDraw(guide or load_guide(), settings.seed) if settings.topics else None
    related = [d for d in documents if d.relations and (d.abstract.strip() or not settings.keywords)]
    for document in documents:
        if context is not None and settings.keywords and document.relations and not document.abstract.strip():
            context.rejects.add(document.id, "no abstract to take keywords from; --keywords 0 asks for none")
    pools = _keywords(related, settings, find_keywords)
    for document, pool in zip(related, pools, strict=True):
        for number in range(1, settings.prompts_per_document + 1):
            draw = Random(f"{settings.seed}:{document.id}:{number}")
            topic = topics.next(document) if topics else None
            findings = express_findings(document, draw, of=of)
            keywords = draw.sample(pool, min(settings.keywords, len(pool)))
            brief = Brief(document.title, keywords, findings.text, topic, guide, of)
            yield _record(document, number, findings, brief, draw, settings)


def _keywords(
    documents: Sequence[Document],
    settings: InstructSettings,
    find: Callable[[Sequence[Document]], list[list[str]]] | None,
) -> list[list[str]]:
    if not settings.keywords:
        return [[] for _ in documents]
    return find(documents) if find else extract_keywords(documents, _POOL * settings.keywords)


def _record(
    document: Document, number: int, findings: Findings, brief: Brief, draw: Random, settings: InstructSettings
) -> dict[str, Any]:
    prompt = make_prompt(settings.style, brief, draw)
    of_guide = {
        "topic": [brief.topic.aim, brief.topic.technique] if brief.topic else None,
        "answer_after": prompt.answer_after or None,
        "one_paragraph": prompt.one_paragraph,
        "then": prompt.then,
        "avoid": list(brief.guide.names_of_exemplars()) if brief.guide else None,
    }
    low, high = settings.temperature
    return {
        "id": f"{document.id}-{number}",
        "source": document.id,
        "PMID": document.pmid,
        "ArticleTitle": document.title,
        "doi": document.doi,
        **_labels(findings, brief.field),
        "surfaces": findings.surfaces,
        "keywords": list(brief.keywords),
        "findings": findings.text,
        "prompt": prompt.text,
        "lead": prompt.lead,
        "temperature": round(draw.uniform(low, high), 2),
        "top_p": settings.top_p,
        "max_tokens": settings.max_new_tokens,
        "stop": list(prompt.stop),
        "seed": draw.randrange(2**31),
        **{key: value for key, value in of_guide.items() if value},
    }


def field_of(settings: InstructSettings) -> Field:
    """The field that prompts are of.

    Raises:
        InputError: a setting that knows natural products alone, beside another field.
    """
    found = find_field(settings.field)
    if found.is_built_in:
        return found
    if settings.principles == "default":
        raise InputError(
            f"principles: default: of natural products alone; expected a file of principles of the field {found.name}"
        )
    if settings.topics and not getattr(guide_of(settings.principles), "topics", None):
        raise InputError(
            "topics: our own are of natural products alone; expected 'principles', a file with topics of the field "
            f"{found.name}"
        )
    return found


def _labels(findings: Findings, of: Field) -> dict[str, Any]:
    """Entities and relations as a document's record has them."""
    if of.is_built_in:
        return {
            "organisms": [entity.to_dict() for entity in findings.heads],
            "chemicals": [entity.to_dict() for entity in findings.tails],
            "relations": [[triple.head, triple.tail] for triple in findings.relations],
        }
    named = (*findings.heads, *findings.tails, *findings.denied)
    entities = {entity.id: entity.to_dict(typed=True) for entity in named}
    return {"entities": list(entities.values()), "relations": [triple.to_dict() for triple in findings.relations]}
