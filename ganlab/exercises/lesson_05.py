"""Exercises of lesson 05: a step of the Dirac-GAN in two ways, a faster D, Algorithm 1 without its detach."""

from collections.abc import Callable
from typing import Any

import numpy as np
import sympy as sp

from ganlab.exercises import Exercise, broken

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

WITHOUT = {
    "a": "",
    "b": "G moves: its own turn is as it was. Compare its weights with those of the plain loop.",
    "c": "The slope does run on into G, but adam_D moves D's weights alone, and adam_G.zero_grad() clears the rest.",
    "d": "It runs: a slope that goes farther than needed is no error.",
}
WITH = {
    "a": "Compare G's weights with its first ones: networks()[0].",
    "b": "",
    "c": "Nothing tells G anything now. Compare its weights with its first ones: networks()[0].",
    "d": "It runs, which is the danger: the loss still has a slope, in D's weights. But adam_G moves G's alone.",
}


def _judge_detached(answer: Any) -> str:
    """Whether two letters say what becomes of G without `detach()` in D's turn, and with one in its own."""
    if not isinstance(answer, str) or len(answer) != 2:
        return "Return two letters, such as 'cd': what the first change does, and what the second."
    if answer == "ba":
        return "The other way round: first D's turn, then G's."
    first, second = (broken.reason(letter, hints) for letter, hints in zip(answer, (WITHOUT, WITH), strict=True))
    return f"Without detach() in D's turn: {first}" if first else second and f"With detach() in G's turn: {second}"


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
    Exercise("05.3", answer=lambda: "ab", judge=_judge_detached),
)
