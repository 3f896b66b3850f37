"""The classifier score of images: is each one clearly of some class, and are there many of each class?

Salimans et al. 2016 (sec. 4) ask an Inception network, trained on ImageNet, and call it the Inception score:
exp(E KL(p(y|x) ‖ p(y))), with p(y|x) the classifier's answer to an image and p(y) its mean over all images. The
exponent is H(y) − H(y|x), the mutual information of an image and its class: 0 where all answers are alike, log K where
all are certain and the K classes equally frequent. Here any classifier is asked, and both parts are told.

What it misses: nearly everything. Real images are not looked at. One image of each class, again and again, gets the
highest score, as copies of the training images do; so may noise that a classifier is sure of. What lies beyond its
classes it sorts into them. It is kept since years of papers state it.
"""

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ganlab.errors import ShapeError
from ganlab.metrics.features import answers, require_parts
from ganlab.metrics.points import flat


@dataclass(frozen=True)
class ClassifierScore:
    """A classifier score and its parts.

    value       exp(spread_nats − doubt_nats), from 1 to the number of classes
    spread_nats entropy of the mean answer, H(y): how evenly the classes are hit, 0 … log K
    doubt_nats  mean entropy of an answer, H(y|x): how unsure the classifier is of an image, 0 … log K
    n           how many images; few of them hide classes and make H(y) smaller
    images, classifier   which, in words
    """

    value: float
    spread_nats: float
    doubt_nats: float
    n: int
    images: str
    classifier: str

    def __str__(self) -> str:
        return (
            f"classifier score {self.value:.3f} of {self.images} (exp of {self.spread_nats:.3f} −"
            f" {self.doubt_nats:.3f} nats), n = {self.n:,}, by {self.classifier}"
        )


def score(
    images: Tensor, network: Any, name: str, *, value_range: tuple[float, float] | None = None
) -> ClassifierScore:
    """The classifier score of images [n, C, H, W], of all at once and not of ten parts as in the paper.

    images       uint8, or floating point, which is rounded to 256 levels as in a picture file
    network      an `nn.Module` that maps images to logits [n, K], with `sample_shape` [C, H, W] and `input_range`, such
                 as `models.trained("mnist")`; it is asked in evaluation mode and left as it was
    name         what set of images it is, for the result's text
    value_range  what is black and what is white in floating-point images, as in G's `output_range`

    Raises `ShapeError` for images of another shape or beyond the range, `ConfigError` for another kind of network.
    """
    require_parts(network, "sample_shape", "input_range")
    spread, doubt = entropies(answers(images, network, name, network, value_range))
    return ClassifierScore(math.exp(spread - doubt), spread, doubt, len(images), name, str(network))


def entropies(logits: Tensor) -> tuple[float, float]:
    """H(y) and H(y|x) in nats, of logits [n, K]. Raises `ShapeError` for others, and for fewer than two classes."""
    logits = flat(logits, "logits")
    if logits.shape[1] < 2:
        raise ShapeError(f"logits are {list(logits.shape)}; give [n, classes], two classes at least.")
    p = logits.softmax(dim=1)
    spread = float(torch.special.entr(p.mean(dim=0)).sum())
    doubt = float(torch.special.entr(p).sum(dim=1).mean())
    return max(spread, doubt), doubt  # entropy is concave: what lies below is rounding
