"""What a build makes of predictions: pairs, their status and probability; merging; and all that may be wrong."""

import gzip
import json

import pytest

from abroad.core.context import Context
from abroad.core.errors import AbroadError, InputError
from abroad.core.io import write_documents, write_jsonl
from abroad.core.resume import digest
from abroad.core.schema import Document
from abroad.knowledge.build import BuildSettings, Sources, build
from abroad.knowledge.query import PairFilter, find_pairs, statements
from abroad.knowledge.store import readable
from abroad.sources.name_index_build import build_index
from tests.knowledge.world import DOCUMENTS, RELATIONS, Verdicts, World, document, prediction


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
        said = statements(store, known)
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


LONG = (
    "Usnic acid was isolated from Usnea barbata that grew on the bark of old trees in the north. Its structure was "
    "told by spectra, and it stopped the growth of three bacteria at low concentrations."
)


def said(path):
    """Document -> what it says, as the database has it."""
    with readable(path) as store:
        rows = store.query("SELECT document, head_text, tail_text FROM evidence ORDER BY document, tail_text")
    return rows


def test_another_document_of_the_same_id_is_kept_beside_the_first(world, base, format):
    """Exports number their records: 1 of another export is another document, with or without a DOI."""
    before = said(base)
    texts = ("Rutin of Ruta fictiva.", "We made Rutin from leaves of trees; Ruta fictiva is one of them.")
    for doi, text in zip(("10.1000/another", None), texts, strict=True):
        other = document("1", text, doi)
        world.write([other], {"1": [("Ruta fictiva", "Rutin", 0.9)]})
        report, context = world.build(base, format)
        assert (report.added, report.replaced, len(context.rejects)) == (1, 0, 0)
        (own,) = report.beside.values()
        assert own.startswith("1~") and [row for row in said(base) if row[0] != own and "~" not in row[0]] == before
        again, _ = world.build(base, format)
        assert (again.added, again.replaced, again.unchanged) == (0, 0, 1)
    assert pairs(base)["Ruta fictiva", "Rutin"].publications == 2


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (("x-1", LONG, None, None), ("x-1", LONG.replace("three bacteria", "four bacteria"), None, None)),
        (("x-1", LONG, None, None), ("x-1", f"{LONG} They say so in the abstract, which was longer.", None, None)),
        (("x-1", LONG, None, "10.1000/x"), ("x-7", LONG.replace("three", "four"), None, "https://doi.org/10.1000/X")),
        (("x-1", LONG, "77", None), ("x-7", LONG.replace("three", "four"), "77", None)),
        (("x-1", LONG, "77", None), ("x-1", "Usnic acid of Usnea barbata, rewritten.", "77", None)),
        (("x-1", LONG, None, None), ("x-1", LONG.replace("three", "four"), "77", "10.1000/x")),
    ],
)
def test_a_corrected_text_replaces_the_old_evidence_and_the_report_says_so(world, old, new, format):
    path = world.folder / f"own.{format}"
    for (id, text, pmid, doi), name in ((old, "Usnic acid"), (new, "Usnic acid was")):
        if name not in text:
            name = "Usnic acid"
        world.write([Document(id, "", text, pmid=pmid, doi=doi)], {id: [("Usnea barbata", name, 0.8)]})
        report, context = world.build(path, format)
        assert len(context.rejects) == 0
    assert (report.added, report.replaced, report.corrected, report.beside) == (0, 1, ["x-1"], {})
    assert len(said(path)) == 1
    again, _ = world.build(path, format)
    assert (again.added, again.replaced, again.unchanged) == (0, 0, 1)


def test_two_texts_of_one_publication_stay_and_count_once(world, format):
    """An abstract does not take the place of the full text, nor the other way round, whatever comes first."""
    abstract = Document("1", "", LONG, pmid="77")
    whole = Document("PMC1", "", f"{LONG} " + " ".join(f"Sentence {n} of the whole." for n in range(60)), pmid="77")
    path = world.folder / f"own.{format}"
    for each in (abstract, whole, abstract):
        world.write([each], {each.id: [("Usnea barbata", "Usnic acid", 0.8)]})
        world.build(path, format)
    pair = pairs(path)["Usnea barbata", "Usnic acid"]
    assert (pair.documents, pair.publications, pair.probability) == (2, 1, pytest.approx(0.8))


