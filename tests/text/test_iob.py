"""Files of tokens with tags."""

import pytest

from abroad.core.errors import InputError
from abroad.text.iob import read_iob


def write(tmp_path, text):
    path = tmp_path / "names.tsv"
    path.write_bytes(text.encode())
    return path


def test_each_sentence_is_a_doc_with_its_names(tmp_path):
    path = write(tmp_path, "Usnic\tB-Chemical\nacid\tI-Chemical\nof\tO\nUsnea\tB-Species\n\r\n\nNothing\tO\r\n.\tO\n")
    first, second = read_iob(path)
    assert first.text == "Usnic acid of Usnea"
    assert [(ent.text, ent.label_) for ent in first.ents] == [("Usnic acid", "Chemical"), ("Usnea", "Species")]
    assert [token.text for token in second] == ["Nothing", "."] and not second.ents


def test_names_that_touch_are_told_apart_and_those_of_iob1_and_biluo_are_read(tmp_path):
    path = write(tmp_path, "a\tB-C\nb\tB-C\nc\tI-C\nd\tI-S\n\na\tU-C\nb\tB-C\nc\tL-C\n")
    first, second = read_iob(path)
    assert [ent.text for ent in first.ents] == ["a", "b c", "d"]
    assert [ent.text for ent in second.ents] == ["a", "b c"]


@pytest.mark.parametrize("line", ["no tab", "word\t", "\tO", "word\tX", "word\tB"])
def test_a_line_that_is_none_is_named(tmp_path, line):
    with pytest.raises(InputError, match=r"names.tsv:2: expected a token"):
        list(read_iob(write(tmp_path, f"a\tO\n{line}\n")))


def test_no_file(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        list(read_iob(tmp_path / "none.tsv"))
