"""Exercises of lesson 04: a slope, two losses compared, the sum of both, a logarithm that keeps its digits."""

import numpy as np
import sympy as sp

from ganlab.exercises import Exercise

t = sp.Symbol("t", real=True)
p_d, p_g = sp.symbols("p_d p_g", positive=True)


def _naive(t: float) -> float:
    with np.errstate(over="ignore", divide="ignore"):
        return float(np.log(1 - 1 / (1 + np.exp(-np.float64(t)))))


EXERCISES = (
    Exercise(
        "04.1",
        answer=lambda: -1 / (1 + sp.exp(t)),
        mistakes=(
            (lambda: 1 / (1 + sp.exp(t)), "Mind the sign: the loss falls when t rises."),
            (
                lambda: -1 / (1 + sp.exp(-t)),
                "That is −σ(t), the slope of log(1 − σ(t)). Here it is small where D accepts.",
            ),
            (lambda: -1 - sp.exp(-t), "That is −1/σ(t), the slope in D. Go on to t: multiply by σ′ = σ(1 − σ)."),
        ),
    ),
    Exercise(
        "04.2",
        answer=lambda D: (1 - D) / D,
        inputs=((0.01,), (0.5,), (0.8,)),
        mistakes=(
            (lambda D: D / (1 - D), "The other way round: at D = 0.01 the non-saturating loss is the louder one."),
            (lambda D: 1 - 2 * D, "That is the difference of the two slopes. Wanted is their ratio."),
            (lambda D: (1 - D) ** 2 / D**2, "Take the slopes in t, not those in D: −(1 − D) and −D."),
            (lambda D: np.log(D) / np.log(1 - D), "That is the ratio of the losses, not of their slopes."),
        ),
    ),
    Exercise(
        "04.3",
        answer=lambda: sp.log(p_g / p_d),
        mistakes=(
            (lambda: sp.log(p_d / p_g), "Mind the sign: 1 − D* = p_g/(p_d + p_g) stands in the numerator."),
            (lambda: p_g / p_d, "The logarithm is missing."),
            (lambda: sp.log(p_g * p_d / (p_d + p_g) ** 2), "log D is subtracted, not added."),
            (
                lambda: p_g * sp.log(p_g / p_d),
                "That is the integrand of KL(p_g‖p_d). Asked is the loss at D*, per sample.",
            ),
        ),
    ),
    Exercise(
        "04.4",
        answer=lambda t: -np.logaddexp(0.0, t),
        inputs=((-1000.0,), (-40.0,), (0.0,), (3.0,), (40.0,), (1000.0,)),
        mistakes=(
            (_naive, "1 − σ(t) has lost its digits before you take the logarithm. Rewrite it as −log(1 + eᵗ)."),
            (lambda t: np.logaddexp(0.0, t), "Mind the sign: the logarithm of a probability is never positive."),
            (lambda t: -np.logaddexp(0.0, -t), "That is log σ(t)."),
        ),
    ),
)
