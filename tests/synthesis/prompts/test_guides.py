"""Principles and topics: in the prompts, balanced, and never in what is trained on."""

from collections import Counter

import pytest

from abroad.core.context import Context
from abroad.core.errors import InputError
from abroad.core.io import read_records, write_jsonl
from abroad.core.schema import Document, Entity
from abroad.documents.superclasses import with_superclasses
from abroad.synthesis.generation.generate import after_last
from abroad.synthesis.prompts.classes import class_of
from abroad.synthesis.prompts.guides import TopicDraw, load_guide
from abroad.synthesis.prompts.instruct import InstructSettings, instruct
from abroad.synthesis.selection.quality import LEAK
from abroad.synthesis.selection.select import select

LOTUS = (
    "structure_wikidata,structure_taxonomy_npclassifier_02superclass,organism_wikidata,organism_taxonomy_02kingdom\n"
    "http://www.wikidata.org/entity/Q1,Flavonoids,http://www.wikidata.org/entity/Q2,Plantae\n"
    "http://www.wikidata.org/entity/Q3,NA,http://www.wikidata.org/entity/Q2,Plantae\n"
)


def test_the_guide_has_sixteen_principles_and_five_exemplars_that_name_principles():
    guide = load_guide()
    assert len(guide.principles) == 16 and len(guide.exemplars) == 5
    assert all("(" in exemplar.check for exemplar in guide.exemplars)


@pytest.mark.parametrize("style", ["completion", "standard", "vicuna"])
def test_principles_stand_in_the_prompt_and_the_answer_comes_after_the_check(documents, style):
    record = next(iter(instruct(documents, InstructSettings(style=style, principles="default"))))
    assert "16. End well" in record["prompt"] and record["prompt"].count("Check:") == 6
    assert record["prompt"].rindex("Main findings:") > record["prompt"].rindex("Nigrolophus")
    if style != "completion":
        assert record["answer_after"] == "Abstract:" and "Abstract:" not in record["stop"]


def test_what_was_thought_before_the_abstract_goes():
    assert after_last(" All is copied (3).\nAbstract: Rutin was isolated.", "Abstract:") == " Rutin was isolated."
    assert after_last("No abstract came.", "Abstract:") == "" and after_last("Text", "") == "Text"


def test_every_topic_is_drawn_as_often_as_every_other():
    guide = load_guide()
    draw, document = TopicDraw(guide, seed=1), Document("1", "T", "A", extra={"kingdom": "Bacteria"})
    topics = guide.topics["Bacteria"]
    count = len(topics.aims) * len(topics.techniques)
    assert set(Counter(draw.next(document) for _ in range(3 * count)).values()) == {3}
    assert draw.next(Document("2", "T", "A")).aim in guide.topics["other"].aims


def test_topics_join_the_keywords(documents):
    record = next(iter(instruct(documents, InstructSettings(topics=True))))
    assert ", ".join(record["topic"]) in record["prompt"] and record["topic"][1] in record["lead"]


def test_training_data_hold_no_principle_and_a_leaked_name_is_refused(documents):
    (first, second, *_) = instruct(documents, InstructSettings(principles="default", prompts_per_document=2))
    text = " It is noted that the extracts were separated by chromatography, and all structures were established."
    good = Document.from_dict({**first, "AbstractText": first["lead"] + text})
    bad = Document.from_dict({**second, "AbstractText": second["lead"] + text + " Velutaxanthone A was there too."})
    selection = select([good, bad])
    assert [document.id for document in selection.kept] == [good.id]
    assert not {"prompt", "avoid", "answer_after"} & set(selection.kept[0].extra)
    assert LEAK in selection.rejected[0]["reasons"]


def test_a_guide_of_ones_own_and_broken_ones(tmp_path, cli, documents):
    path = tmp_path / "g.yaml"
    path.write_text("principles: [Be brief.]\n")
    assert load_guide(path).numbered() == "1. Be brief."
    path.write_text("principles: []\n")
    with pytest.raises(InputError, match="principles"):
        load_guide(path)
    docs = tmp_path / "d.jsonl"
    write_jsonl(docs, (document.to_dict() for document in documents))
    result = cli("synth", "instruct", docs, "--out", tmp_path / "p.jsonl", "--principles", tmp_path / "none.yaml")
    assert result.exit_code == 2 and "none.yaml" in result.stderr
    assert cli("synth", "instruct", docs, "--out", tmp_path / "p.jsonl", "--principles", "default").exit_code == 0


def test_superclasses_and_kingdoms_come_from_lotus(tmp_path):
    table = tmp_path / "lotus.csv"
    table.write_text(LOTUS)
    chemicals = [Entity("Q1", "x"), Entity("Q3", "y")]
    document = Document("1", "T", "A").with_products([Entity("Q2", "o")], chemicals, [("Q2", "Q1")])
    (found,) = with_superclasses([document], table, Context())
    assert class_of(found.chemicals[0]) == "flavonoids" and class_of(found.chemicals[1]) is None
    assert found.extra["kingdom"] == "Plantae"


def test_classes_and_topics_from_the_command_line(cli, documents, tmp_path):
    docs, table, out = tmp_path / "d.jsonl", tmp_path / "lotus.csv", tmp_path / "p.jsonl"
    write_jsonl(docs, (document.to_dict() for document in documents))
    command = ("synth", "instruct", docs, "--out", out, "--topics", "--classes", table)
    table.write_text("structure_wikidata\nQ1\n")
    result = cli(*command)
    assert result.exit_code == 2 and "npclassifier_02superclass" in result.stderr
    table.write_text(LOTUS)
    assert cli(*command).exit_code == 0 and next(read_records(out))[2]["topic"]
