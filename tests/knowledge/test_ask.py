"""Queries, figures, exports, and documents chosen for curators."""

import csv
import io
import json
from dataclasses import replace

import pytest

from abroad.core.context import Context
from abroad.knowledge.combine import Calibration, fit
from abroad.knowledge.curation import best_documents, documents_of
from abroad.knowledge.export import export
from abroad.knowledge.query import PairFilter, all_statements, find_pairs, statements, why_nothing
from abroad.knowledge.stats import measure
from abroad.knowledge.store import readable
from abroad.sources.name_index_build import build_index
from tests.knowledge.world import DOCUMENTS, FORMATS, RELATIONS, Verdicts, World, document


def asked(path, **wanted):
    with readable(path) as store:
        return [(p.head.name, p.tail.name) for p in find_pairs(store, PairFilter(**wanted))]


KNOWN = ("Usnea barbata", "Usnic acid")
PRIMED = ("Camellia sinensis", "3'-O-methylquercetin")
NEW = ("Camellia sinensis", "3-O-methylquercetin")
DISPUTED = ("Salvia miltiorrhiza", "(-)-Epicatechin")


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({}, [KNOWN, PRIMED, NEW, DISPUTED]),
        ({"organism": "usnea  Barbata"}, [KNOWN]),
        ({"organism": "NCBITaxon:192174"}, [KNOWN]),
        ({"compound": "3′-O-Methylquercetin"}, [PRIMED]),
        ({"compound": "3-O-methylquercetin"}, [NEW]),
        ({"compound": "(–)-epicatechin"}, [DISPUTED]),
        ({"compound": "wikidata:Q2"}, [NEW]),
        ({"organism": "Q10"}, [KNOWN]),
        ({"organism": "q10"}, [KNOWN]),
        ({"organism": "wikidata:Q10"}, [KNOWN]),
        ({"organism": "http://www.wikidata.org/entity/Q10"}, [KNOWN]),
        ({"organism": "ncbitaxon:192174"}, [KNOWN]),
        ({"organism": "http://purl.obolibrary.org/obo/NCBITaxon_192174"}, [KNOWN]),
        ({"organism": "taxid:192174"}, [KNOWN]),
        ({"organism": "Usnea barbata (L.) Weber ex F.H. Wigg."}, [KNOWN]),
        ({"compound": "Q2"}, [NEW]),
        ({"compound": "WIKIDATA:q2"}, [NEW]),
        ({"organism": "Q2"}, []),
        ({"taxon": "lamiaceae"}, [DISPUTED]),
        ({"taxon": "Camellia"}, [PRIMED, NEW]),
        ({"compound_class": "Polyketides"}, [KNOWN]),
        ({"new": True}, [NEW]),
        ({"status": "not linked"}, [PRIMED]),
        ({"new": True, "status": "known"}, []),
        ({"min_probability": 0.9}, [KNOWN, PRIMED]),
        ({"since": 2005}, [KNOWN, PRIMED, NEW, DISPUTED]),
        ({"since": 2011}, [DISPUTED]),
        ({"min_publications": 2}, [KNOWN]),
        ({"limit": 2}, [KNOWN, PRIMED]),
        ({"organism": "' OR 1=1 --"}, []),
    ],
)
def test_a_query_finds_what_is_asked_for_the_surest_first(base, wanted, found):
    assert asked(base, **wanted) == found


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        (
            {"organism": "Usnea barbatta"},
            "no organism of the database goes by 'Usnea barbatta'; did you mean Usnea barbata?",
        ),
        ({"compound": "unheard of"}, "no compound of the database goes by 'unheard of'"),
        ({"taxon": "Rosaceae"}, "nothing in the database belongs to a taxon 'Rosaceae'"),
        ({"since": 2020}, "none of the 4 pairs of the database is like that"),
    ],
)
def test_a_query_that_finds_nothing_says_why(base, cli, wanted, words):
    with readable(base) as store:
        assert words in why_nothing(store, PairFilter(**wanted))
    options = [word for name, value in wanted.items() for word in (f"--{name}", value)]
    result = cli("knowledge", "query", base, *options)
    assert result.exit_code == 0 and result.stdout == "" and words in result.stderr


def test_evidence_of_many_pairs_is_that_of_each(base):
    with readable(base) as store:
        pairs = find_pairs(store, PairFilter())
        together = all_statements(store, pairs)
        assert together == {p.key: statements(store, p) for p in pairs}


