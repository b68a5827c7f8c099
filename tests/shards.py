"""What tests of work in shards share: how much of it is on disk, and waiting for that."""

import contextlib
import json
import time

import pytest

from abroad.core.helpers import helper_folder


def answered(out):
    """How many ids are answered on disk; a shard that is just done has them in two files."""
    folder, ids = helper_folder(out), set()
    for path in [*folder.glob("shards-*/?????.jsonl"), *folder.glob("shards-*/?????.jsonl.partial-*.jsonl")]:
        with contextlib.suppress(FileNotFoundError):  # a shard that is done is renamed
            whole = [line for line in path.read_bytes().splitlines(keepends=True) if line.endswith(b"\n")]
            ids |= {json.loads(line)["id"] for line in whole}
    return len(ids)


def wait_until(condition, seconds):
    for _ in range(seconds * 50):
        if condition():
            return
        time.sleep(0.02)
    pytest.fail("the run did not come so far")
