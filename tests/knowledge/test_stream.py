"""A build reads record by record: of a file of predictions, and of its documents, no list of all is ever made."""

import pytest

from abroad.core.context import Context
from abroad.core.io import write_documents, write_jsonl
from abroad.core.schema import Document, Prediction
from abroad.documents.predictions import each_prediction
from abroad.knowledge import build as build_module
from tests.knowledge.test_build import pairs
from tests.knowledge.world import document, prediction

MANY = [document(f"m{n}", f"Usnic acid {n} was isolated from Usnea barbata.", f"10.1000/m{n}") for n in range(60)]
RELATIONS = {d.id: [("Usnea barbata", f"Usnic acid {n}", 0.5)] for n, d in enumerate(MANY)}


class Alive:
    """Counts instances of a class that are alive, by their making and their end."""

    def __init__(self, monkeypatch, kind):
        self.now = self.most = 0

        class Counted(kind):
            __slots__ = ()

            def __del__(this):
                self.now -= 1

        make = kind.from_dict.__func__

        def from_dict(cls, *arguments):
            made = make(Counted, *arguments)
            self.now += 1
            self.most = max(self.most, self.now)
            return made

        monkeypatch.setattr(kind, "from_dict", classmethod(from_dict))


@pytest.mark.parametrize("kept", [True, False], ids=["beside", "given"])
def test_no_list_of_all_is_made(world, format, monkeypatch, kept):
    world.write(MANY, RELATIONS)
    monkeypatch.setattr(build_module, "_CHUNK", 4)
    predictions, documents = Alive(monkeypatch, Prediction), Alive(monkeypatch, Document)
    path = world.folder / f"own.{format}"
    if kept:
        beside = world.folder / "predictions.jsonl.abroad" / "documents.jsonl"
        beside.parent.mkdir(exist_ok=True)
        world.documents.rename(beside)
        sources = build_module.Sources([world.predictions], (), world.index)
        report = build_module.build(path, format, sources, build_module.BuildSettings(opsin=False), Context())
    else:
        report, _ = world.build(path, format)
    assert (report.added, len(pairs(path))) == (60, 60)
    assert 4 <= predictions.most <= 10 and 4 <= documents.most <= 12


def test_a_table_of_parquet_is_read_record_by_record_too(tmp_path, monkeypatch):
    from abroad.documents.parquet import write_parquet

    path = tmp_path / "p.parquet"
    write_parquet(path, [(MANY, [prediction(d, RELATIONS[d.id]) for d in MANY])])
    read = []
    make = Prediction.__init__
    monkeypatch.setattr(Prediction, "__init__", lambda self, *a, **k: read.append(1) or make(self, *a, **k))
    items = each_prediction(path)
    for count in (1, 2, 3):
        assert next(items).id == MANY[count - 1].id
        assert len(read) == count


def test_documents_of_one_id_are_all_looked_at(world, format):
    """The first of two files has another text under the same id."""
    others = [document(d.id, "Something else.") for d in MANY]
    world.write(MANY, RELATIONS)
    first = world.folder / "first.jsonl"
    write_documents(first, others)
    sources = build_module.Sources([world.predictions], [first, world.documents], world.index)
    path = world.folder / f"own.{format}"
    context = Context()
    report = build_module.build(path, format, sources, build_module.BuildSettings(opsin=False), context)
    assert report.added == 60 and not context.rejects


def test_what_is_wrong_with_a_file_is_told_once_though_it_is_read_twice(world, format):
    records = [prediction(d, RELATIONS[d.id]).to_dict() for d in MANY]
    world.write(MANY, RELATIONS)
    write_jsonl(world.predictions, [*records, {"id": "m1", "relations": "none"}, {"id": "far", "relations": []}])
    _, context = world.build(world.folder / f"own.{format}", format)
    assert [each["where"].rpartition("predictions.jsonl")[2] for each in context.rejects.items] == [":61", ": far"]
