"""Is a generator copying? Nearest training images, and how near they lie for real images that it never saw.

A picture of nearest neighbours proves little: real images have near neighbours, too, and how near depends on the class.
So the distances of generated images are held against those of held-out real ones, which nobody copied.

What it misses: copies that were moved or changed in grey. And blurred images lie near to everything in pixels without
being copies: look at the pairs, and measure in features, too.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from ganlab.errors import ConfigError, ShapeError
from ganlab.metrics.points import distances, flat, require_labels, require_same_dim, rows_at_once

QUANTILE = 0.01


@dataclass(frozen=True)
class CopyCheck:
    """How near generated images lie to training images, against held-out real ones.

    nearer     how many generated images lie nearer than all but a share `quantile` of the held-out ones
    generated, held_out   how many there are of each
    threshold  the distance that is meant
    median, held_out_median   distances to the nearest training image
    """

    nearer: int
    generated: int
    held_out: int
    quantile: float
    threshold: float
    median: float
    held_out_median: float

    @property
    def share(self) -> float:
        """The share of generated images that lie so near; `quantile` is what real images have."""
        return self.nearer / self.generated

    def __str__(self) -> str:
        return (
            f"{self.nearer:,} of {self.generated:,} generated images ({100 * self.share:.1f} %) lie nearer than"
            f" {self.threshold:.3g} to a training image, as {100 * self.quantile:g} % of {self.held_out:,} held-out"
            f" ones do (medians {self.median:.3g} and {self.held_out_median:.3g})"
        )


def copies(generated: Tensor, training: Tensor, held_out: Tensor, quantile: float = QUANTILE) -> CopyCheck:
    """Hold the distances of generated images to their nearest training images against those of held-out real ones.

    All are points [n, …] of one kind: pixels in one range, or features. Raises `ShapeError` for unlike or other shapes,
    for fewer held-out images than 1/quantile, and for held-out images that are training images; `ConfigError` for a
    quantile that is not within (0, 1).
    """
    if not 0 < quantile < 1:
        raise ConfigError(f"quantile is {quantile}; give a number between 0 and 1.")
    own, theirs = nearest(generated, training)[0], nearest(held_out, training)[0]
    if len(theirs) * quantile < 1:
        raise ShapeError(f"there are {len(theirs)} held-out images; give at least {math.ceil(1 / quantile)}.")
    threshold = float(theirs.quantile(quantile))
    if threshold == 0:
        raise ShapeError("held-out images are training images, to the last bit; give real ones that G was not shown.")
    return CopyCheck(
        nearer=int((own < threshold).sum()),
        generated=len(own),
        held_out=len(theirs),
        quantile=quantile,
        threshold=threshold,
        median=float(own.median()),
        held_out_median=float(theirs.median()),
    )


def nearest(points: Tensor, others: Tensor) -> tuple[Tensor, Tensor]:
    """Euclidean distance [n], float64, and index [n] of the nearest of `others` [m, …] to each of the points [n, …].

    Of several at the same distance it is the first. Raises `ShapeError` for points of unlike or other shapes, or not
    finite.
    """
    points, others = flat(points, "points"), flat(others, "others")
    require_same_dim(points=points, others=others)
    first = _first_of_equal(others)
    index = first[_nearest(points, others[first])]
    return (points - others[index]).norm(dim=1), index  # by differences: exact for copies


def _first_of_equal(others: Tensor) -> Tensor:
    """Where each row stands first, in order: a generator that collapsed makes the same image many times."""
    seen: dict[bytes, int] = {}
    for i, row in enumerate(others.numpy()):
        seen.setdefault(row.tobytes(), i)
    return torch.tensor(list(seen.values()))


def _nearest(points: Tensor, others: Tensor) -> Tensor:
    """By products of matrices; where their rounding leaves several, by differences, and then the first."""
    centre = others.mean(dim=0)  # far from 0, squares would lose the digits that decide
    centred = others - centre
    squares = centred.square().sum(dim=1)
    largest = squares.max().sqrt()
    rounding = 4 * (others.shape[1] + 4) * torch.finfo(others.dtype).eps * largest
    found = []
    for part in points.split(rows_at_once(others)):
        moved = part - centre
        scores = squares - 2 * moved @ centred.T  # [rows, m], squared distances but for |moved|²
        least, index = scores.min(dim=1)
        near = scores <= (least + rounding * (largest + 2 * moved.norm(dim=1)))[:, None]
        for i in (near.sum(dim=1) > 1).nonzero().flatten().tolist():
            candidates = near[i].nonzero().flatten()
            index[i] = candidates[distances(part[i : i + 1], others[candidates]).argmin()]
        found.append(index)
    return torch.cat(found)


def one_nearest(points: Tensor, labels: Tensor, test: Tensor, test_labels: Tensor) -> float:
    """The share of test points [m, …] whose nearest of the points [n, …] has another label than they, 0 … 1.

    The error of the 1-nearest-neighbour rule, Euclidean and exact. So Radford, Metz & Chintala 2015 (Table 3) judge a
    conditional generator: `points` are its images with the labels that they were made for, `test` real ones. At equal
    distances the first point counts. labels [n] and test_labels [m] are integers. Raises `ShapeError` for points of
    unlike or other shapes, or not finite, and for labels that are no integers or not one for each point.
    """
    points, test = flat(points, "points"), flat(test, "test")
    labels, test_labels = require_labels(labels, points, "labels"), require_labels(test_labels, test, "test_labels")
    nearest_labels = labels[nearest(test, points)[1]]
    return float((nearest_labels != test_labels).double().mean())
