"""What a stage is given beside inputs and settings: where to set records aside, and whom to tell what it does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from abroad.core.progress import Progress
from abroad.core.rejects import Rejects


@dataclass(frozen=True)
class Context:
    """What goes on beside the work of a stage; nothing in it changes an output.

    Attributes:
        rejects: collects the records that are set aside, and what was assumed of the others.
        say: is told what a person should know, a line at a time.
        progress: makes the display of work that takes a while.
    """

    rejects: Rejects = field(default_factory=Rejects)
    say: Callable[[str], None] = lambda message: None
    progress: Callable[..., Progress] = Progress

    def apart(self) -> Context:
        """The same ears, with nothing set aside yet."""
        return replace(self, rejects=Rejects())
