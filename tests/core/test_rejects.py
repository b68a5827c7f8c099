"""What is set aside is counted as what it is."""

import pytest

from abroad.core.rejects import Rejects


@pytest.mark.parametrize(
    ("records", "images", "said"),
    [
        (0, 0, ""),
        (2, 0, "2 record(s) set aside:"),
        (0, 3, "3 image(s) set aside:"),
        (1, 2, "1 record(s) and 2 image(s) set aside:"),
    ],
)
def test_images_are_no_records(records, images, said):
    rejects = Rejects()
    for number in range(images):
        rejects.add_image(f"document {number}", "image a.png: no such file")
    for number in range(records):
        rejects.add(f"line {number}", "no text")
    assert rejects.summary().partition("\n")[0] == said and len(rejects) == records + images
