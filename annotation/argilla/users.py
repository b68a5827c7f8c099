"""Accounts of curators on an Argilla server."""

from __future__ import annotations

import secrets
import string
from typing import TYPE_CHECKING

from abroad.core.errors import InputError
from annotation.argilla.connection import explained

if TYPE_CHECKING:
    from argilla import Argilla

ROLES = ("annotator", "admin")
_LETTERS = "".join(set(string.ascii_letters + string.digits) - set("0O1lI"))  # read aloud and typed without mistakes
_LENGTH = 16  # 16 of 57 letters: 93 bits


def add_curator(client: Argilla, name: str, role: str = "annotator", workspace: str = "abroad") -> str | None:
    """Make an account with a generated password and add it to a workspace, which is made if it is not there.

    Returns:
        The password, which is stored nowhere; None if the account was there, which keeps its own.
    Raises:
        InputError: a role that is none, a name that the server refuses, or a key that may not do this.
    """
    import argilla

    if role not in ROLES:
        raise InputError(f"role {role!r}: expected one of {', '.join(ROLES)}")
    with explained(client):
        place = next((place for place in client.workspaces if place.name == workspace), None)
        place = place or argilla.Workspace(name=workspace, client=client).create()
        user = next((user for user in client.users if user.username == name), None)
        password = None
        if user is None:
            password = "".join(secrets.choice(sorted(_LETTERS)) for _ in range(_LENGTH))
            user = argilla.User(username=name, password=password, role=role, client=client).create()
        if all(member.username != name for member in place.users):
            user.add_to_workspace(place)
    return password
