"""A database of another field: it keeps its field, and what is asked, exported, shown and curated goes by it."""

import csv
import json

import pytest

from abroad.core.context import Context
from abroad.core.entities import Entity, Triple
from abroad.core.errors import InputError
from abroad.core.field import built_in_field, load_field
from abroad.core.io import write_documents, write_jsonl
from abroad.core.schema import Document, Prediction, Relation
from abroad.knowledge.build import BuildSettings, Sources, Verdicts, build
from abroad.knowledge.curation import best_documents, documents_of
from abroad.knowledge.export import export
from abroad.knowledge.query import PairFilter, find_pairs, statements, why_nothing
from abroad.knowledge.stats import measure
from abroad.knowledge.store import readable
from abroad.text.evidence import find_evidence

FIELD = """
name: remedies
title: Remedies
entities:
  bacterium: {singular: bacterium, plural: bacteria, names: builtin, linking: taxonomy, colour: "#123456"}
  drug: {singular: drug, plural: drugs}
  symptom: {singular: symptom, plural: symptoms}
relations:
  makes: {head: bacterium, tail: drug, template: "{head} makes {tail}", wikidata: {id: P703, subject: tail}}
  relieves: {head: drug, tail: [symptom, drug], template: "{head} relieves {tail}"}
  interacts_with: {head: drug, tail: drug, directed: false, template: "{head} interacts with {tail}"}
  goes_with: {head: drug, tail: symptom, directed: false, template: "{head} goes with {tail}"}
"""
TEXTS = {
    "1": "Fictamycin was made by Escherichia coli. Fictamycin relieves headache and interacts with Placebol.",
    "2": "Placebol interacts with fictamycin; headache goes with Placebol.",
    "3": "E. coli is Escherichia coli. It makes FICTAMYCIN. Placebol goes with headache.",
}
RELATIONS = {
    "1": [
        ("Escherichia coli", "makes", "Fictamycin", "bacterium", "drug"),
        ("Fictamycin", "relieves", "headache", "drug", "symptom"),
        ("Fictamycin", "interacts_with", "Placebol", "drug", "drug"),
    ],
    "2": [
        ("Placebol", "interacts_with", "fictamycin", "drug", "drug"),
        ("headache", "goes_with", "Placebol", "symptom", "drug"),
    ],
    "3": [
        ("E. coli", "makes", "FICTAMYCIN", "", ""),
        ("Placebol", "goes_with", "headache", "drug", "symptom"),
    ],
}
ALL = [
    ("Escherichia coli", "makes", "Fictamycin", 2),
    ("Fictamycin", "interacts_with", "Placebol", 2),
    ("Fictamycin", "relieves", "headache", 1),
    ("Placebol", "goes_with", "headache", 2),
]


def prediction(document, relations, score=0.8):
    found = []
    for head, type, tail, head_type, tail_type in relations:
        relation = Relation(head, tail, score, type=type, head_type=head_type, tail_type=tail_type)
        relation.evidence = find_evidence(document, head, tail, relation.roles)
        found.append(relation)
    return Prediction(document.id, found)


class Remedies:
    """Files of the field, and a database of them."""

    def __init__(self, folder, format):
        self.folder, self.format, self.base = folder, format, folder / f"own.{format}"
        self.file = folder / "remedies.yaml"
        self.file.write_text(FIELD)
        self.field = load_field(self.file)
        self.documents = [Document(id, f"Title {id}.", text, pmid=id) for id, text in TEXTS.items()]
        self.write(RELATIONS)

    def write(self, relations):
        write_documents(self.folder / "d.jsonl", self.documents)
        own = [prediction(d, relations[d.id]).to_dict() for d in self.documents if d.id in relations]
        write_jsonl(self.folder / "p.jsonl", own)

    def build(self, field=True, verdicts=()):
        context = Context()
        field = self.field if field is True else field
        sources = Sources([self.folder / "p.jsonl"], [self.folder / "d.jsonl"], None, verdicts, field)
        return build(self.base, self.format, sources, BuildSettings(opsin=False), context), context

    def pairs(self, **wanted):
        with readable(self.base) as store:
            return sorted(
                (p.head.name, p.relation, p.tail.name, p.publications) for p in find_pairs(store, PairFilter(**wanted))
            )


