"""The third field in data/fields: its annotation holds together, and its figures in data/README.md are true."""

import re
from pathlib import Path

import pytest

from abroad.core.context import Context
from abroad.core.field import load_field
from abroad.core.io import read_documents
from abroad.documents.known_pairs import read_pairs

FOLDER = Path(__file__).parents[1] / "data" / "fields" / "biodegradation"
FIELD = load_field(FOLDER / "biodegradation.yaml")
GOLD = read_documents(FOLDER / "gold.jsonl")
PAIRS = read_pairs(FOLDER / "pairs.tsv", FIELD, context := Context())
POLLUTANTS = (FOLDER / "pollutants.txt").read_text(encoding="utf-8").splitlines()


def test_figures_of_the_datasheet_are_true():
    mentions = sum(len({tuple(span) for e in d.entities for span in e.spans}) for d in GOLD)
    counts = (len(POLLUTANTS), len(PAIRS), len(GOLD), mentions, sum(len(d.relations) for d in GOLD))
    text = " ".join((FOLDER.parents[1] / "README.md").read_text(encoding="utf-8").split())
    told = re.search(
        r"(\d+) names, `pairs\.tsv` (\d+) pairs .*? `gold\.jsonl` has (\d+) abstracts with all mentions \((\d+)\) and "
        r"relations \((\d+)\)",
        text,
    )
    assert told and tuple(map(int, told.groups())) == counts and not context.rejects
    assert sum(not document.relations for document in GOLD) == 2


@pytest.mark.parametrize("document", GOLD, ids=lambda document: document.id)
def test_spans_name_their_entity_and_every_label_that_stands_alone_is_marked(document):
    FIELD.check_documents([document], "gold.jsonl")
    spans = [tuple(span) for entity in document.entities for span in entity.spans]
    for entity in document.entities:
        names = [document.text[start:end] for start, end in entity.spans]
        assert names and all(name == name.strip(" ,.;") for name in names)
        for match in re.finditer(rf"(?<![\w-]){re.escape(entity.label)}(?![\w-]| hydroxylase)", document.text):
            assert any(start <= match.start() and match.end() <= end for start, end in spans), match
    assert 60 <= len(document.text.split()) <= 200


def test_no_bacterium_of_the_pairs_is_in_the_gold():
    gold = {entity.label for document in GOLD for entity in document.entities if entity.type == "bacterium"}
    assert not gold & {pair.head for pair in PAIRS}
    assert len(POLLUTANTS) == len(set(map(str.casefold, POLLUTANTS)))
    assert {pair.tail for pair in PAIRS} <= set(POLLUTANTS)
