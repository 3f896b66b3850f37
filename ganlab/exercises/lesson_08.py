"""Exercises of lesson 08: the floor, a label's maps, a direction in z, a fair probe, who copies, one corner of z."""

from functools import cache
from typing import Any

import numpy as np
import sympy as sp
import torch
from torch import Tensor

from ganlab import data
from ganlab.exercises import Exercise
from ganlab.exercises.broken import Broken
from ganlab.exercises.given import finite
from ganlab.exercises.lesson_08_generators import copier, prepared_generators, shares_of_copies, which_copies
from ganlab.models import latent

m, sigma = sp.symbols("m sigma", positive=True)
SIZE, CLASSES = 4, 3
DIGITS = torch.tensor([2, 0, 1, 2])
OWN, SHOWN, HELD_OUT = 100, 500, 250
"""Images of each generator, training images and held-out ones that an attempt to tell copies is given."""
PLACES = (0, 1, 1, 0)
"""Which of the two copies, time after time."""
TIMES, NEAR = 2, 0.05
"""From how many times as large a distance on it has broken, and how near to its mean that of many z lies."""


def _maps(y: Tensor, size: int = SIZE) -> Tensor:
    """[n, CLASSES, size, size], ones in the map of each label."""
    return torch.eye(CLASSES)[y][:, :, None, None].expand(-1, -1, size, size)


def _draws(seed: int) -> tuple[Tensor, Tensor]:
    """z [20, 3], and a number for each that is large for none of the reasons that its length is."""
    source = torch.Generator().manual_seed(seed)
    return torch.randn(20, 3, generator=source), torch.randn(20, generator=source)


