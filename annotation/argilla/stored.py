"""Records and their answers as the server holds them.

Read by Argilla's HTTP API and not by the SDK's `Record`: that drops answers without values (discarded ones) and the
time of an answer.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from argilla import Argilla, Dataset

_PAGE = 200


@dataclass(frozen=True)
class StoredAnswer:
    """The answer of a curator, as the server has it.

    Attributes:
        user: id.
        status: submitted, draft or discarded.
        values: question -> value.
        updated_at: UTC.
    """

    user: str
    status: str
    values: dict[str, Any]
    updated_at: str


@dataclass(frozen=True)
class StoredRecord:
    """A record of the server, with its answers.

    Attributes:
        id: the document's.
        metadata: as pushed.
        answers: one a user.
    """

    id: str
    metadata: dict[str, Any]
    answers: tuple[StoredAnswer, ...]


def stored_records(client: Argilla, dataset: Dataset) -> Iterator[StoredRecord]:
    """Every record of a dataset; run inside `explained`."""
    offset = 0
    while True:
        page = client.http_client.get(
            f"/api/v1/datasets/{dataset.id}/records", params={"include": "responses", "offset": offset, "limit": _PAGE}
        )
        items = page.raise_for_status().json()["items"]
        for item in items:
            answers = tuple(
                StoredAnswer(
                    str(response["user_id"]),
                    response["status"],
                    {name: answer["value"] for name, answer in (response.get("values") or {}).items()},
                    str(response.get("updated_at") or ""),
                )
                for response in item.get("responses") or ()
            )
            yield StoredRecord(str(item.get("external_id") or item["id"]), item.get("metadata") or {}, answers)
        if len(items) < _PAGE:
            return
        offset += _PAGE
