"""Text that holds HTML, JATS or XML markup and entities -> plain text, with the place each character comes from.

Markup may be escaped, escaped twice, nested in itself or cut off; "<" as less-than is text. What is
left holds no more markup: a tag or an entity that comes to light when another is taken out is taken out too.

Where a tag stood, two words may now touch: `abroad.text.glued` says where a space is wanted.
"""

from __future__ import annotations

import html
import re
from collections import defaultdict
from html.entities import html5

from abroad.text.characters import clean_character
from abroad.text.glued import Boundary, separations

_LONGEST_TAG = 1_000  # characters
_LONGEST_ENTITY = 40

# Elements of MathML; they never separate. Of them and of HTML, some hold no prose.
_TIGHT = frozenset(
    """sub sup math maction menclose merror mfenced mfrac mi mmultiscripts mn mo mover mpadded mphantom mprescripts
    mroot mrow ms mspace msqrt mstyle msub msubsup msup mtable mtd mtext mtr munder munderover none semantics
    annotation annotation-xml""".split()
)
_NO_PROSE = frozenset("annotation annotation-xml tex-math script style".split())
# Inline elements of HTML and of JATS (Journal Article Tag Suite).
_INLINE = frozenset(
    """a abbr acronym b bdi bdo big cite code data del dfn em font i ins kbd mark q s samp small span strike strong
    time tt u var bold italic monospace overline roman sans-serif sc underline ext-link inline-formula named-content
    styled-content tex-math uri xref script style""".split()
)
_BLOCK = frozenset(
    """address article aside blockquote body br caption center dd div dl dt fieldset figcaption figure footer form h1
    h2 h3 h4 h5 h6 head header hr html img li main nav ol p pre section table tbody td tfoot th thead title tr ul
    abstract break def def-item def-list disp-formula disp-quote graphic label list list-item sec dispformula""".split()
)
_KNOWN = _TIGHT | _INLINE | _BLOCK

_NAME = r"[A-Za-z][\w.-]*(?::[\w.-]+)?"
_ATTRIBUTES = r"(?:\s+[\w:.-]+\s*=\s*(?:\"[^\"]*\"|'[^']*'|[^\s\"'<>=]+))*"
_TAG = re.compile(rf"<(?P<close>/?)(?P<name>{_NAME})(?P<attributes>{_ATTRIBUTES})\s*(?P<empty>/?)>")
_DECLARATION = re.compile(r"<\?[A-Za-z][^<>]*>|<!(?:DOCTYPE|doctype)\b[^<>]*>")
_CUT_TAG = re.compile(
    rf"</|</?(?P<name>[A-Za-z][\w.:-]*)(?P<rest>{_ATTRIBUTES}(?:\s+[\w:.-]*(?:\s*=\s*(?:[\"'].*)?)?)?)/?"
)
_CUT_COMMENT = re.compile(r"<!-.*", re.DOTALL)
_ENTITY = re.compile(r"&(?:#\d+|#[xX][0-9a-fA-F]+|[A-Za-z][A-Za-z0-9]*);$")
# A run of words of characters that mean nothing here, or one character that may.
_PIECE = re.compile(r"[!-%'-:=?-~]+(?: [!-%'-:=?-~]+)*|.", re.DOTALL)


def is_clean(text: str) -> bool:
    """Whether a text surely holds no markup, no entity and no character to be changed."""
    if "<" in text or "&" in text or "  " in text:
        return False
    return all(clean_character(character) == character for character in set(text))


def is_text_markup(name: str) -> bool:
    """Whether elements of this name are markup of texts (HTML, JATS, MathML); `name` may have a prefix."""
    return _local(name) in _KNOWN


