"""A package of somebody else, installed for one test: its modules and its entry points."""

from __future__ import annotations

import functools
import sys
import textwrap
from collections.abc import Mapping
from pathlib import Path

import pytest

from abroad.core import registry


def install(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    modules: Mapping[str, str],
    entry_points: Mapping[str, Mapping[str, str]],
) -> None:
    """Put a package on the path, as pip would, until the test ends.

    Args:
        folder: an empty folder.
        name: of the distribution.
        modules: path -> text.
        entry_points: group -> name -> "module:attribute".
    """
    for path, text in modules.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(textwrap.dedent(text))
    info = folder / f"{name.replace('-', '_')}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    groups = [
        "\n".join([f"[{group}]", *(f"{key} = {value}" for key, value in members.items())])
        for group, members in entry_points.items()
    ]
    (info / "entry_points.txt").write_text("\n".join(groups) + "\n")
    monkeypatch.syspath_prepend(folder)
    monkeypatch.setattr(registry, "_entry_points", functools.cache(registry._entry_points.__wrapped__))
    for path in modules:
        monkeypatch.delitem(sys.modules, path.removesuffix(".py").partition("/")[0], raising=False)
