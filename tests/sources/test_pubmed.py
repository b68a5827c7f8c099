"""PubMed XML as text: markup, sections, identifiers, broken files."""

import gzip
import io
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abroad.core.context import Context
from abroad.core.errors import InputError
from abroad.sources.pubmed import Article, BrokenXml, Deleted, parse_articles, read_xml
from tests.sources.servers import article_set, article_xml


def parse(xml: bytes) -> list:
    return list(parse_articles(io.BytesIO(xml)))


def text_of(markup: str) -> str:
    return parse(article_set(article_xml("1", abstract=markup)))[0].abstract


def with_abstract(inner: str) -> str | None:
    xml = article_xml("1", abstract="X").replace("<AbstractText>X</AbstractText>", inner)
    return parse(article_set(xml))[0].abstract


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("from <i>Xylaria</i> sp.", "from Xylaria sp."),
        ("H<sub>2</sub>O and <sup>13</sup>C", "H2O and 13C"),
        ("<b><i>n</i>-C<sub>6</sub></b>H", "n-C6H"),
        ("&#946;-sitosterol, α-pinene, &#x3b3;", "β-sitosterol, α-pinene, γ"),
        ("&alpha;-pinene &lt; 5 &amp; more", "α-pinene < 5 & more"),
        ("&lt;sup&gt;13&lt;/sup&gt;C of &amp;beta;-carotene", "13C of β-carotene"),
        ("p &lt; 0.05, a&lt;b and R&amp;D", "p < 0.05, a<b and R&D"),
        ("two\n      lines\tand \u00a0 spaces ", "two lines and spaces"),
        ("kept <!-- not this --> text", "kept text"),
        (
            '<mml:math xmlns:mml="http://www.w3.org/1998/Math/MathML"><mml:mi>K</mml:mi><mml:mn>2</mml:mn></mml:math>',
            "K2",
        ),
        # Words that markup glued, and parts of words.
        ("The fungus<i>Penicillium griseofulvum</i>produced it.", "The fungus Penicillium griseofulvum produced it."),
        ("from<i>Coptis chinensis</i>roots, inhibited", "from Coptis chinensis roots, inhibited"),
        (
            "macrolides<b>bafilomycin A1</b>and<b>bafilomycin B1</b>as",
            "macrolides bafilomycin A1 and bafilomycin B1 as",
        ),
        ("the genus<b><i>Streptomyces</i></b>gave<u>new compounds</u>", "the genus Streptomyces gave new compounds"),
        ("compounds<b>1</b>and<b>2</b>of<i>Xylaria</i>sp.", "compounds 1 and 2 of Xylaria sp."),
        (
            "<i>N</i>,<i>N</i>-dimethyl, <i>p</i>coumaric, D<sub>3</sub>, <i>mec</i>A",
            "N,N-dimethyl, pcoumaric, D3, mecA",
        ),
        # Blocks that adjoin.
        (
            "<b>Source: Coptis chinensis</b><b>Compound: berberine</b><b>Method: NMR</b>",
            "Source: Coptis chinensis Compound: berberine Method: NMR",
        ),
        ("<b>AIM:</b>To isolate.<b>METHODS</b>NMR", "AIM: To isolate. METHODS NMR"),
        ("first<DispFormula>x = 1</DispFormula>second", "first x = 1 second"),
        # The notes of formulas.
        (
            'yield <mml:math xmlns:mml="http://www.w3.org/1998/Math/MathML"><mml:semantics><mml:mn>10</mml:mn>'
            '<mml:annotation encoding="application/x-tex">\\documentclass{minimal}10\\%</mml:annotation>'
            "</mml:semantics></mml:math> of it",
            "yield 10 of it",
        ),
        (
            '<math xmlns="http://www.w3.org/1998/Math/MathML"><msub><mi>K</mi><mi>i</mi></msub>'
            '<annotation-xml encoding="MathML-Content"><ci>Ki</ci></annotation-xml></math> is 2',
            "Ki is 2",
        ),
        ("&lt;i&gt;Coptis&lt;/i&gt; &amp;lt; &big;&#xad; x&#x200b;y", "Coptis < &big; xy"),
    ],
)
def test_markup_is_kept_as_text(markup, text):
    assert text_of(markup) == text


