"""How much of the classes lies open in features? A linear classifier on few labels tells.

Radford, Metz & Chintala 2015 (sec. 5) train a linear L2-SVM on what their discriminator makes of images. Its accuracy
says little of its own: hold it against that of raw pixels, and of a network of the same make that nobody trained.

Features are divided by one number, the root mean square of those that it trains on: so C means about the same for all
kinds of them. They are not centred, as the authors' are not, because liblinear punishes the constant, too: with a small
C, centred features would be at a disadvantage.
"""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import Tensor

from ganlab.errors import ConfigError, ShapeError
from ganlab.metrics.points import flat, require_labels, require_same_dim

AUTHORS_C = (1e-4, 2e-4, 5e-4, 1e-3, 2e-3, 5e-3, 1e-2)
"""Among these the paper's authors choose, in the code that they published for SVHN."""
C_VALUES = (*AUTHORS_C, 2e-2, 5e-2, 0.1, 0.2, 0.5, 1.0)
MOST_ROUNDS = 1000
"""Passes over the labelled points within which the solver has to come to its end."""
Part = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True)
class Probe:
    """What a linear classifier makes of features.

    accuracy    the share of test points that it tells right, 0 … 1
    C           how much its mistakes weighed against its weights, chosen by the accuracy on the validation points
    n           labelled points that it was trained on
    features    numbers per point
    validation  the accuracy on the validation points, 0 … 1: the best of all C
    unfinished  the first C, if any, with which the solver did not come to its end; it and larger ones were left out
    """

    accuracy: float
    C: float
    n: int
    features: int
    validation: float
    unfinished: float | None = None

    def __str__(self) -> str:
        return (
            f"{100 * self.accuracy:.1f} % right by an L2-SVM (C = {self.C:g}) on {self.features:,} features of"
            f" {self.n:,} labelled images"
        )


def linear_probe(
    train: Tensor,
    train_labels: Tensor,
    validation: Tensor,
    validation_labels: Tensor,
    test: Tensor,
    test_labels: Tensor,
) -> Probe:
    """Train a linear L2-SVM (squared hinge, one class against the rest) and judge it on points that it was not shown.

    train, validation, test   points [n, …], floating point: pixels in one range, or features of one network
    …_labels                  integers [n], the class of each

    C is chosen by the validation points among the authors' seven values and six larger ones, the smallest of equally
    good ones; nothing of the test points is looked at before. The same input gives the same result. Raises `ShapeError`
    for points of unlike or other shapes, not finite or all 0, for labels that are not one integer for each, and for
    less than two classes; `ConfigError` where the solver comes to its end with no C.
    """
    points, labels = (train, validation, test), (train_labels, validation_labels, test_labels)
    known, chosen_by, judged = _parts(points, labels)
    if len(np.unique(known[1])) < 2:
        raise ShapeError("train_labels are all of one class; give points of at least two.")
    best, accuracy, unfinished = _best(known, chosen_by, C_VALUES)
    return Probe(
        accuracy=float(best.score(*judged)),
        C=best.C,
        n=len(known[0]),
        features=known[0].shape[1],
        validation=accuracy,
        unfinished=unfinished,
    )


def _parts(points: Sequence[Tensor], labels: Sequence[Tensor]) -> list[Part]:
    """Points, scaled by the first part, and labels, as arrays."""
    names = ("train", "validation", "test")
    sets = {name: flat(x, name) for name, x in zip(names, points, strict=True)}
    require_same_dim(**sets)
    scale = sets["train"].square().mean().sqrt()
    if not scale:
        raise ShapeError("train holds zeros alone; give features that tell points apart.")
    classes = [require_labels(y, sets[name], f"{name}_labels") for name, y in zip(names, labels, strict=True)]
    return [((x / scale).numpy(), y.numpy()) for x, y in zip(sets.values(), classes, strict=True)]


def _best(known: Part, chosen_by: Part, values: Sequence[float]) -> tuple[Any, float, float | None]:
    """The classifier that does best on `chosen_by`, its accuracy there, and the C with which none came to an end."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.svm import LinearSVC

    best, accuracy = None, -1.0
    for C in values:
        classifier = LinearSVC(C=C, dual=True, max_iter=MOST_ROUNDS, random_state=0)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error", ConvergenceWarning)
                classifier.fit(*known)
        except ConvergenceWarning:
            if best is None:
                raise ConfigError(f"the SVM did not come to its end with C = {C:g}; give fewer features.") from None
            return best, accuracy, C  # the larger C, the longer it takes
        if (score := float(classifier.score(*chosen_by))) > accuracy:
            best, accuracy = classifier, score
    return best, accuracy, None
