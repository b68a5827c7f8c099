"""Whether a publication was retracted, as publishers and libraries say it: by its type, a note, or its title."""

from __future__ import annotations

import re
from collections.abc import Iterable

_TYPES = frozenset(("retracted publication",))
_NOTES = frozenset(("retraction in", "retractionin"))
_TITLE = re.compile(
    r"\s*[\[(<{]\s*(?i:retracted|withdrawn)(?:\s\w+)?\s*[\])>}]"  # in brackets, whatever it is that was retracted
    r"|\W*(?:RETRACTED|WITHDRAWN)(?:\s[A-Z]+)?\s*[:\]](?=.*[a-z])"  # in capitals, before a title that is not
    r"|\W*(?i:retracted|withdrawn)(?i:\s(?:article|paper|publication))?\s*[:\]]",
    re.DOTALL,
)
"""The mark of a retraction, told by its form. In small letters before a colon "Withdrawn drugs: ..." has the same form,
so that there the nouns stand by which publishers name a paper."""


def is_retracted(types: Iterable[str] = (), notes: Iterable[str] = (), title: str = "") -> bool:
    """Whether any of these says so.

    Args:
        types: of the publication, as MEDLINE has them ("Retracted Publication").
        notes: kinds of its comments and corrections ("Retraction in", "RetractionIn").
        title: of the publication.
    """
    kinds = {" ".join(each.lower().split()) for each in types}
    return bool(kinds & _TYPES) or any(" ".join(n.lower().split()) in _NOTES for n in notes) or says_retracted(title)


def says_retracted(title: str) -> bool:
    """Whether a title begins with the mark of a retraction: "RETRACTED: ...", "WITHDRAWN: ...", "[Retracted] ..."."""
    return _TITLE.match(title) is not None
