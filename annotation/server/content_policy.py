"""A Content-Security-Policy on everything the server answers: the browser runs the page's own scripts and no others.

Argilla's page puts names, titles and messages on itself as HTML. Whatever gets past the checks of what is stored, a
script in it does not run, and nothing is sent to or fetched from another address.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from pathlib import Path
from typing import Any

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]
_INLINE = re.compile(r"<script(?:\s[^>]*)?>(.+?)</script>", re.DOTALL | re.IGNORECASE)


def policy(static: Path) -> str:
    """The policy for a page whose HTML lies in a directory: its inline scripts are allowed by their hashes.

    Styles may be inline, since the page sets them as it is drawn.
    """
    hashes = sorted({_hash(script) for script in _inline_scripts(static)})
    return "; ".join(
        (
            "default-src 'self'",
            " ".join(["script-src 'self'", *hashes]),
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "font-src 'self' data:",
            "connect-src 'self'",
            "object-src 'none'",
            "base-uri 'self'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        )
    )


def _inline_scripts(static: Path) -> Iterator[str]:
    for page in static.rglob("*.html"):
        yield from _INLINE.findall(page.read_text(encoding="utf-8"))


def _hash(script: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"


class ContentPolicy:
    """ASGI middleware that puts the policy on every answer over HTTP; the answer's own headers of these names go."""

    def __init__(self, app: Callable[[Scope, Receive, Send], Awaitable[None]], policy: str) -> None:
        self._app = app
        self._headers = [
            (b"content-security-policy", policy.encode("ascii")),
            (b"x-content-type-options", b"nosniff"),
            (b"referrer-policy", b"same-origin"),
        ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def with_policy(message: Any) -> None:
            if message["type"] == "http.response.start":
                ours = {name for name, _ in self._headers}
                kept = [(name, value) for name, value in message.get("headers", ()) if name.lower() not in ours]
                message = {**message, "headers": [*kept, *self._headers]}
            await send(message)

        await self._app(scope, receive, with_policy if scope["type"] == "http" else send)