def test_titles_keep_their_text_and_their_brackets():
    xml = article_xml("1", title="[Alkaloids of <i>Aconitum</i>\n  <i>japonicum</i>].")
    assert parse(article_set(xml))[0].title == "[Alkaloids of Aconitum japonicum]."


def test_sections_are_joined_with_their_labels():
    sections = (
        '<AbstractText Label="BACKGROUND" NlmCategory="BACKGROUND">We <i>ask</i>.</AbstractText>\n'
        '<AbstractText Label="EMPTY"/>'
        '<AbstractText Label="METHODS:">We do.</AbstractText>'
        '<AbstractText Label="UNLABELLED">We end.</AbstractText>'
        "<CopyrightInformation>Copyright</CopyrightInformation>"
    )
    assert with_abstract(sections) == "BACKGROUND: We ask. METHODS: We do. We end."


def test_an_empty_abstract_is_none():
    assert with_abstract("<AbstractText> </AbstractText>") is None
    assert parse(article_set(article_xml("1", abstract=None)))[0].abstract is None


@pytest.mark.parametrize(
    ("abstract", "others", "text"),
    [
        (
            None,
            '<OtherAbstract Type="Publisher" Language="eng"><AbstractText>In it.</AbstractText></OtherAbstract>',
            "In it.",
        ),
        (None, "<OtherAbstract><AbstractText Label='AIM'>In it.</AbstractText></OtherAbstract>", "AIM: In it."),
        (" ", '<OtherAbstract Language="eng"><AbstractText>In it.</AbstractText></OtherAbstract>', "In it."),
        ("Own.", '<OtherAbstract Language="eng"><AbstractText>In it.</AbstractText></OtherAbstract>', "Own."),
        (
            None,
            '<OtherAbstract Language="spa"><AbstractText>No.</AbstractText></OtherAbstract>'
            '<OtherAbstract Language="eng"><AbstractText/></OtherAbstract>'
            '<OtherAbstract Language="eng"><AbstractText>In it.</AbstractText></OtherAbstract>',
            "In it.",
        ),
        (None, '<OtherAbstract Language="fre"><AbstractText>Non.</AbstractText></OtherAbstract>', None),
    ],
)
def test_an_english_abstract_from_elsewhere_is_read_where_there_is_none(abstract, others, text):
    xml = article_xml("1", abstract=abstract).replace("</MedlineCitation>", f"{others}</MedlineCitation>")
    assert parse(article_set(xml))[0].abstract == text


def test_markup_may_be_deep():
    assert text_of("<b>" * 1500 + "x" + "</b>" * 1500) == "x"


def test_pmids_and_dois_of_other_articles_are_not_the_articles_own():
    xml = """<PubmedArticle><MedlineCitation>
      <CommentsCorrectionsList><CommentsCorrections RefType="CommentIn"><PMID>99</PMID></CommentsCorrections>
      </CommentsCorrectionsList><PMID>7</PMID>
      <Article><ELocationID EIdType="doi" ValidYN="N">10.1/wrong</ELocationID>
        <ELocationID EIdType="doi" ValidYN="Y">10.1/right</ELocationID><ArticleTitle>T.</ArticleTitle></Article>
      <OtherAbstract Language="fre"><AbstractText>Non.</AbstractText></OtherAbstract>
      </MedlineCitation><PubmedData>
      <ReferenceList><Reference><ArticleIdList><ArticleId IdType="pubmed">98</ArticleId>
        <ArticleId IdType="doi">10.1/cited</ArticleId></ArticleIdList></Reference></ReferenceList>
      </PubmedData></PubmedArticle>"""
    assert parse(article_set(xml)) == [Article("7", "T.", None, "10.1/right")]


def test_the_doi_of_the_identifier_list_comes_first():
    assert parse(article_set(article_xml("1", doi="10.1/A")))[0].doi == "10.1/A"


