"""Exercises of lesson 02: a step of D, another mix of samples, the logit of two bells, a D that is a straight line."""

from typing import Any

import numpy as np
import sympy as sp
import torch
from torch.nn.functional import logsigmoid

from ganlab.exercises import Exercise
from ganlab.exercises.broken import Broken
from ganlab.exercises.given import finite

a, b = sp.symbols("a b", positive=True)
m, x = sp.symbols("m x", real=True)


def _step_by_autograd(
    slope: float, height: float, real: np.ndarray, fake: np.ndarray, rate: float
) -> tuple[float, float]:
    """One step up V of D(x) = σ(slope x + height), with the gradient that backpropagation finds."""
    weights = torch.tensor([slope, height], dtype=torch.float64, requires_grad=True)
    t_real, t_fake = (weights[0] * torch.from_numpy(samples) + weights[1] for samples in (real, fake))
    (gradient,) = torch.autograd.grad(logsigmoid(t_real).mean() + logsigmoid(-t_fake).mean(), weights)
    new_slope, new_height = (weights + rate * gradient).tolist()
    return new_slope, new_height


def _step(
    slope: float,
    height: float,
    real: np.ndarray,
    fake: np.ndarray,
    rate: float,
    *,
    goes: float = 1,
    mean: Any = np.mean,
    lacks: Any = lambda D: 1 - D,
    answer: Any = lambda t: 1 / (1 + np.exp(-t)),
    inner: bool = True,
) -> tuple[float, float]:
    """The same by formula, with one of the usual mistakes."""
    up, down = lacks(answer(slope * real + height)), answer(slope * fake + height)
    by_slope = mean(up * (real if inner else 1)) - mean(down * (fake if inner else 1))
    return slope + goes * rate * by_slope, height + goes * rate * (mean(up) - mean(down))


def _one_after_the_other(
    slope: float, height: float, real: np.ndarray, fake: np.ndarray, rate: float
) -> tuple[float, float]:
    moved, _ = _step(slope, height, real, fake, rate)
    return moved, _step(moved, height, real, fake, rate)[1]


def _fault_of_straight_D(error: Any) -> str:
    """Whether a D is as far from D* of the two bumps as a straight logit, which is hardly nearer than ½."""
    found = finite([error])
    if found is None:
        return "What came of it is `error`, one number: the mean of |D − D*|."
    if found[0] < 0.15:
        return "Nothing broke yet: D is still bent enough to follow D*. Make it a straight line: nn.Linear(1, 1)."
    return "" if found[0] < 0.25 else "That is worse than ½ everywhere: train the line as D was trained, all 300 steps."


_BATCHES = (
    (0.5, -0.3, np.array([1.0, 2.0, 0.5]), np.array([-1.0, 0.2, -2.0]), 0.1),
    (-1.0, 0.4, np.array([0.3, -1.2]), np.array([2.0, 1.0, 0.5]), 0.5),
)

EXERCISES = (
    Exercise(
        "02.1",
        answer=_step_by_autograd,
        inputs=_BATCHES,
        mistakes=(
            (lambda *given: _step(*given, goes=-1), "That goes down V: these D answer worse than before. D ascends."),
            (
                lambda *given: _step(*given, lacks=lambda D: D),
                "On a real sample the slope of log D in t is 1 − D: none where D is sure of it.",
            ),
            (
                lambda *given: _step(*given, inner=False),
                "That is right for the height. In the slope, t = slope·x + height brings the factor x: weigh by it.",
            ),
            (lambda *given: _step(*given, mean=np.sum), "That adds up over the samples. V is made of means."),
            (
                lambda slope, height, real, fake, rate: _step(slope, height, real, fake, rate / 2),
                "That is half of it: each kind has a mean of its own, and V is their sum.",
            ),
            (
                lambda slope, height, real, fake, rate: _step(slope, height, fake, real, rate),
                "Here `real` and `fake` are swapped: D is to answer high on real samples.",
            ),
            (lambda *given: _step(*given, answer=lambda t: t), "That takes t for D. Where is the sigmoid?"),
            (_one_after_the_other, "Both move at once: the height's step starts from the old slope, too."),
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
        answer=lambda: ("b", 0.21, "e"),
        judge=Broken(
            outcomes="abc",
            outcome="b",
            fault=_fault_of_straight_D,
            reasons={
                "d": "Give it ten times the steps and look: it stays as it is. A line that is best is still a line.",
                "e": "",
                "f": "The D with hidden layers saw the same samples, and no densities either. It found D*.",
            },
        ),
    ),
)
