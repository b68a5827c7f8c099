"""Every command and every line of Python in README and docs runs, on the sample, and prints what the page says."""

import re
import shutil

import pytest

from abroad.pipeline.config import Config
from tests.docs.blocks import PAGES, ROOT, Block, blocks, commands
from tests.docs.running import run_page

RUNNING = [
    page
    for page in PAGES
    if any(block.needs is None and block.language in ("sh", "console", "python") for block in blocks(page))
]
CONFIGS = [block for page in PAGES for block in blocks(page) if block.language == "yaml"]
MODEL = re.compile(r"(?:--model|--base) model\b")


@pytest.fixture
def reader(tmp_path):
    """A new folder with what a checkout has, as links."""
    for name in ("data", "configs"):
        if name == "configs":  # their outputs count from their folder: a link would lead out of the reader's
            shutil.copytree(ROOT / name, tmp_path / name)
        else:
            (tmp_path / name).symlink_to(ROOT / name)
    return tmp_path


@pytest.mark.parametrize("page", RUNNING, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_page_runs_as_a_reader_would(page, reader, request):
    code = "\n".join(command for block in blocks(page) if block.needs is None for command, _ in _commands(block))
    if MODEL.search(code):
        # Real code paths in milliseconds; nothing that a model of random weights says has a meaning.
        shutil.copytree(request.getfixturevalue("tiny_model"), reader / "model")
    if re.search(r"\bannotate (?:push|serve)", code):
        pytest.importorskip("argilla")
    assert run_page(page, reader) > 0


def _commands(block: Block) -> list[tuple[str, str]]:
    return commands(block) if block.language in ("sh", "console") else []


@pytest.mark.parametrize("block", CONFIGS, ids=lambda block: block.where)
def test_settings_on_a_page_are_those_of_a_config(block):
    import yaml

    least = {"out": "runs/x", "lotus": {"relations": "r.tsv"}, "evaluate": {"gold": "g.jsonl"}}
    Config.model_validate({**least, **yaml.safe_load(block.code)})
