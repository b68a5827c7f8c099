"""Lists and ranges of names: learnt and given as their members where the field says so, and nowhere else."""

import json

import pytest

import abroad
from abroad.core.field import load_field
from abroad.core.io import write_documents
from abroad.core.schema import Document, Entity, Triple
from abroad.extraction.joint.extractor import MODEL
from abroad.extraction.joint.fit import train_joint
from abroad.extraction.joint.from_documents import annotated, schema_of
from abroad.extraction.joint.ranges import with_members
from abroad.extraction.joint.settings import JointTrainSettings
from abroad.extraction.joint.texts import Annotated, Mention, Text

FIELD = """
name: gut
title: The gut
entities:
  microbe: {singular: microbe, plural: microbes}
  metabolite: {singular: metabolite, plural: metabolites, ranges: true}
relations:
  produces: {head: microbe, tail: metabolite, template: "{head} produces {tail}"}
"""
STEMS = ("ovatamide", "coccoidin", "fragilin", "biformene", "colimycin", "prausnin")
MICROBES = ("Bacteroides ovatus", "Prevotella copri", "Roseburia faecis", "Blautia obeum")
LISTS = (("{}s A-C", "ABC"), ("{}s A and B", "AB"), ("{}s B-D", "BCD"))


def culture(id, abstract, entities, relations=()):
    return Document(id=id, title="A culture.", abstract=abstract, entities=entities, relations=list(relations))


def cultures(count, spans=False):
    """Documents in which a microbe produces a list of metabolites, and another microbe does not."""
    for number in range(count):
        stem, maker = STEMS[number % len(STEMS)], MICROBES[number % len(MICROBES)]
        other, (form, letters) = MICROBES[(number + 1) % len(MICROBES)], LISTS[number % len(LISTS)]
        written = form.format(stem.capitalize())
        abstract = f"{written} were produced by {maker} in pure culture. In contrast, {other} lacked products."
        start = len("A culture. ")
        place = {"spans": [[start, start + len(written)]]} if spans else {}
        members = [Entity(f"m{n}", f"{stem} {x}", dict(place), type="metabolite") for n, x in enumerate(letters)]
        microbes = [Entity("e1", maker, type="microbe"), Entity("e2", other, type="microbe")]
        related = [Triple(head="e1", tail=one.id, type="produces") for one in members]
        yield culture(str(number), abstract, [*microbes, *members], related)


@pytest.fixture(scope="module")
def field(tmp_path_factory):
    path = tmp_path_factory.mktemp("ranges") / "gut.yaml"
    path.write_text(FIELD)
    return path


def trained(schema, documents, folder):
    texts = [annotated(each, schema.ranges) for each in documents]
    train_joint(schema, texts, JointTrainSettings(folds=2))[0].save(folder)
    return abroad.load_extractor(folder, min_score=0)


@pytest.mark.parametrize("spans", [False, True], ids=["labels", "spans"])
@pytest.mark.parametrize(("form", "letters", "rule"), [("{}s A-D", "ABCD", "range"), ("{}s A and B", "AB", "list")])
def test_members_of_a_list_are_found_with_the_whole_stretch_as_evidence(field, tmp_path, spans, form, letters, rule):
    extractor = trained(schema_of(load_field(field)), list(cultures(12, spans)), tmp_path)
    written = form.format("Novelamide")
    text = f"{written} were produced by Roseburia faecis in pure culture."
    [prediction] = extractor.extract([Document.from_text("A culture.", text)])
    found = {relation.tail: relation for relation in prediction.relations}
    assert set(found) == {f"Novelamide {letter}" for letter in letters}
    for relation in found.values():
        [tail] = [e for e in relation.evidence if e.role == "tail"]
        whole = f"A culture. {text}"
        assert (whole[tail.start : tail.end], tail.text, tail.rule) == (written, written, rule)
        assert [e.rule for e in relation.evidence if e.role == "head"] == ["verbatim"]
    assert len({relation.score for relation in found.values()}) == 1  # what holds of the list holds of each


