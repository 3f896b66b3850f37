"""stacked-mnist: how many of a thousand classes GANs find, by objective and by how wide D is.

Networks and training are the recipe stacked-mnist's, a small DCGAN with a G of width 32; D has a quarter, a half or all
of that. `REGULARISED` is RpGAN with R1 and R2 on networks without normalisation, as R3GAN has it (Huang et al. 2024):
LSGAN's pair of the same widths with PyTorch's first weights, Adam with β₁ = 0, γ falling from 1 to 0.1. G keeps its
ReLU and tanh, which R3GAN does not have.

Written before any of these settings was run with a seed of 0 to 4; known was one run of NS-GAN with D of half the width
(533, 692, 986, 964 modes after 1,000 to 4,000 steps). Counted are the modes after the last step. What is judged are
4,000 steps, the preset gpu, if a GPU's time suffices for all 150 runs, else 1,000, the preset laptop: settled before
any of it was run, and by time alone (it sufficed for 147; three ended on a processor). After 1,000 it is who has found
more by then, and not whom the rest escapes for good. Lesson 09's two predictions of the eight objectives' order,
`lsgan_ring.BY_SAMPLE` and `BY_SUM`, are put to the test for each width of D by the rule and the margins that stand
there: differences are paired over the seeds, less than 20 modes is of no interest, and where both of a pair find 990
modes or more in the mean, KL(shares ‖ equal shares) decides, with a margin of 0.05 nats. Where they disagree, as on
NS-GAN before LSGAN (0, 1, 1), one of them is refuted or both are left undecided. With five seeds intervals are wide: a
pair that is called alike may well stay undecided. Besides:
1. For each of the nine objectives on the DCGAN the mean with D of a quarter is below that with D of equal width, as in
   Metz et al. 2017.
2. RpGAN finds more modes than NS-GAN at each width of D, by 100 or more in the mean at a quarter.
3. RpGAN with R1 and R2 finds at least 950 modes in the mean at equal width.
Each is refuted when one of its numbers comes out on the other side; 3 is about 4,000 steps, the preset gpu, and
undecided after fewer.

What came out: all objectives but the saturating one find most classes, 850 to 992 with every seed; the saturating one
ends with 31 at most, though both readings had put it among the best. So at each width of D both are refuted in seven
pairs and more. 1 is refuted by the saturating objective, and by RpGAN, whose mean with D of equal width is below that
of a quarter. 2 is refuted: 31 more classes at a quarter, fewer at the two other widths. 3 holds. Seen afterwards: in KL
and in classes (−1, 1, 0) is like the others, so nothing shows of the 46 % that it wants.

A run whose loss or whose samples are no longer finite has diverged: its modes are 0 and its KL log 1000 from then on.
"""

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import nn

from ganlab import data, models, plots, training
from ganlab.errors import NonFiniteLoss, ShapeError
from ganlab.experiments import looks, recipes, scored
from ganlab.experiments.recipe import Recipe
from ganlab.experiments.stacked_found import OBJECTIVES, PUBLISHED, REAL, REGULARISED, WIDTHS, every, rows
from ganlab.experiments.study import Preset, Study
from ganlab.experiments.units import Unit
from ganlab.metrics.stacked_modes import MODES, PROTOCOL_SAMPLES, counting_nats, real_anchor, stacked_modes
from ganlab.models.classifier import Classifier
from ganlab.objectives import RELATIVISTIC
from ganlab.training import R1R2, Adam, TrainConfig, Trainer
from ganlab.training.config import options_of

RECIPE = recipes.get("stacked-mnist")
LOOK = 1000
"""Every so many steps, and at the end, modes are counted."""
_ADAM = Adam(2e-4, beta1=0.0, beta2=0.99)
CRITIC = replace(RECIPE.config, penalty=R1R2(1.0, 0.1), optimizer_d=_ADAM, optimizer_g=_ADAM)


def units(seeds: Sequence[int]) -> dict[str, dict[str, Any]]:
    """A unit for each seed, objective and width of D, and one for what real images get."""
    found: dict[str, dict[str, Any]] = {REAL: {"setting": REAL, "share": None, "seed": None, "recipe": RECIPE}}
    for seed in seeds:
        for setting in (*OBJECTIVES, REGULARISED):
            for share in WIDTHS:
                arguments = {"setting": setting, "share": share, "seed": seed, "recipe": RECIPE}
                found[f"{setting}, D {share}, seed {seed}"] = arguments
    return found


