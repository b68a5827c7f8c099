"""Clean text and the way back to the original: markup, entities, invisible characters, variants of one character."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abroad.text.characters import clean_character, fold
from abroad.text.normalise import normalise

_MARKUP = (
    *("<i>", "</i>", "<b>", "</b>", "<jats:italic>", "</jats:italic>", "<sub>", "</sub>", "<h4>", "</h4>", "<br/>"),
    *("<p", "</", "<!--", "-->", "<", ">", "<a href='x'>", '<a href="', "<mml:annotation>", "</mml:annotation>"),
    *("&", "&amp;", "&lt;", "&gt;", "&beta;", "&#946;", "&#x3b2;", "amp;", "#38;", "lt;", ";", "&shy;", "&nbsp;"),
    *("Penicillium", "griseofulvum", "p", "N", "-", " ", "\n", "\u00ad", "\u200b", "\ufeff", "\ud835", "\x00"),
)
texts = st.one_of(st.text(), st.lists(st.sampled_from(_MARKUP), max_size=30).map("".join))


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        # Words that markup glued.
        ("The fungus<i>Penicillium griseofulvum</i>produced it.", "The fungus Penicillium griseofulvum produced it."),
        ("the macrolides<b>bafilomycin A1</b>and<b>B1</b>, both", "the macrolides bafilomycin A1 and B1, both"),
        ("<b>Source: Coptis</b><b>Compound: berberine</b>", "Source: Coptis Compound: berberine"),
        ("of<jats:italic>Panax</jats:italic>roots", "of Panax roots"),
        ("from a<em>Streptomyces</em>strain", "from a Streptomyces strain"),
        ("gave<i>in vitro</i>activity", "gave in vitro activity"),
        ("<i>Coptis chinensis</i>(Ranunculaceae)", "Coptis chinensis (Ranunculaceae)"),
        ("<b>AIM:</b>To isolate", "AIM: To isolate"),
        ("compounds<b>1</b>and<strong>2a</strong>were", "compounds 1 and 2a were"),
        ("<i>E. coli</i>and<i>S. aureus", "E. coli and S. aureus"),
        # Parts of words.
        ("<i>N</i>-methyl, <i>N</i>,<i>N</i>-dimethyl", "N-methyl, N,N-dimethyl"),
        ("<i>cis</i>-zeatin and <i>p</i>coumaric acid", "cis-zeatin and pcoumaric acid"),
        ("<i>tert</i>butyl, iso<b>prop</b>yl, <i>mec</i>A", "tertbutyl, isopropyl, mecA"),
        ("vitamin D<sub>3</sub>, C<sub>17</sub>H<sub>20</sub>", "vitamin D3, C17H20"),
        ("H<b>2</b>O, (<b>1</b>-<b>3</b>)", "H2O, (1-3)"),
        ("<b><i>n</i>-C<sub>6</sub></b>H and <sup>13</sup>C", "n-C6H and 13C"),
        ("some <i>Streptomycete</i>s", "some Streptomycetes"),
        # Blocks.
        ("<h4>Results</h4>Berberine", "Results Berberine"),
        ("<jats:title>Abstract</jats:title><jats:p>Berberine", "Abstract Berberine"),
        ("<ul><li>rutin</li><li>quercetin</li></ul>", "rutin quercetin"),
        ("of rutin<o:p></o:p>. Then", "of rutin. Then"),
        ("rutin<br>quercetin<BR />kaempferol", "rutin quercetin kaempferol"),
        # Markup of any form.
        ('<span class="a b" id=x>Berberine</span>', "Berberine"),
        ("kept <!-- not <i>this</i> --> text", "kept text"),
        ("<?xml version='1.0'?><!DOCTYPE x>Berberine", "Berberine"),
        ("&lt;sup&gt;13&lt;/sup&gt;C, &amp;lt;i&amp;gt;x&amp;lt;/i&amp;gt;", "13C, x"),
        ('K<mml:mn>2</mml:mn><mml:annotation encoding="t">\\tex{2}</mml:annotation> rest', "K2 rest"),
        ("Coptis<unknown:element/> chinensis", "Coptis chinensis"),
        # Markup that is cut off.
        ("from <i>Coptis chin", "from Coptis chin"),
        ("from <i>Coptis</", "from Coptis"),
        ("from Coptis <jats:ital", "from Coptis "),
        ('from Coptis <a href="http://x y', "from Coptis "),
        ("from Coptis <!-- a remark", "from Coptis "),
        # Less-than.
        ("p < 0.05, MIC <5 and >2, a<b and c>d", "p < 0.05, MIC <5 and >2, a<b and c>d"),
        ("p &lt; 0.05 &amp; R&D <", "p < 0.05 & R&D <"),
        ("n<m>k, x <-- y --> z", "n<m>k, x <-- y --> z"),
        # Entities.
        ("&beta;-, &amp;beta;-, &amp;amp;beta;-, &#946;-, &#x3B2;-", "β-, β-, β-, β-, β-"),
        ("5&prime;, &unknown;, &beta, & ;", "5′, &unknown;, &beta, & ;"),
        # Spaces and what shows nothing.
        ("two\n   lines\tand \u00a0\u2009 spaces", "two lines and spaces"),
        ("Ber\u00adberine\ufeff of Coptis\u200b chi\u2060nensis\u202c\ufe0f", "Berberine of Coptis chinensis"),
        ("a\ud835b\x00c", "a\ufffdb\ufffdc"),
    ],
)
def test_clean_text(text, clean):
    assert normalise(text).text == clean


def test_spans_map_back_to_what_they_were_read_from():
    text = "From<i>Coptis&nbsp;chi\u00adnensis</i>came &amp;beta;-pinene."
    normalised = normalise(text)

    def original(words):
        start = normalised.text.index(words)
        first, last = normalised.original_span(start, start + len(words))
        return text[first:last]

    assert original("Coptis chinensis") == "Coptis&nbsp;chi\u00adnensis"
    assert original("chinensis came") == "chi\u00adnensis</i>came"
    assert original("β-pinene") == "&amp;beta;-pinene"
    with pytest.raises(ValueError, match="span"):
        normalised.original_span(0, len(text))


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("(−)-, A–C, 2‐, 3‑, －", "(-)-, A-C, 2-, 3-, -"),
        ("3′, 3’, 3ʹ, 3`, 3´, 3″, “x”", "3', 3', 3', 3', 3', 3\", \"x\""),
        ("Ａ１, B², H₂, ｄ, µ, Ω, ⁻¹", "A1, B2, H2, d, μ, Ω, -1"),
        ("ß-, ∆9, é, ﬁ, ½, ™", "β-, Δ9, é, ﬁ, ½, ™"),
    ],
)
def test_variants_of_a_character_are_folded(text, folded):
    assert normalise(text).folded == folded


def test_a_title_ends_where_it_ended_and_its_markup_does_not_go_on():
    title, abstract = "Alkaloids of <i>Coptis chinensis</i", "Berberine > palmatine."
    normalised = normalise(f"{title} {abstract}", len(title))
    assert normalised.text == "Alkaloids of Coptis chinensis Berberine > palmatine."
    assert normalised.text[: normalised.title_end] == "Alkaloids of Coptis chinensis"
    assert normalise("T.  Text", 3).title_end == 2 and normalise(" Text.", 0).title_end == 0


@given(texts, st.integers(0, 40))
def test_spans_map_back_to_the_same_visible_characters(text, title_end):
    normalised = normalise(text, min(title_end, len(text)))
    assert len(normalised.folded) == len(normalised.text)
    assert 0 <= normalised.title_end <= len(normalised.text)
    end_before = 0
    for place, character in enumerate(normalised.text):
        start, end = normalised.original_span(place, place + 1)
        assert 0 <= start <= end <= len(text) and end >= end_before
        end_before = end
        source = text[start:end]
        if len(source) == 1:
            assert clean_character(source) == character
        else:  # a run of spaces, markup that separates words, or an entity
            assert character == " " or (source.startswith("&") and source.endswith(";"))


@given(texts)
def test_a_clean_text_is_left_as_it_is(text):
    once = normalise(text)
    again = normalise(once.text, once.title_end)
    assert (again.text, again.folded, again.title_end) == (once.text, once.folded, once.title_end)


@given(texts, st.integers(0, 40))
def test_so_is_one_with_a_title(text, title_end):
    once = normalise(text, min(title_end, len(text)))
    again = normalise(once.text, once.title_end)
    assert (again.text, again.title_end) == (once.text, once.title_end)


@given(st.text(st.characters(exclude_categories=["Cc", "Cf", "Cs", "Z"], exclude_characters="<>&")))
def test_what_needs_no_change_is_not_changed(text):
    clean = normalise(text).text
    assert clean == "".join(map(clean_character, text))


@given(st.characters())
def test_folding_is_stable_and_one_to_one(character):
    folded = fold(character)
    assert len(folded) == 1 and fold(folded) == folded
    assert unicodedata.category(folded) != "Pd" or folded == "-"


@given(
    st.sampled_from(["p", "jats:p", "LI", "h4", "br", "sec"]),
    st.text("abcÄβ1", min_size=1),
    st.text("xyZ2-", min_size=1),
)
def test_blocks_separate_and_subscripts_do_not(block, first, second):
    assert normalise(f"{first}<{block}>{second}</{block}>").text == f"{first} {second}"
    assert normalise(f"{first}<sub>{second}</sub>{first}").text == first + second + first
