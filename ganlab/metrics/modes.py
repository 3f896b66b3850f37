"""Counting modes: which of the known modes a generator hits, and how many of its samples are good.

The measure of VEEGAN (Srivastava et al. 2017, sec. 4.1), also used by PacGAN: a sample is of high quality when it lies
strictly within three standard deviations of its nearest mode; a mode is found when it is the nearest one to at least
one sample of high quality. Published numbers are for 2,500 samples.
"""

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
    """

    modes: int
    high_quality: float
    per_mode: tuple[int, ...]


def count_modes(samples: Tensor, modes: Tensor, sigma: float) -> ModeCount:
    """Count the modes that samples [n, dim] hit, of modes [k, dim] with standard deviation `sigma` each.

    Compare with published numbers only at n = `PROTOCOL_SAMPLES`. Raises `ShapeError` for other shapes or for samples
    that are not finite, `ConfigError` for a σ that is not positive.
    """
    if (
        samples.ndim != 2
        or modes.ndim != 2
        or samples.shape[1:] != modes.shape[1:]
        or not len(samples)
        or not len(modes)
    ):
        given = f"samples {list(samples.shape)}, modes {list(modes.shape)}"
        raise ShapeError(
            f"{given} do not fit; give samples [n, dim] and modes [k, dim] of the same dim, at least one each."
        )
    if not samples.isfinite().all():
        bad = int((~samples.isfinite().all(dim=1)).sum())
        raise ShapeError(f"{bad} of {len(samples)} samples are NaN or infinite; give finite samples.")
    if not sigma > 0:
        raise ConfigError(f"sigma is {sigma}; give the modes' standard deviation, a positive number.")
    distances = torch.cdist(
        samples.double(), modes.to(samples.device).double(), compute_mode="donot_use_mm_for_euclid_dist"
    )
    distance, nearest = distances.min(dim=1)  # [n], [n]
    good = distance < PROTOCOL_SIGMAS * sigma
    per_mode = torch.bincount(nearest[good], minlength=len(modes))
    return ModeCount(int((per_mode > 0).sum()), float(good.double().mean()), tuple(per_mode.tolist()))
