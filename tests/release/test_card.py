"""The model card says the field of the adapter; that of natural products is what it was."""

import hashlib
import json

import pytest

from abroad.core.field_file import NewField, new_field
from abroad.release.pack import write_card

FILES = {
    "adapter_config.json": {"base_model_name_or_path": "m"},
    "decoding.json": {"num_beams": 2},
    "evaluation.json": {
        "documents": 2, "protocol": "upstream", "precision": 1, "recall": 2, "f1": 3, "f1_low": 4, "f1_high": 5
    },
}  # fmt: skip
PRODUCTS = "6dace9ce6bdd767b"  # of commit ac97c2b


@pytest.fixture
def release(tmp_path):
    folder = tmp_path / "release"
    folder.mkdir()
    for name, record in FILES.items():
        (folder / name).write_text(json.dumps(record))
    (folder / "adapter_model.safetensors").write_bytes(b"\0" * 1000)
    return folder


def test_the_card_of_natural_products_is_what_it_was(release):
    assert hashlib.sha256(write_card(release).read_bytes()).hexdigest()[:16] == PRODUCTS


def test_the_card_of_another_field_says_that_field(release):
    asked = NewField(name="decay", head="bacterium", tail="dye", verb="eats")
    (release / "field.yaml").write_text(new_field(asked))
    card = write_card(release).read_text()
    assert '"bacterium eats dye"' in card and "`BACTERIUM eats DYE`" in card and "about bacteria, dyes." in card
    assert not any(word in card.lower() for word in ("organism", "chemical", "natural", "compound"))
