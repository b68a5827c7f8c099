"""Run the pages of a knowledge base on this machine."""

from __future__ import annotations

import importlib.util
import socket
from pathlib import Path
from typing import TYPE_CHECKING

from abroad.core.context import Context
from abroad.core.errors import InputError, MissingDependencyError
from abroad.knowledge.store import readable

if TYPE_CHECKING:
    from abroad.knowledge.browse.app import Desk


def serve(database: Path, desk: Desk, port: int, context: Context) -> None:
    """Show a database until it is interrupted.

    Args:
        port: 0 takes any that is free.
        context: is told the address, once it answers.
    Raises:
        InputError: no such database, or the port is taken.
        MissingDependencyError: FastAPI or uvicorn is not installed.
    """
    for package in ("fastapi", "uvicorn"):
        if importlib.util.find_spec(package) is None:
            raise MissingDependencyError(package, "knowledge", "the pages of a knowledge base")
    import uvicorn

    from abroad.knowledge.browse.app import make_app

    with readable(database):  # which says what is wrong with it before a page has to
        pass
    app = make_app(database, desk)

    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
        except OSError as error:
            raise InputError(
                f"--port {port}: cannot be listened on ({error.strerror}); 0 takes one that is free"
            ) from None
        listener.listen()  # from here on a browser is answered, if only when the server has started
        context.say(f"http://127.0.0.1:{listener.getsockname()[1]}/ shows {database}; Ctrl-C ends it")
        config = uvicorn.Config(app, log_level="warning", server_header=False, lifespan="off")
        uvicorn.Server(config).run(sockets=[listener])
