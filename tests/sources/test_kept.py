"""Answers of servers, kept for every output of a user."""

import multiprocessing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abroad.sources.kept import KeptAnswers

DAY = 86_400.0
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)


@given(st.dictionaries(st.text(st.characters(exclude_categories=["Cs"]), min_size=1), JSON, max_size=5))
def test_what_was_kept_comes_back(tmp_path_factory, values):
    kept = KeptAnswers("a", tmp_path_factory.mktemp("kept") / "x.sqlite")
    kept.put(values)
    assert kept.get(["none", *values]) == values


def test_each_service_has_its_own_answers(tmp_path):
    KeptAnswers("a", tmp_path / "x.sqlite").put({"1": "A"})
    assert KeptAnswers("b", tmp_path / "x.sqlite").get(["1"]) == {}
    assert KeptAnswers("a", tmp_path / "x.sqlite").get(["1"]) == {"1": "A"}


def test_more_keys_than_sqlite_takes_in_a_query(tmp_path):
    kept, many = KeptAnswers("a", tmp_path / "x.sqlite"), {str(number): number for number in range(2_000)}
    kept.put(many)
    assert kept.get(many) == many


@pytest.mark.parametrize(("days", "there"), [(89, True), (91, False)])
def test_an_answer_is_asked_for_again_after_ninety_days(tmp_path, days, there):
    KeptAnswers("a", tmp_path / "x.sqlite", lambda: 0.0).put({"1": "A"})
    assert bool(KeptAnswers("a", tmp_path / "x.sqlite", lambda: days * DAY).get(["1"])) is there


@pytest.mark.parametrize("place", ["folder", "garbage", "below a file", "off"])
def test_a_file_that_cannot_be_used_costs_the_answers_alone(tmp_path, monkeypatch, place):
    path = tmp_path / "x.sqlite"
    if place == "folder":
        path.mkdir()
    elif place == "off":
        monkeypatch.setenv("ABROAD_ANSWERS", "")
    else:
        path.write_bytes(b"no database, but long enough to be read as one\n" * 100)
    kept = KeptAnswers("a", None if place == "off" else path / "y.sqlite" if place == "below a file" else path)
    kept.put({"1": "A"})
    assert kept.get(["1"]) == {}


def _put(path, number):
    for key in range(20):
        KeptAnswers("a", path).put({f"{number}-{key}": key})


def test_several_processes_lose_nothing(tmp_path):
    path, context = tmp_path / "x.sqlite", multiprocessing.get_context("spawn")
    workers = [context.Process(target=_put, args=(path, number)) for number in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(KeptAnswers("a", path).get(f"{number}-{key}" for number in range(3) for key in range(20))) == 60


@pytest.mark.parametrize("line", ["", "{", "[]", '{"pmid": "2"}'])
def test_what_an_earlier_version_kept_beside_an_output_is_taken_over(tmp_path, line):
    old, kept = tmp_path / "cache.jsonl", KeptAnswers("a", tmp_path / "x.sqlite")
    old.write_text('{"pmid": "1", "bioc": {"a": 1}}\n{"pmid": "404", "bioc": {}}\n' + line)
    kept.take_over(old, "pmid", "bioc")
    assert kept.get(["1", "404"]) == ({} if line else {"1": {"a": 1}})
