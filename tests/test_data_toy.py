"""Toy laws: densities and samplers against each other and against scipy."""

import math

import numpy as np
import pytest
import scipy.integrate
import scipy.stats
import torch
from hypothesis import given
from hypothesis import strategies as st

from ganlab import data
from ganlab.data import Mixture
from ganlab.errors import ConfigError, ShapeError

LAWS = {
    "gaussian": data.gaussian(1.0, 2.0),
    "two on the line": data.mixture([-1.0, 2.0], 0.5, [1, 3]),
    "ring": data.ring(sigma=0.1),
    "grid": data.grid(side=3, sigma=0.3),
    "LSGAN's ring": data.lsgan_ring(),
}


def by_scipy(law: Mixture, x: np.ndarray) -> np.ndarray:
    parts = zip(law.weights, law.means, law.sigmas, strict=True)
    return np.sum([w * scipy.stats.multivariate_normal(mean, s**2 * np.eye(law.dim)).pdf(x) for w, mean, s in parts], 0)


@pytest.mark.parametrize("law", LAWS.values(), ids=LAWS.keys())
def test_the_density_is_scipys(law: Mixture):
    x = law.sample(200, torch.Generator().manual_seed(0)).double()
    np.testing.assert_allclose(law.density(x), by_scipy(law, x.numpy()), rtol=1e-9)


def test_the_density_is_scikit_learns():
    from sklearn.mixture import GaussianMixture

    law = data.mixture([(-1.0, 0.0), (2.0, 1.0), (0.5, -2.0)], [0.3, 1.0, 0.05], [1, 2, 3])
    theirs = GaussianMixture(3, covariance_type="spherical")
    theirs.means_, theirs.weights_ = np.array(law.means), np.array(law.weights)
    theirs.precisions_cholesky_ = 1 / np.array(law.sigmas)
    x = law.sample(200, torch.Generator().manual_seed(0)).double()
    np.testing.assert_allclose(law.log_density(x), theirs.score_samples(x.numpy()), rtol=1e-9)


@pytest.mark.parametrize("kind", [np.int64, np.float32, np.float64, torch.tensor])
def test_numbers_of_numpy_and_torch_are_numbers(kind):
    law = data.mixture([kind(0), kind(1)], kind(2))
    assert law == data.mixture([0.0, 1.0], 2.0) == data.mixture(np.arange(2), [kind(2), kind(2)])  # pyright: ignore[reportArgumentType]


def test_whole_numbers_make_the_same_mixture():
    whole, plain = Mixture(((0, 0), (3, 1)), (1, 2), (1, 1)), Mixture(((0.0, 0.0), (3.0, 1.0)), (1.0, 2.0), (1.0, 1.0))
    assert whole.modes.dtype == torch.float32
    assert torch.equal(whole.modes, plain.modes)
    drawn = (law.sample(9, torch.Generator().manual_seed(0)) for law in (whole, plain))
    assert torch.equal(*drawn)


def test_a_component_of_no_weight_adds_nothing():
    law = data.mixture([0.0, 5.0], [1.0, 0.1], [1, 0])
    x = torch.linspace(-6, 6, 50, dtype=torch.float64)[:, None]
    assert torch.equal(law.log_density(x), data.gaussian().log_density(x))
    assert law.sample(1000, torch.Generator().manual_seed(0)).max() < 4.5


@given(
    weights=st.lists(st.just(0.0) | st.floats(0.01, 9), min_size=2, max_size=5).filter(any), sigma=st.floats(0.01, 10)
)
def test_samples_of_any_mixture_have_its_mean_and_variance(weights: list[float], sigma: float):
    """Within five standard errors each."""
    law: data.Law = data.mixture(range(len(weights)), sigma, weights)
    p = np.array(weights) / sum(weights)
    mean = p @ np.arange(len(p))
    apart = np.arange(len(p)) - mean
    variance = p @ apart**2 + sigma**2
    x = law.sample(20_000, torch.Generator().manual_seed(0)).squeeze(1).double()
    assert float(x.mean()) == pytest.approx(mean, abs=5 * math.sqrt(variance / len(x)))
    fourth = p @ (apart**4 + 6 * apart**2 * sigma**2 + 3 * sigma**4)
    assert float(x.var()) == pytest.approx(variance, abs=5 * math.sqrt((fourth - variance**2) / len(x)))


def test_a_law_is_a_value():
    assert len({data.ring(), data.ring(), data.ring(sigma=0.1)}) == 2


means = st.lists(st.floats(-3, 3), min_size=1, max_size=4)


@given(means=means, sigma=st.floats(0.2, 2), first_weight=st.floats(0.1, 9))
def test_a_density_on_the_line_integrates_to_one(means: list[float], sigma: float, first_weight: float):
    law = data.mixture(means, sigma, [first_weight, *[1.0] * (len(means) - 1)])
    x = torch.linspace(-25, 25, 8001, dtype=torch.float64)
    assert scipy.integrate.simpson(law.density(x[:, None]).numpy(), x=x.numpy()) == pytest.approx(1, abs=1e-8)