@pytest.fixture(params=["duckdb", "sqlite", "parquet"])
def remedies(request, tmp_path):
    pytest.importorskip("duckdb")
    made = Remedies(tmp_path, request.param)
    report, context = made.build()
    assert (report.added, len(context.rejects), report.compares) == (3, 0, False)
    return made


def test_several_relations_of_several_types_and_either_way(remedies):
    """A-B is B-A where the field says so, between two types or of one; types that a record lacks follow."""
    assert remedies.pairs() == ALL
    report, _ = remedies.build(field=None)  # it has its field
    assert report.unchanged == 3 and remedies.pairs() == ALL


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({"head": "escherichia coli"}, ALL[:1]),
        ({"head": "NCBITaxon:562"}, ALL[:1]),
        ({"head": "taxid:562"}, ALL[:1]),
        ({"tail": "fictamycin"}, ALL[:2]),
        ({"head": "placebol"}, [ALL[1], ALL[3]]),
        ({"tail": "placebol"}, [ALL[1], ALL[3]]),
        ({"tail": "Headache"}, ALL[2:]),
        ({"relation": "relieves"}, ALL[2:3]),
        ({"taxon": "Escherichia"}, ALL[:1]),
        ({"new": True}, []),
        ({"min_publications": 2, "relation": "interacts_with"}, ALL[1:2]),
    ],
)
def test_a_query_goes_by_either_side_and_the_relation(remedies, wanted, found):
    assert remedies.pairs(**wanted) == found


@pytest.mark.parametrize("option", ["organism", "compound"])
def test_words_of_natural_products_are_refused_with_those_of_the_field(remedies, cli, option):
    result = cli("knowledge", "query", remedies.base, f"--{option}", "x")
    assert result.exit_code == 2
    assert f"--{option}: a database of the field remedies: expected --head (bacterium or drug" in result.stderr
    result = cli("knowledge", "query", remedies.base, "--relation", "cures")
    assert result.exit_code == 2 and "expected one of: makes, relieves, interacts_with, goes_with" in result.stderr
    with readable(remedies.base) as store:
        assert why_nothing(store, PairFilter(tail="fictamycine")) == (
            "no drug or symptom of the database goes by 'fictamycine'; did you mean Fictamycin?"
        )


def test_the_commands_say_the_words_of_the_field(remedies, cli, tmp_path):
    shown = cli("knowledge", "query", remedies.base, "--head", "Escherichia coli")
    assert "Escherichia coli makes Fictamycin  (2 publications)" in shown.stdout
    figures = json.loads(cli("knowledge", "stats", remedies.base, "--json").stdout)["counts"]
    assert (figures["bacteria"], figures["drugs"], figures["symptoms"], figures["pairs"]) == (1, 2, 1, 4)
    assert figures["pairs, makes"] == 1 and "drugs in the index" not in figures
    again = cli("knowledge", "build", tmp_path / "p.jsonl", "--documents", tmp_path / "d.jsonl", "--out", remedies.base,
                "--field", remedies.file, "--format", remedies.format)  # fmt: skip
    assert again.exit_code == 0 and "3 unchanged" in again.stderr, again.stderr


def exported(path, out, format):
    with readable(path) as store:
        return export(store, out, format, PairFilter()), out.read_text()


