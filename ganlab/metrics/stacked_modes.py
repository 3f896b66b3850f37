"""Counting the thousand modes of stacked MNIST: which of its classes a generator makes, and how evenly.

The measure of Metz et al. 2017 as VEEGAN and PacGAN use it (Srivastava et al. 2017; Lin et al. 2018): of 26,000 samples
a classifier of digits looks at each colour channel alone; its three digits are the sample's class, red before green
before blue. Counted are the classes with at least one sample, and KL(shares of the classes ‖ uniform).

Two things to hold beside a KL. Draws of the uniform law itself have one, as their shares differ by chance: the anchor
of counting, 0.0193 nats for 26,000. And the digits of MNIST are not equally frequent, so that real images have a little
more, 0.004 to 0.005: `real_anchor`. No generator that has learned its data is expected below that.

What it misses: any image counts as some class, a blur, too; and within a class all images may be the same.
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ganlab.errors import ConfigError, ShapeError
from ganlab.metrics.features import answers, require_parts
from ganlab.metrics.points import flat

PROTOCOL_SAMPLES = 26_000
DIGITS, CHANNELS = 10, 3
MODES = DIGITS**CHANNELS


@dataclass(frozen=True)
class StackedModes:
    """What was counted.

    modes          how many of the 1,000 classes have at least one sample
    kl_nats        KL(shares of the classes ‖ uniform) in nats: 0 … log 1000 = 6.91, where all samples are of one class
    n              how many samples; compare at equal n alone
    counting_nats  the KL that n draws of the uniform law are expected to have
    classifier     who told the digits apart, in words
    """

    modes: int
    kl_nats: float
    n: int
    counting_nats: float
    classifier: str

    def __str__(self) -> str:
        return (
            f"{self.modes:,} of {MODES:,} modes, KL {self.kl_nats:.4f} nats (from counting alone"
            f" {self.counting_nats:.4f}), n = {self.n:,}, told apart by {self.classifier}"
        )


@dataclass(frozen=True)
class RealAnchor:
    """What real images get, for a generator's to be held against.

    by_labels      counted by their own labels
    by_classifier  counted as generated images are
    wrong          of how many of them the classifier tells a digit wrong, as a share, 0 … 1
    """

    by_labels: StackedModes
    by_classifier: StackedModes
    wrong: float


def stacked_modes(images: Tensor, network: Any, *, value_range: tuple[float, float] | None = None) -> StackedModes:
    """Count the modes of images [n, 3, H, W]. Compare with published numbers at n = `PROTOCOL_SAMPLES` alone.

    images       uint8, or floating point, which is rounded to 256 levels as in a picture file
    network      an `nn.Module` that maps grey images [n, 1, H, W] to logits [n, 10], with `sample_shape` [1, H, W] and
                 `input_range`, such as `models.trained("mnist")`; it is asked in evaluation mode and left as it was
    value_range  what is black and what is white in floating-point images, as in G's `output_range`

    Raises `ShapeError` for images of another shape or beyond the range, `ConfigError` for another kind of network.
    """
    return _counted(classes_of(images, network, value_range=value_range), str(network))


def real_anchor(images: Tensor, labels: Tensor, network: Any, *, n: int = PROTOCOL_SAMPLES) -> RealAnchor:
    """What the first n real images uint8 [N, 3, H, W] with labels int64 [N], 0 … 999, get under the same protocol.

    Such as those of `data.load("stacked-mnist", split="test")`, whose digits a generator was not shown. Raises
    `ShapeError` for fewer images and for labels that are not theirs, `ConfigError` for an n that is no positive
    integer, else as `stacked_modes` does.
    """
    _require_positive(n)
    if len(labels) != len(images) or len(images) < n:
        raise ShapeError(f"there are {len(images):,} images and {len(labels):,} labels; give at least {n:,} of each.")
    told, labels = classes_of(images[:n], network), labels[:n].cpu()
    if labels.is_floating_point() or labels.ndim != 1 or labels.min() < 0 or labels.max() >= MODES:
        raise ShapeError(
            f"labels are {labels.dtype} {list(labels.shape)}; give one integer in 0 … {MODES - 1} for each."
        )
    wrong = float((told != labels).double().mean())
    return RealAnchor(_counted(labels, "their labels"), _counted(told, str(network)), wrong)


def classes_of(images: Tensor, network: Any, *, value_range: tuple[float, float] | None = None) -> Tensor:
    """The class of each image [n, 3, H, W], int64 [n] on the CPU, 0 … 999: 100 times the digit in red, plus 10 times
    that in green, plus that in blue. Arguments and errors are those of `stacked_modes`."""
    require_parts(network, "sample_shape", "input_range")
    if not isinstance(images, Tensor) or images.ndim != 4 or images.shape[1] != CHANNELS:
        given = list(images.shape) if isinstance(images, Tensor) else f"a {type(images).__name__}"
        raise ShapeError(f"images are {given}; give a tensor of colour images [n, 3, H, W].")
    number = torch.zeros(len(images), dtype=torch.long)
    for channel in images.split(1, dim=1):  # [n, 1, H, W]
        logits = flat(answers(channel, network, "channels", network, value_range), "logits of channels")
        if logits.shape[1] != DIGITS:
            raise ConfigError(f"network gives {logits.shape[1]} logits; give a classifier of the {DIGITS} digits.")
        number = DIGITS * number + logits.argmax(dim=1)
    return number


def counting_nats(n: int) -> float:
    """The expected KL(shares ‖ uniform) of n draws from the uniform law over the 1,000 classes, about 999/2n, in nats.

    The expectation is exact: a class of share k/n adds k/n · log(1000 k/n), and a sample's class holds, besides it, a
    binomial number of the n − 1 others. For 26,000 draws 0.0193, with a standard deviation of √(2·999)/2n = 0.0009.
    """
    _require_positive(n)
    others = torch.arange(n, dtype=torch.float64)
    law = torch.distributions.Binomial(n - 1, torch.tensor(1 / MODES, dtype=torch.float64))
    return float((law.log_prob(others).exp() * (MODES * (1 + others) / n).log()).sum())


def _require_positive(n: int) -> None:
    if not isinstance(n, int) or isinstance(n, bool) or n < 1:
        raise ConfigError(f"n is {n!r}; give an integer of at least 1.")


def _counted(classes: Tensor, classifier: str) -> StackedModes:
    n = len(classes)
    shares = torch.bincount(classes, minlength=MODES).double() / n
    kl = max(0.0, float(torch.special.xlogy(shares, MODES * shares).sum()))  # rounding may go below 0
    return StackedModes(int((shares > 0).sum()), kl, n, counting_nats(n), classifier)
