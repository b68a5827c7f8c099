"""The result that a run replaces stays in `OUT.abroad/earlier/`, and the run says so.

Before a command writes, the files of an earlier, finished result of its own get second names (hard links) in
`OUT.abroad/.earlier/`: that takes no space and no time. Afterwards those that were replaced by files with another
content go to `earlier/`, in place of what lay there; the others lose the second name again. A run that is killed
leaves `.earlier/`, and the next one goes on from there. It is one result that is kept, the last; `earlier/` may be
removed at any time.
"""

from __future__ import annotations

import contextlib
import filecmp
import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from abroad.core.helpers import helper_folder
from abroad.core.progress import tell

EARLIER, PENDING = "earlier", ".earlier"
_COPIED = 1 << 26
"""Bytes of a file that is copied where the file system knows no hard links."""
_MAX_NAMED, _MAX_SHOWN = 3, 60


class EarlierResult:
    """The result that lies at an output while a command writes there anew.

    Args:
        path: of the output; its folder of helpers is there.
        files: name -> size and time of each file that is to be kept; "" is the output itself. None are: nothing is.
    """

    def __init__(self, path: Path, files: Mapping[str, tuple[int, int]]) -> None:
        self._path, self._folder = path, helper_folder(path)
        self._pending = self._folder / PENDING
        self._record = read_record(self._folder / "run.json")
        if self._pending.exists():  # of a run that was killed: what it replaced is what counts
            return
        for name in files:
            self._hold(path / name, self._pending / (name or path.name))

    def _hold(self, file: Path, held: Path) -> None:
        held.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.link(file, held)
        except OSError:
            if file.stat().st_size <= _COPIED:
                shutil.copy2(file, held)

    def settle(self) -> None:
        """Keep what was replaced, and say so; forget the rest. Without an output, the next run settles it."""
        if not self._pending.is_dir() or not self._path.exists():
            return
        replaced = [held for held in sorted(self._pending.rglob("*")) if held.is_file() and self._is_replaced(held)]
        for held in self._pending.rglob("*"):
            if held.is_file() and held not in replaced:
                held.unlink()
        if not replaced:
            shutil.rmtree(self._pending)
            return
        kept = self._folder / EARLIER
        shutil.rmtree(kept, ignore_errors=True)
        self._pending.rename(kept)
        where = kept / self._path.name if self._path.is_file() else kept
        tell(f"{self._path}: the earlier result is replaced{self._other()}; it stays in {where}")

    def _is_replaced(self, held: Path) -> bool:
        """Whether another file lies in its place, with another content; one that was changed in place is not kept."""
        name = held.relative_to(self._pending)
        file = self._path / name if self._path.is_dir() else self._path
        if not file.is_file():
            return True
        with contextlib.suppress(OSError):
            return not file.samefile(held) and not filecmp.cmp(file, held, shallow=False)
        return False

    def _other(self) -> str:
        """What was other then, by the run records."""
        now = read_record(self._folder / "run.json")
        before = self._record
        if not before or not now or before == now:
            return ""
        found = list(_differences(before.get("settings"), now.get("settings")))
        if found:
            more = f" and {len(found) - _MAX_NAMED} more" if len(found) > _MAX_NAMED else ""
            return f" ({'; '.join(found[:_MAX_NAMED])}{more})"
        return " (of other inputs)" if before.get("inputs") != now.get("inputs") else ""


def read_record(path: Path) -> dict[str, Any]:
    """A run record; empty where there is none, or a broken one."""
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return record if isinstance(record, dict) else {}


def _differences(before: Any, now: Any) -> list[str]:
    """The settings that differ, in words ("min_score: 0.5 before, 0.9 now")."""
    if not isinstance(before, dict) or not isinstance(now, dict):
        return []
    names = [name for name in {**before, **now} if before.get(name) != now.get(name)]
    return [f"{name}: {_short(before.get(name))} before, {_short(now.get(name))} now" for name in names]


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _MAX_SHOWN else f"{text[: _MAX_SHOWN - 3]}..."
