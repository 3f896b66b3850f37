"""What is derived from an objective, against the papers' formulas and against plain numerics."""

import math

import numpy as np
import pytest
import sympy as sp
import torch
from hypothesis import given
from hypothesis import strategies as st

from ganlab.errors import NoOptimum, ObjectiveError, Unbounded, UndefinedName
from ganlab.objectives import MINIMAX, NON_SATURATING, D, Objective, least_squares, p_d, p_g, t

a, b, c = sp.symbols("a b c", real=True)
S = p_d + p_g
CATALOGUE = [MINIMAX, NON_SATURATING, least_squares(), least_squares(0, 1, 1)]


def same(left: sp.Expr, right: sp.Expr) -> bool:
    return sp.simplify(sp.expand_log(left - right, force=True)) == 0


def mine(real: object = -sp.log(D), fake: object = -sp.log(1 - D), generator: object = -sp.log(D), **options):
    options = {"output": "probability", "source": "a test", **options}
    return Objective("mine", real, fake, generator, **options)  # pyright: ignore[reportArgumentType]


def test_value_of_the_game_is_the_papers():
    assert same(MINIMAX.value_integrand, p_d * sp.log(D) + p_g * sp.log(1 - D))
    assert same(least_squares(a, b, c).value_integrand, -p_d * (D - b) ** 2 / 2 - p_g * (D - a) ** 2 / 2)


def test_optimal_discriminators_are_the_papers():
    assert same(MINIMAX.optimal_discriminator.D, p_d / S)
    assert same(NON_SATURATING.optimal_discriminator.D, p_d / S)
    assert same(least_squares(a, b, c).optimal_discriminator.D, (b * p_d + a * p_g) / S)


@pytest.mark.parametrize("objective", CATALOGUE, ids=lambda objective: objective.name)
def test_the_value_is_curved_downwards_at_the_best(objective: Objective):
    """V″ in the densities, as taken from the value itself."""
    best = objective.optimal_discriminator
    assert same(best.curvature, sp.diff(objective.value_integrand, D, 2).subs(D, best.D))
    assert best.curvature.free_symbols == {p_d, p_g}
    assert best.curvature.is_negative


@pytest.mark.parametrize("objective", CATALOGUE, ids=lambda objective: objective.name)
@given(density_d=st.floats(0.05, 20), density_g=st.floats(0.05, 20))
def test_optimal_discriminator_beats_a_grid_of_others(objective: Objective, density_d: float, density_g: float):
    V = sp.lambdify((D, p_d, p_g), objective.value_integrand, "numpy")
    best = float(objective.optimal_discriminator.D.subs({p_d: density_d, p_g: density_g}))
    others = np.linspace(0.001, 0.999, 999) if objective.output == "probability" else np.linspace(-3, 3, 1201)
    assert V(best, density_d, density_g) >= V(others, density_d, density_g).max() - 1e-12


def test_criterion_of_the_game_is_minus_log_4_plus_twice_jensen_shannon():
    m = S / 2
    twice_jsd = p_d * sp.log(p_d / m) + p_g * sp.log(p_g / m)
    # Both densities integrate to 1, so −log 4 is the integral of −(p_d + p_g) log 2.
    assert same(MINIMAX.criterion, twice_jsd - S * sp.log(2))


def test_criterion_of_least_squares_is_the_papers_for_every_coding():
    two_C = 2 * least_squares(a, b, c).criterion
    triangular = (p_d - p_g) ** 2 / S
    # ∫ S = 2: the constant ½(a + b − 2c)² has the density ¼(a + b − 2c)² S. The mixed term integrates to 0.
    constant, mixed = (a + b - 2 * c) ** 2 * S / 4, (a + b - 2 * c) * (b - a) * (p_d - p_g) / 2
    assert same(two_C, constant + mixed + (b - a) ** 2 * triangular / 4)
    assert same(2 * least_squares().criterion, (2 * p_g - S) ** 2 / S)


def test_criterion_of_a_zero_sum_game_is_the_value_at_the_optimum():
    assert same(MINIMAX.criterion, MINIMAX.value_integrand.subs(D, MINIMAX.optimal_discriminator.D))


def test_frozen_gradients():
    assert same(MINIMAX.frozen_gradient, sp.log(p_g / S))
    assert same(NON_SATURATING.frozen_gradient, -sp.log(p_d / S))
    assert same(least_squares(0, 1, 1).frozen_gradient, (p_g / S) ** 2 / 2)
    ratio = p_g / p_d
    assert same(least_squares(-1, 1, 0).frozen_gradient, ((1 - ratio) / (1 + ratio)) ** 2 / 2)


def test_logit_gradients_and_where_they_vanish():
    sigma = 1 / (1 + sp.exp(-t))
    saturating = MINIMAX.logit_gradients["generator"]
    assert same(saturating.expression, -sigma)
    assert (saturating.at_minus_infinity, saturating.at_plus_infinity) == (0, -1)
    non_saturating = NON_SATURATING.logit_gradients["generator"]
    assert same(non_saturating.expression, -(1 - sigma))
    assert (non_saturating.at_minus_infinity, non_saturating.at_plus_infinity) == (-1, 0)
    assert same(least_squares(a, b, c).logit_gradients["generator"].expression, t - c)
    assert same(MINIMAX.logit_gradients["real"].expression, -(1 - sigma))
    assert same(MINIMAX.logit_gradients["fake"].expression, sigma)


