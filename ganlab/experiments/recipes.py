"""Experiments by name: those of the GAN paper and of the course here, DCGAN's in `dcgans`, LSGAN's in `lsgans`."""

from dataclasses import replace

from ganlab import data, models
from ganlab.errors import ConfigError
from ganlab.experiments.dcgans import DCGANS
from ganlab.experiments.lsgans import LSGANS
from ganlab.experiments.recipe import Recipe
from ganlab.objectives import GAN_2014, NON_SATURATING, least_squares
from ganlab.training import SGD, Adam, TrainConfig

SGD_2014 = SGD(lr=0.1, momentum=0.5, decay=1.000004, lr_floor=1e-6, final_momentum=0.7, epoch=500, ramp_epochs=250)
"""Both players' optimiser on MNIST in the 2014 paper's released code; an epoch is 500 batches of 100."""


def _as_2014(lr: float, batch: int = 100) -> TrainConfig:
    """The 2014 paper's training on faces and CIFAR-10: as on MNIST, with normal noise and another rate."""
    sgd = replace(SGD_2014, lr=lr)
    return TrainConfig(batch=batch, update="simultaneous", optimizer_d=sgd, optimizer_g=sgd)


_FACES = {"channels": 1, "side": 48, "units": 1200, "max_norm": 1.9365}
_CIFAR_2014 = {
    "data": "cifar10",
    "objective": GAN_2014,
    "first": 40_000,
    "prepare": data.contrast_normalized,
    "epochs": 250,
}
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
    *DCGANS,
    *LSGANS,
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
RENAMED = {"mnist-dcgan": "dcgan-mnist", "mnist-dcgan-authors": "dcgan-mnist-authors"}
"""Names of before, which go on to be understood: a run that was begun under one is gone on with."""


def get(name: str) -> Recipe:
    """The recipe of this name, or of one of `RENAMED`. Raises `ConfigError` listing the names for any other."""
    name = RENAMED.get(name, name)
    if name not in RECIPES:
        raise ConfigError(f"recipe is {name!r}; give one of {', '.join(RECIPES)}.")
    return RECIPES[name]
