"""A file is what its content says; what we cannot read is refused with what it looks like and what to do."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abroad.core.errors import InputError
from abroad.sources.formats import recognise as formats
from tests.sources.formats.test_bibliographies import ABSTRACTS, NBIB, RIS


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (NBIB, formats.MEDLINE),
        (ABSTRACTS, formats.ABSTRACTS),
        (RIS, formats.RIS),
        ("25706243\n", formats.IDENTIFIERS),
        ("PMID,Title\n1,T\n", formats.TABLE),
        ('[{"id": 1}]', formats.JSON),
        ('\n{"id": 1}\n', formats.JSON),
        ("<?xml version='1.0'?><PubmedArticleSet/>", formats.XML),
        ("<article><title>T</title>", formats.XML),
        ("<!-- a set --><PubmedArticleSet>", formats.XML),
        ('<collection source="x">', formats.XML),
        ("<sub>n</sub>-Butanol extracts", formats.TEXT),
        ("<0.05 was taken as significant.", formats.TEXT),
        ("<i>Coptis</i> gave berberine.", formats.TEXT),
        ("<italic>Coptis</italic> gave berberine.", formats.TEXT),
        ("<bold>Aim</bold>: berberine of <italic>Coptis</italic>.", formats.TEXT),
        ("<math><mi>x</mi></math> mg of berberine.", formats.TEXT),
        ("<mml:math>x</mml:math> mg of berberine.", formats.TEXT),
        ("<jats:p>Coptis gave berberine.</jats:p>", formats.TEXT),
        ("<sec>Aim.</sec> Coptis gave berberine.", formats.TEXT),
        ("<article><title>T</title></article>", formats.XML),
        ("<article><title>T</title></article>\n<!-- end -->\n", formats.XML),
        ("<PubmedArticle>a</PubmedArticle>\n<PubmedArticle>b</PubmedArticle>", formats.XML),
        ("<article><title>T</title>", formats.XML),
        ("<article/>", formats.XML),
        ("[Studies on Coptis].\n\nBerberine was found.", formats.TEXT),
        ("Berberine was found.", formats.TEXT),
    ],
)
@pytest.mark.parametrize("name", ["standard input", "a.txt"])
def test_by_content(text, kind, name):
    assert formats.recognise(text.encode(), name) == kind
    assert formats.recognise(b"\xef\xbb\xbf" + text.encode(), name) == kind


@pytest.mark.parametrize(
    ("data", "looks", "advice"),
    [
        (b"<!DOCTYPE html><html>", "a web page", "list the PMIDs"),
        (b"@article{doe,\n title={x}}", "BibTeX", "export RIS"),
        (b"%0 Journal Article\n%T x", "EndNote", "export RIS"),
        (b"FN Clarivate Analytics Web of Science\nVR 1.0", "Web of Science", "export"),
        (b"25706243|t|A title\n25706243|a|Text", "PubTator", "list the PMIDs"),
        (b"{\\rtf1\\ansi", "RTF", "plain text"),
        (b"PK\x03\x04....word/document.xml", "Word", "plain text"),
        (b"PK\x03\x04....a.txt", "zip", "unpack"),
        (b"\xd0\xcf\x11\xe0....", "old Office", ".xlsx"),
        (b"\x1f\x8b....", "gzip", "gunzip"),
        (b"\x89PNG....", "PNG", "OCR"),
        (b"caf\xe9, na\xefve", "not UTF-8", "iconv"),
        (b"\x00\x01\x02\xff", "binary", "expected"),
        (b"abc\x00def", "binary", "expected"),
    ],
)
def test_what_is_not_read_says_what_it_looks_like_and_what_to_do(data, looks, advice):
    with pytest.raises(InputError) as caught:
        formats.recognise(data, "file.bin")
    assert looks in str(caught.value) and advice in str(caught.value) and "\n" not in str(caught.value)


@given(st.binary(max_size=300))
def test_any_bytes_are_a_format_or_an_input_error(data):
    with contextlib.suppress(InputError):
        formats.recognise(data, "x")


def test_excels_unicode_text():
    assert formats.recognise("title\tabstract\nβ\tx\n".encode("utf-16"), "a.txt") == formats.TABLE
