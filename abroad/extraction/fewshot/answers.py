"""Cut the relations out of what a model wrote, by rule: the same rule for every model."""

from __future__ import annotations

import re
from collections.abc import Collection

from abroad.core.linearise import SEPARATOR, VERBS
from abroad.extraction.fewshot.thoughts import without_thoughts

NONE = "none"
"""What a model writes where a text states no relation."""
_NEXT_EXAMPLE = re.compile(r"\n\s*\n\s*Text:|\nText:")
_MARKER = re.compile(r"(?:^|\n)[\s*#]*Relations[\s*]*:[\s*]*", re.IGNORECASE)
_BULLET = re.compile(r"^\s*(?:[-*•]|\d{1,3}[.)])\s+")
_WRAPPED = re.compile(r"(?P<open>[*_`~]{1,3}|[\"“‘«'])(?P<line>.+?)(?:[*_`~]{1,3}|[\"”’»'])[.;,]?")
_PART = re.compile(r"[;\n]")
_AGAIN = 3
"""Parts that an answer that goes round has said again, or as many as it had before."""
_NOTHING = re.compile(r"(?:none(?: found)?|no relations?(?: found)?|nothing)", re.IGNORECASE)


def cut_relations(text: str, steps: bool = False, verbs: Collection[str] = tuple(VERBS)) -> str | None:
    """The relations of an answer as one line, "" for none; None if the answer holds no readable one.

    What a model thinks before its answer goes, and what it adds after it (another example, an explanation); a list of
    one relation a line is taken as well, and so are words before a list ("Here are the relations:").

    Args:
        steps: the answer goes through steps, and only what follows its last "Relations:" counts.
        verbs: what stands between head and tail.
    """
    text = _NEXT_EXAMPLE.split(without_thoughts(text) or "", maxsplit=1)[0]
    markers = list(_MARKER.finditer(text))
    if steps and not markers:
        return None
    if markers:
        text = text[markers[-1].end() :]
    if not text.strip():
        return None
    if _NOTHING.fullmatch(_plain(text.strip().splitlines()[0]).strip(" .*\"'")):
        return ""
    said: list[str] = []
    for lines in _paragraphs(text):
        stated = [line for line in lines if _is_relation(line, verbs)]
        if not said and len(stated) < len(lines) and stated[:1] == lines[:1]:
            # What follows relations is talk; further ones are items of a list as the first is, or say it once more.
            item = _manner(lines[0])[0]
            said = [line for line in stated if (item and _manner(line)[0]) or line == lines[0]]
        elif not said:
            said = stated
        elif len(stated) == len(lines) and {_manner(line) for line in lines} == {_manner(said[0])}:
            said += stated
        else:
            break
    return SEPARATOR.join(_plain(line) for line in said) or None


def whole_parts(text: str) -> str:
    """An answer that was cut off without its last part, of which half may be missing."""
    ends = [match.start() for match in _PART.finditer(text)]
    return text[: ends[-1]] if ends else ""


def goes_round(text: str) -> bool:
    """Whether an answer that was cut off had nothing more to say: it said over again what it had said before."""
    *parts, last = (" ".join(_BULLET.sub("", part).split()).casefold() for part in _PART.split(text))
    parts = [part for part in parts if part]
    if not any(part.startswith(last) for part in parts):
        return False
    newest = max(parts.index(part) for part in parts)
    return len(parts) - newest - 1 >= min(newest + 1, _AGAIN)


def _paragraphs(text: str) -> list[list[str]]:
    """The lines of each paragraph."""
    found = [[line.strip() for line in part.splitlines() if line.strip()] for part in re.split(r"\n\s*\n", text)]
    return [lines for lines in found if lines]


def _is_relation(line: str, verbs: Collection[str]) -> bool:
    """Whether a line states a relation; one that announces others ends in a colon."""
    return states(line, verbs) and not line.rstrip("*_ ").endswith(":")


def _manner(line: str) -> tuple[bool, bool]:
    """How a line is written: as an item of a list, and as a sentence."""
    return _BULLET.match(line) is not None, line.endswith(".")


def _plain(line: str) -> str:
    """A line without its bullet, the marks around it and the full stop at its end."""
    line = _BULLET.sub("", line).strip()
    wrapped = _WRAPPED.fullmatch(line)
    if wrapped is not None and wrapped["open"] not in wrapped["line"]:  # else it begins and ends with names so marked
        line = wrapped["line"].strip()
    return line.rstrip(";").removesuffix(".").strip()


def states(text: str, verbs: Collection[str]) -> bool:
    """Whether a text has one of the verbs."""
    return any(verb in text for verb in verbs)
