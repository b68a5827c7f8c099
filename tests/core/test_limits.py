"""What is small on disk and large in memory is refused, in time."""

import contextlib
import gzip
import io
import time
import zipfile
import zlib

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from abroad.core import limits
from abroad.core.bounded_yaml import load_yaml
from abroad.core.errors import InputError
from abroad.core.settings import read_yaml

LAUGHS = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 10)
)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (LAUGHS, "aliases unfolded"),
        ("a: &a [*a]\n", "within itself"),
        ("a: &a {b: *a}\n", "within itself"),
        ("[" * 5_000, "nest"),
        ("- " * 5_000 + "x", "nest"),
        ("a: " + "9" * 5_000, r"c\.yaml:1: .*\(a: a value that cannot be read: an integer of 5,000 digits\)"),
        ("b: 1\nc: [x, {d: -" + "9" * 5_000 + "}]", r"c\.yaml:2: .*\(c\.1\.d: .*an integer of 5,000 digits"),
        ("b: 1\n? " + "9" * 5_000 + "\n: 1", r"c\.yaml:2: .*an integer of 5,000 digits"),
        ("a: 2001-99-99", r"c\.yaml:1: .*\(a: a value that cannot be read: '2001-99-99' is not a date\)"),
        ("a: !!int x", "'x' is not an integer"),
        ("a: !!float x", "'x' is not a number"),
        ("? [a]\n: b", "cannot be parsed|unhashable"),
        ("a: " + "x" * (5 << 20), "characters"),
    ],
    ids=lambda value: value[:12],
)
def test_yaml_without_end_is_refused_in_one_line(tmp_path, text, reason):
    (tmp_path / "c.yaml").write_text(text)
    start = time.process_time()
    with pytest.raises(InputError, match=reason) as caught:
        read_yaml(tmp_path / "c.yaml")
    assert "digit string" not in str(caught.value) and "Exceeds" not in str(caught.value)
    assert time.process_time() - start < 5 and "\n" not in str(caught.value) and len(str(caught.value)) < 1_000


def test_aliases_of_ordinary_size_are_read():
    assert load_yaml("a: &a {x: 1}\nb: *a\nc: {<<: *a, y: 2}") == {"a": {"x": 1}, "b": {"x": 1}, "c": {"x": 1, "y": 2}}
    assert load_yaml("") is None


@given(st.text(max_size=200))
def test_any_yaml_is_a_value_or_one_error(text):
    with contextlib.suppress(yaml.YAMLError):
        load_yaml(text)


def bomb(size=1 << 28):
    stream = io.BytesIO()
    with gzip.GzipFile(fileobj=stream, mode="wb") as packed:
        for _ in range(size >> 20):
            packed.write(b"0" * (1 << 20))
    stream.seek(0)
    return stream


def test_a_gzip_bomb_is_found_while_it_unpacks():
    packed, read = bomb(), 0
    start = time.process_time()
    stream = limits.BoundedGzip(packed, "b.gz")
    with pytest.raises(InputError, match=r"b\.gz: unpacks to far more"):
        while block := stream.read(1 << 16):
            read += len(block)
    assert read < 300 << 20 and time.process_time() - start < 10


@given(st.binary(max_size=2_000), st.integers(0, 100))
def test_an_ordinary_stream_is_read_whole(data, repeats):
    whole = data * repeats
    assert io.BufferedReader(limits.BoundedGzip(io.BytesIO(gzip.compress(whole)), "a.gz")).read() == whole


def test_bombs_that_are_held_in_memory(monkeypatch):
    monkeypatch.setattr(limits, "MAX_IN_MEMORY", 1 << 20)
    packed = zlib.compress(b"0" * (1 << 22))
    with pytest.raises(InputError, match="unpacks"):
        limits.inflated(packed, "b.spacy")
    limits.inflated(zlib.compress(b"0" * 1000), "a")
    limits.inflated(b"nonsense", "a")
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/a.xml", b"0" * (1 << 22))
    with pytest.raises(InputError, match="unpacks"):
        limits.check_zip(stream.getvalue(), "b.xlsx")


@pytest.mark.parametrize(
    "text",
    [
        "a: 1\na: 2\n",
        "x:\n  a: 1\n  b: 2\n  a: 3\n",
        "- {a: 1, a: 1}\n",
        "x: &y {a: 1, a: 2}\nz: *y\n",
        "'a': 1\na: 2\n",
    ],
)
def test_a_key_that_stands_twice_is_an_error_with_its_line(text):
    with pytest.raises(yaml.MarkedYAMLError, match="the key 'a' stands twice") as caught:
        load_yaml(text)
    assert caught.value.problem_mark is not None


def test_a_number_and_its_digits_are_two_keys():
    assert load_yaml("1: a\n'1': b\n") == {1: "a", "1": "b"}


def test_the_same_key_in_several_mappings_is_none():
    assert load_yaml("a: {b: 1}\nc: {b: 2}\n") == {"a": {"b": 1}, "c": {"b": 2}}
