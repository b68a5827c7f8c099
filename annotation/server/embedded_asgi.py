"""The server's ASGI application, with the embedded search engine registered before it is made."""

import embedded_engine  # noqa: F401  (registers itself)
import integrity  # noqa: F401  (settings of every connection)
import quick_push  # noqa: F401
from argilla_server import app

__all__ = ["app"]
