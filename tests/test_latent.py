"""Walks, directions and arithmetic in latent space against NumPy and plain loops."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ganlab.errors import ConfigError, ShapeError
from ganlab.models.latent import around, combine, direction, walk

Z = torch.randn(40, 7, generator=torch.Generator().manual_seed(0))


@given(p=st.integers(2, 9), steps=st.integers(1, 11), z_dim=st.integers(1, 5))
def test_a_walk_is_numpys_linspace_from_each_point_to_the_next(p: int, steps: int, z_dim: int):
    points = np.random.default_rng(p).normal(size=(p, z_dim))
    found = walk(torch.from_numpy(points), steps).numpy()
    assert found.shape == ((p - 1) * steps + 1, z_dim)
    for leg in range(p - 1):
        wanted = np.linspace(points[leg], points[leg + 1], steps + 1)
        np.testing.assert_allclose(found[leg * steps : (leg + 1) * steps + 1], wanted, atol=1e-12)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_a_walk_passes_its_points_to_the_last_bit(dtype: torch.dtype):
    points = Z[:9].to(dtype)
    found = walk(points, 7)
    assert found.dtype is dtype
    assert torch.equal(found[::7], points)


def test_a_direction_is_the_mean_of_the_most_minus_that_of_the_least():
    measured = [((3 * i) % 40) ** 2 for i in range(40)]  # no two alike
    ranked = sorted(range(40), key=lambda i: measured[i])
    for n in (1, 4, 20):
        wanted = sum(Z[i].double() for i in ranked[-n:]) / n - sum(Z[i].double() for i in ranked[:n]) / n
        torch.testing.assert_close(direction(Z.double(), torch.tensor(measured), n), wanted)
    wanted = sum(Z[i] for i in ranked[-4:]) / 4 - sum(Z[i] for i in ranked[:4]) / 4
    torch.testing.assert_close(direction(Z, torch.tensor(measured, dtype=torch.float64)), wanted)  # four, as the paper


def test_a_direction_finds_what_is_measured_along_one_axis():
    found = direction(Z, Z[:, 3])
    assert found.argmax() == 3
    assert found[3] > 2
    torch.testing.assert_close(direction(Z, -Z[:, 3]), -found)


def test_arithmetic_by_hand():
    plus, minus, too = torch.eye(3) * 3, torch.full((3, 3), 2.0), torch.tensor([[0.0, 1, 2], [2, 1, 0], [4, 1, 1]])
    assert combine(plus, minus, too).tolist() == [1 - 2 + 2, 1 - 2 + 1, 1 - 2 + 1]
    assert combine(plus[:1], minus, too[:2]).tolist() == [3 - 2 + 1, 0 - 2 + 1, 0 - 2 + 1]
    assert torch.equal(combine(Z[:3], Z[:3], Z[3:4]), Z[3])


def test_around_a_point_lies_noise_of_the_width_that_is_given():
    found = around(Z[0], torch.Generator().manual_seed(0))
    assert found.shape == (9, 7)
    assert torch.equal(found[4], Z[0])
    others = torch.cat([found[:4], found[5:]]) - Z[0]
    assert 0.2 < others.abs().max() <= 0.25 + 1e-6
    assert len(others.unique()) == 56  # each number is moved by itself
    assert torch.equal(found, around(Z[0], torch.Generator().manual_seed(0)))
    assert not torch.equal(found, around(Z[0], torch.Generator().manual_seed(1)))
    wide = around(torch.zeros(5000), torch.Generator().manual_seed(0), n=1, half_width=2.0)
    assert torch.equal(wide[0], torch.zeros(5000))
    assert wide[1].mean().abs() < 0.1
    assert wide[1].var() == pytest.approx(4 / 3, rel=0.1)  # of the uniform law on ±2


@pytest.mark.parametrize(
    ("call", "error", "named"),
    [
        (lambda: walk(Z[:1], 3), ShapeError, "points holds 1; give at least 2"),
        (
            lambda: walk(Z[0], 3),
            ShapeError,
            r"points has shape \[7\] torch.float32; give floating-point z \[n, z_dim\]",
        ),
        (lambda: walk(Z.long(), 3), ShapeError, r"points has shape \[40, 7\] torch.int64"),
        (lambda: walk(Z.numpy(), 3), ShapeError, "points has the type ndarray"),  # pyright: ignore[reportArgumentType]
        (lambda: walk(Z, 0), ConfigError, "steps is 0"),
        (lambda: walk(Z, 2.0), ConfigError, "steps is 2.0"),  # pyright: ignore[reportArgumentType]
        (lambda: walk(torch.where(Z > 2, torch.nan, Z), 2), ShapeError, "rows of points are not finite"),
        (lambda: direction(Z, Z[:, 0], 21), ShapeError, "z holds 40; give at least 42"),
        (
            lambda: direction(Z, Z[:, :1]),
            ShapeError,
            r"measured has shape \[40, 1\]; give one number for each",
        ),
        (lambda: direction(Z, Z[1:, 0]), ShapeError, r"measured has shape \[39\]"),
        (lambda: direction(Z, Z[:, 0] / 0), ShapeError, "40 of 40 measured values are not finite"),
        (lambda: direction(Z, Z[:, 0], True), ConfigError, "n is True"),
        (lambda: combine(Z, Z[:0], Z), ShapeError, "minus holds 0; give at least 1"),
        (lambda: combine(Z, Z, Z[:, 1:]), ShapeError, "plus have 7 numbers each, plus_too 6; give z of one G"),
        (lambda: combine(Z[0], Z, Z), ShapeError, r"plus has shape \[7\]"),
        (lambda: around(Z, torch.Generator()), ShapeError, r"the point has shape \[1, 40, 7\]"),
        (lambda: around(Z[0], torch.Generator(), half_width=0), ConfigError, "half_width is 0"),
        (lambda: around(Z[0], torch.Generator(), n=0), ConfigError, "n is 0"),
    ],
)
def test_what_is_not_given_right_is_named(call, error: type[Exception], named: str):
    with pytest.raises(error, match=named) as caught:
        call()
    assert "\n" not in str(caught.value)


def test_what_is_no_tensor_is_named():
    with pytest.raises(ShapeError, match="measured is a list; give one number for each"):
        direction(torch.zeros(4, 2), [1.0, 2.0, 3.0, 4.0], n=1)  # pyright: ignore[reportArgumentType]
    with pytest.raises(ShapeError, match=r"the point is a list; give floating-point z \[z_dim\]"):
        around([0.0, 1.0], torch.Generator())  # pyright: ignore[reportArgumentType]
