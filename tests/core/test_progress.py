"""Work speaks within 5 seconds, and what it says of the time that is left is right within a factor of two."""

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abroad.core import progress
from abroad.core.progress import Progress


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


@pytest.mark.parametrize(
    ("durations", "rest"),
    [
        ([1.0] * 40, 60.0),
        ([30.0] + [1.0] * 40, 59.0),  # the first step loads a model
        ([0.1] * 20 + [2.0] * 20, 120.0),  # sorted by length, and longer ones come
        ([2.0] * 20 + [0.1] * 200, 20.0),
        ([0.001] * 50, 0.05),
    ],
)
def test_what_is_left_is_right_within_a_factor_of_two(durations, rest):
    pace = durations[-1]
    total = len(durations) + round(rest / pace)
    assert rest / 2 <= after(durations, total).seconds_left() <= rest * 2


@given(st.floats(0.01, 100), st.integers(1, 3_000), st.integers(1, 3_000), st.integers(0, 50))
def test_steps_of_one_length_are_foretold(seconds, steps, left, earlier):
    clock = Clock()
    shown = Progress("work", earlier + steps + left, done=earlier, clock=clock)
    for _ in range(steps):
        clock.now += seconds
        shown.advance()
    assert shown.seconds_left() == pytest.approx(seconds * left, rel=0.1)
    assert len(shown._marks) <= progress._MOST_MARKS


@pytest.mark.parametrize("shown", [Progress("work", None), Progress("work", 3), Progress("work", 3, done=2)])
def test_nobody_knows_what_is_left_of_work_that_has_not_begun(shown):
    assert shown.seconds_left() is None
