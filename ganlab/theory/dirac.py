"""The Dirac-GAN (Mescheder, Geiger, Nowozin 2018): the smallest GAN there is, whose training can be solved.

The data are one point at 0. The generator is one point at θ. The discriminator is a line, t(x) = ψx: its logit, which
is large for "real". (The paper lets large mean "generated": its ψ is −ψ here.) Each update follows the vector field of
(θ, ψ); everything about it is derived here from the players' losses.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import sympy as sp

from ganlab.errors import ConfigError

theta, psi = sp.symbols("theta psi", real=True)
"""The generator's point and the discriminator's slope."""
h = sp.Symbol("h", positive=True)
"""The step size."""
gamma = sp.Symbol("gamma", positive=True)
"""The weight of the gradient penalty."""
s = sp.Symbol("s", real=True)
"""The argument of f, a logit."""
slope = sp.Symbol("f'(0)", real=True, nonzero=True)
"""f′(0) of any f; ½ for the GAN's."""
sigma = sp.Symbol("sigma", positive=True)
"""The standard deviation of instance noise."""

f = -sp.log(1 + sp.exp(-s))
"""The GAN's f(s) = log σ(s) (Mescheder et al. 2018, sec. 2)."""


@dataclass(frozen=True)
class Field:
    """How both players move: (θ, ψ) changes at the rate (`of_theta`, `of_psi`)."""

    name: str
    of_theta: sp.Expr
    of_psi: sp.Expr

    @property
    def jacobian(self) -> sp.Matrix:
        """The derivative of the field at the equilibrium θ = ψ = 0."""
        both = sp.Matrix([self.of_theta, self.of_psi])
        return both.jacobian([theta, psi]).subs({theta: 0, psi: 0}).applyfunc(sp.simplify)

    @property
    def eigenvalues(self) -> tuple[sp.Expr, ...]:
        """Of the Jacobian, with multiplicity. The equilibrium attracts in continuous time if all real parts are < 0."""
        values = self.jacobian.eigenvals()
        return tuple(value for value, count in values.items() for _ in range(count))

    @property
    def radius_rate(self) -> sp.Expr:
        """d(θ² + ψ²)/dt along the field; 0 where the circle is kept."""
        return sp.simplify(2 * theta * self.of_theta + 2 * psi * self.of_psi)

    def compiled(self) -> Callable[[Any, Any], tuple[Any, Any]]:
        """The field as a function of (θ, ψ), numbers or arrays of them."""
        return sp.lambdify((theta, psi), (self.of_theta, self.of_psi), modules="numpy")


def field(name: str, *, of_D: sp.Expr, of_G: sp.Expr, penalty: sp.Expr = sp.S.Zero) -> Field:
    """The field of two players who each follow the gradient of what they want.

    of_D     what D wants to be large, in θ and ψ
    of_G     what G wants to be large
    penalty  what D pays besides
    """
    return Field(name, sp.simplify(sp.diff(of_G, theta)), sp.simplify(sp.diff(of_D - penalty, psi)))


_value = f.subs(s, -psi * theta) + f.subs(s, 0)
"""V(D, G) = log σ(0) + log(1 − σ(ψθ)), since the datum lies at 0 and 1 − σ(x) = σ(−x)."""

GAN = field("GAN (minimax)", of_D=_value, of_G=-_value)
NON_SATURATING = field("NS-GAN", of_D=_value, of_G=f.subs(s, psi * theta))
WASSERSTEIN = field("WGAN", of_D=-psi * theta, of_G=psi * theta)

_second_order = slope * s + sp.Symbol("f''(0)", real=True) * s**2 / 2
ANY_F = field("any f (minimax)", of_D=_second_order.subs(s, -psi * theta), of_G=-_second_order.subs(s, -psi * theta))
"""The zero-sum game for any f, to second order in its argument. Of f, only f′(0) enters the Jacobian."""

_T = psi * 0 - psi * theta
"""The logit of the datum minus that of G's point, what a game on pairs looks at (Jolicoeur-Martineau 2019)."""
RELATIVISTIC = field("RpGAN", of_D=f.subs(s, _T), of_G=f.subs(s, -_T))
RELATIVISTIC_MINIMAX = field("RpGAN (minimax)", of_D=f.subs(s, _T), of_G=-f.subs(s, _T))
"""Where D is a line, t(0) = 0 whatever ψ is: pairs move exactly as the GAN does without them."""


def least_squares(a: sp.Expr, c: sp.Expr) -> Field:
    """LSGAN's field. There is no b: t(0) = 0 whatever ψ is, so the real datum teaches this D nothing."""
    answer = psi * theta
    return field(f"LSGAN (a = {a}, c = {c})", of_D=-((answer - a) ** 2) / 2, of_G=-((answer - c) ** 2) / 2)


def with_gradient_penalty(base: Field, weight: sp.Expr = gamma) -> Field:
    """The field with a zero-centred gradient penalty of this weight, R1 or R2, which are one here (their sec. 4.1)."""
    return Field(f"{base.name} + penalty", base.of_theta, base.of_psi - sp.diff(R1(weight), psi))


def R1(weight: sp.Expr = gamma) -> sp.Expr:
    """γ/2 · (∂t/∂x)² at the datum x = 0: what D pays for its slope there, γ/2 · ψ²."""
    return _squared_slope(weight, sp.S.Zero)