def test_only_the_minimax_game_is_zero_sum():
    assert same(MINIMAX.generator, -MINIMAX.fake)
    assert not same(NON_SATURATING.generator, -NON_SATURATING.fake)


@given(share=st.sampled_from([0.0, 0.05, 0.1, 0.25, 0.49]))
def test_one_sided_smoothing_moves_the_optimum_to_the_published_place(share: float):
    smoothed = NON_SATURATING.smoothed(share).optimal_discriminator.D
    # Salimans et al. 2016, sec. 3.4, with α = 1 − share and β = 0.
    assert same(smoothed, (1 - sp.Rational(str(share))) * p_d / S)


def test_latex_shows_both_players():
    latex = NON_SATURATING.latex
    assert latex.count(r"\min") == 2
    assert latex.count(r"D(G(z))") == 2
    assert latex.count(r"p_\mathrm{data}") == 1


def test_objectives_are_values():
    assert least_squares(0, 1, 1) == least_squares(0, 1, 1)
    assert least_squares(0, 1, 1) != least_squares()
    assert least_squares(a, b, c).parameters == (a, b, c)
    assert least_squares().parameters == ()


NEYMAN = mine(1 / D - 1, D / (1 - D), D / (1 - D))


def test_an_optimum_that_needs_square_roots_is_found():
    root = sp.sqrt(p_d) / (sp.sqrt(p_d) + sp.sqrt(p_g))
    assert same(NEYMAN.optimal_discriminator.D, root)
    assert math.isclose(float(NEYMAN.optimal_discriminator.D.subs({p_d: 4, p_g: 1})), 2 / 3)


@pytest.mark.parametrize(
    ("build", "error", "named"),
    [
        (lambda: mine(sp.Symbol("q") * D), UndefinedName, "D*q uses q"),
        (lambda: mine(sp.Function("h")(D)), UndefinedName, "h(D) uses h"),
        (lambda: mine("-log(D)"), ObjectiveError, "'-log(D)'"),
        (lambda: mine(True), ObjectiveError, "True"),
        (lambda: mine(fake=1), ObjectiveError, "fake = 1 does not depend on D"),
        (lambda: mine(sp.nan * D), ObjectiveError, "nan"),
        (lambda: mine(sp.I * D), ObjectiveError, "I*D"),
        (lambda: mine(output="logit"), ObjectiveError, "'logit'"),
        (lambda: NON_SATURATING.smoothed(0.5), ObjectiveError, "0.5"),
        (lambda: mine(-D, D, -D, output="score").optimal_discriminator, Unbounded, "real = -D"),
        (lambda: mine(sp.log(D)).optimal_discriminator, Unbounded, "real = log(D)"),
        # The label 1.05 of a well-known book: unbounded wherever p_g = 0.
        (
            lambda: mine(-sp.Rational(21, 20) * sp.log(D) + sp.log(1 - D) / 20).optimal_discriminator,
            Unbounded,
            "log(1 - D)/20",
        ),
        (lambda: mine(D, D, D).optimal_discriminator, NoOptimum, "0 stationary points"),
        (lambda: mine(sp.sqrt(D), sp.sqrt(1 - D)).optimal_discriminator, NoOptimum, "not negative"),
        (
            lambda: mine(sp.Max(0, 1 - D), sp.Max(0, 1 + D), -D, output="score").optimal_discriminator,
            NoOptimum,
            "Max(0, 1 - D)",
        ),
        (lambda: mine(D**4 - D**2, D**4 - D**2, output="score").criterion, NoOptimum, "3 stationary points"),
        (lambda: least_squares(a, 1, c).losses(), ObjectiveError, "a, c have no numbers"),
    ],
)
def test_a_wrong_objective_is_named_in_one_line(build, error: type[ObjectiveError], named: str):
    with pytest.raises(error) as caught:
        build()
    message = str(caught.value)
    assert type(caught.value) is error
    assert named in message
    assert "\n" not in message


@pytest.mark.parametrize("symbol", [D, p_d, p_g, t, sp.Symbol("r", positive=True)], ids=str)
def test_a_parameter_is_none_of_the_symbols_that_are_derived_with(symbol: sp.Symbol):
    with pytest.raises(
        ObjectiveError, match=f"but {symbol} has a meaning of its own in what is derived; give another symbol"
    ):
        mine(fake=symbol * D**2, parameters=(symbol,))


@pytest.mark.parametrize("name", ["u", "v", "w"])
def test_the_name_of_a_parameter_does_not_matter(name: str):
    one = sp.Symbol(name, positive=True)
    assert same(least_squares(0, one, one).optimal_discriminator.D, one * p_d / S)


def test_what_sympy_cannot_decide_is_not_called_wrong():
    """V of these powers is concave, with one maximum; two of the three stationary points are complex."""
    powers = mine((D - 1) ** 4, (D + 1) ** 4, (D - 1) ** 4, output="score")
    with pytest.raises(NoOptimum, match="whose sign sympy cannot decide"):
        _ = powers.optimal_discriminator


@pytest.mark.parametrize("share", ["0.1", None, torch.tensor(0.1), 0.5, math.nan], ids=repr)
def test_a_share_to_smooth_by_is_a_number(share: object):
    with pytest.raises(ObjectiveError, match=r"label_smoothing is .*; give a number in"):
        NON_SATURATING.smoothed(share)  # pyright: ignore[reportArgumentType]
