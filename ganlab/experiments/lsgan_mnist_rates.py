"""lsgan-mnist-rates: at which learning rate NS-GAN and two codings of least squares come nearest to MNIST.

The first half of lsgan-mnist, whose networks, length and measure these are: every objective is trained at four rates
with seeds 100 and 101, which are reported nowhere else. Of each the rate counts that has the least mean distance from
validation images, of averaged weights at the end; a run that diverges counts as infinitely far. Nothing is predicted.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from ganlab.experiments import lsgan_mnist
from ganlab.experiments.lsgan_mnist import TUNING
from ganlab.experiments.study import Preset, Record


def units(_: Sequence[int]) -> dict[str, dict[str, Any]]:
    """A unit for each objective, rate and seed that chooses."""
    return {name: unit for name, unit in lsgan_mnist.units(()).items() if unit["seed"] in TUNING}


def every(record: Record) -> list[tuple[str, ...]]:
    """A row for each objective and rate, with both seeds."""
    return [line[:2] for line in lsgan_mnist.every(record)]


STUDY = replace(
    lsgan_mnist.STUDY,
    name="lsgan-mnist-rates",
    about="at which of four learning rates NS-GAN and LSGAN with two codings come nearest to MNIST",
    units=units,
    seeds=None,
    presets={"laptop": Preset("3.84 epochs: three minutes a run on one core in bfloat16, 24 runs", {"epochs": 3.84})},
    rule="the least mean distance from validation images of averaged weights at the end, over seeds 100 and 101",
    columns=("Fréchet distances, a number for each seed", "from validation images: seeds 100 and 101, averaged"),
    every=every,
)
