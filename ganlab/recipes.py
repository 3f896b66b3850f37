"""Experiments by name: data, networks, objective and options, each as one frozen value."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from ganlab import data, models
from ganlab.errors import ConfigError
from ganlab.objectives import GAN_2014, NON_SATURATING, Objective, least_squares
from ganlab.training import SGD, Adam, TrainConfig, Trainer
from ganlab.training.sources import Law


@dataclass(frozen=True)
class Recipe:
    """One experiment.

    data   an image set's name for `ganlab.data.load`, or a law with known density
    G, D   specifications for `ganlab.models.build`
    first  train on the first so many images only: the rest is for validation
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

    def trainer(self, root: Path | None = None, **options: Any) -> Trainer:
        """A trainer at step 0, with some options of the config replaced; the seed also decides the initial weights.

        Raises `DatasetUnavailable` when the images are not under `root`, `ConfigError` for options that do not fit.
        """
        config = replace(self.config, **options)
        examples = self.data
        if isinstance(examples, str):
            examples = data.load(examples, root=root, size=self.size).images[: self.first]
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(config.seed)
            G, D = models.build(self.G), models.build(self.D)
        if isinstance(G, models.Generator2014) and isinstance(examples, torch.Tensor):
            G.set_output_bias(examples.float().mean(dim=0) / 255)
        return Trainer(G, D, self.objective, examples, config)


SGD_2014 = SGD(lr=0.1, momentum=0.5, decay=1.000004, lr_floor=1e-6, final_momentum=0.7, epoch=500, ramp_epochs=250)
"""Both players' optimiser in the 2014 paper's released code; an epoch is 500 batches of 100."""
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
        name="mnist-dcgan",
        about="DCGAN on MNIST at 28×28 pixels: about four minutes on two cores",
        data="mnist",
        G={"name": "DCGANGenerator", "z_dim": 100, **_DCGAN},
        D={"name": "DCGANDiscriminator", **_DCGAN},
        objective=NON_SATURATING,
        config=TrainConfig(steps=5000, noise="uniform", ema=0.999),
    ),
    Recipe(
        name="gan2014-mnist",
        about="the 2014 paper's networks and training on MNIST; 1000 epochs, hours without a GPU",
        data="mnist",
        G={"name": "Generator2014"},
        D={"name": "Discriminator2014"},
        objective=GAN_2014,
        config=TrainConfig(
            steps=500_000,
            batch=100,
            update="simultaneous",
            optimizer_d=SGD_2014,
            optimizer_g=SGD_2014,
            noise="unit uniform",
            ema=0.9999,
        ),
        first=50_000,
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
