"""What readers break on purpose: what comes out, computed in another way, and what is said of wrong answers."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import sympy as sp
import torch
from scipy.integrate import quad
from scipy.stats import norm

from ganlab.exercises import broken, find, verdict


def kl_to_the_middle(mu: float) -> tuple[float, float]:
    """KL(p_g‖m) and KL(p_d‖m), two bells at μ and 0, m halfway between the laws."""
    p_g, p_d = norm(mu).pdf, norm(0).pdf

    def kl(density: Callable[[float], float]) -> float:
        return quad(lambda x: density(x) * math.log(2 * density(x) / (p_g(x) + p_d(x))), -12, 13)[0]

    return kl(p_g), kl(p_d)


def share_of_the_pull(mu: float) -> float:
    (g_after, d_after), (g_before, d_before) = kl_to_the_middle(mu + 0.01), kl_to_the_middle(mu - 0.01)
    return (g_after - g_before) / (g_after + d_after - g_before - d_before)


def training_over_criterion(a: float, b: float, c: float, w: float) -> float:
    """For two letters of ½ each, by differences: the D of training stays as it is best at w, that of C moves along."""

    def paid(by: list[float], w: float, answered_at: float) -> float:
        """½(D − c)² over the letters, weighted, where D is best against the share `answered_at`."""
        best = [(b * 0.5 + a * share) / (0.5 + share) for share in (1 - answered_at, answered_at)]
        return sum(weight * (D - c) ** 2 / 2 for weight, D in zip(by or [1 - w, w], best, strict=True))

    high, low = w + 1e-5, w - 1e-5
    training = paid([], high, w) - paid([], low, w)
    criterion = [paid([], at, at) + paid([0.5, 0.5], at, at) for at in (low, high)]
    return training / (criterion[1] - criterion[0])


def nats_per_pixel(factor: float) -> float:
    """What one bell in 9 dimensions loses when all lengths are so many times as large."""
    x, centre = np.linspace(0, 1, 9), np.linspace(1, 0.2, 9)
    scores = [norm(by * centre, by * 0.3).logpdf(by * x).sum() for by in (1, factor)]
    return (scores[0] - scores[1]) / 9


def test_what_comes_out_is_right():
    assert [share_of_the_pull(mu) for mu in (0.5, 1, 3)] == pytest.approx([0.5] * 3, rel=1e-6)
    assert [training_over_criterion(1, 0, 1, w) for w in (0.1, 0.25, 0.4)] == pytest.approx([-1] * 3, rel=1e-6)
    assert nats_per_pixel(255) == pytest.approx(math.log(255))


@pytest.mark.parametrize(
    ("id_", "answer"),
    [
        ("04.3", (share_of_the_pull(1), "b")),
        ("04.3", [torch.tensor(0.5), "b"]),
        ("04.3", (0.5, "b")),
        ("05.3", "ab"),
        ("06.3", (torch.tensor(5.5413), "b")),
        ("06.3", (5.54, "b")),
        ("09.3", (sp.Integer(-1), "b")),
        ("09.3", (training_over_criterion(1, 0, 1, 0.25), "b")),
    ],
)
def test_right_answers(id_: str, answer: Any):
    assert verdict(find(id_), lambda: answer) == "right"


WRONG: dict[str, list[tuple[Any, str]]] = {
    "04.3": [
        ((1.0, "a"), "Its gradient must reach `mean`"),
        ((0.0, "c"), "Something is left"),
        ((2.0, "b"), "other way round"),
        ((1.33, "b"), "the non-saturating loss"),
        ((0.199, "b"), "the slope itself"),
        ((0.398, "b"), "the frozen slope"),
        ((0.5, "a"), "holds for the whole of V"),
        ((0.5, "c"), "Half of the pull is left"),
        ((0.5, "d"), "The frozen D saturates just as much"),
    ],
    "05.3": [
        ("cb", "adam_D moves D's weights alone"),
        ("db", "Without detach() in D's turn: It runs"),
        ("bb", "Compare its weights with those of the plain loop"),
        ("aa", "With detach() in G's turn: Compare G's weights with its first ones"),
        ("ac", "Nothing tells G anything"),
        ("ad", "in D's weights. But adam_G moves G's alone"),
        ("ba", "The other way round"),
        ("cd", "adam_D moves D's weights alone"),
        ("a", "Return two letters"),
        ("ax", "With detach() in G's turn: The reason is one of the letters a, b, c, d."),
        (0, "Return two letters"),
    ],
    "06.3": [
        ((0, "d"), "the score is not"),
        ((-5.54, "b"), "Mind the sign"),
        ((64 * 5.5413, "b"), "Divide by its pixels"),
        ((784 * 5.5413, "b"), "Divide by its pixels"),
        ((math.log2(255), "b"), "in bits"),
        ((math.log10(255), "b"), "powers of 10"),
        ((2 * math.log(255), "b"), "not σ²"),
        ((5.54, "a"), "the exponent −r²/(2σ²) is what it was"),
        ((5.54, "c"), "nothing is rounded"),
        ((5.54, "d"), "255 times as wide"),
    ],
    "09.3": [
        ((1, "a"), "Mind the sign"),
        ((0, "c"), "is not 0"),
        ((training_over_criterion(0, 1, 1, 0.25), "b"), "where c is swapped along"),
        ((training_over_criterion(1, 0, 0, 0.25), "b"), "So it is for (0, 1, 1)"),
        ((sp.Rational(32, 225), "b"), "That is training's slope"),
        ((-sp.Rational(32, 225), "b"), "That is the slope of C"),
        ((-1, "a"), "What training follows does not"),
        ((-1, "c"), "below c wherever there are data"),
        ((-1, "d"), "from 1 over 0"),
    ],
}


@pytest.mark.parametrize(("id_", "answer", "hint"), [(id_, *pair) for id_, pairs in WRONG.items() for pair in pairs])
def test_wrong_answers_hear_what_is_wrong(id_: str, answer: Any, hint: str):
    said = verdict(find(id_), lambda: answer)
    assert said.startswith("not yet. ")
    assert hint in said


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (0.5, "Give two things"),
        ((0.5, "b", "b"), "Give two things"),
        ("5b", "Give two things"),
        (("half", "b"), "The first thing is the number that came out, not 'half'."),
        ((sp.Symbol("x"), "b"), "The first thing is the number"),
        ((0.5, 2), "The reason is one of the letters a, b, c, d."),
        ((0.5, "e"), "The reason is one of the letters a, b, c, d."),
        ((0.75, "b"), "0.75 is not what comes out. Make this one change, run it, and look."),
        ((0.51, "b"), "0.51 is not what comes out."),
    ],
)
def test_answers_of_other_kinds_are_told_what_is_asked(answer: Any, hint: str):
    assert verdict(find("04.3"), lambda: answer).startswith(f"not yet. {hint}")


def test_what_is_read_from_a_screen_is_near_enough():
    judge = broken.outcome(100.0, {"a": ""}, [(0, "nothing")])
    assert [judge((number, "a")) for number in (99.2, 100.8)] == ["", ""]
    assert judge((98.8, "a")) == "98.8 is not what comes out. Make this one change, run it, and look."
    assert judge((1e-9, "a")) == "nothing"
