"""`abroad annotate user`: an account for a curator."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from abroad.cli.common import say
from abroad.cli.options import Options, SettingsCommand, takes

if TYPE_CHECKING:
    from annotation.argilla.push import PushSettings

URL_HELP = "Another Argilla server. [default: ARGILLA_API_URL, else the one of `annotate serve`]"
KEY_HELP = "API key there. [default: ARGILLA_API_KEY]"


@takes(target=Options("annotation.argilla.push:PushSettings", only=("workspace",)))
def user(
    name: str = typer.Argument(..., help="Name to log in with."),
    role: str = typer.Option("annotator", help="annotator, or admin (who may also push and pull)."),
    url: str | None = typer.Option(None, help=URL_HELP),
    api_key: str | None = typer.Option(None, help=KEY_HELP),
    *,
    target: PushSettings,
) -> None:
    """Make an account for a curator; the password is generated, shown once and stored nowhere here.

    A name that is there already is only added to the workspace.

    Example: abroad annotate user marie
    """
    from annotation.argilla.connection import connect
    from annotation.argilla.users import add_curator, check_curator

    check_curator(name, role)
    client = connect(url, api_key)
    password = add_curator(client, name, role, target.workspace)
    if password is None:
        say(f"{name} is there already and now belongs to the workspace {target.workspace!r}; the password is unchanged")
    else:
        say(f"{name} ({role}) logs in at {client.api_url} with this password, shown once:")
        typer.echo(password)


def register(group: typer.Typer) -> None:
    group.command("user", cls=SettingsCommand)(user)
