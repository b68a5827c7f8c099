"""The file of a knowledge base: DuckDB, SQLite, or a Parquet file of pairs whose database lies beside it.

A store runs statements that both databases take, in one transaction for each build: killed or out of disk at any
moment, the file holds what it held before. One process writes at a time; DuckDB lets nobody read meanwhile.
"""

from __future__ import annotations

import contextlib
import errno
import importlib.util
import json
import math
import re
import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from abroad.core.errors import AbroadError, InputError, MissingDependencyError
from abroad.core.helpers import helper
from abroad.core.io import require_file
from abroad.knowledge.tables import (
    BUILT_IN_READ,
    COLUMNS,
    FORMAT,
    LATER,
    SQLITE_INDEXES,
    TYPED,
    TYPED_FORMAT,
    TYPED_READ,
    VIEWS,
)

DUCKDB, SQLITE, PARQUET = "duckdb", "sqlite", "parquet"
ENDINGS: dict[str, tuple[str, ...]] = {
    DUCKDB: (".duckdb", ".ddb", ".db"),
    SQLITE: (".sqlite", ".sqlite3"),
    PARQUET: (".parquet",),
}
"""Format -> endings of its files, the usual one first."""
FIELD = "field"
"""Among the facts about a database, of another field than natural products: the field itself."""
_WHAT = "a knowledge base, as `abroad knowledge build` writes it"
_ROWS = 20_000  # rows a statement: what a list of parameters may hold in memory
_PATIENCE = 10.0  # seconds that a writer waits for readers, who hold a database for a moment only


class Busy(AbroadError):
    """Another process writes the database at this moment."""


