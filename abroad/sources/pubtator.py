"""Annotations of PubMed abstracts from PubTator3 (BioC JSON): species, chemicals, diseases, genes and others.

API: https://www.ncbi.nlm.nih.gov/research/pubtator3/api (3 requests a second at most, 100 PMIDs each);
BioC: Comeau et al. 2013, https://doi.org/10.1093/database/bat064. Offsets in BioC count from the start of the
document; they are kept only where our text has the same words there, else the words are looked for nearby.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from abroad.core.context import Context
from abroad.core.http import HttpSettings, JsonClient, NotThere, int_of, objects_of, part_of
from abroad.core.schema import Document
from abroad.sources.kept import KeptAnswers

BASE_URL = "https://www.ncbi.nlm.nih.gov/research/pubtator3-api"
RATE = 3.0
BATCH = 100
_NEARBY = 60  # characters that titles of two sources may differ by


@dataclass(frozen=True)
class Annotation:
    """A mention that PubTator3 marks.

    Attributes:
        start: offset in code points into `Document.text`.
        end: offset after the last code point.
        type: Species, Chemical, Disease, Gene, ...
        identifier: NCBI Taxonomy, MeSH, ...; empty if it has none.
    """

    start: int
    end: int
    text: str
    type: str
    identifier: str


def fetch_bioc(
    pmids: Sequence[str],
    kept: KeptAnswers,
    settings: HttpSettings | None = None,
    context: Context | None = None,
) -> dict[str, dict[str, Any]]:
    """PMID -> BioC document of those that PubTator3 has, asking for what is not kept from earlier runs.

    PubTator3 says of a PMID that it does not have either nothing, or 404 for the whole request: neither is kept.

    Raises:
        AbroadError: no answer, or nothing but 404; what came is kept.
    """
    settings, context = settings or HttpSettings(base_url=BASE_URL, rate=RATE), context or Context()
    found = kept.get(pmids)
    todo = [pmid for pmid in dict.fromkeys(pmids) if pmid not in found]
    with (
        JsonClient("PubTator3", settings, context) as client,
        context.progress("PubTator3 annotations", len(found) + len(todo), done=len(found)) as progress,
    ):
        asked = _Asked(client, bool(found))
        for start in range(0, len(todo), BATCH):
            batch = todo[start : start + BATCH]
            answer = asked.batch(batch)
            kept.put(answer)
            found |= answer
            progress.advance(len(batch))
    return {pmid: found[pmid] for pmid in dict.fromkeys(pmids) if pmid in found}


class _Asked:
    """Asks in batches; one that is answered by 404 is halved, since one unknown PMID may be the reason."""

    def __init__(self, client: JsonClient, understood: bool) -> None:
        self._client, self._understood = client, understood

    def batch(self, pmids: Sequence[str]) -> dict[str, dict[str, Any]]:
        try:
            entries = self._client.ask("publications/export/biocjson", _entries, {"pmids": ",".join(pmids)})
        except NotThere:
            if len(pmids) == 1:
                if not self._understood:  # then it may be the address, which no halving mends
                    raise
                return {}
            middle = len(pmids) // 2
            return self.batch(pmids[:middle]) | self.batch(pmids[middle:])
        self._understood = True
        return {pmid: entry for entry in entries if (pmid := _pmid(entry)) in pmids}


def _entries(status: int, answer: Any) -> list[dict[str, Any]]:
    """The documents of an answer; those that PubTator3 does not have are simply not among them."""
    if status != 200:
        raise ValueError
    return [dict(entry) for entry in answer["PubTator3"]]


def _pmid(entry: dict[str, Any]) -> str:
    return str(entry.get("pmid") or str(entry.get("id", "")).partition("|")[0])


def annotate(document: Document, bioc: dict[str, Any], context: Context) -> Document:
    """The document with a field `annotations`; mentions that its text does not hold are set aside."""
    found = []
    for raw in _mentions(bioc):
        annotation = _placed(raw, document.text)
        if annotation is None:
            context.rejects.add(f"PMID {document.pmid}", f"{raw.text!r} is not near {raw.start} in our text")
        else:
            found.append(annotation)
    found.sort(key=lambda entry: (entry.start, entry.end))
    extra = {**document.extra, "annotations": [asdict(entry) for entry in found]}
    return Document.from_dict({**document.to_dict(), **extra})


def _mentions(bioc: dict[str, Any]) -> Iterator[Annotation]:
    """The mentions of a BioC document; one whose place is no pair of numbers is left out."""
    for passage in objects_of(bioc, "passages"):
        for entry in objects_of(passage, "annotations"):
            identifier = part_of(entry, "infons", "identifier")
            for place in objects_of(entry, "locations"):
                start, length = int_of(place.get("offset", 0)), int_of(place.get("length", 0))
                if start is None or length is None:
                    continue
                yield Annotation(
                    start,
                    start + length,
                    str(entry.get("text") or ""),
                    str(part_of(entry, "infons", "type") or ""),
                    "" if identifier in (None, "-", "None") else str(identifier),
                )


def _placed(raw: Annotation, text: str) -> Annotation | None:
    """The annotation where its words stand: at its offset, or else nearest to it."""
    if not raw.text:
        return None
    low = max(raw.start - _NEARBY, 0)
    window = text[low : raw.end + _NEARBY]
    starts = [low + index for index in range(len(window)) if window.startswith(raw.text, index)]
    if not starts:
        return None
    start = min(starts, key=lambda index: abs(index - raw.start))
    return Annotation(start, start + len(raw.text), raw.text, raw.type, raw.identifier)