def _ends(z: Tensor, measured: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """The z of the k largest and of the k smallest measured values."""
    order = measured.argsort()
    return z[order[-k:]], z[order[:k]]


def _halves(z: Tensor, measured: Tensor, middle: float) -> Tensor:
    above = measured > middle
    return z[above].mean(dim=0) - z[~above].mean(dim=0)


def _of_unit_length(vector: Tensor) -> Tensor:
    return vector / vector.norm()


VALIDATION = np.array([[88.0, 91.0, 90.0, 85.0], [93.0, 94.0, 94.5, 92.0]])
TEST = np.array([[87.0, 89.0, 90.5, 86.0], [92.0, 94.1, 93.2, 92.5]])
"""Accuracies in per cent of the untrained and the trained D (rows) for four C (columns): the best C on test images is
another than on validation images for both."""


def _gain(chosen_by: np.ndarray, judged: np.ndarray) -> float:
    best = chosen_by.argmax(axis=1)
    untrained, trained = judged[[0, 1], best]
    return float(trained - untrained)


@cache
def _pairs() -> tuple[tuple[Tensor, ...], ...]:
    """Images of both generators, the training images and held-out ones, floats in [0, 1], for each of `PLACES`."""
    images = data.load("digits").images
    training, held_out = images[:SHOWN], images[SHOWN : SHOWN + HELD_OUT]
    both = prepared_generators(training, seed=0)
    both = both if copier(0) == 0 else both[::-1]
    return tuple(
        tuple(part.float() / 255 for part in (first(OWN, seed), second(OWN, seed), training, held_out))
        for seed, place in enumerate(PLACES)
        for first, second in [both if place == 0 else both[::-1]]
    )


def _fault_of_corner(came: Any) -> str:
    """For the mean of z, and how many times as large the distance is as with z between −1 and 1."""
    numbers = finite(came)
    if numbers is None or len(numbers) != 2:
        return "What came of it is `came`: the mean of z, and how many times as large the distance is."
    mean, times = numbers
    broke = times >= TIMES
    if abs(mean) < NEAR and broke:
        return "z is around 0 as before, only nearer to it: that is another change. Forget `* 2 - 1`, all of it."
    if abs(mean - 0.5) < NEAR:
        return "" if broke else "z has changed, the distance has not: score what G makes of this z, made_of(z)."
    slips = {
        0.0: "Nothing broke yet: forget `* 2 - 1`, all of it.",
        1.0: "That forgets `- 1` alone: z is from 0 to 2. Forget `* 2`, too.",
        -0.5: "That forgets `* 2` alone: z is from −1 to 0. Forget `- 1`, too.",
    }
    other = f"The mean of z is {mean:.2f} there. Between 0 and 1 it is ½: forget `* 2 - 1`, and leave all else."
    return next((hint for at, hint in slips.items() if abs(mean - at) < NEAR), other)


EXERCISES = (
    Exercise(
        "08.1",
        answer=lambda: 2 * sigma**2 / m,
        mistakes=(
            (lambda: sigma**2 / m, "That is the variance of one mean. Both move, each for itself: variances add up."),
            (lambda: sp.Integer(0), "0 is the mean of x̄ − x̄′. Its square is never negative, and hardly ever 0."),
            (
                lambda: 2 * sigma**2,
                "That is for single numbers. A mean of m of them has a variance that is m times less.",
            ),
            (
                lambda: 2 * sigma**2 / m**2,
                "The sum of m has the variance mσ². Its m-th part has mσ²/m²: one m is left.",
            ),
            (
                lambda: sp.sqrt(2 * sigma**2 / m),
                "That is how far they are apart, in the mean square. Wanted is the square.",
            ),
            (lambda: sp.sqrt(2) * sigma / m, "That is no square: a squared distance has σ²."),
            (lambda: 4 * sigma**2 / m, "That counts the factor 2 twice: var(x̄) + var(x̄′), each σ²/m."),
            (lambda: sigma**2 / (2 * m), "Two sets of m are not one of 2m: their means are subtracted, not averaged."),
            (lambda: 2 * sigma / m, "The variance is σ². σ is the standard deviation."),
            (lambda: 2 * sigma**2 / sp.sqrt(m), "The standard deviation of a mean falls like √m, its variance like m."),
        ),
    ),
    Exercise(
        "08.2",
        answer=lambda y: _maps(y),
        inputs=((DIGITS,), (torch.tensor([1]),)),
        mistakes=(
            (
                lambda y: torch.eye(CLASSES)[y],
                "These are the numbers for G, one for each class. D wants a map of size × size for each of them.",
            ),
            (
                lambda y: y[:, None, None, None].float().expand(-1, 1, SIZE, SIZE),
                "One map full of y says that a 2 is twice a 1. Give each class a map of its own.",
            ),
            (
                lambda y: y[:, None, None, None].float().expand(-1, CLASSES, SIZE, SIZE),
                "Only the map of the label is full, of ones. All others hold zeros.",
            ),
            (
                lambda y: _maps(y).permute(0, 2, 3, 1),
                "The order of an image's dimensions in PyTorch: number, maps, rows, columns.",
            ),
            (lambda y: _maps(y).transpose(0, 1), "The first dimension counts the images, the second the maps."),
            (lambda y: 1 - _maps(y), "Turned round: ones in the label's own map, zeros in the others."),
            (
                lambda y: torch.eye(CLASSES)[y - 1][:, :, None, None].expand(-1, -1, SIZE, SIZE),
                "Labels begin with 0: label 0 has the first map.",
            ),
            (
                lambda y: torch.eye(CLASSES)[y][:, :, None, None],
                "Each map is still one number. expand(-1, -1, size, size) repeats it over the image.",
            ),
        ),
    ),
    Exercise(
        "08.3",
        answer=latent.direction,
        inputs=(_draws(0), _draws(1)),
        mistakes=(
            (
                lambda z, measured: -latent.direction(z, measured),
                "That points to less of it: argsort begins with the smallest value.",
            ),
            (lambda z, measured: latent.direction(z, measured, 1), "That is one sample at each end. Take four."),
            (lambda z, measured: latent.direction(z, measured, 3), "That is three at each end. Take four."),
            (
                lambda z, measured: _halves(z, measured, float(measured.median())),
                "These are the halves above and below the middle. Take the four at either end.",
            ),
            (
                lambda z, measured: _halves(z, measured, float(measured.mean())),
                "These are all above and all below the mean. Take the four at either end.",
            ),
            (
                lambda z, measured: _of_unit_length(latent.direction(z, measured)),
                "Leave its length: that of the mean difference is how far the ends lie apart.",
            ),
            (
                lambda z, measured: 4 * latent.direction(z, measured),
                "That is the difference of the sums. Take means: divide by 4.",
            ),
            (
                lambda z, measured: _ends(z, measured, 4)[0].mean(dim=0),
                "That is where much of it lies. The way there begins where there is little: subtract that mean.",
            ),
            (
                lambda z, measured: _ends(z, measured, 4)[0] - _ends(z, measured, 4)[1],
                "These are four differences. Take the mean of each four first, over dim=0.",
            ),
            (
                lambda z, _: z.sort(dim=0).values[-4:].mean(dim=0) - z.sort(dim=0).values[:4].mean(dim=0),
                "That sorts z itself, each number alone. Sort what was measured, and take the z of those samples.",
            ),
            (
                lambda z, measured: latent.direction(z, measured).mean(),
                "That is one number. A direction has as many as z: take the mean over the samples alone, dim=0.",
            ),
            (
                lambda _, measured: measured.sort().values[-4:].mean() - measured.sort().values[:4].mean(),
                "That is how far the measured values lie apart. Wanted is the way in z.",
            ),
        ),
    ),
    Exercise(
        "08.4",
        answer=lambda validation, test: _gain(validation, test),
        inputs=((VALIDATION, TEST), (VALIDATION[:, ::-1] - 1, TEST + 1)),
        mistakes=(
            (
                lambda _, test: _gain(test, test),
                "That chooses C on the test images, which makes both numbers too good. Choose on validation images.",
            ),
            (
                lambda validation, _: _gain(validation, validation),
                "That is the accuracy on the images that chose C. Report that on test images.",
            ),
            (lambda validation, test: -_gain(validation, test), "Mind the sign: trained minus untrained."),
            (
                lambda validation, test: test[1, validation[1].argmax()] - test[0, validation[1].argmax()],
                "Each network gets its own best C: that of the trained one may be bad for the other.",
            ),
            (
                lambda validation, test: test[1, validation[0].argmax()] - test[0, validation[0].argmax()],
                "Each network gets its own best C: that of the untrained one may be bad for the other.",
            ),
            (
                lambda validation, test: test[1, validation[1].argmax()],
                "That is what the trained D reaches. How much of it needs no training? Subtract the untrained one's.",
            ),
            (
                lambda _, test: (test[1] - test[0]).max(),
                "That picks the C with the largest gain, by test images. Choose each network's C on validation images.",
            ),
            (
                lambda validation, _: (validation[1] - validation[0]).max(),
                "That is the largest gain on validation images. They choose each network's C; report on test images.",
            ),
            (
                lambda _, test: (test[1] - test[0]).mean(),
                "That is the mean over all C. One is chosen for each network, on validation images.",
            ),
            (
                lambda validation, test: test[[0, 1], validation.argmax(axis=1)],
                "These are the two accuracies. Return their difference.",
            ),
        ),
    ),
    Exercise(
        "08.5",
        answer=which_copies,
        inputs=_pairs(),
        mistakes=(
            (lambda *_: 0, "That names the first, whatever it is given: here the order changes from pair to pair."),
            (lambda *_: 1, "That names the second, whatever it is given: here the order changes from pair to pair."),
            (
                lambda *sets: 1 - which_copies(*sets),
                "That names the one that did not copy. Either the comparison is turned round, or the plain distance has"
                " fooled you: a copy moved by a pixel is far from its original. Move the training images, too.",
            ),
            (shares_of_copies, "These are the shares of near ones. Return 0 or 1, the number of the copying one."),
            (lambda *sets: bool(which_copies(*sets)), "Return a number, 0 or 1: int(…) makes one of a truth value."),
            (lambda *sets: which_copies(*sets) + 1, "The first has the number 0, the second 1."),
            (
                lambda *sets: ("first", "second")[which_copies(*sets)],
                "Return a number: 0 for the first, 1 for the second.",
            ),
        ),
    ),
    Exercise(
        "08.6",
        answer=lambda: ("b", [0.5, 8.0], "e"),
        judge=Broken(
            outcomes="abc",
            outcome="b",
            fault=_fault_of_corner,
            reasons={
                "d": "They are as long as before: the mean of u² is ⅓ from 0 to 1, and from −1 to 1, too.",
                "e": "",
                "f": "G is in evaluation mode: it takes running averages, whatever is in the batch (lesson 07).",
            },
        ),
    ),
)
