"""What training follows when D is at its best and held fixed for G's step.

The best D depends on the ratio r = p_g/p_d alone. So G's loss on a sample is a function of r, g(D*(r)), and the step
follows the gradient of F = ∫ p_d φ(p_g/p_d) with φ′(r) = g(D*(r)). Needed are p_d > 0 wherever p_g > 0, a finite F, for
each r only one best D, and a density p_g that changes smoothly with G's weights: at an edge that moves, F charges
(φ(r) − φ(0))/r for a sample and training φ′(r). F is an f-divergence exactly when φ is convex and no straight line (of
which F is constant); then it is smallest at p_g = p_d, and only there if φ″(1) > 0.
"""

from dataclasses import dataclass
from functools import cached_property

import sympy as sp
from mpmath.libmp import NoConvergence

from ganlab.errors import ObjectiveError

r = sp.Symbol("r", positive=True)
"""p_g/p_d at one point: near 0 where G misses a mode of the data, 1 at the solution."""
_ALL = sp.Interval.open(0, sp.oo)


@dataclass(frozen=True)
class Followed:
    """The functional ∫ p_d φ(p_g/p_d) whose gradient a training step follows.

    slope  φ′(r) = g(D*(r)), what G pays for a sample; a constant k in it shifts F by k∫p_g = k and does no work
    """

    slope: sp.Expr

    @cached_property
    def curvature(self) -> sp.Expr:
        """φ″(r). A sample at x is pushed by −φ″(r)∇r = −rφ″(r)∇log r: where φ″ > 0 to places with a smaller p_g/p_d."""
        return sp.factor(sp.simplify(sp.diff(self.slope, r)))

    @cached_property
    def phi(self) -> sp.Expr:
        """φ(r) with φ(1) = 0. Raises `ObjectiveError` where sympy cannot integrate φ′."""
        antiderivative = sp.integrate(sp.expand(self.slope), r)
        if antiderivative.has(sp.Integral):
            raise ObjectiveError(f"φ′ = {self.slope} has no integral that sympy finds; use its slope or curvature.")
        return sp.expand(antiderivative - antiderivative.subs(r, 1))

    @property
    def at_missing_modes(self) -> sp.Expr:
        """φ″ as r → 0, where data have hardly a sample. A positive number: the push rφ″ fades like r (first order);
        0: faster; ∞: slower; below 0: it points the wrong way."""
        return sp.limit(self.curvature, r, 0, "+")

    @property
    def at_solution(self) -> sp.Expr:
        """φ″(1): the push at p_g = p_d. Positive: the laws are drawn together."""
        return sp.simplify(self.curvature.subs(r, 1))

    @cached_property
    def wrong_way(self) -> sp.Set:
        """The ratios r > 0 with φ″(r) < 0, where samples are pushed to places that G covers already.

        Raises `ObjectiveError` while φ″ contains symbols besides r, and where sympy cannot decide its sign.
        """
        unknown = sorted(map(str, self.curvature.free_symbols - {r}))
        if unknown:
            raise ObjectiveError(f"φ″ = {self.curvature} contains {', '.join(unknown)}; give numbers for them.")
        undecided = ObjectiveError(f"φ″ = {self.curvature}: its sign cannot be decided; plot it instead.")
        ratio = sp.Dummy("r", real=True)
        exact = sp.nsimplify(self.curvature, rational=True)  # a coding's 0.6 is 3/5: decimals have no exact roots
        try:
            found = sp.solveset(exact.subs(r, ratio) < 0, ratio, _ALL)
        except (NotImplementedError, TypeError, ValueError, NoConvergence) as error:
            raise undecided from error
        parts = found.args if isinstance(found, sp.Union) else (found,)
        if not all(isinstance(part, sp.Interval | sp.FiniteSet | type(sp.S.EmptySet)) for part in parts):
            raise undecided
        return found

    @property
    def is_f_divergence(self) -> bool:
        """Whether φ is convex and no straight line: g(D*(r)) never falls as r grows, and is not constant.

        Raises as `wrong_way`.
        """
        return self.wrong_way is sp.S.EmptySet and self.curvature != 0
