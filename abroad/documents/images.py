"""Figures and graphical abstracts of documents: read safely, made small enough, written as data URLs.

A document names its files in `images`. One that cannot be read is set aside with its reason, and the document goes on
with its text and its other images. Whatever a file holds (CMYK, 16 bits, transparency, a turned photograph, several
frames), a model is shown an upright picture in RGB, of several frames the first, on white where it is transparent.
"""

from __future__ import annotations

import base64
import io
import os
import re
import stat
import warnings
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from abroad.core.errors import InputError, MissingDependencyError, short
from abroad.core.io import file_sha256
from abroad.core.schema import Document

IMAGES = "images"
"""The field of a document that names its files."""
SET_ASIDE = "images_set_aside"
"""The field of a prediction that says which images of its document were not shown, and why; in a document it says the
same of figures that its paper names and that are not the paper's own (`abroad.documents.paper_figures`)."""
_MAX_PIXELS = 50_000_000  # of a file; the 4 GB that a "decompression bomb" unfolds to are never decoded
_MAX_BYTES = 50 * 2**20
_FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "TIFF", "BMP")
_ADDRESS = re.compile(r"(?:[a-z][a-z0-9+.-]*://|data:|mailto:|urn:|doi:)", re.IGNORECASE)
_KINDS: tuple[tuple[Callable[[int], bool], str], ...] = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)
_UNREADABLE = (OSError, ValueError, SyntaxError, MemoryError, EOFError, IndexError, KeyError, TypeError, OverflowError)
"""What Pillow raises for damaged files."""


@dataclass(frozen=True)
class Figures:
    """The images of a document.

    Attributes:
        paths: of those that can be shown.
        urls: the same as PNG data URLs (RFC 2397).
        set_aside: why each of the others cannot.
    """

    paths: tuple[Path, ...] = ()
    urls: tuple[str, ...] = ()
    set_aside: tuple[str, ...] = ()


def figures(document: Document, folder: Path, resolution: int) -> Figures:
    """The images of a document, each with its longer side `resolution` pixels at most; never made larger.

    Args:
        document: with or without `images`.
        folder: what relative paths count from.
        resolution: in pixels; 0 shows none.

    Raises:
        MissingDependencyError: Pillow is not installed.
    """
    if not resolution or not (document.extra.get(IMAGES) or document.extra.get(SET_ASIDE)):
        return Figures()
    shown: dict[Path, str] = {}
    reasons = list(_told(document))
    for entry in _entries(document):
        try:
            path = folder / path_of(entry)
            if path not in shown:
                shown[path] = data_url(path, resolution)
        except InputError as error:
            reasons.append(str(error))
    return Figures(tuple(shown), tuple(shown.values()), tuple(dict.fromkeys(reasons)))


def refused_image(path: Path, reason: str) -> str:
    """What is said of an image that could be read, and that the model does not take."""
    return f"image {path}: {reason}"


def image_paths(document: Document, folder: Path) -> list[Path]:
    """The files in a document's `images`, relative ones counted from the folder; each once, and no other entries."""
    return list(dict.fromkeys(folder / entry for entry in _entries(document) if is_path(entry)))


def path_of(entry: Any) -> str:
    """An entry of `images` as the path that it is.

    Raises:
        InputError: it is something else.
    """
    if is_path(entry):
        return str(entry)
    if isinstance(entry, str) and entry.strip():
        raise InputError(f"image {entry[:60]}{'...' if len(entry) > 60 else ''}: addresses are not fetched")
    raise InputError(f"images: expected the path of a file, found {short(entry)}")


def is_path(entry: Any) -> bool:
    """Whether an entry of `images` is a path, and no address (https:, data:) and nothing else."""
    return isinstance(entry, str) and bool(entry.strip()) and not _ADDRESS.match(entry.strip())


def _entries(document: Document) -> list[Any]:
    """What stands in `images`, which is told where it is no list."""
    named = document.extra.get(IMAGES)
    return named if isinstance(named, list) else []


def _told(document: Document) -> Iterator[str]:
    """Why images of a document are not shown, before any is looked at."""
    named, aside = document.extra.get(IMAGES), document.extra.get(SET_ASIDE)
    if named and not isinstance(named, list):
        yield "expected a list of paths in images"
    if isinstance(aside, list):
        yield from (reason for reason in aside if isinstance(reason, str))


def located(document: Document, folder: Path) -> Document:
    """The document with its images named from the current directory, and not from the folder that its file lies in."""
    named = _entries(document)
    if not named:
        return document
    found = [str(folder / entry) if is_path(entry) else entry for entry in named]  # what is no path is told when read
    return replace(document, extra={**document.extra, IMAGES: found})


