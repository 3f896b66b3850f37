"""Counting modes: which of the known modes a generator hits, and how many of its samples are good.

The measure of VEEGAN (Srivastava et al. 2017, sec. 4.1), also used by PacGAN: a sample is of high quality when it lies
strictly within three standard deviations of its nearest mode; a mode is found when it is the nearest one to at least
one sample of high quality. Published numbers are for 2,500 samples.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ganlab.errors import ConfigError, ShapeError

PROTOCOL_SAMPLES = 2500
PROTOCOL_SIGMAS = 3.0


@dataclass(frozen=True)
class ModeCount:
    """What was counted.

    modes         how many modes were found
    high_quality  the fraction of all samples that are of high quality, 0 … 1
    per_mode      samples of high quality at each mode
    samples       how many samples there were, good or not
    """

    modes: int
    high_quality: float
    per_mode: tuple[int, ...]
    samples: int

    def kl_nats(self, weights: Sequence[float] | None = None) -> float:
        """KL(found ‖ wanted) in nats, 0 … ∞, between the good samples' shares of the modes and `weights`.

        The weights are k positive numbers, scaled to sum 1; equal ones unless told otherwise. Modes that are missed
        altogether cost at most log k when the weights are equal. NaN without any good sample: there are no shares.
        Raises `ConfigError` for other weights, and for ones beyond 1e-150 … 1e150.
        """
        k = len(self.per_mode)
        wanted = [1.0] * k if weights is None else list(weights)
        if len(wanted) != k or not all(1e-150 <= weight <= 1e150 for weight in wanted):  # nor for NaN
            raise ConfigError(f"weights are {wanted}; give {k} positive numbers, one per mode, within 1e-150 … 1e150.")
        good = sum(self.per_mode)
        if good == 0:
            return math.nan
        total = math.fsum(wanted)
        shares = ((n / good, weight / total) for n, weight in zip(self.per_mode, wanted, strict=True) if n)
        return max(0.0, math.fsum(p * math.log(p / q) for p, q in shares))  # rounding may go below 0


def count_modes(samples: Tensor, modes: Tensor, sigma: float, *, within: float = PROTOCOL_SIGMAS) -> ModeCount:
    """Count the modes that samples [n, dim] hit, of modes [k, dim] with standard deviation `sigma` each.

    A sample is of high quality when its Euclidean distance from the nearest mode is less than `within`·σ. Compare with
    published numbers only at n = `PROTOCOL_SAMPLES` and the default `within`. Raises `ShapeError` for other shapes,
    for complex points or ones that are not finite, `ConfigError` for a σ or `within` that is not positive and finite.
    """
    _require_points(samples, modes)
    for name, value in (("sigma", sigma), ("within", within)):
        if not (math.isfinite(value) and value > 0):
            raise ConfigError(f"{name} is {value}; give a positive number.")
    # Not the matrix product's way: it loses the digits that decide at the border.
    distances = torch.cdist(
        samples.double(), modes.to(samples.device).double(), compute_mode="donot_use_mm_for_euclid_dist"
    )  # [n, k]
    distance, nearest = distances.min(dim=1)  # [n], [n]
    good = distance < within * sigma
    per_mode = torch.bincount(nearest[good], minlength=len(modes))  # [k]
    return ModeCount(
        modes=int((per_mode > 0).sum()),
        high_quality=float(good.double().mean()),
        per_mode=tuple(per_mode.tolist()),
        samples=len(samples),
    )


def _require_points(samples: Tensor, modes: Tensor) -> None:
    for name, points in (("samples", samples), ("modes", modes)):
        if not isinstance(points, Tensor) or points.is_complex():
            kind = points.dtype if isinstance(points, Tensor) else type(points).__name__
            raise ShapeError(f"{name} are {kind}; give a tensor of real numbers [n, dim].")
    both_points = samples.ndim == 2 and modes.ndim == 2 and samples.shape[1] == modes.shape[1]
    if not (both_points and samples.numel() and modes.numel()):
        given = f"samples {list(samples.shape)}, modes {list(modes.shape)}"
        raise ShapeError(
            f"{given} do not fit; give samples [n, dim] and modes [k, dim] of the same dim, at least one each."
        )
    for name, points in (("samples", samples), ("modes", modes)):
        bad = int((~points.isfinite().all(dim=1)).sum())
        if bad:
            raise ShapeError(f"{bad} of {len(points)} {name} are NaN or infinite; give finite {name}.")
