"""A GAN objective, written once in sympy; everything else is derived from it.

An `Objective` says what the two players minimise as functions of D, the discriminator's output at one point:

    real       what D pays on x ~ p_data
    fake       what D pays on x = G(z)
    generator  what G pays on x = G(z)

From these expressions follow the value integrand, the best discriminator, the criterion C(G), the gradient that
training follows, the gradients in the logit with their limits, the LaTeX, and the PyTorch losses.

Discriminators return their raw output t (the logit). For objectives on probabilities D = σ(t) = 1/(1 + e^(−t));
for objectives on scores, such as least squares, D = t. For objectives on pairs D = σ(T) with T = t_real − t_fake: each
real sample is compared with one generated sample, and both players pay for the pair.
"""

from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from numbers import Real

import sympy as sp
from sympy.core.function import AppliedUndef

from ganlab.errors import NotPointwise, ObjectiveError, UndefinedName
from ganlab.losses import Losses, PairLosses, compile_loss, compile_pair_loss
from ganlab.objectives.optimum import Optimum, optimal_discriminator
from ganlab.objectives.symbols import DOMAIN, D, Output, p_d, p_g, t
from ganlab.theory.followed import Followed, r


@dataclass(frozen=True)
class LogitGradient:
    """The derivative of one loss term in the logit of its sample, with its limits at t → −∞ (D is sure that the sample
    is generated) and t → +∞ (D is sure that it is real). For pairs t is T: at −∞ D takes each sample for the other."""

    expression: sp.Expr
    at_minus_infinity: sp.Expr
    at_plus_infinity: sp.Expr


