"""Functions of readers, right and wrong, written in other words than the course's: each gets its verdict.

What the exercises hold themselves is checked against itself in test_exercises; formulas: test_exercise_formulas; steps
of training: test_exercise_steps and test_exercise_later_steps.
"""

import math

import numpy as np
import pytest
import scipy.special
import scipy.stats
import torch
from attempts import Answer, judged
from test_exercise_formulas import FORMULAS
from test_exercise_later_steps import LATER_STEPS
from test_exercise_steps import STEPS

from ganlab import exercises


def sigmoid(t: float) -> float:
    return float(scipy.special.expit(t))


def shares(real: list[float], fake: list[float]) -> list[bool]:
    return [D > 0.5 for D in real] + [D < 0.5 for D in fake]


@np.errstate(divide="ignore", over="ignore")
def plain_log_mean(a: np.ndarray, by: float = 0.0) -> float:
    return float(by + np.log(sum(np.exp(a - by)) / len(a)))


def log_sum(a: np.ndarray) -> float:
    return float(scipy.special.logsumexp(a))


@np.errstate(divide="ignore", over="ignore")
def plain_log_of_sigmoid(t: float) -> float:
    return float(np.log(1 - 1 / (1 + np.exp(-np.float64(t)))))


FUNCTIONS: dict[str, tuple[Answer, list[tuple[Answer, str]]]] = {
    "00.1": (
        sigmoid,
        [
            (lambda t: 1 - sigmoid(t), "the sign of t"),
            (lambda t: 2 * sigmoid(2 * t) - 1, "tanh runs"),
            (lambda t: sigmoid(t) / (1 - sigmoid(t)), "That is the odds"),
        ],
    ),
    "00.3": (
        lambda real, fake: np.mean(shares(real, fake)),
        [
            (lambda real, fake: 1 - np.mean(shares(real, fake)), "wrong answers"),
            (lambda real, fake: np.mean([D > 0.5 for D in real + fake]), "is below ½"),
            (lambda real, fake: sum(shares(real, fake)), "Divide by how many"),
            (lambda real, fake: (np.mean(shares(real, [])) + np.mean(shares([], fake))) / 2, "averages two shares"),
        ],
    ),
    "01.4": (
        lambda table: np.max(table, axis=1).min(),
        [
            (lambda table: np.max(table, axis=0).min(), "columns are swapped"),
            (lambda table: np.min(table, axis=0).max(), "D moves first"),
            (lambda table: np.min(table), "largest entry of the row"),
            (lambda table: np.max(table), "wants to pay little"),
        ],
    ),
    "04.2": (
        lambda D: 1 / D - 1,
        [
            (lambda D: 1 / (1 / D - 1), "other way round"),
            (lambda D: (1 - D) - D, "their ratio"),
            (lambda D: (1 / D - 1) ** 2, "slopes in t"),
            (lambda D: math.log(D) / math.log(1 - D), "not of their slopes"),
        ],
    ),
    "04.4": (
        lambda t: scipy.special.log_expit(-t),
        [
            (plain_log_of_sigmoid, "lost its digits"),
            (lambda t: -scipy.special.log_expit(-t), "never positive"),
            (lambda t: scipy.special.log_expit(t), "log σ(t)"),
        ],
    ),
    "06.2": (
        lambda a: log_sum(a) - math.log(len(a)),
        [
            (lambda a: plain_log_mean(a, a.min()), "no other"),
            (plain_log_mean, "largest term first"),
            (lambda a: plain_log_mean(a) + math.log(len(a)), "and wanted is the log of the mean"),
            (log_sum, "log of the sum"),
            (max, "The others count"),
            (lambda a: log_sum(a - max(a)) - math.log(len(a)), "add the maximum"),
        ],
    ),
}


@pytest.mark.parametrize("id_", FUNCTIONS)
def test_a_function_gets_its_verdict(id_: str):
    judged(id_, *FUNCTIONS[id_])


def test_a_repaired_pair_is_judged_without_a_draw_from_the_readers_random_numbers():
    repaired = exercises.find("07.3")
    assert repaired.judge is not None
    pair = repaired.answer()
    before = torch.get_rng_state()
    assert repaired.judge(pair) == ""
    assert torch.equal(torch.get_rng_state(), before)


def test_no_exercise_with_hints_is_left_out():
    """Those of lessons 07 and 08 are in test_exercises_07 and test_exercises_08."""
    with_hints = {
        one.id for n in range(10) if n not in (7, 8) for one in exercises.of_lesson(f"{n:02}") if one.mistakes
    }
    assert with_hints == FORMULAS.keys() | FUNCTIONS.keys() | STEPS.keys() | LATER_STEPS.keys()
