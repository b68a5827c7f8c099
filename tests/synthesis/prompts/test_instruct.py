"""Keywords, findings and prompts: varied, true to their labels, and the same for the same seed."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abroad.core.context import Context
from abroad.core.errors import InputError
from abroad.core.field import Field, built_in_field
from abroad.core.schema import Document, Entity
from abroad.synthesis.prompts.classes import class_of
from abroad.synthesis.prompts.findings import FindingsSettings, express_findings
from abroad.synthesis.prompts.guides import load_guide
from abroad.synthesis.prompts.instruct import InstructSettings, instruct
from abroad.synthesis.prompts.keywords import extract_keywords
from abroad.synthesis.prompts.styles import PROMPT_STYLES, Brief, make_prompt
from abroad.synthesis.selection.select import coverage
from tests.synthesis.prompts.members import MEMBERS

FLAVONES = ["quercetin", "kaempferol", "apigenin"]
NEVER = FindingsSettings(classes=0, contraction=0, numbering=0)


def seed_document(chemicals=("alpin A", "alpin B", "alpin C", *FLAVONES), organisms=("Ruta ficta",), id="7"):
    return Document(
        id,
        "Alkaloids and flavonols from the roots of a shrub.",
        "The roots of Ruta ficta gave alpins A-C. Moderate antifungal activity against Candida albicans was seen "
        "in a dilution assay. The antifungal activity of quercetin was weak, and membrane damage explained it.",
    ).with_products(
        [Entity(name, name) for name in organisms],
        [Entity(name, name) for name in chemicals],
        [(organism, chemical) for organism in organisms for chemical in chemicals],
    )


def saying(number):
    """Natural products, said in one way."""
    values = built_in_field().model_dump(mode="json")
    ways = values["relations"]["produces"]["verbalisations"]
    values["relations"]["produces"]["verbalisations"] = [{**ways[number], "probability": 1}]
    return Field.model_validate(values)


PRODUCES, ISOLATED = saying(0), saying(1)


def findings(document, settings=None, seed=0, of=ISOLATED):
    return express_findings(document, Random(seed), settings, of)


def test_keywords_give_away_no_name_of_the_documents_own():
    (keywords,) = extract_keywords([seed_document()])
    assert any("antifungal" in keyword for keyword in keywords)
    words = set(" ".join(keywords).split())
    assert not words & {"ruta", "ficta", "alpins", "alpin", "quercetin"}


def test_keywords_of_documents_without_words_are_empty():
    assert extract_keywords([Document("1", "", "A (1).")]) == [[]]
    assert extract_keywords([]) == []


def test_plain_findings():
    assert findings(seed_document(["quercetin"]), NEVER).text == "quercetin was isolated from Ruta ficta."
    two = findings(seed_document(["quercetin"], ["Ruta ficta", "Salix nova"]), NEVER).text
    assert two in (
        "quercetin was isolated from Ruta ficta and Salix nova.",
        "quercetin was isolated from Salix nova and Ruta ficta.",
    )


def test_congeners_are_contracted_and_numbered():
    always = FindingsSettings(classes=0, contraction=1, numbering=1)
    document = seed_document(["alpin A", "alpin B", "alpin C"])
    result = findings(document, always, of=PRODUCES)
    assert result.text == "Ruta ficta produces alpins A-C (1-3)."
    assert {(t.head, t.tail) for t in result.relations} == set(document.pairs)
    assert result.surfaces["alpin B"] == "alpins A-C"


def test_chemicals_of_a_class_become_the_class_and_the_labels_change_with_them():
    always = FindingsSettings(classes=1, contraction=0, numbering=0)
    result = findings(seed_document(), always)
    assert "hree flavonoids" in result.text
    assert "quercetin" not in result.text
    labels = {entity.id: entity.label for entity in result.tails}
    assert sorted(labels[triple.tail] for triple in result.relations) == [
        "alpin A",
        "alpin B",
        "alpin C",
        "flavonoids",
    ]


def test_the_shares_of_the_patterns_are_those_asked_for():
    document = seed_document(FLAVONES)
    texts = [findings(document, seed=seed, of=None).text for seed in range(1000)]
    assert 0.06 < sum("produces" in text for text in texts) / 1000 < 0.14
    assert 0.15 < sum("three flavonoids" in text.lower() for text in texts) / 1000 < 0.25
    assert len(set(texts)) > 12


@given(st.integers(0, 10**6), st.integers(1, 3), st.integers(1, 6))
def test_findings_alone_state_every_relation_they_claim(seed, organisms, chemicals):
    names = ["Ruta ficta", "Salix nova", "Usnea testalis"][:organisms]
    document = seed_document([*FLAVONES, "alpin A", "alpin B", "alpin C"][:chemicals], names)
    result = findings(document, seed=seed, of=None)
    written = Document("1", "", result.text, extra={"surfaces": result.surfaces})
    written = written.with_products(result.heads, result.tails, [(t.head, t.tail) for t in result.relations])
    assert coverage(written) == (1.0, [])


@pytest.mark.parametrize(
    ("label", "extra", "expected"),
    [
        ("quercetin", {}, "flavonoids"),
        ("alpin A", {}, None),
        ("alpin A", {"class": "Depsipeptide"}, "depsipeptides"),
        ("flavonoids", {"type": "class"}, None),
        ("cholesta-5-ene-3beta-ol", {}, "steroids"),
    ],
)
def test_classes_come_from_the_record_or_the_name(label, extra, expected):
    assert class_of(Entity("1", label, extra)) == expected


@pytest.mark.parametrize("style", PROMPT_STYLES.own)
def test_every_style_gives_the_model_title_keywords_and_findings(style):
    prompt = make_prompt(style, Brief("The title.", ["one", "two"], "Two flavonoids were isolated."), Random(0))
    whole = prompt.text + " " + prompt.lead
    assert all(part.lower() in whole.lower() for part in ("The title.", "one, two", "two flavonoids were isolated."))
    assert make_prompt(style, Brief("T", ["k"], "F."), Random(1)).text.endswith(MEMBERS[style][0])


@pytest.mark.parametrize("style", PROMPT_STYLES.own)
def test_every_style_shows_principles_and_says_where_the_abstract_begins(style):
    prompt = make_prompt(style, Brief("T", ["k"], "F.", guide=load_guide(None)), Random(0))
    assert "Principles:" in prompt.text and prompt.text.endswith(MEMBERS[style][1])
    assert bool(prompt.answer_after) == (not prompt.lead)  # the model checks itself, or the abstract is begun for it
    assert not any(stop in prompt.lead for stop in prompt.stop)


def test_vicuna_prompts_are_turns_of_its_conversation():
    text = make_prompt("vicuna", Brief("T", ["k"], "F."), Random(0)).text
    assert text.startswith("A chat between a curious user")
    assert " USER: " in text and text.endswith("ASSISTANT:")


def test_an_unknown_style_is_refused():
    with pytest.raises(InputError, match="expected one of: completion, standard, vicuna"):
        make_prompt("chatty", Brief("T", [], "F."), Random(0))


def test_prompts_are_reproducible_and_differ_from_one_another():
    settings = InstructSettings(prompts_per_document=5, seed=3)
    documents = [seed_document(), seed_document(id="8"), Document("9", "No relation.", "None at all.")]
    records = list(instruct(documents, settings))
    assert records == list(instruct(documents, settings))
    assert [record["id"] for record in records] == [f"{id}-{n}" for id in "78" for n in range(1, 6)]
    assert len({(record["lead"], tuple(record["keywords"])) for record in records}) == 10
    assert all(0 <= record["temperature"] <= 1 for record in records)
    assert records != list(instruct(documents, InstructSettings(prompts_per_document=5, seed=4)))


def test_documents_without_an_abstract_are_left_out_with_the_reason():
    bare = seed_document(id="8")
    bare.abstract = ""
    context = Context()
    records = list(instruct([seed_document(), bare], InstructSettings(prompts_per_document=2), context))
    assert {record["source"] for record in records} == {"7"}
    assert [(item["where"], item["reason"]) for item in context.rejects.items] == [
        ("8", "no abstract to take keywords from; --keywords 0 asks for none")
    ]


def test_temperatures_the_wrong_way_round_are_refused():
    with pytest.raises(InputError, match="from low to high"):
        InstructSettings(temperature=(1.0, 0.2))
