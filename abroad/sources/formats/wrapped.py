"""Put lines back together that PubMed has wrapped.

PubMed wraps at spaces and after hyphens; a line that was broken at a space keeps the space at its end, unless
an editor or the older export took it away.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

BLANK_LINE = re.compile(r"\n[ \t]*\n")
_HYPHENATED = re.compile(r"\w[-‐]$")
_AFTER_SUSPENDED_HYPHEN = re.compile(r"(?:and|or|to|and/or|und|et)\b")


def unwrap(lines: Iterable[str]) -> str:
    """One line: "12-" and "myristate" is "12-myristate", "3-" and "and 4-hydroxy" is "3- and 4-hydroxy"."""
    text = ""
    for line in lines:
        line = line.rstrip("\r\n")
        start = line.lstrip()
        glued = _HYPHENATED.search(text[-2:]) and not _AFTER_SUSPENDED_HYPHEN.match(start)
        text += start if glued or not text else f" {start}"
    return " ".join(text.split())
