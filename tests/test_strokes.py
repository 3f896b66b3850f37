"""Ink and slant on images whose answer is known, and against NumPy's covariance."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional as F

from ganlab import data
from ganlab.errors import ShapeError
from ganlab.metrics.strokes import slant, thickness

DIGITS = data.load("digits", split="test").images[:80]
WIDE = F.pad(DIGITS, (20, 20))
"""The same with so much black at both sides that what is moved stays within."""


def sheared(images: Tensor, shift: int) -> Tensor:
    """Each row moved to the right by `shift` pixels more than the row below it."""
    rows = images.shape[2]
    return torch.stack([images[:, :, row].roll(shift * (rows - 1 - row), -1) for row in range(rows)], dim=2)


def dilated(images: Tensor) -> Tensor:
    return F.max_pool2d(images.float(), 3, 1, 1).byte()


@pytest.mark.parametrize("shift", [-2, -1, 1, 2])
def test_a_sheared_digit_leans_by_the_shear_more(shift: int):
    torch.testing.assert_close(slant(sheared(WIDE, shift)), slant(WIDE) + shift, rtol=0, atol=1e-9)
    torch.testing.assert_close(thickness(sheared(WIDE, shift)), thickness(WIDE))


def test_a_mirrored_digit_leans_the_other_way():
    torch.testing.assert_close(slant(DIGITS.flip(3)), -slant(DIGITS))
    torch.testing.assert_close(slant(DIGITS.flip(2)), -slant(DIGITS))
    assert slant(DIGITS).abs().min() > 0


def test_where_a_digit_stands_does_not_matter():
    torch.testing.assert_close(slant(F.pad(DIGITS, (0, 9, 5, 1))), slant(DIGITS))


def test_a_line_from_lower_left_to_upper_right_leans_to_the_right_by_1():
    line = torch.eye(8).flip(1).mul(255).byte()[None, None]
    assert float(slant(line)) == pytest.approx(1)
    assert float(thickness(line)) == pytest.approx(1 / 8)


@given(height=st.integers(2, 12), width=st.integers(1, 12), seed=st.integers(0, 99))
def test_it_is_the_slope_of_least_squares(height: int, width: int, seed: int):
    """NumPy's fit of a line through the pixels, each with its ink as weight: x by y."""
    image = np.random.default_rng(seed).integers(0, 256, (height, width)).astype(np.uint8)
    image[0, 0], image[-1, -1] = 255, 255
    rows, columns = np.indices(image.shape)
    fitted = np.polyfit(-rows.ravel(), columns.ravel(), 1, w=np.sqrt(image.ravel() / 255))[0]
    np.testing.assert_allclose(float(slant(torch.from_numpy(image)[None, None])), fitted, atol=1e-9)


def test_a_dilated_digit_is_thicker_and_dimmed_ink_is_less():
    assert (thickness(dilated(DIGITS)) > thickness(DIGITS)).all()
    torch.testing.assert_close(thickness(DIGITS // 2 * 2), 2 * thickness(DIGITS // 2))
    torch.testing.assert_close(thickness(DIGITS), torch.tensor(DIGITS.numpy().mean(axis=(1, 2, 3)) / 255))
    assert thickness(torch.full((1, 1, 4, 4), 255).byte()).tolist() == [1]


@pytest.mark.parametrize("value_range", [(0.0, 1.0), (-1.0, 1.0)])
def test_floats_of_any_range_are_the_same_images(value_range: tuple[float, float]):
    low, high = value_range
    images = DIGITS.float() / 255 * (high - low) + low
    for measure in (slant, thickness):
        assert torch.equal(measure(images, value_range=value_range), measure(DIGITS))


def test_sizes_and_types():
    for measure in (slant, thickness):
        found = measure(DIGITS)
        assert (found.shape, found.dtype) == ((80,), torch.float64)
        torch.testing.assert_close(torch.cat([measure(DIGITS[i : i + 1]) for i in range(80)]), found)


BLACK = torch.zeros(3, 1, 8, 8).byte()
ONE_ROW = F.pad(torch.full((1, 1, 1, 8), 200).byte(), (0, 0, 3, 4))


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda: slant(torch.cat([BLACK, DIGITS])), "3 of 83 images have ink in less than two rows; leave them out"),
        (lambda: slant(ONE_ROW), "1 of 1 images have ink in less than two rows"),
        (
            lambda: slant(DIGITS.repeat(1, 3, 1, 1)),
            r"images have shape \[80, 3, 8, 8\]; give grey images \[n, 1, H, W\]",
        ),
        (lambda: thickness(DIGITS[0]), r"images have shape \[1, 8, 8\]"),
        (lambda: thickness(DIGITS[:0]), r"images have shape \[0, 1, 8, 8\]"),
        (lambda: thickness(DIGITS.numpy()), "images have the type ndarray"),  # pyright: ignore[reportArgumentType]
        (lambda: slant(DIGITS.float()), "images are torch.float32 images of unknown range"),
        (lambda: slant(DIGITS.float(), value_range=(0, 1)), r"images range over \[0, 255\]"),
        (lambda: slant(DIGITS * torch.nan, value_range=(0, 1)), r"images range over \[nan, nan\]"),
        (lambda: slant(DIGITS.long()), "images are torch.int64 images"),
    ],
)
def test_what_is_not_given_right_is_named(call, named: str):
    with pytest.raises(ShapeError, match=named) as caught:
        call()
    assert "\n" not in str(caught.value)


def test_black_images_have_no_ink():
    assert thickness(BLACK).tolist() == [0, 0, 0]
