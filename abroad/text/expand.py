"""Resolve what authors contract: lists and ranges of congeners, shared heads, abbreviated genera.

"gloeophyllins A-C (1-3)" gives gloeophyllin A, gloeophyllin B, gloeophyllin C, each with
the span it comes from and the rule. No model is needed; what is ambiguous stays as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from abroad.text.suffixes import GREEK_WORD, MOST_LABELS, SuffixList, parse_suffixes

__all__ = ["MOST_LABELS", "Expansion", "expand_lists", "expand_phrase", "expand_shared_heads", "singular"]

LONGEST_PHRASE = 2_000  # characters of one list; a longer one is not a list of names


@dataclass(frozen=True, slots=True)
class Expansion:
    """Labels that one stretch of text stands for.

    Attributes:
        labels: in order; distinct.
        start, end: offsets (code points, end exclusive) of the stretch.
        spans: of each label, the narrowest stretch that names it (its suffix or range).
        rule: "list", "range" or "shared head".
        capped: labels beyond MOST_LABELS that were left out.
    """

    labels: tuple[str, ...]
    start: int
    end: int
    spans: tuple[tuple[int, int], ...]
    rule: str
    capped: int = 0


# Plurals that head a list of something other than congeners.
_NO_HEAD = frozenset(
    """analogs analogues antibiotics assays bands bonds cases caspases categories cells chains chapters classes columns
    components compounds conditions configurations congeners constituents controls cultures cycles cytokines cytochromes
    derivatives diastereomers domains doses enantiomers enzymes epimers examples experiments extracts factors families
    figs figures forms fractions genes genotypes grades groups hosts immunoglobulins interleukins isoforms isolates
    isomers kinases lanes layers levels lines lists loci mechanisms members metabolites methods models modules molecules
    mutants names numbers parts peaks phases phenotypes photosystems plates points positions products proteins receptors
    regions residues respectively results rings samples schemes series serotypes sides sites species stages steps
    stereoisomers strains strategies strands structures subclasses subgroups subtypes subunits systems tables
    topoisomerases treatments types units values variants versions viruses vitamins zones""".split()
)
# Class words that belong to the head with the word before them: "ganoderic acids A and B".
_WITH_WORD_BEFORE = frozenset(
    """acids aldehydes alcohols amides anhydrides esters ethers glycosides glucosides ketones lactams lactones peptides
    peroxides phosphates quinones saponins sulfates toxins""".split()
)
# The end of a plural before what may be a suffix; the head is then read leftwards, so that the search stays linear.
_PLURAL_END = re.compile(rf"(?<=[^\W\d_])s(?P<glue>[ \u00a0]{{1,3}}|-)(?=[A-Zα-ω\d]|(?:{GREEK_WORD})\b)")
_HEAD = re.compile(r"(?:[^\s()\[\],;:]|,(?=\d)|\([^()\s]{1,12}\)(?=[^\s,;:]))+$")
_LONGEST_HEAD = 80  # characters


def expand_lists(text: str) -> list[Expansion]:
    """Every list or range of congeners in a text, in order; each stretch once.

    Time and memory grow with the length of the text, not with the ranges in it.
    """
    found: list[Expansion] = []
    position = 0
    lowered = text.lower()
    for match in _PLURAL_END.finditer(text):
        if match.start() < position:
            continue
        expansion = _expand_at(text, match.start() + 1, match["glue"], position, lowered)
        if expansion is not None:
            found.append(expansion)
            position = expansion.end
    return found


def expand_phrase(phrase: str) -> list[str]:
    """The labels a phrase stands for as a whole; the phrase itself if it is no list.

    For the output of any model: "gloeophyllins A-C" -> three labels, "genistein" -> itself.
    Models often make the head singular: "gloeophyllin A-C" counts as a list too.
    """
    phrase = phrase.strip()
    if len(phrase) > LONGEST_PHRASE:
        return [phrase]
    forms = [phrase]
    if singular_head := re.match(r"(.*[^\W\d_s]) (?=[A-Z]|\d)", phrase):
        forms.append(f"{singular_head[1]}s {phrase[singular_head.end() :]}")
    for form in forms:
        for expansion in (*expand_lists(form), *expand_shared_heads(form)):
            if expansion.start == 0 and not without_numbering(form[expansion.end :]).strip(" .,;"):
                return list(expansion.labels)
    return [phrase]


def singular(head: str) -> str:
    """A plural head made singular: "gloeophyllins" -> "gloeophyllin"."""
    if head.endswith("ies") and len(head) > 5:
        return head[:-3] + "y"
    return head[:-1] if head.endswith("s") and not head.endswith("ss") else head


def _expand_at(text: str, head_end: int, glue: str, floor: int, lowered: str) -> Expansion | None:
    """The list whose plural head ends at `head_end`; it may not start before `floor`."""
    left = _HEAD.search(text[max(floor, head_end - _LONGEST_HEAD) : head_end])
    if left is None:
        return None
    head = left[0]
    start = head_end - len(head)
    word = re.split(r"[-–]", head)[-1].lower()
    if word in _NO_HEAD or head.lower() in _NO_HEAD or len(word) < 5:
        return None
    if word in _WITH_WORD_BEFORE:
        before = re.search(r"[^\s,;:()\[\]]+ $", text[max(floor, start - 60) : start])
        if before is None or before[0].strip().lower() in _BEFORE_CLASS:
            return None
        start -= len(before[0])
        head = text[start:head_end]
    suffixes = parse_suffixes(text, head_end + len(glue))
    if suffixes is None or not _convincing(head, suffixes, lowered):
        return None
    stem = singular(head) + ("-" if glue == "-" else " ")
    return Expansion(
        tuple(stem + suffix for suffix in suffixes.labels),
        start,
        suffixes.end,
        suffixes.spans,
        "range" if suffixes.has_range else "list",
        suffixes.capped,
    )


_BEFORE_CLASS = frozenset("the of and new known novel two three four five six seven eight nine ten these other".split())


def _convincing(head: str, suffixes: SuffixList, lowered: str) -> bool:
    """Whether the suffixes name congeners: plain digits may as well be compound numbers."""
    if len(suffixes.labels) < 2:
        return False
    if suffixes.kind != "number" or suffixes.numbered:
        return True
    return f"{singular(head).lower()} {suffixes.labels[0]}" in lowered


# ---- shared heads: "3- and 4-hydroxymellein", "methyl and ethyl gallate"

_PIECE = r"[^\s,;()\[\]]{1,40}"
_LOCANTS = re.compile(
    rf"(?<![\w-])(?P<parts>(?:{_PIECE}-,? )+)(?:and|or|and/or) (?P<last>{_PIECE}-[^\s;()\[\]]{{4,80}})"
    r"|(?<![\w-])(?P<parts2>(?:[^\s;()\[\]]{1,40}-, ?)+)(?:and |or )?(?P<last2>[^\s,;()\[\]]{1,20}-[^\s;()\[\]]{4,80})"
)
_ONE_LOCANT = r"(?:\d+['′\"]*|[αβγδεω]|alpha|beta|gamma|delta|[NOSConpm]|ortho|meta|para|cis|trans|[EZRS])"
_LOCANT = re.compile(rf"{_ONE_LOCANT}(?:[,-]{_ONE_LOCANT})*(?=-|$)")
_RADICALS = re.compile(
    r"(?<![\w-])(?P<first>[\w,'-]{0,30}yl)(?P<more>(?:, [\w,'-]{1,30}yl)*),? and (?P<last>[\w,'-]{1,30}yl) "
    r"(?P<head>(?:[a-z-]{3,30} )?[a-z-]{3,30}(?:ate|ates|ether|ethers|ester|esters))(?!\w)"
)


def expand_shared_heads(text: str) -> list[Expansion]:
    """Names that share their end: "3- and 4-hydroxymellein", "methyl and ethyl gallate"."""
    return sorted([*_shared_tails(text), *_shared_esters(text)], key=lambda expansion: expansion.start)


def _shared_tails(text: str) -> Iterator[Expansion]:
    for match in _LOCANTS.finditer(text):
        parts = (match["parts"] or match["parts2"]).replace(",", " ").split()
        last = (match["last"] or match["last2"]).rstrip(".,:")
        prefixes = [part.removesuffix("-") for part in parts]
        tail = _tail(prefixes, last)
        if tail is None or len(prefixes) + 1 > MOST_LABELS:
            continue
        start, end = match.start(), match.start("last" if match["last"] else "last2") + len(last)
        labels = tuple(dict.fromkeys([*(prefix + tail for prefix in prefixes), last]))
        yield Expansion(labels, start, end, ((start, end),) * len(labels), "shared head")


def _tail(prefixes: list[str], last: str) -> str | None:
    """What of the last name the others share: after as many locants, or after a radical."""
    if all(_LOCANT.fullmatch(prefix) for prefix in prefixes):
        match = _LOCANT.match(last)
        return None if match is None else last[match.end() :]
    if all(prefix.endswith("yl") for prefix in prefixes):
        match = re.match(r".*?yl(?=[^\W\d_]{4})", last)
        return None if match is None else last[match.end() :]
    return None


def _shared_esters(text: str) -> Iterator[Expansion]:
    for match in _RADICALS.finditer(text):
        head = singular(match["head"]) if match["head"].endswith(("ates", "ethers", "esters")) else match["head"]
        if head.split()[0] in ("and", "the", "of"):
            continue
        radicals = [match["first"], *(part for part in match["more"].split(", ") if part), match["last"]]
        labels = tuple(f"{radical} {head}" for radical in radicals)
        yield Expansion(labels, match.start(), match.end(), (match.span(),) * len(labels), "shared head")


def without_numbering(text: str) -> str:
    """The text without the numbers of compounds: "usnic acid (1)" -> "usnic acid"."""
    return re.sub(r"(?:^|\s+)\(\s*\d+[a-z]?(?:\s*[-–—,]+\s*\d+[a-z]?)*\s*\)", "", text)
