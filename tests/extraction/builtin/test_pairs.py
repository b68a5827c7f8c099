"""The built-in extractor: what it finds, what it refuses, what it survives."""

import json
import time
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from abroad.core.errors import InputError
from abroad.core.io import read_documents, write_documents
from abroad.core.schema import Document
from abroad.extraction.builtin.manifest import write_manifest
from abroad.extraction.builtin.pairs import PairExtractor, load_pair_extractor
from abroad.extraction.builtin.reading import LONGEST_TEXT, read_text
from abroad.synthesis.selection.fidelity import fidelity
from abroad.text.abbreviations import definitions

TEXT = (
    "Three new diterpenes, gloeophyllins A-C (1-3), together with the known usnic acid (4), were isolated from the "
    "fungus Gloeophyllum abietinum. Compound 1 inhibited Staphylococcus aureus; vancomycin was the positive control."
)


@pytest.fixture(scope="module")
def extractor():
    return load_pair_extractor()


def pairs(extractor, text, title=""):
    (prediction,) = extractor.extract([Document("d", title, text)])
    assert prediction.error is None
    return {(relation.organism, relation.chemical) for relation in prediction.relations}


def test_members_of_a_list_are_found_and_controls_are_not(extractor):
    found = pairs(extractor, TEXT)
    assert {("Gloeophyllum abietinum", f"gloeophyllin {letter}") for letter in "ABC"} <= found
    assert ("Gloeophyllum abietinum", "usnic acid") in found
    assert not any("vancomycin" in chemical or "Staphylococcus" in organism for organism, chemical in found)


@pytest.mark.parametrize(
    ("text", "chemicals"),
    [
        (TEXT, [f"gloeophyllin {letter}" for letter in "ABC"]),
        (
            "α-, β-, γ- and δ-tocopherol were isolated from Glycine max.",
            [f"{letter}-tocopherol" for letter in "αβγδ"],
        ),
        ("Microcystins -LR, -RR and -YR were isolated from Microcystis aeruginosa.", None),
    ],
)
def test_members_of_a_list_stand_or_fall_together(extractor, text, chemicals):
    reading = read_text(text, 0)
    found = [pair for pair in extractor.scored(reading) if pair.chemical.best.labels > 1]
    best = found[0].organism.key
    scores = {pair.chemical.label: pair.score for pair in found if pair.organism.key == best}
    assert chemicals is None or set(chemicals) - scores.keys() <= {chemicals[-1]}  # the last one stands there whole too
    assert len(set(scores.values())) == 1 and len(scores) > 1


_NOT_YET = pytest.mark.xfail(reason="its negator does not yet decide", strict=True)


@pytest.mark.parametrize(
    ("text", "producers"),
    [
        ("Taxol was detected in Taxus baccata but never in Taxus torreya.", {"Taxus baccata"}),
        pytest.param("Neither Aspergillus sojae nor Aspergillus oryzae produces aflatoxin B1.", set(), marks=_NOT_YET),
        ("Lovastatin was absent from cultures of Aspergillus niger.", set()),
        ("No gliotoxin was found in Aspergillus flavus.", set()),
        ("Extracts of Cannabis sativa without cannabidiol were studied.", set()),
        ("Nicotiana tabacum produces nicotine, not only in its roots.", {"Nicotiana tabacum"}),
        (
            "Morphine was isolated from Papaver somniferum; codeine could not be found in Papaver rhoeas.",
            {"Papaver somniferum"},
        ),
        ("Quercetin, which is not toxic, was isolated from Allium cepa.", {"Allium cepa"}),
        pytest.param(
            "Hypericum perforatum produces hyperforin, but Hypericum maculatum lacks hyperforin.",
            {"Hypericum perforatum"},
            marks=_NOT_YET,
        ),
        pytest.param("Penicillium expansum is unable to synthesise ochratoxin A.", set(), marks=_NOT_YET),
        pytest.param(
            "Aspergillus niger doesn't produce lovastatin, whereas Aspergillus terreus does.",
            {"Aspergillus terreus"},
            marks=_NOT_YET,
        ),
    ],
)
def test_negations_that_were_not_at_hand_when_the_negators_were_written(extractor, text, producers):
    assert {organism for organism, _ in pairs(extractor, text)} == producers


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "Lavandin. Linalool was isolated from the oil of Lavandula ×intermedia.",  # also takes the plant's name
            {("Lavandula × intermedia", "Linalool")},
        ),
        (
            "Malaria. Plasmodium berghei-infested mice recovered after artemisinin isolated from Artemisia annua.",
            {("Artemisia annua", "artemisinin")},
        ),
        (
            "Malaria. Plasmodium falciparum-infected erythrocytes were cleared by cryptolepine isolated from "
            "Cryptolepis sanguinolenta.",
            {("Cryptolepis sanguinolenta", "cryptolepine")},
        ),
        (
            "Puccinia graminis-resistant wheat, Triticum aestivum, contains DIMBOA.",
            {("Triticum aestivum", "DIMBOA")},
        ),
    ],
)
@pytest.mark.xfail(reason="a plant's name as a compound, and organisms before a participle", strict=True)
def test_texts_that_are_not_read_rightly_yet(extractor, text, expected):
    assert pairs(extractor, text) == expected


