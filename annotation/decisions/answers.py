"""What a curator typed as relations, read tolerantly: nothing is lost, what cannot be read is flagged.

A line is `ORGANISM | CHEMICAL` (in other fields, as `annotation.decisions.typed` reads it); "produces", arrows and
tabs are understood too, bullets and numbers in front are dropped, lists ("gloeophyllins A-C") are expanded, an
abbreviated genus is written out where the text names it.
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from dataclasses import dataclass

from abroad.core.field import Field
from abroad.core.schema import Document
from abroad.text.characters import normalise_upstream
from abroad.text.evidence import find_evidence
from abroad.text.expand import expand_phrase, without_numbering
from annotation.decisions.records import Flagged
from annotation.decisions.typed import read_line
from annotation.words import RelationText

NOT_UNDERSTOOD = "not understood"
_NOTHING = frozenset(("none", "no relation", "no relations", "nothing", "-", "n/a", "∅", "–", "—"))
_BULLET = re.compile(r"^\s*(?:[-*•–]\s+|\(?\d{1,3}[.)]\s+)")
_SEPARATORS = (r"\s*\|\s*", r"\t+", r"\s+produces?\s+", r"\s*(?:-+>|=+>|→|⟶)\s*")
_LONGEST = 300  # characters of a name
_NEAR = 0.85  # of difflib's ratio


@dataclass(frozen=True)
class Answer:
    """What a curator decided of a document.

    Attributes:
        relations: distinct, in order, names tidied; of natural products pairs, else head, type and tail.
        flagged: lines that hold no relation ("not understood"), and relations with a name that the text lacks.
    """

    relations: tuple[RelationText, ...]
    flagged: tuple[Flagged, ...]


def read_answer(text: str, document: Document, field: Field | None = None) -> Answer:
    """The relations of an answer. Never raises; every line ends in `relations`, in `flagged`, or in both.

    Args:
        field: of the document; None for natural products.
    """
    relations: dict[RelationText, RelationText] = {}
    flagged: list[Flagged] = []
    for line in text.splitlines():
        tidy = " ".join(_BULLET.sub("", unicodedata.normalize("NFC", line)).split(" ")).strip()
        if not tidy.strip() or tidy.strip(" .").casefold() in _NOTHING:
            continue
        found = _products(tidy, document) if field is None or field.is_built_in else read_line(tidy, field)
        if isinstance(found, str):
            flagged.append(Flagged(line, NOT_UNDERSTOOD + (f": {found}" if found else "")))
            continue
        for relation in found:
            key = tuple(map(normalise_upstream, relation))
            if key in relations:
                continue
            relations[key] = relation
            reason = _absent(document, relation)
            if reason:
                flagged.append(Flagged(line, reason))
    return Answer(tuple(relations.values()), tuple(flagged))


def _products(line: str, document: Document) -> list[RelationText] | str:
    parts = _split(line)
    if parts is None:
        return ""
    organism = full_genus(_tidy(parts[0]), document)
    chemicals = expand_phrase(without_numbering(_tidy(parts[1])).strip() or _tidy(parts[1]))
    return [(organism, chemical) for chemical in chemicals]


def _split(line: str) -> tuple[str, str] | None:
    for separator in _SEPARATORS:
        parts = re.split(separator, line.strip(), maxsplit=1)
        if len(parts) == 2 and all(part.strip() and len(part) <= _LONGEST for part in parts):
            return None if "|" in parts[1] else (parts[0], parts[1])
    return None


def _tidy(label: str) -> str:
    return " ".join(label.split()).strip(" ;").strip()


def full_genus(organism: str, document: Document) -> str:
    """ "G. epithet" -> "Genus epithet", if the text names one such genus and no other; else as it is."""
    match = re.fullmatch(r"([A-Z])[a-z]{0,2}\.\s*([a-z][\w-]+(?:\s.+)?)", organism)
    if match is None:
        return organism
    rest = r"\s+".join(map(re.escape, match[2].split()))
    found = {" ".join(m[0].split()) for m in re.finditer(rf"\b{match[1]}[^\W\d_]{{2,}}\s+{rest}(?!\w)", document.text)}
    return found.pop() if len(found) == 1 else organism


def _absent(document: Document, relation: RelationText) -> str:
    """Why a relation needs a second look; "" if the text names both sides."""
    head, tail = relation[0], relation[-1]
    sides = ("organism", "chemical") if len(relation) == 2 else ("head", "tail")
    roles = {span.role for span in find_evidence(document, head, tail, sides)}
    missing = [
        f"the text does not name the {role} {label!r}{_hint(document, label)}"
        for role, label in zip(sides, (head, tail), strict=True)
        if role not in roles
    ]
    return "; ".join(missing)


def _hint(document: Document, label: str) -> str:
    """The words of the text that are most like a label."""
    words = document.text.split()
    count = len(label.split())
    if len(words) > 5_000 or count > 8:
        return ""
    windows = {" ".join(words[i : i + count]).strip(".,;:()") for i in range(len(words) - count + 1)}
    near = difflib.get_close_matches(label, sorted(windows), 1, _NEAR)
    return f", but {near[0]!r}" if near else ""
