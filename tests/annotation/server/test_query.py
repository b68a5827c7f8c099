"""What a person types as a text search, and the text index, without a server."""

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotation.server_env import SERVER


@pytest.fixture(scope="module")
def query():
    return _module("embedded_query")


@pytest.fixture(scope="module")
def text():
    return _module("embedded_text")


def _module(name):
    sys.path.insert(0, str(SERVER))
    try:
        return __import__(name)
    finally:
        sys.path.remove(str(SERVER))


@pytest.fixture(scope="module")
def index(text, tmp_path_factory):
    connection = text.open_text(tmp_path_factory.mktemp("index") / "odd ? name #1.sqlite")
    text.create(connection, "one", ["title", 'f"; DROP TABLE entries --'])
    text.put(connection, "one", ["title"], [text.Entry("r1", "v1", {"title": "Usnic acid of Usnea"})])
    yield connection
    connection.close()


def hits(index, text, expression):
    table = text.table_of("one")
    return index.execute(f'SELECT count(*) FROM "{table}" WHERE "{table}" MATCH ?', (expression,)).fetchone()[0]


@given(st.text(max_size=40) | st.text(alphabet='"-|*()+ ab^:{}~', max_size=20))
def test_nothing_that_is_typed_breaks_the_search(query, text, index, typed):
    try:
        expression = query.text_query(typed)
    except query.Refused as error:
        assert "must occur" in str(error)
        return
    if expression:
        hits(index, text, expression)


@given(st.lists(st.sampled_from(["usnic", "ACID", "Usnea", "ac*", '"usnic acid"', "of"]), min_size=1))
def test_all_words_of_a_text_find_it(query, text, index, words):
    assert hits(index, text, query.text_query(" ".join(words))) == 1
    assert hits(index, text, query.text_query(" ".join([*words, "quercetin"]))) == 0
    assert hits(index, text, query.text_query(" ".join([*words, "-acid"]))) == 0
    assert hits(index, text, query.text_query(" ".join(["quercetin |", *words]))) == 1


def test_indexing_again_replaces_and_removing_removes(text, tmp_path):
    connection = text.open_text(tmp_path / "search.sqlite")
    text.create(connection, "one", ["title"])
    for words in ("first", "second"):
        text.put(connection, "one", ["title"], [text.Entry("r", words, {"title": words})])
    assert hits(connection, text, '"first"') == 0
    assert hits(connection, text, '"second"') == 1
    text.remove(connection, "one", ["r", "never there"])
    assert hits(connection, text, '"second"') == 0
    connection.close()


def test_texts_of_chats_and_custom_fields_are_searched(text):
    chat = [{"role": "user", "content": "Which lichen?"}, {"role": "assistant", "content": "Usnea"}]
    assert "Usnea" in text.plain(chat)
    assert text.plain({"title": "a", "spans": [1, None]}).split() == ["a", "1"]
