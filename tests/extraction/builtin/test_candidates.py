"""Candidate names of a text, with a tagger that says what the test wants."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from abroad.extraction.builtin import candidates
from abroad.extraction.builtin.candidates import chemical_candidates, named_stretches, organism_candidates
from abroad.extraction.builtin.encoder import WIDTH, TextScores
from abroad.extraction.builtin.features import chemical_features
from abroad.extraction.builtin.reading import read_text
from abroad.extraction.builtin.score import ScoredPair, without_overlaps
from abroad.text.organisms import OrganismMention


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


def kept(text, *organisms):
    """Organisms that stay of a text with one chemical, those that were named first being the better ones."""
    reading, scores = read(text, ["Zingerone"], organisms)
    (chemical,) = (c for c in chemical_candidates(reading, scores) if c.label == "Zingerone")
    found = {candidate.label: candidate for candidate in organism_candidates(reading, scores)}
    ranked = [*organisms, *(label for label in found if label not in organisms)]
    pairs = [ScoredPair(found[label], chemical, 1 - place / 10) for place, label in enumerate(ranked)]
    return [pair.organism.label for pair in without_overlaps(pairs)]


def test_of_organisms_that_claim_one_place_the_better_stays():
    assert kept("Zingerone was found in Zingiber KB2.", "Zingiber KB2") == ["Zingiber KB2"]
    both = "Zingerone was found in Zingiber officinale and in Alpinia galanga."
    assert kept(both, "Alpinia galanga") == ["Alpinia galanga", "Zingiber officinale"]


@pytest.mark.parametrize(
    ("text", "drug", "producer"),
    [
        ("Zingerone was found in Zingiber rhizomata.", "Zingiber rhizomata", "Zingiber"),
        ("Capsicum fructus contains capsaicin.", "Capsicum fructus", "Capsicum"),
        ("We extracted Salvia miltiorrhiza radix.", "Salvia miltiorrhiza radix", "Salvia miltiorrhiza"),
        ("We extracted Scutellaria baicalensis radix et herba.", "Scutellaria baicalensis", "Scutellaria baicalensis"),
        ("Ginkgo folium gave bilobalide.", "Ginkgo folium", "Ginkgo"),
        ("Lonicera japonica flos gave luteolin.", "Lonicera japonica flos", "Lonicera japonica"),
        ("Magnolia officinalis cortex gave honokiol.", "Magnolia officinalis cortex", "Magnolia officinalis"),
        ("Arctium lappa fructus gave arctiin.", "Arctium lappa fructus", "Arctium lappa"),
        ("Fritillaria thunbergii bulbus gave peimine.", "Fritillaria thunbergii bulbus", "Fritillaria thunbergii"),
        ("Cuscuta semen gave hyperoside.", "Cuscuta semen", "Cuscuta"),
        ("Ephedra sinica herba gave ephedrine.", "Ephedra sinica herba", "Ephedra sinica"),
    ],
)
def test_the_part_in_the_name_of_a_drug_belongs_to_no_organism(text, drug, producer):
    assert [c.label for c in organism_candidates(*read(text, organisms=[drug]))] == [producer]


def test_where_the_finder_doubts_the_tagger_must_be_surer():
    reading, scores = read("A red alga from Bahia contained rutin.", organisms=["Bahia"])
    assert any(m.label == "Bahia" for m in reading.doubted)
    assert "Bahia" in {c.label for c in organism_candidates(reading, scores)}
    half = replace(scores, organism=(scores.organism + np.array([1.0, 0, 0])) / 2)
    assert {c.label for c in organism_candidates(reading, half)} == {"red alga"}


@pytest.mark.parametrize(
    ("name", "two"),
    [
        ("ursolic acid, lupeol", True),
        ("squalene, vitamin K1", True),
        ("2,3-butanediol", False),
        ("3', 4', 5-trihydroxyflavone", False),
        ("N,N'-dimethylurea", False),
        ("(1R, 4S)-borneol", False),
    ],
)
def test_a_comma_between_words_is_seen(name, two):
    reading, scores = read(f"We isolated {name} from Salvia alpina.", [name])
    found = chemical_candidates(reading, scores)
    features = chemical_features(reading, organism_candidates(reading, scores), found, scores)
    assert [row["comma between words"] for c, row in zip(found, features, strict=True) if c.label == name] == [two]


def test_names_beyond_those_that_are_looked_at_are_counted(monkeypatch):
    monkeypatch.setattr(candidates, "_MAX_ORGANISMS", 2)
    monkeypatch.setattr(candidates, "_MAX_CHEMICALS", 2)
    names = ["usnic acid", "berberine", "palmatine", "rutin", "usnic acid"]
    organisms = ["Testalia prima", "Testalia altera", "Testalia tertia", "Testalia prima"]
    text = f"We had {', '.join(names)} of {', '.join(organisms)}."
    reading, scores = read(text, names, organisms)
    assert len(chemical_candidates(reading, scores)) == len(organism_candidates(reading, scores)) == 2
    assert (reading.left_out.chemicals, reading.left_out.organisms) == (2, 1)


def test_nothing_is_left_out_of_a_text_that_names_few():
    reading, scores = read("It gave usnic acid.", ["usnic acid"])
    chemical_candidates(reading, scores), organism_candidates(reading, scores)
    assert (reading.left_out.chemicals, reading.left_out.organisms) == (0, 0)


spans = st.tuples(st.integers(0, 30), st.integers(1, 10)).map(lambda span: (span[0], span[0] + span[1]))


@given(st.lists(spans), spans)
def test_whether_a_stretch_lies_within_a_mention(mentions, stretch):
    reach = candidates._reach([OrganismMention(start, end, "x", "verbatim") for start, end in mentions])
    assert (reach(stretch[0]) >= stretch[1]) is any(
        start <= stretch[0] and stretch[1] <= end for start, end in mentions
    )


@pytest.mark.parametrize("sign", "'’′ʹ`")
@pytest.mark.parametrize("dash", "-‐–−")
def test_variants_of_a_sign_make_no_second_compound(sign, dash):
    text = (
        f"We found 3'-O-methylquercetin. So 3{sign}{dash}O{dash}methylquercetin is known, 3-O-methylquercetin is not."
    )
    names = ("3'-O-methylquercetin", f"3{sign}{dash}O{dash}methylquercetin is"[:-3], "3-O-methylquercetin")
    assert chemicals(text, *dict.fromkeys(names)) == {"3'-O-methylquercetin", "3-O-methylquercetin"}
