"""Documents of another field go to a real server and come back with their types."""

import pytest

from abroad.core.context import Context
from abroad.core.errors import InputError
from abroad.core.field import load_field
from abroad.core.field_file import NewField, new_field
from abroad.core.schema import Document, Entity, Prediction, Relation, Triple
from annotation.argilla.adjudicate import adjudicate
from annotation.argilla.pull import pull, write_pulled
from annotation.argilla.push import PushSettings, push
from tests.annotation.curators import answer

TYPES = {"type": "degrades", "head_type": "bacterium", "tail_type": "pollutant"}


def test_a_field_goes_to_a_server_and_comes_back(annotation_server, tmp_path):
    pytest.importorskip("argilla")
    path = tmp_path / "bio.yaml"
    path.write_text(new_field(NewField(name="bio", head="bacterium", tail="pollutant", verb="degrades")))
    document = Document("1", "T.", "Ab c degrades tar.", entities=[Entity("b", "Ab c", type="bacterium")])
    client = annotation_server.connect()
    made = [Prediction("1", [Relation("Ab c", "tar", 0.5, **TYPES)])]
    with pytest.raises(InputError, match="--field"):
        push(client, [document], made, PushSettings(dataset="bio", workspace="bio"), Context())
    settings = PushSettings(dataset="bio", workspace="bio", field=path, overlap=1.0, order="gme")
    assert push(client, [document], made, settings, Context()).created == 1
    for name, lines in (("ana", "Ab c | tar"), ("ben", "none")):
        curator = annotation_server.curator(f"bio-{name}", "bio")
        assert answer(curator, "bio-overlap", "bio", "1", lines).status_code == 201
    with pytest.raises(InputError, match="of the field bio; expected --field"):
        pull(client, "bio", "bio", Context())
    field = load_field(path)
    pulled = pull(client, "bio", "bio", Context(), field)
    merged, report = write_pulled(pulled, tmp_path / "out")
    assert (report.conflicts, merged.conflicts[0].open) == (1, (("Ab c", "degrades", "tar"),))
    assert adjudicate(client, pulled, "bio", "bio") == ["1"]
    judge = annotation_server.curator("bio-eva", "bio")
    assert answer(judge, "bio-adjudication", "bio", "1", "Ab c degrades tar").status_code == 201
    merged, _ = write_pulled(pull(client, "bio", "bio", Context(), field), tmp_path / "out")
    (curated,) = merged.documents
    assert curated.relations == [Triple("b", "degrades", "P1")] and not field.mistakes_in(curated)
