"""A long document falls into parts, and what is found in them is of the document again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abroad.core.schema import Document, Prediction, Relation
from abroad.documents.parts import LONGEST_PART, LONGEST_WHOLE, merged, parts
from abroad.text.evidence import with_evidence

TITLE = "Metabolites of Xylaria feejeensis."
PARAGRAPH = "The culture was extracted and the extract was dried. " * 20


def paper(*sections: tuple[str, str], title: str = TITLE, **extra) -> Document:
    """A document whose text is the sections, one after the other."""
    body, spans = "", []
    for heading, text in sections:
        start = len(title) + 1 + len(body)
        body += f"{heading}: {text}\n"
        spans.append({"title": heading, "start": start, "end": start + len(heading) + 2 + len(text)})
    return Document("p", title, body, pmid="1", doi="10.1/x", extra={"sections": spans, **extra})


def found_in(document: Document, organism: str, chemical: str, score: float | None = 0.5) -> Prediction:
    return Prediction(document.id, [with_evidence(document, organism, chemical, score)])


LONG = paper(
    ("Abstract", "Mellein was isolated from Xylaria feejeensis. " + PARAGRAPH),
    ("Results", "Mellein and orsellinic acid came from X. feejeensis. " + PARAGRAPH + PARAGRAPH),
    ("Methods", "The strain grew for days. " + PARAGRAPH),
)


def test_a_title_with_an_abstract_is_read_as_it_is():
    for document in (Document("a", TITLE, "Mellein."), Document("b", "", PARAGRAPH * 4), paper(("Abstract", "Short."))):
        assert parts(document) == [document]
        prediction = found_in(document, "Xylaria feejeensis", "mellein")
        assert merged(document, [prediction]) is prediction


def test_each_section_is_a_document_with_the_title_of_the_paper():
    found = parts(LONG)
    assert [part.abstract.partition(":")[0] for part in found] == ["Abstract", "Results", "Methods"]
    assert {part.title for part in found} == {TITLE} and {part.pmid for part in found} == {"1"}
    assert [part.id for part in found] == ["p#1", "p#2", "p#3"]


def test_images_go_with_the_first_part_and_sections_with_none():
    found = parts(paper(("A", PARAGRAPH * 2), ("B", PARAGRAPH * 2), images=["f.png"], year=2020))
    assert [part.extra for part in found] == [{"images": ["f.png"], "year": 2020}, {"year": 2020}]


def test_a_long_section_is_cut_between_paragraphs_and_a_long_paragraph_between_sentences():
    by_paragraph = parts(paper(("Results", "\n".join([PARAGRAPH.strip()] * 5))))
    assert len(by_paragraph) == 3 and all(part.abstract.endswith("dried.\n") for part in by_paragraph)
    by_sentence = parts(paper(("Results", PARAGRAPH * 5)))
    assert all(part.abstract.rstrip().endswith("dried.") for part in by_sentence) and len(by_sentence) == 2


def test_a_long_text_without_sections_is_cut_too():
    text = (PARAGRAPH + "\n") * 12
    assert len(text) > LONGEST_WHOLE
    found = parts(Document("x", "", text))
    assert "".join(part.abstract for part in found) == text and len(found) > 3


def test_offsets_count_in_the_whole_text_and_the_evidence_of_all_parts_is_kept():
    predictions = [found_in(parts(LONG)[0], "Xylaria feejeensis", "Mellein", 0.6)]
    predictions += [found_in(parts(LONG)[1], "Xylaria feejeensis", "mellein", 0.9)]
    prediction = merged(LONG, predictions[::-1])
    (relation,) = prediction.relations
    assert (prediction.id, relation.chemical, relation.score) == ("p", "mellein", 0.9)
    assert all(LONG.text[e.start : e.end] == e.text for e in relation.evidence)
    chemicals = [e.start for e in relation.evidence if e.role == "chemical"]
    assert len(chemicals) == 2 and chemicals == sorted(chemicals)
    title_mentions = [e for e in relation.evidence if e.end <= len(TITLE)]
    assert [e.text for e in title_mentions] == ["Xylaria feejeensis"]  # once, though both parts have the title


def test_relations_stand_in_the_order_of_the_text():
    late = found_in(parts(LONG)[1], "Xylaria feejeensis", "orsellinic acid")
    early = found_in(parts(LONG)[0], "Xylaria feejeensis", "mellein", None)
    assert [r.chemical for r in merged(LONG, [late, early]).relations] == ["mellein", "orsellinic acid"]


def test_a_genus_that_only_another_part_spells_out_is_spelt_out():
    prediction = merged(LONG, [Prediction("p#2", [Relation("X. feejeensis", "orsellinic acid", 0.7)])])
    assert prediction.relations[0].organism == "Xylaria feejeensis"
    two = paper(("A", "Xylaria alba and Xanthium alba. " + PARAGRAPH * 2), ("B", PARAGRAPH * 2))
    assert merged(two, [Prediction("p#2", [Relation("X. alba", "y")])]).relations[0].organism == "X. alba"


def test_a_part_that_fails_costs_its_own_relations_only():
    good = found_in(parts(LONG)[0], "Xylaria feejeensis", "mellein")
    bad = Prediction("p#2", error="ValueError: no")
    prediction = merged(LONG, [good, bad])
    assert prediction.error is None and len(prediction.relations) == 1
    assert prediction.extra["parts_failed"] == {"p#2": "ValueError: no"}
    assert merged(LONG, [bad]).error == "ValueError: no"


def test_counts_are_summed_and_marks_hold_for_all():
    extras = [{"malformed": 1, "cut_off": False, "text": "a"}, {"malformed": 2, "cut_off": True, "text": "b"}]
    given = [Prediction(f"p#{n}", extra=extra) for n, extra in enumerate(extras, 1)]
    expected = {"malformed": 3, "cut_off": True, "text": "a", "parts": 3}
    assert merged(LONG, given).extra == expected


def test_a_prediction_of_another_document_is_refused():
    with pytest.raises(ValueError, match="no part of the document"):
        merged(LONG, [Prediction("q#1")])
    with pytest.raises(ValueError, match="expected one prediction"):
        merged(Document("a", TITLE, ""), [Prediction("b")])


@given(
    st.lists(st.text(alphabet="ab .\n\r\x85é😀", max_size=4_000), max_size=5),
    st.lists(st.one_of(st.integers(-5, 30_000), st.none(), st.text(max_size=2)), max_size=6),
    st.text(alphabet="ab.", max_size=20),
)
def test_nothing_is_lost_and_no_part_is_long(texts, starts, title):
    document = Document("d", title, "".join(texts), extra={"sections": [{"start": start} for start in starts]})
    found = parts(document)
    if found == [document]:
        return
    assert all(len(part.abstract) <= LONGEST_PART for part in found)
    kept = "".join("".join(part.abstract for part in found).split())
    assert kept == "".join(document.abstract.split())
    assert len({part.id for part in found}) == len(found) and found == parts(document)
    predictions = [found_in(part, "a", "b") for part in found]
    for relation in merged(document, predictions).relations:
        assert all(document.text[e.start : e.end] == e.text for e in relation.evidence)


def test_relations_of_other_fields_are_joined_by_their_type_as_well():
    types = {"head_type": "gene", "tail_type": "gene"}
    binds, inhibits = (Relation("H. six", "MODY1", type=type, **types) for type in ("binds", "inhibits"))
    ids = [part.id for part in parts(LONG)][:2]
    found = merged(LONG, [Prediction(ids[0], [binds, inhibits]), Prediction(ids[1], [binds])])
    assert [(r.head, r.type) for r in found.relations] == [("H. six", "binds"), ("H. six", "inhibits")]
