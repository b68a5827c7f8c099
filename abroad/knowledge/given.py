"""The documents that predictions are of, by id: on disk for the time of a build, since memory does not hold them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Self

from abroad.core.context import Context
from abroad.core.errors import InputError
from abroad.core.helpers import found
from abroad.core.io import each_document
from abroad.core.resume import digest
from abroad.core.schema import Document
from abroad.core.scratch import Versions
from abroad.documents.inputs import InputSettings
from abroad.documents.record_kinds import DOCUMENTS, expect
from abroad.documents.stream import open_inputs
from abroad.sources.formats.recognise import WHAT, is_json


class GivenDocuments:
    """Documents of some files; use as a context manager. Several share an id where files number theirs alike.

    Args:
        paths: of the files, in any format that is read; or a folder.
        context: collects what is no document.
    Raises:
        InputError: one of the files cannot be read at all, or holds no document.
    """

    def __init__(self, paths: Iterable[Path], context: Context) -> None:
        self._kept = Versions()
        for path in paths:
            for document in _documents(path, context):
                self._kept.put(document.id, digest(document.text), document.to_dict())

    def get(self, id: str) -> list[Document]:
        """The documents of an id, the one that was given last at the end."""
        return [Document.from_dict(record) for record in self._kept.get(id)]

    def __enter__(self) -> Self:
        self._kept.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self._kept.__exit__(*error)


def kept_beside(path: Path) -> Path:
    """The documents that `abroad extract` kept beside its predictions.

    Raises:
        InputError: there are none.
    """
    beside = found(path, "documents.jsonl")
    if not beside.exists():
        raise InputError(f"{path}: expected --documents with the texts that were read, as none are kept beside it")
    return beside


def _documents(path: Path, context: Context) -> Iterator[Document]:
    if path.is_file() and is_json(path):
        expect(DOCUMENTS, path, f"documents ({WHAT})")
        yield from each_document(path, context)
        return
    with open_inputs([path], context, InputSettings()) as inputs:
        empty = True
        for record in inputs.records(context):
            empty = False
            yield Document.from_dict(record)
        if empty:
            raise InputError(inputs.nothing)
