"""The Fréchet distance between generated and real images, in features (Heusel et al. 2017, sec. 2).

The features of each set are taken for a normal law, and d² = |μ − μ'|² + tr(Σ + Σ' − 2(ΣΣ')^½) is the squared
2-Wasserstein distance of these laws. It knows no more of a set than means and covariances. It hangs on the features, on
which real images are compared with, and on their number n: few images make it larger, even between real ones. So a
score names all three, and has beside it what other real images get.

What it misses: a set of copies of the training images gets as good a score as new real images do.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ganlab.errors import ShapeError
from ganlab.metrics import drawn
from ganlab.metrics.features import Features
from ganlab.metrics.points import flat, require_same_dim


@dataclass(frozen=True)
class FrechetScore:
    """A Fréchet distance (squared, as usual) and all that it hangs on.

    value     between n generated and n real images
    floor     between n other real images and the same n: what a perfect generator gets
    n         how many images of each set
    generated, real, features   which, in words
    """

    value: float
    floor: float
    n: int
    generated: str
    real: str
    features: str

    def __str__(self) -> str:
        return (
            f"Fréchet distance {self.value:.3g} (real against real {self.floor:.2g}) of {self.generated} from"
            f" {self.real}, n = {self.n:,} each, in {self.features}"
        )


def score(generated: Features, real: Features, n: int | None = None) -> FrechetScore:
    """The Fréchet distance of n generated from n real images, with its floor.

    Of each set n images are drawn, always the same ones; of the real ones n others are drawn for the floor, so twice as
    many are needed. None takes as many as there are. Raises `ConfigError` for features of two networks, or of one with
    other weights, and for an n that is no integer, `ShapeError` for too few images: with n up to d, the number of
    features, a covariance of n points has no full rank.
    """
    made, one, other = drawn.sets(generated, real, n)
    return FrechetScore(
        distance(made, one), distance(one, other), len(made), generated.images, real.images, real.network
    )


def floor(real: Features, n: int) -> float:
    """The Fréchet distance between two disjoint sets of n real images, drawn from all. Raises as `score`."""
    return distance(*drawn.halves(real.values, n))


def floors(real: Features, ns: Sequence[int]) -> dict[int, float]:
    """The floor for several n: how far the number of images alone decides a score. Raises as `score`."""
    return {n: floor(real, n) for n in ns}


def distance(features: Tensor, others: Tensor) -> float:
    """The Fréchet distance between two sets of features [n, d] and [m, d], computed by torchmetrics in float64.

    Raises `ShapeError` for features of unlike or of other shapes, not finite, so large that the distance is not, or of
    no more than d images.
    """
    from torchmetrics.image.fid import FrechetInceptionDistance

    one, other = flat(features, "features"), flat(others, "others")
    require_same_dim(features=one, others=other)
    for found in (one, other):
        if len(found) <= found.shape[1]:
            raise ShapeError(
                f"{len(found)} images have {found.shape[1]} features each, and their covariance no full rank; give at"
                f" least {found.shape[1] + 1} images of each set, of real ones for a floor twice as many."
            )
    centre = other.mean(dim=0)  # far from 0, squares would lose the digits of a spread
    one, other = one - centre, other - centre
    # A power of 2, so that no digit changes: covariances stay far from overflow, and so does their product.
    scale = 2.0 ** (math.frexp(_finite(float(torch.cat([one, other]).abs().max())))[1] - 1)
    metric = FrechetInceptionDistance(feature=_Given(one.shape[1]))
    metric.update(one / scale, real=True)
    metric.update(other / scale, real=False)
    return max(0.0, _finite(float(metric.compute()) * scale * scale))  # rounding may go below 0


def between_normal_laws(mean: Tensor, covariance: Tensor, other_mean: Tensor, other_covariance: Tensor) -> float:
    """The same distance from means [d] and covariances [d, d], computed apart, in float64.

    (ΣΣ')^½ has the trace of the symmetric (Σ^½ Σ' Σ^½)^½, whose eigenvalues are real and not negative (Dowson & Landau
    1982). Raises `ShapeError` for moments of other shapes, not finite, or so large that the distance is not.
    """
    moments = (mean, covariance, other_mean, other_covariance)
    shapes, d = [list(x.shape) for x in moments], mean.numel()
    if shapes != [[d], [d, d]] * 2 or not d:
        raise ShapeError(f"moments have shapes {shapes}; give means [d] and covariances [d, d] of one d.")
    mean, covariance, other_mean, other_covariance = (x.double() for x in moments)
    if not all(x.isfinite().all() for x in moments):
        raise ShapeError("moments are NaN or infinite; give finite means and covariances.")
    eigenvalues, basis = torch.linalg.eigh(covariance)
    root = basis * eigenvalues.clamp_min(0).sqrt() @ basis.T
    product = root @ other_covariance @ root
    _finite(float(product.abs().max()))
    roots = torch.linalg.eigvalsh(product).clamp_min(0).sqrt()
    squared = (mean - other_mean).square().sum() + covariance.trace() + other_covariance.trace() - 2 * roots.sum()
    return max(0.0, _finite(float(squared)))


def _finite(value: float) -> float:
    if not math.isfinite(value):
        raise ShapeError(f"features are so large that the distance is {value:g} in float64; give smaller features.")
    return value


class _Given(nn.Module):
    """In the place of a network: takes features for images, which they were made of before."""

    def __init__(self, num_features: int):
        super().__init__()
        self.num_features = num_features

    def forward(self, features: Tensor) -> Tensor:
        return features
