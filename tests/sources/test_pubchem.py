"""PubChem synonyms: from a local PUG REST server, and from an Identifier Exchange file."""

import json
import string

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from werkzeug import Request, Response

from abroad.core.context import Context
from abroad.core.errors import AbroadError, InputError
from abroad.core.http import HttpSettings
from abroad.sources.kept import KeptAnswers
from abroad.sources.pubchem import fetch_synonyms, is_name, read_exchange, read_inchikeys
from abroad.sources.pubtator import fetch_bioc

RUTIN, QUERCETIN, UNKNOWN = (f"{letter * 14}-UHFFFAOYSA-N" for letter in "RQU")
COMPOUNDS = {
    RUTIN: (5280805, ["rutin", "Rutoside", "153-18-4", "CHEBI:28527"]),
    QUERCETIN: (5280343, ["quercetin", "Meletin"]),
}


@pytest.fixture
def pubchem(httpserver):
    """Answers as PUG REST does; `asked` counts requests, `faults` come first."""
    httpserver.asked, httpserver.faults = [], []

    def answer(request: Request) -> Response:
        httpserver.asked.append(dict(request.form))
        if httpserver.faults:
            return Response(httpserver.faults.pop(0), status=503)
        if "inchikey" in request.form:
            rows = [
                {"CID": COMPOUNDS[key][0], "InChIKey": key}
                for key in request.form["inchikey"].split(",")
                if key in COMPOUNDS
            ]
            if not rows:
                return Response(json.dumps({"Fault": {"Code": "PUGREST.NotFound"}}), status=404)
            return Response(json.dumps({"PropertyTable": {"Properties": rows}}))
        names = dict(COMPOUNDS.values())
        found = [{"CID": int(cid), "Synonym": names[int(cid)]} for cid in request.form["cid"].split(",")]
        return Response(json.dumps({"InformationList": {"Information": found}}))

    for path in ("/compound/inchikey/property/InChIKey/JSON", "/compound/cid/synonyms/JSON"):
        httpserver.expect_request(path, method="POST").respond_with_handler(answer)
    return httpserver


def settings(server, **values):
    return HttpSettings(base_url=server.url_for("").rstrip("/"), rate=1000, first_wait=0.01, **values)


def test_names_come_without_registry_numbers_and_are_asked_for_once(pubchem, tmp_path):
    cache = KeptAnswers("PubChem")
    expected = {RUTIN: ["rutin", "Rutoside"], QUERCETIN: ["quercetin", "Meletin"], UNKNOWN: []}
    assert fetch_synonyms([RUTIN, QUERCETIN, UNKNOWN], cache, settings(pubchem)) == expected
    assert len(pubchem.asked) == 2
    assert fetch_synonyms([RUTIN, UNKNOWN], cache, settings(pubchem)) == {RUTIN: ["rutin", "Rutoside"], UNKNOWN: []}
    assert len(pubchem.asked) == 2


def test_a_busy_server_is_asked_again_and_what_came_is_kept(pubchem, tmp_path):
    cache, said = KeptAnswers("PubChem"), []
    pubchem.faults += ["busy"]
    assert fetch_synonyms([RUTIN], cache, settings(pubchem), Context(say=said.append))[RUTIN]
    assert "HTTP 503" in said[0]
    pubchem.faults += ["busy"] * 9
    with pytest.raises(AbroadError, match="PubChem: HTTP 503 after 2 attempts"):
        fetch_synonyms([RUTIN, QUERCETIN], cache, settings(pubchem, attempts=2))
    pubchem.faults.clear()
    assert fetch_synonyms([RUTIN, QUERCETIN], cache, settings(pubchem))[QUERCETIN]
    assert pubchem.asked[-2]["inchikey"] == QUERCETIN


def test_nothing_known_is_no_error(pubchem, tmp_path):
    assert fetch_synonyms([UNKNOWN], KeptAnswers("PubChem"), settings(pubchem)) == {UNKNOWN: []}


