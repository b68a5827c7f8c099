"""The server's ASGI application, with the embedded search engine registered before it is made."""

import embedded_engine  # noqa: F401  (registers itself)
from argilla_server import app

__all__ = ["app"]
