"""Names of bacteria that go on with the designation of a strain, and the designation alone, which means the same.

"Pseudomonas putida strain F1", "Sphingobium sp. KK22" and "Escherichia coli ATCC 25922" are read as one name each;
where the text has such a name, "strain F1" and "F1" are mentions of it too.
"""

from __future__ import annotations

import re
from collections.abc import Container, Sequence
from dataclasses import replace

from abroad.extraction.joint.texts import Mention, Text

_CODE = r"(?:(?:[A-Z]{2,}[ ])?[A-Za-z]*-?(?=[\w/.-]*\d)[\w/-]*\w|(?<=strain[ ])[A-Z](?![a-z])[\w/-]*)"
_DESIGNATION = re.compile(rf"(?:[ ](?:sp|spp|nov)\.)*(?:[ ](?:strain|str\.))?[ ](?P<code>{_CODE})(?!\w)")
_UNNAMED = re.compile(r"[ ]spp?\.")
_OF_STRAIN = re.compile(r"(?:strain|str\.|isolate)[ ]$")


def end_of_strain(text: str, end: int) -> int:
    """Where a name ends that a designation follows; `end` itself where none does.

    Args:
        text: without markup.
        end: of the name of a genus or species.
    """
    if (found := _DESIGNATION.match(text, end)) and any(map(str.isupper, found["code"])):
        return found.end()
    unnamed = _UNNAMED.match(text, end)
    return unnamed.end() if unnamed else end


def strain_of(name: str) -> str:
    """The designation at the end of a name; empty where there is none."""
    match = re.search(rf"[ ](?P<code>{_CODE})$", name)
    return match["code"] if match and any(map(str.isupper, match["code"])) else ""


def with_designations(text: str, spans: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """The spans of names, and of the designations of those that have one wherever else they stand."""
    found = list(spans)
    for code in dict.fromkeys(filter(None, (strain_of(text[start:end]) for start, end in spans))):
        for match in re.finditer(rf"(?<![\w-]){re.escape(code)}(?![\w-])", text):
            if not any(start < match.end() and match.start() < end for start, end in found):
                before = _OF_STRAIN.search(text, max(0, match.start() - 8), match.start())
                found.append((before.start() if before else match.start(), match.end()))
    return sorted(found)


def whole_strains(text: Text, mentions: Sequence[Mention], types: Container[str]) -> list[Mention]:
    """The mentions, those of one strain with the identifiers of the longest of its names in the text.

    A genus or species means the one strain of it that the text names, if there is no other.

    Args:
        types: whose names have strains.
    """
    names = {m: " ".join(text.given[m.start : m.end].split()) for m in mentions if m.type in types and not m.name}
    codes = {mention: strain_of(f" {name}") for mention, name in names.items()}
    longest: dict[tuple[str, str], Mention] = {}
    for mention, code in codes.items():
        key = (mention.type, code)
        if code and (key not in longest or len(names[mention]) > len(names[longest[key]])):
            longest[key] = mention
    whole = {mention: longest[mention.type, code] for mention, code in codes.items() if code}
    for mention, code in codes.items():
        of_it = [one for one in longest.values() if one.type == mention.type and _is_of(names[one], names[mention])]
        if not code and len(of_it) == 1:
            whole[mention] = of_it[0]
    return [replace(m, identifiers=whole[m].identifiers) if m in whole else m for m in mentions]


def _is_of(strain: str, taxon: str) -> bool:
    return strain.startswith(f"{taxon} ")
