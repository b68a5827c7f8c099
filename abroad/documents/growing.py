"""Documents that come one by one, of which nobody knows beforehand which: on disk before the next, and none twice.

They lie among the helpers of the output until `finish`; a run that was killed goes on with what is there. A later run
with the same identity goes on from the finished output too, and adds what is new.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from abroad.core.io import JsonlAppender
from abroad.core.locks import held
from abroad.core.progress import tell
from abroad.core.resume import keeps_identity, partial_file, read_identity, write_identity
from abroad.core.schema import Document


class GrowingDocuments:
    """Use as a context manager.

    Args:
        out: JSONL; it appears, or changes, when all is there.
        identity: what must be equal for earlier documents to be kept.
    Attributes:
        done: ids of the documents that are there.
    """

    def __init__(self, out: Path, identity: dict[str, Any]) -> None:
        self.done: set[str] = set()
        self._out, self._identity, self._partial = out, identity, partial_file(out, identity)
        self._appender: JsonlAppender | None = None
        self._held = contextlib.ExitStack()

    def __enter__(self) -> GrowingDocuments:
        with contextlib.ExitStack() as stack:
            stack.enter_context(held(self._out))
            if not self._partial.exists() and self._out.exists() and keeps_identity(self._out, self._identity):
                self._partial.parent.mkdir(parents=True, exist_ok=True)
                self._out.rename(self._partial)
            self._appender = stack.enter_context(JsonlAppender(self._partial))  # cuts off a torn last line
            self.done = self._appender.done
            self._held = stack.pop_all()
        return self

    def __exit__(self, *error: object) -> None:
        self._appender = None
        self._held.close()

    def add(self, documents: Iterable[Document]) -> int:
        """Keep those that are not there yet; returns how many."""
        assert self._appender is not None, "use GrowingDocuments as a context manager"
        fresh = {document.id: document for document in documents if document.id not in self.done}
        if fresh:
            self._appender.extend(document.to_dict() for document in fresh.values())
            self.done.update(fresh)
        return len(fresh)

    def finish(self) -> None:
        """Put the documents in their place; killed between the two steps, a later run does it again.

        What another search left there goes among the helpers, where that search made again finds it.
        """
        earlier = read_identity(self._out) if self._out.exists() else None
        if earlier is not None and partial_file(self._out, earlier) != self._partial:
            aside = partial_file(self._out, earlier)
            self._out.rename(aside)
            tell(f"{self._out}: the documents of another search lay there; they stay in {aside}")
        write_identity(self._out, self._identity)
        self._partial.replace(self._out)
