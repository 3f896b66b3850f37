"""dcgan-ablation: DCGANs with each of the guidelines switched off, one at a time, and with the saturating loss.

Networks, rates and batches are those of dcgan-mnist-score. All settings take as many steps, whatever one costs, and
keep the other guidelines. Without batch norm each layer has a bias instead; where G ends in a sigmoid the images are
in [0, 1].

Written before seeds 0 to 2 were run. Meant are distances from test images of the averaged weights at the end. A setting
is worse than the baseline when its best seed is beyond the baseline's worst one.
1. Without batch norm the mean distance is the largest of all nine, and at least three times the baseline's: weights of
   N(0, 0.02²) pass on hardly any signal, and nothing scales it up.
2. The saturating loss is worse than the baseline, and its mean is the second largest.
3. PyTorch's own first weights, a hidden fully connected layer in both networks, and a LeakyReLU behind D's last layer
   do little: each mean lies within a quarter of the baseline's.
4. ReLU in D has a larger mean than the baseline, but less than one and a half times as large.
5. Pooling and upsampling, and LeakyReLU with a sigmoid in G, have means within half of the baseline's.
6. Without batch norm G collapses: recall is below 0.1 in at least two of the three seeds. Where neither batch norm is
   missing nor the loss saturates, the mean recall is within 0.1 of the baseline's.
Each is refuted when one of its numbers comes out on the other side.

What came out (baseline 8.2): 1 is refuted, the mean without batch norm is 10.2. 2 is half refuted: the saturating loss
is worse in all seeds, but its mean is the largest, since one seed never begins to learn (78.8; the others 9.1 and 9.5).
3 is refuted by the fully connected layers, with which the distance falls to 0.9, a tenth; the other two hold. 4 and 5
hold. 6 is half refuted: recall without batch norm is 0.66 to 0.70; the second half holds.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch

from ganlab.experiments import scored
from ganlab.experiments.dcgan_mnist_score import RECIPE
from ganlab.experiments.recipe import Recipe
from ganlab.experiments.study import Preset, Record, Row, Study
from ganlab.experiments.units import Unit
from ganlab.models.ablated import OFF, without
from ganlab.objectives import MINIMAX

KEPT, SATURATING = "all kept", "saturating loss"
SETTINGS = (KEPT, *OFF, SATURATING)
"""Nothing changed; without each guideline, by its name; all guidelines kept, and G minimises what D maximises."""
INSTEAD = {
    KEPT: KEPT,
    "strides instead of pooling": "pooling, repeated pixels",
    "batch norm": "no batch norm",
    "no hidden fully connected layer": "hidden fully connected layers",
    "D: LeakyReLU": "D: ReLU",
    "G: ReLU, tanh at the end": "G: LeakyReLU, sigmoid at the end",
    "D: raw logits or sigmoid": "D: LeakyReLU at the end",
    "initialisation": "PyTorch's first weights",
    SATURATING: SATURATING,
}
"""What each setting has in the place of the guideline after which it is named."""
SHAPE = ("size", "channels", "width", "z_dim")


def units(seeds: Sequence[int]) -> dict[str, dict[str, Any]]:
    """A unit for each setting and seed."""
    return {
        f"{setting}, seed {seed}": {"seed": seed, "setting": setting, "recipe": RECIPE}
        for setting in SETTINGS
        for seed in seeds
    }


def measure(unit: Unit, *, seed: int, setting: str, recipe: Recipe, looks: int = 1, **options: Any) -> dict[str, Any]:
    """Train a setting with one seed, and score it so often, at least at the end."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        pair = without(setting if setting in OFF else None, **{name: recipe.G[name] for name in SHAPE})
    if setting == SATURATING:
        recipe = replace(recipe, objective=MINIMAX)
    found, _, _ = scored.trained(unit, seed=seed, recipe=recipe, networks=pair, looks=looks, **options)
    return {"setting": setting} | found | {name: found[name] | changed(setting) for name in ("G", "D")}


def changed(setting: str) -> dict[str, str]:
    """What a record says of each network besides its specification."""
    return {"without": setting} if setting in OFF else {}


def by_setting(record: Record) -> dict[str, list[dict[str, Any]]]:
    """The results of each setting, seeds in their order."""
    return {name: [one for one in record["results"] if one["setting"] == name] for name in SETTINGS}


def ended(record: Record) -> dict[str, list[float]]:
    """The distances from test images of each setting's averaged weights at the end, seeds in their order."""
    return {name: [one["end"]["averaged"]["test"] for one in found] for name, found in by_setting(record).items()}


def rows(_: Record) -> list[Row]:
    """None: nine settings are a table of their own, the long one."""
    return []


def every(record: Record) -> list[tuple[str, ...]]:
    """A row for each setting and seed."""
    return [(f"{one['setting']}, seed {one['seed']}", *scored.cells(one, best=False)) for one in record["results"]]


STUDY = Study(
    name="dcgan-ablation",
    about="a DCGAN on MNIST with the paper's guidelines switched off, one at a time, and with the saturating loss",
    lesson="08",
    measure=measure,
    seeds=3,
    units=units,
    presets={"laptop": Preset("2 epochs: half an hour on one core in bfloat16", {"epochs": 2.0})},
    uses=("epochs", "precision", "device", "root"),
    rule=scored.RULE,
    rows=rows,
    columns=("what is switched off, and Fréchet distances from test images", *scored.columns(best=False)),
    every=every,
)
