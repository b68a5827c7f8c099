"""The figures that a paper names, as files of its own: within its folder, unpacked or in a package.

A paper comes from elsewhere, and what is shown may go to a server. So a name that leads out of the paper's folder (an
absolute path, `..`, a link) is set aside with its reason, and so is an address. A file that is not there yet stays
named within the folder: who shows it is told.
"""

from __future__ import annotations

import os
import posixpath
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from abroad.core.errors import InputError
from abroad.documents.images import is_file, path_of
from abroad.sources.formats.full_text import FullText
from abroad.sources.formats.packages import Members

Find = Callable[[str], str]
"""What a paper names -> the path that its document carries. Raises InputError for what is not the paper's own."""

_KINDS = ("jpg", "jpeg", "png", "gif", "tif", "tiff", "webp", "bmp")
_ENDINGS = ("", *(f".{kind}" for kind in _KINDS), *(f".{kind.upper()}" for kind in _KINDS))
_OUTSIDE = "it leads out of the paper's folder"


def with_own_figures(paper: FullText, find: Find) -> FullText:
    """The paper with the figures that are its own, and the reasons of the others."""
    found, reasons = [], []
    for name in paper.images:
        try:
            found.append(find(name))
        except InputError as error:
            reasons.append(str(error))
    return replace(paper, images=tuple(dict.fromkeys(found)), images_set_aside=tuple(dict.fromkeys(reasons)))


def within(name: str) -> str:
    """A relative path that stays within a folder, as it is said shortest.

    Raises:
        InputError: an address, or it leads out of the folder.
    """
    path = posixpath.normpath(path_of(name).strip().replace("\\", "/"))
    if path.startswith(("/", "../")) or path in ("..", ".") or os.path.splitdrive(path)[0]:
        raise InputError(f"image {name}: {_OUTSIDE}")
    return path


@dataclass(frozen=True)
class Beside:
    """Finds the figures of a paper beside its file, in folders there too; a name may lack its ending.

    Attributes:
        folder: of the paper.
    """

    folder: Path

    def __call__(self, name: str) -> str:
        path = within(name)
        for ending in _ENDINGS:
            found = self.folder / f"{path}{ending}"
            if is_file(found):
                _check_inside(found, self.folder, name)
                return str(found.absolute())
        _check_inside(self.folder / path, self.folder, name)
        return str((self.folder / path).absolute())


@dataclass(frozen=True)
class InPackage:
    """Finds the figures of a paper in its folder of a package; they go by their names in that.

    Attributes:
        members: of the package.
        paper: the member that the paper is.
        folder: that the package lies in, and may have been unpacked in.
    """

    members: Members
    paper: str
    folder: Path

    def __call__(self, name: str) -> str:
        place = posixpath.normpath(posixpath.join(posixpath.dirname(self.paper), within(name)))
        member = next((f"{place}{ending}" for ending in _ENDINGS if f"{place}{ending}" in self.members), None)
        if member is None:
            raise InputError(f"image {name}: no file of the package (links in it are not followed)")
        unpacked = self.folder / member
        if is_file(unpacked):
            _check_inside(unpacked, self.folder / posixpath.dirname(self.paper), name)
            if unpacked.stat().st_size != self.members[member]:
                raise InputError(f"image {name}: {unpacked} is not the file of the package")
        return member


def nowhere(name: str) -> str:
    """Of a paper that came through a pipe: it has no folder.

    Raises:
        InputError: always.
    """
    raise InputError(f"image {path_of(name)}: a paper from a pipe has no figures beside it; give its file")


def figures_of_members(members: Members | None, folder: Path | None) -> Callable[[str], Find]:
    """What finds the figures of each paper of a package, by the paper's name in it.

    Args:
        members: of the package; None of one whose members were not listed.
        folder: as of `InPackage`; None of a pipe.
    """
    if folder is None:
        return lambda paper: nowhere
    if members is None:
        return lambda paper: _unlisted
    return lambda paper: InPackage(members, posixpath.normpath(paper), folder)


def _unlisted(name: str) -> str:
    raise InputError(f"image {path_of(name)}: figures of so large a package are not looked for; unpack it")


def _check_inside(path: Path, folder: Path, name: str) -> None:
    """Refuse a path that leaves a folder by a link.

    Raises:
        InputError: it does.
    """
    try:
        inside = path.resolve().is_relative_to(folder.resolve())
    except (OSError, ValueError, RuntimeError):  # a name that is too long, or links in a circle
        inside = False
    if not inside:
        raise InputError(f"image {name}: {_OUTSIDE}")


def each_within(paper: FullText) -> FullText:
    """A paper that was read without a folder: its figures stay named where their names lead out of none."""
    return with_own_figures(paper, within)
