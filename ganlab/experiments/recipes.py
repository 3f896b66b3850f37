"""Experiments by name: data, networks, objective and options, each as one frozen value."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ganlab import data, models
from ganlab.errors import CheckpointError, ConfigError
from ganlab.objectives import GAN_2014, NON_SATURATING, Objective, least_squares
from ganlab.training import SGD, Adam, TrainConfig, Trainer, load_generator
from ganlab.training.sources import Law


@dataclass(frozen=True)
class Recipe:
    """One experiment.

    data         an image set's name for `ganlab.data.load`, or a law with known density
    G, D         specifications for `ganlab.models.build`
    first        train on the first so many images only: the rest is for validation
    prepare      what is done to the images once, before training; None: they are scaled to G's output range
    epochs       the length in passes over the images (then `config.steps` is not used); the momentum's epoch follows
    output_bias  sets the bias of G's output, from the mean of the images in [0, 1]
    after        the recipe whose trained generator this one's is stacked on, which is what `stack` does
    labels       whether both networks take the labels of the examples
    """

    name: str
    about: str
    data: str | Law
    G: dict[str, Any]
    D: dict[str, Any]
    objective: Objective
    config: TrainConfig
    size: int | None = None
    first: int | None = None
    prepare: Callable[[Tensor], Tensor] | None = None
    epochs: int | None = None
    output_bias: Callable[[Any, Tensor], None] | None = None
    after: str | None = None
    stack: Callable[[Any, nn.Module], None] | None = None
    labels: bool = False

    def trainer(self, root: Path | None = None, start: Path | None = None, **options: Any) -> Trainer:
        """A trainer at step 0, with some options of the config replaced; the seed also decides the initial weights.

        `start` is the exported generator of the recipe before, where there is one. Raises `DatasetUnavailable` when the
        images are not under `root`, `ConfigError` for options that do not fit, `CheckpointError` without `start`.
        """
        first_stage = None if self.after is None else self._first_stage(start)
        examples, labels = self.data, True if self.labels else None
        if isinstance(examples, str):
            loaded = data.load(examples, root=root, size=self.size)
            examples = loaded.images[: self.first]
            labels = loaded.labels[: self.first] if self.labels else None
        config = replace(self._with_epochs(examples), **options)
        G, D = self.networks(config.seed, examples)
        if self.stack is not None and first_stage is not None:
            self.stack(G, first_stage)
        if self.prepare is not None and isinstance(examples, Tensor):
            examples = self.prepare(examples)
        return Trainer(G, D, self.objective, examples, config, labels=labels)

    def networks(self, seed: int, examples: Any = None) -> tuple[nn.Module, nn.Module]:
        """G and D untrained, with this seed; `output_bias` follows the mean of uint8 images, if they are given."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            G, D = models.build(self.G), models.build(self.D)
        if self.output_bias is not None and isinstance(examples, Tensor):
            self.output_bias(G, examples.float().mean(dim=0) / 255)
        return G, D

    def _first_stage(self, start: Path | None) -> nn.Module:
        if start is None or not start.exists():
            raise CheckpointError(f"{self.name} goes on from {start}, which is not there; train {self.after} first.")
        return load_generator(start)[0]

    def _with_epochs(self, examples: Any) -> TrainConfig:
        """The config, with steps and the momentum's epoch counted in passes over these images."""
        if self.epochs is None:
            return self.config
        pairs = self.objective.output == "pair"
        updates = max(1, len(examples) // (self.config.batch * self.config.minibatches(pairs)))
        optimizers = {
            role: replace(optimizer, epoch=updates)
            for role in ("optimizer_d", "optimizer_g")
            if isinstance(optimizer := getattr(self.config, role), SGD)
        }
        return replace(self.config, steps=self.epochs * updates, **optimizers)


SGD_2014 = SGD(lr=0.1, momentum=0.5, decay=1.000004, lr_floor=1e-6, final_momentum=0.7, epoch=500, ramp_epochs=250)
"""Both players' optimiser on MNIST in the 2014 paper's released code; an epoch is 500 batches of 100."""


def _as_2014(lr: float, batch: int = 100) -> TrainConfig:
    """The 2014 paper's training on faces and CIFAR-10: as on MNIST, with normal noise and another rate."""
    sgd = replace(SGD_2014, lr=lr)
    return TrainConfig(batch=batch, update="simultaneous", optimizer_d=sgd, optimizer_g=sgd)


DCGAN_AUTHORS = TrainConfig(
    batch=128,
    update="one per minibatch",
    optimizer_d=Adam(weight_decay=1e-5),
    optimizer_g=Adam(weight_decay=1e-5),
    noise="uniform",
)
"""How the code that DCGAN's first author published trains on faces, for 25 epochs (Radford et al. 2015, sec. 4, and its
`train_uncond_dcgan.py`): the paper has neither the weight decay nor minibatches that are for one network alone."""


_FACES = {"channels": 1, "side": 48, "units": 1200, "max_norm": 1.9365}
_CIFAR_2014 = {
    "data": "cifar10",
    "objective": GAN_2014,
    "first": 40_000,
    "prepare": data.contrast_normalized,
    "epochs": 250,
}
_DCGAN = {"size": 28, "channels": 1, "width": 64}
_RECIPES = (
    Recipe(
        name="digits",
        about="MLP pair on the 8×8 digits of scikit-learn: needs no download, a quarter of a minute on two cores",
        data="digits",
        G={"name": "MLPGenerator", "z_dim": 32, "channels": 1, "side": 8},
        D={"name": "MLPDiscriminator", "channels": 1, "side": 8},
        objective=NON_SATURATING,
        config=TrainConfig(steps=3000, ema=0.99),
    ),
    Recipe(
        name="cgan-digits",
        about="a conditional GAN on the same digits: you say which; under half a minute on two cores",
        data="digits",
        G={"name": "ConditionalMLPGenerator", "z_dim": 32, "channels": 1, "side": 8},
        D={"name": "ConditionalMLPDiscriminator", "channels": 1, "side": 8},
        objective=NON_SATURATING,
        config=TrainConfig(steps=3000, ema=0.99),
        labels=True,
    ),
    Recipe(
        name="mnist-dcgan",
        about="DCGAN on MNIST at 28×28 pixels: about four minutes on two cores",
        data="mnist",
        G={"name": "DCGANGenerator", "z_dim": 100, **_DCGAN},
        D={"name": "DCGANDiscriminator", **_DCGAN},
        objective=NON_SATURATING,
        config=TrainConfig(steps=5000, noise="uniform", ema=0.999),
    ),
    Recipe(
        name="mnist-dcgan-authors",
        about="DCGAN on MNIST with the networks and the training of its authors' code for faces; 25 epochs",
        data="mnist",
        G={"name": "DCGANGenerator", "z_dim": 100, "variant": "authors", **_DCGAN},
        D={"name": "DCGANDiscriminator", "variant": "authors", **_DCGAN},
        objective=NON_SATURATING,
        config=DCGAN_AUTHORS,
        epochs=25,
    ),
    Recipe(
        name="gan2014-mnist",
        about="the 2014 paper's networks and training on MNIST; 1000 epochs, hours without a GPU",
        data="mnist",
        G={"name": "Generator2014"},
        D={"name": "Discriminator2014"},
        objective=GAN_2014,
        config=replace(_as_2014(lr=0.1), noise="unit uniform", ema=0.99999, ema_warmup=1),
        first=50_000,
        epochs=1000,
        output_bias=models.Generator2014.set_output_bias,
    ),
    Recipe(
        name="mnist-mlp",
        about="what one would take today in place of the 2014 networks: batch norm, LeakyReLU, Adam, in turns",
        data="mnist",
        G={"name": "MLPGenerator", "z_dim": 100, "hidden": [1200, 1200]},
        D={"name": "MLPDiscriminator", "hidden": [1200, 1200]},
        objective=NON_SATURATING,
        config=TrainConfig(batch=100, ema=0.99999, ema_warmup=1),
        first=50_000,
        epochs=30,
    ),
    Recipe(
        name="gan2014-cifar10",
        about="the 2014 paper's fully connected networks on CIFAR-10; 250 epochs (ours: it names no end), needs a GPU",
        G={"name": "ColourGenerator2014"},
        D={"name": "Discriminator2014", "channels": 3, "side": 32, "units": 1600},
        config=_as_2014(lr=0.025),
        **_CIFAR_2014,
    ),
    Recipe(
        name="gan2014-cifar10-conv",
        about="the 2014 paper's convolutional networks on CIFAR-10; 250 epochs (ours: it names no end), needs a GPU",
        G={"name": "DeconvGenerator2014"},
        D={"name": "ConvDiscriminator2014"},
        config=_as_2014(lr=0.004, batch=128),
        **_CIFAR_2014,
    ),
    Recipe(
        name="gan2014-faces-1",
        about="first stage of the 2014 paper's training on the Toronto faces; 50 epochs, needs a GPU",
        data="tfd",
        G={"name": "FaceGenerator2014"},
        D={"name": "Discriminator2014", **_FACES},
        objective=GAN_2014,
        config=_as_2014(lr=0.05),
        epochs=50,
        output_bias=models.FaceGenerator2014.set_output_bias,
    ),
    Recipe(
        name="gan2014-faces-2",
        about="second stage: a new network below the first stage's generator; 22 epochs",
        data="tfd",
        G={"name": "DeepFaceGenerator2014"},
        D={"name": "Discriminator2014", **_FACES},
        objective=GAN_2014,
        config=_as_2014(lr=0.05),
        epochs=22,
        after="gan2014-faces-1",
        stack=models.DeepFaceGenerator2014.stack_on,
    ),
    Recipe(
        name="ring",
        about="LSGAN's toy experiment: eight Gaussians on a circle, one with double weight (Mao et al. 2017)",
        data=data.lsgan_ring(),
        G={"name": "ToyGenerator", "z_dim": 256},
        D={"name": "ToyDiscriminator"},
        objective=least_squares(0, 1, 1),
        config=TrainConfig(steps=20_000, batch=512, optimizer_d=Adam(1e-4), optimizer_g=Adam(1e-3)),
    ),
)
RECIPES = {recipe.name: recipe for recipe in _RECIPES}


def get(name: str) -> Recipe:
    """The recipe of this name. Raises `ConfigError` listing the names for any other."""
    if name not in RECIPES:
        raise ConfigError(f"recipe is {name!r}; give one of {', '.join(RECIPES)}.")
    return RECIPES[name]