def test_the_command_prints_pairs_with_their_sentences(base, cli):
    result = cli("knowledge", "query", base, "--new")
    assert result.exit_code == 0, result.output
    first, second = result.stdout.splitlines()
    assert first == "0.700  new         Camellia sinensis | 3-O-methylquercetin  (1 publication, 2010)"
    assert second.strip() == "3'-O-methylquercetin and 3-O-methylquercetin of Camellia sinensis. [doi:10.1000/y]"


def test_figures_count_pairs_years_and_what_was_found_again(base, cli):
    with readable(base) as store:
        found = measure(store)
    assert found.counts["documents"] == 5 and found.counts["pairs"] == 4 and found.counts["compounds in the index"] == 3
    assert {name: each.pairs for name, each in found.statuses.items()} == {
        **{"disputed": 1, "known": 1},
        **{"new": 1, "not linked": 1},
    }
    assert found.years == {2001: (1, 0), 2010: (2, 1), 2012: (1, 0)}
    # Of these DOIs the index has usnic acid of Usnea (found again) and epicatechin of Camellia (not).
    assert (found.coverage.publications, found.coverage.pairs, found.coverage.found) == (2, 2, 1)
    result = cli("knowledge", "stats", base)
    assert (
        "of the 2 pairs that lotus.sqlite has from 2 of these publications 1 (50.0%) were found again" in result.stdout
    )
    assert json.loads(cli("knowledge", "stats", base, "--json").stdout)["coverage"]["share"] == 0.5


@pytest.mark.parametrize("format", FORMATS)
def test_publications_are_found_by_the_pmids_that_the_index_has(tmp_path, format):
    """Their documents have no DOI: what the index knows of them is compared all the same."""
    world = World(tmp_path)
    build_index(tmp_path / "lotus.csv", world.index, Context(), pmids={"10.1000/a": "501", "10.1000/c": "503"})
    world.write([replace(d, doi=None, pmid={"1": "501", "4": "0503"}.get(d.id, d.id)) for d in DOCUMENTS], RELATIONS)
    with readable(world.base(format)) as store:
        found = measure(store)
    assert {name: each.pairs for name, each in found.statuses.items()} == {
        **{"disputed": 1, "known": 1},
        **{"new": 1, "not linked": 1},
    }
    assert (found.coverage.publications, found.coverage.pairs, found.coverage.found) == (2, 2, 1)


def exported(path, out, format, **wanted):
    with readable(path) as store:
        report = export(store, out, format, PairFilter(**wanted))
    return out.read_text(encoding="utf-8"), report


def test_quickstatements_are_new_sure_and_sourced(world, base, format, tmp_path):
    text, report = exported(base, tmp_path / "x.qs", "quickstatements", min_probability=0.5)
    assert text == 'Q2\tP703\tQ12\tS356\t"10.1000/Y"\n'
    assert report.held_back == {"known": 1, "disputed": 1, "not linked": 1}
    text, report = exported(base, tmp_path / "x.qs", "quickstatements")
    assert text == "" and report.held_back == {"known": 1, "not linked": 1}  # 0.9 where nothing is asked for
    world.build(base, format, verdicts=[Verdicts("3", "ana", [])])
    text, report = exported(base, tmp_path / "x.qs", "quickstatements", min_probability=0.5)
    assert text == "" and report.held_back["rejected by a curator"] == 1


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "\t=", "'=", " ="])
@pytest.mark.parametrize("kind", ["csv", "tsv"])
def test_no_cell_is_a_formula(world, tmp_path, sign, kind):
    """Whatever a spreadsheet would compute gets an apostrophe, in every cell."""
    name = f"{sign}HYPERLINK(1)"
    made = document("9", f"{name} was isolated from {name}x.", "10.1000/9")
    world.write([made], {"9": [(f"{name}x", name, 0.9)]})
    path = tmp_path / "np.sqlite"
    world.build(path, "sqlite")
    text, _ = exported(path, tmp_path / f"x.{kind}", kind)
    rows = list(csv.reader(io.StringIO(text), delimiter="," if kind == "csv" else "\t"))
    assert len(rows) == 2 and len(rows[0]) == len(rows[1])
    assert not any(
        cell.lstrip("\t '\"")[:1] in ("=", "+", "-", "@") and not cell.lstrip().startswith("'") for cell in rows[1]
    )
    assert any("HYPERLINK" in cell for cell in rows[1])


