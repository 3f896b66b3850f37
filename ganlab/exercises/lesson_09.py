"""Exercises of lesson 09: a step of D, two letters, labels swapped, a coding that pulls."""

from typing import Any

import sympy as sp

from ganlab.exercises import Exercise
from ganlab.exercises.broken import Broken
from ganlab.exercises.codings import coding_of
from ganlab.exercises.outcomes import near
from ganlab.objectives import least_squares
from ganlab.theory.followed import r


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


def _step(D: float, real: int, fake: int, m: int, a: float, b: float, rate: float) -> float:
    """D's answer after one step, at a place where `real` and `fake` of the m samples of each batch lie."""
    return D - rate * (real * (D - b) + fake * (D - a)) / m


EXERCISES = (
    Exercise(
        "09.1",
        answer=_step,
        inputs=((0.4, 3, 1, 64, 0.0, 1.0, 0.5), (-0.5, 10, 30, 128, -1.0, 1.0, 2.0), (3.0, 5, 4, 32, 2.0, 5.0, 1.0)),
        mistakes=(
            (lambda D, *given: 2 * D - _step(D, *given), "Uphill: D goes down what it pays, so take the slope away."),
            (
                lambda D, real, fake, m, a, b, rate: _step(D, real, fake, m, b, a, rate),
                "b is what D is to say on real samples, a on generated ones.",
            ),
            (
                lambda D, *given: 2 * _step(D, *given) - D,
                "Twice too far: LSGAN's squares have a ½, which takes away the 2 of their slope.",
            ),
            (
                lambda D, *given: (_step(D, *given) + D) / 2,
                "Half as far: each mean is over m samples, not 2m, and the 2 of a square's slope takes away its ½.",
            ),
            (
                lambda D, real, fake, _, *rest: _step(D, real, fake, 1, *rest),
                "That is the sum over the samples. What D pays are two means.",
            ),
            (
                lambda D, real, fake, _, *rest: _step(D, real, fake, real + fake, *rest),
                "The two means are over the whole batches, m samples each, and not over the samples at this place.",
            ),
            (
                lambda _D, real, fake, _m, a, b, _rate: (real * b + fake * a) / (real + fake),
                "That is where D settles in the end. Asked is one step towards it.",
            ),
            (
                lambda D, *given: _step(D, *given) - D,
                "That is the way of the step. Return what D answers after it.",
            ),
        ),
    ),
    Exercise(
        "09.2",
        answer=lambda: sp.Rational(2, 3),
        mistakes=(
            (lambda: sp.Rational(1, 2), "The letter that G makes too often counts, too."),
            (lambda: sp.Rational(1, 6), "The letter that G never makes counts, too."),
            (lambda: 2, "That is the value for laws that do not meet. These share a letter."),
            (lambda: sp.Rational(1, 3), "Divide by p_d + p_g, not by twice that, and add both letters."),
            (lambda: sp.Rational(4, 3), "Square the difference, then divide."),
        ),
    ),
    Exercise(
        "09.3",
        answer=lambda: ("b", -1, "d"),
        judge=Broken(
            outcomes="abc",
            outcome="b",
            fault=near(
                -1,
                (
                    (7 / 8, "Nothing broke yet: so it is for (0, 1, 1), and for (1, 0, 0), where c is swapped along."),
                    (1, "Mind the sign: look at the two slopes that are printed."),
                    (32 / 225, "That is training's slope. Leave the last line: it is divided by the slope of C."),
                    (-32 / 225, "That is the slope of C. Leave the last line: training's slope is divided by it."),
                ),
                "of_training / of_C",
                "That is another coding. Swap 0 and 1 in the first two places, and leave c at 1.",
            ),
            reasons={
                "d": "",
                "e": "D* is r/(1 + r) now, below c wherever there are data: (D − c)² has a slope there.",
                "f": "Beyond b, as seen from a: from 1 over 0, so c would have to be 0 or less. (c − b)(b − a) is −1.",
            },
        ),
    ),
    Exercise("09.4", answer=lambda: (-2, -1, 0), judge=_judge_coding),
)
