"""Documents of a shard -> predictions with identifiers, in this process or in a worker of its own."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from abroad.core.errors import InputError
from abroad.core.helpers import helper
from abroad.core.io import write_json
from abroad.core.jsonl import read_jsonl
from abroad.core.provenance import peak_memory_mb
from abroad.core.resume import ResumableOutput, digest, exclusive
from abroad.core.schema import Document, Prediction
from abroad.core.shards import Shard
from abroad.documents.images import SET_ASIDE
from abroad.extraction.base import Extractor, identity_of
from abroad.extraction.full_texts import extracted

if TYPE_CHECKING:
    from abroad.linking.link import Linker

_COUNTS = "counts.json"
_MAX_SHOWN = 5


@dataclass
class Counts:
    """What came of some documents.

    Attributes:
        documents: with a prediction.
        relations: of them.
        failed: documents with an error.
        first_error: of the first of these, with its id; empty where there is none.
        malformed: parts of generated texts that could not be read.
        cut_off: generated texts that reached the budget of tokens.
        images_set_aside: images of documents that could not be shown.
        capped: labels of long lists that were left out.
        names_left_out: names that were not looked at, of documents that name too many.
        crowded: such documents.
        crowded_ids: of the first few.
        peak_memory_mb: of the process.
    """

    documents: int = 0
    relations: int = 0
    failed: int = 0
    first_error: str = ""
    malformed: int = 0
    cut_off: int = 0
    images_set_aside: int = 0
    capped: int = 0
    names_left_out: int = 0
    crowded: int = 0
    crowded_ids: list[str] = field(default_factory=list)
    peak_memory_mb: float = 0.0

    def add(self, prediction: Prediction) -> None:
        """Count a prediction."""
        extra = prediction.extra
        left_out = int(extra.get("names_left_out", 0))
        own = Counts(
            documents=1,
            relations=len(prediction.relations),
            failed=int(prediction.error is not None),
            first_error="" if prediction.error is None else f"{prediction.id}: {prediction.error}",
            malformed=int(extra.get("malformed", 0)),
            cut_off=int(bool(extra.get("cut_off"))),
            images_set_aside=len(extra.get(SET_ASIDE) or ()),
            capped=int(extra.get("capped", 0)),
            names_left_out=left_out,
            crowded=int(bool(left_out)),
            crowded_ids=[prediction.id] if left_out else [],
        )
        self.merge(own)

    def merge(self, other: Counts) -> None:
        """Add what came of other documents, after these."""
        for item in fields(self):
            mine, theirs = getattr(self, item.name), getattr(other, item.name)
            if item.name == "first_error":
                value = mine or theirs
            elif item.name == "crowded_ids":
                value = [*mine, *theirs][:_MAX_SHOWN]
            elif item.name == "peak_memory_mb":
                value = max(mine, theirs)
            else:
                value = mine + theirs
            setattr(self, item.name, value)


def counts_of(shards: Iterable[Shard]) -> Counts:
    """What came of shards that are done."""
    total = Counts()
    for shard in shards:
        total.merge(Counts(**json.loads(helper(shard.out, _COUNTS).read_text("utf-8"))))
    return total


@dataclass(frozen=True)
class Links:
    """Where identifiers come from; can be given to another process.

    Attributes:
        link: whether to add any: NCBI Taxonomy, the index, OPSIN if it is installed.
        index: of `abroad lotus prepare`.
    """

    link: bool = True
    index: Path | None = None

    def linker(self) -> Linker | None:
        """What adds them.

        Raises:
            InputError: no such index.
        """
        if not self.link:
            return None
        from abroad.linking.link import Linker
        from abroad.sources.name_index import NameIndex

        return Linker(NameIndex(self.index) if self.index is not None else None)


class ExtractJob:
    """Extracts shards in a process of its own; the extractor is made with the first.

    Args:
        make: makes the extractor.
        identity: of the extractor of the process that gave the job, which this one must have too.
        links: where identifiers come from.
    """

    def __init__(self, make: Callable[[], Extractor], identity: dict[str, Any], links: Links) -> None:
        self._make, self._identity, self._links = make, identity, links
        self._made: tuple[Extractor, Linker | None] | None = None

    def __call__(self, shard: Shard) -> int:
        """As `extract_shard`.

        Raises:
            InputError: the extractor is another than that of the first process.
        """
        if self._made is None:
            extractor = self._make()
            if json.dumps(identity_of(extractor), sort_keys=True) != json.dumps(self._identity, sort_keys=True):
                raise InputError("the extractor was changed while the run began; run the same command again")
            self._made = (extractor, self._links.linker())
        return extract_shard(shard, *self._made)


def extract_shard(
    shard: Shard, extractor: Extractor, linker: Linker | None, advance: Callable[[int], None] = lambda relations: None
) -> int:
    """Extract from the documents of one shard that have no prediction yet; how many these were.

    Another process that is at the same shard is waited for.

    Args:
        advance: is called for each document, with the number of its relations.
    """
    with exclusive(shard.inputs):
        if shard.done:
            return 0
        documents = [Document.from_dict(record) for record in read_jsonl(shard.inputs)]
        wanted = {document.id: input_digest(extractor, document) for document in documents}

        def refined(records: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
            predictions = [Prediction.from_dict(record) for record in records]
            if linker is not None:
                predictions = linker.link(documents, predictions)
            counts = Counts(peak_memory_mb=peak_memory_mb() or 0.0)
            for prediction in predictions:
                counts.add(prediction)
            write_json(helper(shard.out, _COUNTS), asdict(counts))
            return [prediction.to_dict() for prediction in predictions]

        with ResumableOutput(shard.out, identity_of(extractor), wanted) as output:
            todo = [document for document in documents if document.id not in output.done]
            for prediction in extracted(extractor, todo):
                output.append(prediction.to_dict())
                advance(len(prediction.relations))
        output.finish(order=wanted, refine=refined)
    return len(todo)


def input_digest(extractor: Extractor, document: Document) -> str:
    """What changes with all that an extractor reads of a document."""
    own: Callable[[Document], str] | None = getattr(extractor, "input_digest", None)
    return own(document) if own is not None else digest(document.text)
