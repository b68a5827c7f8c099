"""What a build makes of predictions: pairs, their status and probability; merging; and all that may be wrong."""

import gzip
import json

import pytest

from abroad.core.context import Context
from abroad.core.errors import AbroadError, InputError
from abroad.core.io import write_documents, write_jsonl
from abroad.knowledge.build import BuildSettings, Sources, build
from abroad.knowledge.query import PairFilter, find_pairs, statements
from abroad.knowledge.store import readable
from abroad.sources.name_index_build import build_index
from tests.knowledge.world import DOCUMENTS, RELATIONS, Verdicts, document, prediction


def pairs(path, **wanted):
    with readable(path) as store:
        return {(p.head.name, p.tail.name): p for p in find_pairs(store, PairFilter(**wanted))}


def dump(path):
    """All rows of all tables but for their order."""
    with readable(path) as store:
        tables = ("document", "evidence", "decision", "known", "alias", "member", "entity", "pair", "meta")
        return {table: sorted(store.query(f"SELECT * FROM {table}"), key=repr) for table in tables}


def test_a_pair_has_all_its_evidence_its_probability_and_its_status(base):
    found = pairs(base)
    assert {names: pair.status for names, pair in found.items()} == {
        ("Usnea barbata", "Usnic acid"): "known",
        ("Camellia sinensis", "3'-O-methylquercetin"): "not linked",  # the index has the other isomer only
        ("Camellia sinensis", "3-O-methylquercetin"): "new",
        ("Salvia miltiorrhiza", "(-)-Epicatechin"): "disputed",  # of this very paper the index has another organism
    }
    known = found["Usnea barbata", "Usnic acid"]
    assert known.probability == pytest.approx(1 - 0.2 * 0.5) and known.publications == known.documents == 2
    assert (known.first_year, known.last_year, known.tail.identifier) == (2001, 2005, "wikidata:Q1")
    with readable(base) as store:
        said = statements(store, known.head.id, known.tail.id)
    assert [(each.document, each.score, each.rule) for each in said] == [("1", 0.8, "verbatim"), ("2", 0.5, "verbatim")]
    assert said[0].sentence == "Usnic acid was isolated from Usnea barbata."
    assert said[0].item == "Q100" and said[1].doi == "10.1000/x" and said[1].item is None


def test_the_same_build_again_changes_nothing(world, base, format):
    before = dump(base)
    report, context = world.build(base, format)
    assert (report.added, report.replaced, report.unchanged, len(context.rejects)) == (0, 0, 5, 0)
    assert dump(base) == before


def test_documents_one_by_one_give_the_same_as_all_at_once(world, format):
    once, often = world.folder / f"once.{format}", world.folder / f"often.{format}"
    world.build(once, format)
    for each in DOCUMENTS:
        world.write([each], RELATIONS)
        world.build(often, format)
    assert dump(often) == dump(once)


def test_a_document_that_is_read_again_replaces_its_evidence(world, base, format):
    changed = document("1", "Usnic acid was isolated from Usnea barbata, we think.", "10.1000/a", 2001)
    world.write([changed], {"1": [("Usnea barbata", "Usnic acid", 0.6)]})
    report, _ = world.build(base, format)
    assert (report.added, report.replaced, report.unchanged) == (0, 1, 0)
    assert pairs(base)["Usnea barbata", "Usnic acid"].probability == pytest.approx(1 - 0.4 * 0.5)
    world.write([changed], {"1": []})
    world.build(base, format)
    assert pairs(base)["Usnea barbata", "Usnic acid"].publications == 1


def test_one_publication_in_two_files_counts_once(world, base, format):
    again = document("other id", "Usnic acid was isolated from Usnea barbata.", "doi:10.1000/A", 2001, pmid="77")
    by_pmid = document("third", "Usnic acid of Usnea barbata.", None, 2001, pmid="77")
    relations = {each.id: [("Usnea barbata", "Usnic acid", 0.7)] for each in (again, by_pmid)}
    world.write([again, by_pmid], relations)
    world.build(base, format)
    pair = pairs(base)["Usnea barbata", "Usnic acid"]
    assert (pair.publications, pair.documents) == (2, 4) and pair.probability == pytest.approx(1 - 0.2 * 0.5)


