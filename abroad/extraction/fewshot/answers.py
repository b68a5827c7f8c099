"""Cut the relations out of what a model wrote, by rule: the same rule for every model."""

from __future__ import annotations

import re
from collections.abc import Collection

from abroad.core.linearise import SEPARATOR, VERBS

NONE = "none"
"""What a model writes where a text states no relation."""
_NEXT_EXAMPLE = re.compile(r"\n\s*\n\s*Text:|\nText:")
_MARKER = re.compile(r"(?:^|\n)[\s*#]*Relations[\s*]*:[\s*]*", re.IGNORECASE)
_BULLET = re.compile(r"^\s*(?:[-*•]|\d{1,3}[.)])\s+")
_NOTHING = re.compile(r"(?:none(?: found)?|no relations?(?: found)?|nothing)", re.IGNORECASE)


def cut_relations(text: str, steps: bool = False, verbs: Collection[str] = tuple(VERBS)) -> str | None:
    """The relations of an answer as one line, "" for none; None if the answer holds no readable one.

    What a model adds after its answer (another example) goes; a list of one relation a line is taken as well, and
    so are words before a list ("Here are the relations:").

    Args:
        steps: the answer goes through steps, and only what follows its last "Relations:" counts.
        verbs: what stands between head and tail.
    """
    text = _NEXT_EXAMPLE.split(text, maxsplit=1)[0]
    markers = list(_MARKER.finditer(text))
    if steps and not markers:
        return None
    if markers:
        text = text[markers[-1].end() :]
    lines = [_BULLET.sub("", line).strip() for line in text.strip().splitlines() if line.strip()]
    if not lines:
        return None
    if _NOTHING.fullmatch(lines[0].strip(" .*\"'")):
        return ""
    stated = [line for line in lines if states(line, verbs)]
    if not stated:
        return None
    if states(lines[0], verbs):  # an answer in one line; what follows it is talk, unless it goes on as the first did
        stated = [line for line in stated if len(stated) == len(lines) or line == lines[0]]
    return SEPARATOR.join(line.strip().rstrip(";").removesuffix(".").strip() for line in stated)


def states(text: str, verbs: Collection[str]) -> bool:
    """Whether a text has one of the verbs."""
    return any(verb in text for verb in verbs)
