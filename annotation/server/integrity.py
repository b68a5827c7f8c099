"""What makes the server's SQLite database safe against crashes, and several curators at once.

Write-ahead log: readers never wait for the writer, and a torn write is rolled back at the next start.
https://sqlite.org/wal.html  Synchronous FULL: what was answered as saved is on disk, after a power cut too.
"""

from __future__ import annotations

from sqlalchemy import event, text
from sqlalchemy.engine import Engine

_STATUS = """
UPDATE records SET status = :status WHERE status != :status AND dataset_id = :dataset AND (
  SELECT count(*) FROM responses WHERE responses.record_id = records.id AND responses.status = 'submitted'
) {sign} :enough
"""


@event.listens_for(Engine, "connect")
def durable(connection, _) -> None:
    """Settings of every connection; importing this module puts them on all that come after."""
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.close()


def settle_statuses() -> None:
    """Set what a crash between a response and its record's status, or a lost job, left undone."""
    from argilla_server.database import sync_engine
    from argilla_server.models import Dataset
    from sqlalchemy.orm import Session

    with Session(sync_engine) as session:
        for dataset in session.query(Dataset):
            enough = (dataset.distribution or {}).get("min_submitted", 1)
            for status, sign in (("completed", ">="), ("pending", "<")):
                values = {"status": status, "dataset": dataset.id.hex, "enough": enough}
                session.execute(text(_STATUS.format(sign=sign)), values)
        session.commit()
