"""A GAN objective, written once in sympy; everything else is derived from it.

An `Objective` says what the two players minimise as functions of D, the discriminator's output at one point:

    real       what D pays on x ~ p_data
    fake       what D pays on x = G(z)
    generator  what G pays on x = G(z)

From these expressions follow the value integrand, the best discriminator, the criterion C(G), the gradient that
training follows, the gradients in the logit with their limits, the LaTeX, and the PyTorch losses.

Discriminators return their raw output t (the logit). For objectives on probabilities D = σ(t) = 1/(1 + e^(−t));
for objectives on scores, such as least squares, D = t.
"""

from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Literal

import sympy as sp
from sympy.core.function import AppliedUndef

from ganlab.errors import NoOptimum, ObjectiveError, Unbounded, UndefinedName
from ganlab.losses import Losses, compile_loss
from ganlab.theory.followed import Followed, r

D = sp.Symbol("D", real=True)
"""The discriminator's output at one point: a probability in (0, 1), or any real score."""
t = sp.Symbol("t", real=True)
"""The discriminator's raw output (the logit)."""
p_d = sp.Symbol("p_d", positive=True)
"""The density of the data at one point."""
p_g = sp.Symbol("p_g", positive=True)
"""The density of the generated samples at the same point."""

Output = Literal["probability", "score"]
DOMAIN: dict[Output, sp.Interval] = {
    "probability": sp.Interval.open(0, 1),
    "score": sp.Interval(-sp.oo, sp.oo),
}


@dataclass(frozen=True)
class Optimum:
    """The best discriminator for given densities, with the proof that it is the only one.

    `D` is the only stationary point of the value integrand V in D's domain, and V″ = `curvature` < 0 there: on an
    interval such a point is the global maximum. Needed are p_d > 0 and p_g > 0; where only one of them is positive the
    expression is the limit, and where both are 0 every D is as good as any other.
    """

    D: sp.Expr
    curvature: sp.Expr


@dataclass(frozen=True)
class LogitGradient:
    """The derivative of one loss term in the logit t, with its limits at t → −∞ (D is sure that the sample is
    generated) and t → +∞ (D is sure that it is real)."""

    expression: sp.Expr
    at_minus_infinity: sp.Expr
    at_plus_infinity: sp.Expr


