"""dcgan-ablation: DCGANs with each of the guidelines switched off, one at a time, and with the saturating loss.

PREDICTION
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch

from ganlab.experiments import scored
from ganlab.experiments.dcgan_mnist_score import RECIPE
from ganlab.experiments.recipe import Recipe
from ganlab.experiments.study import Preset, Record, Row, Study
from ganlab.experiments.tables import mean_and_range
from ganlab.experiments.units import Unit
from ganlab.models.ablated import OFF, without
from ganlab.objectives import MINIMAX

KEPT, SATURATING = "all kept", "saturating loss"
SETTINGS = (KEPT, *OFF, SATURATING)
"""Nothing changed; without each guideline, by its name; all guidelines kept, and G minimises what D maximises."""
SHAPE = ("size", "channels", "width", "z_dim")


def units(seeds: Sequence[int]) -> dict[str, dict[str, Any]]:
    """A unit for each setting and seed."""
    return {
        f"{setting}, seed {seed}": {"seed": seed, "setting": setting, "recipe": RECIPE}
        for setting in SETTINGS
        for seed in seeds
    }


def measure(unit: Unit, *, seed: int, setting: str, recipe: Recipe, **options: Any) -> dict[str, Any]:
    """Train a setting with one seed, and score it three times on the way."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        pair = without(setting if setting in OFF else None, **{name: recipe.G[name] for name in SHAPE})
    if setting == SATURATING:
        recipe = replace(recipe, objective=MINIMAX)
    return {"setting": setting} | scored.trained(unit, seed=seed, recipe=recipe, networks=pair, looks=3, **options)[0]


def by_setting(record: Record) -> dict[str, list[dict[str, Any]]]:
    """The results of each setting, seeds in their order."""
    results = record["results"]
    return {name: [one for one in results if one["setting"] == name] for name in SETTINGS}


def rows(record: Record) -> list[Row]:
    """The distances of all settings."""
    distances = {
        name: mean_and_range([one["end"]["averaged"]["test"] for one in results], 1)
        for name, results in by_setting(record).items()
    }
    first = record["results"][0]
    about = f"{scored.about(first)}: DCGAN without one guideline at a time, {first['epochs']:g} epochs"
    said = "; ".join(f"{name}: {found}" for name, found in distances.items())
    return [Row(about, f"{said}; averaged over G's steps, at the end")]


def every(record: Record) -> list[tuple[str, ...]]:
    """A row for each setting and seed."""
    return [(f"{one['setting']}, seed {one['seed']}", *scored.cells(one)) for one in record["results"]]


STUDY = Study(
    name="dcgan-ablation",
    about="a DCGAN on MNIST with the paper's guidelines switched off, one at a time, and with the saturating loss",
    lesson="08",
    measure=measure,
    seeds=3,
    units=units,
    presets={"laptop": Preset("2 epochs: 35 minutes on one core in bfloat16, half of it on two", {"epochs": 2.0})},
    uses=("epochs", "precision", "device", "root"),
    rule=scored.RULE,
    rows=rows,
    columns=("what is switched off, and Fréchet distances from test images", *scored.COLUMNS),
    every=every,
)
