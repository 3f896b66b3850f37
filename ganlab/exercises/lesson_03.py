"""Exercises of lesson 03: C from JSD, its largest value, the slope at fixed D, a divergence of coins."""

import math

import sympy as sp

from ganlab.exercises import Exercise

p_d, p_g, w = sp.symbols("p_d p_g w", positive=True)

EXERCISES = (
    Exercise(
        "03.1",
        answer=lambda jsd: -math.log(4) + 2 * jsd,
        inputs=((0.0,), (0.3,), (math.log(2),)),
        mistakes=(
            (lambda jsd: -math.log(4) + jsd, "There are two KL divergences, and JSD is their mean."),
            (lambda jsd: math.log(4) + 2 * jsd, "V is a sum of logarithms of probabilities: never positive."),
            (lambda jsd: -math.log(2) + 2 * jsd, "Each of the two terms gives log 2 away."),
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
        answer=lambda: sp.log(p_g / (p_d + p_g)),
        mistakes=(
            (lambda: sp.log(p_d / (p_d + p_g)), "p_g multiplies log(1 − D), not log D."),
            (lambda: -sp.log(p_g / (p_d + p_g)), "Mind the sign: V holds +p_g log(1 − D)."),
            (lambda: 1 - p_d / (p_d + p_g), "The logarithm is missing."),
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
