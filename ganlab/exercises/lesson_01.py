"""Exercises of lesson 01: a step of both players, a D that stops, a change of variables, an order of moves."""

from typing import Any

import numpy as np
import sympy as sp

from ganlab.exercises import Exercise
from ganlab.exercises.broken import Broken
from ganlab.exercises.given import finite

x = sp.symbols("x", real=True)


def _sigmoid(t: Any) -> Any:
    return 1 / (1 + np.exp(-t))


def _step(
    theta_d: float,
    theta_g: float,
    x: np.ndarray,
    z_D: np.ndarray,
    z_G: np.ndarray,
    rate: float,
    *,
    D_goes: float = 1,
    G_goes: float = 1,
    fakes: float = 1,
    inner: bool = True,
    saturating: bool = False,
    mean: Any = np.mean,
    answers: str = "new",
) -> tuple[float, float]:
    """Both weights after D's move and then G's, D(x) = σ(θ_d x) and G(z) = θ_g z; or with one of the usual mistakes."""
    made = theta_g * z_D
    up = mean((1 - _sigmoid(theta_d * x)) * (x if inner else 1))
    down = mean(_sigmoid(theta_d * made) * (made if inner else 1))
    moved = theta_d + D_goes * rate * (up - fakes * down)
    judge = moved if answers == "new" else theta_d
    D_made = _sigmoid(judge * theta_g * z_G)
    pull = mean((D_made if saturating else 1 - D_made) * judge * z_G)
    return moved, theta_g + G_goes * rate * pull


def _G_first(theta_d: float, theta_g: float, x: np.ndarray, z_D: np.ndarray, z_G: np.ndarray, rate: float) -> Any:
    _, moved = _step(theta_d, theta_g, x, z_D, z_G, rate, answers="old")
    return _step(theta_d, moved, x, z_D, z_G, rate)[0], moved


def _fault_of_game(came: Any) -> str:
    """Whether G, whose D stopped, ends away from the data (8 ± ½) and D takes its samples for real."""
    numbers = finite(came)
    if numbers is None or len(numbers) != 2:
        return "What came of it is `came`: the mean of G's samples, and D's mean answer to them."
    mean, answer = numbers
    if answer > 0.9 and abs(mean - 8) > 1:
        return ""
    if abs(mean - 8) <= 1:
        return "Nothing broke yet: G came to the data. Let D move in the first 400 steps alone."
    if answer < 0.1:
        return "D still tells G's samples from data. Leave G's move as it is: D's is to stop after 400 steps."
    return "D has not learnt enough to guide G. Let it move in the first 400 steps, and then no more."


def _normal(z: sp.Expr) -> sp.Expr:
    return sp.exp(-(z**2) / 2) / sp.sqrt(2 * sp.pi)


_BATCHES = (
    (0.5, 1.0, np.array([3.0, 2.0, 4.0]), np.array([0.5, -1.0, 1.5]), np.array([-0.5, 2.0, 1.0]), 0.1),
    (-0.2, 2.0, np.array([1.0, -0.5]), np.array([1.0, 0.3]), np.array([0.4, -1.2]), 0.5),
)
_TABLES = (([[0, 1], [1, 0]],), ([[3, 1], [2, 5]],), ([[1, 2], [4, -3]],), ([[1, 5, 2], [4, 3, 3]],))

EXERCISES = (
    Exercise(
        "01.1",
        answer=_step,
        inputs=_BATCHES,
        mistakes=(
            (lambda *given: _step(*given, D_goes=-1), "Here D goes down V: it makes its own loss larger. D ascends V."),
            (lambda *given: _step(*given, G_goes=-1), "G runs away: it is to make −log D(G(z)) smaller."),
            (lambda *given: _step(*given, answers="old"), "D has moved by then: G asks the new θ_d, not the old one."),
            (lambda *given: _step(*given, saturating=True), "That is G's step with log(1 − D). Asked is −log D."),
            (
                lambda d, g, real, z_D, _z_G, rate: _step(d, g, real, z_D, z_D, rate),
                "G's move has samples of its own, made of z_G.",
            ),
            (lambda *given: _step(*given, mean=np.sum), "That adds up over the minibatch. A loss is a mean over it."),
            (lambda *given: _step(*given, fakes=0), "D's move is the half of it: V has a second term, on G(z_D)."),
            (
                lambda *given: _step(*given, inner=False),
                "That is D's slope in the logit. In θ_d the chain rule brings a factor: x, and G(z).",
            ),
            (lambda *given: _step(*given)[::-1], "First θ_d, then θ_g: turn the answer round."),
            (_G_first, "Here G moves first. In `play` D does."),
        ),
    ),
    Exercise(
        "01.2",
        answer=lambda: ("b", [5.0, 0.99], "d"),
        judge=Broken(
            outcomes="abc",
            outcome="b",
            fault=_fault_of_game,
            reasons={
                "d": "",
                "e": "Look at the slope of −log D in t, −(1 − D): where D says *generated*, it is full.",
                "f": "Take another seed: G ends elsewhere, away from the data again. A D that moves on brings it in.",
            },
        ),
    ),
    Exercise(
        "01.3",
        answer=lambda: _normal((x - 1) / 3) / 3,
        mistakes=(
            (lambda: _normal((x - 1) / 3), "Integrate it: the mass is 3. The factor g′(x) is missing."),
            (lambda: 3 * _normal((x - 1) / 3), "The factor is the slope of the inverse of G, not of G."),
            (lambda: 3 * _normal(3 * x + 1), "Put the inverse of G into p_z: which z gives this x?"),
            (lambda: _normal(3 * x + 1), "Put the inverse of G into p_z: which z gives this x?"),
        ),
    ),
    Exercise(
        "01.4",
        answer=lambda table: min(max(row) for row in table),
        inputs=_TABLES,
        mistakes=(
            (
                lambda table: min(max(row[j] for row in table) for j in range(len(table[0]))),
                "Rows and columns are swapped: G picks a row.",
            ),
            (lambda table: max(min(row[j] for row in table) for j in range(len(table[0]))), "There D moves first."),
            (lambda table: min(min(row) for row in table), "D answers, and D takes the largest entry of the row."),
            (lambda table: max(max(row) for row in table), "G chooses the row, and G wants to pay little."),
        ),
    ),
)