class MarkupReader:
    """Collects characters and markup, and gives the plain text they stand for.

    Markup comes as characters, by `feed`, or, from a parser, by `open_element` and `close_element`.

    Attributes:
        starts: of each character of the text so far, where in what was fed it starts.
        ends: where it ends; an entity is several characters that give one.
    """

    def __init__(self) -> None:
        self._characters: list[str] = []
        self.starts: list[int] = []
        self.ends: list[int] = []
        self._less_than: list[int] = []  # each "<" that may begin a tag
        self._no_comment = 0  # so many of them, from the first, begin no comment
        self._boundaries: list[Boundary] = []
        self._no_prose: dict[str, list[int]] = defaultdict(list)  # element -> where it was opened

    def feed(self, text: str, offset: int = 0) -> None:
        """Add text, which may hold markup; `offset` is where it starts in the whole."""
        for piece in _PIECE.finditer(text):
            start, end = offset + piece.start(), offset + piece.end()
            if end - start == 1:
                self._add(piece[0], start, end)
            else:
                self._characters.extend(piece[0])
                self.starts.extend(range(start, end))
                self.ends.extend(range(start + 1, end + 1))

    def open_element(self, name: str) -> None:
        """An element begins here; `name` may have a prefix."""
        name = _local(name)
        if name in _NO_PROSE:
            self._no_prose[name].append(len(self._characters))
        self._mark(name, "open")

    def close_element(self, name: str) -> None:
        """The element ends here; if it held no prose, neither does the text."""
        name = _local(name)
        if name in _NO_PROSE and self._no_prose[name]:
            self._truncate(min(self._no_prose[name].pop(), len(self._characters)))
        self._mark(name, "close")

    def finish(self) -> str:
        """The text; `starts` and `ends` are then its own. Call it once."""
        self._drop_cut_tags()
        text = "".join(self._characters)
        starts, ends, pieces, done = [], [], [], 0
        for place in sorted(separations(text, self._boundaries)):
            pieces += [text[done:place], " "]
            starts += [*self.starts[done:place], self.ends[place - 1]]  # the space covers the markup it stands for
            ends += [*self.ends[done:place], self.starts[place]]
            done = place
        self.starts, self.ends = starts + self.starts[done:], ends + self.ends[done:]
        return "".join(pieces) + text[done:]

    def _add(self, character: str, start: int, end: int) -> None:
        character = clean_character(character)
        if not character:
            return
        if character == " " and self._characters and self._characters[-1] == " ":
            self.ends[-1] = end
            return
        if character == "<":
            self._less_than.append(len(self._characters))
        self._characters.append(character)
        self.starts.append(start)
        self.ends.append(end)
        if character == ">":
            self._take_tag()
        elif character == ";":
            self._decode_entity()

    def _take_tag(self) -> None:
        """Take out the comment or tag that the last character ends, if it does end one."""
        if self._characters[-3:-1] == ["-", "-"] and self._take_comment():
            return
        if not self._less_than:
            return
        start = self._less_than.pop()
        self._no_comment = min(self._no_comment, len(self._less_than))
        if len(self._characters) - start > _LONGEST_TAG:
            return
        written = "".join(self._characters[start:])
        match = _TAG.fullmatch(written)
        if match is None or not (match["attributes"] or ":" in match["name"] or _local(match["name"]) in _KNOWN):
            if _DECLARATION.fullmatch(written):
                self._truncate(start)
            return
        self._truncate(start)
        if match["close"]:
            self.close_element(match["name"])
        elif match["empty"]:
            self._mark(_local(match["name"]), "empty")
        else:
            self.open_element(match["name"])

    def _take_comment(self) -> bool:
        for number in range(len(self._less_than) - 1, self._no_comment - 1, -1):
            start = self._less_than[number]
            if self._characters[start + 1 : start + 4] == ["!", "-", "-"] and len(self._characters) - start >= 7:
                self._truncate(start)
                return True
        self._no_comment = len(self._less_than)
        return False

    def _decode_entity(self) -> None:
        match = _ENTITY.search("".join(self._characters[-_LONGEST_ENTITY:]))
        if match is None or not (match[0][1] == "#" or match[0][1:] in html5):
            return
        place = len(self._characters) - len(match[0])
        start, end = self.starts[place], self.ends[-1]
        self._truncate(place)
        for character in html.unescape(match[0]):
            self._add(character, start, end)

    def _drop_cut_tags(self) -> None:
        while self._less_than and len(self._characters) - self._less_than[-1] <= _LONGEST_TAG:
            written = "".join(self._characters[self._less_than[-1] :])
            if not _CUT_COMMENT.fullmatch(written) and not _begins_tag(written):
                return
            self._truncate(self._less_than[-1])

    def _mark(self, name: str, what: str) -> None:
        if name in _BLOCK:
            what = "block"
        if name not in _TIGHT and what != "empty":
            self._boundaries.append(Boundary(len(self._characters), what, name))

    def _truncate(self, length: int) -> None:
        for kept in (self._characters, self.starts, self.ends):
            del kept[length:]
        while self._less_than and self._less_than[-1] >= length:
            self._less_than.pop()
        self._no_comment = min(self._no_comment, len(self._less_than))
        while self._boundaries and self._boundaries[-1].place > length:
            self._boundaries.pop()


def _local(name: str) -> str:
    return name.rpartition(":")[2].lower()


def _begins_tag(written: str) -> bool:
    """Whether this, the end of a text, is a tag that was cut off."""
    match = _CUT_TAG.fullmatch(written)
    if match is None:
        return False
    name = (match["name"] or "").lower()
    if match["rest"]:
        return ":" in name or name in _KNOWN
    return ":" in name or not name or any(known.startswith(name) for known in _KNOWN)
