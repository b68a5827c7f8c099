"""Names of organisms in a text, each with how likely it is one.

Names of NCBI Taxonomy and names of the same form are looked at (`organism_candidates`); counts, form and the
words around them give the belief (`organism_belief`). Labels follow the convention of the curated data: "Genus
epithet", or "Genus" for "Genus sp." and the like; strains, varieties and authorities are left out. Whether an
organism makes something is for others to say.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from abroad.text.organism_belief import belief, minimum
from abroad.text.organism_candidates import NameCandidate, Words, candidates
from abroad.text.organism_features import Surroundings, features
from abroad.text.organism_spelling import one_edit_apart, one_spelling
from abroad.text.taxon_names import CANDIDATUS, species_of
from abroad.text.word_counts import abbreviations

__all__ = ["OrganismMention", "find_organisms", "one_edit_apart", "resolve_genus"]


@dataclass(frozen=True, slots=True)
class OrganismMention:
    """An organism named in a text.

    Attributes:
        start: offset of the first character (code points).
        end: offset after the last character.
        label: the name it stands for.
        form: "binomial", "abbreviated" ("P. notatum"), "unnamed" ("Penicillium sp."), "genus", "higher", "common",
            "hybrid" ("Mentha × piperita") or "candidatus".
        belief: how likely it is the name of an organism here, from 0 to 1.
    """

    start: int
    end: int
    label: str
    form: str
    belief: float = 1.0

    @property
    def rule(self) -> str:
        """How the label follows from the text: "verbatim" or "genus"."""
        return "genus" if self.form == "abbreviated" else "verbatim"


_ABBREVIATED = re.compile(r"([A-Z][a-z]{0,3})\.\s?([a-z]{3,}(?:-[a-z]+)*)")
_SPECIES = 0.5  # belief from which a genus and the word after it are read as a species
_CANDIDATUS = 0.95  # the word stands before names of bacteria and nowhere else; corpora have too few to learn from
_HIGH_FORMS = frozenset(("higher", "common"))


def find_organisms(text: str) -> list[OrganismMention]:
    """Every name of an organism in the text, in order; abbreviated genera are written out."""
    return judged_organisms(text)[0]


def judged_organisms(text: str) -> tuple[list[OrganismMention], list[OrganismMention]]:
    """(what `find_organisms` finds, the words that might name an organism and are not believed to)."""
    words = Words.of(text)
    found = candidates(words)
    around = Surroundings.of(found)
    mentions: list[OrganismMention] = []
    doubted: list[OrganismMention] = []
    for one in found:
        believed = _CANDIDATUS if one.form == "candidatus" else belief(one, features(one, words, around))
        (mentions if believed >= minimum(one) else doubted).append(_mention(one, believed))
    kept = _without_appositions(_without_overlaps(mentions))
    resolved = _resolved(kept)
    spelling = one_spelling(m.label for m in resolved if m.form not in _HIGH_FORMS)
    named = [replace(m, label=spelling[m.label]) if spelling.get(m.label, m.label) != m.label else m for m in resolved]
    return named, doubted


def resolve_genus(name: str, mentions: Sequence[OrganismMention], position: int) -> str | None:
    """The full name for "P. notatum".

    Of the genera of the document that begin so, it is the one named with that epithet; else the one that nearly all
    texts mean; else the one that has such a species in NCBI Taxonomy, the nearest before if several have; else the
    nearest before; else the only one.

    Args:
        name: an abbreviated name.
        mentions: names in the same document, genus in full.
        position: where the abbreviation stands.
    Returns:
        None when no genus of the document fits, or several do and none was named before.
    """
    match = _ABBREVIATED.match(name)
    if match is None:
        return None
    return _Genera(mentions).full_name(match[1], match[2], position)


class _Genera:
    """The genera that a text names in full, by their first letter."""

    def __init__(self, mentions: Iterable[OrganismMention]) -> None:
        self._by_letter: dict[str, list[tuple[int, str, str]]] = {}
        for m in mentions:
            if m.form in _HIGH_FORMS or m.form == "abbreviated" or m.label.startswith(CANDIDATUS):
                continue
            genus, _, epithet = m.label.partition(" ")
            self._by_letter.setdefault(genus[0], []).append((m.start, genus, epithet))

    def full_name(self, initial: str, epithet: str, position: int) -> str | None:
        fits = [one for one in self._by_letter.get(initial[0], ()) if one[1].startswith(initial)]
        named = [one for one in fits if one[2] == epithet]
        known = [one for one in fits if epithet in species_of(one[1])]
        usual = [one for one in fits if one[1] == abbreviations().get(f"{initial[0]} {epithet}")]
        for chosen in (named, usual, known, fits):
            if chosen:
                before = [one for one in chosen if one[0] < position]
                only = chosen if len({genus for _, genus, _ in chosen}) == 1 or chosen is named else []
                if nearest := before[-1:] or only[:1]:
                    return f"{nearest[0][1]} {epithet}"
        return None


def _resolved(mentions: list[OrganismMention]) -> list[OrganismMention]:
    """Abbreviated genera written out; without the names of which nobody can say what they stand for."""
    named = _Genera(mentions)
    made = []
    for m in mentions:
        match = _ABBREVIATED.match(m.label) if m.form == "abbreviated" else None
        if match is None:
            made.append(m)
        elif full := named.full_name(match[1], match[2], m.start):
            made.append(replace(m, label=full))
        elif genus := abbreviations().get(f"{match[1][0]} {match[2]}", ""):
            made += [replace(m, label=f"{genus} {match[2]}")] if genus.startswith(match[1]) else []
    return made


def _mention(one: NameCandidate, believed: float) -> OrganismMention:
    return OrganismMention(one.start, one.end, one.label, one.form, round(believed, 3))


def _without_overlaps(mentions: list[OrganismMention]) -> list[OrganismMention]:
    """Of mentions that overlap, the one that is read so: a species if it is likely one, else the most likely."""
    kept: list[OrganismMention] = []
    for mention in sorted(mentions, key=lambda m: (m.start, m.start - m.end)):
        if not kept or mention.start >= kept[-1].end:
            kept.append(mention)
        elif not _holds(kept[-1], mention):
            kept[-1] = mention
    return kept


def _without_appositions(mentions: list[OrganismMention]) -> list[OrganismMention]:
    """Without the "fungus" of "the fungus Penicillium notatum": it names nothing more."""
    named = {m.start for m in mentions if m.form != "common"}
    return [m for m in mentions if m.form != "common" or m.end + 1 not in named]


def _holds(first: OrganismMention, second: OrganismMention) -> bool:
    if (first.form == "common") != (second.form == "common"):
        return second.form == "common"
    return first.belief >= min(_SPECIES, second.belief)