def test_book_articles_and_withdrawn_records_are_read():
    book = (
        "<PubmedBookArticle><BookDocument><PMID>5</PMID><Book><BookTitle>B</BookTitle></Book>"
        "<Abstract><AbstractText>In a book.</AbstractText></Abstract></BookDocument></PubmedBookArticle>"
    )
    deleted = "<DeleteCitation><PMID>1</PMID><PMID>2</PMID></DeleteCitation>"
    nameless = article_xml("")
    found = parse(article_set(book, nameless, deleted))
    assert found == [Article("5", "B", "In a book.", None), Deleted("1"), Deleted("2")]


def test_entities_of_the_document_are_not_expanded_nor_files_read(tmp_path):
    (tmp_path / "secret").write_text("SECRET")
    xml = (
        f'<!DOCTYPE PubmedArticleSet [<!ENTITY big "boom"><!ENTITY file SYSTEM "file://{tmp_path}/secret">]>'
        f"<PubmedArticleSet>{article_xml('1', abstract='a &big; &file; b')}</PubmedArticleSet>"
    )
    abstract = parse(xml.encode())[0].abstract
    assert "boom" not in abstract and "SECRET" not in abstract


@pytest.mark.parametrize("xml", [b"", b"no xml", b"<html><body>busy</body></html>"])
def test_what_is_not_pubmed_xml_is_broken(xml):
    with pytest.raises(BrokenXml):
        parse(xml)


WHOLE = article_set(article_xml("1"), article_xml("2"))


@given(st.integers(1, len(WHOLE.rstrip()) - 1))
def test_xml_that_is_cut_off_anywhere_is_called_broken(length):
    with pytest.raises(BrokenXml, match=r"^broken XML at line \d+: \w"):
        parse(WHOLE[:length])


@given(st.integers(0, len(WHOLE) - 1), st.sampled_from(b"<>&\0\xff"))
def test_xml_that_is_damaged_anywhere_gives_records_or_is_called_broken(place, byte):
    damaged = bytearray(WHOLE)
    damaged[place] = byte
    try:
        assert all(record.pmid for record in parse(bytes(damaged)))
    except BrokenXml as error:
        assert re.match(r"broken XML at line \d+: |XML, but not PubMed's: expected", str(error))


def test_records_before_a_fault_are_kept():
    xml = article_set(article_xml("1"), article_xml("2"))
    records = parse_articles(io.BytesIO(xml[:-60]))
    assert next(records).pmid == "1"
    with pytest.raises(BrokenXml, match="line"):
        list(records)


def test_directories_are_read_in_order_gzip_or_not_and_broken_files_set_aside(tmp_path):
    (tmp_path / "b.xml").write_bytes(article_set(article_xml("2")))
    (tmp_path / "a.xml.gz").write_bytes(gzip.compress(article_set(article_xml("1"))))
    (tmp_path / "c.xml").write_bytes(b"<PubmedArticleSet><x>")
    (tmp_path / "d.xml.gz").write_bytes(gzip.compress(article_set(article_xml("3")))[:-30])
    (tmp_path / "notes.txt").write_text("no")
    context = Context()
    assert [article.pmid for article in read_xml([tmp_path], context)][:2] == ["1", "2"]
    assert [item["where"].rpartition("/")[2] for item in context.rejects.items] == ["c.xml", "d.xml.gz"]


def test_missing_files_and_directories_without_xml_are_input_errors(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        list(read_xml([tmp_path / "x.xml"], Context()))
    with pytest.raises(InputError, match=r"no \.xml"):
        list(read_xml([tmp_path], Context()))


@pytest.mark.parametrize(
    ("place", "year"),
    [
        ("<Journal><JournalIssue><PubDate><Year>2019</Year></PubDate></JournalIssue></Journal>", 2019),
        (
            "<Journal><JournalIssue><PubDate><MedlineDate>1998 Dec-1999 Jan</MedlineDate></PubDate></JournalIssue>"
            "</Journal>",
            1998,
        ),
        ("<ArticleDate><Year>2021</Year></ArticleDate>", 2021),
        ("<Journal><JournalIssue><PubDate><Year>soon</Year></PubDate></JournalIssue></Journal>", None),
        ("", None),
    ],
)
def test_the_year_is_that_of_the_issue_else_of_the_electronic_publication(place, year):
    xml = article_xml("1").replace("<ArticleTitle>", f"{place}<ArticleTitle>")
    assert parse(article_set(xml))[0].year == year
