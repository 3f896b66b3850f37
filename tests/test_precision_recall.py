"""Precision, recall, density and coverage against scikit-learn, plain loops and what they must be."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ganlab.errors import ConfigError, ShapeError
from ganlab.metrics import points as points_of_metrics
from ganlab.metrics.features import Features
from ganlab.metrics.precision_recall import PrecisionRecall, precision_recall


def by_scikit_learn(generated: np.ndarray, real: np.ndarray, k: int) -> list[float]:
    """Radii by scikit-learn's neighbours among the others, and membership ball by ball."""
    from sklearn.neighbors import NearestNeighbors

    def radii(points: np.ndarray) -> np.ndarray:
        return NearestNeighbors(n_neighbors=k, algorithm="kd_tree").fit(points).kneighbors()[0][:, -1]

    between = np.array([[math.dist(g, r) for r in real] for g in generated])
    in_real, in_generated = between <= radii(real), between <= radii(generated)[:, None]
    return [in_real.any(axis=1).mean(), in_generated.any(axis=0).mean(), in_real.sum() / (k * len(generated)),
            in_real.any(axis=0).mean()]  # fmt: skip


def four(found: PrecisionRecall) -> list[float]:
    return [found.precision, found.recall, found.density, found.coverage]


@given(st.integers(6, 40), st.integers(6, 40), st.integers(1, 6), st.integers(1, 5), st.integers(0, 99))
def test_they_are_scikit_learns(n: int, m: int, d: int, k: int, seed: int):
    rng = np.random.default_rng(seed)
    generated, real = rng.normal(size=(n, d)), 1.5 * rng.normal(size=(m, d)) + 0.5
    found = precision_recall(torch.from_numpy(generated), torch.from_numpy(real), k)
    np.testing.assert_allclose(four(found), by_scikit_learn(generated, real, k), atol=1e-12)
    assert (found.generated, found.real, found.k) == (n, m, k)


def test_by_hand_on_the_line():
    """Real 0, 1, 3 with k = 1: radii 1, 1, 2. Generated −1, 2, 9: radii 3, 3, 7."""
    found = precision_recall(torch.tensor([[-1.0], [2.0], [9.0]]), torch.tensor([[0.0], [1.0], [3.0]]), 1)
    assert found.precision == pytest.approx(2 / 3)  # −1 on the rim of 0's ball; 2 in those of 1 and 3
    assert found.density == pytest.approx(3 / 3)
    assert found.coverage == 1
    assert found.recall == 1
    two = precision_recall(torch.tensor([[-1.0], [2.0], [9.0]]), torch.tensor([[0.0], [1.0], [3.0]]), 2)
    assert two.density == pytest.approx((2 + 3 + 0) / 6)  # radii 3, 2, 3: −1 in two balls, 2 in all, 9 in none
    assert two.precision == pytest.approx(2 / 3)


def test_chunks_change_nothing(monkeypatch: pytest.MonkeyPatch):
    """Generated points lie the further apart, the later they come."""
    rng = torch.Generator().manual_seed(0)
    generated = torch.linspace(0.1, 5, 50)[:, None] * torch.randn(50, 3, generator=rng)
    real = 2 * torch.randn(70, 3, generator=rng)
    whole = precision_recall(generated, real)
    monkeypatch.setattr(points_of_metrics, "CHUNK_NUMBERS", 150)
    assert precision_recall(generated, real) == whole


def test_equal_points_make_no_ball():
    """One image over and over is a manifold of one point, in which no real one lies but its equal: rims count."""
    real = torch.randn(30, 4, dtype=torch.float64)
    collapsed = real[:1].repeat(20, 1)
    found = precision_recall(collapsed, real)
    assert (found.precision, found.recall) == (1, 1 / 30)
    assert precision_recall(collapsed + 1e-3, real).recall == 0
    twice = torch.cat([real, real])  # each point's nearest other is its equal
    assert precision_recall(twice + 1e-3, twice, 1).precision == 0


def test_where_the_points_lie_is_of_no_matter():
    """Points of a fine grid, many on rims: the same far from 0, where squares have more digits than float64."""
    rng = torch.Generator().manual_seed(2)
    generated, real = (torch.randint(6, (40, 3), generator=rng).double() / 1024 for _ in range(2))
    assert precision_recall(generated + 2**20, real + 2**20) == precision_recall(generated, real)


def test_the_same_law_has_density_about_one():
    rng = torch.Generator().manual_seed(0)
    found = precision_recall(torch.randn(2000, 5, generator=rng), torch.randn(2000, 5, generator=rng))
    assert found.density == pytest.approx(1, abs=0.1)
    assert found.coverage == pytest.approx(1 - 0.5**3, abs=0.05)  # Naeem et al. 2020, sec. 4.1: 1 − 2⁻ᵏ
    assert found.precision == pytest.approx(found.recall, abs=0.05)


def test_roles_swap():
    rng = torch.Generator().manual_seed(1)
    one, other = torch.randn(90, 4, generator=rng), 0.5 * torch.randn(80, 4, generator=rng)
    forth, back = precision_recall(one, other), precision_recall(other, one)
    assert (forth.precision, forth.recall) == (back.recall, back.precision)
    assert forth.precision < forth.recall


def test_in_one_line():
    assert str(PrecisionRecall(0.9, 0.5, 1.02, 0.8, 3, 5000, 10_000)) == (
        "precision 0.900, recall 0.500, density 1.020, coverage 0.800 (k = 3, 5,000 generated against 10,000 real)"
    )


@pytest.mark.parametrize(
    ("generated", "real", "k", "error", "named"),
    [
        (torch.zeros(5, 3), torch.zeros(5, 4), 3, ShapeError, "generated have 3 numbers each, real 4"),
        (
            torch.zeros(3, 3),
            torch.zeros(5, 3),
            3,
            ShapeError,
            "there are 3 generated points for k = 3; give at",
        ),
        (torch.zeros(5, 3), torch.zeros(1, 3), 3, ShapeError, "there are 1 real points"),
        (torch.full((5, 3), math.nan), torch.zeros(5, 3), 3, ShapeError, "5 of 5 generated are not finite"),
        (
            Features(torch.zeros(5, 3), "", ""),
            torch.zeros(5, 3),
            3,
            ShapeError,
            "generated are a Features; give",
        ),
        (torch.zeros(5, 3).byte(), torch.zeros(5, 3), 3, ShapeError, "uint8"),
        (torch.zeros(5, 3), torch.zeros(5, 3), 0, ConfigError, "k is 0"),
        (torch.zeros(5, 3), torch.zeros(5, 3), 1.5, ConfigError, "k is 1.5"),
    ],
)
def test_what_is_not_given_right_is_named(generated, real, k, error: type[Exception], named: str):
    with pytest.raises(error, match=named) as caught:
        precision_recall(generated, real, k)
    assert "\n" not in str(caught.value)
