"""What every learner does alike: a new one joins `MEMBERS` and has to pass."""

import json

import pytest

from abroad.core.context import Context
from abroad.core.errors import InputError
from abroad.core.schema import Document
from abroad.experiments.learners import LEARNERS, Learner
from tests.experiments.members import MEMBERS
from tests.experiments.test_compare import documents


@pytest.fixture(params=LEARNERS.own)
def learner(request):
    return Learner(kind=request.param, train=MEMBERS[request.param](request), seed=2)


def test_it_learns_from_documents_and_reads_others(learner, tmp_path):
    extractor = learner.fit(documents("t", 10), tmp_path / "adapter", Context())
    others = [*documents("o", 2), Document("empty", "", "")]
    assert {prediction.id for prediction in extractor.extract(others)} == {"o0", "o1", "empty"}
    assert json.loads(json.dumps(extractor.identity)) == extractor.identity and learner.name


def test_what_was_learnt_is_told_apart_by_its_settings(learner):
    assert learner.identity() != learner.replace(seed=3).identity()
    assert isinstance(LEARNERS.read(learner.kind, {}), LEARNERS.settings(learner.kind))


def test_a_learner_that_is_none_is_met_with_the_nearest():
    with pytest.raises(InputError, match=r"kind: unknown learner 'extracter'; did you mean extractor\?"):
        Learner(kind="extracter")
