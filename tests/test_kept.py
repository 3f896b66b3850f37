"""Which share of the data training would keep, against a search over all laws on a few modes."""

import numpy as np
import pytest
import scipy.optimize
import sympy as sp

from ganlab.errors import ConfigError
from ganlab.objectives import MINIMAX, NON_SATURATING, least_squares
from ganlab.theory.followed import Followed
from ganlab.theory.kept import modes_kept, price, u


def zero_one(c: str):
    return least_squares(0, 1, sp.Rational(c)).followed


def functional(c: float, shares: np.ndarray) -> float:
    """F of a law on equal modes, from lesson 09's closed form: c KL(p_d‖m) − Δ/8, with plain sums."""
    p_d = np.full(len(shares), 1 / len(shares))
    m = (p_d + shares) / 2
    return float(c * np.sum(p_d * np.log(p_d / m)) - np.sum((p_d - shares) ** 2 / (p_d + shares)) / 8)


@pytest.mark.parametrize("c", ["1/3", "1/2", "3/5", "1"])
@pytest.mark.parametrize("number", [1, 3, 8])
def test_the_price_is_the_functional_of_a_law_on_some_of_the_modes(c: str, number: int):
    shares = np.zeros(8)
    shares[:number] = 1 / number
    by_price = float(price(zero_one(c)).subs(u, sp.Rational(number, 8)))
    assert by_price == pytest.approx(functional(float(sp.Rational(c)), shares), abs=1e-12)


@pytest.mark.parametrize(("c", "wanted"), [("3/10", 1), ("2/5", 2), ("1/2", 4), ("3/5", 6), ("7/10", 8), ("1", 8)])
def test_no_law_on_eight_modes_does_better(c: str, wanted: int):
    """From 20 random starts; the best has as many modes, none of them rare."""
    rng = np.random.default_rng(0)
    starts = np.log(rng.dirichlet([0.3] * 8, 20) + 1e-6)
    best = min(
        (scipy.optimize.minimize(lambda w: functional(float(sp.Rational(c)), softmax(w)), start) for start in starts),
        key=lambda found: found.fun,
    )
    assert modes_kept(zero_one(c)) == wanted
    assert (softmax(best.x) > 0.5 / 8).sum() == wanted
    assert best.fun == pytest.approx(float(price(zero_one(c)).subs(u, sp.Rational(wanted, 8))), abs=1e-3)


def softmax(w: np.ndarray) -> np.ndarray:
    raised = np.exp(w - w.max())
    return raised / raised.sum()


def test_all_modes_are_kept_from_a_threshold_on():
    """Where the slope of the price at u = 1 changes its sign: (c − a)/(b − a) = 1/(8 log 2 − 4), about 0.647."""
    c = sp.Symbol("c", positive=True)
    slope = sp.diff(price(least_squares(0, 1, c).followed), u).subs(u, 1)
    (threshold,) = sp.solve(slope, c)
    assert sp.simplify(threshold - 1 / (8 * sp.log(2) - 4)) == 0
    assert modes_kept(zero_one("64/100"), 1000) < 1000 == modes_kept(zero_one("65/100"), 1000)


@pytest.mark.parametrize("objective", [MINIMAX, NON_SATURATING, least_squares(-1, 1, 2)])
def test_an_f_divergence_keeps_all(objective):
    assert modes_kept(objective.followed, 20) == 20


def test_a_coding_and_its_scale_keep_as_many():
    assert modes_kept(least_squares(-1, 1, 0).followed, 100) == modes_kept(zero_one("1/2"), 100) == 46


def test_of_equally_good_numbers_the_largest_is_kept():
    """Where G pays nothing anywhere, F is 0 for all of them."""
    assert modes_kept(Followed(sp.Integer(0))) == 8


def test_no_modes_are_refused():
    with pytest.raises(ConfigError, match=r"^modes is 0; give at least 1\.$"):
        modes_kept(zero_one("1"), 0)
