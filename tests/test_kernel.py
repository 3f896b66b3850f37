"""The kernel distance against torchmetrics, power sums and plain loops; its bias and its error; what it refuses."""

import dataclasses
import itertools
import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn
from torchmetrics.image.kid import KernelInceptionDistance

from ganlab import data, models
from ganlab.errors import ConfigError, ShapeError
from ganlab.metrics import kernel, points
from ganlab.metrics.features import Features, features_of


def points_of(n: int, d: int, seed: int, moved: float = 0.0) -> Tensor:
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64) + moved


LARGE = torch.full((9, 3), 1e60, dtype=torch.float64)
pytestmark = pytest.mark.filterwarnings("ignore:Metric `Kernel Inception Distance` will save all")


@pytest.fixture(scope="module")
def real() -> Features:
    images = torch.cat([data.load("digits").images, data.load("digits", split="test").images])
    return features_of(images, models.trained("digits"), "digits")


class Given(nn.Module):
    """In the place of torchmetrics' network."""

    def forward(self, features: Tensor) -> Tensor:
        return features


def by_torchmetrics(one: Tensor, other: Tensor) -> float:
    metric = KernelInceptionDistance(feature=Given(), subsets=1, subset_size=len(one))
    metric.update(other, real=True)
    metric.update(one, real=False)
    return float(metric.compute()[0])


def by_pairs(one: Tensor, other: Tensor) -> float:
    """As it is defined: the mean over pairs within each set, less twice that between them."""

    def k(x: Tensor, y: Tensor) -> float:
        return (float(x @ y) / len(x) + 1) ** 3

    within = [[k(x, y) for x, y in itertools.permutations(of, 2)] for of in (one, other)]
    between = [k(x, y) for x, y in itertools.product(one, other)]
    means = [math.fsum(of) / len(of) for of in (*within, between)]
    return means[0] + means[1] - 2 * means[2]


@given(st.integers(2, 9), st.integers(2, 9), st.integers(1, 4), st.integers(0, 99), st.floats(-3, 3))
def test_it_is_what_a_plain_loop_finds(n: int, m: int, d: int, seed: int, moved: float):
    one, other = points_of(n, d, seed), points_of(m, d, seed + 1, moved)
    assert kernel.estimate(one, other).value == pytest.approx(by_pairs(one, other), rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("n", [70, 300])
def test_it_is_what_torchmetrics_finds(real: Features, n: int):
    one, other = real.values[:n], real.values[-n:]
    assert kernel.estimate(one, other).value == pytest.approx(by_torchmetrics(one, other), rel=1e-6)


def test_points_are_taken_in_parts(real: Features, monkeypatch: pytest.MonkeyPatch):
    one, other = real.values[:50], real.values[-60:]
    whole = kernel.estimate(one, other)
    monkeypatch.setattr(points, "CHUNK_NUMBERS", 200)
    parts = kernel.estimate(one, other)
    assert (parts.value, parts.error) == pytest.approx((whole.value, whole.error), rel=1e-9)


def test_on_the_line_it_is_the_difference_of_three_moments():
    """(xy + 1)³ = 1 + 3xy + 3x²y² + x³y³: so the distance is 3(Δm₁)² + 3(Δm₂)² + (Δm₃)², in the mean over draws.

    Between N(0, 1) and N(½, 1) the moments differ by ½, ¼ and 13/8. 1,000 draws of 20 points; the bound is four
    standard errors of their mean.
    """
    exact = 3 * 0.5**2 + 3 * 0.25**2 + 1.625**2
    found = torch.tensor(
        [kernel.estimate(points_of(20, 1, 2 * i), points_of(20, 1, 2 * i + 1, 0.5)).value for i in range(1000)]
    )
    assert abs(float(found.mean()) - exact) < 4 * float(found.std()) / len(found) ** 0.5


@pytest.mark.parametrize("n", [5, 50])
def test_real_images_have_0_in_the_mean_however_few_they_are(n: int):
    found = torch.tensor(
        [kernel.estimate(points_of(n, 3, 2 * i), points_of(n, 3, 2 * i + 1)).value for i in range(1000)]
    )
    assert abs(float(found.mean())) < 4 * float(found.std()) / len(found) ** 0.5
    assert 0.3 < float((found < 0).double().mean()) < 0.9


def test_the_error_is_how_far_draws_lie_apart():
    """Of 400 draws; their standard deviation is known to 4 %, and the error, an approximation for large n, a little
    less well."""
    found = [kernel.estimate(points_of(200, 3, 2 * i), points_of(150, 3, 2 * i + 1, 0.4)) for i in range(400)]
    apart = float(torch.tensor([one.value for one in found]).std())
    said = float(torch.tensor([one.error for one in found]).mean())
    assert said == pytest.approx(apart, rel=0.15)


def test_a_score_has_its_floor_beside_it(real: Features):
    """Both from the same n real images. Sets are drawn, since they often lie sorted."""
    generated = Features(real.values[:500] + 0.5, "G after 9 steps", real.network)
    found = kernel.score(generated, real, 400)
    order = torch.randperm(len(real), generator=torch.Generator().manual_seed(0))
    drawn = generated.values[torch.randperm(500, generator=torch.Generator().manual_seed(0))[:400]]
    one, other = real.values[order[:400]], real.values[order[400:800]]
    assert found.value == pytest.approx(by_torchmetrics(drawn, one), rel=1e-6)
    assert found.floor == pytest.approx(by_torchmetrics(other, one), rel=1e-6)
    assert found.error == kernel.estimate(drawn, one).error
    assert found.n == 400
    assert kernel.score(generated, real).n == 500


def test_a_score_says_in_one_line_what_it_hangs_on():
    found = kernel.KernelScore(0.05372, 0.0021, -0.00012, 5000, "G", "MNIST, held out", "64 features of mnist")
    assert str(found) == (
        "kernel distance 0.0537 ± 0.002 (real against real -0.0001) of G from MNIST, held out, n = 5,000 each, in 64"
        " features of mnist"
    )


@pytest.mark.parametrize(
    ("one", "other", "named"),
    [
        (torch.zeros(9, 3), torch.zeros(9, 4), "features have 3 numbers each, others 4"),
        (torch.zeros(1, 3), torch.zeros(9, 3), "there is 1 point of features, and no pair; give at least 2"),
        (torch.zeros(9, 3), torch.zeros(1, 3), "there is 1 point of others, and no pair; give at least 2"),
        (torch.full((9, 3), math.nan), torch.zeros(9, 3), "9 of 9 features are not finite"),
        (LARGE, torch.zeros(9, 3), "features are so large .* in float64; give smaller features"),
        (torch.zeros(9), torch.zeros(9, 3), r"features have shape \[9\]"),
    ],
)
def test_sets_that_give_no_distance_are_named(one: Tensor, other: Tensor, named: str):
    with pytest.raises(ShapeError, match=named) as caught:
        kernel.estimate(one, other)
    assert "\n" not in str(caught.value)


def test_sets_of_two_networks_and_too_few_images_are_refused(real: Features):
    with pytest.raises(ConfigError, match="give features of one network"):
        kernel.score(dataclasses.replace(real, network="another"), real)
    with pytest.raises(ShapeError, match="for a floor, give at least 2n"):
        kernel.score(real, real, len(real) // 2 + 1)
    with pytest.raises(ConfigError, match=r"n is 1\.5; give an integer of at least 1, or None"):
        kernel.score(real, real, 1.5)  # pyright: ignore[reportArgumentType]
