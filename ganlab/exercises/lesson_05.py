"""Exercises of lesson 05: a step of the Dirac-GAN in two ways, a faster D, a detach too many."""

from collections.abc import Callable

import numpy as np
import sympy as sp

from ganlab.exercises import Exercise
from ganlab.exercises.broken import Broken
from ganlab.exercises.outcomes import near

h = sp.Symbol("h", positive=True)
Rate = Callable[[float, float], float]
Point = tuple[float, float]


def _sigmoid(t: float) -> float:
    return float(1 / (1 + np.exp(-t)))


def _of_theta(theta: float, psi: float) -> float:
    return psi * _sigmoid(psi * theta)


def _of_psi(theta: float, psi: float) -> float:
    return -theta * _sigmoid(psi * theta)


def _two_ways(of_theta: Rate, of_psi: Rate) -> Callable[[float, float, float], tuple[Point, Point]]:
    """A step at once and one in turns, θ first, of players who move at these rates."""

    def step(theta: float, psi: float, h: float) -> tuple[Point, Point]:
        moved = theta + h * of_theta(theta, psi)
        return (moved, psi + h * of_psi(theta, psi)), (moved, psi + h * of_psi(moved, psi))

    return step


def _D_first(theta: float, psi: float, h: float) -> tuple[Point, Point]:
    answered = psi + h * _of_psi(theta, psi)
    return _RIGHT(theta, psi, h)[0], (theta + h * _of_theta(theta, answered), answered)


def _old_answer(theta: float, psi: float, h: float) -> tuple[Point, Point]:
    at_once, (moved, _) = _RIGHT(theta, psi, h)
    return at_once, (moved, psi - h * moved * _sigmoid(psi * theta))


_RIGHT = _two_ways(_of_theta, _of_psi)

EXERCISES = (
    Exercise(
        "05.1",
        answer=_RIGHT,
        inputs=((1.0, -1.0, 0.2), (0.5, 2.0, 1.0), (-1.5, -0.4, 0.7)),
        mistakes=(
            (
                _two_ways(_of_theta, lambda theta, psi: -_of_psi(theta, psi)),
                "D wants V large: ψ moves at the rate +∂V/∂ψ = −θ σ(ψθ).",
            ),
            (
                _two_ways(lambda theta, psi: -_of_theta(theta, psi), _of_psi),
                "G wants V small: θ moves at the rate −∂V/∂θ = +ψ σ(ψθ).",
            ),
            (
                _two_ways(lambda _, psi: psi, lambda theta, _: -theta),
                "V is no product: log(1 − σ(t)) has the slope −σ(t) in t, so each rate has a factor σ(ψθ).",
            ),
            (
                _two_ways(lambda _, psi: psi / 2, lambda theta, _: -theta / 2),
                "σ(ψθ) is ½ near the solution only. Asked is a step from anywhere.",
            ),
            (
                _two_ways(lambda theta, psi: psi * _sigmoid(-psi * theta), _of_psi),
                "There G pays −log σ, the non-saturating loss. Asked is the game's own.",
            ),
            (
                _two_ways(
                    lambda theta, psi: psi * _sigmoid(-psi * theta), lambda theta, psi: -theta * _sigmoid(-psi * theta)
                ),
                "σ(−ψθ) is 1 − D. log(1 − σ(t)) has the slope −σ(t).",
            ),
            (lambda theta, psi, h: _RIGHT(theta, psi, h)[::-1], "The other way round: at once, then in turns."),
            (
                lambda theta, psi, h: (_RIGHT(theta, psi, h)[0],) * 2,
                "That is at once, twice. In turns ψ moves when θ has moved: it answers the new θ.",
            ),
            (_D_first, "There ψ moves first. In turns θ is first here, and ψ answers."),
            (_old_answer, "The new θ belongs into σ(ψθ), too: D answers what it sees now."),
        ),
    ),
    Exercise(
        "05.2",
        answer=lambda: sp.sqrt(1 + 5 * h**2 / 4),
        mistakes=(
            (lambda: 1 + 5 * h**2 / 4, "That is |μ|², the determinant."),
            (lambda: sp.sqrt(1 + h**2 / 4), "That is with equal rates. ψ's row of the step matrix has 5h."),
            (lambda: sp.sqrt(1 + 25 * h**2 / 4), "Only one of the two rows has the factor 5: θ moves by h as before."),
            (lambda: sp.sqrt(1 + 9 * h**2 / 4), "The mean of both rates does not do. Write down the step matrix."),
            (lambda: sp.sqrt(1 + 5 * h**2), "The slopes at the solution are ½ and −½: that is J."),
            (lambda: 1 + sp.sqrt(5) * h / 2, "μ = 1 ± i√5 h/2 is complex. Its size is √(real² + imaginary²)."),
            (lambda: sp.sqrt(1 - 5 * h**2 / 4), "J has ½ above and −½ below: mind the sign of the product."),
        ),
    ),
    Exercise(
        "05.3",
        answer=lambda: ("b", 0.0, "d"),
        judge=Broken(
            outcomes="abc",
            outcome="b",
            fault=near(
                0,
                (),
                "moved",
                "Nothing broke yet: G's samples moved. Put .detach() behind G(z) in the line that descends.",
            ),
            reasons={
                "d": "",
                "e": "`detach` copies nothing: it gives the same numbers, without the way by which slopes go back.",
                "f": "Leave detach() out again: this D lets G move. How good it is has nothing to do with it.",
            },
        ),
    ),
)
