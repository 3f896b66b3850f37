"""The kernel distance between generated and real images, in features (Bińkowski et al. 2018, sec. 4, there called KID).

Two laws differ by |E φ(x) − E φ(y)|², where ⟨φ(x), φ(y)⟩ is the kernel k(x, y) = (xᵀy/d + 1)³: a polynomial of the
third degree, so that all moments up to the third are compared (squared maximum mean discrepancy, Gretton et al. 2012).
The estimate leaves out the pairs of a point with itself, by which it has no bias: its mean over draws is the same for
every number of images, and 0 between images of one law, where it is often below 0. What the Fréchet distance hides in a
bias is seen here as an error.

What it misses: moments beyond the third; a set of copies of the training images gets as good a score as new real images
do.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from ganlab.errors import ShapeError
from ganlab.metrics import drawn
from ganlab.metrics.features import Features
from ganlab.metrics.points import flat, require_same_dim, rows_at_once

DEGREE = 3


@dataclass(frozen=True)
class Estimate:
    """A squared distance as it was estimated, and the standard error of that: how far it would go from draw to draw."""

    value: float
    error: float


@dataclass(frozen=True)
class KernelScore:
    """A kernel distance (squared, as usual) and all that it hangs on.

    value     between n generated and n real images
    error     its standard error, from draw to draw of both sets
    floor     between n other real images and the same n: 0 in the mean over draws, of either sign
    n         how many images of each set
    generated, real, features   which, in words
    """

    value: float
    error: float
    floor: float
    n: int
    generated: str
    real: str
    features: str

    def __str__(self) -> str:
        return (
            f"kernel distance {self.value:.3g} ± {self.error:.1g} (real against real {self.floor:.1g}) of"
            f" {self.generated} from {self.real}, n = {self.n:,} each, in {self.features}"
        )


def score(generated: Features, real: Features, n: int | None = None) -> KernelScore:
    """The kernel distance of n generated from n real images, beside that of real ones.

    Of each set n images are drawn, always the same ones; of the real ones n others are drawn for the floor, so twice as
    many are needed. None takes as many as there are. Raises `ConfigError` for features of two networks, or of one with
    other weights, and for an n that is no integer, `ShapeError` for too few images.
    """
    made, one, other = drawn.sets(generated, real, n)
    found, floor = estimate(made, one), estimate(other, one)
    return KernelScore(found.value, found.error, floor.value, len(made), generated.images, real.images, real.network)


def estimate(features: Tensor, others: Tensor) -> Estimate:
    """The squared distance between two sets of features [n, d] and [m, d], without bias, in float64.

    The error is that of the estimate's linear part: each point's share of it, and how far these shares lie apart. For
    two sets of one law the linear part is 0, and the error said is too large. Raises `ShapeError` for features of
    unlike or of other shapes, not finite, of fewer than two points, or so large that the distance is not finite.
    """
    one, other = flat(features, "features"), flat(others, "others")
    require_same_dim(features=one, others=other)
    for name, found in (("features", one), ("others", other)):
        if len(found) < 2:
            raise ShapeError(f"there is 1 point of {name}, and no pair; give at least 2.")
    shares = [  # of each point: how alike it is to its own set, less how alike to the other
        (_sums(of, of) - _kernel(of.square().sum(dim=1), of.shape[1])) / (len(of) - 1) - _sums(of, to) / len(to)
        for of, to in ((one, other), (other, one))
    ]
    value = float(sum(share.mean() for share in shares))
    error = 2 * math.sqrt(sum(float(share.var()) / len(share) for share in shares))
    if not math.isfinite(value + error):
        raise ShapeError(f"features are so large that the distance is {value:g} in float64; give smaller features.")
    return Estimate(value, error)


def _sums(points: Tensor, others: Tensor) -> Tensor:
    """The kernel of each point [n, d] with all others [m, d], summed over these: [n]."""
    parts = points.split(rows_at_once(others))
    return torch.cat([_kernel(part @ others.T, points.shape[1]).sum(dim=1) for part in parts])


def _kernel(products: Tensor, d: int) -> Tensor:
    return (products / d + 1) ** DEGREE
