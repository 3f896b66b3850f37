"""lsgan-nobn: LSGAN's experiments without batch norm, ten runs each, on MNIST.

Rates, batches, z and networks are those of the recipes lsgan-nobn-adam and lsgan-nobn-rmsprop, the paper's; D's update
comes before G's. Two networks, two objectives each: G without batch norm and D with it, trained by Adam, with
(0, 1, 1); neither with batch norm, trained by RMSProp, with (−1, 1, 0); and NS-GAN in both. The paper's images are
bedrooms at 64×64 pixels and it judges by eye; here they are digits at 28×28, and `collapse` is the rule. The end of a
run counts. A run whose loss or weights become infinite or NaN has diverged, and has not learned.
What is judged are the recipes' widths, the paper's, and 5,000 steps, the preset paper, on a GPU: a core without
bfloat16 takes a whole day for them, and has the preset laptop. That was settled before any run.

Written before seeds 0 to 9 were run, as the paper has it, out of ten runs each:
1. G without batch norm, Adam: 5 runs of LSGAN learn, none of NS-GAN; LSGAN learns more often.
2. Neither with batch norm, RMSProp: all runs of both learn. LSGAN is the better one: its Fréchet distance is smaller by
   at least a tenth of NS-GAN's mean. NS-GAN collapses a little: its recall is lower by at least 0.05.
3. NS-GAN learns more often with RMSProp than with Adam.
A count is as predicted when it is off by 2 at most, and refuted when Fisher's exact test, at 5 %, tells it from ten of
the paper's runs: 5 and more are not none, 0 and 10 are not five, 5 and fewer are not ten. "More often" holds when that
test, of one side, says so, and is refuted by as many or fewer. Differences are paired over the seeds, without those
that diverged: they hold when the mean is beyond the margin and the 95 % interval on that side of 0, and are refuted
when the whole interval is short of the margin. What is none of these is undecided.

What came out: the paper's counts do not come out. With Adam all ten runs of both learn, and NS-GAN's samples are the
nearer ones (10.1 against 12.6 in the mean). With RMSProp all ten of LSGAN learn, and eight of NS-GAN's collapse, most
of them to one black image before step 1,000; the other two end nearer than any of LSGAN's. So 1 and 3 are refuted, and
of 2 the count of NS-GAN's runs; LSGAN is nearer, and recalls more, since eight of NS-GAN's runs collapsed.
"""

import math
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from ganlab import models, plots
from ganlab.errors import ConfigError, NonFiniteLoss
from ganlab.experiments import collapse, looks, recipes, scored
from ganlab.experiments.classifier_mnist import parts
from ganlab.experiments.recipe import Recipe
from ganlab.experiments.study import Preset, Record, Row, Study
from ganlab.experiments.units import Unit
from ganlab.experiments.verdicts import Verdict, as_often, before, more_often, paired, share
from ganlab.objectives import NON_SATURATING
from ganlab.training import Trainer
from ganlab.training.config import options_of

_ADAM, _RMSPROP = recipes.get("lsgan-nobn-adam"), recipes.get("lsgan-nobn-rmsprop")
LS_ADAM, NS_ADAM = "Adam, G without batch norm: LSGAN (0, 1, 1)", "Adam, G without batch norm: NS-GAN"
LS_RMSPROP, NS_RMSPROP = "RMSProp, no batch norm: LSGAN (−1, 1, 0)", "RMSProp, no batch norm: NS-GAN"
ARMS: dict[str, Recipe] = {
    LS_ADAM: _ADAM,
    NS_ADAM: replace(_ADAM, objective=NON_SATURATING),
    LS_RMSPROP: _RMSPROP,
    NS_RMSPROP: replace(_RMSPROP, objective=NON_SATURATING),
}
LEARNED = {LS_ADAM: 5, NS_ADAM: 0, LS_RMSPROP: 10, NS_RMSPROP: 10}
"""Predicted: how many of ten runs learn."""
RUNS = 10
OFF_BY, MARGIN_DISTANCE, MARGIN_RECALL = 2, 0.1, 0.05
LOOKS = 5
SHOWN = 50
"""Samples of a picture."""
LETTERS: dict[collapse.State, str] = {"learned": "L", "collapsed": "C", "nothing learned": "N", "diverged": "D"}


def units(seeds: Sequence[int]) -> dict[str, dict[str, Any]]:
    """A unit for each arm and seed."""
    return {
        f"{name}, seed {seed}": {"seed": seed, "setting": name, "recipe": recipe}
        for name, recipe in ARMS.items()
        for seed in seeds
    }


def measure(
    unit: Unit,
    *,
    seed: int,
    setting: str,
    recipe: Recipe,
    epochs: float,
    width: int,
    root: Path | None = None,
    **options: Any,
) -> dict[str, Any]:
    """Train one arm, with networks so wide, and judge its samples on the way. The picture shows samples of the end.

    curve     what was seen, a list each: "step", "processor seconds" of the training alone, and `collapse.Seen`
    state     what became of it, by `collapse.state` of the last look; "diverged" is the step at which it did, else None
    """
    recipe = replace(recipe, G=recipe.G | {"width": width}, D=recipe.D | {"width": width})
    shares = parts(str(recipe.data), root)
    trainer = scored.trainer_of(recipe, shares, seed=seed, epochs=epochs, **options)
    judge = collapse.Judge.of(shares, models.trained(str(recipe.data)).to(trainer.device))
    rows = _train(trainer, judge, unit.progress)
    diverged = scored.diverged_at(trainer)
    if diverged is None:
        plots.save_grid_png(trainer.sample(SHOWN), unit.picture, columns=10, value_range=trainer.value_range)
    return {
        "setting": setting,
        "seed": seed,
        "epochs": epochs,
        "G": recipe.G,
        "D": recipe.D,
        "objective": recipe.objective.name,
        "config": options_of(trainer.config) | {"device": trainer.device.type},
        "features": str(judge.by.judge),
        "n": judge.by.n,
        "floor": round(judge.by.floor, 4),
        "curve": {key: [row[key] for row in rows] for key in rows[0]} if rows else {},
        "diverged": diverged,
        "state": "diverged" if diverged is not None else collapse.state(rows[-1]),
    }


