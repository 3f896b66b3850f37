"""The recipes of LSGAN (Mao et al. 2017): its scenes, its experiments without batch norm, MNIST and pictures of one's
own; and the thousand classes of stacked MNIST, on which objectives can be told apart.

What its authors' code has is `SCENES` and `STABILITY`: the optimiser, minibatches of 64, z uniform on (−1, 1)¹⁰²⁴, D's
update before G's; and the coding (a, b, c), (0, 1, 1) but for one experiment. Its losses are sums over the batch, 64
times the paper's means, which Adam and RMSProp divide out. What else is here is ours where it says so.
"""

from dataclasses import replace

from ganlab.experiments.dcgans import DCGANS
from ganlab.experiments.recipe import Recipe
from ganlab.objectives import NON_SATURATING, least_squares
from ganlab.training import Adam, RMSProp, TrainConfig

STABILITY = TrainConfig(batch=64, optimizer_d=Adam(2e-4, 0.5), optimizer_g=Adam(2e-4, 0.5), noise="uniform")
"""`stability_comparison`: a rate of 0.0002, with RMSProp, too."""
SCENES = replace(
    STABILITY,
    steps=1_000_000,
    update="shared samples",
    optimizer_d=Adam(1e-3, 0.5),
    optimizer_g=Adam(1e-3, 0.5),
)
"""`train_lsun.py`: a rate of 0.001, at most a million steps, in each of which G is updated on D's samples."""

_ZERO_ONE = least_squares(0, 1, 1)
_BY_NAME = {recipe.name: recipe for recipe in DCGANS}
_COLOUR = {"size": 64, "channels": 3, "width": 64}
_MNIST = {"size": 28, "channels": 1, "width": 64}
LSGANS = (
    Recipe(
        name="lsgan-lsun",
        about="the paper's networks and training on LSUN's bedrooms at 112×112 pixels, or --data lsun/CATEGORY; the"
        " middle square of each (ours: theirs are distorted); needs a GPU and 107 GiB of memory for all three million,"
        " fewer with --limit",
        data="lsun/bedroom",
        G={"name": "LSGANSceneGenerator", **_COLOUR, "size": 112},
        D={"name": "LSGANDiscriminator", **_COLOUR, "size": 112},
        objective=_ZERO_ONE,
        config=SCENES,
        size=112,
        own="lsun/CATEGORY",
        scalable=True,
    ),
    Recipe(
        name="lsgan-folder",
        about="LSGAN on pictures of your own: give --data folder:PATH; the networks and the rate of the paper's"
        " experiments on stability, with batch norm; length and average are ours; at 64×64 pixels it needs a GPU",
        data=None,
        G={"name": "LSGANGenerator", **_COLOUR},
        D={"name": "LSGANDiscriminator", **_COLOUR},
        objective=_ZERO_ONE,
        config=replace(STABILITY, steps=20_000, ema=0.999),
        size=64,
        own="folder:PATH",
        scalable=True,
    ),
    replace(
        _BY_NAME["dcgan-mnist"],
        name="lsgan-mnist",
        about="dcgan-mnist with least squares, coded (0, 1, 1), and all else the same: ours, to compare objectives",
        objective=_ZERO_ONE,
    ),
    Recipe(
        name="lsgan-nobn-adam",
        about="LSGAN without batch norm in G, with Adam, as the paper tries it on --data lsun/bedroom --size 64; on"
        " MNIST and 5,000 steps long it is ours",
        data="mnist",
        G={"name": "LSGANGenerator", "norm": False, **_MNIST},
        D={"name": "LSGANDiscriminator", **_MNIST},
        objective=_ZERO_ONE,
        config=replace(STABILITY, steps=5000),
        size=28,
        own="lsun/CATEGORY",
        scalable=True,
    ),
    Recipe(
        name="lsgan-nobn-rmsprop",
        about="LSGAN without batch norm in either, with RMSProp and coded (−1, 1, 0), as the paper tries it on --data"
        " lsun/bedroom --size 64; on MNIST and 5,000 steps long it is ours",
        data="mnist",
        G={"name": "LSGANGenerator", "norm": False, **_MNIST},
        D={"name": "LSGANDiscriminator", "norm": False, **_MNIST},
        objective=least_squares(-1, 1, 0),
        config=replace(STABILITY, steps=5000, optimizer_d=RMSProp(2e-4), optimizer_g=RMSProp(2e-4)),
        size=28,
        own="lsun/CATEGORY",
        scalable=True,
    ),
    Recipe(
        name="stacked-mnist",
        about="a small DCGAN on three digits at once, whose thousand classes can be counted; batches, rate and z are"
        " PacGAN's, D half as wide as G, and all else ours",
        data="stacked-mnist",
        G={"name": "DCGANGenerator", "z_dim": 100, "size": 28, "channels": 3, "width": 32},
        D={"name": "DCGANDiscriminator", "size": 28, "channels": 3, "width": 16},
        objective=NON_SATURATING,
        config=replace(STABILITY, steps=4000),
    ),
)
