"""Whether the sources of names of a field hold names: what only reading them, or looking for them, tells."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from abroad.core.errors import InputError
from abroad.core.field import Field
from abroad.documents.inputs import read_documents
from abroad.text.iob import read_iob

_IOB = (".iob", ".iob2", ".bio", ".conll")


def annotated_names(path: Path) -> Iterator[tuple[str, str]]:
    """(type, name) of each name that an annotated set marks: documents with entities, or tokens with tags in IOB.

    Args:
        path: tokens with tags if it ends in .iob, .iob2, .bio or .conll; their kinds are types, in small letters.
    Raises:
        InputError: it is neither; names the line of tokens with tags.
    """
    if path.suffix.lower() in _IOB:
        for sentence in read_iob(path):
            for name in sentence.ents:
                yield name.label_.casefold(), name.text
        return
    for document in read_documents(path):
        for entity in document.entities:
            yield entity.type, entity.label
            yield from ((entity.type, document.text[start:end]) for start, end in entity.spans)


def source_mistakes(field: Field, folder: Path) -> Iterator[tuple[str, str]]:
    """The key and what is wrong there, of each source without a name of its type and each pipeline that is missing.

    Args:
        folder: of the field's file, from which its files are named.
    """
    for type, entity in field.entities.items():
        source, key = entity.names, f"entities.{type}.names"
        if source.kind == "annotated" and source.file is not None:
            if (wrong := _without_names(folder / source.file, type)) is not None:
                yield f"{key}.file", wrong
        elif source.pipeline is not None and not _is_installed(source.pipeline):
            yield f"{key}.pipeline", f"no installed pipeline of spaCy is called {source.pipeline!r}"


def _without_names(path: Path, type: str) -> str | None:
    try:
        found = {kind for kind, _ in annotated_names(path)}
    except InputError as error:
        return f"expected documents with entities (JSONL), or tokens with tags in a file called .iob: {error}"
    if type in found or type.casefold() in found:
        return None
    others = f"entities of {', '.join(sorted(found))}" if found else "no entity"
    return f"{path} names no {type}: expected documents with entities of this type, found {others}"


def _is_installed(pipeline: str) -> bool:
    """Whether spaCy finds it, by the name of a package or as a folder; it is not loaded."""
    if find_spec("spacy") is None:
        return False
    from spacy.util import is_package

    return is_package(pipeline) or Path(pipeline).is_dir()
