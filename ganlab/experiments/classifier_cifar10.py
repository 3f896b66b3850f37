"""classifier-cifar10: the network whose features generated 32×32 photographs are compared in, trained from three seeds.

Of the 50,000 training images the first 40,000 are for training and the others for choosing; the test images are looked
at once, by the trained networks. CIFAR-10 may lie there as picture files: see `ganlab.experiments.image_sets`.

Written before any of its seeds was run: each tells at least 85 % of the test images right. It is refuted when one does
not. What came out: 83.8, 84.2 and 83.6 %, so it is refuted by all three (of the validation images 84.7 to 85.2 %).
"""

from dataclasses import dataclass, replace
from functools import partial

import torch
from torch import Tensor

from ganlab.experiments import classifier_mnist
from ganlab.experiments.classifier_mnist import Setting, moved
from ganlab.experiments.image_sets import NOT_ITSELF, called
from ganlab.experiments.study import Preset, one_per_seed
from ganlab.models.classifier import Classifier


@dataclass(frozen=True)
class OfPhotographs(Setting):
    """With the deep network; `mirrored` is the share of images that are shown with left and right exchanged."""

    mirrored: float = 0.5

    def network(self, side: int, channels: int, classes: int) -> Classifier:
        """The deep network, untrained."""
        return Classifier(side, channels, classes, self.width, deep=True)

    def shown(self, x: Tensor, drawn: torch.Generator) -> Tensor:
        """Images [batch, C, side, side], moved, some of them mirrored."""
        x = moved(x, self.shift, drawn)
        turned = torch.rand(len(x), 1, 1, 1, generator=drawn) < self.mirrored
        return torch.where(turned.to(x.device), x.flip(3), x)


CIFAR10 = OfPhotographs(width=32, shift=3, batch=128, rate=5e-3)

STUDY = replace(
    classifier_mnist.STUDY,
    name="classifier-cifar10",
    about="the classifier in whose features generated 32×32 photographs are compared with CIFAR-10: how many it tells"
    " right",
    units=partial(one_per_seed, images="cifar10", setting=CIFAR10, floors_at=(1000, 2000, 5000, 10_000)),
    presets={"gpu": Preset("16 epochs: a minute a seed on a GPU, 25 minutes on one core", {"epochs": 16.0})},
    uses=("epochs", "device", "root"),
    images=partial(called, "cifar10"),
    rule=f"{classifier_mnist.STUDY.rule}. {NOT_ITSELF}",
)
