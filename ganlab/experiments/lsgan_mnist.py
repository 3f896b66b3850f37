"""lsgan-mnist: NS-GAN and least squares with two codings on MNIST, at equal budget, each at its own best rate.

Networks, batches, noise and the average are those of dcgan-mnist-score, and so is the update: G answers the new D on
the samples of D's last update, as LSGAN's authors train. The objective alone differs, and the learning rate, which is
the same for both networks: lsgan-mnist-rates chose for each objective one of four, with seeds 100 and 101 and
validation images. Seeds 0 to 5, which chose nothing, are compared at the chosen rates, by distances from test images.
All train for 3,000 steps, the length for which so many runs can be paid. For both codings the largest rate of the four
was chosen: a better one may lie beyond, which the comparison does not give them.

Written before any of these runs, for distances of the averaged weights at the end. Of differences paired over the
seeds the mean and its 95 % interval (Student's t) are taken; the margin is 20 % of NS-GAN's mean distance.
1. LSGAN (0, 1, 1) and NS-GAN are alike.
2. LSGAN (−1, 1, 0) and NS-GAN are alike.
3. LSGAN (−1, 1, 0) and LSGAN (0, 1, 1) are alike, as the conference paper says; its journal version says that the first
   is better.
4. No run diverges at a chosen rate.
Alike are two whose interval lies within the margin on both sides. 1 to 3 are refuted by an interval beyond the margin
on one side, and left undecided by any other; 4 is refuted by one run. The same is asked of the weights themselves and
of the best looks, where nothing is predicted.

Why alike: Lucic et al. 2018 searched for the best settings of both and found Inception distances of 6.8 ± 0.5 (NS-GAN)
and 7.8 ± 0.6 (LSGAN, but on D's sigmoid) on MNIST, 15 % apart, over 50 seeds. Their networks and features are others,
so that their numbers compare with each other alone.
"""

import itertools
import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ganlab import plots
from ganlab.errors import NonFiniteLoss, ShapeError
from ganlab.experiments import scored
from ganlab.experiments.classifier_mnist import parts
from ganlab.experiments.dcgan_mnist_score import RECIPE
from ganlab.experiments.recipe import Recipe
from ganlab.experiments.study import Preset, Record, Row, Study
from ganlab.experiments.tables import mean_and_range
from ganlab.experiments.units import Unit
from ganlab.experiments.verdicts import Difference, Verdict, alike, counted, paired
from ganlab.objectives import NON_SATURATING, Objective, least_squares
from ganlab.training import Adam

NS, ZERO_ONE, PEARSON = "NS-GAN", "LSGAN (0, 1, 1)", "LSGAN (−1, 1, 0)"
OBJECTIVES: dict[str, Objective] = {
    NS: NON_SATURATING,
    ZERO_ONE: least_squares(0, 1, 1),
    PEARSON: least_squares(-1, 1, 0),
}
CHOSEN = {NS: 2e-3, ZERO_ONE: 4e-3, PEARSON: 4e-3}
"""The rate of each objective, as lsgan-mnist-rates chose it."""
PAIRS = ((ZERO_ONE, NS), (PEARSON, NS), (PEARSON, ZERO_ONE))
MARGIN = 0.2
"""Of NS-GAN's mean distance: what is less is of no interest."""
LOOKS = 4


def units(seeds: Sequence[int]) -> dict[str, dict[str, Any]]:
    """A unit for each objective and seed, at the chosen rate."""
    return {of: unit for name, rate in CHOSEN.items() for of, unit in units_at(name, [rate], seeds).items()}


def units_at(name: str, rates: Sequence[float], seeds: Sequence[int]) -> dict[str, dict[str, Any]]:
    """A unit for each rate and seed of an objective."""
    return {
        f"{name}, rate {rate:g}, seed {seed}": {"seed": seed, "setting": name, "rate": rate, "recipe": RECIPE}
        for rate, seed in itertools.product(rates, seeds)
    }