@dataclass(frozen=True)
class Objective:
    """The two players' losses as expressions in D. See the module's text for what is derived from them.

    name            how the field calls it
    real, fake      D's losses per sample, minimised by D
    generator       G's loss per generated sample, minimised by G
    output          "probability": D = σ(t); "score": D = t
    source          paper and equation
    generator_real  a term of G's published objective on real samples: it enters the criterion C(G), never G's gradient
    parameters      symbols besides D that the expressions may contain (they need numbers before training)

    Raises `UndefinedName` for any other symbol or an unknown function, `ObjectiveError` for what is not an expression
    in D.
    """

    name: str
    real: sp.Expr
    fake: sp.Expr
    generator: sp.Expr
    output: Output
    source: str
    generator_real: sp.Expr = sp.S.Zero
    parameters: tuple[sp.Symbol, ...] = ()

    def __post_init__(self) -> None:
        if self.output not in DOMAIN:
            raise ObjectiveError(f"{self.name}: output is {self.output!r}; give 'probability' or 'score'.")
        for role in ("real", "fake", "generator", "generator_real"):
            expression = getattr(self, role)
            if not isinstance(expression, (sp.Expr, int, float)) or isinstance(expression, bool):
                raise ObjectiveError(
                    f"{self.name}: {role} = {expression!r} is no sympy expression; write it with ganlab.objectives.D."
                )
            expression = sp.sympify(expression)
            if expression.has(sp.I, sp.oo, -sp.oo, sp.zoo, sp.nan):
                raise ObjectiveError(f"{self.name}: {role} = {expression} is not finite and real; check the formula.")
            unknown = sorted(map(str, expression.free_symbols - {D, *self.parameters}))
            unknown += sorted(str(f.func) for f in expression.atoms(AppliedUndef))
            if unknown:
                raise UndefinedName(
                    f"{self.name}: {role} = {expression} uses {', '.join(unknown)}; use only ganlab.objectives.D,"
                    " elementary functions, and symbols listed in parameters."
                )
            if role != "generator_real" and D not in expression.free_symbols:
                raise ObjectiveError(
                    f"{self.name}: {role} = {expression} does not depend on D; write it as a function of D."
                )
            object.__setattr__(self, role, expression)

    @property
    def value_integrand(self) -> sp.Expr:
        """V's integrand at one point, which D maximises: −(p_d·real + p_g·fake)."""
        return sp.expand(-(p_d * self.real + p_g * self.fake))

    @property
    def optimal_discriminator(self) -> Optimum:
        """The D that maximises the value integrand, as a function of p_d and p_g (2014 paper, Proposition 1).

        Raises `Unbounded` when D's loss has no lower bound, `NoOptimum` when there is not exactly one maximum.
        """
        return _optimal_discriminator(self)

    @property
    def criterion(self) -> sp.Expr:
        """The integrand of C(G), what G pays when D is at its best (2014 paper, eq. 4; LSGAN paper, eq. 6)."""
        return self._at_optimum(p_d * self.generator_real + p_g * self.generator)

    @property
    def frozen_gradient(self) -> sp.Expr:
        """What one training step of G descends when D is optimal and then held fixed.

        With φ this expression, the step follows ∇_θ ∫ φ(x) p_g(x; θ) dx, where φ = generator(D*) is not
        differentiated (Arjovsky & Bottou 2017, theorem 2.5, for the non-saturating loss).
        """
        return self._at_optimum(self.generator)

    @cached_property
    def followed(self) -> Followed:
        """The functional ∫ p_d φ(p_g/p_d) that this step follows, with the verdict whether it is an f-divergence."""
        return Followed(sp.simplify(self.frozen_gradient.subs(p_g, r * p_d)))

    def _at_optimum(self, expression: sp.Expr) -> sp.Expr:
        """The expression with D* for D, fractions joined, logarithms left apart."""
        at_optimum = expression.subs(D, self.optimal_discriminator.D)
        at_optimum = at_optimum.replace(sp.log, lambda argument: sp.log(sp.factor(argument), evaluate=False))
        return at_optimum if at_optimum.has(sp.log) else sp.factor(at_optimum)

    @property
    def logit_gradients(self) -> dict[str, LogitGradient]:
        """d/dt of real, fake and generator, with the limits at t → ±∞."""
        D_of_t = 1 / (1 + sp.exp(-t)) if self.output == "probability" else t
        gradients = {}
        for role in ("real", "fake", "generator"):
            slope = sp.simplify(sp.diff(getattr(self, role).subs(D, D_of_t), t))
            gradients[role] = LogitGradient(slope, sp.limit(slope, t, -sp.oo), sp.limit(slope, t, sp.oo))
        return gradients

    @property
    def latex(self) -> str:
        """The two players' problems as one LaTeX `aligned` environment."""
        at_data, at_fake = sp.Symbol("D(x)"), sp.Symbol("D(G(z))")

        def expectation(law: str, loss: sp.Expr, value: sp.Symbol) -> str:
            return rf"\mathbb{{E}}_{{{law}}}\left[{sp.latex(loss.subs(D, value))}\right]"

        on_data = expectation(r"x \sim p_\mathrm{data}", self.real, at_data)
        on_fake = expectation("z \\sim p_z", self.fake, at_fake)
        of_G = expectation("z \\sim p_z", self.generator, at_fake)
        return rf"\begin{{aligned}}&\min_D\; {on_data} + {on_fake}\\&\min_G\; {of_G}\end{{aligned}}"

    def smoothed(self, label_smoothing: float) -> "Objective":
        """This objective with one-sided label smoothing: real samples count as generated with this probability
        (Salimans et al. 2016, sec. 3.4; their target 0.9 is 0.1 here). Range [0, ½)."""
        if not 0 <= label_smoothing < 0.5:
            raise ObjectiveError(f"label_smoothing is {label_smoothing}; give a number in [0, 0.5).")
        share = sp.Rational(str(label_smoothing))
        return replace(self, real=(1 - share) * self.real + share * self.fake)

    def losses(self) -> Losses:
        """The PyTorch losses, in a form that stays finite with right gradients for |t| ≤ 10⁴.

        Raises `NotStabilisable` where there is none, `ObjectiveError` while a parameter has no number.
        """
        if self.parameters:
            names = ", ".join(map(str, self.parameters))
            raise ObjectiveError(f"{self.name}: {names} have no numbers; give them numbers before training.")
        return _losses(self)


