"""What an extractor is, what is known of one before it is loaded, and how documents go through it.

Documents go one by one; predictions are kept as they come, and a run goes on where it stopped.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from abroad.core.arguments import each_of
from abroad.core.errors import AbroadError, InputError, short
from abroad.core.io import read_predictions
from abroad.core.progress import Progress
from abroad.core.registry import Capability
from abroad.core.resume import ResumableOutput, digest
from abroad.core.schema import Document, Entity, Prediction


class Extractor(Protocol):
    """Anything that turns documents into predictions, one for each, in any order.

    One that reads more than the text may have `input_digest(document)`, which changes with all it reads.

    Attributes:
        identity: what must be equal for predictions of two runs to be mixed.
    """

    @property
    def identity(self) -> dict[str, Any]: ...

    def extract(self, documents: Sequence[Document]) -> Iterator[Prediction]:
        """Predictions as they are ready; a document that fails has one with `error`, and raises nothing."""
        ...


def each_by_itself(documents: Sequence[Document], predict: Callable[[Document], Prediction]) -> Iterator[Prediction]:
    """One prediction a document; what fails becomes the prediction's error."""
    for document in each_of(documents, "documents", Document):
        try:
            yield predict(document)
        except Exception as error:  # one bad document never ends the batch
            yield Prediction(document.id, error=f"{type(error).__name__}: {error}")


def predictions_of(extractor: Extractor, documents: Iterable[Document]) -> Iterator[Prediction]:
    """The predictions of documents, as they are ready: one for each, whoever wrote the extractor.

    Whatever runs an extractor goes through here. A document that the extractor leaves out has a prediction with
    `error`, so that it is counted as failed; what the extractor raises itself is its own.

    Args:
        extractor: any.
        documents: those whose ids are equal have as many predictions as they are.

    Raises:
        InputError: it gave what is no prediction, or one that it was not asked for; names the extractor.
    """
    documents = list(documents)
    waiting = Counter(document.id for document in documents)
    given = extractor.extract(documents)
    if not isinstance(given, Iterable):
        raise InputError(f"{name_of(extractor)}: `extract` gave {short(given)}, expected predictions")
    for prediction in given:
        if not isinstance(prediction, Prediction):
            raise InputError(f"{name_of(extractor)}: expected a Prediction from `extract`, found {short(prediction)}")
        if waiting.get(prediction.id, 0) == 0:
            another = "a second" if prediction.id in waiting else "a"
            what = f"{another} prediction of {short(prediction.id)}, which it was not asked for"
            raise InputError(f"{name_of(extractor)} gave {what}")
        waiting[prediction.id] -= 1
        yield prediction
    for document_id in waiting.elements():
        yield Prediction(document_id, error=f"{name_of(extractor)} gave no prediction of it")


def identity_of(extractor: Extractor) -> dict[str, Any]:
    """What must be equal for predictions of two runs to be mixed.

    Raises:
        InputError: the extractor does not say it, or not in what JSON can hold; names the extractor.
    """
    identity: Any = getattr(extractor, "identity", None)
    if not isinstance(identity, Mapping):
        found = "none" if identity is None else short(identity)
        raise InputError(f"{name_of(extractor)}: expected a mapping as `identity`, found {found}")
    try:
        json.dumps(identity)
    except (TypeError, ValueError) as error:
        raise InputError(f"{name_of(extractor)}: expected what JSON can hold as `identity`: {error}") from None
    return dict(identity)


def name_of(extractor: object) -> str:
    """An extractor as messages name it: what it calls itself, and the class to look at."""
    identity, kind = getattr(extractor, "identity", None), type(extractor)
    model = identity.get("model") if isinstance(identity, Mapping) else None
    where = f"{kind.__module__}.{kind.__qualname__}"
    return f"the extractor {model} ({where})" if isinstance(model, str) else f"the extractor {where}"


class OperatingPoint(Protocol):
    """What a threshold on the score gave on held-out documents.

    Attributes:
        threshold: the score.
        precision: in percent.
        recall: in percent.
        f1: in percent.
    """

    @property
    def threshold(self) -> float: ...

    @property
    def precision(self) -> float: ...

    @property
    def recall(self) -> float: ...

    @property
    def f1(self) -> float: ...


