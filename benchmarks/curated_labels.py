"""Makes data/curated from the labelled abstracts: names, offsets and hashes, and no text.

Run: python benchmarks/curated_labels.py ../shared/data/field data/curated
The same input gives the same bytes. The labelled abstracts themselves are not shipped.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

from abroad.core.io import write_jsonl
from abroad.core.schema import Document, Entity
from abroad.documents.curated.labels import Labels, normal, plain_doi, text_sha256, words_sha256
from abroad.documents.curated.locate import Locator

BY_SOURCE = "by source: documents, relations, without relations"
FILES = {"labelled.json": "labels.jsonl", "labelled_locked.json": "locked_for_scoring_only.jsonl"}


def without_text(document: Document) -> Labels:
    """The labels of a document, with offsets into its text in normal form."""
    title, abstract = normal(document.title), normal(document.abstract)
    locator = Locator(f"{title} {abstract}")
    # One record has its DOI in the place of the PMID.
    pmid = document.pmid if (document.pmid or "").isdigit() else None
    doi = document.doi or (None if pmid else document.pmid)
    return Labels(
        id=document.id,
        pmid=pmid,
        doi=plain_doi(doi),
        source=document.extra["source"],
        text_sha256=text_sha256(title, abstract),
        title_sha256=words_sha256(title),
        abstract_sha256=words_sha256(abstract),
        organisms=[_with_spans(entity, locator.organism(entity.label)) for entity in document.organisms],
        chemicals=[_with_spans(entity, locator.chemical(entity.label)) for entity in document.chemicals],
        relations=document.pairs,
    )


def _with_spans(entity: Entity, spans: list[tuple[int, int]]) -> Entity:
    return replace(entity, extra={**entity.extra, "spans": [list(span) for span in spans]})


def counts(labels: list[Labels]) -> dict[str, object]:
    """What data/curated/README.md states."""
    chemicals = [entity for item in labels for entity in item.chemicals]
    organisms = [entity for item in labels for entity in item.organisms]
    return {
        "documents": len(labels),
        "relations": sum(len(item.relations) for item in labels),
        "without relations": sum(not item.relations for item in labels),
        "organisms": len(organisms),
        "chemicals": dict(Counter(entity.extra["type"] for entity in chemicals)),
        "organisms without a span": sum(not entity.extra["spans"] for entity in organisms),
        "chemicals without a span": sum(not entity.extra["spans"] for entity in chemicals),
        "abstract alone": sum(item.title_sha256 is None for item in labels),
        "PMID": sum(item.pmid is not None for item in labels),
        "DOI alone": sum(item.pmid is None and item.doi is not None for item in labels),
        "neither": sum(item.pmid is None and item.doi is None for item in labels),
        BY_SOURCE: {
            source: (
                sum(item.source == source for item in labels),
                sum(len(item.relations) for item in labels if item.source == source),
                sum(item.source == source and not item.relations for item in labels),
            )
            for source in sorted({item.source for item in labels})
        },
    }


def main(field: Path, out: Path) -> None:
    for origin, name in FILES.items():
        records = json.loads((field / origin).read_text(encoding="utf-8"))
        documents = [Document.from_dict(record, key) for key, record in sorted(records.items())]
        labels = [without_text(document) for document in documents]
        write_jsonl(out / name, (item.to_dict() for item in labels))
        print(name, json.dumps(counts(labels), indent=1))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
