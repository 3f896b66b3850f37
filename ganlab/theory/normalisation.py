"""Batch norm (Ioffe & Szegedy 2015) on one unit: a batch of numbers, its output, its gradient, its running averages.

A unit sees one number of each sample; in a convolutional network one of each sample and each place of its map. In
training batch norm subtracts their mean and divides by √(variance + ε); the variance here is the mean square distance
from the mean, s², not the unbiased one.
"""

from collections.abc import Sequence
from typing import Any

import sympy as sp

epsilon = sp.Symbol("epsilon", positive=True)
"""What keeps the denominator from 0: 10⁻⁵ in PyTorch."""
gain, shift = sp.Symbol("gamma", real=True), sp.Symbol("beta", real=True)
"""What batch norm learns: its output has mean β and a standard deviation of about |γ|."""
momentum = sp.Symbol("rho", positive=True)
"""The share of a new batch in the running averages: 0.1 in PyTorch."""


def batch(size: int, name: str = "x") -> list[sp.Symbol]:
    """Symbols for the numbers that a unit sees, x_1 … x_size."""
    return list(sp.symbols(f"{name}_1:{size + 1}", real=True))


def mean(xs: Sequence[Any]) -> Any:
    """Of the batch."""
    return sp.Add(*xs) / len(xs)


def variance(xs: Sequence[Any]) -> Any:
    """Mean square distance from the mean."""
    middle = mean(xs)
    return sp.Add(*((x - middle) ** 2 for x in xs)) / len(xs)


def normalise(xs: Sequence[Any], eps: Any = epsilon, gamma: Any = 1, beta: Any = 0) -> list[Any]:
    """What batch norm makes of a batch in training."""
    middle, spread = mean(xs), sp.sqrt(variance(xs) + eps)
    return [gamma * (x - middle) / spread + beta for x in xs]


def gradient(xs: Sequence[Any], slopes: Sequence[Any], eps: Any = epsilon, gamma: Any = 1) -> list[Any]:
    """∂L/∂x from the slopes g_i = ∂L/∂y_i: γ/√(s² + ε) · (g_i − mean(g) − x̂_i · mean(g·x̂)), x̂ the normalised batch."""
    hats, spread = normalise(xs, eps), sp.sqrt(variance(xs) + eps)
    along = mean([g * hat for g, hat in zip(slopes, hats, strict=True)])
    middle = mean(slopes)
    return [gamma / spread * (g - middle - hat * along) for g, hat in zip(slopes, hats, strict=True)]


def running(first: Any, value: Any, batches: Any) -> Any:
    """A running average after so many batches of one and the same value: the first one fades like (1 − ρ)ᵗ."""
    return value + (1 - momentum) ** batches * (first - value)
