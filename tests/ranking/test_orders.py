"""What every order does alike, and what it puts first: a new one joins `MEMBERS`."""

import numpy as np
import pytest

from abroad.core.errors import InputError
from abroad.core.schema import Prediction, Relation
from abroad.ranking.game import Policies
from abroad.ranking.orders import ORDERS
from abroad.ranking.rank import CandidateRanking, RankSettings, reorder
from tests.plugins import install
from tests.ranking.members import FINAL, MEMBERS, VIEW

NAMES = pytest.mark.parametrize("name", ORDERS.own)
RANKING = CandidateRanking("1", VIEW.likelihood, VIEW.initial, FINAL)


@NAMES
def test_the_best_comes_first(name):
    assert RANKING.order(name) == MEMBERS[name]
    values = RANKING.values(name)
    assert all(value <= 0 for value in values)  # logarithms of probabilities
    assert [row[name] for row in RANKING.details()] == pytest.approx(np.exp(values))


@NAMES
def test_candidates_that_are_alike_stay_as_they_were_and_none_is_no_error(name):
    def thrice(policies):
        return Policies(policies.generator[[0, 0, 0]], policies.discriminator[[0, 0, 0]])

    same = CandidateRanking("1", VIEW.likelihood[[0, 0, 0]], thrice(VIEW.initial), thrice(FINAL))
    assert same.order(name) == [0, 1, 2]
    assert CandidateRanking("1").values(name) == [] and CandidateRanking("1").details() == []
    with pytest.raises(InputError, match="1: too long"):
        CandidateRanking("1", error="too long").values(name)


def test_an_order_of_another_package_joins_and_what_was_ranked_before_lacks_it(tmp_path, monkeypatch):
    code = """
        from abroad.ranking.orders import Order

        REVERSE = Order(lambda view, final: -9.0 - view.likelihood)
    """
    row = {"organism": "A b", "chemical": "c", "place": 0, **RANKING.details()[0]}
    earlier = Prediction("1", [Relation("A b", "c")], extra={"ranking": [row]})
    points = {ORDERS.group: {"reverse": "reverse_order:REVERSE"}}
    install(tmp_path, monkeypatch, "orders-elsewhere", {"reverse_order.py": code}, points)
    assert RANKING.order("reverse") == [2, 1, 0] and "reverse" in RANKING.details()[0]
    with pytest.raises(InputError, match="1: it was ranked without the order 'reverse'"):
        reorder(earlier, RankSettings(by="reverse"))
    assert reorder(earlier, RankSettings(by="er-g")).relations == earlier.relations
