"""From a knowledge base to a real server and back: a batch that is chosen, and a pair that a page sends."""

import pytest

pytest.importorskip("argilla")
pytest.importorskip("duckdb")
from abroad.knowledge.curation import documents_of
from abroad.knowledge.store import readable
from annotation.argilla.push import PushSettings, find_dataset
from annotation.argilla.stored import stored_records
from annotation.desk import ArgillaDesk
from tests.annotation.curators import answer
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
    assert "2 documents sent to http" in desk.send(documents, predictions)
    ana = annotation_server.curator("desk-ana", "desk")
    assert answer(ana, "desk", "desk", "1", "Usnea barbata | usnic acid").status_code == 201
    ((said, relations),) = desk.answers(["1", "2"])
    assert (said.document, said.curator, relations) == ("1", "desk-ana", (("Usnea barbata", "usnic acid"),))
    assert "1 are answered already" in desk.send(documents, predictions)
    assert "Usnic acid" in desk.page(documents, predictions)
