"""Retractions as publishers and libraries mark them, in each reader."""

import pytest

from abroad.core.context import Context
from abroad.documents.inputs import read_documents
from abroad.text.retractions import is_retracted, says_retracted

MARKED = ["RETRACTED: Usnic acid", "WITHDRAWN: Usnic acid", "[Retracted] Usnic acid", "Retracted Article: Usnic acid"]
PLAIN = ["Usnic acid", "Withdrawn lichens gave usnic acid", "Retracted leaves of Usnea: usnic acid", "A retracted: one"]
TEXT = "Usnic acid was isolated from Usnea barbata."
FILES = {
    "a.nbib": "PMID- 7\nTI  - {title}\nAB  - {text}\n",
    "a.ris": "TY  - JOUR\nTI  - {title}\nAB  - {text}\nER  - \n",
    "a.txt": "1. J Nat. 2020 Jan 1;5(2):3. doi: 10.1000/x.\n\n{title}.\n\nSmith J(1), Roe B(1).\n\n{text}\n\n"
    "DOI: 10.1000/x\nPMID: 7\n",
    "a.xml": "<PubmedArticleSet><PubmedArticle><MedlineCitation><PMID>7</PMID><Article><ArticleTitle>{title}"
    "</ArticleTitle><Abstract><AbstractText>{text}</AbstractText></Abstract></Article></MedlineCitation>"
    "</PubmedArticle></PubmedArticleSet>",
    "b.xml": "<article><front><article-meta><title-group><article-title>{title}</article-title></title-group>"
    "<abstract><p>{text}</p></abstract></article-meta></front></article>",
}


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("title", [*MARKED, *PLAIN])
def test_every_reader_marks_a_title_that_says_so(tmp_path, name, title):
    (tmp_path / name).write_text(FILES[name].format(title=title, text=TEXT))
    (document,) = read_documents(tmp_path / name, Context())
    assert document.title.startswith(title) and bool(document.extra.get("retracted")) == (title in MARKED)


@pytest.mark.parametrize("title", MARKED)
def test_a_title_that_says_so(title):
    assert says_retracted(title) and is_retracted(title=title)


@pytest.mark.parametrize("title", PLAIN)
def test_a_title_that_only_has_the_word(title):
    assert not says_retracted(title)


def test_types_and_notes_say_so_too():
    assert is_retracted(types=["Journal Article", "Retracted  publication"])
    assert is_retracted(notes=["RetractionIn"]) and is_retracted(notes=["Retraction in"])
    assert not is_retracted(types=["Retraction of Publication"], notes=["Erratum in", "RetractionOf"])


@pytest.mark.parametrize(
    ("title", "says"),
    [
        ("RETRACTED CHAPTER: Usnic acid", True),
        ("[Retracted Manuscript] Usnic acid", True),
        ("(Withdrawn) Usnic acid", True),
        ("<RETRACTED> Usnic acid", True),
        ("WITHDRAWN DRUGS: USNIC ACID", False),
        ("Withdrawn drugs: usnic acid", False),
        ("Retracted publications: a survey of usnic acid", False),
        ("(Withdrawn by farmers) Usnea barbata", False),
    ],
)
def test_a_mark_is_told_by_its_form_whatever_was_retracted(title, says):
    assert says_retracted(title) == says
