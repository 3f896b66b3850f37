"""Sets of points, as the measures want them: flat, exact and finite."""

import torch
from torch import Tensor

from ganlab.errors import ShapeError

CHUNK_NUMBERS = 4_000_000
"""Distances held at once: 32 MB in float64."""


def flat(x: Tensor, what: str) -> Tensor:
    """Points [n, …] as float64 [n, dim] on the CPU, without gradient.

    Raises `ShapeError`, which calls them `what`, for others than floating-point ones, for none, for ones of no numbers,
    and for ones that are not finite.
    """
    if not isinstance(x, Tensor):
        raise ShapeError(f"{what} are a {type(x).__name__}; give a tensor [n, …], as the values of Features.")
    if x.ndim < 2 or not x.numel() or not x.is_floating_point():
        raise ShapeError(
            f"{what} have shape {list(x.shape)} {x.dtype}; give floating-point points [n, …], at least one."
        )
    points = x.detach().cpu().flatten(1).double()
    if not points.isfinite().all():
        raise ShapeError(
            f"{int((~points.isfinite().all(dim=1)).sum())} of {len(x)} {what} are not finite; leave them out."
        )
    return points


def require_same_dim(**sets: Tensor) -> None:
    """Raise `ShapeError` for flat sets of points of which not all have as many numbers each as the first."""
    (first, points), *others = sets.items()
    for name, other in others:
        if other.shape[1] != points.shape[1]:
            raise ShapeError(f"{first} have {points.shape[1]} numbers each, {name} {other.shape[1]}; give equal ones.")


def require_labels(labels: Tensor, points: Tensor, what: str) -> Tensor:
    """Labels as int64 [n] on the CPU, one for each of the points. Raises `ShapeError`, which calls them `what`."""
    if not isinstance(labels, Tensor) or labels.is_floating_point() or labels.is_complex():
        kind = labels.dtype if isinstance(labels, Tensor) else type(labels).__name__
        raise ShapeError(f"{what} are {kind}; give a tensor of integers [n].")
    if labels.shape != points.shape[:1]:
        raise ShapeError(f"{what} have shape {list(labels.shape)} for {len(points)} points; give one for each.")
    return labels.detach().cpu().long()


def rows_at_once(others: Tensor) -> int:
    """To how many points the distances from all `others` are held at once."""
    return max(1, CHUNK_NUMBERS // len(others))


def distances(points: Tensor, others: Tensor) -> Tensor:
    """Euclidean distances [n, m] between flat points; 0 between equal ones, which products of matrices would lose."""
    return torch.cdist(points, others, compute_mode="donot_use_mm_for_euclid_dist")
