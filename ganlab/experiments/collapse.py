"""Whether a generator of digits learned, collapsed or learned nothing: a rule that was fixed before the runs it judges.

From 2,000 samples, in the features of a classifier that knows digits, against as many test images. The bounds are set
between sets of images that were made for it, on MNIST (precision, digits, apart, distance):

    other real images                        0.87   10   1      0.6   learned
    blurred by 1 pixel                       0.94   10   0.5     24   learned: they can be read
    digits 0 to 4 alone                      0.86    5   1       18   learned
    digits 0 to 2 alone                      0.87    3   1       43   collapsed
    one hundred images over and over         0.91   10   0        5   collapsed, which neither digits nor distance see
    blurred by 1.5 pixels                    1      10   0.4     52   learned nothing
    noise                                    0       1   2      366   learned nothing

The classifier tells nearly all noise to be the same digit, and is sure of it: so digits count only where samples lie
among the real ones. What the rule misses: fewer shapes of each digit than there are, which `recall` shows.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from ganlab.experiments.scored import SEEDS, Yardstick
from ganlab.metrics.features import Features, features_of
from ganlab.metrics.precision_recall import precision_recall
from ganlab.models.classifier import Classifier

State = Literal["learned", "collapsed", "nothing learned", "diverged"]
N = 2000
"""Images of each set."""
RARE = 0.01
"""Of the samples: a digit with fewer does not count."""
FEW_DIGITS, AMONG, NEAR, FAR = 5, 0.5, 0.25, 30.0
"""Fewer digits are a collapse, where the precision is at least `AMONG`; so are samples that lie nearer to each other
than this part of what real images do; and what is at a larger distance than `FAR` is no set of digits."""


@dataclass(frozen=True)
class Seen:
    """What is measured of n samples.

    digits     how many of the classes at least a hundredth of the samples is told to be of
    apart      the median distance, in pixels' values, of a sample to the nearest other one, over that of real images
    spread     the summed variance of the features over that of real images' features
    frechet    the Fréchet distance of the features from those of real images
    precision, recall   as `precision_recall` gives them, against the same real images
    """

    digits: int
    apart: float
    spread: float
    frechet: float
    precision: float
    recall: float


def state(seen: Mapping[str, float]) -> State:
    """What is to be said of samples with these values of `Seen`."""
    one_or_few = seen["digits"] < FEW_DIGITS and seen["precision"] >= AMONG
    if seen["apart"] < NEAR or one_or_few:
        return "collapsed"
    return "learned" if seen["frechet"] <= FAR else "nothing learned"


@dataclass(frozen=True, eq=False)
class Judge:
    """Real images to hold samples against. `apart` is the median distance of one of them to the nearest other one."""

    by: Yardstick
    apart: float

    @classmethod
    def of(cls, shares: Mapping[str, tuple[Tensor, Tensor]], classifier: Classifier) -> "Judge":
        """From the "validation" and the "test" part of the images, as `classifier_mnist.parts` gives them."""
        n = min(N, *(len(shares[part][0]) for part in SEEDS))
        taken = {part: spaced(shares[part][0], n) for part in SEEDS}
        seen = {part: features_of(images, classifier, f"{part} images") for part, images in taken.items()}
        return cls(Yardstick(classifier, **seen), nearest(taken["test"].float() / 255))

    def look(self, samples: Tensor, value_range: tuple[float, float]) -> Seen:
        """Measure samples [m ≥ n, C, H, W]. Raises as `Yardstick.features` does."""
        low, high = value_range
        found = self.by.features(samples, value_range)
        shares = torch.bincount(self.by.answers(found)).double() / len(found)
        real = self.by.test.values
        manifold = precision_recall(found.values, real)
        return Seen(
            digits=int((shares >= RARE).sum()),
            apart=nearest((samples - low) / (high - low)) / self.apart,
            spread=_spread(found) / _spread(self.by.test),
            frechet=self.by.score(found).value,
            precision=manifold.precision,
            recall=manifold.recall,
        )


def spaced(images: Tensor, n: int) -> Tensor:
    """n of the images, at equal distances in their order."""
    return images[:: len(images) // n][:n]


def nearest(images: Tensor) -> float:
    """The median distance between an image of [n, …] and the nearest other one."""
    points = images.flatten(1).double()
    return float(torch.cdist(points, points).fill_diagonal_(torch.inf).min(dim=1).values.median())


def _spread(seen: Features) -> float:
    return float(seen.values.var(dim=0).sum())
