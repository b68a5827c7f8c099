"""The grid of resolutions and mixtures: tabulated, gone on with, and not made twice."""

import json

import pytest

from abroad.core.io import write_documents
from abroad.experiments.tuning.images import Cell, best_cell
from abroad.experiments.tuning.settings import ImageTrainSettings
from tests.conftest import make_document
from tests.visual import save_visual_model


@pytest.fixture
def grid(cli, smollm2, tmp_path):
    """Calls the command on three documents with figures, and one without."""
    from PIL import Image

    model = save_visual_model(smollm2, tmp_path / "llava", "llava")
    Image.new("RGB", (60, 30), "red").save(tmp_path / "a.png")
    papers = [make_document(str(n), "Usnea.", "See the figure.", [("Usnea", "usnic acid")]) for n in range(4)]
    for paper in papers[:3]:
        paper.extra["images"] = ["a.png", "missing.png"]
    write_documents(tmp_path / "docs.jsonl", papers)
    write_documents(tmp_path / "valid.jsonl", papers[:1])

    def call(*more):
        command = ["tune", "images", tmp_path / "docs.jsonl", "--validation", tmp_path / "valid.jsonl"]
        fixed = ["--model", model, "--epochs", 1, "--lora-rank", 4, "--lora-alpha", 8, "--validation-max-new-tokens", 2]
        return cli(*command, *fixed, "--out", tmp_path / "grid", *more)

    return call


def test_each_pair_is_trained_once_and_what_is_left_is_made_later(grid, tmp_path):
    first = grid("--resolutions", "28,56", "--text-shares", "0.25")
    assert first.exit_code == 0, first.stderr
    adapter = tmp_path / "grid" / "28-0.25" / "adapter_model.safetensors"
    made = adapter.stat().st_mtime_ns
    again = grid("--resolutions", "28,56", "--text-shares", "0.25,0.5")
    assert again.exit_code == 0, again.stderr
    assert again.stderr.count("nothing is left to do") == 2 and adapter.stat().st_mtime_ns == made
    cells = json.loads((tmp_path / "grid" / "images.json").read_text())
    assert [(cell["resolution"], cell["text_share"]) for cell in cells] == [
        (28, 0.25),
        (28, 0.5),
        (56, 0.25),
        (56, 0.5),
    ]
    assert [cell["examples"] for cell in cells] == [4, 6, 4, 6]  # three with figures, and their share without
    assert all(cell["loss"] > 0 and 0 <= cell["f1"] <= 100 and cell["updates"] for cell in cells)
    head, *rows = again.stdout.splitlines()
    assert head.split() == ["resolution", "text_share", "examples", "updates", "loss", "f1"]
    assert [row.split()[:3] for row in rows[:4]] == [
        [f"{cell['resolution']}", f"{cell['text_share']:g}", f"{cell['examples']}"] for cell in cells
    ]
    assert not rows[4:] and "no training found anything in the validation documents" in again.stderr
    assert "missing.png: no such file" in again.stderr and again.stderr.count("3 image(s) set aside") == 1
    settings = json.loads((tmp_path / "grid" / "56-0.5" / "training.json").read_text())["settings"]
    assert (settings["resolution"], settings["text_share"]) == (56, 0.5)


@pytest.mark.parametrize(
    ("option", "value"),
    [("--resolutions", "many"), ("--resolutions", "0"), ("--resolutions", ""), ("--text-shares", "0,2")],
)
def test_what_is_no_list_of_numbers_is_refused(grid, option, value, tmp_path):
    refused = grid(option, value)
    assert refused.exit_code == 2 and f"{option} {value}: expected" in refused.stderr
    assert not (tmp_path / "grid" / "images.json").exists()


def test_the_best_is_that_of_the_best_f1_and_of_equals_the_cheapest():
    cells = [Cell(448, 0.0, 9, 3, 1.0, 50.0), Cell(224, 0.2, 9, 3, 1.0, 50.0), Cell(224, 0.0, 9, 3, None, 40.0)]
    assert best_cell(cells) is cells[1] and best_cell([Cell(224, 0.2, 9, 3, 1.0, 0.0)]) is None
    assert cells[1].section() == "train:  # F1 50.0\n  resolution: 224\n  text_share: 0.2\n"


def test_alpha_is_twice_the_rank_and_the_rate_that_of_the_study():
    settings = ImageTrainSettings()
    assert settings.lora_alpha == 2 * settings.lora_rank and settings.learning_rate == 1e-4
