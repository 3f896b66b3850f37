"""What reaches G's weights of the push on samples: the push times p_g, on a ring of modes of which G misses some.

The push on a sample at x is −φ″(r)∇r with r = p_g/p_d (`ganlab.theory.followed`). A missing mode has few samples to be
pushed. So a push that is loud per sample may count for little in the sum over samples, which is what G's weights
receive. Here that sum is computed by quadrature on a plane grid, for normal modes so wide that they meet: as wide as
noise on D's inputs, or a D that is smooth, makes them.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import sympy as sp

from ganlab.errors import ConfigError
from ganlab.theory.followed import Followed, r

NODES = 401
"""Of the grid, each way. Twice as many change no sum by more than 10⁻⁶ of its size, for widths of at least 0.1."""


@dataclass(frozen=True)
class WeightedPush:
    """Sums over the samples of G.

    size        ∫ p_g |push| dx: how much push there is in all. Adam takes this scale out
    to_missing  at what rate the share of the missing modes would grow, if each sample moved by its push: below 0, fall
    rare        the part of `size` that comes from places with r < 0.1, 0 … 1
    """

    size: float
    to_missing: float
    rare: float

    @property
    def aim(self) -> float:
        """The growth of the missing modes for each unit of push (per unit of length)."""
        return self.to_missing / self.size


def one_in_a_hundred(missing: Sequence[int], modes: int = 8) -> np.ndarray:
    """Weights [modes] of G's law that gives each missing mode a hundredth of its 1/modes, and the rest to the others.

    Raises `ConfigError` for none or all modes, and for numbers that are no modes.
    """
    chosen = sorted(set(missing))
    if not 0 < len(chosen) < modes or not set(chosen) <= set(range(modes)):
        raise ConfigError(f"missing is {list(missing)}; give some of the modes 0 … {modes - 1}, not all.")
    weights = np.full(modes, 0.01 / modes)
    others = np.setdiff1d(np.arange(modes), chosen)
    weights[others] = (1 - 0.01 * len(chosen) / modes) / len(others)
    return weights


def weighted_push(followed: Followed, missing: Sequence[int], width: float, modes: int = 8) -> WeightedPush:
    """The push summed over G's samples, on a ring of radius 1.

    missing  the modes of which G makes a hundredth of their share; the others share the rest alike
    width    standard deviation of each mode, in the data and in G

    Raises `ConfigError` as `one_in_a_hundred`, and for a width outside 0.1 … 1: below, r cannot be told from noise.
    """
    if not 0.1 <= width <= 1:
        raise ConfigError(f"width is {width}; give a number from 0.1 to 1.")
    weights, equal = one_in_a_hundred(missing, modes), np.full(modes, 1 / modes)
    axis = np.linspace(-1 - 5 * width, 1 + 5 * width, NODES)
    at = np.stack(np.meshgrid(axis, axis))  # [2, nodes, nodes]
    turns = 2 * math.pi * np.arange(modes) / modes
    from_mode = at - np.stack([np.cos(turns), np.sin(turns)], axis=1)[:, :, None, None]  # [modes, 2, nodes, nodes]
    bells = np.exp(-(from_mode**2).sum(axis=1) / (2 * width**2)) / (2 * math.pi * width**2)  # [modes, nodes, nodes]

    def density(shares: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """A mixture's density, and its gradient."""
        return np.einsum("k,kij->ij", shares, bells), np.einsum("k,kdij,kij->dij", -shares / width**2, from_mode, bells)

    (p_d, slope_d), (p_g, slope_g) = density(equal), density(weights)
    of_missing, slope_of_missing = density(np.where(np.isin(np.arange(modes), list(missing)), equal, 0))
    ratio, belongs = p_g / p_d, of_missing / p_d  # r, and the share of the missing modes in the data at x
    push = -sp.lambdify(r, followed.curvature, "numpy")(ratio) * (slope_g - ratio * slope_d) / p_d
    toward = (slope_of_missing - belongs * slope_d) / p_d
    cell = (axis[1] - axis[0]) ** 2
    sizes = p_g * np.hypot(*push)
    return WeightedPush(
        size=float(sizes.sum() * cell),
        to_missing=float((p_g * (push * toward).sum(axis=0)).sum() * cell),
        rare=float(sizes[ratio < 0.1].sum() / sizes.sum()),
    )