class Store(Protocol):
    """An open database."""

    path: Path

    def query(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """The rows that a statement gives."""
        ...

    def insert(self, table: str, rows: Sequence[Sequence[Any]]) -> None:
        """Add rows, in the order of the columns of `tables.COLUMNS`; the last ones may be missing."""
        ...

    def transaction(self) -> contextlib.AbstractContextManager[None]:
        """All that is written in the block, or nothing of it."""
        ...

    def close(self) -> None: ...


def format_of(
    format: str | None, path: Path | None, formats: Mapping[str, Sequence[str]] = ENDINGS, usual: str = DUCKDB
) -> str:
    """The format that was asked for, else that of the file's ending, else the usual one.

    Args:
        format: asked for.
        path: the file; None for standard output.
        formats: format -> endings of its files.
        usual: what a file of another ending is.
    Raises:
        InputError: a format was asked for that is none of them.
    """
    if format is not None:
        if format not in formats:
            raise InputError(f"--format {format}: expected one of: {', '.join(formats)}")
        return format
    ending = path.suffix.lower() if path is not None else ""
    return next((name for name, endings in formats.items() if ending in endings), usual)


@contextlib.contextmanager
def writable(path: Path, format: str, facts: Mapping[str, Any] | None = None) -> Iterator[Store]:
    """A database to write, made if it is not there; one that was made goes again where the block fails.

    Args:
        facts: about one that is made: its field, if it is another than natural products.
    Raises:
        InputError: something else lies there, or a database of another version.
        Busy: another process has it open.
        OSError: the disk is full.
    """
    if format == PARQUET:
        path = helper(path, "knowledge.duckdb")
    path.parent.mkdir(parents=True, exist_ok=True)
    kind = _kind(path) if path.exists() and path.stat().st_size else None
    if kind is not None and kind != (DUCKDB if format == PARQUET else format):
        raise InputError(f"{path}: it is {kind}, not {format}; give another name, or --format {kind}")
    store = _patiently(lambda: _open(path, format, read_only=False))
    try:
        with contextlib.closing(store):
            with _explained(path):
                _prepare(store, facts or {})
            yield store
    except BaseException:
        if kind is None:  # an empty database would look like one that knows nothing
            for made in (path, path.with_name(f"{path.name}.wal"), path.with_name(f"{path.name}-journal")):
                made.unlink(missing_ok=True)
        raise


@contextlib.contextmanager
def readable(path: Path) -> Iterator[Store]:
    """A database to read.

    Raises:
        InputError: no such file, or no knowledge base.
        Busy: it is being written.
    """
    path = require_file(path, _WHAT)
    kind = _kind(path)
    if kind == PARQUET:
        path, kind = helper(path, "knowledge.duckdb"), DUCKDB
        if not path.exists():
            raise InputError(f"{path}: the database of the Parquet file is gone; `abroad knowledge build` makes both")
    if kind is None:
        raise InputError(f"{path}: expected {_WHAT}, found something else")
    if kind == SQLITE and path.with_name(f"{path.name}-journal").exists():
        _roll_back(path)
    store = _open(path, kind, read_only=True)
    with contextlib.closing(store), _explained(path):
        _check(store)
        for table in sorted(COLUMNS.keys() - _names(store)):
            _create(store, table, "TEMPORARY TABLE", False)
        _create_views(store)
        yield store


def is_knowledge_base(path: Path) -> bool:
    """Whether abroad wrote what lies there."""
    try:
        with readable(path):
            return True
    except Busy:
        return True
    except (AbroadError, OSError):
        return False


def read_meta(store: Store) -> dict[str, Any]:
    """Facts about the database: what index it was linked with, how scores were calibrated."""
    return {name: json.loads(value) for name, value in store.query("SELECT name, value FROM meta")}


def write_meta(store: Store, **facts: Any) -> None:
    """Set some of the facts."""
    for name in facts:
        store.query("DELETE FROM meta WHERE name = ?", (name,))
    store.insert("meta", [(name, json.dumps(value)) for name, value in facts.items()])


def _kind(path: Path) -> str | None:
    with path.open("rb") as stream:
        head = stream.read(16)
    if head.startswith(b"SQLite format 3\0"):
        return SQLITE
    if head.startswith(b"PAR1"):
        return PARQUET
    return DUCKDB if head[8:12] == b"DUCK" else None


def _open(path: Path, format: str, read_only: bool) -> Store:
    return SqliteStore(path, read_only) if format == SQLITE else DuckStore(path, read_only)


def _patiently(open_it: Any) -> Store:
    end = time.monotonic() + _PATIENCE
    while True:
        try:
            store: Store = open_it()
            return store
        except Busy:
            if time.monotonic() > end:
                raise
            time.sleep(0.1)


def _roll_back(path: Path) -> None:
    """Undo what a writer that was killed left half written, which a reader may not; a living writer is left alone."""
    with contextlib.suppress(AbroadError, OSError), contextlib.closing(SqliteStore(path, read_only=False)) as store:
        store.query("SELECT 1 FROM sqlite_master")


def _prepare(store: Store, facts: Mapping[str, Any]) -> None:
    if not _names(store):
        typed = FIELD in facts
        with store.transaction():
            for table in COLUMNS:
                _create(store, table, "TABLE", typed)
            for view, query in ({} if typed else VIEWS).items():
                store.query(f"CREATE VIEW {view} AS {query}")
            if isinstance(store, SqliteStore):
                _create_indexes(store, SQLITE_INDEXES)
            write_meta(store, format=TYPED_FORMAT if typed else FORMAT, **facts)
    _check(store)
    if missing := sorted(COLUMNS.keys() - _names(store)):
        with store.transaction():
            for table in missing:
                _create(store, table, "TABLE", False)
            if isinstance(store, SqliteStore):
                _create_indexes(store, [place for place in SQLITE_INDEXES if place.split("(")[0] in missing])
    _create_views(store)


def _create(store: Store, table: str, kind: str, typed: bool) -> None:
    columns = {name: type for name, type in COLUMNS[table].items() if typed or name not in TYPED.get(table, ())}
    listed = ", ".join(f"{name} {type}" for name, type in columns.items())
    store.query(f"CREATE {kind} {table} ({listed})")


def _create_views(store: Store) -> None:
    for view, query in (TYPED_READ if FIELD in read_meta(store) else BUILT_IN_READ).items():
        store.query(f"CREATE TEMPORARY VIEW {view} AS {query}")


def _create_indexes(store: Store, places: Sequence[str]) -> None:
    for place in places:
        store.query(f"CREATE INDEX {re.sub(r'[^a-z]+', '_', f'place_of_{place}').strip('_')} ON {place}")


def _check(store: Store) -> None:
    if not _names(store) >= COLUMNS.keys() - set(LATER):
        raise InputError(f"{store.path}: expected {_WHAT}, found another database")
    facts = read_meta(store)
    version, expected = facts.get("format"), TYPED_FORMAT if FIELD in facts else FORMAT
    if version != expected:
        raise InputError(f"{store.path}: of format {version}, and this abroad reads {expected}: build it again")


def _names(store: Store) -> set[str]:
    if isinstance(store, SqliteStore):
        rows = store.query("SELECT name FROM sqlite_master")
    else:
        rows = store.query("SELECT table_name FROM information_schema.tables")
    return {row[0] for row in rows}


@contextlib.contextmanager
def _explained(path: Path) -> Iterator[None]:
    """Turn the errors of both databases into ours: full disks as the system's, faults of the file with its name."""
    try:
        yield
    except sqlite3.Error as error:
        raise _told(path, error) from None
    except Exception as error:
        if not type(error).__module__.startswith(("duckdb", "_duckdb")):
            raise
        raise _told(path, error) from None


def _told(path: Path, error: Exception) -> Exception:
    text = " ".join(str(error).split())
    small = text.lower()
    if "no space left" in small or "disk is full" in small or "disk full" in small:
        return OSError(errno.ENOSPC, "No space left on device", str(path))
    if "file too large" in small or "disk i/o error" in small:
        return OSError(errno.EFBIG, "nothing more can be written there (a limit, or a fault of the disk)", str(path))
    if "conflicting lock" in small or "set lock on file" in small or "database is locked" in small:
        return Busy(f"{path}: another process is at this database; try again when it is done")
    if "cannot open file" in small and "permission denied" in small:
        return InputError(f"{path}: cannot be opened there (permission denied)")
    if "not a database" in small or "malformed" in small or "not a valid duckdb" in small or "corrupt" in small:
        return InputError(f"{path}: the database is damaged ({text[:150]})")
    return AbroadError(f"{path}: {text[:300]}")


class SqliteStore:
    """SQLite, of the standard library."""

    def __init__(self, path: Path, read_only: bool) -> None:
        self.path = path
        with _explained(path):
            address = f"{path.resolve().as_uri()}?mode={'ro' if read_only else 'rwc'}"
            self._connection = sqlite3.connect(
                address, uri=True, isolation_level=None, timeout=_PATIENCE, check_same_thread=False
            )
        for name, function in (("ln", math.log), ("exp", math.exp)):
            self._connection.create_function(name, 1, function, deterministic=True)

    def query(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        with _explained(self.path):
            return self._connection.execute(sql, parameters).fetchall()

    def insert(self, table: str, rows: Sequence[Sequence[Any]]) -> None:
        if not rows:
            return
        marks = ", ".join("?" * len(rows[0]))
        with _explained(self.path):
            self._connection.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        self.query("BEGIN IMMEDIATE")
        try:
            yield
            self.query("COMMIT")
        except BaseException:
            with contextlib.suppress(AbroadError, OSError):  # a full disk has ended the transaction itself
                self.query("ROLLBACK")
            raise

    def close(self) -> None:
        self._connection.close()


class DuckStore:
    """DuckDB, without anything that it would fetch from elsewhere."""

    def __init__(self, path: Path, read_only: bool) -> None:
        if importlib.util.find_spec("duckdb") is None:
            raise MissingDependencyError("duckdb", "knowledge", "a database in DuckDB (np.sqlite does without)")
        import duckdb

        self.path = path
        quiet: dict[str, Any] = {"autoinstall_known_extensions": "false", "autoload_known_extensions": "false"}
        with _explained(path):
            self._connection = duckdb.connect(str(path), read_only=read_only, config=quiet)

    def query(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        with _explained(self.path):
            rows: list[tuple[Any, ...]] = self._connection.execute(sql, list(parameters)).fetchall()
            return rows

    def insert(self, table: str, rows: Sequence[Sequence[Any]]) -> None:
        types = list(COLUMNS[table].values())[: len(rows[0]) if rows else 0]
        columns = ", ".join(f"unnest(?::{type}[])" for type in types)
        for start in range(0, len(rows), _ROWS):
            part = rows[start : start + _ROWS]
            with _explained(self.path):
                self._connection.execute(
                    f"INSERT INTO {table} SELECT {columns}", [list(c) for c in zip(*part, strict=True)]
                )

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        self.query("BEGIN")
        try:
            yield
            self.query("COMMIT")
        except BaseException:
            with contextlib.suppress(AbroadError, OSError):
                self.query("ROLLBACK")
            raise

    def close(self) -> None:
        with _explained(self.path):
            self._connection.close()