def test_exports_have_head_type_relation_and_tail(remedies, tmp_path):
    _, text = exported(remedies.base, tmp_path / "x.csv", "csv")
    rows = list(csv.DictReader(text.splitlines()))
    made = next(row for row in rows if row["relation"] == "makes")
    assert [made[name] for name in ("head", "head_type", "head_id", "tail", "tail_type")] == [
        *("Escherichia coli", "bacterium", "NCBITaxon:562", "Fictamycin", "drug")
    ]
    _, text = exported(remedies.base, tmp_path / "x.jsonl", "jsonl")
    assert {(r["head"], r["relation"], r["tail"]) for r in map(json.loads, text.splitlines())} == {p[:3] for p in ALL}
    _, text = exported(remedies.base, tmp_path / "x.jsonld", "jsonld")
    said = {node["predicate"]: node for node in json.loads(text)["@graph"] if "predicate" in node}
    assert set(said) == {"wdt:P703", *(f"abroad:remedies/{name}" for name in list(remedies.field.relations)[1:])}
    assert said["wdt:P703"]["object"] == "NCBITaxon:562"  # of the tail, says the property


def test_quickstatements_are_for_relations_with_a_property(remedies, tmp_path, cli):
    report, text = exported(remedies.base, tmp_path / "x.qs", "quickstatements")
    assert text == "" and report.held_back == {"not linked": 1, "without a property of Wikidata": 2}
    remedies.file.write_text(FIELD.replace(", wikidata: {id: P703, subject: tail}", ""))
    result = cli("knowledge", "build", tmp_path / "p.jsonl", "--documents", tmp_path / "d.jsonl", "--field",
                 remedies.file, "--out", tmp_path / "without.sqlite")  # fmt: skip
    assert result.exit_code == 0, result.stderr
    result = cli("knowledge", "export", tmp_path / "without.sqlite", "--out", tmp_path / "y.qs")
    assert result.exit_code == 2 and "none of its relations has a property of Wikidata" in result.stderr


def test_documents_go_to_curators_with_types(remedies):
    with readable(remedies.base) as store:
        chosen = best_documents(store, PairFilter(), 3)
        both = dict((document.id, said) for document, said in documents_of(store, chosen))
    assert sorted(chosen) == ["1", "2", "3"]
    shown = [(r.head, r.type, r.tail, r.head_type, r.tail_type) for r in both["1"].relations]
    assert set(shown) == set(RELATIONS["1"])
    flipped = next(r for r in both["2"].relations if r.type == "goes_with")  # as the field has its sides
    assert (flipped.head, flipped.head_type, flipped.tail) == ("Placebol", "drug", "headache")
    assert {(e.role, e.text) for e in flipped.evidence} >= {("head", "Placebol"), ("tail", "headache")}
    either = next(r for r in both["2"].relations if r.type == "interacts_with")  # as the text has its sides
    assert (either.head, either.tail) == ("Placebol", "fictamycin")


def test_answers_of_curators_count_either_way_where_the_field_says_so(remedies):
    stands = [("fictamycin", "interacts_with", "Placebol"), ("Placebol", "relieves", "headache")]
    remedies.build(verdicts=[Verdicts("2", "ana", stands, at="2024-01-02"), Verdicts("1", "ana", [("a", "b")])])
    with readable(remedies.base) as store:
        said = {p.relation: (p.accepted, p.rejected) for p in find_pairs(store, PairFilter())}
    assert said == {"makes": (0, 0), "interacts_with": (1, 0), "relieves": (0, 0), "goes_with": (0, 1)}


def test_labels_of_documents_count_too(remedies):
    one = remedies.documents[0]
    one.entities = [Entity("a", "Fictamycin", type="drug"), Entity("b", "headache", type="symptom")]
    one.relations = [Triple("a", "relieves", "b")]
    remedies.write(RELATIONS)
    remedies.build()
    with readable(remedies.base) as store:
        said = {p.relation: (p.accepted, p.rejected) for p in find_pairs(store, PairFilter())}
    assert said["relieves"] == (1, 0) and said["makes"] == (0, 1)


