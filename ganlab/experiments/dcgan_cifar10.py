"""dcgan-cifar10: how near the samples of a DCGAN come to CIFAR-10, by a Fréchet distance that is not the published FID.

Networks and training are the recipe's, which are the paper's. CIFAR-10 may lie there as picture files: see
`ganlab.experiments.image_sets`; the record's options say which images it was.

The published FID is in an Inception network's features, which know a thousand kinds of things in photographs. Ours is
in 64 features of a small classifier that was trained on these ten kinds alone. So the two numbers cannot be held
against each other, not even in their order of size: ours is to be read against its floor, and against what an untrained
G gets.

Written before seeds 0 to 2 were run. Meant are distances from test images of the averaged weights, where nothing else
is said.
1. At the end each seed's is at most a fifth of what the untrained G gets, and at least ten times the floor.
2. At the end each seed's is less than a tenth above what the best look of its run has. (In one of the published runs
   the last FID is 2.8 times the best one, after 200,000 steps; here there are 12,500.)
3. At the end each seed's is smaller than that of the weights themselves.
4. In each seed precision is higher than recall, as in the published benchmark (0.61 and 0.21), and unlike what this
   kind of features says of the DCGANs of dcgan-mnist-score (0.53 and 0.80): photographs vary more than digits.
5. The three seeds lie within 15 % of their mean.
Each is refuted when one of its numbers comes out on the other side.
"""

from functools import partial
from pathlib import Path
from typing import Any

from ganlab.experiments import recipes, scored
from ganlab.experiments.image_sets import NOT_ITSELF, called
from ganlab.experiments.recipe import Recipe
from ganlab.experiments.study import Preset, Published, Record, Row, Study, one_per_seed
from ganlab.experiments.units import Unit

RECIPE = recipes.get("dcgan-cifar10")
NOT_OURS = (
    "in an Inception network's features of CIFAR-10 itself, which is another measure than ours, in a small classifier's"
)
TRAINED = "z normal of 128 numbers, a deeper D with two steps for each of G's, 200,000 steps in batches of 64"
PUBLISHED = (
    Published(
        value="FID 48.29",
        unit="Fréchet distance in an Inception network's features",
        source="StudioGAN (Kang, Shin & Park 2023), CIFAR-10, DCGAN",
        protocol=f"50,000 samples against the training images, {NOT_OURS}; {TRAINED}",
    ),
    Published(
        value="FID 49.03 at its best, after 42,000 steps; 137.4 at the end, after 200,000",
        unit="Fréchet distance in an Inception network's features",
        source="StudioGAN's repository, September 2020, CIFAR-10, DCGAN",
        protocol=f"one run; 10,000 samples against the 10,000 test images, {NOT_OURS}; {TRAINED}",
    ),
)


def measure(unit: Unit, *, seed: int, recipe: Recipe, root: Path | None = None, **options: Any) -> dict[str, Any]:
    """`scored.trained`, and under "untrained" the distance from test images of what G makes before it is trained."""
    found, trainer, shares = scored.trained(unit, seed=seed, recipe=recipe, root=root, **options)
    by = scored.yardstick(str(recipe.data), root, device=trainer.device)
    G, _ = recipe.networks(seed, shares["training"][0])
    return {**found, "untrained": scored.look(G.to(trainer.device), by, trainer.config.noise)["test"]}


def rows(record: Record) -> list[Row]:
    """The distance."""
    return [scored.row("DCGAN", record["results"], images=record["options"]["images"])]


def every(record: Record) -> list[tuple[str, ...]]:
    """A row for each seed."""
    return [
        (f"{one['epochs']:g} epochs, seed {one['seed']}", *scored.cells(one), f"{one['untrained']:.2f}")
        for one in record["results"]
    ]


STUDY = Study(
    name="dcgan-cifar10",
    about="a DCGAN on CIFAR-10 or on copies of it: Fréchet distance, with what real images and an untrained G get",
    lesson="08",
    measure=measure,
    seeds=3,
    units=partial(one_per_seed, recipe=RECIPE, looks=8),
    presets={
        "gpu": Preset("40 epochs: two minutes a seed on a GPU in bfloat16, three hours on one core", {"epochs": 40.0})
    },
    uses=("epochs", "precision", "device", "root"),
    images=partial(called, "cifar10"),
    published=PUBLISHED,
    rule=f"{scored.RULE}. {NOT_ITSELF}",
    rows=rows,
    columns=("DCGAN, Fréchet distances from test images", *scored.columns(), "untrained G"),
    every=every,
)
