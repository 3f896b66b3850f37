"""Sets of images made from real digits, each with one fault that a generator may have, and what every measure says.

What a measure sees is known for sure only where the fault is known: so each set is made of real images, with one thing
done to it.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ganlab.errors import ConfigError, ShapeError
from ganlab.experiments.gan2014_mnist_anchors import blurred
from ganlab.metrics import classifier_score, frechet, kernel
from ganlab.metrics.features import features_of
from ganlab.metrics.neighbours import copies
from ganlab.metrics.precision_recall import precision_recall

CLASSES, MISSING, COMMON, FEWEST = 10, 4, 1, 3
"""Of the labels; the class that one set lacks, and the one of which another has too many; images of each class."""
NOISE = 0.3
"""Standard deviation of the noise, where white is 1."""
LITTLE = 0.025
"""Of the noise on images that come again and again: points that fall together have balls of no size."""
BLUR = 1 / 12
"""Width of the blur, in sides of the image."""


NAMES = ("none", "collapsed", "memorised", "blurred", "noisy", "class missing", "uneven")
"""Of the faults, "none" for other real images."""


@dataclass(frozen=True)
class Judged:
    """What the measures say of a set.

    frechet, kernel    distances from the reference, in features; `kernel_error` is the second one's standard error
    classifier_score   from 1 to the number of classes
    precision, recall, density, coverage   against the reference, in features
    near, near_in_features   the share of images that lie nearer to a training image than all but 1 % of other real ones
                       do, by their pixels and by their features
    """

    frechet: float
    kernel: float
    kernel_error: float
    classifier_score: float
    precision: float
    recall: float
    density: float
    coverage: float
    near: float
    near_in_features: float


@dataclass(frozen=True, eq=False)
class Real:
    """Real images [·, C, H, W] in [0, 1], drawn apart: n to train on, n as reference, n held out, which say how near to
    the training images others lie, and the others, to make sets of."""

    training: Tensor
    reference: Tensor
    held_out: Tensor
    others: Tensor
    labels: Tensor  # of the others, int64
    n: int

    @classmethod
    def of(cls, images: Tensor, labels: Tensor, n: int) -> "Real":
        """Of images uint8 with their labels 0 … 9. Raises `ConfigError` for an n that is no positive integer,
        `ShapeError` for fewer than 4n images, and for classes of which the others hold fewer than three."""
        if not isinstance(n, int) or isinstance(n, bool) or n < 1:
            raise ConfigError(f"n is {n!r}; give an integer of at least 1.")
        if len(images) < 4 * n or len(labels) != len(images):
            raise ShapeError(
                f"there are {len(images):,} images and {len(labels):,} labels; give at least {4 * n:,} of each, 4n."
            )
        order = torch.randperm(len(images), generator=torch.Generator().manual_seed(0))
        x, y = images[order].float() / 255, labels[order]
        counts = y[3 * n :].bincount(minlength=CLASSES)
        if counts.min() < FEWEST:
            raise ShapeError(
                f"{int(counts.min())} images of class {int(counts.argmin())} are left to make sets of, and {FEWEST} are"
                " needed; give more images."
            )
        return cls(x[:n], x[n : 2 * n], x[2 * n : 3 * n], x[3 * n :], y[3 * n :], n)


def sets(real: Real) -> dict[str, Tensor]:
    """n images each, by the fault that they have."""
    honest = real.others[: real.n]
    ten = torch.stack([real.others[real.labels == y][0] for y in range(CLASSES)])
    noise = torch.randn(honest.shape, generator=torch.Generator().manual_seed(1))
    order = torch.randperm(real.n, generator=torch.Generator().manual_seed(2))
    common, rest = (real.others[at] for at in (real.labels == COMMON, real.labels != COMMON))
    half = real.n // 2
    return {
        "none": honest,
        "collapsed": (_again(ten, real.n) + LITTLE * noise).clamp(0, 1),
        "memorised": real.training,
        "blurred": blurred(honest, BLUR * honest.shape[-1]),
        "noisy": (honest + NOISE * noise).clamp(0, 1),
        "class missing": _again(real.others[real.labels != MISSING], real.n),
        "uneven": torch.cat([_again(common, half), _again(rest, real.n - half)])[order],
    }


def _again(images: Tensor, n: int) -> Tensor:
    """The first n; where there are fewer, again from the first."""
    return images.repeat(-(-n // len(images)), 1, 1, 1)[:n]


def all_judged(real: Real, network: nn.Module) -> dict[str, Judged]:
    """What the measures say of every set, in the features of a classifier such as `models.trained("mnist")`, against
    the reference; copies are looked for among the training images. Raises as the measures do."""

    def seen(images: Tensor) -> Tensor:
        return features_of(images, network, "a set", value_range=(0, 1)).values

    reference, training, unseen = seen(real.reference), seen(real.training), seen(real.held_out)

    def judged(images: Tensor) -> Judged:
        found = seen(images)
        four, apart = precision_recall(found, reference), kernel.estimate(found, reference)
        return Judged(
            frechet=frechet.distance(found, reference),
            kernel=apart.value,
            kernel_error=apart.error,
            classifier_score=classifier_score.score(images, network, "a set", value_range=(0, 1)).value,
            precision=four.precision,
            recall=four.recall,
            density=four.density,
            coverage=four.coverage,
            near=copies(images, real.training, real.held_out).share,
            near_in_features=copies(found, training, unseen).share,
        )

    return {fault: judged(images) for fault, images in sets(real).items()}


MOVED: dict[str, float] = {"classifier_score": 0.2, "precision": 0.05, "recall": 0.05, "coverage": 0.05, "near": 0.05}
"""By how much a measure has to differ from that of other real images to be said to see a fault. The Fréchet distance
has to be more than twice that of real images, the kernel distance more than three of its errors from 0."""
TIMES, ERRORS = 2.0, 3.0
MEASURES = {
    "frechet": "Fréchet distance",
    "kernel": "kernel distance",
    "classifier_score": "classifier score",
    "precision": "precision",
    "recall": "recall",
    "coverage": "coverage",
    "near": "near training images",
}
"""Those of `table`, with their names."""


def seen(judged: dict[str, Judged], fault: str, measure: str) -> bool:
    """Whether a measure tells a set from other real images, by `MOVED`."""
    value, real = (getattr(judged[which], measure) for which in (fault, "none"))
    if measure == "frechet":
        return value > TIMES * real
    if measure == "kernel":
        return abs(value) > ERRORS * judged[fault].kernel_error
    return abs(value - real) > MOVED[measure]


def table(judged: dict[str, Judged]) -> str:
    """All sets and `MEASURES` in Markdown; what a measure sees is bold."""
    lines = [["fault", *MEASURES.values()], ["---"] * (1 + len(MEASURES))]
    for fault, found in judged.items():
        values = {name: f"{getattr(found, name):.2f}" for name in MEASURES}
        lines.append([fault, *(f"**{text}**" if seen(judged, fault, name) else text for name, text in values.items())])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def unknown(real: Real) -> dict[str, Tensor]:
    """Three sets of n images for a reader to find the fault of, each one of `sets` in another strength."""
    ten_more = torch.cat([real.others[real.labels == y][1:3] for y in range(CLASSES)])
    copied = torch.cat([real.training[: real.n // 2], real.others[: real.n - real.n // 2]])
    noise = torch.randn(copied.shape, generator=torch.Generator().manual_seed(1))
    order = torch.randperm(real.n, generator=torch.Generator().manual_seed(2))
    return {
        "A": copied[order],
        "B": _again(real.others[real.labels != 7], real.n),
        "C": (_again(ten_more, real.n) + LITTLE * noise).clamp(0, 1)[order],
    }


UNKNOWN = {"A": "memorised", "B": "class missing", "C": "collapsed"}
"""What is wrong with them."""
