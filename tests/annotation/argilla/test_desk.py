"""From a knowledge base to a real server and back: a batch that is chosen, and a pair that a page sends."""

import pytest

pytest.importorskip("argilla")
pytest.importorskip("duckdb")
from abroad.core.field import built_in_field
from abroad.knowledge.curation import documents_of
from abroad.knowledge.query import PairFilter, find_pairs
from abroad.knowledge.store import readable
from annotation.argilla.push import PushSettings, find_dataset
from annotation.argilla.stored import stored_records
from annotation.desk import ArgillaDesk
from tests.annotation.curators import answer
from tests.knowledge.test_field import Remedies
from tests.knowledge.world import World


@pytest.fixture
def world(tmp_path):
    return World(tmp_path)


def test_the_best_documents_of_a_database_reach_a_server(annotation_server, world, cli):
    key = ("--url", annotation_server.url, "--api-key", annotation_server.api_key)
    place = ("--dataset", "from-knowledge", "--workspace", "from-knowledge")
    result = cli("annotate", "push", "--from", world.base("duckdb"), "--new", "--top", 1, *key, *place)
    assert result.exit_code == 0 and "1 documents pushed (1 new" in result.stdout, result.output
    client = annotation_server.connect()
    (record,) = stored_records(client, find_dataset(client, "from-knowledge", "from-knowledge"))
    assert record.id == "3" and record.metadata["lotus"] == "new"


def test_a_desk_sends_to_a_server_and_brings_answers(annotation_server, world):
    desk = ArgillaDesk(annotation_server.url, annotation_server.api_key, PushSettings(dataset="desk", workspace="desk"))
    with readable(world.base("duckdb")) as store:
        both = documents_of(store, ["1", "2"])
    documents, predictions = zip(*both, strict=True)
    field = built_in_field()
    assert "2 documents sent to http" in desk.send(documents, predictions, field)
    ana = annotation_server.curator("desk-ana", "desk")
    assert answer(ana, "desk", "desk", "1", "Usnea barbata | usnic acid").status_code == 201
    ((said, relations),) = desk.answers(["1", "2"], field)
    assert (said.document, said.curator, relations) == ("1", "desk-ana", (("Usnea barbata", "usnic acid"),))
    assert "1 are answered already" in desk.send(documents, predictions, field)
    assert "Usnic acid" in desk.page(documents, predictions, field)


def test_a_database_of_another_field_goes_to_a_server_and_its_answers_come_back(annotation_server, tmp_path, cli):
    remedies = Remedies(tmp_path, "duckdb")
    remedies.build()
    key = ("--url", annotation_server.url, "--api-key", annotation_server.api_key)
    place = ("--dataset", "remedies", "--workspace", "remedies")
    result = cli("annotate", "push", "--from", remedies.base, "--relation", "interacts_with", "--top", 2, *key, *place)
    assert result.exit_code == 0 and "2 documents pushed (2 new" in result.stdout, result.output
    ana = annotation_server.curator("remedies-ana", "remedies")
    assert answer(ana, "remedies", "remedies", "2", "fictamycin | interacts_with | Placebol").status_code == 201
    pulled = ("annotate", "pull", "--out", tmp_path / "curated", "--field", remedies.file, *key, *place)
    assert cli(*pulled).exit_code == 0
    built = ("knowledge", "build", tmp_path / "p.jsonl", "--documents", tmp_path / "d.jsonl", "--out", remedies.base)
    result = cli(*built, "--decisions", tmp_path / "curated" / "decisions.jsonl")
    assert result.exit_code == 0, result.stderr
    with readable(remedies.base) as store:
        (pair,) = find_pairs(store, PairFilter(relation="interacts_with"))
    assert (pair.accepted, pair.rejected) == (1, 0)
