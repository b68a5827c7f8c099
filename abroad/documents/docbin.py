"""Files of spaCy (DocBin, ".spacy") -> documents.

A Doc may hold in its user data an "id", and "title_end", the offset where its title ends. What else stands on a Doc
is not read. Writing them, with predictions, is the spaCy pipeline's job.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from pathlib import Path

from spacy import Vocab
from spacy.tokens import Doc, DocBin

from abroad.core.context import Context
from abroad.core.errors import InputError
from abroad.core.io import require_file
from abroad.core.limits import inflated
from abroad.core.schema import Document

TITLE_END, ID = "title_end", "id"
"""Keys of `doc.user_data` that tell where the title ends and which document this is."""
_WHAT = "a DocBin of spaCy"


def read_docbin(path: Path, context: Context) -> list[Document]:
    """The documents of a DocBin; one without an id is numbered, "train-1" in train.spacy.

    Raises:
        InputError: no such file, not a DocBin, or no text in it.
    """
    found: dict[str, Document] = {}
    for id, doc in read_docs(path):
        if not doc.text.strip():
            context.rejects.add(f"{path}: {id}", "the text is empty")
        elif id in found:
            context.rejects.add(f"{path}: {id}", f"the id {id} stands twice")
        else:
            title, abstract = title_of(doc)
            found[id] = Document(id, doc.text[:title], doc.text[abstract:])
    if not found:
        raise InputError(f"{path}: no document with a text in it")
    return list(found.values())


def read_docs(path: Path) -> Iterator[tuple[str, Doc]]:
    """Yield (id, Doc) of each; one without an id is numbered.

    Raises:
        InputError: no such file, or not a DocBin.
    """
    require_file(path, _WHAT)
    data = path.read_bytes()
    try:
        inflated(data, str(path))
        docs = list(DocBin().from_bytes(data).get_docs(Vocab()))
    except InputError:
        raise
    except (Exception, zlib.error) as error:  # whatever zlib, msgpack and spaCy say of another file
        raise InputError(f"{path}: expected {_WHAT}: {type(error).__name__}: {str(error)[:100]}") from None
    for number, doc in enumerate(docs, 1):
        yield str(doc.user_data.get(ID) or f"{path.stem}-{number}"), doc


def title_of(doc: Doc, key: str = TITLE_END) -> tuple[int, int]:
    """(where the title ends, where the abstract starts): the one space between them may be missing."""
    end = doc.user_data.get(key)
    end = min(end, len(doc.text)) if isinstance(end, int) and end > 0 else 0
    return end, end + (0 < end < len(doc.text) and doc.text[end].isspace())