class CalibratedExtractor(Extractor, Protocol):
    """An extractor of a kind that is CALIBRATED.

    Attributes:
        point: what its threshold gave on held-out documents.
        points: what other thresholds gave, for `abroad extractor show`.
        min_score: its threshold.
        beside: a lower one, of what stands beside a surer relation of a document; None without.
        facts: how it was trained and what it scored, for people.
    """

    @property
    def point(self) -> OperatingPoint: ...

    @property
    def points(self) -> Sequence[OperatingPoint]: ...

    @property
    def min_score(self) -> float: ...

    @property
    def beside(self) -> float | None: ...

    @property
    def facts(self) -> Mapping[str, Any]: ...


class NamingExtractor(Extractor, Protocol):
    """An extractor of a kind with ENTITIES.

    Attributes:
        entity_types: all there are in its field.
    """

    @property
    def entity_types(self) -> Sequence[str]: ...

    def entities(self, document: Document) -> list[Entity]:
        """What the text of a document names, in a relation or not, with the spans of each."""
        ...


@dataclass(frozen=True)
class ExtractorKind:
    """A member of the registry of extractors: what is known of one before it is loaded.

    Attributes:
        description: for messages ("a language model").
        Settings: what can be set.
        capabilities: CALIBRATED, ENGINE, ENTITIES, LANGUAGE_MODEL.
        load: makes the extractor of a name or directory and settings of the class `Settings`.
        recognises: whether a directory is of this kind, from its files; nothing is loaded.
        own_settings: settings that a directory asks for itself; those that are given go before them.
        check: refuses a name with settings that is seen to be of no use before anything is loaded, by an `InputError`.
    """

    description: str
    Settings: type[Any]
    capabilities: Capability
    load: Callable[[str, Any], Extractor]
    recognises: Callable[[Path], bool] = lambda folder: False
    own_settings: Callable[[Path], Mapping[str, Any]] = lambda folder: {}
    check: Callable[[str, Any], None] = lambda name, settings: None


@dataclass(frozen=True)
class ExtractionReport:
    """What came of a run over documents.

    Attributes:
        documents: in the output.
        relations: in the output.
        resumed: documents found from an earlier run.
        failed: documents with an error.
        first_error: of the first of these, with its id; empty where there is none.
        malformed: parts of generated texts that could not be read.
        cut_off: generated texts that reached the budget of tokens.
    """

    documents: int
    relations: int
    resumed: int
    failed: int
    malformed: int
    cut_off: int
    first_error: str = ""


def refuse_if_all_failed(failed: int, documents: int, first_error: str) -> None:
    """End a run in which nothing at all could be extracted: "0 relations" would say that there are none.

    Raises:
        AbroadError: every document failed; says why the first did.
    """
    if documents and failed == documents:
        which = "the document" if documents == 1 else f"all {documents} documents"
        raise AbroadError(f"{which} failed: {first_error}")


def extract_documents(
    documents: Iterable[Document], extractor: Extractor, out: Path, earlier: Path | None = None
) -> ExtractionReport:
    """Write the prediction of each document to `out` (JSONL, in the documents' order).

    A document that fails gets a prediction with `error`; it never ends the run. What an earlier run of the same
    extractor left is kept.

    Args:
        documents: with ids of their own.
        extractor: any.
        out: the file; it appears when all is done.
        earlier: where an earlier version wrote the same predictions; this run goes on from them.

    Returns:
        Counts of what is in the output.
    """
    documents = list(documents)
    relations = 0
    input_digest = getattr(extractor, "input_digest", lambda document: digest(document.text))
    wanted = {document.id: input_digest(document) for document in documents}
    with ResumableOutput(out, identity_of(extractor), wanted, earlier=earlier) as output:
        todo = [document for document in documents if document.id not in output.done]
        resumed = len(documents) - len(todo)
        with Progress("extracting relations", len(documents), done=resumed) as progress:
            for prediction in predictions_of(extractor, todo):
                output.append(prediction.to_dict())
                relations += len(prediction.relations)
                progress.advance(note=f"{relations} relations")
    output.finish(order=wanted)
    predictions = read_predictions(out)
    first = next((prediction for prediction in predictions if prediction.error is not None), None)
    return ExtractionReport(
        documents=len(documents),
        relations=sum(len(prediction.relations) for prediction in predictions),
        resumed=resumed,
        failed=sum(prediction.error is not None for prediction in predictions),
        malformed=sum(prediction.extra.get("malformed", 0) for prediction in predictions),
        cut_off=sum(bool(prediction.extra.get("cut_off")) for prediction in predictions),
        first_error=f"{first.id}: {first.error}" if first is not None else "",
    )
