"""Which images of two sets a score is of: n of each, always the same ones, and n other real ones for its floor."""

import torch
from torch import Tensor

from ganlab.errors import ConfigError, ShapeError
from ganlab.metrics.features import Features


def sets(generated: Features, real: Features, n: int | None) -> tuple[Tensor, Tensor, Tensor]:
    """n generated ones, n real ones and n other real ones, each [n, d]; None takes as many as there are.

    Raises `ConfigError` for features of two networks, or of one with other weights, and for an n that is no integer,
    `ShapeError` for too few images.
    """
    if generated.network != real.network:
        raise ConfigError(f"generated has {generated.network}, real {real.network}; give features of one network.")
    if generated.weights and real.weights and generated.weights != real.weights:
        raise ConfigError(
            f"generated and real have {real.network} with other weights each; give features of one network."
        )
    n = min(len(generated), len(real) // 2) if n is None else _require_integer(n)
    if n > len(generated):
        raise ShapeError(f"n is {n:,} and there are {len(generated):,} generated images; give a smaller n.")
    return _shuffled(generated.values)[:n], *halves(real.values, n)


def halves(values: Tensor, n: int) -> tuple[Tensor, Tensor]:
    """Two disjoint sets of n, drawn from all. Raises `ConfigError` and `ShapeError` as `sets`."""
    if 2 * _require_integer(n) > len(values):
        raise ShapeError(f"n is {n:,} and there are {len(values):,} real images; for a floor, give at least 2n.")
    drawn = _shuffled(values)
    return drawn[:n], drawn[n : 2 * n]


def _require_integer(n: int) -> int:
    if not isinstance(n, int) or isinstance(n, bool) or n < 1:
        raise ConfigError(f"n is {n!r}; give an integer of at least 1, or None.")
    return n


def _shuffled(values: Tensor) -> Tensor:
    """All rows, in an order that is random and always the same: sets often lie sorted by class."""
    return values[torch.randperm(len(values), generator=torch.Generator().manual_seed(0))]
