"""The game played with functions instead of networks: on a finite alphabet D and p_g are vectors.

This is the setting of the 2014 paper's Proposition 2, where D is best at each step and p_g itself is changed.
"""

from collections.abc import Iterator

import numpy as np
from scipy.special import rel_entr

from ganlab.errors import ShapeError


def best_discriminator(p_d: np.ndarray, p_g: np.ndarray) -> np.ndarray:
    """D*(x) = p_d/(p_d + p_g) for vectors [n]; NaN where both are 0 (2014 paper, Proposition 1)."""
    with np.errstate(invalid="ignore"):
        return p_d / (p_d + p_g)


def value(D: np.ndarray, p_d: np.ndarray, p_g: np.ndarray) -> float:
    """V(D, p_g) = Σ p_d log D + p_g log(1 − D) in nats (2014 paper, eq. 1), with 0 · log 0 = 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = np.where(p_d > 0, p_d * np.log(D), 0) + np.where(p_g > 0, p_g * np.log1p(-D), 0)
    return float(terms.sum())


def criterion(p_d: np.ndarray, p_g: np.ndarray) -> float:
    """C(p_g) = V(D*, p_g) in nats, without forming D*, which rounds to 1 where p_g is tiny (2014 paper, eq. 4)."""
    both = p_d + p_g
    return float(np.sum(rel_entr(p_d, both) + rel_entr(p_g, both)))


def algorithm_1(p_d: np.ndarray, p_g: np.ndarray, *, rate: float, steps: int) -> Iterator[np.ndarray]:
    """Algorithm 1 with D at its best in each step; yields p_g [n] after each update of it.

    The update follows the gradient log(p_g/(p_d + p_g)) of C at p_g by the exponentiated-gradient rule, which keeps
    p_g a law: p_g ← p_g · exp(−rate · gradient), scaled to sum 1. All entries must be positive. Raises `ShapeError`.
    """
    if p_d.shape != p_g.shape or p_d.ndim != 1 or min(p_d.min(), p_g.min()) <= 0:
        raise ShapeError(f"p_d {list(p_d.shape)}, p_g {list(p_g.shape)}; give positive vectors of one length.")
    for _ in range(steps):
        gradient = np.log(p_g) - np.log(p_d + p_g)  # not log(1 − D*): D* rounds to 1 where p_g is tiny
        p_g = p_g * np.exp(-rate * gradient)
        p_g = p_g / p_g.sum()
        yield p_g
