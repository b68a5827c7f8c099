"""Calibration, its error, and thresholds."""

import numpy as np
import pytest

from abroad.core.errors import InputError
from abroad.extraction.builtin.calibrate import (
    IsotonicScaling,
    OperatingPoint,
    PlattScaling,
    best_threshold,
    expected_calibration_error,
    operating_points,
    scaling_from_dict,
    threshold_for_precision,
)


@pytest.fixture(scope="module")
def held_out():
    """Scores that are too sure of themselves: the log-odds are twice what they should be."""
    rng = np.random.default_rng(0)
    odds = rng.normal(0, 1.5, 20_000)
    truth = rng.random(20_000) < 1 / (1 + np.exp(-odds))
    return 1 / (1 + np.exp(-2 * odds)), truth


@pytest.mark.parametrize("method", [PlattScaling, IsotonicScaling])
def test_calibration_mends_overconfidence_and_survives_json(method, held_out):
    scores, truth = held_out
    scaling = method.fit(scores[:10_000], truth[:10_000])
    before = expected_calibration_error(scores[10_000:], truth[10_000:])
    adjusted = scaling.apply(scores[10_000:])
    assert before > 0.08 and expected_calibration_error(adjusted, truth[10_000:]) < 0.02
    assert np.allclose(scaling_from_dict(scaling.to_dict()).apply(scores), scaling.apply(scores), atol=1e-3)
    assert np.all(np.diff(scaling.apply(np.linspace(0, 1, 50))) >= -1e-9)  # order is kept


def test_platt_finds_the_factor_that_was_put_in(held_out):
    assert PlattScaling.fit(*held_out).slope == pytest.approx(0.5, abs=0.02)


def test_calibration_error_by_hand():
    scores, truth = np.array([0.95, 0.95, 0.15, 0.15]), np.array([True, False, False, False])
    assert expected_calibration_error(scores, truth) == pytest.approx((2 * 0.45 + 2 * 0.15) / 4)
    assert expected_calibration_error(np.zeros(0), np.zeros(0)) == 0


def test_operating_points_count_gold_that_is_no_candidate():
    points = operating_points(np.array([0.9, 0.6, 0.3]), np.array([True, False, True]), gold=4)
    at = {point.threshold: point for point in points}
    assert (at[0.5].precision, at[0.5].recall) == (50.0, 25.0)
    assert at[0.05].recall == 50.0 and at[0.95].f1 == 0


def test_a_wanted_precision_gives_the_threshold_of_the_best_recall():
    measured = ((0.1, 50, 90), (0.3, 80, 70), (0.4, 91, 60), (0.5, 95, 30), (0.9, 0, 0))
    points = [OperatingPoint(threshold, precision, recall, 50) for threshold, precision, recall in measured]
    assert threshold_for_precision(points, 0.9).threshold == 0.4
    with pytest.raises(InputError, match=r"the best was 0.95, with --min-score 0.5"):
        threshold_for_precision(points, 0.99)


def test_the_best_threshold_is_no_lone_peak():
    points = [OperatingPoint(t / 100, 0, 0, 80 - abs(t - 40) + (30 if t == 90 else 0)) for t in range(5, 100)]
    assert best_threshold(points) == pytest.approx(0.4, abs=0.02)


@pytest.mark.parametrize("method", [PlattScaling, IsotonicScaling])
def test_nothing_is_certain(method, held_out):
    adjusted = method.fit(*held_out).apply(np.array([0.0, 0.5, 1.0]))
    assert (adjusted > 0).all() and (adjusted < 1).all()
