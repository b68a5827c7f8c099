"""JSONL is read alike from files, pipes and what an interrupted run left, whatever characters its strings hold."""

import io
import json

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from abroad.core.context import Context
from abroad.core.errors import InputError
from abroad.core.io import JsonlAppender, read_documents, read_records, write_jsonl
from abroad.core.jsonl import BadJson, loads_jsonl, parse_json, read_jsonl, split_lines
from abroad.core.resume import ResumableOutput, partial_file
from abroad.training.record import read_log

LINE_ENDS_OF_UNICODE = "\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"
texts = st.text(st.one_of(st.sampled_from(LINE_ENDS_OF_UNICODE), st.characters(exclude_categories=["Cs"])), min_size=1)
records = st.dictionaries(texts, texts | st.lists(texts) | st.integers() | st.none(), min_size=1)
line_ends = st.sampled_from(["\n", "\r\n", "\n\n"])


@given(st.lists(records, min_size=1), line_ends, st.booleans())
def test_what_is_written_a_record_a_line_is_read_back(tmp_path_factory, values, end, last):
    path = tmp_path_factory.mktemp("jsonl") / "a.jsonl"
    text = end.join(json.dumps(value, ensure_ascii=False) for value in values) + end * last
    path.write_bytes(text.encode())
    assert read_jsonl(path) == loads_jsonl(text) == values
    assert read_log(path) == values
    rows = [json.dumps({"id": number, "value": value}, ensure_ascii=False) for number, value in enumerate(values)]
    path.write_bytes(end.join(rows).encode())
    assert [record["value"] for _, _, record in read_records(path)] == values


@settings(deadline=None)  # it waits for the disk
@given(st.lists(texts, unique=True, min_size=1), texts)
def test_a_resumed_output_keeps_every_character_and_every_record(tmp_path_factory, keys, value):
    out = tmp_path_factory.mktemp("resume") / "out.jsonl"
    wanted = dict.fromkeys(keys, "digest")
    with ResumableOutput(out, {}, wanted) as output:
        output.append({"id": keys[0], "value": value})
    assert JsonlAppender(partial_file(out, {})).done == {keys[0]}
    with ResumableOutput(out, {}, wanted) as output:
        assert output.done == {keys[0]}
        for key in keys[1:]:
            output.append({"id": key, "value": value})
    output.finish(order=keys)
    assert [(record["id"], record["value"]) for record in read_jsonl(out)] == [(key, value) for key in keys]


@given(st.text(st.one_of(st.sampled_from("\n\r" + LINE_ENDS_OF_UNICODE), st.characters(exclude_categories=["Cs"]))))
@example("\r")
def test_text_is_broken_where_a_binary_stream_is_broken(text):
    lines = [line.decode().removesuffix("\n").removesuffix("\r") for line in io.BytesIO(text.encode())]
    assert split_lines(text) == lines


@given(st.binary())
def test_bytes_that_are_no_json_say_why_and_never_anything_else(data):
    try:
        value = parse_json(data)
    except BadJson as error:
        assert str(error) and "\n" not in str(error)
    else:
        json.dumps(value, ensure_ascii=False).encode()


BAD = {
    "deep": b"[" * 100_000,
    "deep and closed": b'{"id": "x", "extra": ' + b"[" * 20_000 + b"]" * 20_000 + b"}",
    "long integer": b'{"id": ' + b"9" * 5_000 + b', "AbstractText": "x"}',
    "lone surrogate": rb'{"id": "x", "AbstractText": "caf\ud800"}',
    "lone surrogate in a key": rb'{"\uDFFF": 1, "id": "x", "AbstractText": "y"}',
    "cut short": b'{"id": "x", "AbstractText": "y',
    "not UTF-8": b'{"id": "x", "AbstractText": "\xe9"}',
}


@pytest.mark.parametrize("kind", BAD)
@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_bad_line_is_set_aside_with_its_number_wherever_it_stands(tmp_path, kind, place):
    lines = [json.dumps({"id": str(number), "AbstractText": "fine\u2028line"}).encode() for number in range(2)]
    lines.insert(place, BAD[kind])
    path = tmp_path / "docs.jsonl"
    path.write_bytes(b"\n".join(lines))
    context = Context()
    assert [document.id for document in read_documents(path, context)] == ["0", "1"]
    assert [item["where"] for item in context.rejects.items] == [f"{path}:{place + 1}"]
    write_jsonl(tmp_path / "rejects.jsonl", context.rejects.items)


def test_an_escaped_pair_of_surrogates_is_a_character():
    assert parse_json(rb'"\ud83c\udf44"') == "\U0001f344"


RECORDS = [{"id": "a", "AbstractText": "one"}, {"id": "b", "AbstractText": "two"}]


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(RECORDS),
        json.dumps(RECORDS, indent=2),
        "\ufeff\n" + json.dumps(RECORDS),
        json.dumps({"documents": RECORDS}),
        json.dumps({"documents": RECORDS}, indent=1),
        json.dumps({record["id"]: record for record in RECORDS}),
        json.dumps({record["id"]: record for record in RECORDS}, indent=1),
        "\n".join(map(json.dumps, RECORDS)),
        "\r\n\r\n".join(map(json.dumps, RECORDS)) + "\r\n",
    ],
)
def test_records_of_every_form(tmp_path, text):
    path = tmp_path / "a.json"
    path.write_text(text, encoding="utf-8", newline="")
    assert [(document.id, document.abstract) for document in read_documents(path)] == [("a", "one"), ("b", "two")]


@pytest.mark.parametrize("indent", [None, 2])
def test_one_record_alone(tmp_path, indent):
    path = tmp_path / "a.json"
    path.write_text(json.dumps({"id": "a", "AbstractText": "one", "organisms": []}, indent=indent))
    assert [document.id for document in read_documents(path)] == ["a"]


@pytest.mark.parametrize(
    ("text", "where", "reason"),
    [
        ('[{"id": "a", "AbstractText": "x"},\n {"id": "b", "Abst', "record 2", "line 2"),
        ('[{"id": "a", "AbstractText": "x"},\n {"id": "b"} {"id": "c"}]', "record 2", "line 2"),
        ('[{"id": "a", "AbstractText": "x"}] trailing', "", "after the end"),
        (r'[{"id": "a", "AbstractText": "x"}, {"id": "b\udc00", "AbstractText": "x"}]', "record 2", "surrogate"),
        ('[{"id": "a", "AbstractText": "x"}, ' + "[" * 100_000, "record 2", "nested"),
        ('[{"id": "a", "AbstractText": "x"}, 5]', "record 2", "expected an object"),
    ],
)
def test_records_of_an_array_before_a_fault_are_kept(tmp_path, text, where, reason):
    path = tmp_path / "a.json"
    path.write_text(text)
    context = Context()
    assert [document.id for document in read_documents(path, context)] == ["a"]
    assert where in context.rejects.items[0]["where"] and reason in context.rejects.items[0]["reason"]


@pytest.mark.parametrize("text", ["[]", "[[", "{}", "{", '{"a": 5}', "[5, 6]", '{"a": ' + "[" * 100_000])
def test_json_without_a_document_is_an_input_error(tmp_path, text):
    path = tmp_path / "a.json"
    path.write_text(text)
    with pytest.raises(InputError):
        read_documents(path, Context())
