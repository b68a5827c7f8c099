"""What makes two spellings one name: keys of names of chemicals and organisms.

Spellings differ in case, in spaces and hyphens, in how a Greek letter, a dash, a prime or an arrow is written, and in a
compound number after the name. None of these tells two compounds apart. What does is kept: primes, locants (also those
that only a hyphen or a full stop divides), the sign of rotation, brackets, and the case of a letter that is a locant or
a prefix of its own: N-butyl is at nitrogen and n-butyl unbranched, O- is at oxygen and o- ortho, D- and d- are two
things. Such a capital is a small capital in the key ("ɴ"), as chemists print it.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from abroad.text.characters import clean_character, fold
from abroad.text.scientific_names import scientific_name

_GREEK_NAMES = (
    "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi omicron pi rho sigma tau upsilon phi chi "
    "psi omega"
).split()
_GREEK = str.maketrans(dict(zip("αβγδεζηθικλμνξοπρστυφχψω", _GREEK_NAMES, strict=True)) | {"ς": "sigma"})
_SMALL_CAPITALS = dict(zip("CDEHLMNOPRSZ", "ᴄᴅᴇʜʟᴍɴᴏᴘʀꜱᴢ", strict=True))
"""Letters that stand alone in names of IUPAC: atoms, indicated hydrogen, configurations (D, L, R, S, E, Z, M, P)."""
_LETTER = r"[^\W\d_]"
_ALONE = rf"(?:(?<!{_LETTER})|(?<=\d[a-z]))[{''.join(_SMALL_CAPITALS)}](?!{_LETTER})"
_LONE = rf"(?<!{_LETTER})(?:{_LETTER}|(?i:{'|'.join(_GREEK_NAMES)}))(?!{_LETTER})"  # N(β)- is N(beta)-
_LOCANTS = rf"(?:[\d',*+/()\[\]{{}}-]|\s(?=[\d(\[])|{_LONE})*"
# In "N,N-dimethyl", "(2R,3S)-x", "N-[2-..."; also where a space stands for the hyphen, but not in "mycin D acetate".
_CAPITAL = re.compile(
    rf"{_ALONE}(?={_LOCANTS}[-)\]}}]\s?{_LETTER}{{2}})"
    rf"|(?<![^\d',()\[\]{{}}-]){_ALONE}(?=(?:[\d',]|{_LONE})*\s{_LETTER}{{2}})"
)
_COMPOUND_NUMBER = re.compile(r"\s+\(\d+[a-z]?\)(?=$|\s+acid\b)")  # "usnic acid (4)"; "ginsenoside Rb(1)" is another
_RAISED = re.compile(r"(?<=[a-zɴᴏꜱ])\((\d+[a-z]?)\)(?=$|[\s-])")  # PubMed writes Rb1 as Rb(1)
_ARROW = re.compile(r"-+>|→")
_RACEMIC = re.compile(r"\(\+\s*/?\s*-\)")
_SIGN = re.compile(r"(?<=[(\[,])-(?=[)\],])")
_SEPARATORS = re.compile(r"[\s\-.]+")
_QUOTES = "'\""
_MARK = "\x00"
_HYBRID = re.compile(r"(?:(?<=\s)|^)x(?=\s)")
_MAX_PASSES = 6


@lru_cache(maxsize=1 << 16)  # tables repeat their names
def name_key(name: str) -> str:
    """Equal for spellings of one name; primes, locants with their case, and stereochemistry are part of it."""
    return _settled(name, chemical=True)


@lru_cache(maxsize=1 << 16)
def organism_key(name: str) -> str:
    """Likewise of an organism: "Mentha x piperita L." is "Mentha × piperita", and no compound's number is cut off."""
    return _settled(name, chemical=False)


def _settled(name: str, chemical: bool) -> str:
    """The key of the key is the key: what one pass takes out may bring to light what the next takes out."""
    for _ in range(_MAX_PASSES):
        key = _key(name, chemical)
        if key == name:
            break
        name = key
    return name


def _key(name: str, chemical: bool) -> str:
    text = name = name if chemical else scientific_name(name)
    if not (name.isascii() and name.isprintable()):
        text = fold(unicodedata.normalize("NFKC", "".join(map(clean_character, fold(name)))))
    if chemical:
        text = _CAPITAL.sub(lambda match: _SMALL_CAPITALS[match[0]], text)
    text = fold(text.lower()).translate(_GREEK)
    text = _without_quotes(text.strip().replace('"', "''"))
    if chemical:
        text = _RAISED.sub(r"\1", _COMPOUND_NUMBER.sub("", text))
        text = _RACEMIC.sub("(±)", _ARROW.sub(">", text))
    else:
        text = _HYBRID.sub("×", text)
    text = _SIGN.sub(_MARK, text)
    text = _SEPARATORS.sub(lambda match: _separator(text, match), text).replace(_MARK, "-")
    # What stood apart may compose once the space between is gone: an accent of its own after a letter.
    return unicodedata.normalize("NFKC", text)


def _without_quotes(text: str) -> str:
    """Quotation marks around the whole name are none of its primes, which never stand first."""
    start = len(text) - len(text.lstrip(" -." + _QUOTES))
    quotes = sum(character in _QUOTES for character in text[:start])
    text = text[start:]
    while quotes and text.endswith("'"):
        text, quotes = text[:-1], quotes - 1
    return text


def _separator(text: str, match: re.Match[str]) -> str:
    """Between two locants a separator tells 1-2 from 12 and 2.2 from 22; anywhere else it is a matter of style."""
    place = match.start() - 1
    while place >= 0 and text[place] == "'":
        place -= 1
    if place < 0 or not text[place].isdigit() or not text[match.end() : match.end() + 1].isdigit():
        return ""
    return "." if match[0] == "." else "-"
