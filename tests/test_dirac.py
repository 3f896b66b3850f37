"""The Dirac-GAN: derived fields and eigenvalues against finite differences, the paper's formulas, and plain loops."""

import math

import numpy as np
import pytest
import sympy as sp

from ganlab.errors import ConfigError
from ganlab.theory import dirac

PENALISED = {gamma: dirac.with_gradient_penalty(dirac.GAN, sp.Rational(gamma)) for gamma in ("3/10", "1")}
FIELDS = [dirac.GAN, dirac.NON_SATURATING, dirac.WASSERSTEIN, dirac.least_squares(0, 1), dirac.least_squares(-1, 0)]


@pytest.mark.parametrize(
    ("field", "options", "expected"),
    [
        (dirac.GAN, {}, "3.0969"),
        (dirac.GAN, {"alternating": True}, "1.4210"),
        (dirac.NON_SATURATING, {}, "0.6402"),
        (dirac.NON_SATURATING, {"alternating": True}, "0.2839"),
        (PENALISED["3/10"], {}, "2.643e-06"),
        (PENALISED["1"], {}, "9.5e-22"),
    ],
    ids=str,
)
def test_radii_after_500_steps_of_one_fifth(field: dirac.Field, options: dict, expected: str):
    digits = len(expected.split("e")[0].replace(".", "").lstrip("0"))
    reached = dirac.radius(dirac.simulate(field, **options))[-1]
    assert float(f"{reached:.{digits - 1}e}") == float(expected)


def test_the_gan_by_a_plain_loop_with_the_papers_signs():
    """In the paper D is large for generated points: its ψ is ours with the other sign, and it starts at (1, 1)."""
    theta, psi = 1.0, 1.0
    for _ in range(500):
        slope = 1 / (1 + math.exp(psi * theta))  # f′(ψθ)
        theta, psi = theta - 0.2 * psi * slope, psi + 0.2 * theta * slope
    np.testing.assert_allclose(dirac.simulate(dirac.GAN)[-1], [theta, -psi], rtol=1e-12)


@pytest.mark.parametrize("field", FIELDS, ids=lambda field: field.name)
def test_the_jacobian_is_that_of_finite_differences(field: dirac.Field):
    rate, step = field.compiled(), 1e-6
    columns = [(np.array(rate(*at)) - np.array(rate(*-at))) / (2 * step) for at in step * np.eye(2)]
    np.testing.assert_allclose(np.array(field.jacobian, dtype=float), np.transpose(columns), atol=1e-9)


@pytest.mark.parametrize("field", FIELDS, ids=lambda field: field.name)
def test_eigenvalues_are_those_of_the_numeric_matrix(field: dirac.Field):
    numeric = np.linalg.eigvals(np.array(field.jacobian, dtype=complex))
    derived = [complex(value) for value in field.eigenvalues]
    assert sorted(value.imag for value in derived) == pytest.approx(sorted(numeric.imag), abs=1e-7)
    assert sorted(value.real for value in derived) == pytest.approx(sorted(numeric.real), abs=1e-7)


def test_the_circle_is_kept_by_gan_and_wgan_alone():
    assert [field.name for field in FIELDS if field.radius_rate == 0] == ["GAN (minimax)", "WGAN"]


def test_ns_gan_shrinks_like_one_over_time():
    """r²·t → 8: slower than any exponential. Alternating steps stay near continuous time. 2·10⁵ steps, a second."""
    path = dirac.simulate(dirac.NON_SATURATING, step=0.01, steps=200_000, alternating=True)
    assert dirac.radius(path)[-1] ** 2 * 2000 == pytest.approx(8, rel=0.02)


@pytest.mark.parametrize("n_d", [1, 2, 5])
def test_round_matrices_are_what_the_simulation_does_near_0(n_d: int):
    start = np.array([1e-6, -2e-6])
    matrix = np.array(dirac.alternating_matrix(dirac.GAN.jacobian, n_d).subs(dirac.h, 0.2), dtype=float)
    moved = dirac.simulate(dirac.GAN, steps=1, start=tuple(start), alternating=True, n_d=n_d)[-1]
    np.testing.assert_allclose(moved, matrix @ start, rtol=1e-6)


def test_instance_noise_by_quadrature():
    """The Jacobian with noise against Gauss–Hermite means of the noisy field."""
    points, weights = np.polynomial.hermite_e.hermegauss(60)
    weights, noise, step = weights / weights.sum(), 0.7, 1e-4

    def slope(of: float) -> float:
        return 1 / (1 + math.exp(of))

    def rate(theta: float, psi: float) -> np.ndarray:
        # V = E f(−ψ(θ + σε)) + E f(ψσε) with f′(s) = σ(−s)
        fake = [slope(-psi * (theta + noise * e)) for e in points]
        real = [slope(psi * noise * e) for e in points]
        of_theta = psi * weights @ fake
        of_psi = weights @ [
            -(theta + noise * e) * a + noise * e * b for e, a, b in zip(points, fake, real, strict=True)
        ]
        return np.array([of_theta, of_psi])

    columns = [(rate(*at) - rate(*-at)) / (2 * step) for at in step * np.eye(2)]
    derived = dirac.jacobian_with_instance_noise().subs(dirac.sigma, noise)
    np.testing.assert_allclose(np.array(derived, dtype=float), np.transpose(columns), atol=1e-6)


def test_the_noisy_field_has_the_exact_jacobian_and_walks_in():
    noisy = dirac.with_instance_noise(0.7)
    exact = dirac.jacobian_with_instance_noise().subs(dirac.sigma, 0.7)
    np.testing.assert_allclose(np.array(noisy.jacobian, dtype=float), np.array(exact, dtype=float), atol=1e-12)
    quiet = dirac.simulate(dirac.with_instance_noise(0.0))
    np.testing.assert_allclose(quiet, dirac.simulate(dirac.GAN), rtol=1e-9)
    growth = np.abs(np.linalg.eigvals(np.eye(2) + 0.2 * np.array(exact, dtype=float))).max()
    walk = dirac.radius(dirac.simulate(noisy, steps=1000))
    assert walk[-1] / walk[-101] == pytest.approx(growth**100, rel=0.2)
    assert walk[-1] < 1e-3


def test_least_squares_can_stop_where_nothing_is_learnt():
    assert dirac.simulate(dirac.least_squares(0, 1), steps=5000, start=(1, 1))[-1] == pytest.approx(
        [1.318, 0], abs=1e-3
    )
    assert dirac.simulate(dirac.least_squares(-1, 0), steps=5000, start=(1, 1))[-1] == pytest.approx(
        [0, -1.186], abs=1e-3
    )


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"of": dirac.with_gradient_penalty(dirac.GAN)}, "gamma"),
        ({"of": dirac.GAN, "n_d": 3}, "n_d is 3"),
        ({"of": dirac.GAN, "first": "D"}, "first is 'D'; give 'G', or 'D' with alternating"),
        ({"of": dirac.GAN, "first": "ψ", "alternating": True}, "first is 'ψ'"),
    ],
)
def test_what_cannot_be_simulated_is_said(options: dict, named: str):
    with pytest.raises(ConfigError, match=named):
        dirac.simulate(**options)