@pytest.mark.parametrize(
    ("synonym", "name"),
    [
        ("Kaempferol 3-O-glucoside", True),
        ("(-)-epicatechin", True),
        ("153-18-4", False),
        ("CHEMBL226335", False),
        ("NSC-9220", False),
        ("UNII-5G06TVY3R7", False),
        (RUTIN, False),
        ("K3", False),
        ("5G06TVY3R7", False),
        ("Coenzyme Q", True),
        ("coenzymeQ1", True),
    ],
)
def test_what_is_a_name(synonym, name):
    assert is_name(synonym) is name


@given(st.text(string.ascii_letters, min_size=10, max_size=10))
@example("Kaempferol")
@example("COLCHICINE")
def test_ten_letters_are_a_name_and_no_code(name):
    assert is_name(name)


PAGE = "<html><body>Not Found</body></html>"
STRANGE = [
    (404, PAGE),
    (404, "{}"),
    (404, json.dumps({"detail": "Not Found"})),
    (404, json.dumps({"Fault": {"Code": "PUGREST.BadRequest"}})),
    (404, json.dumps({"Fault": "PUGREST.NotFound"})),
    (404, ""),
    (200, PAGE),
    (200, "{}"),
    (200, "null"),
    (200, "[]"),
    (200, '"x"'),
    (200, json.dumps({"PropertyTable": {"Properties": [1]}})),
    (200, json.dumps({"PropertyTable": None, "InformationList": None, "PubTator3": None})),
    (200, json.dumps({"Fault": {"Code": "PUGREST.NotFound"}})),
    (200, "[" * 100_000),
    (403, PAGE),
    (302, PAGE),
]


@pytest.mark.parametrize(("status", "body"), STRANGE)
@pytest.mark.parametrize("fetch", ["first", "second", "pubtator"])
def test_an_answer_that_is_not_the_servers_is_an_error_and_never_kept(httpserver, tmp_path, status, body, fetch):
    """Neither as "no such compound" of either request of PubChem's, nor as "no such article" of PubTator3's."""
    strange, cache = Response(body, status=status), KeptAnswers("any")
    rows = Response(json.dumps({"PropertyTable": {"Properties": [{"CID": 1, "InChIKey": RUTIN}]}}))
    first = rows if fetch == "second" else strange
    httpserver.expect_request("/compound/inchikey/property/InChIKey/JSON").respond_with_response(first)
    httpserver.expect_request("/compound/cid/synonyms/JSON").respond_with_response(strange)
    httpserver.expect_request("/publications/export/biocjson").respond_with_response(strange)
    ask = fetch_bioc if fetch == "pubtator" else fetch_synonyms
    with pytest.raises(AbroadError):
        ask(["11" if fetch == "pubtator" else RUTIN], cache, settings(httpserver, attempts=2))
    assert cache.get(["11", RUTIN]) == {}


def test_an_exchange_file_and_the_table_it_becomes(cli, tmp_path):
    file = tmp_path / "exchange.txt"
    file.write_text(f"{RUTIN}\trutin\n{RUTIN}\tRutoside\n{QUERCETIN}\t\nno key\trutin\n{RUTIN}\trutin\n")
    context = Context()
    assert read_exchange(file, context) == {RUTIN: ["rutin", "Rutoside", "rutin"]}
    assert [item["where"] for item in context.rejects.items] == [f"{file}:4"]
    result = cli("lotus", "synonyms", file, "--exchange", "--out", tmp_path / "names.tsv")
    assert result.exit_code == 0
    assert (tmp_path / "names.tsv").read_text() == f"name\tinchikey\nrutin\t{RUTIN}\nRutoside\t{RUTIN}\n"
    file.write_text("nothing here\n")
    with pytest.raises(InputError, match="no InChIKey with a synonym"):
        read_exchange(file, Context())


def test_keys_of_a_table_or_a_list(tmp_path):
    table, list_ = tmp_path / "t.csv", tmp_path / "keys.txt"
    table.write_text(f"structure_inchikey,x\n{RUTIN},1\n{RUTIN},2\nrutin,3\n")
    list_.write_text(f"{QUERCETIN}\n\n{RUTIN}\n")
    context = Context()
    assert read_inchikeys(table, context) == [RUTIN] and "no InChIKey" in context.rejects.items[0]["reason"]
    assert read_inchikeys(list_, context) == [QUERCETIN, RUTIN]