def test_evidence_says_where_and_by_which_rule(extractor):
    document = Document("d", "Diterpenes.", TEXT)
    for relation in extractor.predict(document).relations:
        assert {evidence.role for evidence in relation.evidence} == {"organism", "chemical"}
        for evidence in relation.evidence:
            assert document.text[evidence.start : evidence.end] == evidence.text
        if "gloeophyllin" in relation.chemical:
            assert [e.rule for e in relation.evidence if e.role == "chemical"] == ["range"]


@pytest.mark.parametrize(
    "text",
    [
        "Curcumin protected rats from nephrotoxicity induced by cisplatin. Serum creatinine was measured.",
        pytest.param(
            "A new strain was related to Streptomyces calvus. The menaquinones were MK-9(H6) and MK-9(H8).",
            marks=pytest.mark.xfail(reason="the strain has no name, so its relative is taken", strict=True),
        ),
        "We compare plate readers.",
        "quercetin",
        "Allium cepa",
        ".",
    ],
)
def test_texts_without_a_relation_stay_empty(extractor, text):
    assert pairs(extractor, text) == set()


def test_a_higher_threshold_gives_a_part_of_what_a_lower_one_gives(extractor):
    documents = [Document("d", "", TEXT)]
    sizes = []
    for score in (0.0, 0.3, 0.9, 1.0):
        (prediction,) = load_pair_extractor(min_score=score).extract(documents)
        assert all(score <= relation.score <= 1 for relation in prediction.relations)
        sizes.append(len(prediction.relations))
    assert sizes == sorted(sizes, reverse=True) and sizes[-1] == 0


def test_precision_picks_the_measured_threshold(extractor):
    chosen = load_pair_extractor(precision=0.85)
    point = next(point for point in extractor.points if point.threshold == chosen.min_score)
    assert point.precision >= 85 and chosen.min_score > extractor.min_score


def test_a_precision_that_was_never_reached_is_refused(extractor, tmp_path):
    humble = [replace(point, precision=min(point.precision, 95.0)) for point in extractor.points]
    replace(extractor, points=humble).save(tmp_path)
    with pytest.raises(InputError, match=r"no threshold gave a precision of 1 .* the best was 0\.95"):
        load_pair_extractor(str(tmp_path), precision=1.0)


def test_the_same_text_gives_the_same_prediction_again(extractor):
    document = Document("d", "", TEXT)
    assert extractor.predict(document).to_dict() == load_pair_extractor().predict(document).to_dict()


def test_what_was_saved_is_what_is_loaded(extractor, tmp_path):
    extractor.save(tmp_path / "copy")
    copy = PairExtractor.load(tmp_path / "copy")
    assert copy.predict(Document("d", "", TEXT)).to_dict() == extractor.predict(Document("d", "", TEXT)).to_dict()


def test_a_folder_that_is_no_extractor_is_refused(tmp_path):
    with pytest.raises(InputError, match="abroad extractor train"):
        PairExtractor.load(tmp_path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": 2}, "expected an extractor of format"),  # of an earlier release
        ({"tagger": "0123456789abcdef"}, "made with another tagger"),
        ({"scorer": {"organism": "form binomial"}}, "made by another version"),
        ({"adapted": True}, r"mentions\.crf"),  # the tagger's file is missing
    ],
)
def test_an_extractor_that_does_not_fit_is_refused_in_a_line(extractor, tmp_path, change, message):
    extractor.save(tmp_path)
    path = tmp_path / "scorer.json"
    record = json.loads(path.read_text(encoding="utf-8"))
    if "scorer" in change:
        record["scorer"]["organism"]["names"].remove(change.pop("scorer")["organism"])
    path.write_text(json.dumps(record | change), encoding="utf-8")
    write_manifest(tmp_path, [path.name])  # it is what its maker wrote, and not a damaged file
    with pytest.raises(InputError, match=message):
        PairExtractor.load(tmp_path)


BAD = {
    "empty": "",
    "control characters": "\x00\x01\u202e Quercetin\x00 was isolated from Allium cepa.\x7f" * 200,
    "right to left": "تم عزل الكيرسيتين من Allium cepa " * 1000,
    "no spaces": "从Allium cepa分离得到槲皮素" * 1000,
    "half a character": "\ud800 quercetin from Allium cepa",
    "html": "<script>alert(1)</script><b>Quercetin</b> from <i>Allium cepa</i> &amp; &lt;" * 200,
    "nested brackets": "((([[[" * 10_000,
    "one word": "a" * 100_000,
    "locants": "3', 4', " * 12_000 + "5-tetrahydroxyflavone",
    "digits": "1,2,3,4,5-" * 10_000,
    "hyphens": "-" * 100_000,
    "a catalogue": ", ".join(f"{n}-hydroxyflavone ({n})" for n in range(3_000)) + " were isolated from Allium cepa.",
    "a chorus": "Allium cepa and Penicillium notatum produce penicillin G. " * 1_700,
}