def for_file(documents: Iterable[Document], path: Path) -> Iterator[Document]:
    """Documents as they are written to a file: their images are named from its folder, no more from here."""
    for document in documents:
        if named := _entries(document):
            images = [_from(path.parent, item) if is_path(item) else item for item in named]
            document = replace(document, extra={**document.extra, IMAGES: images})
        yield document


def _from(folder: Path, name: str) -> str:
    return name if Path(name).is_absolute() else os.path.relpath(name, folder)


def without_images(document: Document) -> Document:
    """The document as text alone."""
    extra = {name: value for name, value in document.extra.items() if name not in (IMAGES, SET_ASIDE)}
    return replace(document, extra=extra)


def images_digest(document: Document, folder: Path) -> list[str]:
    """What tells the files of a document's images from others; "" for one that is not there."""
    return [file_sha256(path) if is_file(path) else "" for path in image_paths(document, folder)]


def data_url(path: Path, resolution: int) -> str:
    """An image as a PNG data URL, its longer side `resolution` pixels at most.

    Raises:
        InputError: no such file, not an image, or too large to be decoded.
        MissingDependencyError: Pillow is not installed.
    """
    image = _open(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # damaged metadata, which nobody looks at
            image.draft(None, (resolution, resolution))  # a large JPEG is decoded small
            upright = _upright(image)
            upright.thumbnail((resolution, resolution))
            stream = io.BytesIO()
            upright.save(stream, format="PNG")
    except _UNREADABLE as error:
        raise InputError(f"image {path}: cannot be decoded ({error})") from None
    return f"data:image/png;base64,{base64.b64encode(stream.getvalue()).decode()}"


def _upright(image: Any) -> Any:
    """The picture in RGB as a person would see it."""
    from PIL import Image, ImageOps

    turned = ImageOps.exif_transpose(image)
    if turned.mode.startswith("I") or turned.mode == "F":
        turned = _stretched(turned)
    if turned.has_transparency_data:
        turned = turned.convert("RGBA")
        white = Image.new("RGBA", turned.size, "white")
        turned = Image.alpha_composite(white, turned)
    return turned.convert("RGB")


def _stretched(image: Any) -> Any:
    """Grey values of more than 8 bits, their own range brought to 0 to 255: nobody says where black and white are.

    Raises:
        ValueError: none of them is a number.
    """
    import numpy as np
    from PIL import Image

    values = np.asarray(image, dtype=np.float64)
    known = values[np.isfinite(values)]
    if not known.size:
        raise ValueError("no pixel has a value")
    low, high = float(known.min()), float(known.max())
    filled = np.nan_to_num(values, nan=low, posinf=high, neginf=low)
    if low == high:  # of one shade: black, or what it is of white
        scaled = np.full_like(filled, min(max(low, 0.0) * (255 if high <= 1 else 1), 255))
    else:
        scaled = (filled - low) * (255 / (high - low))
    return Image.fromarray(scaled.round().astype(np.uint8))


def _open(path: Path) -> Any:
    try:
        from PIL import Image
    except ImportError:
        raise MissingDependencyError("pillow", "images", "images in prompts") from None
    if not is_file(path):
        raise InputError(f"image {path}: {_instead(path)}")
    if path.stat().st_size > _MAX_BYTES:
        raise InputError(f"image {path}: larger than {_MAX_BYTES // 2**20} MB")
    most = f"more than {_MAX_PIXELS // 10**6} million"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a decompression bomb: ours is the stricter rule
            image = Image.open(path, formats=_FORMATS)
    except Image.DecompressionBombError:
        raise InputError(f"image {path}: too many pixels, {most}") from None
    except PermissionError:
        raise InputError(f"image {path}: it cannot be opened (no permission)") from None
    except _UNREADABLE:  # Pillow's error for what is no image is an OSError
        raise InputError(f"image {path}: not an image that can be read ({', '.join(_FORMATS)})") from None
    if image.width * image.height > _MAX_PIXELS:
        raise InputError(f"image {path}: {image.width} x {image.height} pixels, {most}")
    return image


def is_file(path: Path) -> bool:
    """Whether a file lies there; of no name is it too much to ask."""
    try:
        return path.is_file()
    except (OSError, ValueError):  # a name that is too long, or with a null character
        return False


def _instead(path: Path) -> str:
    """What lies where a file should."""
    try:
        mode = path.stat().st_mode
    except PermissionError:
        return "its folder cannot be opened (no permission)"
    except (OSError, ValueError):
        return "no such file"
    return next((f"expected a file, found {what}" for is_one, what in _KINDS if is_one(mode)), "no such file")
