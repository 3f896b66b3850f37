"""The Fréchet distance against SciPy, closed forms and plain loops; what a score says, and what it refuses."""

import dataclasses
import math
import re

import numpy as np
import pytest
import scipy.linalg
import torch
from hypothesis import given
from hypothesis import strategies as st

from ganlab import data, models
from ganlab.errors import ConfigError, ShapeError
from ganlab.metrics import drawn, frechet
from ganlab.metrics.features import Features, features_of


def by_scipy(one: torch.Tensor, other: torch.Tensor) -> float:
    """From the formula, with NumPy's covariances (over n − 1) and SciPy's matrix root, in float64."""
    x, y = one.double().numpy(), other.double().numpy()
    root = np.asarray(scipy.linalg.sqrtm(np.cov(x.T) @ np.cov(y.T)))
    between_means = np.sum((x.mean(axis=0) - y.mean(axis=0)) ** 2)
    return float(between_means + np.trace(np.cov(x.T)) + np.trace(np.cov(y.T)) - 2 * np.trace(root).real)


def by_singular_values(one: torch.Tensor, other: torch.Tensor) -> float:
    """Without any covariance: tr(Σ^½ Σ' Σ^½)^½ is the sum of the singular values of XYᵀ, for centred X and Y."""
    x, y = (part.double().numpy() for part in (one, other))
    X, Y = ((part - part.mean(axis=0)) / math.sqrt(len(part) - 1) for part in (x, y))
    R, S = np.linalg.qr(X)[1], np.linalg.qr(Y)[1]  # [d, d], with the same singular values of RSᵀ
    between_means = np.sum((x.mean(axis=0) - y.mean(axis=0)) ** 2)
    return float(between_means + np.sum(X**2) + np.sum(Y**2) - 2 * np.linalg.norm(R @ S.T, "nuc"))


def by_moments(one: torch.Tensor, other: torch.Tensor) -> float:
    """By the package's second computation."""
    return frechet.between_normal_laws(
        one.mean(dim=0), torch.cov(one.double().T), other.mean(dim=0), torch.cov(other.double().T)
    )


@pytest.fixture(scope="module")
def real() -> Features:
    images = torch.cat([data.load("digits").images, data.load("digits", split="test").images])
    return features_of(images, models.trained("digits"), "digits")


@given(st.integers(2, 12), st.integers(0, 99), st.floats(0.1, 10), st.floats(0, 30))
def test_four_computations_are_one_number(d: int, seed: int, scale: float, moved: float):
    rng = np.random.default_rng(seed)
    one = torch.from_numpy(rng.normal(size=(5 * d, d)) @ rng.normal(size=(d, d)))
    other = torch.from_numpy(scale * rng.normal(size=(7 * d, d)) @ rng.normal(size=(d, d)) + moved)
    expected = by_scipy(one, other)
    assert frechet.distance(one, other) == pytest.approx(expected, rel=1e-4)
    assert by_singular_values(one, other) == pytest.approx(expected, rel=1e-4)
    assert by_moments(one, other) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("n", [70, 300, 898])
def test_they_agree_on_features_of_images(real: Features, n: int):
    """Some features are 0 in nearly all images, so that covariances are nearly singular."""
    one, other = real.values[:n], real.values[-n:]
    found, expected = frechet.distance(one, other), by_singular_values(one, other)
    assert found == pytest.approx(expected, rel=1e-4)
    assert by_moments(one, other) == pytest.approx(expected, rel=1e-4)


def test_a_mean_that_is_large_costs_no_digits():
    """Features far from 0: means of 1,000 and more beside a distance of about 1."""
    rng = torch.Generator().manual_seed(0)
    one, other = (torch.randn(500, 4, generator=rng, dtype=torch.float64) for _ in range(2))
    near = frechet.distance(one, other + 0.5)
    for far in (1e3, 1e5, 1e8, -1e8):
        assert frechet.distance(one + far, other + far + 0.5) == pytest.approx(near, rel=1e-6)


@pytest.mark.parametrize("size", [1e-150, 1e-90, 1e90, 1e150])
def test_features_of_any_size_have_a_distance(size: float):
    """The covariances' product is beyond float64, by which LAPACK's search for its eigenvalues has no end."""
    rng = torch.Generator().manual_seed(0)
    one, other = (torch.randn(500, 4, generator=rng, dtype=torch.float64) for _ in range(2))
    expected = frechet.distance(one, other + 0.5)
    assert frechet.distance(size * one, size * (other + 0.5)) / size**2 == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("size", [1e155, 1e300, 1.7e308])
