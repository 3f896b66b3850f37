"""Lesson 10's exercises done wrong as readers do: each wrong answer gets the hint that names the mistake."""

import itertools
import math
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from attempts import each_is_heard
from scipy import stats

from ganlab.exercises import find, lesson_10, verdict


def ends(found: dict[str, list[float]], reach: Callable[[np.ndarray, np.ndarray], float]) -> tuple[Any, ...]:
    worse, *_, better = sorted(found, key=lambda name: np.mean(found[name]))
    one, other = np.array(found[better]), np.array(found[worse])
    middle = one.mean() - other.mean()
    return better, worse, middle - reach(one, other), middle + reach(one, other)


def right(one: np.ndarray, other: np.ndarray) -> float:
    return float(stats.t.ppf(0.975, len(one) - 1) * stats.sem(one - other))


def unpaired(one: np.ndarray, other: np.ndarray) -> float:
    interval = stats.ttest_ind(one, other).confidence_interval(0.95)
    return float(interval.high - interval.low) / 2


def swapped(found: dict[str, list[float]]) -> tuple[Any, ...]:
    better, worse, low, high = ends(found, right)
    return worse, better, -high, -low


def range_of_differences(found: dict[str, list[float]]) -> tuple[Any, ...]:
    better, worse, *_ = ends(found, right)
    difference = np.array(found[better]) - np.array(found[worse])
    return better, worse, difference.min(), difference.max()


def percentiles(found: dict[str, list[float]]) -> tuple[Any, ...]:
    better, worse, *_ = ends(found, right)
    return better, worse, *np.percentile(np.array(found[better]) - np.array(found[worse]), [2.5, 97.5])


def one_sided(one: np.ndarray, other: np.ndarray) -> float:
    interval = stats.ttest_rel(one, other, alternative="greater").confidence_interval(0.95)
    return float((one - other).mean() - interval.low)


def best_and_next(found: dict[str, list[float]]) -> tuple[Any, ...]:
    _, *best = sorted(found, key=lambda name: np.mean(found[name]))
    return ends({name: found[name] for name in best[-2:]}, right)


NORMAL, ROOT = 1.96, math.sqrt
WRONG: dict[str, list[tuple[Callable[..., Any], str]]] = {
    "10.3": [
        (swapped, "The better one first"),
        (lambda found: ends(found, unpaired), "take the difference seed by seed first"),
        (lambda found: ends(found, lambda a, b: NORMAL * float(stats.sem(a - b))), "Student's t"),
        (lambda found: ends(found, lambda a, b: right(a, b) * ROOT(1 - 1 / len(a))), "divides by n − 1"),
        (lambda found: ends(found, lambda a, b: right(a, b) * ROOT(len(a))), "√n times smaller"),
        (range_of_differences, "the smallest and the largest difference"),
        (percentiles, "95 % of the seeds' differences"),
        (lambda found: ends(found, one_sided), "leaves 5 % out on each side"),
        (best_and_next, "compare with the worst"),
    ],
}

PROJECT = {
    "question": "Does another k help?",
    "predicted": "alike",
    "margin": 1,
    "seeds": range(4),
    "one": [8, 7, 8, 8],
    "other": [8, 8, 7, 8],
    "verdict": "undecided",
}
JUDGED: dict[str, list[tuple[Any, str]]] = {
    "10.1": [
        (0.75, "Give two codings"),
        ((-3, 1, 0), "Give two codings"),
        ((-3, 1), "The first one. Give three numbers"),
        (((-3, 1, 0), (1, 1, 0)), "The second one. With a = b"),
        (((0, 1, 0.75), (-1, 3, 0)), "The first one: c is to be 0"),
        (((-2, -1, 0), (-1, 3, 0)), "The first one: training with it follows an f-divergence"),
        (((-3, 1, 0), (-2, -1, 0)), "The second one: training with it follows an f-divergence"),
        (((-1, 1, 0), (-1, 3, 0)), "The first one: what training follows is lowest at 4 of 8 modes"),
        (((1, -1, 0), (-1, 3, 0)), "The first one: what training follows is lowest at 4 of 8 modes"),
        (((-3, 1, 0), (-1, 1, 0)), "The second one: what training follows is lowest at 4 of 8 modes"),
        (((-1, 3, 0), (-3, 1, 0)), "The first one: what training follows is lowest at 1 of 8 modes"),
    ],
    "10.2": [
        (("B", [3.1, 0.0], "e"), "a, b or c (one small letter)"),
        (("b", [-1.5, 1.0], "e"), "the samples' mean is as it was"),
        (("b", [3.1, 1.0], "e"), "Give `lifted` to trained_line; lift the second coordinate alone"),
        (("b", [12.3, 0.0], "e"), "The samples' mean is too high"),
        (("b", [3.1, 0.0], "E"), "d, e or f (one small letter)"),
    ],
    "10.4": [
        ("it works", "Return a dict"),
        ({"question": "?"}, "predicted, margin, seeds, one, other, verdict is missing"),
        (PROJECT | {"question": "I try k."}, "ends with a question mark"),
        (PROJECT | {"predicted": "better"}, 'predicted is "before"'),
        (PROJECT | {"question": "…?"}, "what do you want to know"),
        (PROJECT | {"margin": 0}, "a number above 0"),
        (PROJECT | {"margin": "1"}, "a number above 0"),
        (PROJECT | {"seeds": 4}, "one and other are lists of finite numbers, and seeds is a list, too"),
        (PROJECT | {"one": "8788"}, "lists of finite numbers"),
        (PROJECT | {"one": [8, 7, None, 8]}, "lists of finite numbers"),
        (PROJECT | {"other": [8, 7, float("nan"), 8]}, "lists of finite numbers"),
        (PROJECT | {"seeds": [7, 7, 7, 7]}, "1 seeds tell little"),
        (PROJECT | {"one": [8, 8]}, "4 seeds, and 2 and 4 results; give one of each for every seed"),
        (PROJECT | {"seeds": range(3), "one": [8, 8, 8], "other": [7, 7, 8]}, "3 seeds tell little"),
        (PROJECT | {"verdict": "holds"}, "By the rule the verdict is 'undecided'"),
        (PROJECT | {"one": {"modes": [8]}}, 'take the last look: run(…)["modes"][-1]'),
        (PROJECT | {"predicted": np.array(["alike", "alike"])}, "is of another kind than is asked for"),
        (
            PROJECT | {"predicted": "before", "margin": 0.05, "one": [0.1, 0.12, 0.09, 0.11], "other": [0.5] * 4},
            "of what is better small, such as KL, give minus it",
        ),
    ],
}


