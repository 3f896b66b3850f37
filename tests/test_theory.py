"""Divergences, densities and the function-space game against scipy, scikit-learn's conventions and closed forms."""

import math
from typing import Any

import numpy as np
import pytest
import scipy.spatial.distance
import scipy.stats
import sympy as sp
import torch
from hypothesis import given
from hypothesis import strategies as st

from ganlab.errors import ConfigError, ShapeError
from ganlab.theory import divergences as div
from ganlab.theory import game
from ganlab.theory.densities import mixture, normal, x

laws = st.lists(st.floats(0.01, 1), min_size=4, max_size=4).map(lambda values: np.array(values) / sum(values))


@given(laws, laws)
def test_divergences_on_an_alphabet_are_scipys(P: np.ndarray, Q: np.ndarray):
    assert div.on_alphabet(div.KL, P, Q) == pytest.approx(scipy.stats.entropy(P, Q), abs=1e-12)
    distance = scipy.spatial.distance.jensenshannon(P, Q)
    assert div.on_alphabet(div.JENSEN_SHANNON, P, Q) == pytest.approx(distance**2, abs=1e-9)
    assert div.on_alphabet(div.PEARSON, P, Q) == pytest.approx(scipy.stats.chisquare(P, Q).statistic, abs=1e-12)
    assert div.on_alphabet(div.NEYMAN, P, Q) == pytest.approx(div.on_alphabet(div.PEARSON, Q, P), abs=1e-12)
    delta = div.on_alphabet(div.TRIANGULAR, P, Q)
    jsd = div.on_alphabet(div.JENSEN_SHANNON, P, Q)
    assert delta / 4 - 1e-12 <= jsd <= math.log(2) / 2 * delta + 1e-12  # Topsøe 2000


def test_zeros_are_taken_by_their_limits():
    P, Q = np.array([1.0, 0.0]), np.array([0.5, 0.5])
    assert div.on_alphabet(div.KL, P, Q) == pytest.approx(math.log(2))
    assert div.on_alphabet(div.KL, Q, P) == math.inf
    apart = np.array([0.0, 1.0])
    assert div.on_alphabet(div.JENSEN_SHANNON, P, apart) == pytest.approx(math.log(2))
    assert div.on_alphabet(div.TRIANGULAR, P, apart) == pytest.approx(2)
    for wrong in (np.array([0.5, 0.6]), np.array([1.0]), np.array([1.5, -0.5])):
        with pytest.raises(ShapeError):
            div.on_alphabet(div.KL, P, wrong)


@pytest.mark.parametrize("divergence", div.F_DIVERGENCES, ids=lambda divergence: divergence.name)
def test_f_divergences_reach_their_bound_at_the_best_critic(divergence: div.FDivergence):
    assert divergence.f.subs(div.u, 1) == (-2 * sp.log(2) if divergence.name == "GAN" else 0)
    assert sp.simplify(sp.diff(divergence.f, div.u, 2)).is_positive
    bound = div.p * divergence.critic - div.q * divergence.conjugate.subs(div.v, divergence.critic)
    assert sp.simplify(sp.expand_log(sp.simplify(bound) - divergence.integrand, force=True)) == 0


@pytest.mark.parametrize("divergence", div.F_DIVERGENCES, ids=lambda divergence: divergence.name)
@pytest.mark.parametrize("ratio", [0.1, 0.7, 1.0, 4.0])
def test_a_conjugate_is_the_largest_gap_to_a_line(divergence: div.FDivergence, ratio: float):
    slope = float(sp.diff(divergence.f, div.u).subs(div.u, ratio))
    grid = np.geomspace(1e-3, 1e3, 200_001)
    gap = slope * grid - sp.lambdify(div.u, divergence.f, "numpy")(grid)
    assert float(divergence.conjugate.subs(div.v, slope)) == pytest.approx(gap.max(), abs=1e-6)


def test_conjugates_are_the_published_ones():
    v = div.v
    published = {
        "KL": sp.exp(v - 1),
        "reverse KL": -1 - sp.log(-v),
        "Pearson χ²": v**2 / 4 + v,
        "Neyman χ²": 2 - 2 * sp.sqrt(1 - v),
        "squared Hellinger": v / (1 - v),
        "Jensen–Shannon × 2": -sp.log(2 - sp.exp(v)),
        "GAN": -sp.log(1 - sp.exp(v)),
    }
    ours = {divergence.name: divergence.conjugate for divergence in div.F_DIVERGENCES}
    for name, expected in published.items():
        assert sp.simplify(ours[name] - expected) == 0, name


def test_conjugates_hold_between_the_slopes_of_f():
    """Below them the supremum is taken at u → 0, above them there is none."""
    lows = [-sp.oo, -sp.oo, -2, -sp.oo, -sp.oo, -sp.oo, -sp.oo, -3]
    highs = [sp.oo, 0, sp.oo, 1, 1, sp.log(2), 0, 1]
    assert [divergence.slopes for divergence in div.F_DIVERGENCES] == list(zip(lows, highs, strict=True))
    ratios = np.geomspace(1e-9, 1e6, 4001)
    for divergence in div.F_DIVERGENCES:
        low, high = divergence.slopes
        f = sp.lambdify(div.u, divergence.f)(ratios)
        if low.is_finite:
            at_zero = float(sp.limit(divergence.f, div.u, 0, "+"))
            assert (ratios * float(low - 5) - f).max() == pytest.approx(-at_zero, abs=1e-6)
        if high.is_finite:
            assert (ratios * float(high + 1) - f).max() > 1e5


