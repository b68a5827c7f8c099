"""Accounts of curators on an Argilla server."""

from __future__ import annotations

import re
import secrets
import string
from typing import TYPE_CHECKING

from abroad.core.errors import InputError
from annotation.argilla.connection import explained

if TYPE_CHECKING:
    from argilla import Argilla

ROLES = ("annotator", "admin")
_LETTERS = "".join(set(string.ascii_letters + string.digits) - set("0O1lI"))  # read aloud and typed without mistakes
_NAME = re.compile(r"[\w.@-]{1,100}")  # the server of `annotate serve` holds to it too (server/user_names.py)
_LENGTH = 16  # 16 of 57 letters: 93 bits


def check_curator(name: str, role: str) -> None:
    """Check what needs no server.

    Raises:
        InputError: a role that is none, or a name with other signs.
    """
    if role not in ROLES:
        raise InputError(f"role {role!r}: expected one of {', '.join(ROLES)}")
    if not _NAME.fullmatch(name):
        raise InputError(f"user name {name!r}: expected 1 to 100 letters, digits, or signs of . - _ @")


def add_curator(client: Argilla, name: str, role: str = "annotator", workspace: str = "abroad") -> str | None:
    """Make an account with a generated password and add it to a workspace, which is made if it is not there.

    Args:
        name: letters, digits and . - _ @; Argilla's page shows names as HTML, so that other signs are dangerous.
    Returns:
        The password, which is stored nowhere; None if the account was there, which keeps its own.
    Raises:
        InputError: a role that is none, a name with other signs, or a key that may not do this.
    """
    import argilla

    check_curator(name, role)
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
