"""Exercises of lesson 07: a size, a kernel that overlaps evenly, a DCGAN to repair, a gradient, batches of two."""

import itertools
from typing import Any

import numpy as np
import sympy as sp
import torch
from torch import nn

from ganlab.errors import GanlabError
from ganlab.exercises import Exercise
from ganlab.exercises.broken import Broken
from ganlab.exercises.outcomes import near
from ganlab.models import DCGANDiscriminator, DCGANGenerator
from ganlab.models.guidelines import check
from ganlab.models.traced import trace
from ganlab.theory.convolution import output_size, transposed_size
from ganlab.theory.normalisation import batch, epsilon, normalise

delta = sp.Symbol("Delta", positive=True)
g_1, g_2 = batch(2, "g")
SMALL, LARGE = 7, 28
Z_DIM, IMAGES = 32, (1, 16, 16)


def _judge_kernel(answer: Any) -> str:
    """Whether (kernel, stride, padding) takes 7 places to 28 and overlaps evenly, with more than one entry at each."""
    numbers = tuple(answer) if isinstance(answer, tuple | list) else ()
    if len(numbers) != 3 or not all(isinstance(a, int | np.integer) and not isinstance(a, bool) for a in numbers):
        return "Give three integers: return (kernel, stride, padding)."
    kernel, stride, padding = map(int, numbers)
    if fault := _fault_of_kernel(kernel, stride, padding):
        others = [order for order in itertools.permutations((kernel, stride, padding)) if not _fault_of_kernel(*order)]
        return "The numbers are right, their order is not: kernel, stride, padding." if others else fault
    return ""


def _fault_of_kernel(kernel: int, stride: int, padding: int) -> str:
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
    G, D = answer
    z = torch.randn(4, Z_DIM, generator=torch.Generator().manual_seed(0))
    try:
        made = trace(G, z, name="G").output.shape[1:]
        if made != IMAGES:
            return f"G makes images {list(made)} of z; keep them {list(IMAGES)}."
        report = check(G, D, z=z)
    except GanlabError as error:
        return f"G takes z of {Z_DIM} numbers, D the images of G, and G comes first: {error}"
    faults = [finding for finding in report.findings if finding.kept is not True]
    names = ", ".join(finding.guideline for finding in faults)
    return f"{len(faults)} still broken: {names}. To begin with: {faults[0].said}." if faults else ""


def _halved(size: Any, kernel: int, padded: int) -> Any:
    """The size after a convolution with stride 2 and so many zeros at both ends together."""
    return (size + padded - kernel) // 2 + 1


OF_TWO, OF_SIXTEEN = 0.568, 0.952
"""What batches of two and of 16 normal numbers keep: the correlation with what was normalised."""
ROOT = sp.sqrt(delta**2 + 4 * epsilon)
SLOPE = sp.diff(normalise([delta, sp.Integer(0)])[0], delta)
"""Of y₁ in x₁: 4ε / ROOT³."""


