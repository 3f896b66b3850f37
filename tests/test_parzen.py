"""The Parzen window against scikit-learn, a plain loop, and what a density must do."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ganlab.errors import ConfigError, ShapeError
from ganlab.metrics import parzen
from ganlab.metrics import points as points_of_metrics


@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 9), st.floats(0.05, 5), st.integers(0, 99))
def test_it_is_scikit_learns_kernel_density(n: int, m: int, d: int, sigma: float, seed: int):
    from sklearn.neighbors import KernelDensity

    rng = np.random.default_rng(seed)
    points, samples = rng.normal(size=(n, d)), rng.normal(size=(m, d))
    theirs = KernelDensity(bandwidth=sigma).fit(samples).score_samples(points)
    ours = parzen.log_density(torch.from_numpy(points), torch.from_numpy(samples), sigma)
    np.testing.assert_allclose(ours, theirs, atol=1e-8, rtol=1e-8)


def test_images_by_scikit_learn_and_by_a_plain_loop():
    from sklearn.neighbors import KernelDensity

    rng = torch.Generator().manual_seed(0)
    points, samples = (torch.rand(n, 1, 28, 28, generator=rng) for n in (20, 300))
    ours = parzen.log_density(points, samples, 0.2)
    # In one leaf: with several, scikit-learn 1.9 stops early in high dimensions, and is wrong by 1,400 nats here.
    theirs = KernelDensity(bandwidth=0.2, leaf_size=300).fit(samples.flatten(1).double())
    theirs = theirs.score_samples(points.flatten(1).double())
    np.testing.assert_allclose(ours, theirs, atol=1e-8, rtol=0)
    terms = [-(float((points[3].double() - s.double()).square().sum())) / (2 * 0.04) for s in samples]
    top = max(terms)
    plain = top + math.log(sum(math.exp(t - top) for t in terms) / 300) - 784 * math.log(0.2 * math.sqrt(2 * math.pi))
    assert float(ours[3]) == pytest.approx(plain, abs=1e-8)


def test_chunks_change_nothing(monkeypatch: pytest.MonkeyPatch):
    points, samples = torch.randn(50, 3), torch.randn(70, 3)
    whole = parzen.log_density(points, samples, 0.3)
    monkeypatch.setattr(points_of_metrics, "CHUNK_NUMBERS", 150)
    torch.testing.assert_close(parzen.log_density(points, samples, 0.3), whole, atol=1e-12, rtol=1e-12)


@pytest.mark.parametrize("far", [2.0**20, 2.0**26, -(2.0**30)])
def test_far_from_0_the_density_is_the_same(far: float):
    """Of points of a grid that float64 has as far away, too."""
    rng = torch.Generator().manual_seed(0)
    points, samples = (torch.randint(2**16, (40, 3), generator=rng).double() / 2**16 for _ in range(2))
    found = parzen.log_density(points + far, samples + far, 0.1)
    torch.testing.assert_close(found, parzen.log_density(points, samples, 0.1), atol=1e-6, rtol=1e-6)


def test_widths_come_as_numbers_arrays_or_tensors():
    points, samples = torch.rand(9, 3), torch.rand(5, 3)
    expected = parzen.log_densities(points, samples, [0.25, 0.5])
    result = parzen.score(samples, points, points, [0.25, 0.5])
    for sigmas in (np.array([0.25, 0.5]), torch.tensor([0.25, 0.5])):
        assert torch.equal(parzen.log_densities(points, samples, sigmas), expected)
        assert parzen.score(samples, points, points, sigmas) == result
        assert type(parzen.score(samples, points, points, sigmas).sigma) is float


@pytest.mark.parametrize("sigma", [1e-150, 1e150])
def test_the_least_and_the_largest_width_give_a_density(sigma: float):
    """At the samples themselves: with one sample it is the top of its normal law."""
    top = -3 * math.log(sigma * math.sqrt(2 * math.pi))
    assert float(parzen.log_density(torch.zeros(1, 3), torch.zeros(1, 3), sigma)[0]) == pytest.approx(top)


def test_a_density_has_mass_one():
    axis = torch.linspace(-12, 12, 4001, dtype=torch.float64)[:, None]
    density = parzen.log_density(axis, torch.tensor([[-1.0], [2.0], [2.5]]), 0.7).exp()
    assert float(torch.trapezoid(density, axis[:, 0])) == pytest.approx(1, abs=1e-9)


def test_the_protocol_chooses_sigma_on_validation_points_alone():
    generator = torch.Generator().manual_seed(1)
    samples, validation, test = (torch.randn(n, 2, generator=generator) for n in (400, 200, 300))
    result = parzen.score(samples, validation, 5 * test)
    means = {sigma: float(parzen.log_density(validation, samples, sigma).mean()) for sigma in parzen.PAPER_SIGMAS}
    assert result.sigma == max(means, key=lambda sigma: means[sigma])
    values = parzen.log_density(5 * test, samples, result.sigma).numpy()
    assert result.nats == pytest.approx(values.mean())
    assert result.standard_error == pytest.approx(values.std() / math.sqrt(300))


def test_a_score_is_a_measurement_of_plain_numbers():
    """No gradient goes through it, and its width prints as a number."""
    points, samples = torch.rand(9, 3), torch.rand(5, 3, requires_grad=True)
    assert not parzen.log_density(points, samples, 0.3).requires_grad
    result = parzen.score(samples, points, points)
    assert [type(value) for value in (result.nats, result.standard_error, result.sigma)] == [float] * 3
    assert str(parzen.ParzenScore(225.04, 2.06, 0.1668)) == "225.0 ± 2.1 nats (σ = 0.167)"


def test_the_papers_widths():
    assert [round(sigma, 4) for sigma in parzen.PAPER_SIGMAS] == [
        0.1, 0.1292, 0.1668, 0.2154, 0.2783, 0.3594, 0.4642, 0.5995, 0.7743, 1.0,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("call", "error", "named"),
    [
        (lambda: parzen.log_density(torch.zeros(2, 3), torch.zeros(2, 4), 1), ShapeError, "3 numbers each, samples 4"),
        (lambda: parzen.log_density(torch.zeros(2, 3), torch.zeros(0, 3), 1), ShapeError, r"samples .*\[0, 3\]"),
        (lambda: parzen.log_density(torch.zeros(2, 3).long(), torch.zeros(2, 3), 1), ShapeError, "points .*int64"),
        (lambda: parzen.log_density(torch.full((2, 3), math.nan), torch.zeros(2, 3), 1), ShapeError, "2 of 2 points"),
        (lambda: parzen.log_density(torch.zeros(2, 3), torch.zeros(2, 3), 0), ConfigError, r"\[0\]"),
        (lambda: parzen.log_density(torch.zeros(2, 3), torch.zeros(2, 3), math.nan), ConfigError, "nan"),
        (lambda: parzen.log_density(torch.zeros(2, 3), torch.zeros(2, 3), math.inf), ConfigError, "inf"),
        (lambda: parzen.log_density(torch.zeros(2, 3), torch.zeros(2, 3), 1e-170), ConfigError, "1e-170"),
        (lambda: parzen.log_density(torch.zeros(2, 3), torch.zeros(2, 3), 1e170), ConfigError, "1e.150 … 1e.150"),
        (lambda: parzen.log_densities(torch.zeros(2, 3), torch.zeros(2, 3), np.array([])), ConfigError, r"\[\]"),
        (lambda: parzen.log_density(torch.zeros(2, 0), torch.zeros(2, 0), 1), ShapeError, r"points .*\[2, 0\]"),
        (lambda: parzen.log_densities(torch.zeros(2, 3), torch.zeros(2, 3), []), ConfigError, r"sigmas are \[\]"),
    ],
)
def test_what_is_not_given_right_is_named(call, error: type[Exception], named: str):
    with pytest.raises(error, match=named):
        call()