@pytest.mark.parametrize(
    ("relation", "reason"),
    [
        (("a", "cures", "b", "drug", "symptom"), "drug cures symptom: expected a relation of the field remedies"),
        (("a", "relieves", "b", "symptom", "drug"), "symptom relieves drug: expected drug and symptom or drug"),
        (("a", "relieves", "b", "", ""), "expected drug and symptom or drug"),
        (("a", "produces", "b", "organism", "chemical"), "expected a relation of the field remedies"),
    ],
)
def test_a_record_that_the_field_has_no_place_for_is_set_aside(remedies, relation, reason):
    before = remedies.pairs()
    remedies.documents.append(Document("4", "Title.", "a and b", pmid="4"))
    write_documents(remedies.folder / "d.jsonl", remedies.documents)
    record = prediction(remedies.documents[-1], [relation]).to_dict()
    others = [prediction(d, RELATIONS[d.id]).to_dict() for d in remedies.documents[:3]]
    write_jsonl(remedies.folder / "p.jsonl", [*others, record] if relation[1] != "produces" else [record])
    if relation[1] == "produces":
        with pytest.raises(InputError, match=reason):
            remedies.build()
    else:
        _, context = remedies.build()
        assert [reason in each["reason"] for each in context.rejects.items] == [True]
    assert remedies.pairs() == before


def test_two_fields_are_not_mixed(remedies, world, format):
    with pytest.raises(InputError, match="a database of the field remedies, not of natural_products"):
        remedies.build(field=built_in_field())
    base = world.base(format)
    sources = Sources([remedies.folder / "p.jsonl"], [remedies.folder / "d.jsonl"], world.index)
    with pytest.raises(InputError, match="this step cannot read other fields"):
        build(base, format, sources, BuildSettings(opsin=False), Context())
    with pytest.raises(InputError, match="a database of the field natural_products, not of remedies"):
        build(base, format, Sources([], [], None, (), remedies.field), BuildSettings(), Context())
    own = Sources([world.predictions], [world.documents])
    with pytest.raises(
        InputError, match=r"predictions\.jsonl: 1: organism produces chemical: expected a relation of the"
    ):
        build(remedies.base, remedies.format, own, BuildSettings(opsin=False), Context())  # those without any neither
    assert remedies.pairs() == ALL
    remedies.file.write_text(FIELD.replace("head: bacterium, tail: drug", "head: drug, tail: bacterium"))
    with pytest.raises(InputError, match="the relations of the field remedies are other ones now"):
        remedies.build(field=load_field(remedies.file))


def test_pages_have_words_and_colours_of_the_field(remedies):
    pytest.importorskip("fastapi")
    from starlette.testclient import TestClient

    from abroad.knowledge.browse.app import make_app
    from tests.knowledge.test_browse import FakeDesk, text_of, token_of

    desk = FakeDesk()
    client = TestClient(make_app(remedies.base, desk), base_url="http://127.0.0.1:8321")
    front = client.get("/")
    assert "4 pairs of bacterium, drug and symptom" in text_of(front) and "interacts with" in text_of(front)
    assert "mark.type-bacterium { background: #12345633" in client.get("/style.css").text
    assert "drug" in text_of(client.get("/search?q=placebo"))
    entity = text_of(client.get("/entity?id=drug/name:fictamycin"))
    assert "makes" in entity and "relieves" in entity and "interacts with" in entity
    both = {"head": "drug/name:fictamycin", "tail": "drug/name:placebol", "relation": "interacts_with"}
    page = client.get("/pair", params=both)
    assert page.status_code == 200 and '<mark class="type-drug"' in page.text and "No index can say" in page.text
    assert client.get("/pair", params=both | {"relation": "relieves"}).status_code == 404
    sent = client.post("/pair", data=both | {"token": token_of(page), "action": "send"})
    assert sent.status_code == 200 and sorted(desk.sent[0][0]) == ["1", "2"]
    assert client.get("/curate", params=both).status_code == 200
    assert '<mark class="type-bacterium">bacterium</mark>' in client.get("/document?id=1").text


def test_statements_are_of_one_relation(remedies):
    with readable(remedies.base) as store:
        pair = next(p for p in find_pairs(store, PairFilter(relation="interacts_with")))
        assert {(s.head_text, s.tail_text) for s in statements(store, pair)} == {
            *(("Fictamycin", "Placebol"), ("Placebol", "fictamycin"))
        }
        assert measure(store).coverage.share is None