def test_a_density_in_the_plane_integrates_to_one():
    ticks = torch.linspace(-4, 4, 401, dtype=torch.float64)
    density = data.grid(side=3, sigma=0.3).density(torch.cartesian_prod(ticks, ticks)).reshape(401, 401)
    assert float(density.sum() * (ticks[1] - ticks[0]) ** 2) == pytest.approx(1, abs=1e-6)


def test_samples_follow_the_density():
    law = data.mixture([-1.0, 2.0], 0.5, [1, 3])
    x = law.sample(20_000, torch.Generator().manual_seed(0)).squeeze(1).numpy()

    def distribution(points: np.ndarray) -> np.ndarray:
        return 0.25 * scipy.stats.norm(-1, 0.5).cdf(points) + 0.75 * scipy.stats.norm(2, 0.5).cdf(points)

    assert scipy.stats.kstest(x, distribution).pvalue > 0.001


def test_the_double_mode_of_lsgans_ring():
    law = data.lsgan_ring()
    assert law.modes.shape == (8, 2)
    assert law.weights == pytest.approx([2 / 9, *[1 / 9] * 7])
    samples = law.sample(9000, torch.Generator().manual_seed(0))
    counts = torch.bincount(torch.cdist(samples, law.modes).argmin(dim=1), minlength=8)
    assert scipy.stats.chisquare(counts.numpy(), [2000, *[1000] * 7]).pvalue > 0.001
    # The published code: nine angles from 0 to 2π, both ends included.
    angles = np.linspace(0, 2 * math.pi, 9)
    published = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    assert all(np.abs(law.modes.numpy() - point).sum(axis=1).min() < 1e-6 for point in published)


def test_ring_and_grid_have_their_modes():
    assert torch.allclose(data.ring(8, radius=2.0).modes.norm(dim=1), torch.tensor(2.0))
    assert sorted({x for x, _ in data.grid().means}) == [-4.0, -2.0, 0.0, 2.0, 4.0]
    assert len(data.grid().means) == 25


def test_the_same_generator_gives_the_same_samples():
    first, again, other = (data.ring().sample(9, torch.Generator().manual_seed(seed)) for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert first.dtype is torch.float32
    assert data.ring().sample(3).shape == (3, 2)


def test_far_away_the_log_density_stays_finite():
    law = data.ring()
    for dtype in (torch.float32, torch.float64):
        value = law.log_density(torch.tensor([[1e6, -1e6]], dtype=dtype))
        assert value.dtype is dtype
        assert value.isfinite().all()


@pytest.mark.gpu
def test_sampling_on_cuda():
    assert data.ring().sample(4, torch.Generator("cuda").manual_seed(0)).is_cuda


@pytest.mark.parametrize(
    ("build", "named"),
    [
        (lambda: data.gaussian(sigma=0), "sigmas"),
        (lambda: data.gaussian(mean=math.nan), "nan"),
        (lambda: data.mixture([], 1.0), "0 means"),
        (lambda: data.mixture([0.0, 1.0], 1.0, [1.0]), "1 weights"),
        (lambda: data.mixture([0.0, 1.0], 1.0, [1.0, -1.0]), "weights"),
        (lambda: data.mixture([(0.0, 1.0), (1.0,)], 1.0), r"\[2, 1\]"),
        (lambda: data.mixture([0.0, 1.0], 1.0, [0.0, 0.0]), "weights"),
        (lambda: data.mixture([0.0, 1.0], 1.0, [1e308, 1e308]), "weights"),
        (lambda: data.mixture([0.0, 1.0], 1.0, []), "0 weights"),
        (lambda: data.mixture([0.0, 1.0], [1.0]), "1 sigmas"),
        (lambda: data.gaussian(sigma=1e-46), "positive in float32"),
        (lambda: data.gaussian(mean=1e39), "finite in float32"),
        (lambda: data.ring(0), "modes is 0"),
        (lambda: data.ring(2.5), "modes is 2.5"),  # pyright: ignore[reportArgumentType]
        (lambda: data.ring().sample(0), "n is 0"),
        (lambda: data.grid(0), "side is 0"),
    ],
)
def test_what_is_no_law_is_refused(build, named: str):
    with pytest.raises(ConfigError, match=named):
        build()


@pytest.mark.parametrize("x", [torch.zeros(4), torch.zeros(4, 3), torch.zeros(4, 2, dtype=torch.int64)])
def test_points_of_another_space_are_refused(x: torch.Tensor):
    with pytest.raises(ShapeError, match=r"give floating-point points \[n, 2\]"):
        data.ring().log_density(x)
