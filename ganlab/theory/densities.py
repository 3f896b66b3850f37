"""Densities on the line that sympy can integrate, numpy and torch can evaluate, and anyone can sample."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import sympy as sp

from ganlab.errors import ConfigError

x = sp.Symbol("x", real=True)


@dataclass(frozen=True)
class Density:
    """A mixture of normal laws on the line.

    means, sigmas, weights: equally many sympy expressions or numbers; symbols are allowed until it is evaluated.
    """

    means: tuple[Any, ...]
    sigmas: tuple[Any, ...]
    weights: tuple[Any, ...]

    @property
    def expression(self) -> sp.Expr:
        """The density as a sympy expression in `x`."""
        parts = zip(self.weights, self.means, self.sigmas, strict=True)
        return sp.Add(*(w * sp.exp(-((x - m) ** 2) / (2 * s**2)) / (s * sp.sqrt(2 * sp.pi)) for w, m, s in parts))

    @property
    def log_expression(self) -> sp.Expr:
        """The log density in nats, written out for a single normal law."""
        if len(self.means) == 1:
            m, s = self.means[0], self.sigmas[0]
            return -((x - m) ** 2) / (2 * s**2) - sp.log(s) - sp.log(2 * sp.pi) / 2
        return sp.log(self.expression)

    def compiled(self, modules: Any = "numpy") -> Callable[[Any], Any]:
        """The density as a function; `modules` as for sympy's `lambdify` (for torch: a dict of its functions)."""
        return sp.lambdify(x, self.expression, modules=modules)

    def sample(self, n: int, rng: np.random.Generator) -> np.ndarray:
        """`n` independent samples [n] in float64."""
        means, sigmas, weights = (
            np.array(list(map(float, values))) for values in (self.means, self.sigmas, self.weights)
        )
        component = rng.choice(len(weights), size=n, p=weights / weights.sum())
        return rng.normal(means[component], sigmas[component])


def normal(mean: Any = 0, sigma: Any = 1) -> Density:
    """The normal law N(mean, sigma²). Raises `ConfigError` for a sigma that is not positive."""
    return mixture([mean], sigma)


def mixture(means: Sequence[Any], sigma: Any, weights: Sequence[Any] | None = None) -> Density:
    """Normal laws of one σ, equally weighted unless told otherwise. Raises `ConfigError` for weights that are negative
    or whose sum is not 1 (decimals: within rounding), and for a sigma that is not positive."""
    k = len(means)
    weights = [sp.Rational(1, k)] * k if weights is None else [sp.sympify(weight) for weight in weights]
    if len(weights) != k or any(weight.is_negative for weight in weights) or not _is_one(sp.Add(*weights)):
        raise ConfigError(f"weights are {weights} for {k} means; give one for each, with sum 1 and none below 0.")
    sigma = sp.sympify(sigma)
    if sigma.is_positive is False:
        raise ConfigError(f"sigma is {sigma}; give a positive number.")
    return Density(tuple(map(sp.sympify, means)), (sigma,) * k, tuple(weights))


def _is_one(total: sp.Expr) -> bool:
    return math.isclose(float(total), 1) if total.is_Float else sp.simplify(total - 1) == 0
