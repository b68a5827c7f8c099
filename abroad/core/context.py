"""What a stage is given beside inputs and settings: where to set records aside, and whom to tell what it does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from abroad.core.progress import Progress
from abroad.core.rejects import Rejects
from abroad.core.tries import Tries


@dataclass(frozen=True)
class Context:
    """What goes on beside the work of a stage; nothing in it changes an output.

    Attributes:
        rejects: collects the records that are set aside, and what was assumed of the others.
        say: is told what a person should know, a line at a time.
        progress: makes the display of work that takes a while.
        tries: is told of each try of a question that is paid for.
    """

    rejects: Rejects = field(default_factory=Rejects)
    say: Callable[[str], None] = lambda message: None
    progress: Callable[..., Progress] = Progress
    tries: Tries = field(default_factory=Tries)

    def apart(self) -> Context:
        """The same ears, with nothing set aside yet."""
        return replace(self, rejects=Rejects())
