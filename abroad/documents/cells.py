"""Texts as cells of CSV and TSV that no spreadsheet takes for a formula, and back, to the character.

A cell that starts with "=", "+", "-" or "@" is computed when the file is opened (OWASP, "CSV injection"), also after
blanks and quotation marks, and also where a program divides at another sign than the file does. An apostrophe before
it makes it text. Names such as "-)-catechin" get one too, and lose it when the table is read again.
"""

from __future__ import annotations

import re

_RISKY = r"[\s\"']*[=+\-@＝＋－＠]"
_SAFE = re.compile(rf"(^|[;\t\r\n])(?={_RISKY})")
_MADE_SAFE = re.compile(rf"(^|[;\t\r\n])'(?={_RISKY})")


def to_cell(text: str) -> str:
    """The text with an apostrophe wherever a formula could begin."""
    return _SAFE.sub(r"\1'", text)


def from_cell(cell: str) -> str:
    """The text that `to_cell` made the cell of."""
    return _MADE_SAFE.sub(r"\1", cell)
