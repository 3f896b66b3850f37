"""Moving about among a generator's inputs: walks, directions and arithmetic (Radford, Metz & Chintala 2015, sec. 6).

All that is here is done to z; G turns the results into images. A straight line, a mean or a sum of z is as likely
an input as any other only near enough to where z is drawn from: means lie nearer to 0, sums farther out.
"""

import torch
from torch import Tensor

from ganlab.errors import ShapeError
from ganlab.models.base import at_least_one, positive

TURN_EXAMPLES = 4
"""From four samples at either end the paper makes the vector that turns a face (sec. 6.3.2)."""
NEIGHBOURS, HALF_WIDTH = 8, 0.25
"""So many others the paper shows around the result of arithmetic, moved by noise uniform on ±0.25 (Figure 7)."""


def walk(points: Tensor, steps: int) -> Tensor:
    """From each of the points z [p, z_dim] straight to the next, in `steps` equal steps (sec. 6.1, Figure 4).

    Gives [(p − 1)·steps + 1, z_dim]: number i·steps is points[i] itself, the first and the last included. Raises
    `ShapeError` for less than two points or other shapes, `ConfigError` for steps that are no positive integer.
    """
    _require_points(points, "points", at_least=2)
    at_least_one(steps=steps)
    way = (torch.arange(steps, device=points.device, dtype=points.dtype) / steps)[:, None]  # [steps, 1]
    legs = (1 - way) * points[:-1, None] + way * points[1:, None]  # [p − 1, steps, z_dim]
    return torch.cat([legs.flatten(0, 1), points[-1:]])


def direction(z: Tensor, measured: Tensor, n: int = TURN_EXAMPLES) -> Tensor:
    """The way from images that have little of something to those that have much: the paper's turn vector (sec. 6.3.2).

    z         [m, z_dim], inputs of G
    measured  [m], what was measured on the image of each, such as how far its strokes lean
    n         how many are averaged at either end

    Gives the mean of the n z with the largest measured values minus the mean of the n with the smallest [z_dim]. Raises
    `ShapeError` for less than 2n of them and for other shapes, `ConfigError` for an n that is no positive integer.
    """
    at_least_one(n=n)
    _require_points(z, "z", at_least=2 * n)
    if not isinstance(measured, Tensor) or measured.shape != z.shape[:1] or measured.is_complex():
        given = (
            f"has shape {list(measured.shape)}" if isinstance(measured, Tensor) else f"is a {type(measured).__name__}"
        )
        raise ShapeError(f"measured {given}; give one number for each of the {len(z)} z.")
    if not measured.isfinite().all():
        raise ShapeError(f"{int((~measured.isfinite()).sum())} of {len(z)} measured values are not finite.")
    order = measured.argsort().to(z.device)
    return z[order[-n:]].mean(dim=0) - z[order[:n]].mean(dim=0)


def combine(plus: Tensor, minus: Tensor, plus_too: Tensor) -> Tensor:
    """mean(plus) − mean(minus) + mean(plus_too) [z_dim], the paper's "king − man + woman" (sec. 6.3.2, Figure 7).

    Each is [k, z_dim], the z of k images that show one concept; the paper takes three of each, as single ones were
    unstable. Raises `ShapeError` for other shapes.
    """
    named = {"plus": plus, "minus": minus, "plus_too": plus_too}
    for name, z in named.items():
        _require_points(z, name)
        if z.shape[1] != plus.shape[1]:
            raise ShapeError(f"plus have {plus.shape[1]} numbers each, {name} {z.shape[1]}; give z of one G.")
    return plus.mean(dim=0) - minus.mean(dim=0) + plus_too.mean(dim=0)


def around(point: Tensor, generator: torch.Generator, n: int = NEIGHBOURS, half_width: float = HALF_WIDTH) -> Tensor:
    """A point [z_dim] amid n others that are moved by noise uniform on ±half_width in each number [n + 1, z_dim].

    The point itself is number n // 2, in the middle of a square of nine. `generator`, torch's, draws the noise on its
    device. Raises `ShapeError` for another shape, `ConfigError` for numbers that are not positive.
    """
    if not isinstance(point, Tensor):
        raise ShapeError(f"the point is a {type(point).__name__}; give floating-point z [z_dim].")
    _require_points(point[None], "the point")
    at_least_one(n=n)
    positive(half_width=half_width)
    noise = torch.empty(n, len(point), dtype=point.dtype, device=generator.device)
    others = point + noise.uniform_(-half_width, half_width, generator=generator).to(point.device)
    return torch.cat([others[: n // 2], point[None], others[n // 2 :]])


def _require_points(z: Tensor, what: str, at_least: int = 1) -> None:
    if not isinstance(z, Tensor) or z.ndim != 2 or not z.is_floating_point():
        given = f"shape {list(z.shape)} {z.dtype}" if isinstance(z, Tensor) else f"the type {type(z).__name__}"
        raise ShapeError(f"{what} has {given}; give floating-point z [n, z_dim].")
    if len(z) < at_least:
        raise ShapeError(f"{what} holds {len(z)}; give at least {at_least}.")
    if not z.isfinite().all():
        raise ShapeError(f"{int((~z.isfinite().all(dim=1)).sum())} of {len(z)} rows of {what} are not finite.")
