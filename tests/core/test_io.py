"""Reading and writing records: both formats, every kind of bad input, whole files or none."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abroad.core.context import Context
from abroad.core.errors import InputError
from abroad.core.io import JsonlAppender, atomic_write, read_documents, write_documents, write_json, write_jsonl
from abroad.core.jsonl import read_jsonl
from abroad.core.schema import Document

RECORD = {
    "ArticleTitle": "A title.",
    "AbstractText": "Ruta fictiva gave scopoletin.",
    "organisms": [{"id": "O1", "label": "Ruta fictiva"}],
    "chemicals": [{"id": "C1", "label": "scopoletin"}],
    "relations": [["O1", "C1"]],
}


def test_both_formats_give_the_same_documents(tmp_path):
    object_file, lines_file = tmp_path / "a.json", tmp_path / "b.jsonl"
    object_file.write_text(json.dumps({"1": RECORD, "2": RECORD}))
    write_jsonl(lines_file, [{"id": "1", **RECORD}, {"id": "2", **RECORD}])
    assert read_documents(object_file) == read_documents(lines_file)


@pytest.mark.parametrize("indent", [None, 2])
def test_an_object_of_one_document_is_not_taken_for_a_line(tmp_path, indent):
    path = tmp_path / "a.json"
    path.write_text(json.dumps({"7": RECORD}, indent=indent))
    assert [document.id for document in read_documents(path)] == ["7"]


def test_written_documents_read_back_equal(tmp_path, documents):
    path = tmp_path / "docs.jsonl"
    write_documents(path, documents)
    assert read_documents(path) == documents


def test_unknown_fields_survive_a_round_trip(tmp_path):
    document = Document.from_dict({"id": "1", **RECORD, "score": 0.5})
    assert Document.from_dict(document.to_dict()).extra == {"score": 0.5}


def test_text_is_title_space_abstract():
    assert Document.from_dict({"id": "1", **RECORD}).text == "A title. Ruta fictiva gave scopoletin."


def test_real_documents_are_read_whole(shared_data):
    documents = read_documents(shared_data / "curated_dev.json")
    assert len(documents) == 97
    assert sum(len(document.relations) for document in documents) == 805
    assert sum(not document.relations for document in documents) == 5


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "empty"),
        (b"  \n ", "white space"),
        (b'{"1": {\xff}}', "UTF-8"),
        (b'{\n "1": {"AbstractText": }\n}', ":2: broken JSON"),
        (b"[1, 2]", "no usable document"),
        (b'{\n"1": {},\n"1": {}}', "stands twice"),
    ],
)
def test_files_that_cannot_be_read_name_the_file_and_the_place(tmp_path, content, message):
    path = tmp_path / "bad.json"
    path.write_bytes(content)
    with pytest.raises(InputError, match=message) as caught:
        read_documents(path, Context())
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)


def test_missing_file_and_directory_are_input_errors(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        read_documents(tmp_path / "none.jsonl")
    with pytest.raises(InputError, match="directory"):
        read_documents(tmp_path)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b'{"id": "9", "AbstractText": ', "broken JSON"),
        (b'{"id": "9", "AbstractText": "caf\xe9"}', "not UTF-8"),
        (b'{"id": "9"}', "no abstract and no title"),
        (b'{"id": "9", "ArticleTitle": " ", "AbstractText": ""}', "no abstract and no title"),
        (b'{"id": "9", "ArticleTitle": "T", "AbstractText": 5}', "string in AbstractText"),
        (b'{"id": "9", "AbstractText": "x", "doi": 5}', "string in doi"),
        (b'{"id": "1", "AbstractText": "again"}', "stands twice"),
        (b'{"id": "9", "AbstractText": "x", "relations": [["O", "C"]]}', "unknown organism id 'O'"),
        (b'{"id": "9", "AbstractText": "x", "organisms": [{"id": "O"}]}', "label"),
        (b'{"id": "9", "AbstractText": "x", "relations": [["O"]]}', "pair"),
        (b'"text"', "expected an object"),
    ],
)
def test_a_bad_record_is_set_aside_with_its_line_and_reason(tmp_path, line, reason):
    path = tmp_path / "docs.jsonl"
    good = [json.dumps({"id": id, "AbstractText": "fine"}).encode() for id in ("1", "2")]
    path.write_bytes(b"\n".join([good[0], line, good[1]]) + b"\n")
    context = Context()
    assert [document.id for document in read_documents(path, context)] == ["1", "2"]
    assert context.rejects.items[0]["where"] == f"{path}:2" and reason in context.rejects.items[0]["reason"]
    with pytest.raises(InputError, match=":2"):
        read_documents(path)


@pytest.mark.parametrize("abstract", [{}, {"AbstractText": ""}, {"AbstractText": None}])
def test_a_title_without_an_abstract_is_a_document(tmp_path, abstract):
    path = tmp_path / "docs.jsonl"
    path.write_text(json.dumps({"id": "1", "ArticleTitle": "Berberine of Coptis chinensis", **abstract}) + "\n")
    (document,) = read_documents(path)
    assert (document.abstract, document.text) == ("", "Berberine of Coptis chinensis ")
    write_documents(tmp_path / "again.jsonl", [document])
    assert read_documents(tmp_path / "again.jsonl") == [document]


def test_a_compound_named_twice_under_one_id_keeps_both_labels():
    document = Document.from_dict(
        {
            "id": "1",
            "AbstractText": "x",
            "organisms": [{"id": "O", "label": "o"}],
            "chemicals": [{"id": "C", "label": "one"}, {"id": "C", "label": "two"}],
            "relations": [["O", "C"], ["O", "C"]],
        }
    )
    assert document.label_pairs() == [("o", "one"), ("o", "two")]


def test_a_failed_write_leaves_the_old_file_and_no_other(tmp_path):
    path = tmp_path / "out.txt"
    path.write_text("old")
    with pytest.raises(RuntimeError), atomic_write(path) as stream:
        stream.write("half")
        raise RuntimeError
    assert path.read_text() == "old" and list(tmp_path.iterdir()) == [path]


def test_the_appender_cuts_a_torn_last_line_and_goes_on(tmp_path):
    path = tmp_path / "out.jsonl"
    path.write_text('{"id": "1"}\n{"id": "2"}\n{"id": "3", "te')
    with JsonlAppender(path) as appender:
        assert appender.done == {"1", "2"}
        appender.append({"id": "3"})
    assert [json.loads(line)["id"] for line in path.read_text().splitlines()] == ["1", "2", "3"]


def test_the_appender_refuses_a_file_broken_in_the_middle(tmp_path):
    path = tmp_path / "out.jsonl"
    path.write_text('{"id": "1"}\nnonsense\n{"id": "3"}\n')
    with pytest.raises(InputError, match=":2"):
        JsonlAppender(path)


any_text = st.text(st.characters(codec=None, exclude_categories=()))  # surrogates too
records = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | any_text,
    lambda children: st.lists(children, max_size=3) | st.dictionaries(any_text, children, max_size=3),
    max_leaves=8,
)


@given(any_text, records)
def test_whatever_a_model_or_a_server_said_is_written_and_read_again(tmp_path_factory, id, value):
    folder = tmp_path_factory.mktemp("written")
    with JsonlAppender(folder / "a.jsonl") as appender:
        appender.append({"id": id, "value": value})
        appender.append({"id": "next"})
    write_jsonl(folder / "b.jsonl", [{"id": id, "value": value}])
    write_json(folder / "c.json", {"id": id, "value": value})
    assert len(read_jsonl(folder / "a.jsonl")) == 2 and "next" in JsonlAppender(folder / "a.jsonl").done
    read = read_jsonl(folder / "b.jsonl")[0]
    assert read == json.loads((folder / "c.json").read_text(encoding="utf-8"))
    try:
        json.dumps([id, value], ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return
    assert read == {"id": id, "value": value}
