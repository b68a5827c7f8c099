"""What every learner does alike: a new one joins `MEMBERS` and has to pass."""

import json
from dataclasses import replace

import pytest

from abroad.core.context import Context
from abroad.core.errors import InputError
from abroad.core.schema import Document
from abroad.experiments.compare import compare_sets
from abroad.experiments.learners import LEARNERS, Learner
from abroad.training.settings import TrainSettings
from tests.experiments.members import MEMBERS
from tests.experiments.test_compare import documents
from tests.extraction.joint.remedies import field_file, remedies


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


def test_the_extractor_of_another_field_is_learnt_by_its_file(tmp_path):
    """And scored as the field says: of an undirected relation A-B is B-A."""
    learner = Learner(train=TrainSettings(field=field_file(tmp_path)))
    dev = [replace(document, id=f"dev{document.id}") for document in remedies(4, seed=5)]
    (score,) = compare_sets({"own": remedies(12)}, dev, learner, tmp_path, Context())
    assert score.relations == sum(len(document.relations) for document in remedies(12)) and score.scores.f1 > 50
    assert learner.name == "the extractor of Remedies, trained from scratch"


@pytest.mark.parametrize("kind", LEARNERS.own)
@pytest.mark.parametrize("set_of_it", ["dev", "own"])
def test_documents_of_another_field_are_refused_before_anything_is_learnt(tmp_path, kind, set_of_it):
    sets = {"own": documents("t", 12), "dev": documents("d", 4)} | {set_of_it: remedies(4, seed=5)}
    with pytest.raises(InputError, match=r"not of the field natural_products: document '0': .*'drug'"):
        compare_sets({"own": sets["own"]}, sets["dev"], Learner(kind=kind), tmp_path, Context())
    assert not [*tmp_path.iterdir()]
