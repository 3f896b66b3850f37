"""Lesson 11's exercises done wrong as readers do: each wrong answer gets the hint that names the mistake."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from attempts import each_is_heard
from sklearn.metrics.pairwise import polynomial_kernel

from ganlab import faults
from ganlab.exercises import find, verdict

LAW = np.array([7, 4, 1]) / 12
SPREAD = -float(LAW @ np.log(LAW))


def by_sklearn(x: np.ndarray, y: np.ndarray) -> float:
    def mean_of_pairs(of: np.ndarray) -> float:
        k = polynomial_kernel(of, degree=3, gamma=1 / of.shape[1], coef0=1)
        return float(k[~np.eye(len(of), dtype=bool)].mean())

    between = polynomial_kernel(x, y, degree=3, gamma=1 / x.shape[1], coef0=1)
    return mean_of_pairs(x) + mean_of_pairs(y) - 2 * float(between.mean())


def all_pairs(x: np.ndarray, y: np.ndarray, gamma: float | None = None) -> float:
    within = [float(polynomial_kernel(of, degree=3, gamma=gamma, coef0=1).mean()) for of in (x, y)]
    return sum(within) - 2 * float(polynomial_kernel(x, y, degree=3, gamma=gamma, coef0=1).mean())


def zeros_on_the_diagonal(x: np.ndarray, y: np.ndarray) -> float:
    found = 0.0
    for of in (x, y):
        k = polynomial_kernel(of, degree=3, coef0=1)
        np.fill_diagonal(k, 0)
        found += float(k.mean())
    return found - 2 * float(polynomial_kernel(x, y, degree=3, coef0=1).mean())


def without_d(x: np.ndarray, y: np.ndarray) -> float:
    return by_sklearn(x * math.sqrt(x.shape[1]), y * math.sqrt(y.shape[1]))


def diagonal_in_the_sums(x: np.ndarray, y: np.ndarray) -> float:
    n, m = len(x), len(y)
    within = [polynomial_kernel(of, degree=3, coef0=1).sum() for of in (x, y)]
    between = polynomial_kernel(x, y, degree=3, coef0=1).mean()
    return float(within[0] / (n * (n - 1)) + within[1] / (m * (m - 1)) - 2 * between)


def second_set_whole(x: np.ndarray, y: np.ndarray) -> float:
    k = polynomial_kernel(y, degree=3, coef0=1)
    return by_sklearn(x, y) + float(k.mean() - k[~np.eye(len(y), dtype=bool)].mean())


WRONG: dict[str, list[tuple[Callable[..., Any], str]]] = {
    "11.1": [
        (lambda: SPREAD - math.log(3) / 4, "The score is the exponential of it"),
        (lambda: math.exp(SPREAD), "take H(c|x) off, the mean of four"),
        (lambda: math.exp(SPREAD + math.log(3) / 4), "makes the score smaller, not larger"),
        (lambda: math.exp(SPREAD - math.log(3)), "the mean over all four images, and three have none"),
        (lambda: math.exp((SPREAD - math.log(3) / 4) / math.log(2)), "take log, or 2 to the power"),
        (lambda: math.exp(math.log(3) / 4 - SPREAD), "That is upside down"),
        (lambda: math.exp(4 * SPREAD - math.log(3)), "Take their mean, then exp"),
        (lambda: 3, "hit equally often, by sure answers"),
    ],
    "11.3": [
        (all_pairs, "leave the diagonal out of both sums"),
        (zeros_on_the_diagonal, "n(n − 1) pairs within a set, not n²"),
        (lambda x, y: by_sklearn(x, y) + float(polynomial_kernel(x, y, degree=3, coef0=1).mean()), "counts twice"),
        (without_d, "divided by d, the number of features"),
        (lambda x, y: max(by_sklearn(x, y), 0), "Cut off there, its mean is too large"),
        (lambda x, y: abs(by_sklearn(x, y)), "Turned round there, its mean is too large"),
        (diagonal_in_the_sums, "the diagonal is still in both sums"),
        (second_set_whole, "In the second set each point is still paired with itself"),
    ],
}
REPORT = {
    "question": "all kinds",
    "measure": "recall",
    "n": 500,
    "value": 0.5,
    "floor": 0.9,
    "verdict": "worse than real",
}
RIGHT = dict(faults.UNKNOWN)
JUDGED: dict[str, list[tuple[Any, str]]] = {
    "11.2": [
        ("b", "Leave the last line as it is, with three things"),
        (("…", [0.7, 0.0], "…"), "What will happen? Write it first, a, b or c"),
        (("b", [0.7, 0.0], "…"), "Nothing broke yet: they are as near as all real images. Let count be 70"),
        (("b", [4.1], "e"), "`came`: the Fréchet distance, and the kernel distance"),
        (("b", [60.0, 9.0], "e"), "These are not two sets of real images"),
        (("a", [4.1, 0.1], "…"), "it came out b. Now say why: d, e or f"),
        (("b", [4.1, 0.1], "d"), "Would 70 others of the same law"),
        (("b", [4.1, 0.1], "f"), "No inverse is needed"),
    ],
    "11.4": [
        ("memorised", 'Return a dict with the keys "A", "B" and "C"'),
        ({"A": "memorised"}, 'Return a dict with the keys "A", "B" and "C"'),
        (RIGHT | {"B": "a 7 is missing"}, "B: 'a 7 is missing' is none of collapsed, memorised,"),
        (RIGHT | {"B": "none"}, "B: 'none' is none of collapsed"),
        (RIGHT | {"A": "noisy"}, "Which one looks for something else?"),
        (RIGHT | {"B": "uneven"}, "Count the digits that the judge sees"),
        (RIGHT | {"C": "uneven"}, "look at precision and recall together"),
    ],
    "11.5": [
        ("good", "Return a dict"),
        ({"question": "new"}, "measure, n, value, floor, verdict is missing"),
        (REPORT | {"question": "good?"}, "question is one of 'like real ones', 'all kinds', 'right shares', 'new'"),
        (REPORT | {"measure": "precision"}, "does not answer 'all kinds'; these do:"),
        (REPORT | {"question": "new"}, "does not answer 'new'; these do: near training images"),
        (REPORT | {"value": "0.5"}, "n, value and floor are numbers"),
        (REPORT | {"question": ["new"]}, "question is one of 'like real ones'"),
        (REPORT | {"measure": "kernel distance"}, "measure is one of 'Fréchet distance', 'precision', 'recall',"),
        (REPORT | {"measure": np.array(["recall", "recall"])}, "measure is one of"),
        (REPORT | {"verdict": np.array(["worse than real"] * 2)}, "is of another kind than is asked for"),
        (REPORT | {"value": 88, "floor": 90}, "A share goes from 0 to 1."),
        (REPORT | {"value": 0.0, "floor": 0.0, "verdict": "not told from real"}, "A floor of 0 was not measured"),
        (REPORT | {"measure": "Fréchet distance", "floor": 0}, "A floor of 0 was not measured"),
        (REPORT | {"n": 1}, "n, value and floor are numbers"),
        (REPORT | {"verdict": "not told from real"}, "By the rule the verdict is 'worse than real'"),
    ],
}


@pytest.mark.parametrize("id_", WRONG)
def test_each_wrong_answer_is_told_what_is_wrong_with_it(id_: str):
    each_is_heard(id_, WRONG[id_])


@pytest.mark.parametrize(("id_", "answer", "hint"), [(id_, *row) for id_, rows in JUDGED.items() for row in rows])
def test_each_answer_that_misses_is_told_why(id_: str, answer: Any, hint: str):
    said = verdict(find(id_), lambda: answer)
    assert said.startswith("not yet. ")
    assert hint in said


@pytest.mark.parametrize(
    ("id_", "attempt"),
    [
        ("11.1", lambda: math.exp(SPREAD - math.log(3) / 4)),
        ("11.1", lambda: float(np.exp(np.float32(SPREAD - math.log(3) / 4)))),
        ("11.2", lambda: ("c", [2.4, -0.3], "e")),
        ("11.3", by_sklearn),
        ("11.4", lambda: RIGHT),
        ("11.5", lambda: REPORT),
        ("11.5", lambda: REPORT | {"value": 0.87, "verdict": "not told from real"}),
        ("11.5", lambda: REPORT | {"measure": "Fréchet distance", "value": 3, "floor": 1}),
        (
            "11.5",
            lambda: REPORT | {"measure": "Fréchet distance", "value": 1.9, "floor": 1, "verdict": "not told from real"},
        ),
        ("11.5", lambda: REPORT | {"question": "new", "measure": "near training images", "value": 0.3, "floor": 0.01}),
    ],
)
def test_other_ways_of_being_right_are_right(id_: str, attempt: Callable[..., Any]):
    assert verdict(find(id_), attempt) == "right"
