"""Exercises of lesson 09: the best answer, the constant, the push, a coding that pulls, two letters."""

from typing import Any

import sympy as sp

from ganlab.exercises import Exercise
from ganlab.exercises.codings import coding_of
from ganlab.objectives import least_squares
from ganlab.theory.followed import r

c = sp.Symbol("c", real=True)
CODINGS = ((0, 1, 1), (-1, 1, 0), (2, 5, -1), (0, 3, 4))


def _judge_coding(answer: Any) -> str:
    """Whether an answer (a, b, c) follows an f-divergence that pushes at missing modes."""
    coding = coding_of(answer)
    if isinstance(coding, str):
        return coding
    followed = least_squares(*coding).followed
    wanted = f"b must lie between a and c (here {coding[2]})"
    if not followed.is_f_divergence:
        ratios = followed.wrong_way
        where = "every r > 0" if ratios == sp.Interval.open(0, sp.oo) else ratios.as_relational(r)
        return f"φ″(r) = {followed.curvature} is negative for {where}; {wanted}."
    if followed.at_missing_modes == 0:
        return f"It is an f-divergence, but φ″(r) → 0 as r → 0: no push of first order; {wanted}, not at c."
    if coding[2] != 0:
        return "It does all that, but c is not 0. Shift all three numbers."
    return ""


EXERCISES = (
    Exercise(
        "09.1",
        answer=lambda a, b: (3 * b + a) / 4,
        inputs=((0.0, 1.0), (-1.0, 1.0), (2.0, 5.0)),
        mistakes=(
            (lambda a, b: (3 * a + b) / 4, "b is what D is to say on real samples, and those are more frequent here."),
            (lambda a, b: 3 * b + a, "It is a mean: divide by the sum of both densities."),
            (
                lambda *coding: 3 * coding[1] / 4,
                "The generated samples at this point want a. It is 0 in one coding only.",
            ),
            (lambda *_: 3 / 4, "That is the data's share. It is D* for (a, b) = (0, 1) only."),
            (lambda a, b: (a + b) / 2, "That is the answer where both densities are equal."),
            (lambda *coding: coding[1], "Some of the samples at this point are generated, too."),
        ),
    ),
    Exercise(
        "09.2",
        answer=lambda a, b, c: (a + b - 2 * c) ** 2 / 2,
        inputs=CODINGS,
        mistakes=(
            (lambda a, b, c: (a + b - 2 * c) ** 2 / 4, "That is C(G). Asked is 2C(G)."),
            (
                lambda a, b, c: (a + b - 2 * c) ** 2 / 8,
                "Both squares are paid, on data and on samples: ∫(p_d + p_g) = 2.",
            ),
            (
                lambda a, b, c: (a + b - 2 * c) ** 2,
                "D answers (a + b)/2: mind its ½, and that the square takes it, too.",
            ),
            (lambda *_: 0, "Δ is 0 there. The other term is not, except for 2c = a + b."),
        ),
    ),
    Exercise(
        "09.3",
        answer=lambda: (c - 1 + c * r) / (1 + r) ** 3,
        mistakes=(
            (
                lambda: -(c - 1 + c * r) / (1 + r) ** 3,
                "The sign: g′ is D* − c, not c − D*, and D* falls as r grows.",
            ),
            (lambda: 2 * (c - 1 + c * r) / (1 + r) ** 3, "Twice too much: G pays ½(D* − c)², so g′ has no 2."),
            (lambda: -(1 / (1 + r) + c) / (1 + r) ** 2, "G pays ½(D* − c)²: c is taken away from D*, not added."),
            (
                lambda: (c - 1 + c * r) / (1 + r) ** 2,
                "The slope of D* in r is −1/(1 + r)². D* − c brings one more 1 + r.",
            ),
            (lambda: (r - c * (1 + r)) / (1 + r) ** 3, "r is p_g over p_d, so D* is 1/(1 + r), the data's share."),
            (lambda: -1 / (1 + r) ** 2, "That is the slope of D*. G pays ½(D* − c)²: the chain rule brings D* − c."),
            (lambda: 1 / (1 + r) - c, "That is g′(D*). The chain rule brings the slope of D* in r."),
            (lambda: (1 / (1 + r) - c) ** 2 / 2, "That is φ′(r), what G pays. Asked is its slope in r."),
        ),
    ),
    Exercise("09.4", answer=lambda: (-2, -1, 0), judge=_judge_coding),
    Exercise(
        "09.5",
        answer=lambda: sp.Rational(2, 3),
        mistakes=(
            (lambda: sp.Rational(1, 2), "The letter that G makes too often counts, too."),
            (lambda: sp.Rational(1, 6), "The letter that G never makes counts, too."),
            (lambda: 2, "That is the value for laws that do not meet. These share a letter."),
            (lambda: sp.Rational(1, 3), "Divide by p_d + p_g, not by twice that, and add both letters."),
            (lambda: sp.Rational(4, 3), "Square the difference, then divide."),
        ),
    ),
)
