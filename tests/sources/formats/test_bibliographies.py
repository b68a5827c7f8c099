"""PubMed's texts and RIS: each paper is a record of its own, its title and abstract as they were before wrapping."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abroad.sources.formats.medline import is_medline, read_medline
from abroad.sources.formats.pubmed_abstracts import is_pubmed_abstracts, read_pubmed_abstracts
from abroad.sources.formats.ris import is_ris, read_ris
from abroad.sources.formats.wrapped import unwrap

NBIB = """
PMID- 25706243
OWN - NLM
STAT- MEDLINE
DCOM- 20160105
IS  - 1520-6025 (Electronic)
VI  - 78
TI  - Metabolites of Xylaria feejeensis: a new hydroxylated
      mellein and others.
PG  - 548-52
LID - 10.1021/np500813g [doi]
AB  - A new compound, 3,4-
      dihydroxymellein, and 3- 
      and 4-hydroxymellein were isolated from the 
      endophytic fungus Xylaria feejeensis.
CI  - Copyright 2015.
FAU - Doe, Jane
AU  - Doe J
AID - S0000-0000(15)00001-1 [pii]
AID - 10.1021/np500813g [doi]
SO  - J Nat Prod. 2015 Mar 27;78(3):548-52.

PMID- 2
TI  - A title alone.

PMID- 3
BTI - A book
OAB - English text that stands in OtherAbstract.
"""

ABSTRACTS = """1. J Nat Prod. 2015 Mar 27;78(3):548-52. doi: 10.1021/np500813g. Epub 2015 Feb 
24.

Metabolites of Xylaria feejeensis: a new hydroxylated mellein and 
others.

Doe J(1), O'Connor PJ(2)(3), de la Cruz MÁ(1).

Author information:
(1)Department of Chemistry, Some University, City, 1. Country.
(2)Institute of Botany.

Comment in
    Nat Prod Rep. 2016;1:1.

BACKGROUND: A new compound, 3,4-
dihydroxymellein, was found.
RESULTS: 3- and 4-hydroxymellein were isolated from Xylaria feejeensis.

© 2015 The American Chemical Society.

DOI: 10.1021/np500813g
PMCID: PMC1234567
PMID: 25706243 [Indexed for MEDLINE]

Conflict of interest statement: The authors declare none.


2. Yao Xue Xue Bao. 2010 Jan;45(1):54-9.

[Studies on the constituents of Coptis chinensis].

[Article in Chinese]

Zhang X(1), Li Y.

Berberine was isolated, in 2009, from the roots.

2. A paragraph with a number, of 2010, is no paper.

PMID: 21351450


3. Nature. 1953 Apr 25;171(4356):737-8.

A title alone.

WATSON JD, CRICK FH.

PMID: 13054692 [Indexed for MEDLINE]
"""

RIS = """TY  - JOUR
TI  - Metabolites of Xylaria feejeensis
AU  - Doe, J.
AB  - A new compound was isolated
from Xylaria feejeensis.
DO  - https://doi.org/10.1021/np500813g
AN  - 25706243
DB  - PubMed
ER  - 