def test_the_command_reads_the_texts_that_it_was_trained_on(field, cli, tmp_path):
    documents = list(cultures(12))
    write_documents(tmp_path / "gold.jsonl", documents)
    result = cli("extractor", "train", tmp_path / "gold.jsonl", "--field", field, "--out", tmp_path / "m", "--cv", "2")
    assert result.exit_code == 0, result.output
    right = gold = 0
    for own, prediction in zip(documents, abroad.load_extractor(tmp_path / "m").extract(documents), strict=True):
        true = {(head.label, tail.label) for head, tail in own.related_entities()}
        right += len(true & {(r.head, r.tail.lower()[:-1] + r.tail[-1]) for r in prediction.relations})
        gold += len(true)
    assert right / gold > 0.8


def test_gold_names_that_only_a_list_holds_are_aligned_with_its_stretch():
    document = next(cultures(1))
    read = annotated(document, ("metabolite",))
    members = [m for m in read.mentions if m.type == "metabolite"]
    assert [(m.name, m.identifiers, document.text[m.start : m.end]) for m in members] == [
        (f"Ovatamide {letter}", (f"m{n}",), "Ovatamides A-C") for n, letter in enumerate("ABC")
    ]
    assert not [m for m in annotated(document).mentions if m.type == "metabolite"]


def test_a_label_that_is_a_list_itself_is_each_of_its_members():
    own = Entity("m", "ovatamides A and B", type="metabolite")
    document = culture("1", "Ovatamides A and B were found.", [own])
    found = annotated(document, ("metabolite",)).mentions
    assert [(m.name, m.identifiers) for m in found] == [("Ovatamide A", ("m",)), ("Ovatamide B", ("m",))]


@pytest.mark.parametrize(
    ("written", "tagged", "names"),
    [
        ("urolithins A-C", "urolithins A-C", ["urolithin A", "urolithin B", "urolithin C"]),
        ("urolithins A-C", "urolithins A", ["urolithin A", "urolithin B", "urolithin C"]),
        ("<i>urolithins</i> A and B", "<i>urolithins</i> A and B", ["urolithin A", "urolithin B"]),
        ("3- and 4-hydroxymellein", "4-hydroxymellein", ["3-hydroxymellein", "4-hydroxymellein"]),
        ("urolithin A", "urolithin A", [""]),
    ],
)
def test_a_list_that_is_tagged_whole_or_at_one_end_is_its_members(written, tagged, names):
    given = f"Growth of the strain gave {written} in the end."
    start = given.index(tagged)
    text, mention = Text("1", given, 0), Mention(start, start + len(tagged), "metabolite")
    found = with_members(text, [mention], ("metabolite",))
    assert [m.name for m in found] == names
    assert {given[m.start : m.end] for m in found} == {written.removeprefix("<i>")}
    assert with_members(text, [mention], ()) == with_members(text, [mention], ("microbe",)) == [mention]


def test_types_without_the_key_are_learnt_and_saved_as_before(field, tmp_path):
    plain = field.with_name("plain.yaml")
    plain.write_text(FIELD.replace(", ranges: true", ""))
    schema = schema_of(load_field(plain))
    assert schema.ranges == ()
    spanned = list(cultures(12, spans=True))
    extractor = trained(schema, spanned, tmp_path)
    assert "ranges" not in json.loads((tmp_path / MODEL).read_text())["schema"]
    read = Annotated(annotated(spanned[0]).text, annotated(spanned[0], schema.ranges).mentions)
    assert {mention.rule for mention in read.mentions} == {"verbatim"} and {m.name for m in read.mentions} == {""}
    text = "Novelamides A-D were produced by Roseburia faecis in pure culture."
    [prediction] = extractor.extract([Document.from_text("A culture.", text)])
    assert {relation.tail for relation in prediction.relations} == {"Novelamides A-D"}