def R2(weight: sp.Expr = gamma) -> sp.Expr:
    """γ/2 · (∂t/∂x)² at G's point x = θ: γ/2 · ψ² again, since a line is as steep there. Both together double γ."""
    return _squared_slope(weight, theta)


def _squared_slope(weight: sp.Expr, at: sp.Expr) -> sp.Expr:
    x = sp.Dummy("x", real=True)
    return weight / 2 * sp.diff(psi * x, x).subs(x, at) ** 2


PENALISED = with_gradient_penalty(ANY_F)
"""Any f with R1 or R2: the eigenvalues are −γ/2 ± √(γ²/4 − f′(0)²)."""
CRITICAL_WEIGHT = 2 * sp.Abs(slope)
"""The γ with which `PENALISED` comes in fastest: below it the walk spirals in at the rate γ/2, above it the slower of
two real eigenvalues moves back towards 0."""
PRINTED_EIGENVALUES = tuple(-gamma / 2 + sign * sp.sqrt(gamma**2 / 4 - slope) for sign in (1, -1))
"""The same as printed in Huang et al. 2024, eq. (12), where the square of f′(0) is missing: their product is f′(0), but
the determinant of the Jacobian is f′(0)²."""


def with_instance_noise(width: float, points: int = 20) -> Field:
    """The GAN's field when data and samples carry normal noise of standard deviation `width`, for simulations.

    The mean over the noise is a Gauss–Hermite sum of `points` terms; `jacobian_with_instance_noise` is exact.
    """
    nodes, weights = np.polynomial.hermite_e.hermegauss(points)
    weights = weights / weights.sum()
    noisy = [f.subs(s, -psi * (theta + width * e)) + f.subs(s, psi * width * e) for e in nodes]
    value = sp.Add(*(weight * term for weight, term in zip(weights, noisy, strict=True)))
    return Field(f"GAN, instance noise {width:g}", -sp.diff(value, theta), sp.diff(value, psi))


def jacobian_with_instance_noise() -> sp.Matrix:
    """The Jacobian at 0 when data and samples carry normal noise of σ (their lemma 3.3, derived).

    V becomes E f(−ψ(θ + σε)) + E f(ψσε). Derivatives under the expectation, at θ = ψ = 0, need only E ε = 0, E ε² = 1.
    """
    epsilon = sp.Symbol("epsilon", real=True)
    inside = f.subs(s, -psi * (theta + sigma * epsilon)) + f.subs(s, psi * sigma * epsilon)
    field_inside = sp.Matrix([-sp.diff(inside, theta), sp.diff(inside, psi)])
    jacobian = field_inside.jacobian([theta, psi]).subs({theta: 0, psi: 0}).applyfunc(sp.expand)
    return jacobian.applyfunc(lambda entry: entry.subs(epsilon**2, 1).subs(epsilon, 0))


def simultaneous_matrix(jacobian: sp.Matrix) -> sp.Matrix:
    """What one simultaneous step of size h does to a small (θ, ψ): I + hJ."""
    return sp.eye(2) + h * jacobian


def alternating_matrix(jacobian: sp.Matrix, n_d: int = 1) -> sp.Matrix:
    """What one round does to a small (θ, ψ): θ moves once, then ψ `n_d` times."""
    move_theta = sp.Matrix([[1 + h * jacobian[0, 0], h * jacobian[0, 1]], [0, 1]])
    move_psi = sp.Matrix([[1, 0], [h * jacobian[1, 0], 1 + h * jacobian[1, 1]]])
    return sp.simplify(move_psi**n_d * move_theta)


def simulate(
    of: Field,
    *,
    step: float = 0.2,
    steps: int = 500,
    start: tuple[float, float] = (1.0, -1.0),
    alternating: bool = False,
    n_d: int = 1,
    first: Literal["G", "D"] = "G",
) -> np.ndarray:
    """The path of (θ, ψ), [steps + 1, 2] in float64, from `start`, where D rejects G's point a little.

    Simultaneous: both move by the field at the same point. Alternating: θ moves first, then ψ `n_d` times, each by the
    field at the newest point; with `first="D"`, as in Algorithm 1, ψ moves `n_d` times and then θ. Raises `ConfigError`
    for a symbol without number, and for n_d or `first` without alternation.
    """
    free = (of.of_theta.free_symbols | of.of_psi.free_symbols) - {theta, psi}
    if free:
        raise ConfigError(f"{of.name} contains {', '.join(map(str, free))}; give numbers before simulating.")
    if n_d < 1 or (n_d > 1 and not alternating):
        raise ConfigError(f"n_d is {n_d}; give 1, or more with alternating=True.")
    if first not in ("G", "D") or (first == "D" and not alternating):
        raise ConfigError(f"first is {first!r}; give 'G', or 'D' with alternating=True.")
    turns = "G" + n_d * "D" if first == "G" else n_d * "D" + "G"
    rate = of.compiled()
    path = np.empty((steps + 1, 2))
    path[0] = x, y = start
    for i in range(steps):
        if not alternating:
            of_x, of_y = rate(x, y)
            x, y = x + step * of_x, y + step * of_y
        else:
            for player in turns:
                if player == "G":
                    x = x + step * rate(x, y)[0]
                else:
                    y = y + step * rate(x, y)[1]
        path[i + 1] = x, y
    return path


def radius(path: np.ndarray) -> np.ndarray:
    """√(θ² + ψ²) along a path [n, 2]."""
    return np.hypot(*path.T)
