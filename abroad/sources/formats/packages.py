"""Packages of papers (.tar.gz, .tar), as PMC's open-access subset comes in; read from start to end, never unpacked.

https://pmc.ncbi.nlm.nih.gov/tools/openftlist/. A package is of one paper with its figures, or of thousands of papers.
"""

from __future__ import annotations

import posixpath
import tarfile
import zlib
from collections.abc import Iterator, Mapping
from typing import IO, Any, TypeAlias

from abroad.core.limits import BoundedGzip
from abroad.core.plain import GZIP

_TAR, _TAR_AT = b"ustar", 257
_PAPERS = (".nxml", ".xml")
_LONGEST = 64 << 20  # bytes of a paper


def is_package(start: bytes) -> bool:
    """Whether these are the first bytes of a tar archive, unpacked."""
    return start[_TAR_AT : _TAR_AT + len(_TAR)] == _TAR


def opened(raw: IO[bytes], name: str) -> IO[bytes]:
    """A stream of what a file holds, gzipped or not."""
    compressed = raw.read(2) == GZIP
    raw.seek(0)
    stream: Any = BoundedGzip(raw, name) if compressed else raw
    return stream


def papers(stream: IO[bytes]) -> Iterator[tuple[str, bytes | str]]:
    """Yield (name, XML) of each paper in a package, or (name, why it is not read).

    Raises:
        tarfile.TarError, EOFError, OSError, zlib.error: it breaks off; what came before has been yielded.
    """
    with tarfile.open(fileobj=stream, mode="r|") as archive:
        for member in archive:
            if not member.isfile() or not member.name.lower().endswith(_PAPERS):
                continue
            if member.size > _LONGEST:
                yield member.name, f"more than {_LONGEST >> 20} MB"
                continue
            found = archive.extractfile(member)
            if found is not None:
                yield member.name, found.read()


Members: TypeAlias = Mapping[str, int]
"""Files of a package, by their names as they are said shortest -> bytes."""


def members(stream: IO[bytes]) -> Members:
    """The files in a package; as much as can be read of one that breaks off.

    Links are none, nor is what lies below one or would be unpacked out of the folder of the package.
    """
    found: dict[str, int] = {}
    links = set()
    try:
        with tarfile.open(fileobj=stream, mode="r|") as archive:
            for member in archive:
                name = posixpath.normpath(member.name)
                found.pop(name, None)  # of several members with one name the last stays
                if member.issym() or member.islnk():
                    links.add(name)
                elif member.isfile() and not name.startswith(("/", "../")):
                    found[name] = member.size
    except (tarfile.TarError, EOFError, OSError, zlib.error):
        pass
    return {name: size for name, size in found.items() if links.isdisjoint(_and_above(name))} if links else found


def _and_above(name: str) -> Iterator[str]:
    while name:
        yield name
        name = posixpath.dirname(name)
