"""Names that the tables of a field give: name, tab, identifier a line; the identifier may be missing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from abroad.core.field import EntityType


def table_lines(entity: EntityType, folder: Path) -> Iterator[tuple[str, str]]:
    """(name, identifier or nothing) of each line of the table of a type, if it has one.

    Args:
        folder: of the field's file, from which its tables are named.
    """
    if entity.names.kind == "table" and entity.names.file is not None:
        for line in (folder / entity.names.file).read_text(encoding="utf-8-sig").splitlines():
            name, _, rest = line.partition("\t")
            if name.strip():
                yield name.strip(), rest.split("\t")[0].strip()


def table_names(entity: EntityType, folder: Path) -> Iterator[str]:
    """The names of the table of a type, if it has one."""
    for name, _ in table_lines(entity, folder):
        yield name
