"""Names that share a whole word: "caffeic, ferulic and p-coumaric acids", "methyl and ethyl gallate".

    shared end   := item (separator item)+ class-words      items all end in "ic", or all in "yl"
    shared front := front bare (separator bare)+            "kaempferol 3-O-glucoside and 3-O-rutinoside"

Each item may have an aside: "linoleic (40%) and oleic (29%) acids". Names joined by "and" that are whole without the
word after them stay as they are: "quercetin and kaempferol glycosides" says nothing of either.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from abroad.text.expansion import Expansion, singular
from abroad.text.hanging import is_bare_derivative, is_locant, parts_of
from abroad.text.name_characters import HYPHENS, SPACE, bracket_end, unbracketed
from abroad.text.name_words import is_class_noun, is_ordinary
from abroad.text.suffix_ranges import MAX_LABELS
from abroad.text.suffixes import SEPARATOR

_ESTER = rf"(?:[a-z]{{2,15}}yl{SPACE})?(?:ester|ether)s?"
_AFTER_IC = re.compile(
    rf"(?<=[a-z]ic)(?P<aside>{SPACE}?\([^()]{{1,60}}\))?{SPACE}(?P<tail>acids?(?:{SPACE}{_ESTER})?|[a-z]{{2,15}}yl{SPACE}(?:ester|ether)s?)(?![^\W_])",
    re.IGNORECASE,
)
_AFTER_YL = re.compile(
    rf"(?<=[a-z]yl)(?P<aside>{SPACE}?\([^()]{{1,60}}\))?{SPACE}(?P<tail>(?:[^\s,;.:()\[\]]{{3,40}}{SPACE})?[^\s,;.:()\[\]]{{3,40}})"
)
_ITEM = re.compile(r"(?:[^\s()\[\],;:/]|,(?=[^\s,])|[(\[][^()\[\]\s]{1,30}[)\]](?=[^\s,;:]))+$")
_SEPARATOR_BEFORE = re.compile(
    rf"(?:,{SPACE}{{0,3}}(?:(?:and|or|&|as{SPACE}well{SPACE}as){SPACE}{{1,3}})?"
    rf"|{SPACE}{{1,3}}(?:and/or|and|or|&|plus|as{SPACE}well{SPACE}as){SPACE}{{1,3}}|[/&])$"
)
_BARE = re.compile(r"(?:[^\s,;]|,(?=[^\s,;]))+")
_BARE_LAST = re.compile(rf"(?<=side)(?={SPACE}?[,(]|{SPACE}(?:and|or|&){SPACE})|(?<=ate)(?={SPACE}(?:and|or|&){SPACE})")
_LONGEST_ITEM, _LONGEST_ASIDE = 100, 120  # characters


def shared_words(text: str) -> Iterator[Expansion]:
    """Coordinations with a shared word, in the order of their ends within each kind."""
    yield from _shared_ends(text, _AFTER_IC, "ic")
    yield from _shared_ends(text, _AFTER_YL, "yl")
    yield from _shared_fronts(text)


def _shared_ends(text: str, pattern: re.Pattern[str], ending: str) -> Iterator[Expansion]:
    floor = 0
    for match in pattern.finditer(text):
        tail = match["tail"] if ending == "ic" else _class_words(match["tail"])
        if tail is None or match.start() < floor:
            continue
        own = re.match(rf"[^\s]+yl{SPACE}(?=[^\s])", tail) if ending == "yl" else None  # "allyl methyl disulfide"
        end = match.start("tail") + len(tail)
        tail = tail[own.end() :] if own else tail
        items, start = _items_before(text, match.start(), ending, floor)
        if len(items) < 2:
            continue
        items[-1] += f" {own[0].strip()}" if own else ""
        tail = singular(re.sub(rf"{SPACE}+", " ", tail))
        labels = tuple(dict.fromkeys(f"{item} {tail}" for item in items))
        floor = end
        if len(labels) > 1:
            yield Expansion(labels, start, end, ((start, end),) * len(labels), "shared head")


def _class_words(words: str) -> str | None:
    """The one or two words that name what a radical is bound to: "gallate", "p-coumarate", "alcohols"."""
    first, *rest = words.split()
    if _is_class(first):
        return words[: len(first)]
    return words if rest and _is_class(rest[0]) and not is_ordinary(first) else None


def _is_class(word: str) -> bool:
    last = re.split(rf"[{HYPHENS}]", word)[-1].lower()
    if last in ("acid", "acids"):  # whose names end in "ic"
        return False
    return is_class_noun(last) or (last.endswith(("ate", "ates")) and not is_ordinary(last))


def _items_before(text: str, end: int, ending: str, floor: int) -> tuple[list[str], int]:
    """(items of a coordination whose last item ends at a place, where the first begins)."""
    items: list[str] = []
    start = end
    while len(items) < MAX_LABELS:
        low = max(floor, end - _LONGEST_ITEM)
        match = _ITEM.search(text[low:end])
        word = match[0][unbracketed(match[0]) :] if match else ""
        if not word.endswith(ending) or len(word) < 4:
            break
        items.append(word)
        start = end - len(word)
        separator = _SEPARATOR_BEFORE.search(text[max(floor, start - 20) : start])
        if separator is None:
            break
        end = _before_aside(text, start - len(separator[0]), floor)
    return items[::-1], start


def _before_aside(text: str, end: int, floor: int) -> int:
    """Offset before a bracket that ends at a place, and the space before it; the place itself if there is none."""
    if text[end - 1 : end] not in (")", "]") or end <= floor:
        return end
    for start in range(end - 1, max(floor, end - _LONGEST_ASIDE), -1):
        if text[start] in "([" and bracket_end(text, start, _LONGEST_ASIDE) == end:
            return start - 1 if text[start - 1 : start].isspace() else start
    return end


def _shared_fronts(text: str) -> Iterator[Expansion]:
    """ "kaempferol 3-O-glucoside and 3-O-rutinoside", "luteolin-7-O-glucoside and -rutinoside"."""
    floor = 0
    for place in _BARE_LAST.finditer(text):
        if place.start() < floor:
            continue
        found = _front(text, place.start(), floor)
        if found is None:
            continue
        start, front, parts = found
        labels, end = [text[start : place.start()]], place.start()
        while len(labels) < MAX_LABELS:
            separator = SEPARATOR.match(text, _after_aside(text, end))
            follower = _BARE.match(text, separator.end()) if separator else None
            name = follower[0].rstrip(".,:)") if follower else ""
            hyphened = re.match(rf"[{HYPHENS}]", name) is not None
            bare = name[1:] if hyphened else name
            if follower is None or not bare:
                break
            if is_bare_derivative(bare):
                labels.append(front + bare)
            elif hyphened and is_class_noun(bare.split("-")[-1]) and (kept := parts - len(parts_of(bare))) > 0:
                ends = [offset for _, offset in parts_of(labels[0][len(front) :])]
                labels.append(labels[0][: len(front) + ends[kept - 1] + 1] + bare)
            else:
                break
            end = follower.start() + len(name)
        labels = list(dict.fromkeys(singular(label) for label in labels))
        if len(labels) > 1:
            floor = end
            yield Expansion(tuple(labels), start, end, ((start, end),) * len(labels), "shared head")


def _front(text: str, end: int, floor: int) -> tuple[int, str, int] | None:
    """(start, shared front with what joins it, parts after it) of a derivative's name that ends at a place."""
    match = _ITEM.search(text[max(floor, end - _LONGEST_ITEM) : end])
    if match is None:
        return None
    name = match[0][unbracketed(match[0]) :]
    start = end - len(name)
    if is_bare_derivative(name):
        before = _ITEM.search(text[max(floor, start - _LONGEST_ITEM) : start - 1]) if start > floor else None
        word = before[0][unbracketed(before[0]) :] if before else ""
        if not re.search(r"[a-z]{4}$", word) or is_ordinary(word) or not text[start - 1].isspace():
            return None
        return start - 1 - len(word), text[start - 1 - len(word) : start], len(parts_of(name))
    parts = parts_of(name)
    place = next((n for n, (part, _) in enumerate(parts) if not is_locant(part)), len(parts))
    offset = parts[place][1] + 1 if place < len(parts) - 1 else 0
    if not offset or not is_bare_derivative(name[offset:]):
        return None
    return start, name[:offset], len(parts) - place - 1


def _after_aside(text: str, position: int) -> int:
    match = re.match(rf"{SPACE}?[(\[]", text[position : position + 2])
    return position if match is None else bracket_end(text, position + match.end() - 1, _LONGEST_ASIDE) or position
