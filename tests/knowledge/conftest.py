"""A world of files, and a knowledge base of it in each of the formats: made once, and copied for each test."""

import shutil

import pytest

from tests.knowledge.world import FORMATS, World


@pytest.fixture(scope="session")
def made_world(tmp_path_factory):
    """The world that others are copies of: nobody writes to it."""
    pytest.importorskip("duckdb")
    world = World(tmp_path_factory.mktemp("world"))
    for format in FORMATS:
        world.base(format)
    return world


@pytest.fixture
def world(made_world, tmp_path):
    """A world of a test's own."""
    folder = tmp_path / "world"
    shutil.copytree(made_world.folder, folder)
    return World(folder)


@pytest.fixture(params=FORMATS)
def format(request):
    return request.param


@pytest.fixture
def base(world, format):
    """The path of a knowledge base, built once."""
    return world.base(format)
