"""classifier-mnist: the network whose features generated digits are compared in, trained from three seeds.

Of the training images the first five sixths are for training and the others, 10,000, for choosing; the test images are
looked at once, by the trained networks. What was tried is written below.
"""

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from ganlab import data
from ganlab.experiments.study import Preset, Record, Row, Study, one_per_seed
from ganlab.experiments.tables import mean_and_range
from ganlab.experiments.units import Unit
from ganlab.models.classifier import Classifier, ClassifierInfo, digest, packed
from ganlab.training.checkpoint import write_whole
from ganlab.training.randomness import forked, generator

CPU = torch.device("cpu")
AT_ONCE = 1000


@dataclass(frozen=True)
class Setting:
    """How a classifier is trained: Adam, with a rate that rises over a quarter of the run and then falls to 0.

    width  maps of the first convolution
    shift  by how many pixels an image is moved at most, each way, each time that it is shown
    rate   the highest learning rate
    """

    width: int
    shift: int
    batch: int
    rate: float


MNIST = Setting(width=16, shift=2, batch=128, rate=5e-3)


def parts(images: str, root: Path | None = None) -> dict[str, tuple[Tensor, Tensor]]:
    """Images and labels to train on (the first five sixths), to choose by (the other sixth), and to test on."""
    given, test = data.load(images, root=root), data.load(images, split="test", root=root)
    kept = len(given) * 5 // 6
    return {
        "training": (given.images[:kept], given.labels[:kept]),
        "validation": (given.images[kept:], given.labels[kept:]),
        "test": (test.images, test.labels),
    }


def train(
    images: Tensor,
    labels: Tensor,
    setting: Setting,
    *,
    seed: int,
    epochs: float,
    told: Any = lambda _done, _network: None,
) -> Classifier:
    """A classifier of uint8 images [N, C, side, side] with labels [N], in evaluation mode.

    Its features are scaled so that over these images their variances sum to their number: a distance in them means the
    same for each seed and each set. `told` is given how much is done, and the network, after each epoch.
    """
    with forked(CPU, seed):
        network = Classifier(images.shape[2], images.shape[1], int(labels.max()) + 1, setting.width)
    network = network.to(memory_format=torch.channels_last)
    x = scaled(images)
    batches = len(x) // setting.batch
    steps = round(epochs * batches)
    optimiser = torch.optim.Adam(network.parameters(), fused=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, setting.rate, total_steps=steps, pct_start=0.25)
    order = torch.empty(0)
    for step in range(steps):
        if step % batches == 0:
            order = torch.randperm(len(x), generator=generator(CPU, seed, 0, step, "order"))
        chosen = order[(step % batches) * setting.batch :][: setting.batch]
        shown = moved(x[chosen], setting.shift, generator(CPU, seed, 0, step, "shift"))
        loss = F.cross_entropy(network(shown), labels[chosen])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
        if (step + 1) % batches == 0 or step + 1 == steps:
            told((step + 1) / steps, network.eval())
            network.train()
    network = network.to(memory_format=torch.contiguous_format).eval()
    found = torch.cat([network.features(part).detach() for part in x.split(AT_ONCE)])
    network.scale_features(float(found.double().var(dim=0).mean().rsqrt()))
    return network


def scaled(images: Tensor) -> Tensor:
    """Images of bytes as numbers in [−1, 1]."""
    return images.float() / 127.5 - 1


def moved(x: Tensor, most: int, drawn: torch.Generator) -> Tensor:
    """Images [batch, C, H, W], each moved by up to so many pixels each way; what comes in at the edges is black."""
    height, width = x.shape[2:]
    wide = F.pad(x, [most] * 4, value=-1.0)
    down, right = torch.randint(2 * most + 1, (2, len(x), 1, 1), generator=drawn)
    rows = down + torch.arange(height)[:, None]  # [batch, H, 1]
    columns = right + torch.arange(width)  # [batch, 1, W]
    image = torch.arange(len(x))[:, None, None]
    return wide[image, :, rows, columns].permute(0, 3, 1, 2)  # [batch, H, W, C] → [batch, C, H, W]


@torch.no_grad()
def accuracy(network: Classifier, images: Tensor, labels: Tensor) -> float:
    """The share of uint8 images [N, C, H, W] that the network gives their labels [N]."""
    found = torch.cat([network(part).argmax(dim=1) for part in scaled(images).split(AT_ONCE)])
    return float((found == labels).double().mean())
