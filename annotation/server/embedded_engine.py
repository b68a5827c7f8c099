"""Argilla's search engine without Elasticsearch: SQL over the server's own tables, FTS5 for text, NumPy for vectors.

Registered by Argilla's own extension point and chosen by ARGILLA_SEARCH_ENGINE=embedded. Metadata, suggestions,
responses and progress are read from the tables themselves, so they can never be out of date; only the text index
is a file of its own (`search.sqlite` in the home directory), and records that it lacks, after a crash, are
indexed before the next search. It needs the server's SQLite database: with PostgreSQL use Elasticsearch.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote
from uuid import UUID

import embedded_text as text
import numpy as np
from argilla_server.search_engine.base import (
    FloatMetadataMetrics,
    IntegerMetadataMetrics,
    SearchEngine,
    SearchResponseItem,
    SearchResponses,
    TermsMetrics,
)
from argilla_server.settings import settings
from embedded_query import Refused, Sql, hex_id, json_path, order_by, text_query, where

T = TypeVar("T")
NAME = "embedded"


@SearchEngine.register(NAME)
class EmbeddedSearchEngine(SearchEngine):
    """One engine a request; its connections are opened when they are first needed."""

    def __init__(self, database: Path, texts: Path) -> None:
        self._database, self._texts = database, texts
        self._connection: sqlite3.Connection | None = None

    @classmethod
    async def new_instance(cls) -> EmbeddedSearchEngine:
        url = settings.database_url or ""
        if not url.startswith("sqlite"):
            raise Refused(
                "the embedded search engine reads the server's SQLite database; with another use Elasticsearch"
            )
        database = Path(url.partition("///")[2].partition("?")[0])
        return cls(database, Path(settings.home_path or database.parent) / "search.sqlite")

    async def close(self) -> None:
        if self._connection is not None:
            self._connection.close()

    async def ping(self) -> bool:
        return True

    async def info(self) -> dict:
        return {"name": NAME, "sqlite": sqlite3.sqlite_version, "fts5": True}

    async def _in_thread(self, work: Callable[[sqlite3.Connection], T]) -> T:
        def run() -> T:
            if self._connection is None:
                self._connection = text.open_text(self._texts)
                self._connection.execute("ATTACH ? AS server", (f"file:{quote(self._database.as_posix())}?mode=ro",))
            return work(self._connection)

        return await asyncio.to_thread(run)

    # Text

    async def create_index(self, dataset: Any) -> None:
        fields = _text_fields(dataset.fields)
        await self._in_thread(lambda db: text.create(db, dataset.id, fields))

    async def delete_index(self, dataset: Any) -> None:
        await self._in_thread(lambda db: text.drop(db, dataset.id))

    async def index_records(self, dataset: Any, records: Any) -> None:
        fields = _text_fields(dataset.fields)
        rows = [text.Entry(record.id, _version(record.updated_at), dict(record.fields)) for record in records]

        def work(db: sqlite3.Connection) -> None:
            text.create(db, dataset.id, fields)
            text.put(db, dataset.id, fields, rows)

        await self._in_thread(work)

    async def delete_records(self, dataset: Any, records: Any) -> None:
        ids = [record.id for record in records]
        await self._in_thread(lambda db: text.remove(db, dataset.id, ids))

    # The tables are read as they are: nothing is to be told.

    async def configure_metadata_property(self, dataset: Any, metadata_property: Any) -> None: ...

    async def configure_index_vectors(self, vector_settings: Any) -> None: ...

    async def partial_record_update(self, record: Any, **update: Any) -> None: ...

    async def update_record_response(self, response: Any) -> None: ...

    async def delete_record_response(self, response: Any) -> None: ...

    async def update_record_suggestion(self, suggestion: Any) -> None: ...

    async def delete_record_suggestion(self, suggestion: Any) -> None: ...

    # Progress and metrics

    async def get_dataset_progress(self, dataset: Any) -> dict:
        if dataset.is_draft:
            return {}
        return await self._counts("SELECT status, count(*) FROM records WHERE dataset_id = ? GROUP BY status", dataset)

    async def get_dataset_user_progress(self, dataset: Any, user: Any) -> dict:
        if dataset.is_draft:
            return {}
        return await self._counts(
            "SELECT p.status, count(*) FROM responses p JOIN records r ON r.id = p.record_id "
            "WHERE r.dataset_id = ? AND p.user_id = ? GROUP BY p.status",
            dataset,
            hex_id(user.id),
        )

    async def _counts(self, sql: str, dataset: Any, *parameters: str) -> dict:
        rows = await self._in_thread(lambda db: db.execute(sql, (hex_id(dataset.id), *parameters)).fetchall())
        return {"total": sum(count for _, count in rows), **{str(term): count for term, count in rows}}

    async def compute_metrics_for(self, metadata_property: Any) -> Any:
        path = json_path(metadata_property.name)
        values = "FROM records r, json_each(r.metadata, ?) j WHERE r.dataset_id = ? AND j.value IS NOT NULL"
        where_from = (path, hex_id(metadata_property.dataset_id))
        if metadata_property.type == "terms":
            sql = f"SELECT CAST(j.value AS TEXT) v, count(*) n {values} GROUP BY v ORDER BY n DESC, v"
            rows = await self._in_thread(lambda db: db.execute(sql, where_from).fetchall())
            counts = [TermsMetrics.TermCount(term=term, count=count) for term, count in rows]
            return TermsMetrics(total=sum(count for _, count in rows), values=counts)
        sql = f"SELECT min(j.value), max(j.value) {values}"
        low, high = await self._in_thread(lambda db: db.execute(sql, where_from).fetchone())
        kind = IntegerMetadataMetrics if metadata_property.type == "integer" else FloatMetadataMetrics
        return kind(min=low, max=high)

    # Search

    async def search(
        self,
        dataset: Any,
        query: Any = None,
        filter: Any = None,
        sort: Any = None,
        offset: int = 0,
        limit: int = 100,
        user_id: str | None = None,
    ) -> SearchResponses:
        """As the base class says; without text and order records come in the order they were added."""

        def work(db: sqlite3.Connection) -> SearchResponses:
            matched = self._matched(db, dataset, query)
            if matched is None:
                return SearchResponses(items=[], total=0)
            condition = where(filter) if filter is not None else Sql("1")
            source = f"FROM {matched.text} WHERE r.dataset_id = ? AND ({condition.text})"
            parameters = [*matched.parameters, hex_id(dataset.id), *condition.parameters]
            order = order_by(sort)
            terms = [order.text] if order.text else (["m.score DESC"] if matched.parameters else [])
            sql = f"SELECT r.id, {'m.score' if matched.parameters else 'NULL'}, count(*) OVER () {source} "
            sql += f"ORDER BY {', '.join([*terms, 'r.inserted_at', 'r.rowid'])} LIMIT ? OFFSET ?"
            rows = db.execute(sql, [*parameters, *order.parameters, limit, offset]).fetchall()
            if rows or not offset:
                total = rows[0][2] if rows else 0
            else:  # a page after the last
                total = db.execute(f"SELECT count(*) {source}", parameters).fetchone()[0]
            return SearchResponses(items=[_item(id, score) for id, score, _ in rows], total=total)

        return await self._in_thread(work)

    def _matched(self, db: sqlite3.Connection, dataset: Any, query: Any) -> Sql | None:
        """The records `r` whose text matches, with its score in `m`; all without a query; None if none can match."""
        words = getattr(query, "q", query)
        field = getattr(query, "field", None)
        if not words or not str(words).strip():
            return Sql("server.records r")
        expression = text_query(str(words))
        fields = _text_fields(dataset.fields)
        if not expression or (field and field not in fields):
            return None
        self._catch_up(db, dataset, fields)
        if field:
            expression = f'"{text.column_of(field)}" : ({expression})'
        table = text.table_of(dataset.id)
        # CROSS JOIN keeps SQLite to this order; of its own it would search the text anew for each record.
        return Sql(
            f'(SELECT e.record AS id, -bm25("{table}") AS score FROM main."{table}" CROSS JOIN main.entries e '
            f'ON e.place = "{table}".rowid WHERE "{table}" MATCH ?) m CROSS JOIN server.records r ON r.id = m.id',
            expression,
        )

    def _catch_up(self, db: sqlite3.Connection, dataset: Any, fields: list[str]) -> None:
        """Index what a crash between the server's commit and ours left out; the join leaves out what is gone."""
        key = hex_id(dataset.id)
        text.create(db, dataset.id, fields)
        changed = db.execute(
            "SELECT r.id, r.updated_at, r.fields FROM server.records r "
            "LEFT JOIN main.entries e ON e.dataset = r.dataset_id AND e.record = r.id "
            "WHERE r.dataset_id = ? AND e.version IS NOT r.updated_at",
            (key,),
        ).fetchall()
        if changed:
            text.put(db, dataset.id, fields, [text.Entry(id, at, json.loads(values)) for id, at, values in changed])

    async def similarity_search(
        self,
        dataset: Any,
        vector_settings: Any,
        value: list[float] | None = None,
        record: Any = None,
        query: Any = None,
        filter: Any = None,
        max_results: int = 100,
        order: Any = "most_similar",
        threshold: float | None = None,
    ) -> SearchResponses:
        """Cosine similarity, exact, as (1 + cosine) / 2; the record itself is left out."""
        if (value is None) == (record is None):
            raise Refused("Must provide either vector value or record to compute the similarity search")
        vector = value if value is not None else record.vector_value_by_vector_settings(vector_settings)
        if not vector:
            raise Refused("Cannot find a vector value to apply with provided info")
        if len(vector) != vector_settings.dimensions:
            raise Refused(
                f"{vector_settings.name}: expected {vector_settings.dimensions} dimensions, got {len(vector)}"
            )

        def work(db: sqlite3.Connection) -> SearchResponses:
            matched = self._matched(db, dataset, query)
            if matched is None:
                return SearchResponses(items=[], total=0)
            condition = where(filter) if filter is not None else Sql("1")
            rows = db.execute(
                f"SELECT r.id, v.value FROM {matched.text} JOIN server.vectors v ON v.record_id = r.id "
                f"WHERE r.dataset_id = ? AND v.vector_settings_id = ? AND r.id != ? AND ({condition.text})",
                [
                    *matched.parameters,
                    hex_id(dataset.id),
                    hex_id(vector_settings.id),
                    hex_id(record.id) if record is not None else "",
                    *condition.parameters,
                ],
            ).fetchall()
            if not rows:
                return SearchResponses(items=[], total=0)
            sign = -1.0 if str(getattr(order, "value", order)) == "least_similar" else 1.0
            scores = (1 + sign * _cosines(np.array([json.loads(v) for _, v in rows]), np.array(vector))) / 2
            best = [
                index for index in np.argsort(-scores, kind="stable") if threshold is None or scores[index] >= threshold
            ]
            items = [_item(rows[index][0], float(scores[index])) for index in best[:max_results]]
            return SearchResponses(items=items, total=len(items))

        return await self._in_thread(work)


def _cosines(vectors: np.ndarray, vector: np.ndarray) -> np.ndarray:
    lengths = np.linalg.norm(vectors, axis=1) * np.linalg.norm(vector)
    return np.divide(vectors @ vector, lengths, out=np.zeros(len(vectors)), where=lengths > 0)


def _item(id: str, score: float | None) -> SearchResponseItem:
    return SearchResponseItem(record_id=UUID(hex=id), score=score)


def _version(moment: Any) -> str:
    """A time as the server's tables hold it."""
    return moment.strftime("%Y-%m-%d %H:%M:%S.%f")


def _text_fields(fields: Any) -> list[str]:
    return [field.name for field in fields if not field.is_image]
