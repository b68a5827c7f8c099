"""Documents in the order in which they are worth a curator's time."""

import math

import pytest

from abroad.core.errors import InputError
from abroad.core.schema import Prediction, Relation
from annotation.argilla.order import order_documents, read_sample_ranks, uncertainty
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


def test_orders():
    assert ids("given") == "abcd"
    assert ids("uncertainty") == "bcad"
    assert ids("gme") == "bcad"  # the evenest first, then what it lacks; without relations last
    assert ids("gme-uncertainty")[0] == "b" and ids("gme-uncertainty")[-1] == "d"
    with pytest.raises(InputError, match="expected one of given, gme"):
        ids("best")


def test_a_sample_gives_the_order(tmp_path):
    (tmp_path / "s.tsv").write_text("reference_pubmed_id\torganism\nd\t0.1\na\t0.2\n")
    assert ids("gme", read_sample_ranks(tmp_path / "s.tsv")) == "dabc"
