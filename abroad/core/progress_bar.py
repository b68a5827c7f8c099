"""The bar that shows progress at a terminal."""

from __future__ import annotations

from collections.abc import Callable

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeElapsedColumn
from rich.text import Text


def make_bar(seconds_left: Callable[[], float | None]) -> Progress:
    """A bar for one task, with a field `note`, on standard error.

    Args:
        seconds_left: what the rest takes; None where nobody knows.
    """
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        _Remaining(seconds_left),
        TextColumn("{task.fields[note]}"),
        console=Console(stderr=True),
    )


class _Remaining(ProgressColumn):
    """The time left as we reckon it: rich's own knows the last half minute alone, in which a long step may not end."""

    max_refresh = 0.5

    def __init__(self, seconds_left: Callable[[], float | None]) -> None:
        super().__init__()
        self._seconds_left = seconds_left

    def render(self, task: Task) -> Text:
        seconds = self._seconds_left()
        if seconds is None:
            return Text("" if task.total is None else "-:--:--", style="progress.remaining")
        minutes, left = divmod(round(seconds), 60)
        return Text(f"{minutes // 60}:{minutes % 60:02d}:{left:02d}", style="progress.remaining")