EXERCISES = (
    Exercise(
        "07.1",
        answer=lambda n: output_size(output_size(n, 5, 2, 2), 4, 2, 1),
        inputs=((28,), (29,), (30,), (31,), (64,)),
        mistakes=(
            (lambda n: n / 4, "A size is a whole number: the floor decides where the kernel does not come out even."),
            (lambda n: n / 4 + 0.25, "A size is a whole number: round down (//) after each division by the stride."),
            (lambda n: n // 4, "Each layer rounds for itself: of 31 places the first makes 16, not 15."),
            (lambda n: -(-n // 4), "⌊…⌋ rounds down: a position where the kernel sticks out does not count."),
            (
                lambda n: _halved(_halved(n, 5, 4), 4, 2) - 1,
                "One too few: add 1 for the first position, and count the padding at both ends of both layers, 2p.",
            ),
            (lambda n: _halved(_halved(n, 5, 4) - 1, 4, 2) - 1, "Positions are counted from 0: add 1, in both layers."),
            (lambda n: _halved(_halved(n, 5, 0), 4, 0), "Mind the padding: it is added on both sides."),
            (lambda n: _halved(_halved(n, 4, 2), 5, 4), "The layer with kernel 5 comes first: the order matters."),
            (lambda n: _halved(n, 5, 4), "That is the size after the first of the two layers."),
            (lambda n: _halved(n, 4, 2), "That is the second layer alone: it takes what the first one makes."),
            (
                lambda n: (_halved(n, 5, 4), _halved(_halved(n, 5, 4), 4, 2)),
                "Return one number, the size after both layers.",
            ),
            (
                lambda n: transposed_size(transposed_size(n, 5, 2, 2), 4, 2, 1),
                "That is the way up, of transposed convolutions. These two layers shrink the map.",
            ),
        ),
    ),
    Exercise("07.2", answer=lambda: (8, 4, 2), judge=_judge_kernel),
    Exercise(
        "07.3", answer=lambda: (DCGANGenerator(16, 1, 8, Z_DIM), DCGANDiscriminator(16, 1, 8)), judge=_judge_repaired
    ),
    Exercise(
        "07.4",
        answer=lambda: (g_1 - g_2) * SLOPE,
        mistakes=(
            (lambda: g_1 * SLOPE, "The other output moves, too: y₂ = −y₁."),
            (lambda: (g_1 + g_2) * SLOPE, "Mind the sign of the second output: y₂ = −y₁."),
            (lambda: (g_2 - g_1) * SLOPE, "That is the slope in x₂. A larger x₁ means a larger Δ."),
            (
                lambda: (g_1 - g_2) / ROOT,
                "That holds the denominator fixed. It changes with Δ as well: use the quotient rule.",
            ),
            (lambda: 2 * g_1 / ROOT, "That takes the batch's mean and spread for constants. x₁ moves both."),
            (
                lambda: 2 / ROOT * (g_1 - delta**2 / ROOT**2 * (g_1 - g_2) / 2),
                "That takes the mean for a constant. It moves with x₁: ḡ has to be subtracted.",
            ),
            (
                lambda: (g_1 - g_2) * (1 / ROOT + delta**2 / ROOT**3),
                "Mind the sign in the quotient rule: a larger denominator makes y₁ smaller.",
            ),
            (lambda: (g_1 - g_2) * SLOPE * ROOT, "Mind the power of Δ² + 4ε: a root to the third is 3/2."),
            (lambda: (g_1 - g_2) * SLOPE * ROOT**2, "Mind the power of Δ² + 4ε: a root to the third is 3/2."),
            (lambda: (g_1 - g_2) * SLOPE / 4, "A 4 is missing: the variance is Δ²/4, so with ε it is (Δ² + 4ε)/4."),
            (lambda: 2 * (g_1 - g_2) * SLOPE, "x₁ lies Δ/2 from the mean, not Δ: half of that."),
            (
                lambda: (g_1 - g_2) * SLOPE / 2,
                "Twice that: Δ grows by all that x₁ does, and no mean is taken of g_1 and g_2.",
            ),
            (
                lambda: (g_1 - g_2) * sp.diff(delta / sp.sqrt(2 * delta**2 + 4 * epsilon), delta),
                "Batch norm divides the sum of squares by 2, the size of the batch, not by 1: the variance is Δ²/4.",
            ),
            (lambda: SLOPE, "That is the slope of y₁. The loss feels it through g_1, and that of y₂ through g_2."),
            (lambda: sp.Integer(0), "That is the answer for ε = 0. Keep ε."),
        ),
    ),
    Exercise(
        "07.5",
        answer=lambda: ("b", OF_TWO, "e"),
        judge=Broken(
            outcomes="abc",
            outcome="b",
            fault=near(
                OF_TWO,
                (
                    (OF_SIXTEEN, "Nothing broke yet: that is for batches of 16. Let each hold 2 numbers."),
                    (0.797, "These are batches of 4. Let each hold 2 numbers."),
                    (1, "That is with all numbers in one batch, or with columns: a row holds 2, and axis=1 stays."),
                    (0.707, "There only the mean is taken away. Leave the division as it is."),
                ),
                "kept",
                "That comes of another change. Let each batch hold 2 numbers (not 1), and leave all else.",
            ),
            reasons={
                "d": "Add 1e-5 under the root: nothing changes. What comes out is 1 or −1, however near the two are.",
                "e": "",
                "f": "Take 100,000 batches: it comes out alike. How sure the mean is does not matter.",
            },
        ),
    ),
)
