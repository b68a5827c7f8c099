"""The abstract of a paper in PDF; scans, locked and damaged files say what they are."""

import io
import re

import pytest

from abroad.core.errors import InputError
from abroad.sources.formats.pdf import read_pdf

pypdf = pytest.importorskip("pypdf")
ABSTRACT = ["Berberine and palma-", "tine were isolated from the roots of Coptis chinensis.", "Both were active. " * 3]
PAPER = ["Alkaloids of Coptis", "Jane Doe", "Abstract", *ABSTRACT, "Introduction", "Coptis is a genus of plants."]


def pdf(lines, title=None, password=None):
    """A PDF of one page with a line of text a line."""
    writer = pypdf.PdfWriter()
    page = writer.add_blank_page(600, 800)
    from pypdf.generic import DecodedStreamObject, DictionaryObject, NameObject

    font = DictionaryObject(
        {
            NameObject(f"/{k}"): NameObject(f"/{v}")
            for k, v in {"Type": "Font", "Subtype": "Type1", "BaseFont": "Helvetica"}.items()
        }
    )
    page[NameObject("/Resources")] = DictionaryObject(
        {NameObject("/Font"): DictionaryObject({NameObject("/F1"): font})}
    )
    shown = " ".join(f"({line}) Tj T*" for line in lines)
    content = DecodedStreamObject()
    content.set_data(f"BT /F1 9 Tf 12 TL 40 760 Td {shown} ET".encode("latin-1"))
    page[NameObject("/Contents")] = content
    if title:
        writer.add_metadata({"/Title": title})
    if password:
        writer.encrypt(password, algorithm="RC4-128")
    stream = io.BytesIO()
    writer.write(stream)
    return stream.getvalue()


def test_title_and_abstract():
    found = read_pdf(pdf(PAPER, title="Alkaloids of Coptis"), "p.pdf")
    assert found.record["ArticleTitle"] == "Alkaloids of Coptis"
    assert found.record["AbstractText"].startswith("Berberine and palmatine were isolated from the roots")
    assert found.record["AbstractText"].endswith("active.") and "abstract is read" in found.how


def test_without_a_heading_all_text_is_read_and_that_is_told():
    found = read_pdf(pdf(ABSTRACT, title="Microsoft Word - paper.docx"), "p.pdf")
    assert set(found.record) == {"AbstractText"} and "all 1 page" in found.how


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (lambda: pdf([]), "OCR"),
        (lambda: pdf(PAPER, password="secret"), "password"),
        (lambda: pdf(PAPER)[:300], "damaged"),
        (lambda: b"%PDF-1.7 nonsense", "damaged"),
        (lambda: b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog /Pages 1 0 R >>\nendobj\n%%EOF", "damaged"),
    ],
)
def test_what_cannot_be_read_says_why_in_our_words(data, reason, capfd, caplog):
    with pytest.raises(InputError, match=reason) as caught:
        read_pdf(data(), "p.pdf")
    assert "\n" not in str(caught.value) and not re.search(r"Error|Exception|Stream|Reader", str(caught.value))
    assert capfd.readouterr() == ("", "") and not caplog.records


SENTENCE = "Usnic acid was isolated from Usnea barbata."


@pytest.mark.parametrize("mark", ["", ":", ".", " -"])
@pytest.mark.parametrize("heading", ["Abstract", "ABSTRACT", "Summary"])
@pytest.mark.parametrize("after", [["Introduction", "Lichens are old."], ["Keywords: lichens"], []])
def test_an_abstract_on_the_line_of_its_heading(heading, mark, after):
    found = read_pdf(pdf(["Acids of lichens", "Jane Doe", f"{heading}{mark} {SENTENCE}", *after]), "p.pdf")
    assert found.record["AbstractText"] == SENTENCE and "abstract is read" in found.how


def test_a_heading_with_hardly_a_word_is_none():
    found = read_pdf(pdf(["Contents", "Abstract 1", "Introduction 2", *ABSTRACT]), "p.pdf")
    assert "Berberine" in found.record["AbstractText"]
