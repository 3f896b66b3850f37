"""What training follows when D is at its best and held fixed for G's step.

The best D depends on the ratio r = p_g/p_d alone. So G's loss on a sample is a function of r, g(D*(r)), and the step
follows the gradient of ∫ p_d φ(p_g/p_d) with φ′(r) = g(D*(r)). This is an f-divergence exactly when φ is convex.
"""

from dataclasses import dataclass
from functools import cached_property

import sympy as sp

from ganlab.errors import ObjectiveError

r = sp.Symbol("r", positive=True)
"""p_g/p_d at one point: near 0 where G misses a mode of the data, 1 at the solution."""
_ALL = sp.Interval.open(0, sp.oo)


@dataclass(frozen=True)
class Followed:
    """The functional ∫ p_d φ(p_g/p_d) whose gradient a training step follows.

    slope  φ′(r) = g(D*(r)), what G pays for a sample; a constant in it does no work, as p_g keeps its mass
    """

    slope: sp.Expr

    @cached_property
    def curvature(self) -> sp.Expr:
        """φ″(r). A sample at x is pushed by −φ″(r)∇r = −rφ″(r)∇log r: where φ″ > 0 to places with a smaller p_g/p_d."""
        return sp.factor(sp.simplify(sp.diff(self.slope, r)))

    @cached_property
    def phi(self) -> sp.Expr:
        """φ(r) with φ(1) = 0."""
        antiderivative = sp.integrate(sp.expand(self.slope), r)
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
        ratio = sp.Dummy("r", real=True)
        try:
            found = sp.solveset(self.curvature.subs(r, ratio) < 0, ratio, _ALL)
        except (NotImplementedError, TypeError, ValueError):
            found = sp.ConditionSet(ratio, sp.true, _ALL)
        parts = found.args if isinstance(found, sp.Union) else (found,)
        if not all(isinstance(part, sp.Interval | sp.FiniteSet | type(sp.S.EmptySet)) for part in parts):
            raise ObjectiveError(f"φ″ = {self.curvature}: its sign cannot be decided; plot it instead.")
        return found

    @property
    def is_f_divergence(self) -> bool:
        """Whether φ is convex (and not merely linear): G(D*(r)) never falls as r grows. Raises as `wrong_way`."""
        return self.wrong_way is sp.S.EmptySet and self.curvature != 0
