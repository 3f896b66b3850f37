"""Divergences between two laws, written as sympy integrands, and three ways to evaluate them.

An integrand is an expression in p and q, the two densities at one point; the divergence is its integral (or its sum
over an alphabet). Logarithms are natural, so KL and JSD are in nats.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import scipy.integrate
import sympy as sp

from ganlab.errors import ConfigError, ShapeError
from ganlab.theory.densities import Density, x

p, q = sp.symbols("p q", positive=True)
u = sp.Symbol("u", positive=True)
"""The density ratio p/q."""
v = sp.Symbol("v", real=True)
"""The critic's value, the argument of a convex conjugate."""

KL = p * sp.log(p / q)
"""Kullback–Leibler divergence KL(p‖q)."""
JENSEN_SHANNON = (p * sp.log(2 * p / (p + q)) + q * sp.log(2 * q / (p + q))) / 2
"""Jensen–Shannon divergence: the mean of KL(p‖m) and KL(q‖m) with m = (p + q)/2. 0 … log 2."""
PEARSON = (p - q) ** 2 / q
"""Pearson's χ²(p‖q), divided by the second law (Cha 2007)."""
NEYMAN = (p - q) ** 2 / p
"""Neyman's χ²(p‖q), divided by the first law (Cha 2007)."""
TRIANGULAR = (p - q) ** 2 / (p + q)
"""Triangular discrimination Δ(p, q) (Topsøe 2000). 0 … 2."""


@dataclass(frozen=True)
class FDivergence:
    """D_f(p‖q) = ∫ q f(p/q), with f convex (Csiszár; Nowozin et al. 2016, sec. 2.1). f is in `u`.

    D_f(p‖p) = f(1), which is 0 for all but the GAN's, where it is −log 4.
    """

    name: str
    f: sp.Expr

    @property
    def integrand(self) -> sp.Expr:
        """q f(p/q)."""
        return sp.expand(q * self.f.subs(u, p / q))

    @property
    def critic(self) -> sp.Expr:
        """The best critic T* = f′(p/q) in the bound E_p[T] − E_q[f*(T)] (Nowozin et al. 2016, eq. 5)."""
        return sp.simplify(sp.diff(self.f, u).subs(u, p / q))

    @property
    def slopes(self) -> tuple[sp.Expr, sp.Expr]:
        """The limits of f′ at u → 0 and at u → ∞: every value of the best critic T* lies between them."""
        slope = sp.diff(self.f, u)
        return sp.limit(slope, u, 0, "+"), sp.limit(slope, u, sp.oo)

    @property
    def conjugate(self) -> sp.Expr:
        """f*(v) = sup_u (u v − f(u)) for v between `slopes`, from the only point u > 0 where v = f′(u).

        For v below them f*(v) = −f(0), above them it is ∞.
        """
        slope = sp.diff(self.f, u)
        at_one = slope.subs(u, 1)
        (best,) = [root for root in sp.solve(slope - v, u) if sp.simplify(root.subs(v, at_one)) == 1]
        value = sp.simplify(best * v - self.f.subs(u, best))
        _, top = self.slopes
        if top.is_finite:
            below = sp.Symbol("w", positive=True)  # v is a slope of f, so it lies below the largest one
            value = min(value, sp.simplify(value.subs(v, top - below)).subs(below, top - v), key=sp.count_ops)
        return value.replace(sp.log, _of_no_fraction)


def _of_no_fraction(argument: sp.Expr) -> sp.Expr:
    """The logarithm of 1/a written as −log a."""
    above, below = sp.fraction(sp.together(argument))
    return -sp.log(sp.expand(below / above)) if above.is_number else sp.log(argument)


F_DIVERGENCES = (
    FDivergence("KL", u * sp.log(u)),
    FDivergence("reverse KL", -sp.log(u)),
    FDivergence("Pearson χ²", (u - 1) ** 2),
    FDivergence("Neyman χ²", (u - 1) ** 2 / u),
    FDivergence("squared Hellinger", (sp.sqrt(u) - 1) ** 2),
    FDivergence("Jensen–Shannon × 2", u * sp.log(u) - (u + 1) * sp.log((u + 1) / 2)),
    FDivergence("GAN", u * sp.log(u) - (u + 1) * sp.log(u + 1)),
    FDivergence("triangular Δ", (u - 1) ** 2 / (u + 1)),
)


@dataclass(frozen=True)
class Estimate:
    """A number with its error: of quadrature an upper bound, of Monte Carlo one standard error."""

    value: float
    error: float


def on_alphabet(integrand: sp.Expr, P: np.ndarray, Q: np.ndarray) -> float:
    """The sum of the integrand over a finite alphabet, for probability vectors P and Q [n].

    Where a probability is 0 the limit is taken: 0 log 0 = 0, and KL(P‖Q) is infinite where Q alone is 0.
    Raises `ShapeError` for vectors that are no two laws on one alphabet.
    """
    P, Q = (np.asarray(law, dtype=np.float64) for law in (P, Q))
    laws = P.ndim == 1 and P.shape == Q.shape and len(P) and min(P.min(), Q.min()) >= 0
    if not laws or not np.allclose([P.sum(), Q.sum()], 1):
        raise ShapeError(f"P {list(P.shape)} and Q {list(Q.shape)} are no two laws; give vectors with sum 1.")
    both, only_p, only_q = (P > 0) & (Q > 0), (P > 0) & (Q == 0), (P == 0) & (Q > 0)
    total = float(np.sum(_at_points(integrand)(P[both], Q[both])))
    # An f-divergence's integrand is homogeneous, so its limit at one density is that density times the limit at 1.
    for where, law, gone, stays in ((only_p, P, q, p), (only_q, Q, p, q)):
        if where.any():
            total += float(sp.limit(integrand.subs(stays, 1), gone, 0, "+")) * float(law[where].sum())
    return total


@lru_cache
def _at_points(integrand: sp.Expr) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    return sp.lambdify((p, q), integrand, "numpy")


def by_quadrature(integrand: sp.Expr, law_p: Density, law_q: Density, low: float, high: float) -> Estimate:
    """The integral of the integrand over [low, high] for two densities on the line, adaptively (QUADPACK).

    Raises `ConfigError` for ends so far out that a density in a denominator rounds to 0.
    """
    # Logarithms of the densities are put in as such: far out, the densities themselves round to 0.
    logs = {sp.log(p): law_p.log_expression, sp.log(q): law_q.log_expression}
    at_x = sp.expand_log(integrand, force=True).subs(logs).subs({p: law_p.expression, q: law_q.expression})
    point = sp.lambdify(x, at_x, "math")
    density_p, density_q = law_p.compiled("math"), law_q.compiled("math")

    def height(at: float) -> float:
        try:
            return point(at) if density_p(at) + density_q(at) > 0 else 0.0
        except (OverflowError, ZeroDivisionError) as error:
            raise ConfigError(
                f"at x = {at:g} the integrand overflows, since a density rounds to 0 there; give narrower ends than"
                f" {low:g} and {high:g}."
            ) from error

    result = scipy.integrate.quad(height, low, high, limit=500, epsabs=1e-10)
    return Estimate(float(result[0]), float(result[1]))


def by_monte_carlo(function: Callable[[np.ndarray], np.ndarray], samples: np.ndarray) -> Estimate:
    """The mean of a function over samples [n], with its standard error."""
    values = function(samples)
    return Estimate(float(values.mean()), float(values.std(ddof=1) / np.sqrt(len(values))))
