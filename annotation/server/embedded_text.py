"""Full text of records in SQLite's FTS5: a table a dataset, a column a field, ranked by BM25. https://sqlite.org/fts5.html"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

from embedded_query import hex_id

# `version` is the record's time of change: a record that changed since it was indexed is told by it.
_SCHEMA = """
CREATE TABLE IF NOT EXISTS entries (
  place INTEGER PRIMARY KEY, dataset TEXT NOT NULL, record TEXT NOT NULL UNIQUE, version TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS entries_by_dataset ON entries (dataset, record, version);
"""


def table_of(dataset_id: Any) -> str:
    """Name of a dataset's table."""
    return f"text_{hex_id(dataset_id)}"


def column_of(field: str) -> str:
    """A field's column: its name, with a beginning that no keyword has, and no quotes."""
    return "f_" + "".join(character if character.isalnum() else f"_{ord(character):x}_" for character in field)


def open_text(path: Path) -> sqlite3.Connection:
    """The file of texts, made if it is not there."""
    connection = sqlite3.connect(
        f"file:{quote(path.as_posix())}", uri=True, timeout=30, check_same_thread=False, isolation_level=None
    )
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")
    connection.executescript(_SCHEMA)
    return connection


class Entry(NamedTuple):
    """A record's text: its id, its time of change as the server's table holds it, and its texts by field."""

    record: Any
    version: str
    texts: dict[str, Any]


def create(connection: sqlite3.Connection, dataset_id: Any, fields: Sequence[str]) -> None:
    """Make the index of a dataset's texts."""
    columns = ", ".join(f'"{column_of(field)}"' for field in fields)
    connection.execute(
        f'CREATE VIRTUAL TABLE IF NOT EXISTS "{table_of(dataset_id)}" '
        f'USING fts5({columns}, tokenize = "unicode61 remove_diacritics 2")'
    )


def drop(connection: sqlite3.Connection, dataset_id: Any) -> None:
    """Remove the index of a dataset."""
    connection.execute(f'DROP TABLE IF EXISTS "{table_of(dataset_id)}"')
    connection.execute("DELETE FROM entries WHERE dataset = ?", (hex_id(dataset_id),))


def put(
    connection: sqlite3.Connection,
    dataset_id: Any,
    fields: Sequence[str],
    records: Iterable[Entry],
) -> None:
    """Index records, in place of what they had."""
    table, columns = table_of(dataset_id), [column_of(field) for field in fields]
    names = ", ".join(f'"{column}"' for column in columns)
    marks = ", ".join("?" * (len(columns) + 1))
    connection.execute("BEGIN IMMEDIATE")
    try:
        for record, version, texts in records:
            key = hex_id(record)
            _forget(connection, table, key)
            place = connection.execute(
                "INSERT INTO entries (dataset, record, version) VALUES (?, ?, ?)", (hex_id(dataset_id), key, version)
            ).lastrowid
            values = [plain(texts.get(field)) for field in fields]
            connection.execute(f'INSERT INTO "{table}" (rowid, {names}) VALUES ({marks})', [place, *values])
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise


def remove(connection: sqlite3.Connection, dataset_id: Any, records: Iterable[Any]) -> None:
    """Take records out of the index of a dataset."""
    connection.execute("BEGIN IMMEDIATE")
    for id in records:
        _forget(connection, table_of(dataset_id), hex_id(id))
    connection.execute("COMMIT")


def _forget(connection: sqlite3.Connection, table: str, key: str) -> None:
    row = connection.execute("SELECT place FROM entries WHERE record = ?", (key,)).fetchone()
    if row is not None:
        connection.execute(f'DELETE FROM "{table}" WHERE rowid = ?', row)
        connection.execute("DELETE FROM entries WHERE place = ?", row)


def plain(value: Any) -> str:
    """The text of a field's value: of a chat its messages, of a custom field what it holds."""
    if isinstance(value, list):
        return "\n".join(plain(part) for part in value)
    if isinstance(value, dict):
        return "\n".join(plain(part) for part in value.values())
    return "" if value is None else str(value)
