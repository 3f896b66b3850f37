"""Exercises of lesson 11: a score by hand, few images, a kernel distance, sets with unknown faults, a project."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import sympy as sp
import torch

from ganlab import faults
from ganlab.exercises import Exercise
from ganlab.exercises.broken import Broken
from ganlab.exercises.given import finite
from ganlab.metrics import kernel

APART = 1.8
"""Between 70 real images and all others the Fréchet distance is larger, between all of them smaller."""
NEARLY_0 = 1.0
"""The kernel distance between real images, at most, even of 70."""
_CLASSES = (sp.Rational(7, 12), sp.Rational(4, 12), sp.Rational(1, 12))
_SPREAD = sp.Add(*(-p * sp.log(p) for p in _CLASSES))
_DOUBT = sp.log(3) / 4


def _fault_of_few(came: Any) -> str:
    numbers = finite(came)
    if numbers is None or len(numbers) != 2:
        return "What came of it is `came`: the Fréchet distance, and the kernel distance."
    if numbers[0] < APART:
        return "Nothing broke yet: they are as near as all real images. Let count be 70; the Fréchet distance first."
    return "" if abs(numbers[1]) < NEARLY_0 else "These are not two sets of real images. Change `count` alone."


def _kernel(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return (x @ y.T / x.shape[1] + 1) ** 3


def _unbiased(x: np.ndarray, y: np.ndarray) -> float:
    return kernel.estimate(torch.from_numpy(x), torch.from_numpy(y)).value


def _without_itself(x: np.ndarray) -> np.ndarray:
    return _kernel(x, x) * (1 - np.eye(len(x)))


def _of_all_pairs(x: np.ndarray, y: np.ndarray) -> float:
    return float(_kernel(x, x).mean() + _kernel(y, y).mean() - 2 * _kernel(x, y).mean())


def _by_n_squared(x: np.ndarray, y: np.ndarray) -> float:
    return float(_without_itself(x).mean() + _without_itself(y).mean() - 2 * _kernel(x, y).mean())


def _once(x: np.ndarray, y: np.ndarray) -> float:
    return _unbiased(x, y) + float(_kernel(x, y).mean())


def _diagonal_over_pairs(x: np.ndarray, y: np.ndarray) -> float:
    within = sum(float(_kernel(of, of).sum()) / (len(of) * (len(of) - 1)) for of in (x, y))
    return within - 2 * float(_kernel(x, y).mean())


def _one_set_alone(x: np.ndarray, y: np.ndarray) -> float:
    whole, others = float(_kernel(y, y).mean()), float(_without_itself(y).sum()) / (len(y) * (len(y) - 1))
    return _unbiased(x, y) + whole - others


def _without_d(x: np.ndarray, y: np.ndarray) -> float:
    root = np.sqrt(x.shape[1])
    return _unbiased(x * root, y * root)


_RNG = np.random.default_rng(11)
_SETS = tuple((_RNG.normal(size=(n, d)), _RNG.normal(0.5, 1, size=(m, d))) for n, m, d in ((5, 7, 2), (12, 9, 4)))
_ALIKE = (_RNG.normal(size=(12, 4)), _RNG.normal(size=(9, 4)))
"""Of one law: their distance comes out below 0."""


def _judge_diagnosis(answer: Any) -> str:
    """Whether each of the three sets is given its fault."""
    if not isinstance(answer, Mapping) or set(answer) != set(faults.UNKNOWN):
        return 'Return a dict with the keys "A", "B" and "C": a fault for each.'
    names = [name for name in faults.NAMES if name != "none"]
    for letter, fault in answer.items():
        if fault not in names:
            return f"{letter}: {fault!r} is none of {', '.join(names)}."
    wrong = [letter for letter, fault in faults.UNKNOWN.items() if answer[letter] != fault]
    return "" if not wrong else _HINTS[wrong[0]]


_HINTS = {
    "A": "A: every measure that compares two sets takes it for real. Which one looks for something else?",
    "B": "B: precision is that of real images. Count the digits that the judge sees.",
    "C": "C: look at precision and recall together.",
}
_NO_REPORT = "Return a dict with the keys question, measure, n, value, floor, verdict."
_ANSWERS = {
    "like real ones": ("Fréchet distance", "precision"),
    "all kinds": ("Fréchet distance", "recall", "coverage"),
    "right shares": ("Fréchet distance",),
    "new": ("near training images",),
}
"""Which measures answer which question."""


def _judge_report(answer: Any) -> str:
    """Whether a report names a measure that answers its question, what it hangs on, and the verdict of the rule."""
    if not isinstance(answer, Mapping):
        return _NO_REPORT
    keys = ("question", "measure", "n", "value", "floor", "verdict")
    if missing := [key for key in keys if key not in answer]:
        return f"{', '.join(missing)} is missing. {_NO_REPORT}"
    if not isinstance(answer["question"], str) or answer["question"] not in _ANSWERS:
        return f"question is one of {', '.join(map(repr, _ANSWERS))}."
    able, known = _ANSWERS[answer["question"]], {measure: None for of in _ANSWERS.values() for measure in of}
    if not isinstance(answer["measure"], str) or answer["measure"] not in known:
        return f"measure is one of {', '.join(map(repr, known))}, as written here: of these there is a rule."
    if answer["measure"] not in able:
        return f"That measure does not answer {answer['question']!r}; these do: {', '.join(able)}."
    numbers = finite([answer["n"], answer["value"], answer["floor"]])
    if numbers is None or numbers[0] < 2:
        return "n, value and floor are numbers: how many images of each set, and what yours and what real images get."
    _, value, floor = numbers
    is_share, near = answer["measure"] != "Fréchet distance", answer["measure"] == "near training images"
    if is_share and not (0 <= value <= 1 and 0 <= floor <= 1):
        return "A share goes from 0 to 1."
    if floor <= 0 and not near:
        return "A floor of 0 was not measured: it is what other real images get."
    if not is_share:
        by_rule = "worse than real" if value > faults.TIMES * floor else "not told from real"
    elif near:
        by_rule = "worse than real" if value > floor + faults.MOVED["near"] else "not told from real"
    else:
        by_rule = "worse than real" if value < floor - faults.MOVED["recall"] else "not told from real"
    if answer["verdict"] != by_rule:
        return f"By the rule the verdict is {by_rule!r}: yours {value:g}, real images {floor:g}."
    return ""


EXERCISES = (
    Exercise(
        "11.1",
        answer=lambda: sp.exp(_SPREAD - _DOUBT),
        mistakes=(
            (lambda: _SPREAD - _DOUBT, "That is H(c) − H(c|x). The score is the exponential of it."),
            (lambda: sp.exp(_SPREAD), "That is exp H(c). The last image is unsure: take H(c|x) off, the mean of four."),
            (lambda: sp.exp(_SPREAD + _DOUBT), "What the classifier doubts makes the score smaller, not larger."),
            (lambda: sp.exp(_SPREAD - sp.log(3)), "H(c|x) is the mean over all four images, and three have none."),
            (lambda: sp.exp((_SPREAD - _DOUBT) / sp.log(2)), "log₂ and exp do not fit: take log, or 2 to the power."),
            (lambda: sp.exp(_DOUBT - _SPREAD), "That is upside down: H(c) − H(c|x) is above 0."),
            (lambda: sp.exp(4 * (_SPREAD - _DOUBT)), "That adds the four images up. Take their mean, then exp."),
            (lambda: sp.Integer(3), "Three classes would need to be hit equally often, by sure answers. Do the sums."),
        ),
    ),
    Exercise(
        "11.2",
        answer=lambda: ("a", [4.0, 0.1], "e"),
        judge=Broken(
            outcomes="abc",
            outcome="b",
            fault=_fault_of_few,
            reasons={
                "d": "The second set is as it was. Would 70 others of the same law be less alike in the mean?",
                "e": "",
                "f": "No inverse is needed: the formula has a root of a product.",
            },
        ),
    ),
    Exercise(
        "11.3",
        answer=_unbiased,
        inputs=(*_SETS, _ALIKE),
        mistakes=(
            (lambda x, y: max(0.0, _unbiased(x, y)), "It may come out below 0. Cut off there, its mean is too large."),
            (lambda x, y: abs(_unbiased(x, y)), "It may come out below 0. Turned round there, its mean is too large."),
            (_diagonal_over_pairs, "There are n(n − 1) pairs, and the diagonal is still in both sums: leave it out."),
            (_one_set_alone, "In the second set each point is still paired with itself."),
            (_of_all_pairs, "Each point is paired with itself, too: leave the diagonal out of both sums within a set."),
            (_by_n_squared, "Without the diagonal there are n(n − 1) pairs within a set, not n²."),
            (_once, "The mean between the sets counts twice."),
            (_without_d, "In the kernel the product is divided by d, the number of features."),
        ),
    ),
    Exercise("11.4", answer=lambda: dict(faults.UNKNOWN), judge=_judge_diagnosis),
    Exercise(
        "11.5",
        answer=lambda: {
            "question": "new",
            "measure": "near training images",
            "n": 500,
            "value": 1.0,
            "floor": 0.01,
            "verdict": "worse than real",
        },
        judge=_judge_report,
    ),
)
