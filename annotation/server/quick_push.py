"""Two things that argilla-server 2.8.0 does for every pushed record, done once: most of a push's time (by py-spy).

Parsers of settings are built each time a question's or property's settings are read; and the event of every record is
put together from the database even if there is no webhook that wants it.
"""

from __future__ import annotations

from typing import Any

from argilla_server.bulk.records_bulk import UpsertRecordsBulk
from argilla_server.contexts.webhooks import list_enabled_webhooks
from argilla_server.models import database
from pydantic import TypeAdapter

_adapters: dict[int, tuple[Any, TypeAdapter]] = {}
_notify = UpsertRecordsBulk._notify_upsert_record_events


def adapter(kind: Any) -> TypeAdapter:
    """The adapter of a type, which is kept too: its id stays its own."""
    if id(kind) not in _adapters:
        _adapters[id(kind)] = (kind, TypeAdapter(kind))
    return _adapters[id(kind)][1]


async def notify(bulk: UpsertRecordsBulk, records: list) -> None:
    """Tell the webhooks, if there are any."""
    if await list_enabled_webhooks(bulk._db):
        await _notify(bulk, records)


database.TypeAdapter = adapter
UpsertRecordsBulk._notify_upsert_record_events = notify
