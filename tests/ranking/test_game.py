"""The game of generator and discriminator: worked by hand, and what holds of every game."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from abroad.core.errors import InputError
from abroad.ranking.game import CORRECT, INCORRECT, GameSettings, Policies, find_equilibria, find_equilibrium
from abroad.ranking.policies import initial_policies

# Two candidates, a and b. The generator begins with pi_G(a|correct) = 3/4 and pi_G(a|incorrect) = 1/4, the
# discriminator with 1/2 everywhere. Exchanging a with b and correct with incorrect changes nothing, so at every step
# pi_G(a|correct) = pi_G(b|incorrect) = g and pi_D(correct|a) = pi_D(incorrect|b) = d are all there is.
#
# With lambda = eta = 0.1 the exponent is divided by 1 / (0.1 t) + 0.1: by 10.1 at t = 1, by 5.1 at t = 2.
#   t = 1: Q_G(a|correct) = Q_G(b|correct) = 1/4, so logit(g) = 0.1 ln 3 / 10.1
#          Q_D(correct|a) - Q_D(incorrect|a) = (3/4 - 1/4) / 2 = 1/4, so logit(d) = 0.25 / 10.1
#   t = 2: Q_G(a|correct) - Q_G(b|correct) = ((1/2 - 1/2) + (d2 - (1 - d2))) / (2 * 2) = (2 d2 - 1) / 4
#          Q_D(correct|a) - Q_D(incorrect|a) = ((3/4 - 1/4) + (2 g2 - 1)) / 4 = (2 g2 - 1/2) / 4
# At the end, t without bound, the means are the policies themselves:
#          logit(g) = (d - 1/2) / 0.1 + ln 3 and logit(d) = (g - 1/2) / 0.1.
GAME = Policies(np.log([[0.75, 0.25], [0.25, 0.75]]), np.log([[0.5, 0.5], [0.5, 0.5]]))


def logit(p):
    return math.log(p / (1 - p))


def sigmoid(x):
    return 1 / (1 + math.exp(-x))


def probabilities(policies):
    return np.exp(policies.generator), np.exp(policies.discriminator)


def test_the_first_steps_are_those_worked_by_hand():
    g2, d2 = sigmoid(0.1 * math.log(3) / 10.1), sigmoid(0.25 / 10.1)
    g3, d3 = sigmoid(((2 * d2 - 1) / 4 + 0.1 * math.log(3)) / 5.1), sigmoid((2 * g2 - 0.5) / 4 / 5.1)
    for steps, g, d in ((1, g2, d2), (2, g3, d3)):
        generator, discriminator = probabilities(find_equilibrium(GAME, GameSettings(steps=steps)))
        np.testing.assert_allclose(generator, [[g, 1 - g], [1 - g, g]], rtol=1e-12)
        np.testing.assert_allclose(discriminator, [[d, 1 - d], [1 - d, d]], rtol=1e-12)


def test_the_last_step_is_near_the_equilibrium_worked_by_hand():
    generator, discriminator = probabilities(find_equilibrium(GAME))
    g, d = generator[0, CORRECT], discriminator[0, CORRECT]
    # The first steps still count a little in the means, hence 5 in a thousand.
    assert g == pytest.approx(sigmoid((d - 0.5) / 0.1 + math.log(3)), abs=5e-3)
    assert d == pytest.approx(sigmoid((g - 0.5) / 0.1), abs=5e-3)
    assert g > 0.98 and d > 0.98  # what the generator held a little, both hold surely


logs = st.floats(-500, 0)
games = st.integers(1, 7).flatmap(
    lambda n: st.tuples(*[st.lists(st.tuples(logs, logs), min_size=n, max_size=n) for _ in range(2)])
)
SHORT = GameSettings(steps=60)


@settings(max_examples=60, deadline=None)
@given(st.lists(games, min_size=1, max_size=4))
def test_policies_are_probabilities_whatever_the_model_said(raw):
    initial = [initial_policies(*game) for game in raw]
    for start, end in zip(initial, find_equilibria(initial, SHORT), strict=True):
        for policies in (start, end):
            generator, discriminator = probabilities(policies)
            assert not np.isnan(generator).any() and not np.isnan(discriminator).any()
            np.testing.assert_allclose(generator.sum(axis=0), 1, atol=1e-9)
            np.testing.assert_allclose(discriminator.sum(axis=1), 1, atol=1e-9)


@settings(max_examples=40, deadline=None)
@given(games, st.randoms())
def test_the_order_of_candidates_does_not_matter(raw, random):
    order = list(range(len(raw[0])))
    random.shuffle(order)
    plain = find_equilibrium(initial_policies(*raw), SHORT)
    shuffled = find_equilibrium(initial_policies(*([side[n] for n in order] for side in raw)), SHORT)
    for a, b in zip(probabilities(plain), probabilities(shuffled), strict=True):
        np.testing.assert_allclose(a[order], b, atol=1e-9)


@settings(max_examples=40, deadline=None)
@given(games)
def test_equal_candidates_stay_equal(raw):
    doubled = find_equilibrium(initial_policies(*(side + side for side in raw)), SHORT)
    n = len(raw[0])
    for policy in (doubled.generator, doubled.discriminator):
        assert (policy[:n] == policy[n:]).all()


@settings(max_examples=30, deadline=None)
@given(st.lists(games, min_size=2, max_size=5))
def test_a_game_does_not_depend_on_those_beside_it(raw):
    initial = [initial_policies(*game) for game in raw]
    for alone, together in zip(initial, find_equilibria(initial, SHORT), strict=True):
        single = find_equilibrium(alone, SHORT)
        np.testing.assert_allclose(np.exp(single.discriminator), np.exp(together.discriminator), atol=1e-12)
        assert single.steps == together.steps


def test_a_game_of_one_and_a_game_of_none():
    one = find_equilibrium(initial_policies([[-1.0, -2.0]], [[-0.1, -3.0]]))
    assert np.exp(one.generator).tolist() == [[1.0, 1.0]]
    assert find_equilibrium(initial_policies([], [])).generator.shape == (0, 2)


def test_a_settled_game_ends_early():
    still = Policies(np.log([[0.5, 0.5], [0.5, 0.5]]), np.log([[0.5, 0.5], [0.5, 0.5]]))
    assert find_equilibrium(still).steps < 100


def test_agreement_is_what_the_players_began_to_hold():
    """Both lean to the first candidate, from different sides: the game settles on it."""
    end = find_equilibrium(initial_policies([[-1.0, -1.4], [-1.2, -1.1]], [[-0.6, -0.8], [-0.7, -0.7]]))
    assert end.generator[0, CORRECT] > end.generator[1, CORRECT]
    assert end.discriminator[0, CORRECT] > end.discriminator[0, INCORRECT]


@pytest.mark.parametrize(
    "policies",
    [
        Policies(np.zeros((2, 2)), np.zeros((3, 2))),
        Policies(np.zeros(2), np.zeros(2)),
        Policies(np.full((1, 2), np.nan), np.zeros((1, 2))),
    ],
)
def test_what_is_no_game_is_refused(policies):
    with pytest.raises(InputError):
        find_equilibrium(policies)


@pytest.mark.parametrize("value", [math.nan, -math.inf])
def test_a_model_that_gives_no_number_is_refused(value):
    with pytest.raises(InputError, match="finite"):
        initial_policies([[value, -1.0]], [[-1.0, -1.0]])
