"""Rows of CSV and its kin, one at a time; a quotation mark that does not close costs its own line and no other.

Python's csv module reads on to the next quotation mark, however many rows that swallows. Here a row over several lines
is believed only where its lines are not rows by themselves; else the first is broken, and the others are read again.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from typing import NamedTuple

UNCLOSED = "a quotation mark that does not close"
_EVIDENCE = 6
"""Delimiters in their places that no text has by chance; a tab is evidence by itself."""


class Row(NamedTuple):
    """A row, or what could not be read as one.

    Attributes:
        line: number of its first line.
        fields: empty where it is broken, or blank.
        fault: why it is broken.
        text: its first line as it stands.
    """

    line: int
    fields: list[str]
    fault: str
    text: str


def read_delimited_rows(lines: Iterable[str], delimiter: str) -> Iterator[Row]:
    """Yield the rows of a table; the first that is not blank is its header, whose width the others should have."""
    feed = _Feed(iter(lines))
    reader = csv.reader(feed, delimiter=delimiter, strict=True)
    width, line = 0, 1
    while True:
        feed.taken = []
        fields, fault = [], ""
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            fault = str(error)
        taken = feed.taken
        if len(taken) > 1 and (fault or _are_rows(taken, delimiter, width)):
            feed.put_back(taken[1:])
            taken, fields, fault = taken[:1], [], UNCLOSED
        elif fault and taken and taken[0].count('"') % 2:
            fault = UNCLOSED
        width = width or len(fields)
        yield Row(line, fields, fault, taken[0])
        line += len(taken)


class _Feed:
    """Lines for a reader, with those that it took for the row at hand, which can be put back."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines = lines
        self._again: list[str] = []
        self.taken: list[str] = []

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._again.pop() if self._again else next(self._lines)
        self.taken.append(line)
        return line

    def put_back(self, lines: list[str]) -> None:
        self._again.extend(reversed(lines))


def _are_rows(lines: list[str], delimiter: str, width: int) -> bool:
    """Whether each line is a row of the table by itself, too often for chance."""
    enough = 1 if delimiter == "\t" else _EVIDENCE
    if (width - 1) * len(lines) < enough or width < 2:
        return False
    return all(width in (_count(line, delimiter, True), _count(line, delimiter, False)) for line in lines)


def _count(line: str, delimiter: str, quoted: bool) -> int:
    """Fields of one line, quotation marks read as such or as any other sign."""
    one = [line.rstrip("\r\n")]
    try:
        if quoted:
            return len(next(csv.reader(one, delimiter=delimiter), []))
        return len(next(csv.reader(one, delimiter=delimiter, quoting=csv.QUOTE_NONE), []))
    except csv.Error:  # a field beyond the module's limit
        return 0
