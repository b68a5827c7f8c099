"""Work speaks within 5 seconds, and what it says of the time that is left is right within a factor of two."""

import random
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.progress import Task

from abroad.core import pace, progress
from abroad.core.progress import Progress
from abroad.core.progress_bar import make_bar


class Clock:
    """Time that passes when a test says so."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


def after(durations, total, clock=None):
    """The progress after steps of so many seconds."""
    clock = clock or Clock()
    shown = Progress("work", total, clock=clock)
    for seconds in durations:
        clock.now += seconds
        shown.advance()
    return shown


def test_a_first_word_comes_while_the_first_step_is_still_under_way(capsys, monkeypatch):
    said = threading.Event()
    monkeypatch.setattr(progress, "_FIRST_WORD", 0.01)
    monkeypatch.setattr(progress, "tell", lambda message: (print(message), said.set()))
    with Progress("loading", 3):
        assert said.wait(60)
    assert capsys.readouterr().out == "  loading: 0/3\n"
    assert 0 < 4.0 <= 5


def test_what_is_done_soon_says_nothing(capsys):
    with Progress("work", 3) as shown:
        shown.advance(3)
    assert capsys.readouterr().err == ""


def burst(workers, count, seconds, load=0.0):
    """Times of steps that several processes do at once, each after it has loaded its model."""
    times = [load + seconds * (number // workers + 1) + 0.01 * (number % workers) for number in range(count)]
    return [after - before for before, after in zip([0.0, *times], times, strict=False)]


draw = random.Random(0)
PROFILES = {
    "steps of one length": [1.0] * 100,
    "long steps": [600.0] * 12,
    "many short steps": [0.003] * 20_000,
    "a model is loaded first": [30.0] + [1.0] * 200,
    "a model is loaded first, then batches": [45.0] + [9.0] * 40,
    "compilation: the first three are slow": [20.0, 8.0, 4.0] + [1.0] * 100,
    "two processes": burst(2, 60, 10.0, load=5.0),
    "sixteen processes": burst(16, 320, 10.0, load=20.0),
    "sixty-four processes": burst(64, 640, 60.0),
    "uneven steps": [draw.uniform(0.1, 1.9) for _ in range(400)],
    "a few steps of twenty times the length": [20.0 if number % 25 == 24 else 1.0 for number in range(500)],
    "growing steps": [1.0 + number / 100 for number in range(100)],
    "shrinking steps": [2.0 - number / 100 for number in range(100)],
    "growing steps after a load": [60.0] + [1.0 + number / 200 for number in range(200)],
}
MAY_WAIT = 0.35
"""How much of the time may pass until something is said."""


@pytest.mark.parametrize("name", PROFILES)
def test_what_is_left_is_right_within_a_factor_of_two_whenever_it_is_told(name):
    durations = PROFILES[name]
    clock, told = Clock(), []
    shown = Progress("work", len(durations), clock=clock)
    whole = sum(durations)
    for seconds in durations[:-1]:
        clock.now += seconds
        shown.advance()
        rest, left = whole - clock.now, shown.seconds_left()
        if left is not None and rest > 0.05 * whole:  # by then nobody asks
            told.append(clock.now)
            assert rest / 2 <= left <= rest * 2, f"after {clock.now:.0f} of {whole:.0f} s: {left:.0f}, not {rest:.0f} s"
    assert told[0] <= MAY_WAIT * whole


def test_what_was_kept_by_an_earlier_run_and_comes_at_once_tells_nothing_of_the_rest():
    clock = Clock()
    shown = after([0.01] * 1_000, 1_100, clock)  # a cache answers
    for number in range(1, 100):
        clock.now += 5.0
        shown.advance()
        if number > 6:
            assert (100 - number) * 5 / 2 <= shown.seconds_left() <= (100 - number) * 5 * 2


@pytest.mark.parametrize("load", [0.0, 30.0])
def test_one_long_wait_is_no_pace(load):
    """A server that asks for a pause of five minutes, or a machine that others used."""
    clock = Clock()
    shown = after([load + 1.0] + [1.0] * 99, 200, clock)
    clock.now += 300.0
    shown.advance()
    for left in range(98, 0, -1):
        clock.now += 1.0
        shown.advance()
        if load == 0.0 or left < 60:
            assert left / 2 <= shown.seconds_left() <= left * 2


def test_the_rest_becomes_less_while_a_step_goes_on():
    clock = Clock()
    shown = after([10.0] * 5, 10, clock)
    assert shown.seconds_left() == pytest.approx(50)
    clock.now += 4.0
    assert shown.seconds_left() == pytest.approx(46)
    clock.now += 60.0  # longer than a step: those after it are left
    assert shown.seconds_left() == pytest.approx(40)


@given(st.floats(0.5001, 100), st.integers(12, 500), st.integers(1, 3_000), st.integers(0, 50))
def test_steps_of_one_length_are_foretold(seconds, steps, left, earlier):
    clock = Clock()
    shown = Progress("work", earlier + steps + left, done=earlier, clock=clock)
    for _ in range(steps):
        clock.now += seconds
        shown.advance()
    assert shown.seconds_left() == pytest.approx(seconds * left, rel=0.1)
    assert len(shown._pace._marks) <= pace._MAX_MARKS


@given(st.lists(st.tuples(st.floats(0, 1e4), st.integers(0, 100)), max_size=60), st.integers(1, 10_000))
def test_whatever_the_times_the_rest_is_a_number_or_not_known(advances, total):
    clock = Clock()
    shown = Progress("work", total, clock=clock)
    for seconds, steps in advances:
        clock.now += seconds
        shown.advance(steps)
        left = shown.seconds_left()
        assert left is None or 0 <= left < float("inf")


def test_the_bar_at_a_terminal_shows_the_same(monkeypatch):
    clock = Clock()
    shown = after([60.0] * 3, 10, clock)
    column = make_bar(shown.seconds_left).columns[4]
    assert column.render(Task(0, "work", 10, 3, lambda: 0.0)).plain == "0:07:00"
    assert column.render(Task(0, "work", 10, 3, lambda: 0.0)).plain == "0:07:00"
    unknown = make_bar(lambda: None).columns[4]
    assert unknown.render(Task(0, "work", 10, 0, lambda: 0.0)).plain == "-:--:--"
    assert unknown.render(Task(0, "work", None, 0, lambda: 0.0)).plain == ""


@pytest.mark.parametrize("shown", [Progress("work", None), Progress("work", 3), Progress("work", 3, done=2)])
def test_nobody_knows_what_is_left_of_work_that_has_not_begun(shown):
    assert shown.seconds_left() is None
