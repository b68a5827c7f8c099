"""The annotation server that tests of this directory share, and what they put into it."""

from __future__ import annotations

import pytest

from abroad.core.errors import AbroadError
from tests.annotation.running import RunningServer


@pytest.fixture(scope="session")
def server_environment() -> None:
    """The server's own Python environment (`make test` makes it)."""
    pytest.importorskip("argilla")
    from annotation.server_env import server_python

    try:
        server_python()
    except AbroadError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def annotation_server(server_environment, tmp_path_factory):
    """A started server with an owner and nothing else, shared by all tests: use a workspace of your own."""
    server = RunningServer(tmp_path_factory.mktemp("annotation") / "home", "--port", "0").start()
    yield server
    server.kill()


@pytest.fixture
def own_server(server_environment, tmp_path):
    """A server of a test's own, to be stopped and killed; not started yet."""
    server = RunningServer(tmp_path / "home", "--port", "0")
    yield server
    server.kill()
