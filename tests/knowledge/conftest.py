"""A world of files, and a knowledge base of it in each of the formats."""

import pytest

from tests.knowledge.world import FORMATS, World


@pytest.fixture
def world(tmp_path):
    pytest.importorskip("duckdb")
    return World(tmp_path)


@pytest.fixture(params=FORMATS)
def format(request):
    return request.param


@pytest.fixture
def base(world, format):
    """The path of a knowledge base, built once."""
    path = world.folder / f"np.{format}"
    world.build(path, format)
    return path
