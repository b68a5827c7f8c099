"""One record of labels and a text -> a document, if it is the text that was labelled.

Where the text is the same to the character, the offsets are taken as they are; where another source formatted it
differently, they are looked for again. A text that is another one is refused.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from abroad.core.schema import Document, Entity
from abroad.documents.curated.labels import Labels, Span, normal, text_sha256, words_sha256
from abroad.documents.curated.locate import Locator

_MIN_SHARE = 0.5  # of the labels that the labelled text names; one alone ("Streptomyces") may be in any text


class OtherText(Exception):
    """The text is not the one that was labelled; the message says why it was taken for another."""


@dataclass(frozen=True, slots=True)
class Joined:
    """A document made of labels and a text.

    Attributes:
        exact: whether the text is the labelled one to the character.
        lost: labels that the labelled text names and this one does not; their relations are kept.
    """

    document: Document
    exact: bool
    lost: list[str]


def join(labels: Labels, title: str, abstract: str, pmid: str | None = None, doi: str | None = None) -> Joined:
    """The document of a text.

    Its text is as it was labelled: in normal form, and without its title where the abstract was read alone.

    Args:
        pmid: of the record that the text comes from, where the labels have none; `doi` likewise.
    Raises:
        OtherText: neither title nor abstract has the words that were labelled, and too few of the labels are in them.
    """
    title, abstract = normal(title) if labels.title_sha256 else "", normal(abstract)
    exact = text_sha256(title, abstract) == labels.text_sha256
    organisms, chemicals, lost = labels.organisms, labels.chemicals, []
    if not exact:
        locator = Locator(f"{title} {abstract}")
        organisms, lost_organisms, named_organisms = _located(organisms, locator.organism)
        chemicals, lost_chemicals, named_chemicals = _located(chemicals, locator.chemical)
        lost = lost_organisms + lost_chemicals
        _check(labels, title, abstract, named_organisms + named_chemicals, len(lost))
    bare = Document(
        id=labels.id,
        title=title,
        abstract=abstract,
        pmid=labels.pmid or pmid,
        doi=labels.doi or doi,
        extra={
            "source": labels.source,
            "text_match": "exact" if exact else "found again",
            **({"labels_lost": lost} if lost else {}),
        },
    )
    return Joined(bare.with_products(organisms, chemicals, labels.relations), exact, lost)


def _located(entities: list[Entity], locate: Callable[[str], list[Span]]) -> tuple[list[Entity], list[str], int]:
    """The entities with spans of the new text, the labels it lost, and how many the labelled text names."""
    found, lost, named = [], [], 0
    for entity in entities:
        spans = locate(entity.label)
        found.append(replace(entity, extra={**entity.extra, "spans": [list(span) for span in spans]}))
        if entity.extra.get("spans"):
            named += 1
            if not spans:
                lost.append(entity.label)
    return found, lost, named


def _check(labels: Labels, title: str, abstract: str, named: int, lost: int) -> None:
    same_title = labels.title_sha256 is not None and words_sha256(title) == labels.title_sha256
    if same_title or words_sha256(abstract) == labels.abstract_sha256:
        return
    if not named:
        raise OtherText("another text than was labelled, and no label to know it by")
    if named - lost < _MIN_SHARE * named:
        raise OtherText(f"another text than was labelled: it names {named - lost} of {named} labels")