TY  - JOUR
T1  - A title of another export
N2  - Its abstract, with TY  - in it.
UR  - https://pubmed.ncbi.nlm.nih.gov/21351450/
TY  - CHAP
TI  - After a record without an end
N1  - PMID: 3
"""


def test_pubmed_format():
    assert is_medline(NBIB) and not is_pubmed_abstracts(NBIB) and not is_ris(NBIB)
    (first, record), (second, alone), (_, book) = read_medline(NBIB)
    assert [NBIB.split("\n")[line - 1] for line in (first, second)] == ["PMID- 25706243", "PMID- 2"]
    assert record == {
        "PMID": "25706243",
        "ArticleTitle": "Metabolites of Xylaria feejeensis: a new hydroxylated mellein and others.",
        "AbstractText": "A new compound, 3,4-dihydroxymellein, and 3- and 4-hydroxymellein were isolated from the "
        "endophytic fungus Xylaria feejeensis.",
        "doi": "10.1021/np500813g",
    }
    assert alone == {"PMID": "2", "ArticleTitle": "A title alone."}
    assert book["ArticleTitle"] == "A book" and book["AbstractText"].startswith("English")


def test_pubmed_format_of_few_tags_and_a_long_abstract():
    text = "PMID- 1\nTI  - T\nAB  - A\n" + "      more of it\n" * 400 + "\nPMID- 2\nTI  - U\n"
    assert is_medline(text) and is_medline("PMID- 1\nTI  - T")
    assert [record["PMID"] for _, record in read_medline(text)] == ["1", "2"]
    assert not is_medline("PMID- 1 is the paper\nof which we speak\nhere\nand there")


def test_pubmed_abstract_format():
    assert is_pubmed_abstracts(ABSTRACTS) and not is_medline(ABSTRACTS)
    (first, record), (second, chinese), (_, alone) = read_pubmed_abstracts(ABSTRACTS)
    assert (first, ABSTRACTS.split("\n")[second - 1][:2]) == (1, "2.")
    assert record == {
        "PMID": "25706243",
        "ArticleTitle": "Metabolites of Xylaria feejeensis: a new hydroxylated mellein and others.",
        "AbstractText": "BACKGROUND: A new compound, 3,4-dihydroxymellein, was found. RESULTS: 3- and "
        "4-hydroxymellein were isolated from Xylaria feejeensis.",
        "doi": "10.1021/np500813g",
        "year": 2015,
    }
    assert chinese["ArticleTitle"] == "[Studies on the constituents of Coptis chinensis]."
    assert chinese["AbstractText"] == (
        "Berberine was isolated, in 2009, from the roots. 2. A paragraph with a number, of 2010, is no paper."
    )
    assert alone == {"PMID": "13054692", "ArticleTitle": "A title alone.", "year": 1953}


def test_one_paper_cut_out_of_a_list_is_one_record():
    text = ABSTRACTS[ABSTRACTS.index("2. Yao") :]
    assert [record["PMID"] for _, record in read_pubmed_abstracts(text)] == ["21351450", "13054692"]


@pytest.mark.parametrize("text", ["Berberine of Coptis.", "1. In 2010 we isolated berberine.", "PMID: 5", ""])
def test_plain_text_is_none_of_them(text):
    assert not any(recognise(text) for recognise in (is_medline, is_pubmed_abstracts, is_ris))


def test_ris():
    assert is_ris(RIS) and not is_medline(RIS)
    (first, record), (second, other), (_, open_end) = read_ris(RIS)
    assert (first, second) == (1, 11)
    assert record == {
        "ArticleTitle": "Metabolites of Xylaria feejeensis",
        "AbstractText": "A new compound was isolated from Xylaria feejeensis.",
        "doi": "10.1021/np500813g",
        "PMID": "25706243",
    }
    assert other["AbstractText"] == "Its abstract, with TY - in it." and other["PMID"] == "21351450"
    assert open_end == {"ArticleTitle": "After a record without an end", "PMID": "3"}


@given(st.lists(st.sampled_from(["TY  - JOUR", "TI  - x", "more", "ER  - ", "ER", "UK  - z", "AU  - ", "XX  - y", ""])))
def test_no_order_of_tags_breaks_ris(lines):
    for _, record in read_ris("\n".join(lines)):
        assert set(record) <= {"ArticleTitle", "AbstractText", "doi", "PMID"}


@given(st.text(alphabet="1. 2\nPMIDTAB-:ax()", max_size=300))
def test_no_text_breaks_the_readers(text):
    for read in (read_medline, read_pubmed_abstracts, read_ris):
        list(read(text))


words = st.text(alphabet="abcdé-3,α", min_size=1, max_size=9).map(lambda word: word.strip("-") or "a")


@given(st.lists(words, min_size=1, max_size=30), st.integers(10, 40))
def test_a_text_wrapped_at_spaces_as_pubmed_does_comes_back(words, width):
    lines, line = [], ""
    for word in words:
        if line and len(line) + len(word) > width:
            lines.append(line)
            line = ""
        line += word + " "
    lines.append(line)
    assert unwrap(lines) == " ".join(words)


@pytest.mark.parametrize(("line", "retracted"), [("PT  - Retracted Publication", True), ("RIN - J X. 2024", True)])
def test_pubmed_format_says_the_year_and_what_was_retracted(line, retracted):
    text = (
        f"PMID- 1\nDP  - 2021 Mar 3\nTI  - A title.\n{line}\nPT  - Journal Article\n\nPMID- 2\nTI  - T.\nPT  - Review\n"
    )
    (_, first), (_, second) = read_medline(text)
    assert first["retracted"] is retracted and first["year"] == 2021
    assert "retracted" not in second and "year" not in second


@pytest.mark.parametrize(
    ("tags", "year"),
    [
        ("PY  - 2011", 2011),
        ("PY  - 2011/03//", 2011),
        ("Y1  - 1998/12/01", 1998),
        ("DA  - 2004/05/06/", 2004),
        ("T2  - Journal of 2020", None),
    ],
)
def test_the_year_of_a_reference_is_kept(tags, year):
    ((_, record),) = read_ris(f"TY  - JOUR\nTI  - A title\n{tags}\nER  - \n")
    assert record.get("year") == year


@pytest.mark.parametrize("remark", ["", "Retraction in\n    X. 2020;1:2.\n\n", "Comment in\n    X. 2017;1:1.\n\n"])
def test_the_year_and_the_retraction_of_an_abstract_are_kept(remark):
    text = f"1. J Nat Prod. 2015 Mar 27;78(3):548-52.\n\nA title.\n\nDoe J.\n\n{remark}An abstract.\n\nPMID: 12\n"
    ((_, record),) = read_pubmed_abstracts(text)
    assert record["year"] == 2015 and record["AbstractText"] == "An abstract."
    assert record.get("retracted", False) == remark.startswith("Retraction")
