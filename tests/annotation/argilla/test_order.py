"""Documents in the order in which they are worth a curator's time."""

import math

import pytest

from abroad.core.errors import InputError
from abroad.core.schema import Prediction, Relation
from annotation.argilla.order import CURATION_ORDERS, order_documents, read_sample_ranks, uncertainty
from annotation.argilla.push import PushSettings
from tests.annotation.argilla.members import MEMBERS
from tests.conftest import make_document

DOCUMENTS = [make_document(id, "T.", "A.", []) for id in "abcd"]
PREDICTIONS = {
    "a": Prediction("a", [Relation("X", "r", 0.99)]),
    "b": Prediction("b", [Relation("X", "r", 0.5), Relation("Y", "s", 0.5), Relation("Z", "t", 0.5)]),
    "c": Prediction("c", [Relation("W", "u", 0.7)]),
}


def ids(by, ranks=None):
    return "".join(document.id for document in order_documents(DOCUMENTS, PREDICTIONS, by, ranks))


def test_uncertainty_is_mean_binary_entropy_in_bits():
    assert uncertainty(PREDICTIONS["b"]) == 1
    assert math.isclose(uncertainty(PREDICTIONS["c"]), 0.8812908992)
    assert uncertainty(Prediction("x")) == uncertainty(None) == 0


@pytest.mark.parametrize("name", CURATION_ORDERS.own)
def test_every_order_has_each_document_once_in_the_order_of_its_kind(name, tmp_path):
    (tmp_path / "s.tsv").write_text("reference_pubmed_id\torganism\nd\t0.1\na\t0.2\n")
    assert (ids(name), ids(name, read_sample_ranks(tmp_path / "s.tsv"))) == MEMBERS[name]


def test_an_order_that_is_none_is_met_with_those_there_are():
    with pytest.raises(InputError, match=r"unknown order 'givn'; did you mean given\? Expected one of: given, gme, "):
        ids("givn")
    with pytest.raises(InputError, match="order: unknown order 'best'"):
        PushSettings(order="best")