def test_retracted_publications_count_only_if_asked_for(world, base, format):
    withdrawn = document("9", "Usnic acid of Camellia sinensis.", "10.1000/r", 2015, retracted=True)
    world.write([withdrawn], {"9": [("Camellia sinensis", "Usnic acid", 0.9)]})
    world.build(base, format)
    assert ("Camellia sinensis", "Usnic acid") not in pairs(base)
    world.build(base, format, retracted=True)
    assert pairs(base)["Camellia sinensis", "Usnic acid"].status == "new"


def test_two_spellings_are_one_compound_and_two_isomers_are_two(world, format):
    texts = ["(-)-epicatechin of Ruta fictiva.", "(–)-Epicatechin of Ruta fictiva.", "(+)-epicatechin of Ruta fictiva."]
    made = [document(str(n), text, f"10.1000/{n}") for n, text in enumerate(texts)]
    relations = {d.id: [("Ruta fictiva", d.abstract.split(" ")[0], 0.5)] for d in made}
    world.write(made, relations)
    path = world.folder / f"own.{format}"
    world.build(path, format)
    found = sorted((pair.tail.name, pair.publications, pair.status) for pair in pairs(path).values())
    assert found == [("(+)-epicatechin", 1, "not linked"), ("(-)-Epicatechin", 2, "not linked")]


def test_an_abbreviation_is_what_the_text_says_it_is(world, format):
    text = "Usnic acid (UA) grew. UA was isolated from Usnea barbata."
    made = document("1", text, "10.1000/q")
    world.write([made], {"1": [("Usnea barbata", "UA", 0.8), ("Usnea barbata", "Usnic acid", 0.7)]})
    path = world.folder / f"own.{format}"
    world.build(path, format)
    (pair,) = pairs(path).values()
    assert (pair.tail.name, pair.probability) == ("Usnic acid", pytest.approx(0.8))


def test_another_index_tells_status_anew(world, base, format):
    assert pairs(base)["Camellia sinensis", "3-O-methylquercetin"].status == "new"
    table = world.folder / "newer.tsv"
    table.write_text("compound\torganism\tdoi\n3-O-methylquercetin\tCamellia sinensis\t10.1000/q\n")
    build_index(table, world.index, Context())
    report, _ = world.build(base, format)
    assert report.unchanged == 5 and pairs(base)["Camellia sinensis", "3-O-methylquercetin"].status == "known"
    assert pairs(base)["Usnea barbata", "Usnic acid"].status == "not linked"


def test_without_an_index_nothing_is_known_and_with_one_it_is_asked_for_again(world, base, format):
    plain = world.folder / f"plain.{format}"
    world.build(plain, format, index=False)
    assert {pair.status for pair in pairs(plain).values()} == {"not linked"}
    with pytest.raises(InputError, match=r"expected --index, as it was linked with lotus\.sqlite"):
        world.build(base, format, index=False)


def test_curators_and_labels_calibrate_and_are_counted(world, format):
    made = [
        document(str(n), f"Usnic acid of Ruta fictiva and of Usnea barbata {n}.", f"10.1000/{n}") for n in range(60)
    ]
    relations = {d.id: [("Ruta fictiva", "Usnic acid", 0.9), ("Usnea barbata", "Usnic acid", 0.9)] for d in made}
    world.write(made, relations)
    path = world.folder / f"own.{format}"
    report, _ = world.build(path, format)
    assert not report.calibration.fitted
    verdicts = [Verdicts(d.id, "marie", [("Usnea barbata", "usnic acid.")], "fine", "2024-01-01") for d in made]
    report, context = world.build(path, format, verdicts=[*verdicts, Verdicts("unheard of", "marie", [])])
    assert (report.calibration.right, report.calibration.wrong) == (60, 60) and report.calibration.fitted
    assert report.calibration(0.9) == pytest.approx(0.5, abs=0.1)
    assert [item["reason"] for item in context.rejects.items] == ["no such document in the database"]
    found = pairs(path)
    assert (found["Usnea barbata", "Usnic acid"].accepted, found["Usnea barbata", "Usnic acid"].rejected) == (60, 0)
    assert found["Ruta fictiva", "Usnic acid"].rejected == 60
    world.build(path, format, verdicts=verdicts)  # said twice, it counts once
    assert pairs(path)["Ruta fictiva", "Usnic acid"].rejected == 60


