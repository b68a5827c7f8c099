"""Candidate names of a text, with a tagger that says what the test wants."""

import numpy as np

from abroad.extraction.builtin.candidates import chemical_candidates, named_stretches, organism_candidates
from abroad.extraction.builtin.encoder import WIDTH, TextScores
from abroad.extraction.builtin.reading import read_text


def read(text, chemicals=(), organisms=(), title_end=0):
    """A reading, and scores that tag each of the stretches as one name."""
    reading = read_text(text, title_end)
    sides = []
    for names in (chemicals, organisms):
        scores = np.tile((0.98, 0.01, 0.01), (len(reading.tokens), 1))
        for name in names:
            start = reading.text.index(name)
            first, last = reading.tokens_in(start, start + len(name))
            scores[first:last] = (0.02, 0.01, 0.97)
            scores[first] = (0.02, 0.97, 0.01)
        sides.append(scores)
    nothing = np.zeros((len(reading.tokens), WIDTH))
    return reading, TextScores(*sides, nothing, nothing, 0.0)


def chemicals(text, *names, title_end=0):
    return {candidate.label for candidate in chemical_candidates(*read(text, names, title_end=title_end))}


def test_a_name_takes_no_full_stop_and_no_comma():
    assert chemicals("It gave swinholide B.", "swinholide B.") == {"swinholide B"}
    assert chemicals("It gave usnic acid, and more.", "usnic acid,") == {"usnic acid"}


def test_no_name_goes_on_in_the_next_sentence_or_from_the_title_into_the_abstract():
    text = "It gave swinholide B. Palytoxin did not occur."
    assert chemicals(text, "swinholide B. Palytoxin") == {"swinholide B", "Palytoxin"}
    title = "A source of berberine"
    assert chemicals(f"{title} Palmatine too.", "berberine Palmatine", title_end=len(title)) == {
        "berberine",
        "Palmatine",
    }
    reading, scores = read(f"{title} Testalia came.", organisms=["berberine Testalia"], title_end=len(title))
    assert not any(" " in candidate.label for candidate in organism_candidates(reading, scores))
    assert len(named_stretches(reading, scores.organism)) == 2


def test_a_list_beats_its_parts():
    text = "Gloeophyllins A, B and C were new."
    members = {"Gloeophyllin A", "Gloeophyllin B", "Gloeophyllin C"}
    assert chemicals(text, "Gloeophyllins A", "B and") == members
    assert chemicals(text, "Gloeophyllins A, B and C") == members


def test_brackets_of_a_name_stay_with_it():
    assert chemicals("We had poly(malic acid) then.", "poly(malic acid") == {"poly(malic acid)"}
    assert chemicals("We had (usnic acid then.", "(usnic acid") == {"usnic acid"}


def test_words_without_spaces_between_them_are_no_name():
    glued = "Quercetinandrutinwereisolatedfromthebulbsof"
    assert chemicals(f"{glued} Allium cepa.", glued) == set()
    assert [c.label for c in organism_candidates(*read(f"{glued}.", organisms=[glued]))] == []
