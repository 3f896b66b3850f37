"""Precision and recall of generated images: are they like real ones, and is there all that is in the real ones?

A set's manifold is the union of balls around its points, each as large as the distance to the k-th nearest other point
of the set. Precision is the share of generated points in the real manifold, recall that of real points in the generated
one (Kynkäänniemi et al. 2019, sec. 2). One outlier among the points makes a ball that holds much; density and coverage
(Naeem et al. 2020, sec. 3) count, around real points alone, in how many balls a generated point lies, and which balls
hold one.

What they miss: copies of the training images, as all measures of two sets do; how many points lie where; and precision
may rise where images are blurred, when their features come to lie in the midst of the real ones.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from ganlab.errors import ConfigError, ShapeError
from ganlab.metrics.points import distances, flat, require_same_dim, rows_at_once

PAPER_K = 3
"""Kynkäänniemi et al. take 3 neighbours (and 50,000 images of each set)."""


@dataclass(frozen=True)
class PrecisionRecall:
    """What two sets have of each other.

    precision   the share of generated points within a ball around a real one, 0 … 1
    recall      the share of real points within a ball around a generated one, 0 … 1
    density     in how many real balls a generated point lies, over k; about 1 where both laws are the same
    coverage    the share of real balls that hold a generated point, 0 … 1
    k           which neighbour's distance is a ball's radius
    generated, real   how many points
    """

    precision: float
    recall: float
    density: float
    coverage: float
    k: int
    generated: int
    real: int

    def __str__(self) -> str:
        return (
            f"precision {self.precision:.3f}, recall {self.recall:.3f}, density {self.density:.3f}, coverage"
            f" {self.coverage:.3f} (k = {self.k}, {self.generated:,} generated against {self.real:,} real)"
        )


def precision_recall(generated: Tensor, real: Tensor, k: int = PAPER_K) -> PrecisionRecall:
    """Precision, recall, density and coverage of generated points [n, …] against real ones [m, …], such as features.

    Balls hold their rims. Compare at equal n, m and k alone. Raises `ShapeError` for points of unlike or other shapes,
    not finite, or fewer than k + 1, `ConfigError` for a k that is no positive integer.
    """
    generated, real = flat(generated, "generated"), flat(real, "real")
    require_same_dim(generated=generated, real=real)
    if not isinstance(k, int) or isinstance(k, bool) or k < 1:
        raise ConfigError(f"k is {k!r}; give an integer of at least 1.")
    for name, points in (("generated", generated), ("real", real)):
        if len(points) <= k:
            raise ShapeError(f"there are {len(points)} {name} points for k = {k}; give at least {k + 1}.")
    of_generated, of_real = _radii(generated, k), _radii(real, k)
    balls = torch.zeros(len(generated), dtype=torch.long)  # real balls that each generated point lies in
    covered = torch.zeros(len(real), dtype=torch.bool)
    recalled = torch.zeros(len(real), dtype=torch.bool)
    rows = rows_at_once(real)
    for start in range(0, len(generated), rows):
        part = slice(start, start + rows)
        between = distances(generated[part], real)  # [rows, m]
        within = between <= of_real
        balls[part] = within.sum(dim=1)
        covered |= within.any(dim=0)
        recalled |= (between <= of_generated[part, None]).any(dim=0)
    return PrecisionRecall(
        precision=float((balls > 0).double().mean()),
        recall=float(recalled.double().mean()),
        density=float(balls.double().mean() / k),
        coverage=float(covered.double().mean()),
        k=k,
        generated=len(generated),
        real=len(real),
    )


def _radii(points: Tensor, k: int) -> Tensor:
    """The distance [n] of each point to the k-th nearest of the others: the nearest of all is the point itself."""
    parts = points.split(rows_at_once(points))
    return torch.cat([distances(part, points).kthvalue(k + 1, dim=1).values for part in parts])