def measure(
    unit: Unit,
    *,
    setting: str,
    share: str | None,
    seed: int | None,
    recipe: Recipe,
    steps: int,
    samples: int = PROTOCOL_SAMPLES,
    root: Path | None = None,
    **options: Any,
) -> dict[str, Any]:
    """Train a setting with one seed and count its modes on the way and at the end; or count those of real images."""
    judge = models.trained("mnist")
    if share is None or seed is None:
        return {"setting": setting, "share": share, "seed": seed, **_real(judge, samples, root)}
    images = data.load(str(recipe.data), root=root).images
    trainer = trainer_of(setting, share, images, recipe=recipe, seed=seed, steps=steps, **options)
    found = run(trainer, judge.to(trainer.device), samples, unit)
    if (seed, share) == (0, "half") and found["diverged"] is None:
        plots.save_grid_png(trainer.sample(30), unit.picture, columns=10, value_range=trainer.value_range)
    return {
        "setting": setting,
        "share": share,
        "seed": seed,
        "config": options_of(trainer.config) | {"device": trainer.device.type},
        "penalty": str(trainer.config.penalty),
        **found,
    }


def trainer_of(setting: str, share: str, images: torch.Tensor, *, recipe: Recipe, seed: int, **options: Any) -> Trainer:
    """The trainer of a setting at step 0; `options` of `TrainConfig` in the place of the recipe's."""
    width = {"width": WIDTHS[share]}
    if setting != REGULARISED:
        recipe = replace(recipe, objective=OBJECTIVES[setting], D=recipe.D | width)
        config: TrainConfig = recipe.config
    else:
        G, D = ({"norm": False} | {key: spec[key] for key in spec.keys() - {"name"}} for spec in (recipe.G, recipe.D))
        G, D = {"name": "LSGANGenerator", **G}, {"name": "LSGANDiscriminator", **D, **width}
        recipe, config = replace(recipe, objective=RELATIVISTIC, G=G, D=D), CRITIC
    networks = recipe.networks(seed)
    if setting == REGULARISED:
        _first_weights(seed, *networks)
    return Trainer(*networks, recipe.objective, images, replace(config, seed=seed, **options))


def _first_weights(seed: int, *networks: nn.Module) -> None:
    """Each layer's own, as PyTorch draws them: without normalisation DCGAN's small ones pass on hardly anything."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        for network in networks:
            for layer in network.modules():
                if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
                    layer.reset_parameters()


def run(trainer: Trainer, judge: Classifier, samples: int, unit: Unit) -> dict[str, Any]:
    """Train to the end and count modes every `LOOK` steps: lists for a record; what became of a run that diverged, too.

    "processor seconds" are those of the training alone, up to each look that there was; "diverged" is the first step
    whose loss is not finite, or the look's at which only the samples were not, or None.
    """
    steps = [*range(LOOK, trainer.config.steps, LOOK), trainer.config.steps]
    modes, kl, seconds, diverged = [], [], [], None

    def look(_: int, processor_seconds: float) -> str:
        made = training.sample(trainer.G, samples, noise=trainer.config.noise, seed=1)
        found = stacked_modes(made, judge, value_range=trainer.value_range)
        modes.append(found.modes)
        kl.append(round(found.kl_nats, 4))
        seconds.append(processor_seconds)
        return f"modes {found.modes}"

    try:
        looks.train(trainer, steps, look, unit.progress)
    except (NonFiniteLoss, ShapeError):  # ShapeError: at a look, the samples are NaN
        if (diverged := scored.diverged_at(trainer)) is None:
            raise
    lost = len(steps) - len(modes)
    return {
        "steps": steps,
        "modes": modes + [0] * lost,
        "kl": kl + [round(math.log(MODES), 4)] * lost,
        "processor seconds": seconds,
        "diverged": diverged,
        "samples": samples,
    }


def _real(judge: Classifier, samples: int, root: Path | None) -> dict[str, Any]:
    test = data.load(str(RECIPE.data), split="test", root=root)
    anchor = real_anchor(test.images, test.labels, judge, n=samples)
    seen = anchor.by_classifier
    return {
        "modes": [seen.modes],
        "kl": [round(seen.kl_nats, 4)],
        "counting": round(counting_nats(samples), 4),
        "wrong": round(anchor.wrong, 4),
        "judge": str(judge),
    }


STUDY = Study(
    name="stacked-mnist",
    about="nine objectives, and RpGAN with R1 and R2, on a thousand classes of digits: how many are found",
    lesson="10",
    measure=measure,
    seeds=5,
    units=units,
    presets={
        "laptop": Preset("1,000 steps: two minutes a run on one core; 150 runs", {"steps": 1000}),
        "gpu": Preset(
            "4,000 steps: eight minutes a run on one core, half a minute on a GPU; 150 runs", {"steps": 4000}
        ),
    },
    uses=("precision", "device", "root"),
    published=PUBLISHED,
    rule="the counts after the last step, of the weights themselves; those on the way are kept, too; predicted in"
    " commit 8d344aa, the length settled in 02b7ce2, both before the first run",
    rows=rows,
    columns=("objective, D's width beside G's", "modes of 1,000", "KL (nats)"),
    every=every,
)
