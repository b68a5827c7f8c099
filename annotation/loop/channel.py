"""How a batch reaches curators and their answers come back: an Argilla server, or a page that works from a file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from abroad.core.context import Context
from abroad.core.errors import InputError
from abroad.core.schema import Document, Prediction
from annotation.argilla.pull import Pulled, pull, read_offline, together
from annotation.argilla.push import PushSettings, is_overlap, push
from annotation.argilla.target import TargetSettings
from annotation.decisions.merge import Conflict
from annotation.decisions.records import ADJUDICATION
from annotation.loop.settings import CurationSettings


@dataclass(frozen=True)
class Batch:
    """The documents of a round, with what is suggested for them.

    Attributes:
        name: kept in the decisions.
        folder: of the round.
        model: name of what made the predictions.
    """

    name: str
    folder: Path
    documents: Sequence[Document]
    predictions: Sequence[Prediction]
    model: str


class Channel(Protocol):
    """A way to curators and back."""

    def show(self, batch: Batch, context: Context) -> None:
        """Show a batch; shown again, nothing is doubled."""

    def collect(self, context: Context) -> Pulled:
        """Every answer so far, of all batches."""

    def settle(self, conflicts: Sequence[Conflict], pulled: Pulled) -> str:
        """Ask for a decision on conflicts, all answers shown; returns where it is made."""

    def needed(self, id: str) -> int:
        """How many curators must decide a document."""

    def advice(self, folder: Path) -> str:
        """What to do so that the batch of a round gets decided."""


class PageChannel:
    """One HTML page a batch; whatever curators save goes into one folder.

    Args:
        folder: where saved decisions are put.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def show(self, batch: Batch, context: Context) -> None:
        from annotation.offline.page import OfflineSettings, write_offline

        self.folder.mkdir(parents=True, exist_ok=True)
        settings = OfflineSettings(title=f"Curation, {batch.name}", batch=batch.name, model=batch.model)
        write_offline(batch.documents, batch.predictions, batch.folder / "curate.html", settings, context)

    def collect(self, context: Context) -> Pulled:
        parts = []
        for path in sorted(self.folder.glob("*.json")):
            try:
                parts.append(read_offline(path, context))
            except InputError as error:  # a file still being copied, or another file altogether
                context.rejects.add(str(path), str(error))
        return together(parts)

    def settle(self, conflicts: Sequence[Conflict], pulled: Pulled) -> str:
        from annotation.argilla.adjudicate import all_answers, show_answers
        from annotation.offline.page import OfflineSettings, write_offline

        page = self.folder.parent / "adjudicate.html"
        documents = [pulled.documents[conflict.document] for conflict in conflicts]
        union = [all_answers(conflict, pulled.documents[conflict.document]) for conflict in conflicts]
        notes = {conflict.document: show_answers(conflict) for conflict in conflicts}
        settings = OfflineSettings(title="Adjudication", batch=ADJUDICATION, model="curators", notes=notes)
        write_offline(documents, union, page, settings, Context())
        return str(page)

    def needed(self, id: str) -> int:
        return 1

    def advice(self, folder: Path) -> str:
        return f"curate {folder / 'curate.html'} in a browser and put the files that it saves into {self.folder}"


class ServerChannel:
    """Datasets of an Argilla server; its key comes from ARGILLA_API_KEY or from the local server."""

    def __init__(self, section: CurationSettings) -> None:
        from annotation.argilla.connection import connect

        self.section = section
        self.client = connect(section.url)

    def show(self, batch: Batch, context: Context) -> None:
        settings = PushSettings(**TargetSettings.of(self.section).model_dump(), batch=batch.name, model=batch.model)
        push(self.client, batch.documents, batch.predictions, settings, context)

    def collect(self, context: Context) -> Pulled:
        return together([pull(self.client, self.section.dataset, self.section.workspace, context)])

    def settle(self, conflicts: Sequence[Conflict], pulled: Pulled) -> str:
        from annotation.argilla.adjudicate import adjudicate

        adjudicate(self.client, pulled, self.section.dataset, self.section.workspace)
        return f"the dataset {self.section.dataset}-{ADJUDICATION}"

    def needed(self, id: str) -> int:
        return self.section.curators if is_overlap(id, self.section.overlap) else 1

    def advice(self, folder: Path) -> str:
        return f"curate at {self.client.api_url}, workspace {self.section.workspace!r}"


def open_channel(section: CurationSettings, out: Path) -> Channel:
    """The channel that a config asks for.

    Raises:
        InputError: no server.
        AbroadError: it does not answer.
    """
    return PageChannel(out / "decisions") if section.offline else ServerChannel(section)
