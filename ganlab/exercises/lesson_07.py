"""Exercises of lesson 07: a size, a kernel that overlaps evenly, a DCGAN to repair, a gradient, a batch of two."""

from typing import Any

import numpy as np
import sympy as sp
import torch
from torch import nn

from ganlab.errors import GanlabError
from ganlab.exercises import Exercise
from ganlab.models import DCGANDiscriminator, DCGANGenerator
from ganlab.models.guidelines import check
from ganlab.theory.convolution import output_size, transposed_size
from ganlab.theory.normalisation import batch, epsilon, normalise

delta = sp.Symbol("Delta", positive=True)
g_1, g_2 = batch(2, "g")
SMALL, LARGE = 7, 28
Z_DIM = 32


def _judge_kernel(answer: Any) -> str:
    """Whether (kernel, stride, padding) takes 7 places to 28 and overlaps evenly, with more than one entry at each."""
    numbers = tuple(answer) if isinstance(answer, tuple | list) else ()
    if len(numbers) != 3 or not all(isinstance(a, int) and not isinstance(a, bool) for a in numbers):
        return "Give three integers: return (kernel, stride, padding)."
    kernel, stride, padding = numbers
    if kernel < 1 or stride < 1 or padding < 0:
        return "A kernel and a stride are at least 1, a padding at least 0."
    size = transposed_size(SMALL, kernel, stride, padding)
    if size != LARGE:
        return f"That makes {size} places of {SMALL}, by (n − 1)·s − 2p + k."
    if kernel % stride:
        return f"The size is right. But {stride} does not divide {kernel}: some places get more entries than others."
    if kernel == stride:
        return "The size is right and the overlap even. But each place hears of one input only: take a larger kernel."
    return ""


def _judge_repaired(answer: Any) -> str:
    """What the check still finds in a pair (G, D)."""
    if not (isinstance(answer, tuple | list) and len(answer) == 2 and all(isinstance(a, nn.Module) for a in answer)):
        return "Give both networks: return G, D."
    try:
        report = check(*answer, z=torch.randn(4, Z_DIM, generator=torch.Generator().manual_seed(0)))
    except GanlabError as error:
        return str(error)
    faults = [f"{finding.guideline}: {finding.said}" for finding in report.findings if finding.kept is not True]
    return f"{len(faults)} still broken. {faults[0]}." if faults else ""


def _correlation(batches: np.ndarray, of_rows: bool = True, spread: bool = True, axis: int = 1) -> float:
    """Of numbers with their normalised values: by rows, as asked, or with one of the usual mistakes."""
    options = {"axis": axis, "keepdims": True} if of_rows else {}
    centred = batches - batches.mean(**options)
    normalised = centred / batches.std(**options) if spread else centred
    return float(np.corrcoef(batches.ravel(), normalised.ravel())[0, 1])


def _draws(size: int) -> np.ndarray:
    return np.random.default_rng(0).normal(size=(4000 // size, size))


def _output() -> sp.Expr:
    return normalise([delta, sp.Integer(0)])[0]


EXERCISES = (
    Exercise(
        "07.1",
        answer=lambda n: output_size(output_size(n, 5, 2, 2), 4, 2, 1),
        inputs=((28,), (30,), (31,), (64,)),
        mistakes=(
            (lambda n: n / 4, "A size is a whole number: the floor decides where the kernel does not come out even."),
            (lambda n: n // 4, "Each layer rounds for itself: of 31 places the first makes 16, not 15."),
            (lambda n: -(-n // 4), "⌊…⌋ rounds down: a position where the kernel sticks out does not count."),
            (lambda n: output_size(output_size(n, 5, 2, 2), 4, 2, 1) - 1, "Positions are counted from 0: add 1."),
            (lambda n: output_size(output_size(n, 5, 2), 4, 2), "Mind the padding: it is added on both sides."),
            (lambda n: output_size(output_size(n, 5, 2, 1), 4, 2), "The padding stands on both sides: 2p."),
            (lambda n: output_size(n, 5, 2, 2), "That is the size after the first of the two layers."),
        ),
    ),
    Exercise("07.2", answer=lambda: (8, 4, 2), judge=_judge_kernel),
    Exercise(
        "07.3", answer=lambda: (DCGANGenerator(16, 1, 8, Z_DIM), DCGANDiscriminator(16, 1, 8)), judge=_judge_repaired
    ),
    Exercise(
        "07.4",
        answer=lambda: (g_1 - g_2) * sp.diff(_output(), delta),
        mistakes=(
            (lambda: g_1 * sp.diff(_output(), delta), "The other output moves, too: y₂ = −y₁."),
            (lambda: (g_1 + g_2) * sp.diff(_output(), delta), "Mind the sign of the second output: y₂ = −y₁."),
            (
                lambda: (g_1 - g_2) / sp.sqrt(delta**2 + 4 * epsilon),
                "That holds the denominator fixed. It changes with Δ as well: use the quotient rule.",
            ),
            (lambda: sp.Integer(0), "That is the answer for ε = 0. Keep ε."),
        ),
    ),
    Exercise(
        "07.5",
        answer=_correlation,
        inputs=tuple((_draws(size),) for size in (2, 4, 16)),
        mistakes=(
            (
                lambda batches: _correlation(batches, of_rows=False),
                "That gives 1. Normalise each row by itself (axis=1), then correlate all numbers at once: ravel.",
            ),
            (
                lambda batches: _correlation(batches, axis=0),
                "A row is one batch: take mean and spread along axis=1.",
            ),
            (
                lambda batches: _correlation(batches, spread=False),
                "Only the mean is taken away. Divide by the spread of the batch, too.",
            ),
        ),
    ),
)
