"""The Gaussian Parzen window: a likelihood estimated from samples, as the 2014 paper's Table 1 does.

A normal law of width σ around each sample, and the mean of all of them as density. The score is not to be trusted as a
measure of quality (Theis et al. 2016); lesson 06 shows why.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ganlab.errors import ConfigError
from ganlab.metrics.points import flat, require_same_dim, rows_at_once

PAPER_SIGMAS = tuple(float(sigma) for sigma in np.logspace(-1, 0, 10))
"""The ten widths that the authors' released code tries: 0.1 … 1, each 1.29 times the one before."""
SIGMA_RANGE = (1e-150, 1e150)
"""What σ may be: beyond it float64 does not hold its square."""
Widths = Sequence[float] | np.ndarray | Tensor


@dataclass(frozen=True)
class ParzenScore:
    """The mean log-likelihood of test points in nats, with its standard error over them, at a width σ."""

    nats: float
    standard_error: float
    sigma: float

    def __str__(self) -> str:
        return f"{self.nats:.1f} ± {self.standard_error:.1f} nats (σ = {self.sigma:.3g})"


def log_density(points: Tensor, samples: Tensor, sigma: float) -> Tensor:
    """The log density in nats, [n] float64, of points [n, …] under the Parzen window of samples [m, …].

    log p(x) = log mean_j exp(−‖x − s_j‖²/(2σ²)) − d log(σ√(2π)), computed in float64 and in chunks. Raises `ShapeError`
    for points and samples of different shapes or not finite, `ConfigError` for a σ that is not positive, or beyond
    `SIGMA_RANGE`.
    """
    return log_densities(points, samples, [sigma])[0]


def log_densities(points: Tensor, samples: Tensor, sigmas: Widths) -> Tensor:
    """As `log_density` for several widths at once, [len(sigmas), n]: the distances are the same for all."""
    points, samples = flat(points, "points"), flat(samples, "samples")
    require_same_dim(points=points, samples=samples)
    widths = [float(sigma) for sigma in sigmas]
    if not widths or not all(SIGMA_RANGE[0] <= sigma <= SIGMA_RANGE[1] for sigma in widths):  # nor NaN
        low, high = SIGMA_RANGE
        raise ConfigError(f"sigmas are {list(sigmas)}; give positive numbers within {low:g} … {high:g}.")
    centre = samples.mean(dim=0)  # far from 0, squares would lose the digits of a distance
    points, samples = points - centre, samples - centre
    d = points.shape[1]
    rows = rows_at_once(samples)
    squares = samples.square().sum(dim=1)
    result = torch.empty(len(widths), len(points), dtype=torch.float64)
    for start in range(0, len(points), rows):
        chunk = points[start : start + rows]
        distances = chunk.square().sum(dim=1, keepdim=True) + squares - 2 * chunk @ samples.T  # [rows, m], squared
        for i, sigma in enumerate(widths):
            result[i, start : start + rows] = torch.logsumexp(distances * (-0.5 / sigma**2), dim=1)
    constants = [math.log(len(samples)) + d * math.log(sigma * math.sqrt(2 * math.pi)) for sigma in widths]
    return result - torch.tensor(constants, dtype=torch.float64)[:, None]


def score(samples: Tensor, validation: Tensor, test: Tensor, sigmas: Widths = PAPER_SIGMAS) -> ParzenScore:
    """The 2014 paper's protocol (its sec. 5): σ from the validation points, the score from the test points.

    samples     from the generator, 10,000 in the paper, values in [0, 1]
    validation  points that choose σ: the first 1,000 of the last 10,000 training images
    test        points that are scored: all 10,000 test images
    """
    best = float(sigmas[int(log_densities(validation, samples, sigmas).mean(dim=1).argmax())])
    values = log_density(test, samples, best)
    return ParzenScore(float(values.mean()), float(values.std(correction=0) / math.sqrt(len(values))), best)
