"""How a digit is written: how much ink it has, and how far its strokes lean.

Both are read from the pixels by formulas, not by a network: they tell one hand from another, whatever the digit. What
they miss: ink is more for a large digit, too, and for an 8 than for a 1; the slant is that of the whole image, so that
a 7 leans more than a 0 that is written by the same hand, and a few far pixels that are not quite black count much.
Compare images of one class, or means over all of them.
"""

import torch
from torch import Tensor

from ganlab.errors import ShapeError
from ganlab.metrics.features import GRAY_LEVELS, gray_levels


def thickness(images: Tensor, *, value_range: tuple[float, float] | None = None) -> Tensor:
    """Mean ink of grey images [n, 1, H, W]: the mean of their pixels, 0 where all is black, 1 where all is white [n].

    images       uint8, or floating point, which is rounded to 256 levels as in a picture file
    value_range  what is black and what is white in floating-point images, as in G's `output_range`

    float64 on the CPU. Raises `ShapeError` for other shapes and dtypes, and for values beyond the range.
    """
    return _ink(images, value_range).mean(dim=(1, 2))


def slant(images: Tensor, *, value_range: tuple[float, float] | None = None) -> Tensor:
    """How far grey images [n, 1, H, W] lean to the right, in pixels of shift per pixel of height [n].

    Each pixel weighs as much as it is white. With x to the right and y upwards, both from the centre of mass, it is
    Σ w·x·y / Σ w·y²: the slope of the line x = slant · y that fits the ink best. So an image of which each row is moved
    by s pixels per pixel of height leans by exactly s more; 1 is 45°, negative leans to the left.

    Arguments as in `thickness`, float64 on the CPU. Raises `ShapeError` as it does, and for images whose ink lies in
    less than two rows.
    """
    ink = _ink(images, value_range)
    rows, columns = (torch.arange(length, dtype=torch.float64) for length in ink.shape[1:])
    mass = ink.sum(dim=(1, 2)).clamp_min(1 / GRAY_LEVELS)  # less is none
    of_rows, of_columns = ink.sum(dim=2), ink.sum(dim=1)  # [n, H], [n, W]
    y = (of_rows @ rows / mass)[:, None] - rows  # [n, H], upwards
    x = columns - (of_columns @ columns / mass)[:, None]  # [n, W]
    spread = (of_rows * y.square()).sum(dim=1)
    flat = (of_rows > 0).sum(dim=1) < 2
    if flat.any():
        raise ShapeError(f"{int(flat.sum())} of {len(ink)} images have ink in less than two rows; leave them out.")
    return torch.einsum("nhw,nh,nw->n", ink, y, x) / spread


def _ink(images: Tensor, value_range: tuple[float, float] | None) -> Tensor:
    """Grey images as float64 [n, H, W], 0 … 1, on the CPU."""
    if not isinstance(images, Tensor) or images.ndim != 4 or images.shape[1] != 1 or not len(images):
        given = f"shape {list(images.shape)}" if isinstance(images, Tensor) else f"the type {type(images).__name__}"
        raise ShapeError(f"images have {given}; give grey images [n, 1, H, W], at least one.")
    return gray_levels(images, "images", value_range)[:, 0].cpu().double() / GRAY_LEVELS
