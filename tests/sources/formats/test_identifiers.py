"""Lists of PMIDs and DOIs, as people keep them."""

import pytest

from abroad.sources.formats.identifiers import Identifier, is_identifiers, read_identifiers


@pytest.mark.parametrize(
    "text",
    [
        "25706243\n15679323\n",
        "\ufeff25706243".removeprefix("\ufeff"),
        "PMID\n25706243\r\n15679323\r\n",
        "PMID: 25706243\nhttps://doi.org/10.1021/np500813g\n",
        "25706243, 15679323 1",
        "# a comment\n10.1002/(SICI)1097-0010(199601)70:1<1::AID-JSFA>3.0.CO;2-K\n",
        "https://pubmed.ncbi.nlm.nih.gov/25706243/\n",
        "1\n2\n3\n4\nnonsense here\n",
        "25706243\n15679323\n4567x\n",
        "25706243\n(to be read)\n10.1021/np500813g\n",
        "25706243\n\nn/a\n15679323\n?\n10.1021/np500813g\n",
    ],
)
def test_lists_are_recognised(text):
    assert is_identifiers(text)


@pytest.mark.parametrize(
    "text", ["", "Berberine of Coptis", "1\nnonsense\n", "In 2010 we\n", "123456789012\n", "PMID\n", "1\nx\n2\ny\n"]
)
def test_other_texts_are_not(text):
    assert not is_identifiers(text)


def test_a_paper_with_its_identifiers_is_no_list():
    assert not is_identifiers("25706243\n10.1021/np500813g\nQuercetin was isolated from the bulbs of Allium cepa.\n")


def test_each_has_its_line_and_what_is_none_its_reason():
    found = list(read_identifiers("PMID\n0012, 5\n\nnonsense here\ndoi:10.1021/A.\n", "l.txt"))
    assert found == [
        Identifier("PMID", "12", "l.txt:2"),
        Identifier("PMID", "5", "l.txt:2"),
        ("l.txt:4", "expected a PMID or a DOI, found 'nonsense here'"),
        Identifier("doi", "10.1021/A", "l.txt:5"),
    ]
