"""Figures and graphical abstracts for multimodal models: read safely, made small enough, written as data URLs."""

from __future__ import annotations

import base64
import io
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from abroad.core.errors import InputError, MissingDependencyError
from abroad.core.schema import Document

_MAX_PIXELS = 50_000_000  # of a file; the 4 GB that a "decompression bomb" unfolds to are never decoded
_MAX_BYTES = 50 * 2**20
_FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "TIFF", "BMP")


def image_paths(document: Document, folder: Path) -> list[Path]:
    """The files in a document's `images`, relative ones counted from the folder.

    Raises:
        InputError: `images` is no list of paths.
    """
    named = document.extra.get("images") or []
    if not isinstance(named, list) or not all(isinstance(item, str) and item for item in named):
        raise InputError("expected a list of paths in images")
    return [folder / item for item in named]


def data_url(path: Path, resolution: int) -> str:
    """An image as a PNG data URL (RFC 2397), its longer side `resolution` pixels at most; never made larger.

    Raises:
        InputError: no such file, not an image, or too large to be decoded.
        MissingDependencyError: Pillow is not installed.
    """
    image = _open(path)
    try:
        image.thumbnail((resolution, resolution))
        stream = io.BytesIO()
        image.convert("RGB").save(stream, format="PNG")
    except (OSError, ValueError, SyntaxError, MemoryError) as error:
        raise InputError(f"image {path}: cannot be decoded ({error})") from None
    return f"data:image/png;base64,{base64.b64encode(stream.getvalue()).decode()}"


def data_urls(paths: Sequence[Path], resolution: int) -> tuple[str, ...]:
    """Images as data URLs.

    Raises:
        InputError: as `data_url`, for the first image that is not one.
    """
    return tuple(data_url(path, resolution) for path in paths)


def _open(path: Path) -> Any:
    try:
        from PIL import Image, UnidentifiedImageError
    except ImportError:
        raise MissingDependencyError("pillow", "images", "images in prompts") from None
    if not path.is_file():
        raise InputError(f"image {path}: no such file")
    if path.stat().st_size > _MAX_BYTES:
        raise InputError(f"image {path}: larger than {_MAX_BYTES // 2**20} MB")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # ours is the stricter rule
            image = Image.open(path, formats=_FORMATS)
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError, ValueError, SyntaxError):
        raise InputError(f"image {path}: not an image that can be read ({', '.join(_FORMATS)})") from None
    if image.width * image.height > _MAX_PIXELS:
        raise InputError(
            f"image {path}: {image.width} x {image.height} pixels, more than {_MAX_PIXELS // 10**6} million"
        )
    return image
