"""Where the helpers of an output lie: run record, set-aside records, caches, unfinished work.

All of them are in one folder, `OUT.abroad/`, beside the output. Earlier versions laid them beside the output itself,
as `OUT.run.json`, `OUT.partial` and so on; `old_helper` names those.
"""

from __future__ import annotations

import shutil
from pathlib import Path

SUFFIX = ".abroad"


def helper_folder(out: str | Path) -> Path:
    """`OUT.abroad`, which need not be there."""
    out = _named(out)
    return out.with_name(out.name + SUFFIX)


def helper(out: str | Path, name: str) -> Path:
    """The path of a helper of `out`; helpers of a file that is a helper itself lie beside it."""
    out = _named(out)
    if any(part.endswith(SUFFIX) for part in out.parent.parts):
        return out.with_name(f"{out.name}.{name}")
    return helper_folder(out) / name


def old_helper(out: str | Path, name: str) -> Path:
    """Where earlier versions laid the helper."""
    out = _named(out)
    return out.with_name(f"{out.name}.{name}")


def taken_over(out: str | Path, name: str) -> Path:
    """The path of a helper; what an earlier version left is copied there, so that its work goes on."""
    path, old = helper(out, name), old_helper(out, name)
    if not path.exists() and old.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f".{path.name}.part")
        shutil.copyfile(old, partial)
        partial.replace(path)
    return path


def found(out: str | Path, name: str) -> Path:
    """A helper to read: where it lies now, else where an earlier version laid it, if it is there."""
    path, old = helper(out, name), old_helper(out, name)
    return old if not path.exists() and old.exists() else path


def _named(out: str | Path) -> Path:
    """The path with a name at its end: "." and ".." have none."""
    out = Path(out)
    return out.resolve() if out.name in ("", "..") else out
