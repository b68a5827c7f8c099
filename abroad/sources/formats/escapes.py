"""Signs that XML cannot hold, in the cells of a workbook: "_x0000_", as Excel writes and reads them.

ISO/IEC 29500-1, 22.9.2.19 (ST_Xstring). A text that looks like such an escape has its first "_" escaped.
"""

from __future__ import annotations

import re

_ESCAPED = re.compile("[\x00-\x08\x0b-\x1f\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)")
_ESCAPE = re.compile("_x([0-9A-Fa-f]{4})_")


def to_workbook(text: str) -> str:
    """The text as a cell of a workbook holds it."""
    return _ESCAPED.sub(lambda found: f"_x{ord(found[0]):04X}_", text)


def from_workbook(cell: str) -> str:
    """The text that a cell of a workbook holds; half of a surrogate pair stays as it is written."""
    return _ESCAPE.sub(_sign, cell)


def _sign(found: re.Match[str]) -> str:
    code = int(found[1], 16)
    return found[0] if 0xD800 <= code <= 0xDFFF else chr(code)
