"""Exercises of lesson 02: the best D, another mix of samples, the logit of two bells, the logit itself."""

import math

import sympy as sp

from ganlab.exercises import Exercise

a, b = sp.symbols("a b", positive=True)
m, x = sp.symbols("m x", real=True)

EXERCISES = (
    Exercise(
        "02.1",
        answer=lambda p_d, p_g: p_d / (p_d + p_g),
        inputs=((0.3, 0.1), (1.0, 3.0), (2.0, 2.0)),
        mistakes=(
            (lambda p_d, p_g: p_g / (p_d + p_g), "That is 1 − D*: the probability of 'generated'."),
            (lambda p_d, p_g: p_d / p_g, "Those are the odds. A probability is at most 1."),
            (lambda p_d, p_g: p_d - p_g, "Compare by a ratio: D* is the data's share of the whole."),
        ),
    ),
    Exercise(
        "02.2",
        answer=lambda: a / (a + 2 * b),
        mistakes=(
            (lambda: a / (a + b), "That is the best answer for one generated sample per real one."),
            (lambda: 2 * a / (2 * a + b), "The 2 belongs to the generated samples, with density b."),
            (lambda: 2 * b / (a + 2 * b), "That is 1 − y. Real samples push y up."),
        ),
    ),
    Exercise(
        "02.3",
        answer=lambda: 2 * m * x,
        mistakes=(
            (lambda: -2 * m * x, "The data lie at +m: there the logit must be positive (for m > 0)."),
            (lambda: m * x, "Both squares contribute: (x + m)² − (x − m)² = 4mx."),
            (lambda: 4 * m * x, "Each log density is −(x − mean)²/2: mind the ½."),
        ),
    ),
    Exercise(
        "02.4",
        answer=lambda D: math.log(D / (1 - D)),
        inputs=((0.9,), (0.5,), (0.2,)),
        mistakes=(
            (lambda D: math.log((1 - D) / D), "D = 0.9 leans to 'real': its logit must be positive."),
            (lambda D: 1 / (1 + math.exp(-D)), "That is the sigmoid. The logit goes the other way."),
            (lambda D: math.log(D), "Take the logarithm of the odds, not of D."),
        ),
    ),
)
