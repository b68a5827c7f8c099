"""Every command and every line of Python in README and docs runs, on the sample, and prints what the page says."""

import re
import shutil

import pytest

from abroad.pipeline.config import Config
from tests.docs.blocks import PAGES, ROOT, blocks, commands
from tests.docs.running import run_page
from tests.docs.stand_ins import StandIns, commands_of, not_run

RUNNING = [
    page
    for page in PAGES
    if any(block.language == "python" for block in blocks(page))
    or any(not not_run(command) for block in blocks(page) for command, _ in commands(block))
]
CONFIGS = [block for page in PAGES for block in blocks(page) if block.language == "yaml"]


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
    if any(re.search(r"\bannotate (?:push|serve)", command) for _, command in commands_of(page)):
        pytest.importorskip("argilla")
    with StandIns(page, reader, request).ready() as stand_ins:
        assert run_page(page, reader, stand_ins) > 0


@pytest.mark.parametrize("block", CONFIGS, ids=lambda block: block.where)
def test_settings_on_a_page_are_those_of_a_config(block):
    import yaml

    least = {"out": "runs/x", "lotus": {"relations": "r.tsv"}, "evaluate": {"gold": "g.jsonl"}}
    Config.model_validate({**least, **yaml.safe_load(block.code)})
