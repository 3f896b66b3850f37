"""Exercises of lesson 06: one bell, log-sum-exp, the weights of maxout, a standard error."""

import numpy as np
import sympy as sp

from ganlab.exercises import Exercise

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
        answer=lambda n, u, p: (n + 1) * u * p,
        inputs=((784, 240, 5), (3, 2, 4)),
        mistakes=(
            (lambda n, u, p: n * u * p, "Each linear function has a bias, too."),
            (lambda n, u, _: (n + 1) * u, "Each unit has p linear functions, not one."),
            (lambda n, u, p: n * u * p + p, "There is a bias for each piece of each unit."),
            (lambda n, u, p: n * u * p + u, "There is a bias for each piece, not for each unit."),
        ),
    ),
    Exercise(
        "06.4",
        answer=lambda values: float(np.std(values) / np.sqrt(len(values))),
        inputs=((NEAR,), (FAR,)),
        mistakes=(
            (lambda values: float(np.std(values)), "That is the spread of single images. The mean is surer by √n."),
            (lambda values: float(np.std(values, ddof=1) / np.sqrt(len(values))), "Divide by n, not by n − 1."),
            (lambda values: float(np.var(values) / len(values)), "That is the square of it."),
            (
                lambda values: float(np.var(values) / np.sqrt(len(values))),
                "That has the variance. Take its root first.",
            ),
            (lambda values: float(np.std(values) / len(values)), "Divide by √n, not by n."),
        ),
    ),
)