@lru_cache
def _losses(objective: Objective) -> Losses:
    roles = (objective.real, objective.fake, objective.generator)
    return Losses(*(compile_loss(expression, D, objective.output) for expression in roles))


@lru_cache
def _optimal_discriminator(objective: Objective) -> Optimum:
    V, domain = objective.value_integrand, DOMAIN[objective.output]
    _refuse_unbounded(objective, domain)
    # Square roots of the densities as unknowns: sympy then decides signs that it cannot decide otherwise.
    u, v = sp.symbols("u v", positive=True)
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
        raise NoOptimum(
            f"{objective.name}: V(D) = {V} has V″ = {optimum.curvature} at D = {optimum.D}, which is not negative for"
            " all densities; check the signs of the two losses of D, which D minimises."
        )
    return optimum


def _lies_inside(root: sp.Expr, domain: sp.Interval) -> bool:
    """Whether lower < root < upper for all positive densities, as far as sympy can tell."""
    above = domain.start is -sp.oo or sp.factor(root - domain.start).is_positive
    below = domain.end is sp.oo or sp.factor(domain.end - root).is_positive
    return bool(above and below)


def _refuse_unbounded(objective: Objective, domain: sp.Interval) -> None:
    """Each of D's two losses needs a lower bound: where one density is 0, D sees the other loss alone."""
    for role in ("real", "fake"):
        loss = getattr(objective, role)
        for end, side in ((domain.start, "+"), (domain.end, "-")):
            if sp.limit(loss.rewrite(sp.Abs), D, end, side) == -sp.oo:
                raise Unbounded(
                    f"{objective.name}: {role} = {loss} tends to −∞ as D → {end}, so D wins without bound; D minimises"
                    " it, so give it a lower bound (or turn its sign)."
                )


MINIMAX = Objective(
    name="GAN (minimax)",
    real=-sp.log(D),
    fake=-sp.log(1 - D),
    generator=sp.log(1 - D),
    generator_real=sp.log(D),
    output="probability",
    source="Goodfellow et al. 2014, eq. (1)",
)
"""The two-player game itself: G minimises what D maximises. Its generator loss saturates where D rejects."""

NON_SATURATING = Objective(
    name="NS-GAN",
    real=-sp.log(D),
    fake=-sp.log(1 - D),
    generator=-sp.log(D),
    output="probability",
    source="Goodfellow et al. 2014, sec. 3",
)
"""What the 2014 paper trains: D as in the game, G maximises log D(G(z))."""

GAN_2014 = replace(
    NON_SATURATING,
    name="GAN (2014 code)",
    real=NON_SATURATING.real / 2,
    fake=NON_SATURATING.fake / 2,
    source="Goodfellow et al. 2014, released code (D's cost is the mean of both cross-entropies)",
)
"""NS-GAN with D's loss halved, as the 2014 paper's released code has it: with plain gradient steps the ½ counts."""

Number = int | float | sp.Expr


def least_squares(a: Number = -1, b: Number = 1, c: Number = 0) -> Objective:
    """LSGAN's objective: D is drawn to a on generated and to b on real samples, G draws D to c on its own.

    The default (−1, 1, 0) is the paper's χ² coding; (0, 1, 1) its 0–1 coding. a, b, c may be sympy symbols.
    Source: Mao et al. 2017, eq. (2); with the term ½E[(D(x) − c)²] of eq. (5) as `generator_real`.
    """
    coding = [sp.sympify(number) for number in (a, b, c)]
    a_, b_, c_ = coding
    return Objective(
        name=f"LSGAN ({a_}, {b_}, {c_})",
        real=(D - b_) ** 2 / 2,
        fake=(D - a_) ** 2 / 2,
        generator=(D - c_) ** 2 / 2,
        generator_real=(D - c_) ** 2 / 2,
        output="score",
        source="Mao et al. 2017, eq. (2)",
        parameters=tuple(sorted(set().union(*(number.free_symbols for number in coding)), key=str)),
    )