@pytest.mark.parametrize("id_", WRONG)
def test_each_wrong_answer_is_told_what_is_wrong_with_it(id_: str):
    each_is_heard(id_, WRONG[id_])


@pytest.mark.parametrize(("id_", "answer", "hint"), [(id_, *row) for id_, rows in JUDGED.items() for row in rows])
def test_each_answer_that_misses_the_goal_is_told_why(id_: str, answer: Any, hint: str):
    said = verdict(find(id_), lambda: answer)
    assert said.startswith("not yet. ")
    assert hint in said


@pytest.mark.parametrize(
    ("id_", "attempt"),
    [
        ("10.3", lambda found: ends(found, right)),
        ("10.4", lambda: PROJECT),
        ("10.4", lambda: PROJECT | {"predicted": "before", "margin": 3, "verdict": "refuted"}),
    ],
)
def test_other_ways_of_being_right_are_right(id_: str, attempt: Callable[..., Any]):
    assert verdict(find(id_), attempt) == "right"


def by_first_seeds(found: dict[str, list[float]]) -> tuple[Any, ...]:
    better, worse = max(found, key=found.__getitem__), min(found, key=found.__getitem__)
    return ends({better: found[better], worse: found[worse]}, right)


def by_largest_t(found: dict[str, list[float]]) -> tuple[Any, ...]:
    def t(pair: tuple[str, str]) -> float:
        return abs(float(stats.ttest_rel(*(found[name] for name in pair)).statistic))

    pair = max(itertools.combinations(found, 2), key=t)
    return ends({name: found[name] for name in pair}, right)


@pytest.mark.parametrize("attempt", [by_first_seeds, by_largest_t])
def test_another_pair_than_that_of_the_largest_difference_is_not_right(attempt: Callable[..., Any]):
    assert verdict(find("10.3"), attempt).startswith("not yet. With input ({'near'")


def test_what_training_keeps_against_the_formula_is_tried(monkeypatch: pytest.MonkeyPatch):
    """c = 0.6, where training wants six modes on paper and the record has eight."""
    monkeypatch.setattr(lesson_10, "STEPS", 10)
    assert "Let c lie nearer to b" in verdict(find("10.1"), lambda: ((-3, 2, 0), (-1, 3, 0)))
    monkeypatch.setattr(lesson_10.mode_counts, "count", lambda *_: [SimpleNamespace(modes=8)] * 8)
    assert verdict(find("10.1"), lambda: ((-3, 2, 0), (-1, 3, 0))) == "right"


def test_a_library_that_lacks_something_is_no_empty_attempt():
    def attempt(found: dict[str, list[float]]) -> None:
        raise NotImplementedError("mean of integers")

    assert "raised NotImplementedError: mean of integers" in verdict(find("10.3"), attempt)


def test_a_goal_that_training_misses_is_told_what_it_found(monkeypatch: pytest.MonkeyPatch):
    """After ten steps nothing is found."""
    monkeypatch.setattr(lesson_10, "STEPS", 10)
    assert "modes, 0 of them all eight. On paper it is right" in verdict(find("10.1"), lambda: ((-3, 1, 0), (-1, 3, 0)))


@pytest.mark.parametrize("coding", [(-3, 1, 0), (3, -1, 0)], ids=["as solved", "mirrored"])
@pytest.mark.parametrize(("full", "said"), [(7, "right"), (6, "modes, 6 of them all eight")])
def test_seven_of_the_goals_eight_seeds_are_enough(
    full: int, said: str, coding: tuple[int, int, int], monkeypatch: pytest.MonkeyPatch
):
    """The solution is trained to the end in `test_exercises.py`."""
    counted = [SimpleNamespace(modes=8)] * full + [SimpleNamespace(modes=7)] * (8 - full)
    monkeypatch.setattr(lesson_10, "STEPS", 10)
    monkeypatch.setattr(lesson_10.mode_counts, "count", lambda *_: counted)
    assert said in verdict(find("10.1"), lambda: (coding, (0, 1, 0)))
