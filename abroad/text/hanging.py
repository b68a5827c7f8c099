"""Names whose end is left to the last of them: "3- and 4-hydroxymellein", "cis- and trans-resveratrol".

    coordination := [front] piece (separator piece)* separator [front] last tail-word*
    piece        := part ("-" part)* "-"

The last name is cut after as many parts as a piece has, if these are locants; after its first radical or multiplying
prefix, if the piece ends in one ("N-methyl- and N-ethylaniline", "mono- and diglucoside"). What is cut off is shared.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from abroad.text.expansion import Expansion, singular
from abroad.text.name_characters import GREEK, HYPHENS, PRIMES, SPACE, bracket_end, unbracketed
from abroad.text.name_words import is_class_noun, is_ordinary
from abroad.text.suffix import GREEK_WORD, GREEK_WORDS
from abroad.text.suffix_ranges import MAX_LABELS
from abroad.text.suffixes import SEPARATOR, parse_suffixes

# Prefixes of nomenclature that stand in front of a hyphen, and those that are written together with the name.
_STEREO = frozenset(
    "all cis trans syn anti endo exo threo erythro ortho meta para sec tert rac meso ent".split() + GREEK_WORDS
)
_WRITTEN_TOGETHER = (
    "mono|di|tri|tetra|penta|hexa|hepta|octa|nona|deca|sesqui|bis|tris|oligo|poly|iso|neo|nor|seco|epi|allo|homo|"
    "anteiso|cyclo|dehydro|deoxy|desoxy|demethyl|anhydro|dihydro|tetrahydro|proto|pseudo|crypto|apo"
)
_TOGETHER = re.compile(rf"(?:{_WRITTEN_TOGETHER})(?=[a-z]{{4}}|$)")
_RADICAL_ENDS = ("yl", "oxy", "oxo", "amino", "nitro", "chloro", "bromo", "iodo", "fluoro", "hydro(?!xy)")
_FOLLOWS = rf"(?={SPACE}*[,/(]|{SPACE}+(?:and|or|&|plus|as)\b|{SPACE}+&)"
_HANGING = re.compile(rf"(?<=[^\s{HYPHENS}])[{HYPHENS}]{_FOLLOWS}")
_BARE_UNIT = rf"(?:[{GREEK}]|{GREEK_WORD}|cis|trans|mono|di|tri|tetra|sesqui)"
_BARE = re.compile(rf"(?<![\w{HYPHENS}{PRIMES},)]){_BARE_UNIT}(?={SPACE}(?:and|or|&){SPACE}|/|,{SPACE})", re.IGNORECASE)
_PIECE_BEFORE = re.compile(r"[^\s;/]{1,60}$")
_PIECE = re.compile(rf"([^\s;/]{{1,60}}?)[{HYPHENS}]{_FOLLOWS}|({_BARE_UNIT})(?={SPACE}(?:and|or|&){SPACE}|/|,{SPACE})")
_LAST = re.compile(r"(?:[^\s,;]|,(?=[^\s,;])){1,150}")
_TAIL_WORD = re.compile(rf"{SPACE}([^\s,;()\[\]]{{3,60}})")
_FRONT = re.compile(r"(?:^|(?<=[\s(]))([^\s,;()]{0,60}[a-z]{4}) $")
_MAX_TAIL_WORDS = 4
_LONGEST_SUFFIX = 4
_MAX_RETRIED = 8
_NUMBERING = 30  # characters of "(1)" after a piece


@dataclass(frozen=True)
class _Piece:
    """A name without its end; `bare` if no hyphen says so: "α" of "α and β-pinene"."""

    text: str
    bare: bool


def hanging(text: str) -> Iterator[Expansion]:
    """Coordinations with a shared end, in order; none overlaps another."""
    floor = 0
    starts = [(match.start(), match.end()) for match in _HANGING.finditer(text)]
    starts += [(match.end(), match.end()) for match in _BARE.finditer(text)]
    for end, after in sorted(starts):
        if end < floor:
            continue
        before = _PIECE_BEFORE.search(text[max(floor, end - 60) : end])
        if before is None:
            continue
        start = end - len(before[0]) + unbracketed(before[0])
        if start == end:
            continue
        pieces, separator, run_end = _pieces(text, text[start:end], after)
        expansion = _coordination(text, start, pieces, separator, floor) if separator else None
        if expansion is not None:
            floor = expansion.end
            yield expansion
        elif len(pieces) > _MAX_RETRIED:  # so that a long run is not read again from each of its pieces
            floor = run_end + 1


def _pieces(text: str, first: str, end: int) -> tuple[list[_Piece], re.Match[str] | None, int]:
    """(pieces from the first on, the separator before the last name, offset after the last piece).

    There is no separator if no name follows, or if the pieces are too many.
    """
    pieces = [_Piece(first, bare=text[end - 1] == first[-1])]
    while True:
        separator = SEPARATOR.match(text, _after_numbering(text, end))
        piece = _PIECE.match(text, separator.end()) if separator else None
        if piece is None:
            return pieces, separator if len(pieces) < MAX_LABELS else None, end
        end = piece.end()
        if len(pieces) < MAX_LABELS:
            pieces.append(_Piece(piece[1] or piece[2], bare=piece[1] is None))


def _coordination(
    text: str, start: int, members: Sequence[_Piece], separator: re.Match[str], floor: int
) -> Expansion | None:
    if separator[0].strip() == "," and any(piece.bare for piece in members):
        return None
    pieces = [piece.text for piece in members]
    own_front = ""
    found = _LAST.match(text, separator.end())
    if found and found[0].isalpha() and not is_ordinary(found[0]) and text[found.end() : found.end() + 1] == " ":
        other = _LAST.match(text, found.end() + 1)  # "apigenin 7- and luteolin 4'-glucoside"
        if other and is_bare_derivative(_trimmed(other[0])):
            own_front, found = f"{found[0]} ", other
    if found is None:
        return None
    last = _trimmed(found[0])
    end = found.start() + len(last)
    if re.match(rf"[{HYPHENS}]", last):  # "luteolin-7-O- and -4'-O-glucoside"
        last = last[1:]
        own_front, pieces = _front_of(pieces, last)
    cut = _cut([piece.removeprefix(own_front) for piece in pieces], last)
    if cut is None:
        return None
    end, tail = _with_tail_words(text, end, last[cut:])
    final = re.split(rf"[{HYPHENS}\s)]", tail)[-1]
    if not re.search(r"[^\W\d_]{3}", tail) or (not tail[0].isalpha() and is_ordinary(final)):
        return None
    front = ""
    if not pieces[0].startswith(own_front or "\n") and (own_front or is_bare_derivative(last)):
        before = _FRONT.search(text[max(floor, start - 62) : start])
        if before and not is_ordinary(before[1]):
            front = f"{before[1]} "
            start -= len(front)
    end, suffixes = _suffixes_after(text, end)
    tail = singular(tail)
    beginnings = [*(front + piece for piece in pieces), f"{own_front or front}{last[:cut]}"]
    labels = list(dict.fromkeys(begin + tail + suffix for begin in beginnings for suffix in suffixes))
    if len(labels) > MAX_LABELS:
        return None
    return Expansion(tuple(labels), start, end, ((start, end),) * len(labels), "shared head")


def parts_of(name: str) -> list[tuple[str, int]]:
    """The parts of a name between its hyphens, with their ends; brackets are not looked into."""
    parts, begin, depth = [], 0, 0
    for place, character in enumerate(name):
        depth += (character in "([{") - (character in ")]}")
        if depth <= 0 and place > begin and re.match(rf"[{HYPHENS}]", character):
            parts.append((name[begin:place], place))
            begin = place + 1
    return [*parts, (name[begin:], len(name))]


def is_locant(part: str) -> bool:
    """Whether a part says where or how something is bound, not what: "3", "5,7", "(2E)", "N", "α", "cis"."""
    if not part:
        return False
    if part[0] in "([{" and bracket_end(part, 0, len(part)) == len(part):
        return True
    return part.lower() in _STEREO or not re.search(r"[a-z]{3}", part)


def is_bare_derivative(name: str) -> bool:
    """Whether a name is a class noun with locants only, so that its parent stands before it: "3-O-glucoside"."""
    *locants, (last, _) = parts_of(name)
    return (
        bool(locants)
        and all(is_locant(part) for part, _ in locants)
        and re.search(r"\d", locants[0][0]) is not None
        and (is_class_noun(last) or last.endswith(("oside", "osides")))
    )


def _front_of(pieces: list[str], last: str) -> tuple[str, list[str]]:
    """(what the first piece has before as many parts as the last name has locants, all pieces with it in front)."""
    locants = next((n for n, (part, _) in enumerate(parts_of(last)) if not is_locant(part)), 0)
    first = parts_of(pieces[0])
    kept = len(first) - locants
    front = pieces[0][: first[kept - 1][1] + 1] if locants and kept > 0 else ""
    return front, [pieces[0], *(front + piece.lstrip(HYPHENS) for piece in pieces[1:])]


def _cut(pieces: Sequence[str], last: str) -> int | None:
    """Where the part of the last name begins that the others share; None if they are no names of one kind."""
    split = [[part for part, _ in parts_of(piece)] for piece in pieces]
    mine = parts_of(last)
    if all(is_locant(part) for parts in split for part in parts):
        count = len(split[-1])
        leading = next((n for n, (part, _) in enumerate(mine) if not is_locant(part)), len(mine))
        if leading >= 1 and len(mine) > 1:
            return mine[min(count, leading, len(mine) - 1) - 1][1]
    ends = [parts[-1] for parts in split]
    place = next((n for n, (part, _) in enumerate(mine) if not is_locant(part)), None)
    if place is None:
        return None
    word, end = mine[place]
    own = {next((end for end in _RADICAL_ENDS if piece.endswith(end.split("(")[0])), "") for piece in ends}
    if "" not in own:  # "hydroxy-" is cut like "dihydroxy", and not like "dihydro", if it can be
        for radicals in (own, _RADICAL_ENDS):
            if match := re.match(rf"[a-z]*?(?:{'|'.join(sorted(radicals))})(?=[a-z]{{4}}|$)", word.lower()):
                return end - len(word) + match.end()
    if all((match := _TOGETHER.match(part)) and match.end() == len(part) for part in map(str.lower, ends)):
        match = _TOGETHER.match(word.lower())
        return None if match is None else end - len(word) + match.end()
    return None


def _trimmed(name: str) -> str:
    """A name without the punctuation and the brackets around it that close before or after."""
    name = name.rstrip('.,:;!?"”’' if not re.search(rf"\d[{PRIMES}]$", name) else ".,:;")
    while name and name[-1] in ")]}" and name.count(name[-1]) > name.count({")": "(", "]": "[", "}": "{"}[name[-1]]):
        name = name[:-1].rstrip(".,:;")
    for opening, closing in ("()", "[]"):  # "pinene(1)": a number glued to the name
        if name.endswith(closing) and (at := name.rfind(opening)) > 0 and name[at + 1 : -1].isdigit():
            name = name[:at]
    return name


def _with_tail_words(text: str, end: int, tail: str) -> tuple[int, str]:
    """(where the name ends, the shared tail) with the words that belong to it: "acid", "methyl ester", "A"."""
    for _ in range(_MAX_TAIL_WORDS):
        match = _TAIL_WORD.match(text, end)
        if match is None:
            break
        word = _trimmed(match[1])
        takes_more = re.search(r"(?:yl|oxy)$", tail) is not None and not is_ordinary(word)
        if not (is_class_noun(word) or takes_more):
            break
        tail, end = f"{tail} {word}", match.start(1) + len(word)
        if len(word) < len(match[1]):
            return end, tail
    return end, tail


def _suffixes_after(text: str, end: int) -> tuple[int, list[str]]:
    """(offset after them, the suffixes of congeners that follow a name): "(+)- and (-)-cochlearols A and B"."""
    if re.match(rf"{SPACE}[A-Z]", text[end : end + 2]):
        suffixes = parse_suffixes(text, end + 1)
        if suffixes and suffixes.kind == "capital" and all(len(label) <= _LONGEST_SUFFIX for label in suffixes.labels):
            return suffixes.end, [f" {label}" for label in suffixes.labels]
    return end, [""]


def _after_numbering(text: str, position: int) -> int:
    match = re.match(rf"{SPACE}?\(", text[position : position + 2])
    return position if match is None else bracket_end(text, position + match.end() - 1, _NUMBERING) or position
