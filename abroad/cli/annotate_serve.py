"""`abroad annotate serve`: Argilla on this machine, with one command."""

from __future__ import annotations

import os
from pathlib import Path

import typer

from abroad.cli.common import say
from abroad.cli.outputs import folder, writes
from abroad.core.context import Context


@writes(home=folder("data of the server", "lock", "credentials.json", marked=False))
def serve(
    home: Path | None = typer.Option(
        None, metavar="DIR", help="Data of the server. [default: ~/.local/share/abroad/annotation/home]"
    ),
    port: int = typer.Option(6900, min=0, max=65535, help="Port of the web page; 0: any that is free."),
    host: str = typer.Option("127.0.0.1", help="Address to listen on; another than 127.0.0.1 opens it to the network."),
) -> None:
    """Start the annotation server (Argilla) on this machine, without Elasticsearch or Redis; Ctrl-C stops it.

    The first start makes the server's own Python environment, and the owner, whose password is shown once.
    Everything that is submitted stays in DIR: back up that directory to back up the curation.

    Example: abroad annotate serve
    """
    from annotation.home import default_home
    from annotation.server_env import SERVER, server_python

    home = (home or default_home()).expanduser().resolve()
    python = server_python(Context(say=say))
    if host not in ("127.0.0.1", "localhost", "::1"):
        say(f"warning: {host} lets other machines reach the server, over plain HTTP: passwords can be read on the way")
    say("starting Argilla (a few seconds)")
    arguments = [str(python), str(SERVER / "launch.py"), "--home", str(home), "--host", host, "--port", str(port)]
    # This process becomes the server, so that a signal to it, kill -9 too, reaches the server itself.
    os.execv(str(python), arguments)


def register(group: typer.Typer) -> None:
    group.command("serve")(serve)
