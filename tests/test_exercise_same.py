"""What counts as the same answer, where it is easy to be too generous or too strict."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import sympy as sp
import torch

from ganlab import exercises
from ganlab.exercises import given, same

n, m = sp.Symbol("n", integer=True), sp.Symbol("m", positive=True)


@pytest.mark.parametrize(
    ("answer", "wanted"),
    [(2.5 * n, n), (0.5 * n, m / 2 + 1), (7.5 * n, 2 * m), (2.0 * m**2 / n, 2 * m), (1.5 * m, m), (0.5 * n, sp.pi)],
    ids=str,
)
def test_a_decimal_beside_a_whole_number_is_not_let_through(answer: sp.Expr, wanted: sp.Expr):
    assert not same(answer, wanted)


@pytest.mark.parametrize(("answer", "wanted"), [(0.5 * n, n / 2), (n * 1.0, n), (0.5 * m, m / 2)], ids=str)
def test_a_decimal_is_its_fraction(answer: sp.Expr, wanted: sp.Expr):
    assert same(answer, wanted)


@pytest.mark.parametrize("answer", [10**400, [torch.ones(2, requires_grad=True)] * 2, "1", None, {"a": 1}], ids=repr)
def test_what_is_no_number_is_wrong_and_no_error(answer: Any):
    assert not same(answer, 1.0)


def test_names_out_of_an_array_are_names():
    assert same(np.array(["a", "b"])[1], "b")
    assert not same(np.array(["a", "b"])[0], "b")


@pytest.mark.parametrize("values", [{400: 8, 401: 8}, {8, 7}, "88", [8, "7"], [math.nan], 8])
def test_only_a_list_of_numbers_is_one(values: Any):
    assert given.finite(values) is None


def swapped(table: list[list[int]]) -> int:
    return int(np.array(table).max(axis=0).min())


def digits_lost(t: float) -> float:
    return float(np.log(1 - 1 / (1 + np.exp(-t)))) if t < 30 else -t


def digits_lost_too(t: float) -> float:
    return -math.log(1 + math.exp(t)) if t < 700 else -t


def kept(t: float) -> float:
    return -math.log1p(math.exp(t)) if t < 30 else -t


@pytest.mark.parametrize(
    ("exercise", "answer", "said"),
    [
        ("01.4", swapped, "G picks a row"),
        ("04.4", digits_lost, "not yet"),
        ("04.4", digits_lost_too, "not yet"),
        ("04.4", kept, "right"),
        ("06.3", lambda: ("c", 8 * math.log(2), "e"), "log 256"),
        ("06.3", lambda: ("c", math.log(255), "e"), "right"),
    ],
)
def test_answers_that_are_nearly_right_are_told_from_right_ones(exercise: str, answer: Callable[..., Any], said: str):
    assert said in exercises.verdict(exercises.find(exercise), answer)


def test_the_reference_answers_are_right():
    for name in ("01.4", "04.4", "06.3"):
        one = exercises.find(name)
        assert exercises.verdict(one, one.answer) == "right"
