"""Exercises of lesson 00: logits, labels, accuracy, interpolation, the loss of a D that cannot tell."""

import math

import numpy as np
import sympy as sp

from ganlab.exercises import Exercise


def _share_right(D_real: list[float], D_fake: list[float]) -> float:
    return (sum(D > 0.5 for D in D_real) + sum(D < 0.5 for D in D_fake)) / (len(D_real) + len(D_fake))


_ANSWERS_OF_D = (([0.9, 0.8, 0.3], [0.1, 0.7]), ([0.6], [0.2, 0.4, 0.9]))
_ENDS = (np.array([0.0, 2.0]), np.array([4.0, -2.0]))

EXERCISES = (
    Exercise(
        "00.1",
        answer=lambda t: 1 / (1 + math.exp(-t)),
        inputs=((0.0,), (2.0,), (-3.0,)),
        mistakes=(
            (lambda t: 1 / (1 + math.exp(t)), "A large t must give a probability near 1: look at the sign of t."),
            (math.tanh, "tanh runs from −1 to 1; a probability runs from 0 to 1."),
            (lambda t: math.exp(t), "That is the odds D/(1 − D), not D."),
        ),
    ),
    Exercise(
        "00.2",
        answer=lambda m: [1] * m + [0] * m,
        inputs=((1,), (3,)),
        mistakes=(
            (lambda m: [0] * m + [1] * m, "Here 1 stands for real, and the real samples come first."),
            (lambda m: [1] * m, "These are the labels of the real samples. The generated ones are missing."),
            (lambda m: [1, 0] * m, "First all real samples, then all generated ones."),
        ),
    ),
    Exercise(
        "00.3",
        answer=_share_right,
        inputs=_ANSWERS_OF_D,
        mistakes=(
            (lambda real, fake: 1 - _share_right(real, fake), "That is the share of wrong answers."),
            (
                lambda real, fake: sum(D > 0.5 for D in [*real, *fake]) / (len(real) + len(fake)),
                "For a generated sample, D is right when its answer is below ½.",
            ),
            (
                lambda real, fake: sum(D > 0.5 for D in real) + sum(D < 0.5 for D in fake),
                "That is how many answers are right. Divide by how many there are.",
            ),
            (
                lambda real, fake: (
                    (sum(D > 0.5 for D in real) / len(real) + sum(D < 0.5 for D in fake) / len(fake)) / 2
                ),
                "That averages two shares. Count over all samples, the two batches may differ in size.",
            ),
        ),
    ),
    Exercise(
        "00.4",
        answer=lambda z_0, z_1, s: (1 - s) * z_0 + s * z_1,
        inputs=((*_ENDS, 0.0), (*_ENDS, 0.25), (*_ENDS, 1.0)),
        mistakes=(
            (lambda z_0, z_1, s: s * z_0 + (1 - s) * z_1, "At s = 0 you should still be at z_0: the ends are swapped."),
            (lambda z_0, z_1, s: z_0 + s * z_1, "At s = 1 you should be at z_1 alone: take z_0 away as you go."),
            (lambda z_0, z_1, _s: (z_0 + z_1) / 2, "That is the middle, whatever s is."),
        ),
    ),
    Exercise(
        "00.5",
        answer=lambda: 2 * sp.log(2),
        mistakes=(
            (lambda: sp.log(2), "That is one of the two terms: D pays for the real and for the generated sample."),
            (
                lambda: -2 * sp.log(2),
                "log ½ is negative, and each term carries a minus sign: D pays a positive amount.",
            ),
            (lambda: sp.Integer(1), "½ + ½ adds the answers. D pays the logarithms of them."),
        ),
    ),
)
