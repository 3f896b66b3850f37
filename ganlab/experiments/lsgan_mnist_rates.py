"""lsgan-mnist-rates: at which learning rate NS-GAN and two codings of least squares come nearest to MNIST.

The first half of lsgan-mnist, whose networks, length and measure these are: every objective is trained at four rates
with seeds 100 and 101, which are reported nowhere else. Of each the rate counts that has the least mean distance from
validation images, of averaged weights at the end; a run that diverges counts as infinitely far. Nothing is predicted.
"""

import itertools
import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from ganlab.experiments import lsgan_mnist
from ganlab.experiments.lsgan_mnist import OBJECTIVES, distance, runs_of, shown
from ganlab.experiments.study import Preset, Record, Row

RATES = (5e-4, 1e-3, 2e-3, 4e-3)
TUNING = (100, 101)
"""Seeds that choose the rates, and are not reported."""


def units(_: Sequence[int]) -> dict[str, dict[str, Any]]:
    """A unit for each objective, rate and seed that chooses."""
    return {of: unit for name in OBJECTIVES for of, unit in lsgan_mnist.units_at(name, RATES, TUNING).items()}


def distances(record: Record, name: str, rate: float) -> list[float]:
    """The distances from validation images of an objective at a rate, infinite where a run diverged."""
    return [distance(one, "validation") for one in runs_of(record, name) if one["rate"] == rate]


def chosen(record: Record) -> dict[str, float]:
    """The rate of each objective: that with the least mean distance, of equal ones the least."""
    return {name: min(RATES, key=lambda rate: math.fsum(distances(record, name, rate))) for name in OBJECTIVES}


def at_the_edge(record: Record) -> list[str]:
    """The objectives whose chosen rate is the least or the largest of all: a better one may lie beyond."""
    return [name for name, rate in chosen(record).items() if rate in (RATES[0], RATES[-1])]


def every(record: Record) -> list[tuple[str, ...]]:
    """A row for each objective and rate, with both seeds."""
    best = chosen(record)
    return [
        (f"{name}, rate {rate:g}{', chosen' if best[name] == rate else ''}", shown(distances(record, name, rate)))
        for name, rate in itertools.product(OBJECTIVES, RATES)
    ]


def rows(_: Record) -> list[Row]:
    """None: what it chose is reported by lsgan-mnist."""
    return []


STUDY = replace(
    lsgan_mnist.STUDY,
    name="lsgan-mnist-rates",
    about="at which of four learning rates NS-GAN and LSGAN with two codings come nearest to MNIST",
    units=units,
    rows=rows,
    seeds=None,
    presets={"laptop": Preset("3.84 epochs: five minutes a run on one core, 24 runs", {"epochs": 3.84})},
    rule="the least mean distance from validation images of averaged weights at the end, over seeds 100 and 101",
    columns=("Fréchet distances, a number for each seed", "from validation images: seeds 100 and 101, averaged"),
    every=every,
)