def test_what_cannot_be_used_is_set_aside_with_its_reason(world, format):
    other = document("2", "Quite another text.", "10.1000/x")
    write_documents(world.documents, [DOCUMENTS[0], other, *DOCUMENTS[2:]])
    lines = world.predictions.read_text().splitlines()
    failed = json.dumps({"id": "4", "relations": [], "error": "out of memory"})
    world.predictions.write_text(
        "\n".join([lines[0], "{broken", lines[1], lines[2], failed, '{"id": "x", "relations": []}'])
    )
    path = world.folder / f"own.{format}"
    report, context = world.build(path, format)
    assert report.added == 2
    reasons = "\n".join(f"{item['where']}: {item['reason']}" for item in context.rejects.items)
    assert "predictions.jsonl:2: broken JSON" in reasons
    assert "predictions.jsonl: 2: its evidence 'Usnea barbata' does not stand in the document" in reasons
    assert "predictions.jsonl: 4: it could not be read (out of memory)" in reasons
    assert "predictions.jsonl: x: no document has this id" in reasons


def test_an_id_of_another_document_replaces_nothing(world, base, format):
    before = dump(base)
    other = document("1", "Rutin of Ruta fictiva.", "10.1000/another")
    world.write([other], {"1": [("Ruta fictiva", "Rutin", 0.9)]})
    with pytest.raises(InputError, match=r"nothing could be merged .*another document of this id is in the database"):
        world.build(base, format)
    assert dump(base) == before


@pytest.mark.parametrize("fault", ["other documents", "none beside", "nothing to merge", "no index"])
def test_a_first_build_that_fails_leaves_no_database(world, format, fault):
    """An empty one would look like one that knows nothing."""
    path, documents = world.folder / f"own.{format}", [world.documents]
    if fault == "other documents":
        write_jsonl(world.predictions, [prediction(document("far", "x y"), []).to_dict()])
    elif fault == "none beside":
        documents = []
    elif fault == "nothing to merge":
        world.predictions.write_text('{"id": "1", "relations": [], "error": "no"}\n')
    else:
        world.index.write_text("no index")
    before = {file for file in world.folder.rglob("*") if file.is_file()}
    with pytest.raises((InputError, AbroadError)):
        build(path, format, Sources([world.predictions], documents, world.index), BuildSettings(), Context())
    assert not path.exists()
    assert {file for file in world.folder.rglob("*") if file.is_file()} == before


def test_predictions_of_another_set_are_refused_and_nothing_is_lost(world, base, format):
    before = dump(base)
    write_jsonl(world.predictions, [prediction(document("far", "x y"), []).to_dict()])
    with pytest.raises(InputError, match=r"none of its 1 predictions is of a document in .*another\s+set\?.*'far'"):
        world.build(base, format)
    assert dump(base) == before


def test_a_file_that_is_cut_off_is_named_and_nothing_is_lost(world, base, format):
    before = dump(base)
    world.documents.write_bytes(gzip.compress(world.documents.read_bytes() * 50)[:-30])
    with pytest.raises(InputError, match=r"documents\.jsonl"):
        world.build(base, format)
    assert dump(base) == before


@pytest.mark.parametrize("content", [b"mine", b"SQLite format 3\0" + b"x" * 200, b"\0" * 8 + b"DUCK" + b"x" * 5000])
def test_what_is_no_knowledge_base_is_refused(world, tmp_path, content):
    path = tmp_path / "np.duckdb"
    path.write_bytes(content)
    with pytest.raises(Exception, match=r"np\.duckdb") as caught, readable(path) as store:
        find_pairs(store, PairFilter())
    assert type(caught.value).__module__ == "abroad.core.errors"
    assert path.read_bytes() == content


def test_a_database_of_another_format_is_refused(world, base, format):
    if format == "duckdb":
        with pytest.raises(InputError, match="it is duckdb, not sqlite"):
            world.build(base, "sqlite")


def test_a_parquet_file_has_a_row_a_pair_with_its_evidence(world):
    import polars as pl

    path = world.base("parquet")
    table = pl.read_parquet(path)
    row = table.filter(pl.col("status") == "known").to_dicts()[0]
    assert table.height == 4 and (row["organism"], row["compound"]) == ("Usnea barbata", "Usnic acid")
    assert [each["document"] for each in row["evidence"]] == ["1", "2"]
