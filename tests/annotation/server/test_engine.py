"""The embedded search engine over HTTP, with Argilla's SDK as the client.

What is expected follows the Elasticsearch engine of argilla-server 2.8.0 (`search_engine/commons.py`).
"""

from types import SimpleNamespace

import pytest

rg = pytest.importorskip("argilla")

FIELDS = ("id", "title", "abstract", "kingdom", "relations", "lowest", "kind", "quality", "topics", "vector")
RECORDS = [
    ("a", "Lichen acids", "Usnic acid from Usnea testalis.", "Fungi", 3, 0.9, "yes", 5, ["acid", "lichen"], [1.0, 0.0]),
    ("b", "Ruta coumarins", "Scopoletin was found in Ruta.", "Plantae", 1, 0.5, "yes", 3, ["coumarin"], [0.0, 1.0]),
    ("c", "Plate readers", "No compound; an acid wash only.", "Plantae", 0, None, "no", 1, ["acid"], [-1.0, 0.0]),
    ("d", "β-Carotene", "(-)-Epicatechin <b>& acid</b> acid acid.", None, 2, 0.1, "yes", 4, [], [1.0, 1.0]),
]  # fmt: skip


def settings():
    return rg.Settings(
        fields=[rg.TextField(name="title"), rg.TextField(name="abstract")],
        questions=[
            rg.LabelQuestion(name="kind", labels=["yes", "no"]),
            rg.MultiLabelQuestion(name="topics", labels=["acid", "lichen", "coumarin"], required=False),
            rg.RatingQuestion(name="quality", values=[1, 2, 3, 4, 5], required=False),
            rg.TextQuestion(name="note", required=False),
            rg.SpanQuestion(name="entities", field="abstract", labels=["organism", "chemical"], required=False),
            rg.RankingQuestion(name="order", values=["x", "y"], required=False),
        ],
        metadata=[
            rg.TermsMetadataProperty(name="kingdom"),
            rg.IntegerMetadataProperty(name="relations"),
            rg.FloatMetadataProperty(name="lowest"),
        ],
        vectors=[rg.VectorField(name="meaning", dimensions=2)],
        distribution=rg.TaskDistribution(min_submitted=2),
    )


def record(row):
    of = SimpleNamespace(**dict(zip(FIELDS, row, strict=True)))
    suggestions = [
        rg.Suggestion("kind", of.kind, score=of.lowest, agent="smollm2" if of.id in "ab" else "gold", type="model"),
        rg.Suggestion("quality", of.quality, score=0.5),
    ]
    if of.topics:
        suggestions.append(rg.Suggestion("topics", of.topics, score=[0.3] * len(of.topics)))
    if of.id == "a":
        span = {"start": 0, "end": 10, "label": "chemical"}
        suggestions += [rg.Suggestion("entities", [span]), rg.Suggestion("note", "a note")]
    metadata = {"kingdom": of.kingdom, "relations": of.relations, "lowest": of.lowest}
    return rg.Record(
        id=of.id,
        fields={"title": of.title, "abstract": of.abstract},
        metadata={name: value for name, value in metadata.items() if value is not None},
        vectors={"meaning": of.vector},
        suggestions=suggestions,
    )


@pytest.fixture(scope="module")
def place(annotation_server):
    """A dataset with the records above; marie: a submitted, b draft; paul: a discarded, c and b submitted."""
    marie, paul = (annotation_server.curator(name, "engine") for name in ("engine-marie", "engine-paul"))
    client = annotation_server.connect()
    dataset = rg.Dataset(name="engine", workspace="engine", settings=settings(), client=client).create()
    dataset.records.log([record(row) for row in RECORDS])
    ids = {found.id: found._server_id for found in dataset.records()}
    place = SimpleNamespace(client=client, marie=marie, paul=paul, dataset=dataset, ids=ids)
    respond(marie, ids["a"], "submitted", kind="yes", quality=5, topics=["acid", "lichen"])
    respond(marie, ids["b"], "draft", kind="no", quality=2)
    respond(paul, ids["a"], "discarded")
    respond(paul, ids["c"], "submitted", kind="no", quality=1, topics=["acid"])
    respond(paul, ids["b"], "submitted", kind="yes", quality=4)
    return place


def respond(client, record_id, status, **values):
    body = {"status": status, "values": {name: {"value": value} for name, value in values.items()}}
    if status == "discarded":
        body["values"] = None
    answer = client.http_client.post(f"/api/v1/records/{record_id}/responses", json=body)
    assert answer.status_code == 201, answer.text