@given(st.floats(-3, 3), st.floats(0.3, 3), st.floats(0.3, 3))
def test_quadrature_gives_the_closed_form_of_kl_between_normals(mean: float, sigma: float, tau: float):
    estimate = div.by_quadrature(div.KL, normal(mean, sigma), normal(0, tau), mean - 9 * sigma, mean + 9 * sigma)
    closed = math.log(tau / sigma) + (sigma**2 + mean**2) / (2 * tau**2) - 0.5
    assert estimate.value == pytest.approx(closed, abs=1e-6)
    assert estimate.error < 1e-6


def test_monte_carlo_is_right_within_its_error():
    samples = normal(1, 2).sample(100_000, np.random.default_rng(0))
    estimate = div.by_monte_carlo(lambda s: s**2, samples)
    assert abs(estimate.value - 5) < 4 * estimate.error
    assert estimate.error == pytest.approx(math.sqrt(2 * 16 + 4 * 4) / math.sqrt(100_000), rel=0.05)


def test_a_density_is_one_law_for_sympy_numpy_torch_and_the_sampler():
    law = mixture([-1, 2], sp.Rational(1, 2), [sp.Rational(1, 4), sp.Rational(3, 4)])
    assert sp.simplify(sp.integrate(law.expression, (x, -sp.oo, sp.oo)).rewrite(sp.erf)) == 1
    points = np.linspace(-3, 4, 11)
    expected = 0.25 * scipy.stats.norm(-1, 0.5).pdf(points) + 0.75 * scipy.stats.norm(2, 0.5).pdf(points)
    np.testing.assert_allclose(law.compiled()(points), expected)
    in_torch = law.compiled([{"exp": torch.exp, "sqrt": math.sqrt, "pi": math.pi}])(torch.from_numpy(points))
    np.testing.assert_allclose(in_torch.numpy(), expected)
    samples = law.sample(20_000, np.random.default_rng(0))

    def distribution(at: np.ndarray) -> np.ndarray:
        return 0.25 * scipy.stats.norm(-1, 0.5).cdf(at) + 0.75 * scipy.stats.norm(2, 0.5).cdf(at)

    assert scipy.stats.kstest(samples, distribution).pvalue > 0.001
    mean, sigma = sp.Symbol("mu", real=True), sp.Symbol("sigma", positive=True)
    single = normal(mean, sigma)
    assert sp.simplify(sp.expand_log(sp.log(single.expression), force=True) - single.log_expression) == 0
    with pytest.raises(ConfigError):
        mixture([0, 1], 1, [1, 1])


@given(laws, laws)
def test_the_game_with_functions(p_d: np.ndarray, p_g: np.ndarray):
    D = game.best_discriminator(p_d, p_g)
    best = game.value(D, p_d, p_g)
    assert best == pytest.approx(-math.log(4) + 2 * div.on_alphabet(div.JENSEN_SHANNON, p_d, p_g))
    assert game.criterion(p_d, p_g) == pytest.approx(best)
    for other in np.random.default_rng(0).uniform(0.01, 0.99, (20, 4)):
        assert game.value(other, p_d, p_g) <= best + 1e-12
    values = [best]
    path = list(game.algorithm_1(p_d, p_g, rate=0.5, steps=300))
    for law in path:
        assert law.sum() == pytest.approx(1)
        values.append(game.value(game.best_discriminator(p_d, law), p_d, law))
    assert np.abs(path[-1] - p_d).max() < 1e-6
    assert np.all(np.diff(values) <= 1e-12)


def test_the_game_knows_its_limits():
    assert game.value(np.array([1.0, 0.0]), np.array([1.0, 0.0]), np.array([0.0, 1.0])) == 0
    assert np.isnan(game.best_discriminator(np.array([0.0, 1.0]), np.array([0.0, 1.0]))[0])
    with pytest.raises(ShapeError):
        next(game.algorithm_1(np.array([1.0, 0.0]), np.array([0.5, 0.5]), rate=1, steps=1))


def test_a_law_that_is_all_but_gone_grows_back():
    p_d, p_g = np.array([0.5, 0.5]), np.array([1e-17, 1 - 1e-17])
    laws = list(game.algorithm_1(p_d, p_g, rate=0.5, steps=60))
    assert np.isfinite(laws).all()
    assert laws[-1] == pytest.approx(p_d, abs=1e-3)


@pytest.mark.parametrize("weights", [[0.7, 0.2, 0.1], np.array([0.5, 0.25, 0.25]), None], ids=str)
def test_weights_are_a_law_within_rounding(weights: Any):
    assert math.fsum(map(float, mixture([0, 1, 2], 1, weights).weights)) == pytest.approx(1)


@pytest.mark.parametrize(
    ("sigma", "weights", "said"),
    [(1, [2, -1], "none below 0"), (1, [0.5, 0.4], "with sum 1"), (1, [1], "one for each"), (-1, None, "positive")],
)
def test_what_is_no_density_is_refused(sigma: float, weights: list[float] | None, said: str):
    with pytest.raises(ConfigError, match=said):
        mixture([0, 1], sigma, weights)


def test_ends_so_far_out_that_a_density_is_0_are_named():
    with pytest.raises(ConfigError, match="give narrower ends than -40 and 40"):
        div.by_quadrature(div.PEARSON, normal(0), normal(1), -40, 40)
    assert div.by_quadrature(div.PEARSON, normal(0), normal(1), -15, 15).value == pytest.approx(math.e - 1)


def test_laws_on_no_letter_are_none():
    with pytest.raises(ShapeError, match="give vectors with sum 1"):
        div.on_alphabet(div.KL, np.array([]), np.array([]))
