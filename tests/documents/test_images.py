"""Images of documents: whatever a file holds is shown as a person would see it, or set aside with its reason."""

import base64
import io
import os
import random
import struct
import zlib
from pathlib import Path

import pytest

from abroad.core.errors import InputError
from abroad.documents.images import data_url, figures, image_paths, images_digest, located
from tests.conftest import make_document

PIL = pytest.importorskip("PIL")
from PIL import Image  # noqa: E402


def document(*images):
    made = make_document("1", "Usnea.", "It had usnic acid.", [])
    made.extra["images"] = list(images)
    return made


def shown(path, resolution=1000):
    url = data_url(path, resolution)
    assert url.startswith("data:image/png;base64,")
    picture = Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2])))
    assert picture.mode == "RGB"
    return picture


def halves(mode, left, right, size=(40, 20)):
    picture = Image.new(mode, size, left)
    picture.paste(right, (size[0] // 2, 0, *size))
    return picture


RED, WHITE = (255, 0, 0), (255, 255, 255)


def near(found, wanted):
    return all(abs(a - b) <= 24 for a, b in zip(found, wanted, strict=True))


def _cmyk(path):
    halves("CMYK", (0, 255, 255, 0), (0, 0, 0, 0)).save(path, format="JPEG", quality=95)


def _turned(path):
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by a quarter: what is stored as the top stands on the right
    halves("RGB", "red", "white").rotate(90, expand=True).save(path, format="JPEG", quality=95, exif=exif)


def _animated(path):
    frames = [halves("RGB", "red", "white"), Image.new("RGB", (40, 20), "blue")]
    frames[0].save(path, format="GIF", save_all=True, append_images=frames[1:])


def _pages(path):
    halves("RGB", "red", "white").save(
        path, format="TIFF", save_all=True, append_images=[Image.new("RGB", (9, 9), "blue")]
    )


def _transparent(path):
    halves("RGBA", (255, 0, 0, 255), (0, 0, 0, 0)).save(path, format="PNG")


def _palette(path):
    picture = halves("P", 0, 1)
    picture.putpalette([255, 0, 0, 0, 0, 0])
    picture.save(path, format="PNG", transparency=1)


def _grey_alpha(path):
    halves("LA", (76, 255), (0, 0)).save(path, format="PNG")


SEEN = {
    "cmyk": (_cmyk, RED),
    "exif": (_turned, RED),
    "animated": (_animated, RED),
    "pages": (_pages, RED),
    "alpha": (_transparent, RED),
    "palette with alpha": (_palette, RED),
    "grey with alpha": (_grey_alpha, (76, 76, 76)),
}


@pytest.mark.parametrize("kind", SEEN)
def test_it_is_seen_as_a_person_sees_it(kind, tmp_path):
    write, left = SEEN[kind]
    write(tmp_path / "file")  # the content says what it is, not the name
    picture = shown(tmp_path / "file")
    assert picture.size == (40, 20)
    assert near(picture.getpixel((8, 10)), left) and near(picture.getpixel((32, 10)), WHITE)


@pytest.mark.parametrize("mode", ["1", "L", "P", "I;16", "I", "F", "YCbCr"])
def test_every_mode_keeps_dark_and_bright_apart(mode, tmp_path):
    top = {"1": 1, "P": 255, "I;16": 65535, "I": 70_000, "F": 3.5e4, "YCbCr": (255, 128, 128)}.get(mode, 255)
    dark = (0, 128, 128) if mode == "YCbCr" else 0
    middle = {"I;16": 32768, "I": 35_000, "F": 1.75e4}.get(mode)
    picture = halves(mode, dark, top)
    if middle is not None:
        picture.putpixel((5, 5), middle)
    if mode == "P":
        picture.putpalette(bytes(value for grey in range(256) for value in (grey,) * 3))
    picture.save(tmp_path / "a", format="TIFF")
    seen = shown(tmp_path / "a")
    assert near(seen.getpixel((2, 15)), (0, 0, 0)) and near(seen.getpixel((32, 10)), WHITE)
    if middle is not None:  # nothing is cut off at 255
        assert near(seen.getpixel((5, 5)), (128, 128, 128))


def test_the_longer_side_is_the_resolution_at_most(tmp_path):
    Image.new("RGB", (400, 200), "red").save(tmp_path / "wide.png")
    Image.new("RGB", (2000, 4000), "red").save(tmp_path / "high.jpg")
    Image.new("RGB", (30, 20), "red").save(tmp_path / "small.bmp")
    sizes = [shown(tmp_path / name, 100).size for name in ("wide.png", "high.jpg", "small.bmp")]
    assert sizes == [(100, 50), (50, 100), (30, 20)]


def png(width, height):
    """A few bytes that say they are a picture of any size."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    rows = zlib.compress(b"\0" * 1000)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


BAD = {
    "text": (b"no picture", "not an image"),
    "empty": (b"", "not an image"),
    "svg": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not an image"),
    "pdf": (b"%PDF-1.7\n", "not an image"),
    "head alone": (b"\x89PNG\r\n\x1a\n nothing", "not an image"),
    "large": (png(9000, 9000), "9000 x 9000 pixels, more than 50 million"),
    "bomb": (png(60_000, 60_000), "more than 50 million"),
    "cut off": (png(900, 900), "cannot be decoded"),
}


def test_what_cannot_be_read_is_set_aside_with_its_reason_and_the_others_are_shown(tmp_path):
    Image.new("RGB", (40, 20), "red").save(tmp_path / "good.png")
    for name, (content, _) in BAD.items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "folder").mkdir()
    odd = ("missing.png", "folder", "x" * 5000, "null\0character")
    found = figures(document(*BAD, "good.png", *odd), tmp_path, 336)
    assert found.paths == (tmp_path / "good.png",) and len(found.urls) == 1
    assert len(found.set_aside) == len(BAD) + len(odd)
    for reason, (name, (_, words)) in zip(found.set_aside, BAD.items(), strict=False):
        assert reason.startswith(f"image {tmp_path / name}: ") and words in reason
    missing, folder, *others = found.set_aside[len(BAD) :]
    assert "found a folder" in folder and all("no such file" in reason for reason in (missing, *others))


def test_a_file_beyond_the_limit_is_not_opened(tmp_path, monkeypatch):
    monkeypatch.setattr("abroad.documents.images._MAX_BYTES", 10)
    Image.new("RGB", (40, 20), "red").save(tmp_path / "a.png")
    with pytest.raises(InputError, match="larger than 0 MB"):
        data_url(tmp_path / "a.png", 100)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "TIFF", "WEBP", "BMP"])
def test_a_damaged_file_is_read_or_set_aside_and_raises_nothing_else(kind, tmp_path):
    stream = io.BytesIO()
    halves("RGB", "red", "white").save(stream, format=kind)
    whole, chance = stream.getvalue(), random.Random(0)
    for number in range(60):
        content = bytearray(whole[: chance.randrange(len(whole))] if number % 2 else whole)
        for _ in range(number % 5):
            if content:
                content[chance.randrange(len(content))] = chance.randrange(256)
        (tmp_path / "a").write_bytes(bytes(content))
        found = figures(document("a"), tmp_path, 64)
        assert len(found.urls) + len(found.set_aside) == 1


@pytest.mark.parametrize("value", ["a.png", {"a": 1}, 5, True])
def test_a_field_that_is_no_list_of_paths_is_told(value, tmp_path):
    made = document()
    made.extra["images"] = value
    assert figures(made, tmp_path, 64).set_aside == ("expected a list of paths in images",)
    assert images_digest(made, tmp_path) == [] and located(made, tmp_path) == made


ODD = {
    "number": (5, "expected the path of a file, found 5"),
    "truth": (True, "found True"),
    "none": (None, "found None"),
    "empty": ("", "found ''"),
    "blank": (" ", "found ' '"),
    "list": (["a.png"], "expected the path"),
    "object": ({"path": "a.png"}, "expected the path"),
    "http": ("http://example.org/a.png", "image http://example.org/a.png: addresses are not fetched"),
    "https": ("HTTPS://example.org/a.png", "addresses are not fetched"),
    "ftp": ("ftp://example.org/a.png", "addresses are not fetched"),
    "s3": ("s3://bucket/a.png", "addresses are not fetched"),
    "file": ("file:///a.png", "addresses are not fetched"),
    "data": ("data:image/png;base64," + "A" * 500, "A...: addresses are not fetched"),
}


@pytest.mark.parametrize("kind", ODD)
def test_an_entry_that_is_no_path_loses_itself_only(kind, tmp_path):
    entry, words = ODD[kind]
    Image.new("RGB", (40, 20), "red").save(tmp_path / "a.png")
    Image.new("RGB", (40, 20), "blue").save(tmp_path / "b.png")
    made = document("a.png", entry, "b.png")
    for each, folder in ((made, tmp_path), (located(made, tmp_path), Path("elsewhere"))):
        found = figures(each, folder, 64)
        assert found.paths == (tmp_path / "a.png", tmp_path / "b.png")
        (reason,) = found.set_aside
        assert words in reason and len(reason) < 200
        assert len(images_digest(each, folder)) == 2


def test_what_is_no_file_is_called_what_it_is_and_not_opened(tmp_path):
    (tmp_path / "folder.png").mkdir()
    os.mkfifo(tmp_path / "pipe.png")  # whoever opens it waits for the other end
    reasons = figures(document("folder.png", "pipe.png", "/dev/zero", "gone.png"), tmp_path, 64).set_aside
    words = ("found a folder", "found a pipe", "found a device", "no such file")
    assert all(reason.endswith(word) for reason, word in zip(reasons, words, strict=True)), reasons


@pytest.mark.parametrize("mode", ["F", "I", "I;16"])
@pytest.mark.parametrize("low, high", [(0, 1), (0, 255), (100, 4095), (0, 65535)])
def test_values_of_more_than_8_bits_are_scaled_by_their_own_range(mode, low, high, tmp_path):
    halves(mode, low, high).save(tmp_path / "a.tif")
    seen = shown(tmp_path / "a.tif")
    assert near(seen.getpixel((2, 15)), (0, 0, 0)) and near(seen.getpixel((32, 10)), WHITE)


def test_values_that_are_no_numbers_leave_the_others_their_range(tmp_path):
    import numpy as np

    values = np.full((20, 40), 0.5, np.float32)
    values[:, :10], values[:, 30:] = 0.25, 0.75
    values[0, :3] = np.nan, np.inf, -np.inf
    Image.fromarray(values).save(tmp_path / "a.tif")
    seen = shown(tmp_path / "a.tif")
    assert [near(seen.getpixel((x, 10)), (grey,) * 3) for x, grey in ((5, 0), (20, 128), (35, 255))] == [True] * 3
    Image.fromarray(np.full((20, 40), np.nan, np.float32)).save(tmp_path / "none.tif")
    (reason,) = figures(document("none.tif"), tmp_path, 64).set_aside
    assert "no pixel has a value" in reason


def test_paths_count_from_the_folder_each_once_and_nothing_is_shown_unless_asked_for(tmp_path):
    Image.new("RGB", (40, 20), "red").save(tmp_path / "a.png")
    made = document("a.png", "a.png", str(tmp_path / "a.png"))
    assert image_paths(made, Path("there"))[0] == Path("there/a.png")
    assert len(figures(made, tmp_path, 64).urls) == 1
    assert figures(made, tmp_path, 0) == figures(document(), tmp_path, 64)


def test_the_digest_changes_with_the_content(tmp_path):
    made = document("a.png")
    before = images_digest(made, tmp_path)
    Image.new("RGB", (40, 20), "red").save(tmp_path / "a.png")
    assert before == [""] and images_digest(made, tmp_path) not in ([""], [])
