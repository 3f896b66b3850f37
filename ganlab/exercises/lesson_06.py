"""Exercises of lesson 06: one bell, log-sum-exp, pictures on another scale."""

import numpy as np
import sympy as sp

from ganlab.exercises import Exercise
from ganlab.exercises.broken import Broken
from ganlab.exercises.outcomes import near

sigma, d, r = sp.symbols("sigma d r", positive=True)
FAR = np.array([-2000.0, -2001.0, -2003.5])
WIDE = np.array([-2000.0, -2001.0, -2003.5, -100.0])
NEAR = np.array([0.3, -1.0, 0.5, -4.0])


def _log_mean_exp(a: np.ndarray) -> float:
    top = a.max()
    return float(top + np.log(np.mean(np.exp(a - top))))


def _shifted(a: np.ndarray, by: float) -> float:
    with np.errstate(divide="ignore", over="ignore"):
        return float(by + np.log(np.mean(np.exp(a - by))))


def _naive(a: np.ndarray) -> float:
    return _shifted(a, 0)


EXERCISES = (
    Exercise(
        "06.1",
        answer=lambda: -sp.Rational(1, 2) - d * sp.log(sigma * sp.sqrt(2 * sp.pi)),
        mistakes=(
            (
                lambda: -sp.Rational(1, 2) - sp.log(sigma * sp.sqrt(2 * sp.pi)),
                "Each of the d dimensions brings a factor 1/(σ√(2π)).",
            ),
            (
                lambda: -1 - d * sp.log(sigma * sp.sqrt(2 * sp.pi)),
                "The exponent of the normal law is −r²/(2σ²): mind the 2.",
            ),
            (lambda: -d / 2 - d * sp.log(sigma * sp.sqrt(2 * sp.pi)), "r is the whole distance, not that per pixel."),
            (
                lambda: -sp.Rational(1, 2) - d * sp.log(2 * sp.pi * sigma**2),
                "The constant is 1/(σ√(2π)) per dimension: a root is missing.",
            ),
            (lambda: -sp.Rational(1, 2), "The bell must have mass 1: the constant is missing."),
            (
                lambda: -(r**2) / (2 * sigma**2) - d * sp.log(sigma * sp.sqrt(2 * sp.pi)),
                "Here the distance r is sigma: put it in.",
            ),
            (
                lambda: sp.Rational(1, 2) - d * sp.log(sigma * sp.sqrt(2 * sp.pi)),
                "Farther away the bell is lower: mind the sign of the exponent.",
            ),
            (
                lambda: -sp.Rational(1, 2) + d * sp.log(sigma * sp.sqrt(2 * sp.pi)),
                "A wider bell is lower: mind the sign of the constant.",
            ),
            (
                lambda: sp.exp(-sp.Rational(1, 2)) / (sigma * sp.sqrt(2 * sp.pi)) ** d,
                "That is the density. Asked is its logarithm.",
            ),
        ),
    ),
    Exercise(
        "06.2",
        answer=_log_mean_exp,
        inputs=((FAR,), (WIDE,), (NEAR,)),
        mistakes=(
            (lambda a: _shifted(a, a.min()), "e^(1900) is infinite. Take out the largest term and no other."),
            (_naive, "e^(−2000) rounds to 0. Take out the largest term first."),
            (lambda a: _naive(a) + np.log(len(a)), "e^(−2000) rounds to 0, and wanted is the log of the mean."),
            (lambda a: _log_mean_exp(a) + np.log(len(a)), "That is the log of the sum. Wanted is that of the mean."),
            (lambda a: a.max(), "That is the largest term. The others count, too."),
            (lambda a: _log_mean_exp(a) - a.max(), "What was taken out must be put back: add the maximum."),
        ),
    ),
    Exercise(
        "06.3",
        answer=lambda: ("c", np.log(255), "e"),
        judge=Broken(
            outcomes="abc",
            outcome="c",
            fault=near(
                float(np.log(255)),
                (
                    (0, "Nothing broke yet: let the unit be 255."),
                    (-float(np.log(255)), "The other way: grey values from 0 to 255, not to 1/255."),
                    (8 * float(np.log(2)), "That is log 256. Divided by 255, a grey value is from 0 to 1."),
                    *((d * float(np.log(255)), "That is for the whole image. Leave the division.") for d in (64, 784)),
                ),
                "lost",
                "That comes of another change. Points, centres and the bells' width have all the unit 255 now.",
                within=4e-4,
            ),
            reasons={
                "d": "σ is 255 times as large, too, and the exponent −r²/(2σ²) is what it was.",
                "e": "",
                "f": "The largest term is taken out first, at both scales: nothing is rounded to 0.",
            },
        ),
    ),
)
