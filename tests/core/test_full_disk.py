"""A disk that fills up is one error with the path, whichever of our databases meets it."""

import subprocess
import sys

import pytest

resource = pytest.importorskip("resource", reason="limits of files are POSIX's")

LIMITED = """
import resource, sys
from pathlib import Path
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
folder = Path(sys.argv[1])
try:
    {work}
except OSError as error:
    import errno
    print(errno.errorcode[error.errno], error.filename)
"""
WORK = {
    "ids that were seen": """
    from abroad.core.scratch import SeenIds
    with SeenIds(folder / "seen") as seen:
        for number in range(100_000):
            seen.add(f"{number:040}")""",
    "ids in a temporary file": """
    from abroad.core.scratch import SeenIds
    with SeenIds() as seen:
        for number in range(100_000):
            seen.add(f"{number:040}")""",
    "first records": """
    from abroad.core.scratch import FirstOf
    with FirstOf() as first:
        for number in range(100_000):
            first.setdefault(f"{number:040}", "x" * 40)""",
    "versions of records": """
    from abroad.core.scratch import Versions
    with Versions() as versions:
        for number in range(100_000):
            versions.put(f"{number:040}", "1", "x" * 40)""",
    "an index of names": """
    from abroad.core.context import Context
    from abroad.sources.name_index_build import build_index
    build_index(folder / "table.csv", folder / "names.sqlite", Context())""",
}


@pytest.mark.parametrize("what", WORK)
def test_a_full_disk_is_one_error_with_a_path(tmp_path, what):
    rows = (f"compound {n},Usnea species{n},10.1000/{n}\n" for n in range(8_000))
    (tmp_path / "table.csv").write_text("compound,organism,doi\n" + "".join(rows))
    program = LIMITED.format(work=WORK[what].strip())
    done = subprocess.run([sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True)
    assert done.returncode == 0 and done.stdout.startswith("ENOSPC "), done.stderr
    assert str(tmp_path) in done.stdout or "TMPDIR" in done.stdout
    assert not (tmp_path / "names.sqlite").exists()
