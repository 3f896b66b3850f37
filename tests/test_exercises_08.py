"""Lesson 08's exercises done wrong as readers do: each wrong answer gets the hint that names the mistake."""

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import sympy as sp
import torch
from attempts import each_is_heard
from torch import Tensor
from torch.nn import functional as F

from ganlab.exercises import find, verdict

m, sigma = sp.symbols("m sigma", positive=True)


def one_hot(y: Tensor) -> Tensor:
    return F.one_hot(y, 3).float()


def maps(y: Tensor) -> Tensor:
    full = torch.zeros(len(y), 3, 4, 4)
    full[torch.arange(len(y)), y] = 1
    return full


def sorted_by(z: Tensor, measured: Tensor) -> Tensor:
    return torch.stack([row for _, row in sorted(zip(measured.tolist(), z, strict=True), key=lambda pair: pair[0])])


def ends(z: Tensor, measured: Tensor, k: int = 4) -> Tensor:
    rows = sorted_by(z, measured)
    return rows[-k:].mean(dim=0) - rows[:k].mean(dim=0)


def about_the_mean(z: Tensor, measured: Tensor) -> Tensor:
    more = [*(measured > measured.mean())]
    sides = ([one for one, side in zip(z, more, strict=True) if side == wanted] for wanted in (True, False))
    above, below = (torch.stack(side).mean(dim=0) for side in sides)
    return above - below


