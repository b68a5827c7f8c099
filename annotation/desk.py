"""Where the pages of a knowledge base send pairs: an Argilla server, or a page that works from a file."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from abroad.core.context import Context
from abroad.core.field import Field, write_field
from abroad.core.schema import Document, Prediction
from abroad.knowledge.curation import Said
from annotation.argilla.push import PushSettings

BATCH = "knowledge base"


@contextlib.contextmanager
def field_file(field: Field) -> Iterator[Path | None]:
    """A file of a field that a database keeps, for who reads one; None for natural products."""
    if field.is_built_in:
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="abroad-") as folder:
        path = Path(folder) / "field.yaml"
        write_field(path, field)
        yield path


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

    def send(self, documents: Sequence[Document], predictions: Sequence[Prediction], field: Field) -> str:
        """Show documents to curators; those that one has answered stay as they were shown."""
        from annotation.argilla.connection import connect
        from annotation.argilla.push import push

        client = connect(self._url, self._api_key)
        with field_file(field) as path:
            report = push(client, documents, predictions, self._settings.replace(field=path), Context())
        answered = f"; {len(report.answered)} are answered already" if report.answered else ""
        where = f"{client.api_url}, dataset {self._settings.dataset!r} of the workspace {self._settings.workspace!r}"
        return f"{len(report.pushed)} documents sent to {where}{answered}"

    def answers(self, ids: Sequence[str], field: Field) -> list[tuple[Said, Sequence[tuple[str, ...]]]]:
        """What curators submitted on documents, each with the relations that stand."""
        from annotation.argilla.connection import connect
        from annotation.argilla.pull import pull
        from annotation.decisions.records import counted

        settings = self._settings
        pulled = pull(connect(self._url, self._api_key), settings.dataset, settings.workspace, Context(), field)
        wanted = set(ids)
        return [
            (Said(d.document, d.curator, "", d.comment, d.updated_at), d.relations)
            for d in counted(pulled.decisions)
            if d.document in wanted
        ]

    def page(self, documents: Sequence[Document], predictions: Sequence[Prediction], field: Field) -> str:
        """The offline page of documents; `abroad annotate pull` reads what it saves."""
        from annotation.offline.page import OfflineSettings, write_offline

        with tempfile.TemporaryDirectory(prefix="abroad-") as folder:
            path = Path(folder) / "curate.html"
            with field_file(field) as own:
                write_offline(documents, predictions, path, OfflineSettings(batch=BATCH, field=own), Context())
            return path.read_text(encoding="utf-8")