def _train(trainer: Trainer, judge: collapse.Judge, told: looks.Told) -> list[dict[str, float]]:
    """Train to the end, or until it diverges; a row for each look."""
    rows: list[dict[str, float]] = []

    def look(step: int, seconds: float) -> str:
        if (diverged := scored.diverged_at(trainer)) is not None:
            raise NonFiniteLoss(f"at step {diverged} losses or weights are not finite; go on with lower rates.")
        seen = asdict(judge.look(trainer.sample(judge.by.n), trainer.value_range))
        rounded = {name: round(value, 4) for name, value in seen.items()}
        rows.append({"step": step, "processor seconds": seconds, **rounded})
        return f"{collapse.state(seen)}, {seen['frechet']:.0f}"

    with suppress(NonFiniteLoss):  # what it says is found in `history` and in the weights again
        looks.train(trainer, looks.evenly(trainer.config.steps, LOOKS), look, told)
    return rows


def by_arm(record: Record) -> dict[str, list[dict[str, Any]]]:
    """The results of each arm, seeds in their order."""
    return {name: [one for one in record["results"] if one["setting"] == name] for name in ARMS}


def counted(record: Record, state: collapse.State) -> dict[str, int]:
    """With how many seeds each arm ended so."""
    return {name: sum(one["state"] == state for one in runs) for name, runs in by_arm(record).items()}


def pairs(record: Record, value: str, one: str, other: str) -> tuple[list[float], list[float]]:
    """A value of the last look of two arms, over the seeds with which neither diverged."""
    runs = by_arm(record)
    both = [two for two in zip(runs[one], runs[other], strict=True) if all(run["diverged"] is None for run in two)]
    first, second = ([two[i]["curve"][value][-1] for two in both] for i in range(2))
    return first, second


def verdicts(record: Record) -> dict[str, Verdict]:
    """What became of each prediction; a difference of fewer than two pairs of runs is undecided.

    Raises `ConfigError` for a record of another number of seeds than the ten that the counts are of.
    """
    seeds = {name: len(runs) for name, runs in by_arm(record).items()}
    if set(seeds.values()) != {RUNS}:
        raise ConfigError(f"the record has {seeds} runs; give one of {RUNS} seeds.")
    learned = counted(record, "learned")

    def better(more: list[float], less: list[float], margin: float) -> Verdict:
        return before(paired(more, less), margin) if len(more) > 1 else "undecided"

    ls, ns = pairs(record, "frechet", LS_RMSPROP, NS_RMSPROP)
    margin = MARGIN_DISTANCE * math.fsum(ns) / max(1, len(ns))
    return {
        **{f"{name}: {LEARNED[name]} learn": as_often(learned[name], LEARNED[name], RUNS, OFF_BY) for name in ARMS},
        "Adam: LSGAN learns more often": more_often(learned[LS_ADAM], learned[NS_ADAM], RUNS),
        "RMSProp: LSGAN is nearer": better(ns, ls, margin),
        "RMSProp: LSGAN recalls more": better(*pairs(record, "recall", LS_RMSPROP, NS_RMSPROP), MARGIN_RECALL),
        "NS-GAN learns more often with RMSProp": more_often(learned[NS_RMSPROP], learned[NS_ADAM], RUNS),
    }


def rows(_: Record) -> list[Row]:
    """None: four arms are a table of their own, the long one."""
    return []


def every(record: Record) -> list[tuple[str, ...]]:
    """A row for each arm, with all seeds."""
    lines = []
    for name, runs in by_arm(record).items():
        learned = counted(record, "learned")[name]
        low, high = share(learned, len(runs))
        states = " ".join(LETTERS[one["state"]] for one in runs)
        values = (_ended(runs, value, form) for value, form in (("digits", "d"), ("frechet", ".1f"), ("recall", ".2f")))
        lines.append((name, f"{learned} of {len(runs)} ({100 * low:.0f} to {100 * high:.0f} %)", states, *values))
    return lines


def _ended(runs: list[dict[str, Any]], value: str, form: str) -> str:
    return " ".join("–" if one["diverged"] is not None else f"{one['curve'][value][-1]:{form}}" for one in runs)


STUDY = Study(
    name="lsgan-nobn",
    about="LSGAN's experiments without batch norm on MNIST, ten runs each: how many learn, collapse, or do neither",
    lesson="10",
    measure=measure,
    seeds=RUNS,
    units=units,
    presets={
        "laptop": Preset(
            "3.2 epochs: six minutes a run on one core, with networks half as wide; 40 runs",
            {"epochs": 3.2, "width": 32},
        ),
        "paper": Preset(
            "6.4 epochs: ten minutes a run on one core in bfloat16, where it has that, else half an hour; 40 runs",
            {"epochs": 6.4, "width": 64},
        ),
    },
    uses=("epochs", "precision", "device", "root"),
    rule="the weights at the end, of which the rule of `ganlab/experiments/collapse.py` says what became of them;"
    " predicted in commit 67e6af3, the length settled in 02b7ce2, both before the first run",
    rows=rows,
    columns=(
        "at the end, a value for each seed",
        "runs that learned, with the exact 95 % interval of their share",
        "L learned, C collapsed, N learned nothing, D diverged",
        "digits found of 10",
        "Fréchet distance from test images",
        "recall",
    ),
    every=every,
)
