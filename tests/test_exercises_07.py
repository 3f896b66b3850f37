"""Lesson 07's exercises done wrong as readers do: each wrong answer gets the hint that names the mistake."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import sympy as sp
from attempts import each_is_heard
from torch import nn

from ganlab.exercises import find, verdict
from ganlab.models.base import init_normal

Delta, epsilon = sp.Symbol("Delta", positive=True), sp.Symbol("epsilon", positive=True)
g_1, g_2 = sp.symbols("g_1 g_2")
below = Delta**2 + 4 * epsilon


def broken(
    up: tuple[nn.Module, ...] = (nn.BatchNorm2d(8), nn.ReLU()),
    end: nn.Module | None = None,
    down: tuple[nn.Module, ...] = (nn.LeakyReLU(0.2),),
    last: tuple[nn.Module, ...] = (nn.Conv2d(16, 1, 4),),
    z: int = 32,
    leak: float = 0.2,
) -> tuple[nn.Module, nn.Module]:
    """The pair that the exercise gives, repaired but for what is said."""
    grow = nn.ConvTranspose2d(z, 16, 4), nn.BatchNorm2d(16), nn.ReLU(), nn.ConvTranspose2d(16, 8, 4, 2, 1)
    G = nn.Sequential(nn.Unflatten(1, (z, 1, 1)), *grow, *up, nn.ConvTranspose2d(8, 1, 4, 2, 1), end or nn.Tanh())
    shrink = nn.Conv2d(8, 16, 4, 2, 1), nn.BatchNorm2d(16), nn.LeakyReLU(leak)
    D = nn.Sequential(nn.Conv2d(1, 8, 4, 2, 1), *down, *shrink, *last, nn.Flatten(0))
    init_normal(G)
    init_normal(D)
    return G, D


def not_drawn() -> tuple[nn.Module, nn.Module]:
    G, D = broken()
    for layer in (m for network in (G, D) for m in network.modules() if isinstance(m, nn.Conv2d | nn.ConvTranspose2d)):
        layer.reset_parameters()
    return G, D


def too_large() -> tuple[nn.Module, nn.Module]:
    twice = nn.BatchNorm2d(8), nn.ReLU(), nn.ConvTranspose2d(8, 8, 4, 2, 1), nn.BatchNorm2d(8), nn.ReLU()
    return broken(up=twice)


def fully_connected() -> tuple[nn.Module, ...]:
    hidden = nn.Linear(256, 32), nn.BatchNorm1d(32), nn.LeakyReLU(0.2)
    return nn.Flatten(), *hidden, nn.Linear(32, 1)


WRONG: dict[str, list[tuple[Callable[..., Any], str]]] = {
    "07.1": [
        (lambda n: ((n + 4 - 5) / 2 + 1 + 2 - 4) / 2 + 1, "round down"),
        (lambda n: math.ceil(n / 4), "rounds down: a position where the kernel sticks out"),
        (lambda n: (((n + 4 - 5) // 2) + 2 - 4) // 2, "add 1, in both layers"),
        (lambda n: ((n + 2 - 5) // 2 + 1 + 1 - 4) // 2 + 1, "count the padding at both ends of both layers, 2p"),
        (lambda n: (n - 1) // 2 + 1, "after the first of the two layers"),
        (lambda n: ((n - 5) // 2 + 1 - 4) // 2 + 1, "Mind the padding: it is added on both sides"),
        (lambda n: ((n + 2 - 4) // 2 + 1 + 4 - 5) // 2 + 1, "kernel 5 comes first"),
        (lambda n: ((n - 1) * 2 - 4 + 5 - 1) * 2 - 2 + 4, "the way up"),
        (lambda n: n // 4, "Each layer rounds for itself"),
        (lambda n: 0.25 * n, "A size is a whole number"),
        (lambda n: (n + 2 - 4) // 2 + 1, "That is the second layer alone"),
        (lambda n: ((n - 1) // 2 + 1, ((n - 1) // 2 + 1) // 2), "Return one number"),
    ],
    "07.2": [
        (lambda: (4, 2, 1), "That makes 14 places of 7"),
        (lambda: (4, 4, 0), "each place hears of one input only"),
        (lambda: (6, 4, 1), "4 does not divide 6"),
        (lambda: (4, 8, 2), "their order is not: kernel, stride, padding"),
        (lambda: (5, 4, 0, 1), "Give three integers"),
        (lambda: (np.int64(6), np.int64(4), np.int64(1)), "4 does not divide 6"),
        (lambda: (8, 4, -2), "a padding at least 0"),
    ],
    "07.3": [
        (not_drawn, "1 still broken: initialisation. To begin with: G's weights (1) have a standard deviation of"),
        (lambda: broken(down=(nn.BatchNorm2d(8), nn.LeakyReLU(0.2))), "follows D's first layer"),
        (lambda: broken(up=(nn.ReLU(),)), "no batch norm follows G's transposed convolution"),
        (lambda: broken(leak=0.01), "has slope 0.01"),
        (lambda: broken(end=nn.Sigmoid()), "G ends in sigmoid"),
        (
            lambda: broken(last=fully_connected()),
            "1 still broken: no hidden fully connected layer. To begin with:",
        ),
        (lambda: broken()[::-1], "and G comes first"),
        (lambda: broken(z=100), "G takes z of 32 numbers"),
        (too_large, "G makes images [1, 32, 32] of z; keep them [1, 16, 16]"),
        (lambda: broken()[0], "Give both networks"),
    ],
    "07.4": [
        (lambda: 4 * epsilon * g_1 / below ** sp.Rational(3, 2), "The other output moves, too"),
        (lambda: (g_1 - g_2) / sp.sqrt(below), "use the quotient rule"),
        (lambda: g_1 / sp.sqrt(Delta**2 / 4 + epsilon), "mean and spread for constants"),
        (lambda: 4 * epsilon * (g_2 - g_1) / below ** sp.Rational(3, 2), "That is the slope in x₂"),
        (lambda: (g_1 - g_2) * sp.diff(Delta / sp.sqrt(Delta**2 / 4 + epsilon), Delta), "x₁ lies Δ/2 from the mean"),
        (
            lambda: (g_1 - g_2) * sp.diff(Delta / 2 / sp.sqrt(Delta**2 / 2 + epsilon), Delta),
            "divides the sum of squares by 2",
        ),
        (lambda: (g_1 - g_2) * epsilon / below ** sp.Rational(3, 2), "A 4 is missing"),
        (lambda: 4 * epsilon * (g_1 - g_2) / sp.sqrt(below), "Mind the power"),
        (lambda: 4 * epsilon * (g_1 - g_2) / below, "Mind the power"),
        (lambda: (g_1 - g_2) * (1 + Delta**2 / below) / sp.sqrt(below), "Mind the sign in the quotient"),
        (lambda: 4 * epsilon / below ** sp.Rational(3, 2), "That is the slope of y₁"),
        (lambda: 0, "That is the answer for ε = 0"),
        (lambda: 4 * epsilon * (g_1 + g_2) / below ** sp.Rational(3, 2), "Mind the sign of the second output"),
        (lambda: 2 * epsilon * (g_1 - g_2) / below ** sp.Rational(3, 2), "Twice that"),
        (lambda: (g_1 - Delta**2 / below * (g_1 - g_2) / 2) / sp.sqrt(below / 4), "ḡ has to be subtracted"),
    ],
}


@pytest.mark.parametrize("id_", WRONG)
def test_each_wrong_answer_is_told_what_is_wrong_with_it(id_: str):
    each_is_heard(id_, WRONG[id_])


@pytest.mark.parametrize(
    ("id_", "attempt"),
    [
        ("07.1", lambda n: ((n - 1) // 2 + 1) // 2),
        ("07.2", lambda: [12, 4, 4]),
        ("07.3", broken),
        ("07.4", lambda: 4 * epsilon * (g_1 - g_2) / (sp.sqrt(below) * below)),
    ],
)
def test_other_ways_of_being_right_are_right(id_: str, attempt: Callable[..., Any]):
    assert verdict(find(id_), attempt) == "right"
