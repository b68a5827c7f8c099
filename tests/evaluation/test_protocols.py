"""What every protocol does alike, and which pairs each holds to be equal: a new one joins `MEMBERS`."""

import pytest

from abroad.core.registry import Capability
from abroad.core.schema import Document, Prediction, Relation
from abroad.evaluation.metrics import micro_scores
from abroad.evaluation.protocols import PROTOCOLS
from tests.evaluation.members import GOLD, MEMBERS, OTHER, SAME

NAMES = pytest.mark.parametrize("name", PROTOCOLS.own)


def found(name, relations, gold=GOLD):
    return micro_scores([gold], [Prediction(gold.id, list(relations))], name)


@NAMES
def test_which_pairs_are_equal(name):
    equal, unequal = MEMBERS[name]
    for relation in (*SAME, *equal):
        assert found(name, [relation]).true_positives == 1, relation
    for relation in (*OTHER, *unequal):
        assert found(name, [relation]).true_positives == 0, relation


@NAMES
def test_what_is_equal_counts_once_and_nothing_predicted_is_nothing(name):
    equal, _ = MEMBERS[name]
    scores = found(name, [*SAME, *equal, *equal, *OTHER])
    assert (scores.true_positives, scores.predicted, scores.gold) == (1, 2, 1)
    assert found(name, []).predicted == 0 and found(name, SAME, Document("1", "T", "A")).gold == 0


@NAMES
def test_keys_stand_for_what_they_are_made_of(name):
    rules = PROTOCOLS.get(name)
    assert list(rules.gold(GOLD).values()) == [(GOLD.organisms[0], GOLD.chemicals[0])]
    assert list(rules.predicted(SAME, GOLD).values()) == SAME


@NAMES
def test_one_that_compares_identifiers_says_so(name):
    unlinked = [Relation("Usnea barbata", "usnic acid")]
    assert (found(name, unlinked).predicted == 0) == (Capability.IDENTIFIERS in PROTOCOLS.capabilities(name))


def test_the_command_says_that_predictions_must_be_linked_to_be_compared_by_identifiers(cli, tmp_path):
    from abroad.core.io import write_documents, write_jsonl

    write_documents(tmp_path / "gold.jsonl", [GOLD])
    for relations, said in (([Relation("Usnea barbata", "usnic acid")], True), (SAME, False)):
        write_jsonl(tmp_path / "p.jsonl", [Prediction("1", relations).to_dict()])
        files = ("--gold", tmp_path / "gold.jsonl", "--pred", tmp_path / "p.jsonl")
        result = cli("evaluate", *files, "--protocol", "grounded")
        assert result.exit_code == 0 and ("identifiers of both sides" in result.stderr) == said