def measure(
    unit: Unit,
    *,
    seed: int,
    setting: str,
    rate: float,
    recipe: Recipe,
    epochs: float,
    root: Path | None = None,
    **how: Any,
) -> dict[str, Any]:
    """Train the recipe with one objective, rate and seed, and score it four times; "diverged" is the step at which a
    run did, instead of scores. Seed 0 has a picture."""
    shares = parts(str(recipe.data), root)
    rates = {"optimizer_d": Adam(rate), "optimizer_g": Adam(rate)}
    recipe = replace(recipe, objective=OBJECTIVES[setting])
    trainer = scored.trainer_of(recipe, shares, seed=seed, epochs=epochs, **rates, **how)
    by = scored.yardstick(str(recipe.data), root, device=trainer.device)
    described = {"setting": setting, "rate": rate, "seed": seed, "epochs": epochs, "G": recipe.G, "D": recipe.D}
    try:
        found = scored.run(trainer, by, looks=LOOKS, told=unit.progress, manifold=False)
    except (NonFiniteLoss, ShapeError):  # ShapeError: at a look, the samples are NaN
        if (step := scored.diverged_at(trainer)) is None:
            raise
        return described | {"diverged": step}
    if seed == 0:
        plots.save_grid_png(trainer.sample(100), unit.picture, columns=10, value_range=trainer.value_range)
    return described | found


def runs_of(record: Record, name: str) -> list[dict[str, Any]]:
    """The results of an objective, seeds in their order."""
    return [one for one in record["results"] if one["setting"] == name]


def distance(one: dict[str, Any], part: str = "test", which: str = "end", weights: str = "averaged") -> float:
    """A distance of a run; infinite where it diverged."""
    return math.inf if "diverged" in one else one[which][weights][part]


def compared(
    record: Record, one: str, other: str, which: str = "end", weights: str = "averaged"
) -> tuple[Difference, float]:
    """How much larger the distance of `one` is than that of `other`, over the seeds with which neither diverged, and
    the margin. Raises `ConfigError` where there are fewer than two."""
    of = {name: [distance(run, "test", which, weights) for run in runs_of(record, name)] for name in (one, other, NS)}
    both = [pair for pair in zip(of[one], of[other], strict=True) if all(map(math.isfinite, pair))]
    usual = [value for value in of[NS] if math.isfinite(value)]
    difference = paired([pair[0] for pair in both], [pair[1] for pair in both])
    return difference, MARGIN * math.fsum(usual) / len(usual)


def verdicts(record: Record, which: str = "end", weights: str = "averaged") -> dict[tuple[str, str], Verdict]:
    """Whether the two of each pair are alike."""
    return {pair: alike(*compared(record, *pair, which, weights)) for pair in PAIRS}


def diverged(record: Record) -> dict[str, list[int]]:
    """The seeds with which each objective diverged."""
    return {name: [one["seed"] for one in runs_of(record, name) if "diverged" in one] for name in OBJECTIVES}


def rows(record: Record) -> list[Row]:
    """The distances of the averaged weights at the end, and of how many pairs it holds that they are alike."""
    found = []
    for name in OBJECTIVES:
        runs = [distance(one) for one in runs_of(record, name)]
        finite = [value for value in runs if math.isfinite(value)]
        lost = f", {len(runs) - len(finite)} of {len(runs)} diverged" if len(finite) < len(runs) else ""
        found.append(f"{name}: {mean_and_range(finite, 2)}{lost}")
    said = f"of {len(PAIRS)} pairs, said to be alike: {counted(list(verdicts(record).values()))}"
    measured = "; ".join([*found, said, "averaged weights at the end"])
    about = scored.about(next(one for one in record["results"] if "diverged" not in one))
    return [Row(f"{about}: a DCGAN with three objectives, each at its best rate of four", measured)]


def every(record: Record) -> list[tuple[str, ...]]:
    """A row for each objective, with all seeds."""
    lines = []
    for name, rate in CHOSEN.items():
        tests = itertools.product(("end", "best"), ("weights", "averaged"))
        cells = [shown([distance(one, "test", *of) for one in runs_of(record, name)]) for of in tests]
        lines.append((f"{name}, rate {rate:g}", *cells))
    return lines


def shown(distances: list[float]) -> str:
    """Distances in one cell of a table."""
    return " ".join(f"{value:.2f}" if math.isfinite(value) else "diverged" for value in distances)


STUDY = Study(
    name="lsgan-mnist",
    about="NS-GAN and LSGAN with two codings on MNIST, each at its best rate of four: Fréchet distances",
    lesson="10",
    measure=measure,
    seeds=6,
    units=units,
    presets={
        "laptop": Preset("3.84 epochs: five minutes a run on one core, three in bfloat16; 18 runs", {"epochs": 3.84})
    },
    uses=("epochs", "precision", "device", "root"),
    rule=f"{scored.RULE}. The rate of each objective was chosen in lsgan-mnist-rates",
    rows=rows,
    columns=(
        "Fréchet distances, a number for each seed",
        "weights at the end",
        "averaged",
        "best weights",
        "best averaged",
    ),
    every=every,
)
