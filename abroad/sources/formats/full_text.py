"""What the formats of full texts give: a paper with its sections; tables and references are not of it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Section:
    """A section of the body.

    Attributes:
        title: its heading after those that it stands under ("Results > Isolation"); may be empty.
        paragraphs: plain text, one line each.
    """

    title: str
    paragraphs: tuple[str, ...]


@dataclass(frozen=True)
class FullText:
    """A paper, or as much of it as is there; what it lacks is empty.

    Attributes:
        id: that its file gives it, where it has none of the other three.
        images: names of the files of its figures.
        images_set_aside: why others of them are not taken.
        retracted: whether it says of itself that it was withdrawn.
    """

    title: str = ""
    abstract: str = ""
    sections: tuple[Section, ...] = ()
    pmid: str = ""
    pmcid: str = ""
    doi: str = ""
    id: str = ""
    year: int | None = None
    images: tuple[str, ...] = ()
    images_set_aside: tuple[str, ...] = ()
    retracted: bool = False