@pytest.mark.parametrize("name", BAD)
def test_bad_text_costs_no_exception_and_no_patience(extractor, name):
    start = time.monotonic()
    (prediction,) = extractor.extract([Document("d", "", BAD[name][: LONGEST_TEXT - 1])])  # and a space before
    assert prediction.error is None or "words and signs; expected at most 40,000" in prediction.error
    assert time.monotonic() - start < 60  # a bound against explosions, not a measurement


ONE = "Usnic acid was isolated from Usnea barbata. "


def long_document(length, id="long"):
    """A document of so many characters and no title, that names a relation at its end."""
    end = ". Berberine was isolated from Coptis chinensis."
    text = (ONE * (length // len(ONE)))[: length - len(end)] + end
    return Document(id, "", text, relations=[])


def test_a_text_is_read_to_its_end_or_set_aside_with_a_word(extractor):
    whole, beyond, short = replace(extractor, min_score=0.0).extract(
        [long_document(LONGEST_TEXT), long_document(LONGEST_TEXT + 1), Document("s", "", ONE)]
    )
    assert {(r.organism, r.chemical) for r in whole.relations} >= {("Coptis chinensis", "Berberine")}
    assert beyond.relations == [] and "100,001 characters; expected at most 100,000" in beyond.error
    assert short.relations and short.error is None


@pytest.mark.parametrize("sign", ["(", "1,2-", "3-, ", "a\u0301\u0301"])
def test_signs_without_end_are_refused_before_the_model_reads_them(extractor, monkeypatch, sign):
    monkeypatch.setattr(type(extractor.tagger), "tag", lambda *_: pytest.fail("was read"))
    (prediction,) = extractor.extract([Document("d", "", sign * (99_000 // len(sign)))])
    assert "words and signs; expected at most 40,000" in prediction.error


@pytest.mark.parametrize("count", [LONGEST_TEXT, LONGEST_TEXT + 1])
def test_the_number_of_characters_is_that_of_the_text_and_not_of_the_space_before(extractor, count):
    """A document without a title has one; the text itself is what people count."""
    text = (ONE * (count // len(ONE) + 1))[: count - 1] + "."
    (prediction,) = extractor.extract([Document("d", "", text)])
    assert prediction.error is None if count == LONGEST_TEXT else "100,001 characters" in prediction.error


def test_abbreviations_are_found_wherever_they_stand():
    assert definitions("x " * 100_000 + "saxitoxin (STX)") == {"STX": "saxitoxin"}


def test_what_is_too_long_is_no_end_of_any_other_use(cli, tmp_path):
    """Training, DocBin and the judges of synthetic texts set it aside too."""
    documents = [*read_documents("data/synthetic/abstracts.jsonl")[:12], long_document(LONGEST_TEXT + 1)]
    write_documents(tmp_path / "d.jsonl", documents)
    for command in (["documents", "docbin"], ["extractor", "train", "--cv", 2]):
        result = cli(*command, tmp_path / "d.jsonl", "--out", tmp_path / command[0])
        assert result.exit_code == 0, result.output
        assert "long: the text has 100,001 characters" in result.stderr
    assert fidelity(long_document(LONGEST_TEXT + 1)).score == 0


def test_five_thousand_congeners_are_capped_and_counted(extractor):
    (prediction,) = extractor.extract([Document("d", "", "Xanthones A1-A5000 were isolated from Garcinia mangostana.")])
    assert len(prediction.relations) <= 200 and prediction.extra["capped"] == 4800


FRAGMENTS = (
    "alkaloids A",
    "B,",
    "and",
    "C-Z",
    "from Penicillium notatum",
    "(1-3)",
    "1-",
    "methyl",
    "3-",
    "α",
    "[",
    "—",
)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.one_of(st.sampled_from(FRAGMENTS), st.text(max_size=8)), max_size=40).map(" ".join))
def test_any_text_gives_relations_that_stand_in_it(extractor, text):
    document = Document("d", "", text)
    for relation in extractor.predict(document).relations:
        assert all(document.text[e.start : e.end] == e.text for e in relation.evidence)


def test_one_failing_document_does_not_end_the_batch(extractor, monkeypatch):
    original = PairExtractor.predict

    def predict(self, document):
        if document.id == "bad":
            raise ValueError("broken")
        return original(self, document)

    monkeypatch.setattr(PairExtractor, "predict", predict)
    predictions = list(extractor.extract([Document("bad", "", "x"), Document("good", "", TEXT)]))
    assert predictions[0].error == "ValueError: broken" and predictions[1].relations


def test_a_text_that_names_too_many_says_how_many_were_left_out(extractor, monkeypatch, cli, tmp_path):
    monkeypatch.setattr("abroad.extraction.builtin.candidates._MAX_ORGANISMS", 1)
    text = "Usnic acid was isolated from Usnea barbata and from Parmelia saxatilis."
    (prediction,) = extractor.extract([Document("d", "", text)])
    assert prediction.extra["names_left_out"] == 1
    (tmp_path / "a.txt").write_text(text)
    result = cli("extract", tmp_path / "a.txt", "--out", tmp_path / "p.jsonl")
    assert "1 names were not looked at, in 1 documents that name too many" in result.stderr