def test_a_distance_that_is_not_finite_is_no_0(size: float):
    rng = torch.Generator().manual_seed(0)
    one, other = (torch.rand(50, 4, generator=rng, dtype=torch.float64) for _ in range(2))
    with pytest.raises(ShapeError, match=r"features are so large .* in float64; give smaller features"):
        frechet.distance(size * one, -size * other)


MEAN, COVARIANCE = torch.zeros(2), torch.eye(2)
MOMENTS = {"mean": MEAN, "covariance": COVARIANCE, "other_mean": MEAN, "other_covariance": COVARIANCE}


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("which", MOMENTS)
def test_moments_that_are_not_finite_are_no_perfect_score(which: str, value: float):
    assert frechet.between_normal_laws(**MOMENTS) == 0
    with pytest.raises(ShapeError, match="moments are NaN or infinite; give finite means and covariances"):
        frechet.between_normal_laws(**MOMENTS | {which: torch.full_like(MOMENTS[which], value)})


@pytest.mark.parametrize("which", MOMENTS)
def test_moments_of_other_shapes_are_named(which: str):
    for other in (torch.ones(1), torch.ones(3), torch.ones(3, 3), torch.ones(1, 1), torch.ones(2, 1), torch.ones(0)):
        with pytest.raises(ShapeError, match=r"moments have shapes .*; give means \[d\] and covariances \[d, d\]"):
            frechet.between_normal_laws(**MOMENTS | {which: other})


def test_moments_whose_product_is_beyond_float64_are_named():
    with pytest.raises(ShapeError, match="features are so large"):
        frechet.between_normal_laws(MEAN, 1e300 * COVARIANCE.double(), MEAN, 1e300 * COVARIANCE.double())


def test_between_normal_laws_on_the_line_and_by_axes():
    """(μ − μ')² + (σ − σ')², summed over axes that are independent."""
    means, sigmas = torch.tensor([[1.0, -2.0], [3.0, 0.5]]).double(), torch.tensor([[2.0, 0.1], [0.5, 3.0]]).double()
    found = frechet.between_normal_laws(means[0], sigmas[0].square().diag(), means[1], sigmas[1].square().diag())
    expected = sum((means[0] - means[1]) ** 2 + (sigmas[0] - sigmas[1]) ** 2)
    assert found == pytest.approx(float(expected), rel=1e-12)


@pytest.mark.parametrize("factor", [0.5, 3.0])
def test_it_is_squared(real: Features, factor: float):
    one, other = real.values[:300], real.values[300:700]
    assert frechet.distance(factor * one, factor * other) == pytest.approx(factor**2 * frechet.distance(one, other))


def test_it_is_symmetric_and_0_for_the_same_set(real: Features):
    one, other = real.values[:300], real.values[300:700]
    assert frechet.distance(one, other) == pytest.approx(frechet.distance(other, one), rel=1e-6)
    assert frechet.distance(one, one.flip(0)) == pytest.approx(0, abs=1e-5)


def test_a_move_counts_by_its_square(real: Features):
    """Σ = Σ': only the means differ, by (3, 4, 0, …)."""
    move = torch.zeros(64, dtype=torch.float64)
    move[:2] = torch.tensor([3.0, 4.0])
    assert frechet.distance(real.values, real.values + move) == pytest.approx(25, rel=1e-6)


def test_a_score_has_its_floor_beside_it(real: Features):
    """Both from the same n real images: by hand, from the same order. Sets are drawn, since they often lie sorted."""
    generated = Features(real.values[:500] + 0.5, "G after 9 steps", real.network)
    found = frechet.score(generated, real, 400)
    order = torch.randperm(len(real), generator=torch.Generator().manual_seed(0))
    one, other = real.values[order[:400]], real.values[order[400:800]]
    drawn = generated.values[torch.randperm(500, generator=torch.Generator().manual_seed(0))[:400]]
    assert found.value == pytest.approx(by_singular_values(drawn, one), rel=1e-4)
    assert found.floor == frechet.floor(real, 400) == pytest.approx(by_singular_values(one, other), rel=1e-4)
    assert found.n == 400
    assert frechet.score(generated, real).n == 500
    assert frechet.score(generated, Features(real.values[:700], "few", real.network)).n == 350