def test_json_ld_has_curies_that_its_context_explains(base, tmp_path):
    text, _ = exported(base, tmp_path / "x.jsonld", "jsonld")
    value = json.loads(text)
    statements = [node for node in value["@graph"] if node.get("@type") == "rdf:Statement"]
    known = next(node for node in statements if node["status"] == "known")
    assert (known["subject"], known["predicate"], known["object"]) == ("wikidata:Q1", "wdt:P703", "NCBITaxon:192174")
    assert known["source"] == ["wikidata:Q100", "doi:10.1000/x"]
    prefixes = {name for name, meaning in value["@context"].items() if isinstance(meaning, str)}
    for node in value["@graph"]:
        for iri in [node.get("@id"), node.get("subject"), node.get("object"), *node.get("source", [])]:
            assert iri is None or (iri.partition(":")[0] in prefixes and " " not in iri)


def test_json_lines_hold_all_evidence(base, tmp_path):
    text, report = exported(base, tmp_path / "x.jsonl", "jsonl", organism="Usnea barbata")
    (record,) = [json.loads(line) for line in text.splitlines()]
    assert report.written == 1 and [each["document"] for each in record["evidence"]] == ["1", "2"]


def test_the_command_says_what_it_held_back(base, cli, tmp_path):
    result = cli("knowledge", "export", base, "--out", tmp_path / "new.qs", "--min-probability", "0.5")
    assert result.exit_code == 0, result.output
    assert "1 statements of 1 pairs; held back: 1 disputed, 1 known, 1 not linked" in result.stderr
    result = cli("knowledge", "export", base, "--out", tmp_path / "new.csv", "--organism", "nobody")
    assert "no organism of the database goes by 'nobody'" in result.stderr


def test_documents_come_back_as_they_were_read(world, base):
    with readable(base) as store:
        ((one, said), (three, _)) = documents_of(store, ["1", "5", "none", "3"])
    assert (one.text, one.doi) == ("Title 1. Usnic acid was isolated from Usnea barbata.", "10.1000/a")
    (relation,) = said.relations
    assert (relation.organism, relation.chemical, relation.score, relation.status) == (*RELATIONS["1"][0], "known")
    assert relation.chemical_id == "wikidata:Q1" and three.id == "3"
    assert {(span.role, span.text) for span in relation.evidence} == {("organism", KNOWN[0]), ("chemical", KNOWN[1])}


def test_a_batch_is_new_probable_diverse_and_undecided(world, format):
    names = ("Salvia miltiorrhiza", "Camellia sinensis")
    made = [document(f"a{n}", f"Usnic acid of {names[0]} {n}.", f"10.1000/a{n}") for n in range(5)]
    made += [document("b", f"3-O-methylquercetin of {names[1]}.", "10.1000/bb"), document("c", "Nothing.", None)]
    relations = {each.id: [(names[0], "Usnic acid", 0.6)] for each in made[:5]}
    relations |= {"b": [(names[1], "3-O-methylquercetin", 0.6)], "c": []}
    world.write(made, relations)
    path = world.folder / f"own.{format}"
    world.build(path, format)
    with readable(path) as store:
        chosen = best_documents(store, PairFilter(new=True), 2)
        assert len(chosen) == 2 and "b" in chosen  # two organisms before five times the same
        assert len(best_documents(store, PairFilter(new=True), 100)) == 6
    world.build(path, format, verdicts=[Verdicts("b", "ana", [])])
    with readable(path) as store:
        assert "b" not in best_documents(store, PairFilter(new=True), 100)
        with pytest.raises(Exception, match="no document to push"):
            best_documents(store, PairFilter(status="known"), 5)


def test_push_takes_documents_or_a_database(cli, base, tmp_path):
    assert "expected documents, or --from" in cli("annotate", "push").stderr
    assert "and not both" in cli("annotate", "push", tmp_path / "d.jsonl", "--from", base).stderr
    assert "--pred" in cli("annotate", "push", "--from", base, "--pred", tmp_path / "p.jsonl").stderr


def test_too_few_answers_fit_nothing_and_many_fit_what_they_say():
    assert fit([0.9] * 40, [True] * 20 + [False] * 20) == Calibration(1.0, 0.0, 20, 20)
    assert not fit([0.9] * 100, [True] * 100).fitted
    scores = [0.6] * 200 + [0.9] * 200
    made = fit(scores, [n % 10 < 3 for n in range(200)] + [n % 10 < 8 for n in range(200)], 7)
    assert made(0.6) == pytest.approx(0.3, abs=0.02) and made(0.9) == pytest.approx(0.8, abs=0.02)
    assert (made.right, made.wrong, made.documents) == (220, 180, 7)
