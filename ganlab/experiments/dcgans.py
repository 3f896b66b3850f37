"""The recipes of DCGAN (Radford, Metz & Chintala 2015): its paper's experiments, its authors' code, and pictures of
one's own.

The paper's training (its sec. 4) is `PAPER`, and its networks are the variant "text" of `ganlab.models.dcgan`: so
bedrooms and faces are learned. What else is here is ours where it says so: networks half as wide with smaller kernels,
the variant "torch", and an average over G's weights.
"""

from dataclasses import replace

from ganlab.experiments.recipe import Recipe
from ganlab.objectives import NON_SATURATING
from ganlab.training import Adam, TrainConfig

PAPER = TrainConfig(batch=128, optimizer_d=Adam(2e-4, 0.5), optimizer_g=Adam(2e-4, 0.5), noise="uniform")
"""Minibatches of 128, z uniform on (−1, 1)¹⁰⁰, Adam with a rate of 0.0002 and β₁ of 0.5, no average (sec. 4)."""
AUTHORS = replace(
    PAPER,
    update="one per minibatch",
    optimizer_d=replace(PAPER.optimizer_d, weight_decay=1e-5),
    optimizer_g=replace(PAPER.optimizer_g, weight_decay=1e-5),
)
"""How the code that DCGAN's first author published trains on faces, for 25 epochs (its `train_uncond_dcgan.py`): the
paper has neither the weight decay nor minibatches that are for one network alone."""


_MNIST = {"size": 28, "channels": 1}
_TEXT = {"size": 64, "channels": 3, "width": 128, "variant": "text"}
_TORCH = {"size": 64, "channels": 3, "width": 64}
DCGANS = (
    Recipe(
        name="dcgan-mnist",
        about="DCGAN on MNIST at 28×28 pixels: about four minutes on two cores",
        data="mnist",
        G={"name": "DCGANGenerator", "z_dim": 100, "width": 64, **_MNIST},
        D={"name": "DCGANDiscriminator", "width": 64, **_MNIST},
        objective=NON_SATURATING,
        config=TrainConfig(steps=5000, noise="uniform", ema=0.999),
    ),
    Recipe(
        name="dcgan-mnist-authors",
        about="DCGAN on MNIST with the networks and the training of its authors' code for faces; 25 epochs",
        data="mnist",
        G={"name": "DCGANGenerator", "z_dim": 100, "width": 64, "variant": "authors", **_MNIST},
        D={"name": "DCGANDiscriminator", "width": 64, "variant": "authors", **_MNIST},
        objective=NON_SATURATING,
        config=AUTHORS,
        epochs=25,
    ),
    Recipe(
        name="cdcgan-mnist",
        about="a conditional DCGAN on MNIST, half as wide and five times as fast: about five minutes on two cores",
        data="mnist",
        G={"name": "ConditionalDCGANGenerator", "z_dim": 100, "width": 32, **_MNIST},
        D={"name": "ConditionalDCGANDiscriminator", "width": 32, **_MNIST},
        objective=NON_SATURATING,
        config=replace(PAPER, steps=6000, optimizer_d=Adam(1e-3), optimizer_g=Adam(1e-3), ema=0.999),
        labels=True,
    ),
    Recipe(
        name="dcgan-cifar10",
        about="DCGAN on CIFAR-10 at 32×32 pixels, as the paper trains; 25 epochs, about an hour on two cores",
        data="cifar10",
        G={"name": "DCGANGenerator", "z_dim": 100, **_TORCH, "size": 32},
        D={"name": "DCGANDiscriminator", **_TORCH, "size": 32},
        objective=NON_SATURATING,
        config=replace(PAPER, ema=0.999),
        epochs=25,
    ),
    Recipe(
        name="dcgan-celeba",
        about="the paper's networks and training on CelebA's faces at 64×64 pixels; 25 epochs, needs a GPU",
        data="celeba",
        G={"name": "DCGANGenerator", "z_dim": 100, **_TEXT},
        D={"name": "DCGANDiscriminator", **_TEXT},
        objective=NON_SATURATING,
        config=PAPER,
        size=64,
        epochs=25,
        scalable=True,
    ),
    Recipe(
        name="dcgan-lsun",
        about="the paper's networks and training on LSUN's bedrooms at 64×64 pixels, or --data lsun/CATEGORY; 5 epochs,"
        " needs a GPU and 35 GiB of memory for all three million, fewer with --limit",
        data="lsun/bedroom",
        G={"name": "DCGANGenerator", "z_dim": 100, **_TEXT},
        D={"name": "DCGANDiscriminator", **_TEXT},
        objective=NON_SATURATING,
        config=PAPER,
        size=64,
        epochs=5,
        own="lsun/CATEGORY",
        scalable=True,
    ),
    Recipe(
        name="dcgan-folder",
        about="DCGAN on pictures of your own: give --data folder:PATH; at 64×64 pixels it needs a GPU, at --size 32"
        " hours without",
        data=None,
        G={"name": "DCGANGenerator", "z_dim": 100, **_TORCH},
        D={"name": "DCGANDiscriminator", **_TORCH},
        objective=NON_SATURATING,
        config=replace(PAPER, steps=20_000, ema=0.999),
        size=64,
        own="folder:PATH",
        scalable=True,
    ),
)
