"""The records of a large XML document, one after the other, in the memory of one; nothing is fetched or expanded."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import IO, Any

from lxml import etree

_BEFORE_ROOT = re.compile(r"\s*(?:<\?.*?\?>|<!--.*?-->|<!DOCTYPE[^>\[]*(?:\[.*?\]\s*)?>)", re.DOTALL)
_ROOT = re.compile(r"\s*<(?:[\w.-]+:)?([A-Za-z_][\w.-]*)")


class BrokenXml(Exception):
    """The stream is not well-formed XML, and the message says where; or it is not what was expected."""


class XmlRecords:
    """The elements of some names in a document, each cleared when the next is asked for.

    Attributes:
        root: name of the document's root without its namespace, once all is read.

    Iterating raises:
        BrokenXml: not well-formed, or a record without an end; records before the fault have been yielded.
    """

    def __init__(self, stream: IO[bytes], tags: Sequence[str], longest: int = 16 << 20) -> None:
        """Open a document.

        Args:
            stream: binary.
            tags: names of the elements, as lxml takes them.
            longest: bytes of a record; the longest of PubMed's baseline, with thousands of authors, has some 3 MB.
        """
        self._bounded = _Bounded(stream, longest)
        self.root = ""
        self._records = etree.iterparse(
            self._bounded,
            events=("end",),
            tag=tags,
            remove_comments=True,
            remove_pis=True,
            resolve_entities=False,
            no_network=True,
            load_dtd=False,
            huge_tree=True,  # elements may be more than 256 deep; the length of a record is bounded above
        )

    def __iter__(self) -> Iterator[Any]:
        try:
            for _, record in self._records:
                self._bounded.start_record()
                yield record
                record.clear()
                while record.getprevious() is not None:
                    del record.getparent()[0]
        except etree.XMLSyntaxError as error:
            fault = " ".join(str(error.msg or "unreadable").split()).partition(", line ")[0]
            raise BrokenXml(f"broken XML at line {error.lineno or 1}: {fault}; the rest is not read") from None
        self.root = local_name(self._records.root)


def local_name(element: Any) -> str:
    """The name of an element without its namespace; "" for what is none, such as an entity."""
    return str(etree.QName(element).localname) if isinstance(element.tag, str) else ""


def root_name(head: bytes) -> str:
    """The name of the root of a document by its first bytes, without its namespace; "" where it cannot be told."""
    text, place = head.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace"), 0
    while found := _BEFORE_ROOT.match(text, place):
        place = found.end()
    root = _ROOT.match(text, place)
    return root[1] if root else ""


class _Bounded:
    """A stream that ends with an error in a record that has no end, since a record is held in memory as a whole."""

    def __init__(self, stream: IO[bytes], longest: int) -> None:
        self._stream, self._longest, self._size = stream, longest, 0

    def start_record(self) -> None:
        self._size = 0

    def read(self, size: int = -1) -> bytes:
        data = self._stream.read(size)
        self._size += len(data)
        if self._size > self._longest:
            raise BrokenXml(f"more than {self._longest >> 20} MB without the end of a record")
        return data
