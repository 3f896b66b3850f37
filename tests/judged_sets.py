"""Sets of images made from real digits, each with one fault that a generator may have, and what every measure says."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ganlab.experiments.gan2014_mnist_anchors import blurred
from ganlab.metrics import frechet
from ganlab.metrics.features import features_of
from ganlab.metrics.neighbours import copies
from ganlab.metrics.precision_recall import precision_recall

MISSING = 4
NOISE = 0.3
"""Standard deviation of the noise, where white is 1."""


@dataclass(frozen=True)
class Judged:
    """What the measures say. `near` and `near_in_features` are shares of the copy check, of real images 0.01."""

    frechet: float
    precision: float
    recall: float
    density: float
    coverage: float
    near: float
    near_in_features: float


@dataclass(frozen=True, eq=False)
class Real:
    """Real images in [0, 1], drawn apart: n to train on, n as reference, and others to make sets of."""

    training: Tensor
    reference: Tensor
    others: Tensor
    labels: Tensor  # of the others
    n: int

    @classmethod
    def of(cls, images: Tensor, labels: Tensor, n: int) -> "Real":
        order = torch.randperm(len(images), generator=torch.Generator().manual_seed(0))
        x, y = images[order].float() / 255, labels[order]
        return cls(x[:n], x[n : 2 * n], x[2 * n :], y[2 * n :], n)


def sets(real: Real) -> dict[str, Tensor]:
    """n images each, by the fault that they have."""
    honest = real.others[: real.n]
    ten = torch.stack([real.others[real.labels == y][0] for y in range(10)])
    noise = torch.randn(honest.shape, generator=torch.Generator().manual_seed(1))
    sigma = honest.shape[-1] / 12
    return {
        "none": honest,
        "collapsed": ten.repeat(-(-real.n // 10), 1, 1, 1)[: real.n],
        "memorised": real.training,
        "blurred": blurred(honest, sigma),
        "noisy": (honest + NOISE * noise).clamp(0, 1),
        "class missing": real.others[real.labels != MISSING][: real.n],
    }


def all_judged(real: Real, network: nn.Module) -> dict[str, Judged]:
    """What the measures say of every set, against the reference; copies are looked for among the training images."""
    held_out = real.others[-real.n :]

    def seen(images: Tensor) -> Tensor:
        return features_of(images, network, "a set", value_range=(0, 1)).values

    reference, training, unseen = seen(real.reference), seen(real.training), seen(held_out)

    def judged(images: Tensor) -> Judged:
        found = seen(images)
        four = precision_recall(found, reference)
        return Judged(
            frechet=frechet.distance(found, reference),
            precision=four.precision,
            recall=four.recall,
            density=four.density,
            coverage=four.coverage,
            near=copies(images, real.training, held_out).share,
            near_in_features=copies(found, training, unseen).share,
        )

    return {fault: judged(images) for fault, images in sets(real).items()}
