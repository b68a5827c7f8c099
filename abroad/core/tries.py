"""What is told of the tries of questions that are paid for: that one is about to be sent, and that it cost nothing.

Who counts costs sets `Tries` of its context, and an engine for servers tells it; both are called by threads.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from abroad.core.errors import AbroadError


class TryRefused(AbroadError):
    """The question must not be sent once more: what it may cost is beyond the budget."""


def _nothing(question: str) -> None:
    pass


@dataclass
class Tries:
    """Who is told of each try.

    Attributes:
        sent: is called with the id of a question before it is sent; may raise TryRefused.
        free: is called where nothing is charged for the try: the server was not there, or did not take it.
    """

    sent: Callable[[str], None] = _nothing
    free: Callable[[str], None] = _nothing
