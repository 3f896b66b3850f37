"""The best discriminator at one point: solved for, with the second-order check that it is the only maximum."""

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import sympy as sp

from ganlab.errors import NoOptimum, Unbounded
from ganlab.objectives.symbols import DOMAIN, D, p_d, p_g

if TYPE_CHECKING:
    from ganlab.objectives.objective import Objective


_ROOTS = sp.symbols("u v", positive=True, cls=sp.Dummy)


@dataclass(frozen=True)
class Optimum:
    """The best discriminator for given densities, with the proof that it is the only one.

    `D` is the only stationary point of the value integrand V in D's domain, and V″ = `curvature` < 0 there: on an
    interval such a point is the global maximum. Needed are p_d > 0 and p_g > 0; where only one of them is positive the
    expression is the limit, and where both are 0 every D is as good as any other.
    """

    D: sp.Expr
    curvature: sp.Expr


@lru_cache
def optimal_discriminator(objective: "Objective") -> Optimum:
    """As `Objective.optimal_discriminator` says."""
    V, domain = objective.value_integrand, DOMAIN[objective.output]
    _refuse_unbounded(objective, domain)
    # Square roots of the densities as unknowns: sympy then decides signs that it cannot decide otherwise.
    u, v = _ROOTS
    V_uv = V.subs({p_d: u**2, p_g: v**2})
    try:
        stationary = sp.solve(sp.diff(V_uv, D), D)
    except NotImplementedError:
        stationary = []
    inside = [root for root in map(sp.factor, stationary) if _lies_inside(root, domain)]
    if len(inside) != 1:
        raise NoOptimum(
            f"{objective.name}: V(D) = {V} has {len(inside)} stationary points for D in ({domain.start}, {domain.end});"
            " an optimal discriminator needs exactly one, so check D's two losses (kinks and plateaus have none)."
        )
    curvature = sp.factor(sp.diff(V_uv, D, 2).subs(D, inside[0]))
    densities = {u: sp.sqrt(p_d), v: sp.sqrt(p_g)}
    optimum = Optimum(sp.factor(sp.expand(inside[0].subs(densities))), curvature.subs(densities))
    if not curvature.is_negative:
        found = "whose sign sympy cannot decide" if curvature.is_negative is None else "which is not negative"
        raise NoOptimum(
            f"{objective.name}: V(D) = {V} has V″ = {optimum.curvature} at D = {optimum.D}, {found} for"
            " all densities; check the signs of the two losses of D, which D minimises."
        )
    return optimum


def _lies_inside(root: sp.Expr, domain: sp.Interval) -> bool:
    """Whether lower < root < upper for all positive densities, as far as sympy can tell."""
    if _is_complex(root):
        return False
    above = domain.start is -sp.oo or sp.factor(root - domain.start).is_positive
    below = domain.end is sp.oo or sp.factor(domain.end - root).is_positive
    return bool(above and below)


def _is_complex(root: sp.Expr) -> bool:
    """Whether it is not real; where sympy cannot tell, for some densities (and parameters) tried."""
    if root.is_real is not None:
        return not root.is_real
    symbols = sorted(root.free_symbols, key=str)
    tried = ({symbol: sp.Rational(2 + 3 * i + k, 4) for i, symbol in enumerate(symbols)} for k in range(3))
    return any(abs(complex(sp.N(root.subs(values))).imag) > 1e-9 for values in tried)


def _refuse_unbounded(objective: "Objective", domain: sp.Interval) -> None:
    """Each of D's two losses needs a lower bound: where one density is 0, D sees the other loss alone."""
    for role in ("real", "fake"):
        loss = getattr(objective, role)
        for end, side in ((domain.start, "+"), (domain.end, "-")):
            if sp.limit(loss.rewrite(sp.Abs), D, end, side) == -sp.oo:
                raise Unbounded(
                    f"{objective.name}: {role} = {loss} tends to −∞ as D → {end}, so D wins without bound; D minimises"
                    " it, so give it a lower bound (or turn its sign)."
                )
