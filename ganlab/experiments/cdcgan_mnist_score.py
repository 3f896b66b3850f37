"""cdcgan-mnist-score: how near the samples of a conditional DCGAN come to MNIST in five minutes on two cores.

Networks, rates and average are those of the recipe. Tried with seed 100; the distance from validation images of the
averaged weights' samples, and the share of them that the classifier gives their label:

                                                  quarter       half          three         end
    batches of 128, 1500 steps, shared samples    11.3, .659    4.7, .835     2.3, .925     1.2, .954
    batches of 64, 2800 steps, shared samples      6.5, .771    2.0, .917     1.1, .952     0.7, .965

Both cost about 75 seconds of one quiet core. The second is run for 10 epochs, 7,812 steps: three and a half minutes
of a core that does nothing else.
"""

from dataclasses import replace
from functools import partial
from typing import Any

import torch
from torch import Tensor

from ganlab import training
from ganlab.experiments import recipes, scored
from ganlab.experiments.recipe import Recipe
from ganlab.experiments.scored import Parts
from ganlab.experiments.study import Preset, Published, Record, Row, Study, one_per_seed
from ganlab.experiments.tables import mean_and_range
from ganlab.experiments.units import Unit
from ganlab.metrics.neighbours import one_nearest
from ganlab.training import Trainer

_OURS = recipes.get("cdcgan-mnist")
RECIPE = replace(_OURS, config=replace(_OURS.config, batch=64, update="shared samples"))
LABELLED = 50_000
"""Generated images that the 1-nearest-neighbour rule gets, as many of each label."""
PUBLISHED = Published(
    value="2.98 %",
    unit="test images of MNIST that get another label than theirs from the nearest of the generated images",
    source="Radford, Metz & Chintala 2015, Table 3, DCGAN at 50,000 samples",
    protocol="1-nearest-neighbour rule in pixels; a wider network whose layers all take the label; no average",
)


def errors(trainer: Trainer, shares: Parts, labelled: int) -> dict[str, float]:
    """The 1-nearest-neighbour rule's share of wrong test images: with so many generated images of either weights, with
    as many training images (all, where there are fewer), in pixels."""
    test, test_labels = shares["test"]
    real, real_labels = (part[:labelled] for part in shares["training"])
    y = torch.arange(labelled) % (trainer.classes or 1)

    def wrong(images: Tensor, labels: Tensor) -> float:
        return one_nearest(images, labels, test.float(), test_labels)

    found = {"real": wrong(real.float(), real_labels)}
    low, high = trainer.value_range
    for name, G in scored.weights_of(trainer).items():
        made = training.sample(G, labelled, labels=y, noise=trainer.config.noise, seed=scored.SEEDS["test"])
        found[name] = wrong((made - low) / (high - low) * 255, y)
    return {name: round(share, 4) for name, share in found.items()}


def measure(unit: Unit, *, seed: int, recipe: Recipe, labelled: int, **options: Any) -> dict[str, Any]:
    """`scored.trained`, and the errors of the 1-nearest-neighbour rule."""
    found, trainer, shares = scored.trained(unit, seed=seed, recipe=recipe, **options)
    return {**found, "labelled": labelled, "1-NN error": errors(trainer, shares, labelled)}


def rows(record: Record) -> list[Row]:
    """The distance; the rule's error beside the published one."""
    results = record["results"]
    wrong = {
        name: mean_and_range([100 * one["1-NN error"][name] for one in results], 2, " %")
        for name in ("weights", "averaged", "real")
    }
    told = mean_and_range([100 * one["end"]["averaged"]["accuracy"] for one in results], 1, " %")
    about = f"1-NN test error on MNIST with {results[0]['labelled']:,} generated images of a conditional DCGAN"
    real = wrong["real"].partition(" (")[0]
    return [
        scored.row("a conditional DCGAN", results, more=f", {told} of them as labelled"),
        Row(
            about,
            f"{wrong['weights']}; averaged over G's steps: {wrong['averaged']}; training images {real}; at the end",
            PUBLISHED,
        ),
    ]


def every(record: Record) -> list[tuple[str, ...]]:
    """A row for each seed."""
    return [
        (
            f"{one['epochs']:g} epochs, seed {one['seed']}",
            *(f"{100 * one['1-NN error'][name]:.2f} %" for name in ("weights", "averaged", "real")),
            *scored.cells(one),
        )
        for one in record["results"]
    ]


STUDY = Study(
    name="cdcgan-mnist-score",
    about="a conditional DCGAN on MNIST: Fréchet distance, whether images are what their labels say, 1-NN test",
    lesson="08",
    measure=measure,
    seeds=3,
    units=partial(one_per_seed, recipe=RECIPE, looks=5, labelled=LABELLED),
    presets={"laptop": Preset("10 epochs: five minutes a seed on one core in bfloat16", {"epochs": 10.0})},
    uses=("epochs", "precision", "device", "root"),
    published=(PUBLISHED,),
    rule=scored.RULE,
    rows=rows,
    columns=(
        "conditional DCGAN, Fréchet distances from test images",
        "1-NN test error: generated images",
        "1-NN: averaged weights",
        "1-NN: training images",
        *scored.columns(),
    ),
    every=every,
)
