"""Fixtures of tests of the docs."""

from tests.annotation.conftest import server_environment

__all__ = ["server_environment"]
