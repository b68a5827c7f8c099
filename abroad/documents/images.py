"""Figures and graphical abstracts of documents: read safely, made small enough, written as data URLs.

A document names its files in `images`. One that cannot be read is set aside with its reason, and the document goes on
with its text and its other images. Whatever a file holds (CMYK, 16 bits, transparency, a turned photograph, several
frames), a model is shown an upright picture in RGB, of several frames the first, on white where it is transparent.
"""

from __future__ import annotations

import base64
import io
import os
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from abroad.core.errors import InputError, MissingDependencyError
from abroad.core.io import file_sha256
from abroad.core.schema import Document

IMAGES = "images"
"""The field of a document that names its files."""
SET_ASIDE = "images_set_aside"
"""The field of a prediction that says which images of its document were not shown, and why."""
_MAX_PIXELS = 50_000_000  # of a file; the 4 GB that a "decompression bomb" unfolds to are never decoded
_MAX_BYTES = 50 * 2**20
_FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "TIFF", "BMP")
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
    if not resolution or not document.extra.get(IMAGES):
        return Figures()
    shown: dict[Path, str] = {}
    reasons = []
    try:
        paths = image_paths(document, folder)
    except InputError as error:
        return Figures(set_aside=(str(error),))
    for path in paths:
        try:
            shown[path] = data_url(path, resolution)
        except InputError as error:
            reasons.append(str(error))
    return Figures(tuple(shown), tuple(shown.values()), tuple(reasons))


def image_paths(document: Document, folder: Path) -> list[Path]:
    """The files in a document's `images`, relative ones counted from the folder; each once.

    Raises:
        InputError: `images` is no list of paths.
    """
    named = document.extra.get(IMAGES) or []
    if not isinstance(named, list) or not all(isinstance(item, str) and item for item in named):
        raise InputError("expected a list of paths in images")
    return [folder / item for item in dict.fromkeys(named)]


def located(document: Document, folder: Path) -> Document:
    """The document with its images named from the current directory, and not from the folder that its file lies in."""
    named = document.extra.get(IMAGES)
    if not isinstance(named, list) or not all(isinstance(item, str) for item in named):
        return document  # it is told where they are read
    return replace(document, extra={**document.extra, IMAGES: [str(folder / item) for item in named if item]})


def for_file(documents: Iterable[Document], path: Path) -> Iterator[Document]:
    """Documents as they are written to a file: their images are named from its folder, no more from here."""
    for document in documents:
        named = document.extra.get(IMAGES)
        if isinstance(named, list) and all(isinstance(item, str) for item in named):
            images = [item if Path(item).is_absolute() else os.path.relpath(item, path.parent) for item in named]
            document = replace(document, extra={**document.extra, IMAGES: images})
        yield document


def without_images(document: Document) -> Document:
    """The document as text alone."""
    return replace(document, extra={name: value for name, value in document.extra.items() if name != IMAGES})


def images_digest(document: Document, folder: Path) -> list[str]:
    """What tells the files of a document's images from others; "" for one that is not there."""
    try:
        paths = image_paths(document, folder)
    except InputError:
        return []
    return [file_sha256(path) if _is_file(path) else "" for path in paths]


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
    if turned.mode.startswith("I;16"):
        turned = turned.point(lambda value: value / 256).convert("L")
    elif turned.mode in ("I", "F"):
        turned = _stretched(turned)
    if turned.has_transparency_data:
        turned = turned.convert("RGBA")
        white = Image.new("RGBA", turned.size, "white")
        turned = Image.alpha_composite(white, turned)
    return turned.convert("RGB")


def _stretched(image: Any) -> Any:
    """Grey values of an unknown range, brought to 0 to 255: conversion alone would cut them off at 255."""
    import numpy as np
    from PIL import Image

    values = np.nan_to_num(np.asarray(image, dtype=np.float64), nan=0.0, posinf=0.0, neginf=0.0)
    low, high = float(values.min()), float(values.max())
    if low >= 0 and high <= 255:
        return image.convert("L")
    scaled = (values - low) * (255 / (high - low) if high > low else 0)
    return Image.fromarray(scaled.astype(np.uint8))


def _open(path: Path) -> Any:
    try:
        from PIL import Image
    except ImportError:
        raise MissingDependencyError("pillow", "images", "images in prompts") from None
    if not _is_file(path):
        raise InputError(f"image {path}: no such file")
    if path.stat().st_size > _MAX_BYTES:
        raise InputError(f"image {path}: larger than {_MAX_BYTES // 2**20} MB")
    most = f"more than {_MAX_PIXELS // 10**6} million"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a decompression bomb: ours is the stricter rule
            image = Image.open(path, formats=_FORMATS)
    except Image.DecompressionBombError:
        raise InputError(f"image {path}: too many pixels, {most}") from None
    except _UNREADABLE:  # Pillow's error for what is no image is an OSError
        raise InputError(f"image {path}: not an image that can be read ({', '.join(_FORMATS)})") from None
    if image.width * image.height > _MAX_PIXELS:
        raise InputError(f"image {path}: {image.width} x {image.height} pixels, {most}")
    return image


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # a name that is too long, or with a null character
        return False