def scope(name):
    entity, _, rest = name.partition(".")
    if entity == "metadata":
        return {"entity": entity, "metadata_property": rest}
    if entity == "record":
        return {"entity": entity, "property": rest}
    question, _, of = rest.partition(".")
    if entity == "response":
        return (
            {"entity": entity, "property": "status"}
            if question == "status"
            else {"entity": entity, "question": question}
        )
    return {"entity": entity, "question": question, "property": of or "value"}


def ask(place, by=None, text=None, field=None, terms=None, between=None, sort=None, vector=None, limit=50, offset=0):
    """The answer to a search, as the web page sends it: of all responses, or of the curator `by`."""
    body = {}
    if text is not None:
        body.setdefault("query", {})["text"] = {"q": text, **({"field": field} if field else {})}
    if vector:
        body.setdefault("query", {})["vector"] = {"name": "meaning", **vector}
    filters = [{"type": "terms", "scope": scope(name), "values": values} for name, values in (terms or {}).items()]
    filters += [
        {"type": "range", "scope": scope(name), "ge": low, "le": high} for name, (low, high) in (between or {}).items()
    ]
    if filters:
        body["filters"] = {"and": filters}
    if sort:
        body["sort"] = [{"scope": scope(name), "order": order} for name, order in sort]
    path = f"/api/v1/{'me/' if by else ''}datasets/{place.dataset.id}/records/search"
    return (by or place.client).http_client.post(path, json=body, params={"limit": limit, "offset": offset})


def found(place, *arguments, **search):
    answer = ask(place, *arguments, **search)
    assert answer.status_code == 200, answer.text
    return "".join(item["record"]["external_id"] for item in answer.json()["items"])


def found_set(place, *arguments, **search):
    return set(found(place, *arguments, **search))


# Text


@pytest.mark.parametrize(
    "text, expected",
    [
        ("acid", "acd"),
        ("ACID", "acd"),
        ("acid usnea", "a"),
        ("lichen usnic", "a"),  # words may stand in different fields
        ("usnea | ruta", "ab"),
        ("acid -usnea", "cd"),
        ('"acid wash"', "c"),
        ('"wash acid"', ""),
        ("scopol*", "b"),
        ("scopol", ""),
        ("β-carotene", "d"),
        ("(-)-epicatechin", "d"),
        ("nothing", ""),
        ("...", ""),
        ("\"unbalanced AND ( ' ; NOT *", ""),
        ("usnea testalis.", "a"),
    ],
)
def test_text_is_found_as_it_is_typed(place, text, expected):
    assert found_set(place, text=text) == set(expected)


def test_text_in_one_field_only(place):
    assert found_set(place, text="ruta", field="title") == {"b"}
    assert found_set(place, text="usnea", field="title") == set()


def test_the_record_that_is_most_about_a_word_comes_first_with_its_score(place):
    items = ask(place, text="acid").json()["items"]
    assert items[0]["record"]["external_id"] == "d"
    scores = [item["query_score"] for item in items]
    assert scores == sorted(scores, reverse=True) and scores[-1] > 0


def test_a_search_for_unwanted_words_only_is_refused_with_words(place):
    answer = ask(place, text="-acid")
    assert answer.status_code == 422
    assert "must occur" in answer.text


def test_a_field_that_is_none_is_refused(place):
    assert ask(place, text="acid", field="nonsense").status_code == 422


def test_injected_html_stays_text(place):
    item = ask(place, text="epicatechin").json()["items"][0]
    assert item["record"]["fields"]["abstract"] == "(-)-Epicatechin <b>& acid</b> acid acid."


def test_text_follows_changes_and_deletions_of_records(place):
    workspace = place.dataset.workspace
    other = rg.Dataset(name="changing", workspace=workspace, settings=settings(), client=place.client).create()
    changing = SimpleNamespace(client=place.client, dataset=other)
    other.records.log([record(row) for row in RECORDS])
    other.records.log([rg.Record(id="a", fields={"title": "Anew", "abstract": "Quercetin."})])
    assert found(changing, text="usnea") == ""
    assert found(changing, text="quercetin") == "a"
    other.records.delete([one for one in other.records() if one.id == "b"])
    assert found(changing, text="ruta") == ""
    assert found_set(changing) == {"a", "c", "d"}
    other.delete()
    assert found_set(place, text="acid") == {"a", "c", "d"}


# Filters


