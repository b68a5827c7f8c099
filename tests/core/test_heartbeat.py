"""A command that is silent for long says that it is at work, seldom and only then."""

import threading

import pytest

from abroad.core import heartbeat, progress
from abroad.core.heartbeat import Heartbeat


@pytest.fixture
def times(monkeypatch):
    """A clock, and the times of what is said."""
    said = []
    clock = {"now": 1_000.0}
    monkeypatch.setattr(progress, "last_word", lambda: clock.get("word", 0.0))
    monkeypatch.setattr(progress, "tell", lambda message: (said.append((clock["now"], message)), speak(clock)))
    return clock, said


def speak(clock):
    clock["word"] = clock["now"]


def spend(clock, beat, seconds):
    for _ in range(int(seconds * 2)):
        clock["now"] += 0.5
        beat.look()


def test_the_first_word_comes_within_five_seconds_and_later_ones_ever_more_seldom(times):
    clock, said = times
    spend(clock, Heartbeat("evaluate", lambda: clock["now"]), 300)
    assert [at - 1_000 for at, _ in said] == [4, 34, 94, 214]
    assert said[0][1] == "  evaluate: still at work, for 4 s now"


def test_whoever_speaks_is_not_interrupted(times):
    clock, said = times
    beat = Heartbeat("extract", lambda: clock["now"])
    for _ in range(20):
        spend(clock, beat, 3)
        speak(clock)
    assert said == []
    spend(clock, beat, 6)
    assert len(said) == 1


def test_a_bar_says_enough(times, monkeypatch):
    clock, said = times
    monkeypatch.setattr(progress, "is_shown", lambda: True)
    spend(clock, Heartbeat("extract", lambda: clock["now"]), 60)
    assert said == []


def test_it_ends_with_the_command_and_is_quiet_when_asked_to_be(monkeypatch):
    said = threading.Event()
    monkeypatch.setattr(heartbeat, "_LOOK", 0.01)
    monkeypatch.setattr(heartbeat, "SILENCE", 0.0)
    monkeypatch.setattr(progress, "tell", lambda message: said.set())
    before = threading.active_count()
    with Heartbeat("x"):
        assert threading.active_count() == before
    monkeypatch.delenv(heartbeat.OFF)
    with Heartbeat("x") as beat:
        assert said.wait(60)
    assert beat._ended.is_set()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["evaluate", "--gold", "x"], "evaluate"),
        (["knowledge", "build", "a.jsonl"], "knowledge build"),
        (["extract", "build"], "extract"),
        (["knowledge"], "knowledge"),
        (["--version"], "abroad"),
    ],
)
def test_it_names_the_command(cli, monkeypatch, arguments, words):
    from abroad.cli import common

    named = []
    monkeypatch.setattr(common, "Heartbeat", lambda what: (named.append(what), Heartbeat(what))[1])
    cli(*arguments)
    assert named in ([words], [])  # what only shows help or the version runs nothing


def test_servers_wait_in_silence(cli, monkeypatch):
    from abroad.cli import common

    monkeypatch.setattr(common, "Heartbeat", lambda what: pytest.fail("a heartbeat"))
    assert cli("knowledge", "browse", "none.duckdb").exit_code == 2


def test_a_command_within_a_group_has_one_heartbeat(cli, monkeypatch):
    from abroad.cli import common

    named = []
    monkeypatch.setattr(common, "Heartbeat", lambda what: (named.append(what), Heartbeat(what))[1])
    assert cli("train", "none.jsonl", "--out", "x").exit_code == 2
    assert named == ["train"]
