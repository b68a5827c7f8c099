"""The server's ASGI application: the embedded search engine registered before it is made, its page made safe after."""

from pathlib import Path

import embedded_engine  # noqa: F401  (registers itself)
import integrity  # noqa: F401  (settings of every connection)
import quick_push  # noqa: F401
import user_names  # noqa: F401
from argilla_server import app as argilla
from content_policy import ContentPolicy, policy
from local_fonts import serve_fonts

__all__ = ["app"]

_page = next(route.app for route in argilla.routes if getattr(route, "name", "") == "static")
_static = Path(_page.directory)
serve_fonts(_static)
app = ContentPolicy(argilla, policy(_static))