@pytest.mark.parametrize(
    "search, expected",
    [
        ({"terms": {"metadata.kingdom": ["Plantae"]}}, "bc"),
        ({"terms": {"metadata.kingdom": ["Plantae", "Fungi"]}}, "abc"),
        ({"terms": {"metadata.kingdom": ["Animalia"]}}, ""),
        ({"between": {"metadata.relations": (1, 2)}}, "bd"),
        ({"between": {"metadata.relations": (None, 0)}}, "c"),
        ({"between": {"metadata.lowest": (0.5, None)}}, "ab"),
        ({"between": {"metadata.lowest": (0.1, 0.5)}}, "bd"),
        ({"terms": {"metadata.kingdom": ["Plantae"]}, "between": {"metadata.relations": (1, None)}}, "b"),
        ({"terms": {"metadata.kingdom": ["Plantae"]}, "text": "acid"}, "c"),
        ({"terms": {"suggestion.kind": ["yes"]}}, "abd"),
        ({"terms": {"suggestion.topics": ["acid"]}}, "ac"),
        ({"terms": {"suggestion.topics": ["lichen", "coumarin"]}}, "ab"),
        ({"between": {"suggestion.quality": (3, 4)}}, "bd"),
        ({"terms": {"suggestion.quality": ["5"]}}, "a"),
        ({"terms": {"suggestion.entities": ["chemical"]}}, "a"),
        ({"terms": {"suggestion.note": ["a note"]}}, "a"),
        ({"between": {"suggestion.kind.score": (0.4, 0.8)}}, "b"),
        ({"between": {"suggestion.topics.score": (0.2, 0.4)}}, "abc"),
        ({"terms": {"suggestion.kind.agent": ["smollm2"]}}, "ab"),
        ({"terms": {"suggestion.kind.type": ["model"]}}, "abcd"),
        ({"terms": {"suggestion.kind.type": ["human"]}}, ""),
        ({"terms": {"record.status": ["pending"]}}, "abcd"),
        ({"terms": {"record.status": ["completed"]}}, ""),
        ({"terms": {"record.external_id": ["a", "d"]}}, "ad"),
        ({"between": {"record.inserted_at": ("2020-01-01T00:00:00", None)}}, "abcd"),
        ({"between": {"record.inserted_at": (None, "2020-01-01T00:00:00Z")}}, ""),
        ({"between": {"record.inserted_at": (None, 1577836800000)}}, ""),
        ({"terms": {"response.kind": ["yes"]}}, "ab"),
        ({"terms": {"response.topics": ["acid"]}}, "ac"),
        ({"between": {"response.quality": (4, 5)}}, "ab"),
        ({"terms": {"response.status": ["submitted"]}}, "abc"),
        ({"terms": {"response.status": ["draft"]}}, "b"),
        ({"terms": {"response.status": ["discarded"]}}, "a"),
        ({"terms": {"response.status": ["pending"]}}, "d"),
        ({"terms": {"response.status": ["pending", "draft"]}}, "bd"),
    ],
    ids=str,
)
def test_filters(place, search, expected):
    assert found_set(place, **search) == set(expected)


@pytest.mark.parametrize(
    "search, of_marie, of_paul",
    [
        ({"terms": {"response.status": ["pending"]}}, "cd", "d"),
        ({"terms": {"response.status": ["draft"]}}, "b", ""),
        ({"terms": {"response.status": ["submitted"]}}, "a", "bc"),
        ({"terms": {"response.status": ["discarded"]}}, "", "a"),
        ({"terms": {"response.status": ["pending", "draft"]}}, "bcd", "d"),
        ({"terms": {"response.status": ["pending"]}, "text": "acid"}, "cd", "d"),
        ({"terms": {"response.kind": ["no"]}}, "b", "c"),
        ({"terms": {"response.kind": ["yes"], "response.status": ["submitted"]}}, "a", "b"),
        ({"between": {"response.quality": (4, 5)}}, "a", "b"),
    ],
    ids=str,
)
def test_a_curator_sees_own_responses_only(place, search, of_marie, of_paul):
    assert found_set(place, by=place.marie, **search) == set(of_marie)
    assert found_set(place, by=place.paul, **search) == set(of_paul)


def test_a_record_by_its_id_on_the_server(place):
    assert found(place, terms={"record.id": [str(place.ids["c"])]}) == "c"


def test_an_impossible_time_is_refused_with_words(place):
    answer = ask(place, between={"record.inserted_at": ("yesterday", None)})
    assert answer.status_code == 422 and "expected a time" in answer.text


@pytest.mark.parametrize("name", ["metadata.nonsense", "suggestion.nonsense", "response.nonsense"])
def test_a_filter_on_what_is_not_there_is_refused(place, name):
    assert ask(place, terms={name: ["x"]}).status_code in (404, 422)


# Order


@pytest.mark.parametrize(
    "sort, expected",
    [
        (None, "abcd"),
        ([("record.inserted_at", "desc")], "dcba"),
        ([("metadata.relations", "asc")], "cbda"),
        ([("metadata.lowest", "desc")], "abdc"),
        ([("metadata.lowest", "asc")], "dbac"),  # what has no value comes last both ways
        ([("metadata.kingdom", "asc"), ("record.external_id", "desc")], "acbd"),
        ([("suggestion.quality", "desc")], "adbc"),
        ([("suggestion.kind.score", "asc")], "dbac"),
        ([("response.quality", "desc")], "abcd"),
        ([("record.status", "asc"), ("record.external_id", "desc")], "dcba"),
    ],
    ids=str,
)
def test_order(place, sort, expected):
    assert found(place, sort=sort) == expected


