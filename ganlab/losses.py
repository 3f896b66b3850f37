"""From a sympy loss to a PyTorch loss: rewritten so that it is stable, compiled, and checked before it is used.

With D = σ(t), computing D first and log(1 − D) after loses every digit as soon as D rounds to 1. The rewriting

    log D        → log_sigmoid(t)         D      → exp(log_sigmoid(t))
    log (1 − D)  → −softplus(t)           1 − D  → exp(−softplus(t))

keeps the relative precision of the value and of the gradient for every t. Both are one function,
log_sigmoid(t) = −softplus(−t), and each is one kernel of torch. For pairs T = t_real − t_fake takes the place of t.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar, NoReturn

import mpmath
import sympy as sp
import torch
import torch.nn.functional as F
from torch import Tensor

from ganlab.errors import NotPointwise, NotStabilisable, ShapeError

t = sp.Symbol("t", real=True)
log_sigmoid = sp.Function("log_sigmoid", real=True)
softplus = sp.Function("softplus", real=True)
relu = sp.Function("relu", real=True)

TORCH: dict[str, Callable[..., Tensor]] = {
    # softplus(t; β) = log(1 + e^(βt))/β, so β = −1 gives log σ(t) without negating t. From 40 on it is linear in
    # float64 as well; torch's own threshold of 20 is right in float32 only.
    "log_sigmoid": lambda x: F.softplus(x, beta=-1, threshold=40),
    "softplus": lambda x: F.softplus(x, threshold=40),
    "relu": torch.relu,
    "exp": torch.exp,
    "log": torch.log,
    "sqrt": torch.sqrt,
    "tanh": torch.tanh,
    "Abs": torch.abs,
}
# Odd numbers on purpose: the kinks of piecewise losses, where no gradient is right, lie at round ones.
CHECKED_LOGITS = (0.013, 0.51, 1.07, 2.3, 5.1, 19.7, 41.3, 87.9, 103.7, 1003.0, 1e4)


class Loss:
    """The mean of one loss expression over a batch of logits.

    `expression` is the stable form in t that is computed.
    """

    def __init__(self, expression: sp.Expr) -> None:
        self.expression = expression
        factor, rest = expression.as_coeff_Mul()
        self._factor = float(factor)
        # log 2 or √2 become floats: torch's functions take tensors alone.
        rest = rest.replace(lambda e: e.is_number and (e.is_Function or e.is_Pow), lambda e: e.evalf(17))
        self._pointwise = sp.lambdify(t, rest, modules=[TORCH])

    def __call__(self, logits: Tensor) -> Tensor:
        """The mean loss, a scalar, of logits of any shape and floating dtype.

        float64 stays float64; everything else is computed in float32, half precision being raised to it first.
        """
        mean = self._pointwise(_raised(logits)).mean()
        if abs(self._factor) == 1:
            return mean if self._factor > 0 else -mean
        return self._factor * mean


def _raised(logits: Tensor) -> Tensor:
    """Logits in float32 at least."""
    return logits.float() if logits.dtype in (torch.bfloat16, torch.float16) else logits


class PairLoss:
    """The mean of one loss expression over pairs of logits, the i-th real one with the i-th generated one.

    `of_T` is the loss as a function of T = t_real − t_fake.
    """

    def __init__(self, of_T: Loss) -> None:
        self.of_T = of_T

    def __call__(self, t_real: Tensor, t_fake: Tensor) -> Tensor:
        """The mean loss, a scalar, of two tensors of one shape; T is taken in float32 at least.

        Raises `ShapeError` for two shapes: [n, 1] and [n] would give all n² pairs, another mean.
        """
        if t_real.shape != t_fake.shape:
            raise ShapeError(
                f"t_real is {list(t_real.shape)} and t_fake {list(t_fake.shape)}; pairs need one generated logit for"
                " each real one, so give both one shape."
            )
        return self.of_T(_raised(t_real) - _raised(t_fake))


@dataclass(frozen=True)
class Losses:
    """The compiled losses of both players. Logits t may have any shape; results are scalars in nats for
    cross-entropies, in squared score units for least squares."""

    real: Callable[[Tensor], Tensor]
    fake: Callable[[Tensor], Tensor]
    generator: Callable[..., Tensor]
    """Of t_fake alone."""

    generator_needs_real: ClassVar[bool] = False

    def discriminator(self, t_real: Tensor, t_fake: Tensor) -> Tensor:
        """What D minimises, from its logits on a real and on a generated batch."""
        return self.real(t_real) + self.fake(t_fake)


@dataclass(frozen=True)
class PairLosses:
    """The compiled losses of both players of a game on pairs, in nats; each is a function of (t_real, t_fake).

    `real` and `fake` raise `NotPointwise`: D pays for the pair.
    """

    discriminator: Callable[[Tensor, Tensor], Tensor]
    generator: Callable[..., Tensor]
    """Of (t_real, t_fake), as D's: G's step needs a real batch."""

    generator_needs_real: ClassVar[bool] = True

    @property
    def real(self) -> NoReturn:
        """On pairs there is none."""
        raise NotPointwise(
            "on pairs D has no loss of a real or a generated sample alone; call discriminator(t_real, t_fake)."
        )

    fake = real


@lru_cache
def compile_loss(expression: sp.Expr, D: sp.Symbol, output: str) -> Loss:
    """Compile a loss in D to one in the logit t, and check it against the exact formula for |t| ≤ 10⁴.

    expression: sympy, in D alone; output: "probability" (D = σ(t)) or "score" (D = t).
    Raises `NotStabilisable`, naming the expression and the logit, if no finite form with right gradients is found.
    """
    stable = _in_softplus(expression, D) if output == "probability" else expression.subs(D, t)
    stable = stable.replace(sp.Max, _max_as_relu)
    missing = sorted({f.func.__name__ for f in stable.atoms(sp.Function)} - TORCH.keys())
    if missing:
        raise NotStabilisable(
            f"{expression}: no PyTorch form of {', '.join(missing)}; write it with {', '.join(sorted(TORCH))}."
        )
    loss = Loss(stable)
    D_of_t = 1 / (1 + sp.exp(-t)) if output == "probability" else t
    _check_against_exact(loss, expression, expression.subs(D, D_of_t))
    return loss


def compile_pair_loss(expression: sp.Expr, D: sp.Symbol) -> PairLoss:
    """Compile a loss in D = σ(t_real − t_fake) to one in both logits, checked for |t_real − t_fake| ≤ 10⁴.

    Raises `NotStabilisable` as `compile_loss`.
    """
    return PairLoss(compile_loss(expression, D, "probability"))


def _in_softplus(expression: sp.Expr, D: sp.Symbol) -> sp.Expr:
    """The expression with D = σ(t), every log and every power of D and 1 − D written with softplus."""
    log_D, log_1_minus_D = log_sigmoid(t), -softplus(t)
    logs = {log: _log_in_softplus(log, D, log_D, log_1_minus_D) for log in expression.atoms(sp.log)}
    names = {log: sp.Dummy() for log in logs}
    without_logs = sp.factor(expression.xreplace(names))
    in_t = without_logs.subs(1 - D, sp.exp(log_1_minus_D)).subs(D - 1, -sp.exp(log_1_minus_D))
    in_t = in_t.subs(D, sp.exp(log_D))
    return in_t.xreplace({name: logs[log] for log, name in names.items()})


def _log_in_softplus(log: sp.Expr, D: sp.Symbol, log_D: sp.Expr, log_1_minus_D: sp.Expr) -> sp.Expr:
    """log of a product of powers of D, 1 − D and factors that are positive on [0, 1]."""
    total: sp.Expr = sp.Integer(0)
    sign = sp.Integer(1)
    for factor in sp.Mul.make_args(sp.factor(log.args[0])):
        base, exponent = factor.as_base_exp()
        if base == D:
            total += exponent * log_D
        elif sp.expand(base - (1 - D)) == 0:
            total += exponent * log_1_minus_D
        elif sp.expand(base + (1 - D)) == 0:
            total, sign = total + exponent * log_1_minus_D, sign * (-1) ** exponent
        elif base.is_number:
            total, sign = total + exponent * sp.log(abs(base)), sign * sp.sign(base) ** exponent
        else:
            # Factoring may give 2·(2 − D) as −2·(D − 2): each factor with the sign that makes it positive.
            side = -1 if base.subs(D, sp.Rational(1, 2)).is_negative else 1
            total += exponent * sp.log((side * base).subs(D, sp.exp(log_D)))
            sign *= side**exponent
    if sign != 1:
        raise NotStabilisable(f"{log} takes the logarithm of a negative number for D in (0, 1); check its sign.")
    return total


def _max_as_relu(*arguments: sp.Expr) -> sp.Expr:
    """Max(x, y, …) by relu, since torch has no Max of a tensor and a number: max(x, y) = y + relu(x − y)."""
    largest, *others = sorted(arguments, key=lambda argument: not argument.is_number)
    for other in others:
        largest = largest + relu(other - largest)
    return largest


def _check_against_exact(loss: Loss, given: sp.Expr, exact: sp.Expr) -> None:
    """Value and gradient in float32 against the formula as given, in as many digits as it takes."""
    modules = [{"Heaviside": lambda x, _at_0=0: mpmath.mpf(x > 0)}, "mpmath"]
    value_of = sp.lambdify(t, exact, modules=modules)
    slope_of = sp.lambdify(t, sp.diff(exact, t), modules=modules)
    for logit in (sign * size for size in CHECKED_LOGITS for sign in (-1, 1)):
        x = torch.tensor(logit, requires_grad=True)
        value = loss(x)
        (slope,) = torch.autograd.grad(value, x)
        with mpmath.workdps(int(50 + abs(logit))):
            at = mpmath.mpf(x.item())
            try:
                right = _close(value.item(), value_of(at), 1e-6) and _close(slope.item(), slope_of(at), 1e-35)
            except (ZeroDivisionError, ValueError):
                right = False
        if not right:
            raise NotStabilisable(
                f"{given}: at logit t = {logit:g} float32 gives {value.item():g} with gradient {slope.item():g}, which"
                " is not the formula's; give a loss that stays finite for |t| ≤ 10⁴."
            )


def _close(computed: float, exact: "mpmath.mpf", absolute: float) -> bool:
    return bool(mpmath.isfinite(computed) and abs(computed - exact) <= 1e-4 * abs(exact) + absolute)
