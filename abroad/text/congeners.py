"""Lists of congeners: a head and the suffixes that follow it, "gloeophyllins A-C (1-3)".

    congeners := head [aside] glue suffixes
    head      := radical* (word | name-like word, class noun+)      "methyl ganoderates", "ganoderic acids"

A head in the plural wants no more than that. One in the singular is followed by suffixes as often ("inonotusol A-G").
An ordinary word heads no list: "compounds A and B", "phase I and II".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from abroad.text.abbreviations import definitions
from abroad.text.expansion import Expansion, singular
from abroad.text.name_characters import HYPHENS, PRIMES, SPACE, unbracketed
from abroad.text.name_words import is_class_noun, is_numbered_head, is_ordinary
from abroad.text.suffix import GREEK_WORD
from abroad.text.suffixes import SuffixList, parse_suffixes
from abroad.text.taxon_names import epithets

# The end of a head before what may be a suffix; the head is then read leftwards, so that the search stays linear.
_GLUE = rf"{SPACE}{{1,3}}[{HYPHENS}]?|[{HYPHENS}]"
_HEAD_END = re.compile(
    rf"(?:(?<=[^\W\d_]{{4}})|(?<=\d)|(?<=\d[A-Zs])|(?<=[A-Z]{{2}})|(?<=[A-Z]{{2}}s))(?P<aside>{SPACE}?\([^()\s]{{1,12}}\))?(?P<glue>,{SPACE}|{_GLUE})"
    rf"(?=[A-Zα-ωⅠ-Ⅻ\d]|(?:{GREEK_WORD})\b|[a-z]\d{{0,2}}[{PRIMES}]?(?:[,/{HYPHENS}]|{SPACE}))"
)
# A code has its first suffix glued to it: "RK-1355A and B".
_CODE_END = re.compile(r"(?<=\d)(?=[A-Z]\d?(?:[,/]|\s(?:and|or|&|\()))")
_WORD = re.compile(r"(?:[^\s()\[\],;:]|,(?=\d)|[(\[][^()\[\]\s]{1,30}[)\]](?=[^\s,;:]))+$")
_CODE = re.compile(rf"[A-Z]{{1,8}}(?:[{HYPHENS}]?[A-Z\d]{{1,8}}){{0,3}}s?")
_CAPITALS = re.compile(r"(?<![\w-])[A-Z]{2,6}s?$")
_PLURAL_BEFORE = re.compile(rf"[a-z]{{6,}}s[{HYPHENS}](?=[a-z]{{5}})|.*[—―]")
_LONGEST_HEAD = 80  # characters of one word of a head
_SHORTEST_HEAD = 5
_LONGEST_AFTER_CODE = 2  # characters of a suffix: "RK-1355A and B", but not "F-9775A and F-9775B"
_MAX_WORDS = 5
_QUOTES = "'‘“\""


def congeners(text: str) -> Iterator[Expansion]:
    """Every list of congeners in a text, in order; each stretch once.

    Time and memory grow with the length of the text, not with the ranges in it.
    """
    floor = 0
    ends = [(match.start(), match.end(), match["glue"]) for match in _HEAD_END.finditer(text)]
    ends += [(match.start(), match.end(), "") for match in _CODE_END.finditer(text)]
    for head_end, start, glue in sorted(ends):
        if head_end < floor:
            continue
        expansion = _at(text, head_end, start, glue, floor)
        if expansion is not None:
            floor = expansion.end
            yield expansion


def _at(text: str, head_end: int, start: int, glue: str, floor: int) -> Expansion | None:
    """The list whose head ends and whose suffixes start at given places; it may not begin before `floor`."""
    suffixes = parse_suffixes(text, start)
    if suffixes is None or len(suffixes.labels) < 2:
        return None
    head = _head(text, head_end, floor) or _abbreviated_head(text, head_end, floor)
    if head is None:
        return None
    begin, name = head
    plural = name[-1] in "sS"
    comma = glue.startswith(",")
    if comma and not (plural and suffixes.kind == "capital"):
        return None
    hyphen = "" if comma else glue.strip()
    stem = singular(name) + (hyphen or (" " if glue else ""))
    if not _convincing(text, (begin, head_end), stem, bool(hyphen), suffixes):
        return None
    labels = [stem + suffix for suffix in suffixes.labels]
    if begin and text[begin - 1] in _QUOTES:  # of which the last suffix may have the other one
        labels[-1] = labels[-1].rstrip(PRIMES)
    return Expansion(
        tuple(labels),
        begin,
        suffixes.end,
        suffixes.spans,
        "range" if suffixes.has_range else "list",
        suffixes.capped,
    )


def _convincing(text: str, head: tuple[int, int], stem: str, hyphened: bool, suffixes: SuffixList) -> bool:
    """Whether the suffixes name congeners; plain digits may be numbers of compounds, locants, strains or amounts."""
    written = text[slice(*head)]
    plural = written[-1] in "sS"
    if _is_code(written) and any(len(label) > _LONGEST_AFTER_CODE for label in suffixes.labels):
        return False
    if suffixes.abridged and not plural and not suffixes.numbered:
        return False  # "Penicillium fictum HDN11-430"
    if suffixes.kind != "number" or (plural and not re.fullmatch(r"\d+[a-z]?", suffixes.labels[0])):
        return True
    if hyphened and (suffixes.hyphened or not plural):
        return suffixes.hyphened
    if suffixes.numbered or (plural and is_numbered_head(_last_part(written))):
        return True
    named = re.compile(rf"{re.escape(stem)}{suffixes.labels[0]}(?![\w/{HYPHENS}])", re.IGNORECASE)
    return any(not head[0] <= match.start() < suffixes.end for match in named.finditer(text))


def _head(text: str, end: int, floor: int) -> tuple[int, str] | None:
    """(where the head begins, the head) that ends at a place; None if no name can end there."""
    found = _word(text, end, floor)
    if found is None:
        return None
    start, word = found
    if _is_code(word):
        return (start, text[start:end]) if len(word) >= _SHORTEST_HEAD else None
    last = _last_part(word)
    needs_name = is_class_noun(last) and last == word.lower()
    too_short = len(word) < _SHORTEST_HEAD or len(last) < _SHORTEST_HEAD - 1
    if (too_short and not needs_name) or not last[-3:].isalpha() or is_ordinary(last) or word in epithets():
        return None
    for _ in range(_MAX_WORDS):
        found = _word(text, start - 1, floor) if text[start - 1 : start].isspace() else None
        if found is None:
            break
        before = _last_part(found[1])
        if is_radical(before):
            needs_name &= last in ("ester", "ether", "esters", "ethers")
        elif needs_name and (not is_ordinary(before) or (before.endswith("ic") and last.startswith("acid"))):
            needs_name = is_class_noun(before)
        else:
            break
        start, last = found[0], before
    return None if needs_name else (start, text[start:end])


def _abbreviated_head(text: str, end: int, floor: int) -> tuple[int, str] | None:
    """The head in full where it is written in capitals: "TAMs A and B" after "tirandamycins (TAMs)"."""
    match = _CAPITALS.search(text[max(floor, end - _LONGEST_HEAD) : end])
    if match is None:
        return None
    long_forms = _definitions(text)
    short = match[0]
    long = long_forms.get(short) or long_forms.get(f"{short}s") or long_forms.get(short.removesuffix("s"))
    if long is None:
        return None
    head = _head(long, len(long), 0)
    return None if head is None else (end - len(short), singular(head[1]) + "s" * short.endswith("s"))


@lru_cache(maxsize=4)
def _definitions(text: str) -> dict[str, str]:
    return definitions(text)


def _word(text: str, end: int, floor: int) -> tuple[int, str] | None:
    """(start, word) of the word that ends at a place, without what is glued to its front."""
    low = max(floor, end - _LONGEST_HEAD, 0)
    match = _WORD.search(text[low:end])
    if match is None or (match.start() == 0 and low > 0 and low > floor):
        return None
    word = match[0]
    skip = unbracketed(word)
    if glued := _PLURAL_BEFORE.match(word, skip):  # "derivatives-phomaethers", "terpenes—teucdiol"
        skip = glued.end()
    return (end - len(word) + skip, word[skip:]) if len(word) > skip else None


def _is_code(word: str) -> bool:
    """Whether a word is a code such as "RK-1355" or "TMC-151s"."""
    return _CODE.fullmatch(word) is not None and re.search(r"\d", word) is not None


def _last_part(word: str) -> str:
    return re.split(rf"[{HYPHENS})\]]", word)[-1].lower()


def is_radical(word: str) -> bool:
    """Whether a word names a radical, which stands before the name that it belongs to: "methyl", "n-butyl"."""
    return word.endswith("yl") and len(word) > 3