def test_order_by_ones_own_ratings(place):
    assert found(place, by=place.marie, sort=[("response.quality", "asc")])[:2] == "ba"
    assert found(place, by=place.paul, sort=[("response.quality", "asc")])[:2] == "cb"


def test_pages_do_not_overlap_and_tell_the_total(place):
    pages = [ask(place, limit=3, offset=offset).json() for offset in (0, 3, 6)]
    ids = [[item["record"]["external_id"] for item in page["items"]] for page in pages]
    assert ids == [["a", "b", "c"], ["d"], []]
    assert {page["total"] for page in pages} == {4}


# Vectors


def test_the_most_similar_first_without_the_record_itself(place):
    answer = ask(place, vector={"record_id": str(place.ids["a"]), "order": "most_similar"}).json()
    assert "".join(item["record"]["external_id"] for item in answer["items"]) == "dbc"
    scores = [item["query_score"] for item in answer["items"]]
    assert scores == pytest.approx([(1 + 0.5**0.5) / 2, 0.5, 0.0], abs=1e-6)


def test_the_least_similar_first(place):
    assert found(place, vector={"value": [1.0, 0.0], "order": "least_similar"}) == "cbda"


def test_similarity_with_a_filter_and_a_text(place):
    vector = {"value": [1.0, 0.0], "order": "most_similar"}
    assert found(place, vector=vector, terms={"metadata.kingdom": ["Plantae"]}) == "bc"
    assert found(place, vector=vector, text="acid") == "adc"
    assert found(place, vector=vector, limit=2) == "ad"


def test_a_vector_of_another_length_is_refused(place):
    answer = ask(place, vector={"value": [1.0, 0.0, 0.0], "order": "most_similar"})
    assert answer.status_code == 422 and "dimensions" in answer.text


# Metrics and progress


def test_metrics_of_metadata(place):
    properties = place.client.http_client.get(f"/api/v1/me/datasets/{place.dataset.id}/metadata-properties").json()
    of = {
        one["name"]: place.client.http_client.get(f"/api/v1/metadata-properties/{one['id']}/metrics").json()
        for one in properties["items"]
    }
    counts = [{"term": "Plantae", "count": 2}, {"term": "Fungi", "count": 1}]
    assert of["kingdom"] == {"type": "terms", "total": 3, "values": counts}
    assert of["relations"] == {"type": "integer", "min": 0, "max": 3}
    assert of["lowest"] == {"type": "float", "min": 0.1, "max": 0.9}


def progress(client, path):
    return client.http_client.get(f"/api/v1/{path}").json()


def test_progress_of_the_team_and_of_each_curator(place):
    id = place.dataset.id
    team = progress(place.client, f"datasets/{id}/progress")
    assert (team["total"], team["completed"], team["pending"]) == (4, 0, 4)
    marie = progress(place.marie, f"me/datasets/{id}/metrics")["responses"]
    assert (marie["total"], marie["submitted"], marie["draft"], marie["discarded"]) == (4, 1, 1, 0)
    assert marie["pending"] == 2
    paul = progress(place.paul, f"me/datasets/{id}/metrics")["responses"]
    assert (paul["total"], paul["submitted"], paul["draft"], paul["discarded"]) == (4, 2, 0, 1)


def test_suggesting_agents_are_listed(place):
    options = progress(place.client, f"datasets/{place.dataset.id}/records/search/suggestions/options")
    agents = {one["question"]["name"]: set(one["agents"]) for one in options["items"]}
    assert agents["kind"] == {"smollm2", "gold"}


# The SDK's own way (without responses: SDK 2.8 cannot read a discarded one that has no values)


def test_search_with_the_sdk(place):
    query = rg.Query(query="acid", filter=[("metadata.relations", ">=", 1), ("kind.suggestion", "==", "yes")])
    assert {one.id for one in place.dataset.records(query=query, with_responses=False)} == {"a", "d"}
    query = rg.Query(filter=[("response.status", "==", "submitted")])
    assert {one.id for one in place.dataset.records(query=query, with_responses=False)} == {"a", "b", "c"}
    similar = rg.Query(similar=rg.Similar("meaning", [0.0, 1.0]))
    nearest = place.dataset.records(query=similar, with_responses=False, limit=2)
    assert [one.id for one, _ in nearest] == ["b", "d"]
