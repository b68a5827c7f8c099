"""JATS and BioC: sections are kept, tables and references are not, and figures are named."""

import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abroad.core.errors import InputError
from abroad.sources.formats.bioc import is_bioc_json, read_bioc_json, read_bioc_xml
from abroad.sources.formats.full_text import Section
from abroad.sources.formats.jats import read_jats
from abroad.sources.xml_records import BrokenXml, root_name

JATS = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE article PUBLIC "-//NLM//DTD JATS (Z39.96) Journal Archiving and Interchange DTD v1.2//EN" "archive.dtd">
<article xmlns:xlink="http://www.w3.org/1999/xlink" article-type="research-article">
<front><journal-meta><journal-title>Molecules</journal-title></journal-meta><article-meta>
<article-id pub-id-type="pmid">35011345</article-id><article-id pub-id-type="pmc">8746400</article-id>
<article-id pub-id-type="doi">10.3390/molecules27010111</article-id>
<title-group><article-title>Metabolites of <italic>Xylaria feejeensis</italic><xref ref-type="fn">*</xref>
</article-title></title-group>
<pub-date pub-type="epub"><year>2021</year></pub-date><pub-date pub-type="ppub"><year>2022</year></pub-date>
<abstract><sec><title>Background:</title><p>A fungus.</p></sec><sec><title>Results</title>
<p>Mellein (<bold>1</bold>) was isolated.</p></sec></abstract>
<abstract abstract-type="graphical"><p>Not this.</p><fig><graphic xlink:href="graphical-1"/></fig></abstract>
</article-meta></front>
<body>
<p>Before any section.</p>
<sec sec-type="intro"><title>1. Introduction</title>
<p>Fungi are rich<sup><xref ref-type="bibr" rid="B1">1</xref>,<xref ref-type="bibr" rid="B2">2</xref></sup> in acids
[<xref ref-type="bibr" rid="B3">3</xref>,<xref ref-type="bibr" rid="B4">4</xref>]. See
<xref ref-type="fig">Figure 1</xref>.</p>
<fig id="f1"><label>Figure 1</label><caption><p>A caption.</p></caption><graphic xlink:href="molecules-27-g001"/></fig>
</sec>
<sec><title>2. Results</title>
<sec><title>2.1. Isolation</title><p>Compound <bold>1</bold>, C<sub>10</sub>H<sub>10</sub>O<sub>3</sub>.</p>
<list><list-item><p>One.</p></list-item><list-item><p>Two.</p></list-item></list>
<table-wrap><table><tbody><tr><td>A cell</td></tr></tbody></table></table-wrap></sec>
<sec><title>2.2. Activity</title><p>None.
<table-wrap><table><tbody><tr><td>Inner</td></tr></tbody></table></table-wrap></p>
</sec></sec>
<sec sec-type="supplementary-material"><title>Supplement</title><p>A file.</p></sec>
</body>
<back><ack><p>Thanks.</p></ack><ref-list><ref><mixed-citation>Someone. <article-title>Usnic acid</article-title>
</mixed-citation></ref></ref-list></back>
<sub-article><front-stub/><body><p>A review.</p></body></sub-article>
</article>
"""


def read(xml: str):
    return list(read_jats(io.BytesIO(xml.encode())))


def test_a_paper_is_read_with_its_sections():
    (paper,) = read(JATS)
    assert (paper.pmid, paper.pmcid, paper.doi, paper.year) == (
        *("35011345", "PMC8746400", "10.3390/molecules27010111", 2022),
    )
    assert paper.title == "Metabolites of Xylaria feejeensis"
    assert paper.abstract == "Background: A fungus. Results: Mellein (1) was isolated."
    assert paper.sections == (
        Section("", ("Before any section.",)),
        Section("1. Introduction", ("Fungi are rich in acids. See Figure 1.",)),
        Section("2. Results > 2.1. Isolation", ("Compound 1, C10H10O3.", "One.", "Two.")),
        Section("2. Results > 2.2. Activity", ("None.",)),
    )
    assert paper.images == ("graphical-1", "molecules-27-g001") and not paper.retracted


@pytest.mark.parametrize(
    "mark",
    [
        ("<abstract><sec>", '<related-article related-article-type="retraction-forward"/><abstract><sec>'),
        ("<article-title>Metabolites", "<article-title>RETRACTED: Metabolites"),
        ("<article-title>Metabolites", "<article-title>[Retracted] Metabolites"),
    ],
)
def test_a_retracted_paper_says_so(mark):
    assert read(JATS.replace(*mark))[0].retracted


@pytest.mark.parametrize(
    ("mark", "retracted"),
    [
        ("RETRACTED ARTICLE: Metabolites", True),
        ("Retracted Paper: Metabolites", True),
        ("Retracted potentials: Metabolites", False),
        ("Retraction notice to: Metabolites", False),
    ],
)
def test_a_title_that_only_speaks_of_retraction_marks_nothing(mark, retracted):
    paper = read(JATS.replace("<article-title>Metabolites", f"<article-title>{mark}"))[0]
    assert paper.retracted is retracted


def test_sets_and_namespaces_are_read_too():
    inner = JATS[JATS.index("<article xmlns") :]
    assert len(read(f"<pmc-articleset>{inner}{inner}</pmc-articleset>")) == 2
    spaced = inner.replace("<article xmlns", '<article xmlns="https://jats.nlm.nih.gov/ns/archiving/1.3/" xmlns', 1)
    assert read(spaced) == read(JATS)


def test_a_paper_without_its_own_abstract_may_have_an_english_one():
    french = JATS.replace("<abstract><sec>", '<trans-abstract xml:lang="en"><sec>', 1)
    french = french.replace("</sec></abstract>", "</sec></trans-abstract>", 1)
    assert read(french)[0].abstract.startswith("Background: A fungus.")


def test_what_breaks_off_gives_what_it_holds():
    inner = JATS[JATS.index("<article xmlns") :]
    papers = read_jats(io.BytesIO(f"<pmc-articleset>{inner}<article><front>".encode()))
    assert next(papers).pmid == "35011345"
    with pytest.raises(BrokenXml, match="broken XML at line"):
        next(papers)
    with pytest.raises(BrokenXml, match="expected the root article, found other"):
        read("<other/>")


def test_no_entity_is_expanded():
    bomb = '<!DOCTYPE article [<!ENTITY a "aaaa"><!ENTITY f SYSTEM "file:///etc/passwd">]>'
    (paper,) = read(f"{bomb}<article><body><sec><p>x &f; y</p></sec></body></article>")
    assert "root" not in paper.sections[0].paragraphs[0]


@given(st.text(max_size=40), st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(text, data):
    for stream in (data, f"<article>{text}</article>".encode(), f"<article><body><sec>{text}".encode()):
        try:
            list(read_jats(io.BytesIO(stream)))
        except BrokenXml as error:
            assert str(error)


@pytest.mark.parametrize(
    ("head", "root"),
    [
        (JATS.encode(), "article"),
        (b"\xef\xbb\xbf<!-- a > b -->\n<?pi?><!DOCTYPE a [<!ENTITY x '>'>]><n:article/>", "article"),
        (b"<!DOCTYPE collection SYSTEM 'BioC.dtd'><collection>", "collection"),
        (b"no markup", ""),
    ],
)
def test_a_root_is_known_by_the_first_bytes(head, root):
    assert root_name(head) == root


def passage(text, section=None, type=None, **infons):
    infons |= {"section_type": section} if section else {}
    return {"infons": infons | ({"type": type} if type else {}), "text": text, "offset": 0, "annotations": []}


PMC = {
    "source": "PMC",
    "infons": {},
    "documents": [
        {
            "id": "8746400",
            "infons": {"license": "CC BY"},
            "passages": [
                passage(
                    *("Metabolites of Xylaria", "TITLE", "front"),
                    **{"article-id_pmid": "35011345", "article-id_pmc": "8746400", "article-id_doi": "10.1/x"},
                    year="2022",
                ),
                passage("Background", "ABSTRACT", "abstract_title_1"),
                passage("A fungus.", "ABSTRACT", "abstract"),
                passage("1. Introduction", "INTRO", "title_1"),
                passage("Fungi are rich.", "INTRO", "paragraph"),
                passage("In acids.", "INTRO", "paragraph"),
                passage("A caption.", "FIG", "fig_caption", file="g001.jpg"),
                passage("cells", "TABLE", "table"),
                passage("It was dried.", "METHODS", "paragraph"),
                passage("Usnic acid", "REF", "ref"),
            ],
        }
    ],
}
PUBTATOR = {
    "PubTator3": [
        {"id": "25706243", "passages": [passage("A title.", type="title"), passage("A text.", type="abstract")]}
    ]
}


def bioc(value) -> list:
    return list(read_bioc_json(io.BytesIO(json.dumps(value).encode()), "f.json"))


def test_bioc_of_pmc_gives_sections():
    (paper,) = bioc(PMC)
    assert (paper.pmid, paper.pmcid, paper.doi, paper.year) == ("35011345", "PMC8746400", "10.1/x", 2022)
    assert (paper.title, paper.abstract) == ("Metabolites of Xylaria", "Background: A fungus.")
    assert paper.sections == (
        Section("1. Introduction", ("Fungi are rich.", "In acids.")),
        Section("Methods", ("It was dried.",)),
    )
    assert paper.images == ("g001.jpg",)
    assert bioc([PMC]) == [paper] and bioc(PMC["documents"][0]) == [paper]


def test_bioc_of_pubtator_gives_abstracts():
    (paper,) = bioc(PUBTATOR)
    assert (paper.pmid, paper.title, paper.abstract, paper.sections) == ("25706243", "A title.", "A text.", ())
    lines = "\n".join(json.dumps(PUBTATOR["PubTator3"][0]) for _ in range(2)) + "\n{broken\n"
    *papers, fault = read_bioc_json(io.BytesIO(lines.encode()), "f.json")
    assert papers == [paper, paper] and fault[0] == "f.json:3"


def test_passages_that_do_not_say_what_they_are_are_title_and_text():
    (paper,) = bioc({"documents": [{"id": "x", "passages": [passage("A title."), passage("A text.")]}]})
    assert (paper.id, paper.pmid, paper.title, paper.abstract) == ("x", "", "A title.", "A text.")


def test_bioc_xml_is_the_same_as_bioc_json():
    document = PMC["documents"][0]
    infons = "".join(f'<infon key="{k}">{v}</infon>' for k, v in document["infons"].items())
    passages = ""
    for each in document["passages"]:
        own = "".join(f'<infon key="{k}">{v}</infon>' for k, v in each["infons"].items())
        passages += f"<passage>{own}<offset>0</offset><text>{each['text']}</text></passage>"
    xml = f"<collection><source>PMC</source><document><id>8746400</id>{infons}{passages}</document></collection>"
    assert list(read_bioc_xml(io.BytesIO(xml.encode()))) == bioc(PMC)
    sentences = "<sentence><text>One.</text></sentence><sentence><text>Two.</text></sentence>"
    xml = f"<collection><document><id>1</id><passage>{sentences}</passage></document></collection>"
    assert next(iter(read_bioc_xml(io.BytesIO(xml.encode())))).abstract == "One. Two."


def test_json_that_is_no_bioc_is_known_and_refused():
    assert is_bioc_json(json.dumps(PMC).encode()) and is_bioc_json(json.dumps(PUBTATOR).encode())
    assert not is_bioc_json(b'{"id": "1", "AbstractText": "passages"}')
    with pytest.raises(InputError, match=r"f\.json: broken JSON"):
        list(read_bioc_json(io.BytesIO(b'{"passages": ['), "f.json"))
    assert bioc({"documents": []}) == [("f.json", "expected a BioC document with passages")]


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["passages", "documents", "infons", "text", "id", "type", "sentences"]), inner
            )
        ),
    )
)
def test_any_json_is_read_or_told(value):
    bioc({"documents": [{"passages": [value]}, value]})
