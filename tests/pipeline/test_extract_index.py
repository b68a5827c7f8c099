"""`abroad run` links with an index as `abroad extract --index` does, and extracts anew where another one lies there."""

import pytest
import yaml

from abroad.core.context import Context
from abroad.core.io import read_predictions, write_jsonl
from abroad.pipeline.config import load_config
from abroad.pipeline.runner import run_stages
from abroad.pipeline.sections import ExtractSection
from abroad.pipeline.stages import make_stages
from abroad.sources.name_index_build import build_index
from tests.sources.test_name_index import HEADER, KEY_A, KEY_B, row

SENTENCE = "Usnic acid was isolated from Usnea barbata."


@pytest.fixture
def folder(tmp_path):
    write_jsonl(tmp_path / "gold.jsonl", [{"id": "1", "AbstractText": SENTENCE}])
    make_index(tmp_path, row("Q1", KEY_A, "11", "Usnic acid", "", "Q10", "Usnea barbata", "Q100", "10.1/A"))
    return tmp_path


def make_index(folder, *rows):
    (folder / "lotus.csv").write_text("\n".join([HEADER, *rows]) + "\n", encoding="utf-8")
    (folder / "index.sqlite").unlink(missing_ok=True)
    build_index(folder / "lotus.csv", folder / "index.sqlite", Context())


def statuses(folder, **extract):
    gold = {"gold": str(folder / "gold.jsonl"), "resamples": 1000}
    values = {"out": str(folder / "run"), "extract": {"model": "builtin", **extract}, "evaluate": gold}
    (folder / "config.yaml").write_text(yaml.safe_dump(values))
    config = load_config(folder / "config.yaml")
    run_stages(config, [stage for stage in make_stages(config) if stage.name == "extract"], Context())
    return {
        relation.status
        for each in read_predictions(folder / "run" / "predictions.jsonl")
        for relation in each.relations
    }


def test_a_run_links_with_the_index_of_its_config(folder):
    assert statuses(folder) == {None}
    assert statuses(folder, index=str(folder / "index.sqlite")) == {"known"}
    make_index(folder, row("Q2", KEY_B, "12", "Saxitoxin", "", "Q11", "Alexandrium tamarense", "Q101", "10.1/B"))
    assert statuses(folder, index=str(folder / "index.sqlite")) == {"not linked"}


def test_how_it_is_worked_through_is_no_part_of_what_is_found(folder):
    """A run of an earlier version, which had no such keys, is taken up."""
    plain = ExtractSection(model="builtin")
    other = plain.replace(workers=2, index=folder / "index.sqlite")
    assert plain.identity() == other.identity() == {"model": "builtin"}
    assert plain.extractor_settings() == other.extractor_settings() == {}
    assert plain.replace(link=False).identity() != plain.identity()
