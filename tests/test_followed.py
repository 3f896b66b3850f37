"""What training follows with D at its best and frozen: against formulas worked out by hand and plain numerics."""

from fractions import Fraction

import numpy as np
import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from ganlab.errors import ObjectiveError
from ganlab.objectives import GAN_2014, MINIMAX, NON_SATURATING, D, Objective, least_squares
from ganlab.theory.followed import Followed, r

a, b, c = sp.symbols("a b c", real=True)
fractions = st.fractions(-3, 3, max_denominator=4)


def test_least_squares_for_every_coding():
    expected = (b - a) * ((c - b) + (c - a) * r) / (1 + r) ** 3
    assert sp.simplify(least_squares(a, b, c).followed.curvature - expected) == 0


@settings(max_examples=20)
@given(a=fractions, b=fractions, c=fractions)
def test_the_verdict_on_codings_is_the_theorems(a: Fraction, b: Fraction, c: Fraction):
    if a == b:
        return
    followed = least_squares(*(sp.Rational(x.numerator, x.denominator) for x in (a, b, c))).followed
    assert followed.is_f_divergence == ((c - b) * (b - a) >= 0)
    curvature = sp.lambdify(r, followed.curvature)
    for ratio in np.geomspace(1e-3, 1e3, 25):
        assert (ratio in followed.wrong_way) == (curvature(ratio) < 0)


@pytest.mark.parametrize(
    ("objective", "curvature", "missing", "solution"),
    [
        (MINIMAX, 1 / (r * (1 + r)), sp.oo, sp.Rational(1, 2)),
        (NON_SATURATING, 1 / (1 + r), 1, sp.Rational(1, 2)),
        (GAN_2014, 1 / (1 + r), 1, sp.Rational(1, 2)),
        (least_squares(0, 1, 1), r / (1 + r) ** 3, 0, sp.Rational(1, 8)),
        (least_squares(-1, 1, 0), -2 * (1 - r) / (1 + r) ** 3, -2, 0),
        (least_squares(-1, 1, 2), 2 * (1 + 3 * r) / (1 + r) ** 3, 2, 1),
        (least_squares(1, 0, -1), (1 + 2 * r) / (1 + r) ** 3, 1, sp.Rational(3, 8)),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_the_pushes_of_known_objectives(objective: Objective, curvature, missing, solution):
    followed = objective.followed
    assert sp.simplify(followed.curvature - curvature) == 0
    assert followed.at_missing_modes == missing
    assert followed.at_solution == solution


@pytest.mark.parametrize("objective", [MINIMAX, NON_SATURATING, least_squares(), least_squares(0, 1, 2)])
def test_phi_is_the_integral_of_its_slope_and_0_at_1(objective: Objective):
    followed = objective.followed
    assert sp.simplify(followed.phi.subs(r, 1)) == 0
    assert sp.simplify(sp.diff(followed.phi, r) - followed.slope) == 0


def test_training_that_pushes_the_wrong_way_is_told():
    """G that wants D to answer what it answers on generated samples."""
    backwards = Objective("backwards", (D - 1) ** 2, D**2, D**2, output="score", source="a test")
    assert not backwards.followed.is_f_divergence
    assert backwards.followed.wrong_way == sp.Interval.open(0, sp.oo)


def test_what_cannot_be_decided_says_so():
    with pytest.raises(ObjectiveError, match="contains a, b, c; give numbers for them"):
        _ = least_squares(a, b, c).followed.is_f_divergence
    with pytest.raises(ObjectiveError, match="its sign cannot be decided; plot it instead"):
        _ = Followed(sp.sin(r) * sp.exp(sp.cos(r)) + sp.gamma(r)).wrong_way
    with pytest.raises(ObjectiveError, match="has no integral that sympy finds"):
        _ = Followed(sp.exp(sp.sin(r))).phi


def test_a_phi_that_is_a_straight_line_is_no_f_divergence():
    """G pays the same everywhere, as with the coding a = b: F is constant."""
    assert not Followed(sp.Integer(3)).is_f_divergence
    assert not least_squares(1, 1, 0).followed.is_f_divergence


def test_what_was_derived_once_serves_again():
    objective = least_squares(0, 1, 2)
    assert objective.followed is objective.followed
    assert objective.followed.phi is objective.followed.phi


@pytest.mark.parametrize("coding", [(0, 1, 0.6), (-1, 1, 0.3), (0, 0.9, 0.9), (0.1, 0.9, 2.0), (0.3, 0.3, 1)], ids=str)
def test_decimals_get_the_verdict_of_their_fractions(coding: tuple[float, ...]):
    exact = least_squares(*(Fraction(str(number)) for number in coding)).followed
    decimal = least_squares(*coding).followed
    assert decimal.is_f_divergence == exact.is_f_divergence
    assert decimal.wrong_way == exact.wrong_way