@dataclass(frozen=True)
class Objective:
    """The two players' losses as expressions in D. See the module's text for what is derived from them.

    name            how the field calls it
    real, fake      D's losses per sample, minimised by D; for pairs `real` is its loss per pair, and `fake` is 0
    generator       G's loss per generated sample (per pair), minimised by G
    output          "probability": D = σ(t); "score": D = t; "pair": D = σ(t_real − t_fake), the i-th real sample
                    against the i-th generated one
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
            raise ObjectiveError(f"{self.name}: output is {self.output!r}; give 'probability', 'score' or 'pair'.")
        if taken := sorted(map(str, {D, p_d, p_g, r, t} & set(self.parameters))):
            raise ObjectiveError(
                f"{self.name}: parameters are {self.parameters}, but {', '.join(taken)} has a meaning of its own in"
                " what is derived; give another symbol."
            )
        for role in ("real", "fake", "generator", "generator_real"):
            object.__setattr__(self, role, self._checked(role))
        if self.output == "pair" and (self.fake, self.generator_real) != (0, 0):
            raise ObjectiveError(
                f"{self.name}: fake = {self.fake} and generator_real = {self.generator_real}, but on pairs each player"
                " has one loss; put D's into real and G's into generator, and give fake=0."
            )

    def _checked(self, role: str) -> sp.Expr:
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
        may_lack_D = role == "generator_real" or (role == "fake" and self.output == "pair")
        if not may_lack_D and D not in expression.free_symbols:
            raise ObjectiveError(
                f"{self.name}: {role} = {expression} does not depend on D; write it as a function of D."
            )
        return expression

    @property
    def value_integrand(self) -> sp.Expr:
        """V's integrand at one point, which D maximises: −(p_d·real + p_g·fake).

        This and what follows from it (`optimal_discriminator`, `criterion`, `frozen_gradient`, `followed`) holds point
        by point; on pairs each raises `NotPointwise`.
        """
        self._refuse_pairs("the value integrand")
        return sp.expand(-(p_d * self.real + p_g * self.fake))

    @property
    def optimal_discriminator(self) -> Optimum:
        """The D that maximises the value integrand, as a function of p_d and p_g (2014 paper, Proposition 1).

        Raises `Unbounded` when D's loss has no lower bound, `NoOptimum` when there is not exactly one maximum.
        """
        self._refuse_pairs("the optimal discriminator")
        return optimal_discriminator(self)

    @property
    def criterion(self) -> sp.Expr:
        """The integrand of C(G), what G pays when D is at its best (2014 paper, eq. 4; LSGAN paper, eq. 6)."""
        self._refuse_pairs("the criterion")
        return self._at_optimum(p_d * self.generator_real + p_g * self.generator)

    @property
    def frozen_gradient(self) -> sp.Expr:
        """What one training step of G descends when D is optimal and then held fixed.

        With φ this expression, the step follows ∇_θ ∫ φ(x) p_g(x; θ) dx, where φ = generator(D*) is not
        differentiated (Arjovsky & Bottou 2017, theorem 2.5, for the non-saturating loss).
        """
        self._refuse_pairs("the frozen gradient")
        return self._at_optimum(self.generator)

    @cached_property
    def followed(self) -> Followed:
        """The functional ∫ p_d φ(p_g/p_d) that this step follows, with the verdict whether it is an f-divergence."""
        self._refuse_pairs("what training follows")
        return Followed(sp.simplify(self.frozen_gradient.subs(p_g, r * p_d)))

    def _refuse_pairs(self, what: str) -> None:
        if self.output == "pair":
            raise NotPointwise(
                f"{self.name}: {what} is derived at one point, but D = σ(t_real − t_fake) compares two, and what D pays"
                " at one depends on its output at the other; see ganlab/theory/pairs.py for what holds instead."
            )

    def _at_optimum(self, expression: sp.Expr) -> sp.Expr:
        """The expression with D* for D, fractions joined, logarithms left apart."""
        at_optimum = expression.subs(D, self.optimal_discriminator.D)
        at_optimum = at_optimum.replace(sp.log, lambda argument: sp.log(sp.factor(argument), evaluate=False))
        return at_optimum if at_optimum.has(sp.log) else sp.factor(at_optimum)

    @property
    def logit_gradients(self) -> dict[str, LogitGradient]:
        """d/dt of real, fake and generator, with the limits at t → ±∞.

        On pairs, in T = t_real − t_fake: how what D pays changes with t_real ("real") and with t_fake ("fake"), and
        what G pays with t_fake ("generator").
        """
        D_of_t = t if self.output == "score" else 1 / (1 + sp.exp(-t))
        paid = {role: getattr(self, role) for role in ("real", "fake", "generator")}
        if self.output == "pair":  # T falls as t_fake grows
            paid = {"real": self.real, "fake": -self.real, "generator": -self.generator}
        gradients = {}
        for role, loss in paid.items():
            slope = sp.simplify(sp.diff(loss.subs(D, D_of_t), t))
            gradients[role] = LogitGradient(slope, sp.limit(slope, t, -sp.oo), sp.limit(slope, t, sp.oo))
        return gradients

    @property
    def latex(self) -> str:
        """The two players' problems as one LaTeX `aligned` environment."""
        at_data, at_fake, at_pair = map(sp.Symbol, ("D(x)", "D(G(z))", r"\sigma(t(x) - t(G(z)))"))

        def expectation(law: str, loss: sp.Expr, value: sp.Symbol) -> str:
            return rf"\mathbb{{E}}_{{{law}}}\left[{sp.latex(loss.subs(D, value))}\right]"

        if self.output == "pair":
            both = r"x \sim p_\mathrm{data},\, z \sim p_z"
            of_D, of_G = (expectation(both, loss, at_pair) for loss in (self.real, self.generator))
        else:
            on_data = expectation(r"x \sim p_\mathrm{data}", self.real, at_data)
            on_fake = expectation(r"z \sim p_z", self.fake, at_fake)
            of_D = f"{on_data} + {on_fake}"
            of_G = expectation(r"z \sim p_z", self.generator, at_fake)
        return rf"\begin{{aligned}}&\min_D\; {of_D}\\&\min_G\; {of_G}\end{{aligned}}"

    def smoothed(self, label_smoothing: float) -> "Objective":
        """This objective with one-sided label smoothing: real samples count as generated with this probability
        (Salimans et al. 2016, sec. 3.4; their target 0.9 is 0.1 here). Range [0, ½).

        Raises `ObjectiveError` outside it, `NotPointwise` for pairs: there no real sample is judged alone, so that to
        smooth one side is to smooth both.
        """
        if not isinstance(label_smoothing, Real) or not 0 <= label_smoothing < 0.5:
            raise ObjectiveError(f"label_smoothing is {label_smoothing!r}; give a number in [0, 0.5).")
        if label_smoothing == 0:
            return self
        if self.output == "pair":
            raise NotPointwise(
                f"{self.name}: label_smoothing is {label_smoothing}, but on pairs no real sample is judged alone, so"
                " its label cannot be smoothed without the other's; give 0."
            )
        share = sp.Rational(str(label_smoothing))
        return replace(self, real=(1 - share) * self.real + share * self.fake)

    def losses(self) -> Losses | PairLosses:
        """The PyTorch losses, in a form that stays finite with right gradients for |t| ≤ 10⁴.

        Raises `NotStabilisable` where there is none, `ObjectiveError` while a parameter has no number.
        """
        if self.parameters:
            names = ", ".join(map(str, self.parameters))
            raise ObjectiveError(f"{self.name}: {names} have no numbers; give them numbers before training.")
        return _losses(self)


@lru_cache
def _losses(objective: Objective) -> Losses | PairLosses:
    if objective.output == "pair":
        return PairLosses(*(compile_pair_loss(expression, D) for expression in (objective.real, objective.generator)))
    roles = (objective.real, objective.fake, objective.generator)
    return Losses(*(compile_loss(expression, D, objective.output) for expression in roles))