def test_exports_that_share_ids_go_into_one_build(world, format):
    """Each prediction finds its own text among the documents of its id."""
    path = world.folder / f"own.{format}"
    texts = {"a": "Usnic acid of Usnea barbata.", "b": "Rutin of Ruta fictiva."}
    found, given = [], []
    for name, text in texts.items():
        chemical, organism = text.rstrip(".").split(" of ")
        one = document("export-1", text)
        write_documents(world.folder / f"{name}.docs.jsonl", [one])
        write_jsonl(world.folder / f"{name}.jsonl", [prediction(one, [(organism, chemical, 0.8)]).to_dict()])
        given.append(world.folder / f"{name}.docs.jsonl")
        found.append(world.folder / f"{name}.jsonl")
    for expected in (2, 0):
        report = build(path, format, Sources(found, given), BuildSettings(opsin=False), Context())
        assert report.added == expected
    assert pairs(path).keys() == {("Usnea barbata", "Usnic acid"), ("Ruta fictiva", "Rutin")}


STRANGERS = ["digest", "evidence", "names", "nothing but a digest"]


@pytest.mark.parametrize("known_by", STRANGERS)
def test_predictions_of_another_set_with_the_same_ids_are_refused(world, base, format, known_by):
    """Also those without relations, which would take away what is there."""
    before = dump(base)
    others = [document(d.id, f"Rutin {d.id} came from Ruta fictiva.") for d in DOCUMENTS]
    records = [prediction(d, [("Ruta fictiva", f"Rutin {d.id}", 0.9)]).to_dict() for d in others]
    for record, other in zip(records, others, strict=True):
        if known_by == "digest":
            record |= {"relations": [], "input_digest": digest(other.text)}
        elif known_by == "names":
            record["relations"][0]["evidence"] = []
        elif known_by == "nothing but a digest":
            record |= {"relations": [] if record["id"] != "1" else record["relations"], "input_digest": other.id}
    if known_by == "digest":  # one of this set, so that digests are seen to be of texts
        records.append({"id": "5", "relations": [], "input_digest": digest(DOCUMENTS[4].text)})
        records = [r for n, r in enumerate(records) if n != 4]
    write_jsonl(world.predictions, records)
    if known_by == "digest":
        _, context = world.build(base, format)
        assert len(context.rejects) == 4 and "another text" in context.rejects.items[0]["reason"]
    else:
        with pytest.raises(InputError, match=r"of other texts than those of .*documents of the same ids"):
            world.build(base, format)
    assert dump(base) == before


def test_a_digest_of_more_than_the_text_is_no_reason_to_refuse(world, format):
    """Few-shot extractors read examples and images too."""
    records = [prediction(d, RELATIONS[d.id]).to_dict() | {"input_digest": f"more{d.id}"} for d in DOCUMENTS]
    write_jsonl(world.predictions, records)
    report, context = world.build(world.folder / f"own.{format}", format)
    assert (report.added, len(context.rejects)) == (5, 0)


@pytest.mark.parametrize(
    "label",
    [
        "salvia miltiorrhiza",
        "SALVIA MILTIORRHIZA",
        "Salvia Miltiorrhiza",
        "Salvia miltiorrhiza Bunge",
        "S. miltiorrhiza",
    ],
)
def test_one_organism_is_one_row_whatever_its_case_and_authors(world, base, format, label):
    text = f"(−)-Epicatechin was found in {label}. We know Salvia miltiorrhiza."
    made = document("60", text, "10.1000/q60", 2020)
    world.write([made], {"60": [(label, "(−)-Epicatechin", 0.6)]})
    world.build(base, format)
    pair = pairs(base)["Salvia miltiorrhiza", "(-)-Epicatechin"]
    assert (pair.publications, pair.head.identifier) == (2, "NCBITaxon:226208")
    assert len(pairs(base)) == 4


def test_a_title_that_says_so_is_retracted(world, base, format):
    made = [
        Document(f"7{n}", f"{mark} Usnic acid of Camellia sinensis", "", doi=f"10.1000/w{n}")
        for n, mark in enumerate(["RETRACTED:", "WITHDRAWN:", "[Retracted]", "Retracted Article:"])
    ]
    world.write(made, {d.id: [("Camellia sinensis", "Usnic acid", 0.9)] for d in made})
    world.build(base, format)
    assert ("Camellia sinensis", "Usnic acid") not in pairs(base)


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
    world.documents.write_bytes(gzip.compress(world.documents.read_bytes() + b" " * 5000)[:-30])
    _, context = world.build(base, format)
    assert any("documents.jsonl" in each["where"] and "cut off" in each["reason"] for each in context.rejects.items)
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


@pytest.mark.parametrize("score", [7, -0.1, 1.0000001])
def test_a_score_that_is_no_probability_is_set_aside(tmp_path, score):
    world = World(tmp_path)
    world.write(DOCUMENTS, RELATIONS | {"1": [("Usnea barbata", "Usnic acid", score)]})
    report, context = world.build(tmp_path / "np.duckdb", "duckdb")
    assert report.added == len(DOCUMENTS) - 1
    assert "expected probabilities as scores, from 0 to 1" in context.rejects.items[0]["reason"]