def test_a_score_says_in_one_line_what_it_hangs_on():
    found = frechet.FrechetScore(0.5372, 0.0812, 5000, "G", "MNIST, held out", "64 features of mnist")
    assert str(found) == (
        "Fréchet distance 0.537 (real against real 0.081) of G from MNIST, held out, n = 5,000 each, in 64 features of"
        " mnist"
    )
    with pytest.raises(dataclasses.FrozenInstanceError):
        found.value = 0.0  # pyright: ignore[reportAttributeAccessIssue]


def test_few_images_make_real_ones_differ(real: Features):
    """The bias: about as 1/n, in any one draw of sets not exactly."""
    found = frechet.floors(real, [100, 200, 400, 800])
    assert list(found) == [100, 200, 400, 800]
    values = list(found.values())
    assert values == sorted(values, reverse=True)
    assert 4 < values[0] / values[-1] < 16
    assert found[400] == frechet.floor(real, 400)


def test_the_floor_is_of_disjoint_sets():
    """Of 2n numbers, all different, each is used once."""
    values = torch.arange(200.0, dtype=torch.float64)[:, None]
    one, other = drawn.halves(values, 100)
    assert sorted(torch.cat([one, other]).flatten().tolist()) == list(range(200))
    assert one.flatten().tolist() != list(range(100))


def test_a_score_is_plain_numbers(real: Features):
    found = frechet.score(real, real, 300)
    assert type(found.value) is type(found.floor) is float
    assert found.value == pytest.approx(0, abs=1e-5)  # the same images, drawn alike


@pytest.mark.parametrize(
    ("one", "other", "named"),
    [
        (torch.zeros(9, 3), torch.zeros(9, 4), "features have 3 numbers each, others 4"),
        (torch.zeros(3, 3), torch.zeros(9, 3), "3 images have 3 features each, .* give at least 4 images of each set"),
        (torch.zeros(9, 3), torch.zeros(2, 3), "2 images have 3 features each"),
        (torch.full((9, 3), math.nan), torch.zeros(9, 3), "9 of 9 features are not finite"),
        (torch.zeros(9, 3), torch.full((9, 3), math.inf), "9 of 9 others are not finite"),
        (torch.zeros(9), torch.zeros(9, 3), r"features have shape \[9\]"),
        (torch.zeros(9, 3).long(), torch.zeros(9, 3), "int64"),
        (torch.zeros(0, 3), torch.zeros(9, 3), r"\[0, 3\]"),
        (torch.zeros(9, 0), torch.zeros(9, 0), r"\[9, 0\]"),
    ],
)
def test_sets_that_give_no_distance_are_named(one: torch.Tensor, other: torch.Tensor, named: str):
    with pytest.raises(ShapeError, match=named) as caught:
        frechet.distance(one, other)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("n", "error", "named"),
    [
        (100, ShapeError, "n is 100 and there are 90 generated images"),
        (75, ShapeError, "n is 75 and there are 149 real images; for a floor, give at least 2n"),
        (64, ShapeError, "64 images have 64 features each"),
        (0, ConfigError, "n is 0"),
        (True, ConfigError, "n is True"),
        (70.0, ConfigError, "n is 70.0"),
    ],
)
def test_an_n_that_does_not_fit_is_named(real: Features, n, error: type[Exception], named: str):
    few = dataclasses.replace(real, values=real.values[:90])
    with pytest.raises(error, match=re.escape(named)):
        frechet.score(few, dataclasses.replace(real, values=real.values[:149]), n)


def test_features_of_two_networks_are_not_compared(real: Features):
    with pytest.raises(ConfigError, match="generated has another, real 64 features of a classifier"):
        frechet.score(dataclasses.replace(real, network="another"), real)


def test_features_of_networks_that_differ_in_weights_alone_are_not_compared():
    """A running mean is a weight, too. Features of unknown weights are taken by their network's words."""
    images, networks = data.load("digits").images[:200], [models.Classifier(8) for _ in range(2)]
    one, other = (features_of(images, network, "digits") for network in networks)
    assert one.network == other.network
    with pytest.raises(ConfigError, match=r"generated and real have .* with other weights each; give features of one"):
        frechet.score(one, other, 70)
    assert frechet.score(one, dataclasses.replace(other, weights=""), 70).n == 70
    networks[1].load_state_dict(networks[0].state_dict())
    assert frechet.score(one, features_of(images, networks[1], "digits"), 70).n == 70
    next(iter(networks[1].buffers())).add_(1)
    with pytest.raises(ConfigError, match="with other weights each"):
        frechet.score(one, features_of(images, networks[1], "digits"), 70)
