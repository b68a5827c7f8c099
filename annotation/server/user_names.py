"""Names of users are letters, digits and . - _ @, by whatever way they come to the server.

Argilla's page puts them on itself as HTML, so that a script in a name would run for every curator who sees it.
First and last names, which it shows too, are without the signs that HTML is made of.
"""

from __future__ import annotations

import re

from argilla_server.errors.future import UnprocessableEntityError
from argilla_server.models import User
from sqlalchemy import event

_NAME = re.compile(r"[\w.@-]{1,100}")  # as annotation.argilla.users has it, which another environment imports
_HTML = frozenset("<>&\"'`")


def is_allowed(name: str) -> bool:
    """Whether a user may have this name."""
    return bool(_NAME.fullmatch(name))


@event.listens_for(User.username, "set")
def check_username(_user: User, name: str, *_: object) -> None:
    """Refuse a name as it is set; what is in the database already is read as it is."""
    if not is_allowed(name or ""):
        raise UnprocessableEntityError(f"user name {name!r}: expected 1 to 100 letters, digits, or signs of . - _ @")


@event.listens_for(User.first_name, "set")
@event.listens_for(User.last_name, "set")
def check_shown_name(_user: User, name: str | None, *_: object) -> None:
    """Refuse HTML."""
    if _HTML & set(name or ""):
        raise UnprocessableEntityError(f"name {name!r}: expected none of < > & and quotation marks")
