"""Options and names of files that are no UTF-8 reach Python as lone surrogates (PEP 383): they are named, exit 2."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

SAMPLE = Path(__file__).parents[2] / "data" / "sample" / "curated.jsonl"


@pytest.mark.skipif(sys.platform != "linux", reason="names of files are bytes on Linux")
@pytest.mark.parametrize(
    "arguments",
    [
        [b"extract", b"names\xff.jsonl", b"--out", b"p.jsonl"],
        [b"annotate", b"export", b"d.jsonl", b"--html", b"page.html", b"--title", b"t\xfft"],
        [b"documents", b"split", b"d.jsonl", b"--random", b"--out-train", b"a\xff.jsonl", b"--out-test", b"b.jsonl"],
    ],
    ids=["name of an input", "option", "name of an output"],
)
def test_what_is_no_utf8_is_no_traceback(tmp_path, arguments):
    for name in (b"names\xff.jsonl", b"d.jsonl"):
        (tmp_path / os.fsdecode(name)).write_bytes(SAMPLE.read_bytes())
    environment = os.environ | {"PYTHONPATH": str(Path.cwd())}
    command = [os.fsencode(sys.executable), b"-m", b"abroad", *arguments]
    found = subprocess.run(command, cwd=tmp_path, capture_output=True, env=environment)
    assert b"Traceback" not in found.stderr
    assert found.returncode in (0, 2)
    if found.returncode:
        assert b"UTF-8" in found.stderr
