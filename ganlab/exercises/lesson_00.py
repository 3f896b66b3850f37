"""Exercises of lesson 00: logits, a step of descent, accuracy, a D that is shown no fakes."""

import math
from typing import Any

from ganlab.exercises import Exercise
from ganlab.exercises.broken import Broken
from ganlab.exercises.given import finite


def _slope(w: float, x: float, y: float) -> float:
    """Of (w x − y)² in w."""
    return 2 * (w * x - y) * x


def _share_right(D_real: list[float], D_fake: list[float]) -> float:
    return (sum(D > 0.5 for D in D_real) + sum(D < 0.5 for D in D_fake)) / (len(D_real) + len(D_fake))


def _fault_of_police(passed: Any) -> str:
    """Whether D, trained without fakes, takes most of 36 real pictures and of 36 fakes for real."""
    counts = finite(passed)
    if counts is None or len(counts) != 2:
        return "What came of it is `passed`: how many real pictures were taken for real, and how much fog."
    real, fog = counts
    if real <= 18:
        return "D no longer takes real pictures for real. Leave their term in, and all 100 steps: take out the other."
    return "Nothing broke yet: D still catches the fog. Take out what it pays for fog." if fog <= 18 else ""


_ANSWERS_OF_D = (([0.9, 0.8, 0.3], [0.1, 0.7]), ([0.6], [0.2, 0.4, 0.9]))

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
        answer=lambda w, x, y, rate: w - rate * _slope(w, x, y),
        inputs=((5.0, 3.0, 6.0, 0.02), (1.0, -2.0, 0.5, 0.1)),
        mistakes=(
            (lambda w, x, y, rate: w + rate * _slope(w, x, y), "That climbs: the loss grows. Step against the slope."),
            (
                lambda w, x, y, rate: w - rate * _slope(w, x, y) / x,
                "The chain has two links. w x − y has the slope x in w: multiply by it.",
            ),
            (
                lambda w, x, y, rate: w - rate * _slope(w, x, y) / 2,
                "The square has a slope, too: twice what is squared.",
            ),
            (
                lambda w, x, y, rate: w - rate * (w * x - y) ** 2,
                "That takes the loss itself away. Take its slope in w.",
            ),
            (lambda w, x, y, _rate: w - _slope(w, x, y), "That goes the whole slope. Go `rate` times the slope."),
            (lambda w, x, y, _rate: _slope(w, x, y), "That is the slope. Asked is the weight after the step."),
            (lambda w, x, y, rate: -rate * _slope(w, x, y), "That is how far w moves. Where is it then?"),
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
        answer=lambda: ("c", [36, 36], "e"),
        judge=Broken(
            outcomes="abc",
            outcome="c",
            fault=_fault_of_police,
            reasons={
                "d": "Look at both in the grids above: fog is no digit. And with both terms D told them apart at once.",
                "e": "",
                "f": "It has learnt: all real pictures pass, and with both terms the same 100 steps are enough.",
            },
        ),
    ),
)
