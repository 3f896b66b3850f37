"""Exercises of lesson 03: a round of Algorithm 1, the largest criterion, a D that is not renewed, a divergence."""

from typing import Any

import numpy as np
import sympy as sp

from ganlab.exercises import Exercise
from ganlab.exercises.broken import Broken
from ganlab.exercises.given import finite

w = sp.symbols("w", positive=True)
NEAR = 0.01
"""How far the probabilities that a reader gives may be from what they are held against: they may be rounded."""
TARGET, START = np.random.default_rng(1).dirichlet(np.ones(6), size=2)
"""The law of the data on six letters and the first p_g, as exercise 03.3 draws them."""


def _best_D(p_d: np.ndarray, p_g: np.ndarray) -> np.ndarray:
    return p_d / (p_d + p_g)


def _scaled(values: np.ndarray) -> np.ndarray:
    return values / values.sum()


def _factor(p_d: np.ndarray, p_g: np.ndarray, rate: float) -> np.ndarray:
    """exp(−rate · slope), with the slope log(1 − D*) of V in p_g."""
    return np.exp(-rate * np.log(1 - _best_D(p_d, p_g)))


def _fault_of_old_D(came: Any) -> str:
    """Whether p_g ends on one letter, as it does where D stays what it was."""
    p = finite(came)
    if p is None or len(p) != len(TARGET) or min(p) < 0 or abs(sum(p) - 1) > NEAR:
        return "What came of it is `p`: six probabilities, which add up to 1."
    if max(p) > 1 - NEAR:
        return ""
    if np.allclose(p, TARGET, atol=NEAR):
        return "Nothing broke yet: p_g reaches the data, as D is renewed each round. Find D before the loop, once."
    if np.allclose(p, START, atol=NEAR):
        return "p_g has not moved at all: leave its own two lines in the loop, and take out that of D."
    return "p_g is on its way. Leave all 400 rounds, and the rate: only the line of D is to move."


_LAWS = (
    (np.array([0.5, 0.3, 0.2]), np.array([0.2, 0.2, 0.6]), 0.5),
    (np.array([0.1, 0.4, 0.3, 0.2]), np.array([0.4, 0.1, 0.2, 0.3]), 1.5),
)

EXERCISES = (
    Exercise(
        "03.1",
        answer=lambda p_d, p_g, rate: _scaled(p_g * _factor(p_d, p_g, rate)),
        inputs=_LAWS,
        mistakes=(
            (
                lambda p_d, p_g, rate: _scaled(p_g * _factor(p_d, p_g, -rate)),
                "That climbs: p_g leaves the letters that D takes for real. Go down: the exponent is −rate·slope.",
            ),
            (
                lambda p_d, p_g, rate: p_g * _factor(p_d, p_g, rate),
                "The probabilities add up to more than 1. Divide them by their sum.",
            ),
            (
                lambda p_d, p_g, rate: _scaled(p_g * _factor(p_g, p_d, rate)),
                "That is the slope log D*. In V, p_g multiplies log(1 − D).",
            ),
            (
                lambda p_d, p_g, rate: _scaled(p_g * np.exp(-rate * (1 - _best_D(p_d, p_g)))),
                "The slope is log(1 − D*): the logarithm is missing.",
            ),
            (
                lambda p_d, p_g, rate: _scaled(p_g - rate * np.log(1 - _best_D(p_d, p_g))),
                "That subtracts the step. Here p_g is multiplied by exp(−rate·slope), which keeps it positive.",
            ),
            (
                lambda p_d, p_g, rate: _scaled(_factor(p_d, p_g, rate)),
                "That is the factor alone: multiply each probability of p_g by it.",
            ),
            (
                lambda p_d, p_g, rate: _scaled(p_d * _factor(p_d, p_g, rate)),
                "That moves the law of the data. G's law is to move.",
            ),
        ),
    ),
    Exercise(
        "03.2",
        answer=lambda: sp.S.Zero,
        mistakes=(
            (lambda: -sp.log(4), "That is the smallest value, at p_g = p_data."),
            (lambda: sp.log(2), "That is the largest JSD. Put it into C."),
            (lambda: 2 * sp.log(2), "That is 2 JSD at its largest. The −log 4 is missing."),
        ),
    ),
    Exercise(
        "03.3",
        answer=lambda: ("b", [0, 0, 1, 0, 0, 0], "e"),
        judge=Broken(
            outcomes="abc",
            outcome="b",
            fault=_fault_of_old_D,
            reasons={
                "d": "Take a tenth of the rate, and ten times the rounds: it ends on the same letter.",
                "e": "",
                "f": "C is a bowl in p_g: it has no second dip. But p_g does not go down C when D is not at its best.",
            },
        ),
    ),
    Exercise(
        "03.4",
        answer=lambda: w * sp.log(2 * w) + (1 - w) * sp.log(2 * (1 - w)),
        mistakes=(
            (lambda: w * sp.log(w) + (1 - w) * sp.log(1 - w), "Divide by Q inside the logarithms: by ½."),
            (lambda: -w * sp.log(2 * w) - (1 - w) * sp.log(2 * (1 - w)), "KL is never negative: mind the sign."),
            (lambda: -(sp.log(2 * w) + sp.log(2 * (1 - w))) / 2, "That is KL(Q‖P): weigh with the first law."),
        ),
    ),
)