def upper_half(z: Tensor, measured: Tensor) -> Tensor:
    rows = sorted_by(z, measured)
    return rows[len(rows) // 2 :].mean(dim=0) - rows[: len(rows) // 2].mean(dim=0)


def of(accuracies: np.ndarray, *which: int) -> np.ndarray:
    return np.array([row[i] for row, i in zip(accuracies, which, strict=True)])


def plain_distance(images: Tensor, others: Tensor) -> Tensor:
    return torch.cdist(images.flatten(1), others.flatten(1)).min(dim=1).values


def after_moves(images: Tensor, others: Tensor) -> Tensor:
    """The same, where the images may be moved by a pixel each way."""
    moves = itertools.product((-1, 0, 1), repeat=2)
    return torch.stack([plain_distance(images.roll(move, (2, 3)), others) for move in moves]).amin(dim=0)


def near_shares(first: Tensor, second: Tensor, training: Tensor, held_out: Tensor) -> tuple[float, ...]:
    """What is compared in the end, with the training images moved, black coming in."""
    moves = itertools.product((-1, 0, 1), repeat=2)
    everywhere = torch.cat([F.pad(training, (right, -right, down, -down)) for right, down in moves])
    line = plain_distance(held_out, everywhere).quantile(0.01)
    return tuple(float((plain_distance(images, everywhere) < line).float().mean()) for images in (first, second))


def by_share(first: Tensor, second: Tensor, training: Tensor, held_out: Tensor) -> int:
    line = after_moves(held_out, training).quantile(0.01)
    near = [(after_moves(images, training) < line).float().mean() for images in (first, second)]
    return int(near[1] > near[0])


WRONG: dict[str, list[tuple[Callable[..., Any], str]]] = {
    "08.1": [
        (lambda: sigma**2 / m, "Both move, each for itself"),
        (lambda: 0, "0 is the mean of x̄ − x̄′"),
        (lambda: 2 * sigma**2, "That is for single numbers"),
        (lambda: 2 * m * sigma**2 / m**3, "one m is left"),
        (lambda: sigma * sp.sqrt(2 / m), "in the mean square"),
        (lambda: sigma * sp.sqrt(2) / m, "That is no square"),
        (lambda: (2 * sigma) ** 2 / m, "counts the factor 2 twice"),
        (lambda: sigma**2 / (2 * m), "their means are subtracted, not averaged"),
        (lambda: 2 * sigma / m, "σ is the standard deviation"),
        (lambda: 2 * sigma**2 / sp.sqrt(m), "its variance like m"),
    ],
    "08.2": [
        (one_hot, "These are the numbers for G"),
        (lambda y: torch.ones(len(y), 1, 4, 4) * y[:, None, None, None], "says that a 2 is twice a 1"),
        (lambda y: torch.ones(len(y), 3, 4, 4) * y[:, None, None, None], "All others hold zeros"),
        (lambda y: one_hot(y)[:, None, None].expand(-1, 4, 4, -1), "number, maps, rows, columns"),
        (lambda y: torch.stack([*maps(y)], dim=1), "The first dimension counts the images"),
        (lambda y: (maps(y) == 0).float(), "Turned round"),
        (lambda y: maps((y + 2) % 3), "Labels begin with 0"),
        (lambda y: one_hot(y).reshape(-1, 3, 1, 1), "Each map is still one number"),
    ],
    "08.3": [
        (lambda z, measured: -ends(z, measured), "That points to less of it"),
        (lambda z, measured: z[measured.argmax()] - z[measured.argmin()], "one sample at each end"),
        (lambda z, measured: ends(z, measured, 3), "three at each end"),
        (upper_half, "halves above and below the middle"),
        (about_the_mean, "all above and all below the mean"),
        (lambda z, measured: F.normalize(ends(z, measured), dim=0), "Leave its length"),
        (lambda z, measured: 4 * ends(z, measured), "difference of the sums"),
        (lambda z, measured: z[measured.topk(4).indices].mean(dim=0), "subtract that mean"),
        (lambda z, measured: sorted_by(z, measured)[-4:] - sorted_by(z, measured)[:4], "four differences"),
        (lambda z, _: z.sort(dim=0).values[-4:].mean(dim=0) - z.sort(dim=0).values[:4].mean(dim=0), "sorts z itself"),
        (lambda z, measured: ends(z, measured).mean(), "That is one number"),
        (
            lambda _, measured: measured.topk(4).values.mean() - (-measured).topk(4).values.mul(-1).mean(),
            "how far the measured values lie apart",
        ),
    ],
    "08.4": [
        (lambda _, test: test[1].max() - test[0].max(), "chooses C on the test images"),
        (lambda validation, _: validation[1].max() - validation[0].max(), "Report that on test images"),
        (lambda validation, test: -np.diff(of(test, *validation.argmax(1)))[0], "trained minus untrained"),
        (lambda validation, test: np.diff(test[:, validation[1].argmax()])[0], "that of the trained one may be bad"),
        (lambda validation, test: np.diff(test[:, validation[0].argmax()])[0], "that of the untrained one may be bad"),
        (lambda validation, test: test[1, validation[1].argmax()], "How much of it needs no training"),
        (lambda _, test: np.diff(test, axis=0).max(), "picks the C with the largest gain"),
        (lambda validation, _: np.diff(validation, axis=0).max(), "largest gain on validation images"),
        (lambda _, test: np.diff(test, axis=0).mean(), "the mean over all C"),
        (lambda validation, test: of(test, *validation.argmax(1)), "Return their difference"),
    ],
    "08.5": [
        (lambda *_: 0, "That names the first, whatever it is given"),
        (lambda *_: 1, "That names the second, whatever it is given"),
        (
            lambda first, second, training, _: int(
                plain_distance(second, training).mean() < plain_distance(first, training).mean()
            ),
            "the plain distance has fooled you",
        ),
        (
            lambda first, second, training, held_out: int(
                (plain_distance(second, training) < plain_distance(held_out, training).quantile(0.01)).sum()
                > (plain_distance(first, training) < plain_distance(held_out, training).quantile(0.01)).sum()
            ),
            "Move the training images, too",
        ),
        (near_shares, "These are the shares of near ones"),
        (lambda *sets: 1 - by_share(*sets), "Either the comparison is turned round"),
        (lambda *sets: bool(by_share(*sets)), "Return a number, 0 or 1"),
        (lambda *sets: 1 + by_share(*sets), "The first has the number 0"),
        (lambda *sets: ["first", "second"][by_share(*sets)], "0 for the first, 1 for the second"),
    ],
}


@pytest.mark.parametrize("id_", WRONG)
def test_each_wrong_answer_is_told_what_is_wrong_with_it(id_: str):
    each_is_heard(id_, WRONG[id_])


@pytest.mark.parametrize(
    ("id_", "attempt"),
    [
        ("08.1", lambda: sigma**2 / m + sigma**2 / m),
        ("08.2", maps),
        ("08.2", lambda y: one_hot(y).repeat_interleave(16, dim=1).view(-1, 3, 4, 4)),
        ("08.3", ends),
        ("08.4", lambda validation, test: float(np.diff(of(test, *validation.argmax(1)))[0])),
        ("08.5", by_share),
    ],
)
def test_other_ways_of_being_right_are_right(id_: str, attempt: Callable[..., Any]):
    assert verdict(find(id_), attempt) == "right"
