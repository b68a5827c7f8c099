"""Where the pages of a knowledge base send pairs: an Argilla server, or a page that works from a file."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

from abroad.core.context import Context
from abroad.core.schema import Document, Prediction
from abroad.knowledge.curation import Said
from annotation.argilla.push import PushSettings

BATCH = "knowledge base"


class ArgillaDesk:
    """Curation at an Argilla server, which is connected to when something is first sent or asked.

    Args:
        url: of the server; else as `connect` finds one.
        api_key: likewise.
        settings: dataset and workspace.
    """

    def __init__(
        self, url: str | None = None, api_key: str | None = None, settings: PushSettings | None = None
    ) -> None:
        self._url, self._api_key = url, api_key
        self._settings = (settings or PushSettings()).replace(batch=BATCH)

    def send(self, documents: Sequence[Document], predictions: Sequence[Prediction]) -> str:
        """Show documents to curators; those that one has answered stay as they were shown."""
        from annotation.argilla.connection import connect
        from annotation.argilla.push import push

        client = connect(self._url, self._api_key)
        report = push(client, documents, predictions, self._settings, Context())
        answered = f"; {len(report.answered)} are answered already" if report.answered else ""
        where = f"{client.api_url}, dataset {self._settings.dataset!r} of the workspace {self._settings.workspace!r}"
        return f"{len(report.pushed)} documents sent to {where}{answered}"

    def answers(self, ids: Sequence[str]) -> list[tuple[Said, Sequence[tuple[str, str]]]]:
        """What curators submitted on documents, each with the relations that stand."""
        from annotation.argilla.connection import connect
        from annotation.argilla.pull import pull
        from annotation.decisions.records import counted

        settings = self._settings
        pulled = pull(connect(self._url, self._api_key), settings.dataset, settings.workspace, Context())
        wanted = set(ids)
        return [
            (Said(d.document, d.curator, "", d.comment, d.updated_at), d.pairs)
            for d in counted(pulled.decisions)
            if d.document in wanted
        ]

    def page(self, documents: Sequence[Document], predictions: Sequence[Prediction]) -> str:
        """The offline page of documents; `abroad annotate pull` reads what it saves."""
        from annotation.offline.page import OfflineSettings, write_offline

        with tempfile.TemporaryDirectory(prefix="abroad-") as folder:
            path = Path(folder) / "curate.html"
            write_offline(documents, predictions, path, OfflineSettings(batch=BATCH), Context())
            return path.read_text(encoding="utf-8")
