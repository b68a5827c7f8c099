"""Whatever stands in a file: documents or predictions that everything downstream can use, or an InputError."""

import csv
import io
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from abroad.core.context import Context
from abroad.core.errors import InputError
from abroad.core.io import write_jsonl
from abroad.core.schema import Prediction
from abroad.documents.formats import to_table, write_workbook
from abroad.documents.inputs import read_documents, read_inputs
from abroad.documents.predictions import read_predictions
from abroad.evaluation.evaluate import evaluate
from abroad.evaluation.settings import EvaluateSettings
from tests.sources.servers import article_set, article_xml

QUICK = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.sampled_from(["", " ", "1", "O1", "=1+1", "\u2028", "\x00", "ſ", "9" * 400, "x" * 300])
    | st.text(st.characters(codec=None, exclude_categories=()), max_size=8)
)
FIELDS = (
    "id PMID ArticleTitle AbstractText title abstract text doi organisms chemicals relations label type "
    "organism chemical score organism_id chemical_id evidence start end role rule status error extra malformed "
    "cut_off documents"
).split()
values = st.recursive(
    scalars,
    lambda children: (
        st.lists(children, max_size=3)
        | st.dictionaries(st.sampled_from(FIELDS) | st.text(max_size=3), children, max_size=5)
    ),
    max_leaves=20,
)
DOCUMENT = {
    "id": "1",
    "PMID": "1",
    "ArticleTitle": "T",
    "AbstractText": "Ruta fictiva gave scopoletin.",
    "doi": None,
    "organisms": [{"id": "O1", "label": "Ruta fictiva"}],
    "chemicals": [{"id": "C1", "label": "scopoletin"}],
    "relations": [["O1", "C1"]],
}
PREDICTION = {
    "id": "1",
    "relations": [
        {
            "organism": "Ruta fictiva",
            "chemical": "scopoletin",
            "score": 0.5,
            "organism_id": None,
            "chemical_id": None,
            "evidence": [{"start": 0, "end": 1, "text": "T", "role": "organism", "rule": "verbatim"}],
        }
    ],
    "error": None,
}


def walk(value, place, new, count):
    count[0] += 1
    if count[0] == place:
        return new
    if isinstance(value, dict):
        return {key: walk(child, place, new, count) for key, child in value.items()}
    return [walk(child, place, new, count) for child in value] if isinstance(value, list) else value


def damaged(record):
    """The record with one of its parts replaced by anything, or anything in its place."""
    return values | st.builds(lambda place, new: walk(record, place, new, [0]), st.integers(1, 25), values)


def forms(record):
    """Files that hold such records: JSONL, an array, an object, in pieces."""
    several = st.lists(damaged(record), min_size=1, max_size=3)
    return st.one_of(
        several.map(lambda items: "\n".join(map(json.dumps, items))),
        several.map(json.dumps),
        several.map(lambda items: json.dumps({str(n): item for n, item in enumerate(items)})),
        several.map(lambda items: json.dumps({"documents": items}, indent=1)),
        st.builds(lambda items, end: json.dumps(items)[:end], several, st.integers(1, 400)),
    ).map(str.encode)


def use(documents, predictions, folder):
    """What commands do with documents and predictions."""
    write_jsonl(folder / "d.jsonl", [document.to_dict() for document in documents])
    write_jsonl(folder / "p.jsonl", [prediction.to_dict() for prediction in predictions])
    to_table(documents, predictions, "csv").encode()
    write_workbook(folder / "p.xlsx", documents, predictions)
    for protocol in ("upstream", "strict", "grounded"):
        json.dumps(evaluate(documents, predictions, EvaluateSettings(protocol=protocol, resamples=1000)).to_dict())
    for document in documents:
        document.label_pairs()


@QUICK
@given(forms(DOCUMENT))
def test_any_documents(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("documents")
    for name in ("a.json", "a.jsonl", "a.txt"):
        (folder / name).write_bytes(data)
        for read in (read_documents, lambda path, context: read_inputs([path], context)):
            try:
                documents = read(folder / name, Context())
            except InputError as error:
                assert "\n" not in str(error)
                str(error).encode()
            else:
                use(documents, [Prediction(document.id) for document in documents], folder)


@QUICK
@given(forms(PREDICTION))
def test_any_predictions(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("predictions")
    (folder / "p.jsonl").write_bytes(data)
    (folder / "gold.jsonl").write_text(json.dumps(DOCUMENT))
    try:
        predictions = read_predictions(folder / "p.jsonl", Context())
    except InputError as error:
        assert "\n" not in str(error)
    else:
        use(read_documents(folder / "gold.jsonl"), predictions, folder)


cells = st.sampled_from(["", "1", "T", '"', '""', 'a"b', "=1", "x,y", "2;3", "a\nb", "\x00", "1e999"]) | st.text(
    max_size=6
)
headers = st.lists(
    st.sampled_from("id PMID Title Abstract DOI document organism chemical score status Other".split()),
    min_size=1,
    max_size=6,
)


@st.composite
def tables(draw):
    stream = io.StringIO()
    writer = csv.writer(stream, delimiter=draw(st.sampled_from(",;\t")), quoting=csv.QUOTE_MINIMAL)
    rows = [draw(headers), *draw(st.lists(st.lists(cells, max_size=6), max_size=4))]
    for row in rows:
        try:
            writer.writerow(row)
        except csv.Error:
            continue
    data = bytearray(stream.getvalue().encode("utf-8", "replace"))
    for place, noise in draw(st.lists(st.tuples(st.integers(0, 200), st.sampled_from(b'"\n,;\t\xff\x00')), max_size=3)):
        data.insert(min(place, len(data)), noise)
    return bytes(data)


@pytest.mark.parametrize("read", [lambda path, context: read_inputs([path], context), read_predictions])
@QUICK
@given(data=tables())
def test_any_table(tmp_path_factory, read, data):
    path = tmp_path_factory.mktemp("tables") / "t.csv"
    path.write_bytes(data)
    try:
        assert read(path, Context())
    except InputError as error:
        assert "\n" not in str(error)


pieces = st.sampled_from(
    [
        b"<",
        b">",
        b"</PMID>",
        b"<b>",
        b"&",
        b"&alpha;",
        b"&#0;",
        b"&#xD800;",
        b"<![CDATA[",
        b"<!--",
        b"<?x",
        b"\xff",
        b"\x00",
    ]
)
SET = article_set(article_xml("1", "One <i>x</i>.", "A &lt;b&gt; text.", "10.1/x"), article_xml("2", "Two", None))


@QUICK
@given(st.lists(st.tuples(st.integers(0, len(SET)), st.integers(0, 30), pieces | st.binary(max_size=4)), max_size=4))
def test_any_xml(tmp_path_factory, changes):
    path = tmp_path_factory.mktemp("xml") / "a.xml"
    data = SET
    for place, length, piece in changes:
        data = data[:place] + piece + data[place + length :]
    path.write_bytes(data)
    try:
        documents = read_inputs([path], Context())
    except InputError as error:
        assert "\n" not in str(error)
    else:
        use(documents, [Prediction(document.id) for document in documents], path.parent)
