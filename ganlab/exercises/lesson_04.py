"""Exercises of lesson 04: a step of G, two losses compared, a D that is not frozen, a logarithm with all its digits."""

from collections.abc import Callable

import numpy as np

from ganlab.exercises import Exercise
from ganlab.exercises.broken import Broken
from ganlab.exercises.outcomes import near


def _sigmoid(t: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-t))


def _step(down: Callable[[np.ndarray, float, float], float]) -> Callable[..., float]:
    """One step for G(z) = μ + z and t = slope · x: `down` of (x, slope, m) is minus the slope of the loss in μ."""
    return lambda mu, slope, z, rate: mu + rate * down(mu + z, slope, len(z))


def _mean(each: Callable[[np.ndarray, float], np.ndarray]) -> Callable[..., float]:
    return _step(lambda x, slope, _: each(x, slope).mean())


def _right(x: np.ndarray, slope: float) -> np.ndarray:
    return (1 - _sigmoid(slope * x)) * slope


def _naive(t: float) -> float:
    with np.errstate(over="ignore", divide="ignore"):
        return float(np.log(1 - 1 / (1 + np.exp(-np.float64(t)))))


EXERCISES = (
    Exercise(
        "04.1",
        answer=_mean(_right),
        inputs=((1.0, -0.7, np.array([-1.2, 0.3, 0.9]), 0.5), (-2.0, 1.5, np.array([0.1, 0.4]), 0.1)),
        mistakes=(
            (
                _mean(lambda x, slope: -_right(x, slope)),
                "Uphill: the first factor is −(1 − D), and going down takes the slope away. Two signs.",
            ),
            (_mean(lambda x, slope: 1 - _sigmoid(slope * x)), "∂t/∂x, the second factor, is missing."),
            (
                _mean(lambda x, slope: (1 - _sigmoid(slope * x)) * x),
                "That is the slope in D's weight. x = μ + z, so ∂t/∂x is `slope` and ∂x/∂μ is 1.",
            ),
            (
                _mean(lambda x, slope: _sigmoid(slope * x) * slope),
                "That is a step with the saturating loss, whose first factor is −D.",
            ),
            (
                _mean(lambda x, slope: slope / _sigmoid(slope * x)),
                "−1/D is the slope in D. The first factor is that in t: multiply by σ′ = D(1 − D).",
            ),
            (
                _step(lambda x, slope, m: m * _right(x, slope).mean()),
                "That is the sum over the batch. The loss is a mean.",
            ),
            (
                _step(lambda x, slope, _: float(_right(x.mean(), slope))),
                "D answers each sample. Take the mean of the slopes, not the slope at the mean sample.",
            ),
            (
                lambda mu, slope, z, rate: rate * _right(mu + z, slope).mean(),
                "That is the way of the step. Return where μ is after it.",
            ),
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
        answer=lambda: ("b", 0.19899, "e"),
        judge=Broken(
            outcomes="abc",
            outcome="b",
            fault=near(
                0.19899,
                (
                    (0.39797, "Nothing broke yet: that is the slope of 2 JSD. Write `mean` for 1.0 in t_star."),
                    (-0.19899, "That is the way through D* alone. G's samples move along, too: leave x as it is."),
                    (0, "Nothing moves there. Leave x as it is, and write `mean` for 1.0 in t_star."),
                    (0.80101, "It moves along, but that is the non-saturating loss. Asked is the saturating one."),
                    (0.60203, "That is the non-saturating loss, and D* stands still."),
                ),
                "slope",
                "That comes of another change. Write `mean` for 1.0 in t_star, and leave the rest as it is.",
            ),
            reasons={
                "d": "That holds for the whole of V: at D* its slope in D is 0. G pays one of V's two terms only.",
                "e": "",
                "f": "Half of the pull is left, and D* does follow. What does G pay, as an integral over x?",
            },
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
        absolute=0.0,
    ),
)
