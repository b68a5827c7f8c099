"""Documents and predictions -> records of an Argilla server; pushed again, they are updated, never doubled.

Overlap (documents that two or more curators see) is a dataset of its own, NAME-overlap: Argilla's number of answers
that a record needs belongs to the dataset, not to the record. Which documents overlap follows from a hash of their
ids, so that it is the same on every push. A document that has an answer is left as it was shown.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from abroad.core.context import Context
from abroad.core.errors import InputError
from abroad.core.field import find_field
from abroad.core.registry import member_of
from abroad.core.schema import Document, Prediction
from abroad.core.settings import Count
from annotation.argilla.connection import explained
from annotation.argilla.order import CURATION_ORDERS, order_documents
from annotation.argilla.stored import stored_records
from annotation.argilla.target import TargetSettings
from annotation.argilla.task import TEXT, Card, make_record, task_settings, usable_predictions
from annotation.words import check_shown

if TYPE_CHECKING:
    from argilla import Argilla, Dataset

OVERLAP = "overlap"
_BATCH = 100  # records a request: what a killed push has to send again
_LONGEST_ID = 200


class PushSettings(TargetSettings):
    """Where and how documents are shown."""

    batch: str = Field("1", description="Name of this batch; curators can filter by it.")
    order: Annotated[str, member_of(CURATION_ORDERS)] = Field(
        "given", description="Which documents come first: given, gme, uncertainty or gme-uncertainty (their product)."
    )
    limit: Count | None = Field(None, description="Show the first so many only, in that order.")
    model: str = Field("abroad", description="Name of what made the predictions; curators see it.")
    field: Path | None = Field(None, description="File of the field of the documents; null: natural products.")


@dataclass
class PushReport:
    """What was shown to curators.

    Attributes:
        pushed: ids in the order shown.
        created: how many of them were new.
        updated: how many of them were there before.
        answered: ids left alone, since a curator has answered them.
        overlapping: how many of the pushed are shown to several curators.
    """

    pushed: list[str] = field(default_factory=list)
    created: int = 0
    updated: int = 0
    answered: list[str] = field(default_factory=list)
    overlapping: int = 0


def push(
    client: Argilla,
    documents: Sequence[Document],
    predictions: Sequence[Prediction],
    settings: PushSettings,
    context: Context,
    ranks: Mapping[str, int] | None = None,
) -> PushReport:
    """Show documents with their predictions to curators.

    Args:
        predictions: of some or all documents; one with an error, or of another text, is set aside.
        context: its rejects are what could not be pushed, with the reason.
        ranks: index of a PMID, DOI or id in a sample, by which documents are ordered.
    Raises:
        InputError: a setting does not fit, or no document is left.
        AbroadError: the server is away or refuses; what arrived is there, and the same push goes on.
    """
    _check(settings)
    known_field = find_field(settings.field)
    check_shown(documents, predictions, known_field)
    by_id = usable_predictions(documents, predictions, context, "pushed")
    ordered = order_documents(documents, by_id, settings.order, ranks)
    report = PushReport()
    with explained(client):
        ensure_workspace(client, settings.workspace)
        known: dict[str, tuple[str, bool]] = {}
        for name in (settings.dataset, f"{settings.dataset}-{OVERLAP}"):
            dataset = find_dataset(client, name, settings.workspace)
            if dataset is not None and dataset._model.status != "draft":
                known |= {record.id: (name, bool(record.answers)) for record in stored_records(client, dataset)}
    cards: dict[str, list[Card]] = {}
    for document in ordered:
        if settings.limit is not None and len(report.pushed) + len(report.answered) >= settings.limit:
            break
        if len(document.id) > _LONGEST_ID:
            context.rejects.add(f"document {document.id[:40]}...", f"the id is longer than {_LONGEST_ID} characters")
            continue
        name, answered = known.get(document.id, ("", False))
        if answered:
            report.answered.append(document.id)
            continue
        name = name or settings.dataset + (f"-{OVERLAP}" if is_overlap(document.id, settings.overlap) else "")
        rank = len(report.pushed)
        card = Card(document, by_id.get(document.id), settings.model, settings.batch, rank, field=known_field)
        cards.setdefault(name, []).append(card)
        report.pushed.append(document.id)
    if not report.pushed and not report.answered:
        raise InputError("no document to push")
    report.updated = sum(id in known for id in report.pushed)
    report.created = len(report.pushed) - report.updated
    report.overlapping = len(cards.get(f"{settings.dataset}-{OVERLAP}", ()))
    with context.progress("pushing documents", len(report.pushed)) as progress:
        for name, items in cards.items():
            needed = settings.curators if name.endswith(f"-{OVERLAP}") else 1
            send(client, name, settings.workspace, needed, items, progress.advance)
    return report


def send(
    client: Argilla,
    name: str,
    workspace: str,
    needed: int,
    cards: Sequence[Card],
    sent: Callable[[int], None] = lambda count: None,
) -> None:
    """Create or update the records of cards in a dataset, which is made if it is not there.

    Args:
        needed: answers that complete a record (of a new dataset).
    Raises:
        AbroadError: the server is away or refuses.
    """
    with explained(client):
        dataset = find_dataset(client, name, workspace)
        if dataset is not None and dataset._model.status == "draft":  # a push was killed before the first record
            dataset.delete()
            dataset = None
        if dataset is None:
            import argilla

            shown = task_settings(needed, cards[0].field)
            dataset = argilla.Dataset(name=name, workspace=workspace, settings=shown, client=client)
            dataset.create()
        elif TEXT not in [field.name for field in dataset.settings.fields]:
            raise InputError(f"the dataset {name!r} was not made by abroad: choose another name with --dataset")
        for start in range(0, len(cards), _BATCH):
            part = cards[start : start + _BATCH]
            with _quiet():
                dataset.records.log([make_record(card) for card in part], batch_size=len(part))
            sent(len(part))


def find_dataset(client: Argilla, name: str, workspace: str) -> Dataset | None:
    """The dataset of that name in the workspace, if there."""
    place = next((item for item in client.workspaces if item.name == workspace), None)
    if place is None:
        return None
    dataset = next((dataset for dataset in place.datasets if dataset.name == name), None)
    return None if dataset is None else dataset.get()


def ensure_workspace(client: Argilla, name: str) -> None:
    """Make a workspace if it is not there."""
    if all(item.name != name for item in client.workspaces):
        import argilla

        argilla.Workspace(name=name, client=client).create()


def is_overlap(id: str, share: float) -> bool:
    """Whether a document belongs to the share that several curators see; the same for the same id, always."""
    place = int.from_bytes(hashlib.sha256(id.encode()).digest()[:8], "big") / 2**64
    return place < share


def _check(settings: PushSettings) -> None:
    for what, name in (("dataset", settings.dataset), ("workspace", settings.workspace)):
        if not re.fullmatch(r"[a-zA-Z0-9][a-zA-Z0-9_-]*", name):
            raise InputError(f"{what} {name!r}: expected letters, digits, - and _")


@contextlib.contextmanager
def _quiet() -> Iterator[Any]:
    """Without the SDK's own progress bar; ours tells more."""
    import warnings

    with contextlib.redirect_stderr(io.StringIO()) as stream, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield stream
