"""mode-counts-first-weights: why does a z of 64 numbers cost the ring's modes? G's first weights, or its rate.

The networks' first weights do not shrink when the input grows. With 64 numbers in the place of 2 each unit of G's first
layer adds up 32 times as many terms, and gets √32 = 5.7 times as much: the samples are so much wider before training,
and G's first step moves them so much farther. Here one of both is taken back at a time, all else as in mode-counts.

Tried with seeds 0 to 7: all modes with 1 of 8 as it is, with 8 of 8 with first weights divided by √32, with 0 of 8 with
G's rate divided by √32. The fourth setting was not tried.

Written before seeds 16 to 31 were run:
1. A z of 64 as it is: at most 4 of 16 seeds find all 8 modes.
2. G's first weights divided by √32: at least 13 of 16 do.
3. G's rate divided by √32 instead: at most 4 of 16 do.
4. A z of 2, G's first weights multiplied by √32: at most 8 of 16 do.
Each is refuted when its number comes out on the other side.

What came out: 0 of 16, 14, 0 and 15. So the first three hold, and 4 is refuted: samples that begin wide do no harm by
themselves, and neither do many numbers. Both together do.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch

from ganlab.experiments import mode_counts
from ganlab.experiments.mode_counts import Setting, on_ring
from ganlab.experiments.study import Preset, Record, Row
from ganlab.experiments.units import Unit
from ganlab.models import ToyDiscriminator, ToyGenerator
from ganlab.training import Adam

FIRST_SEED = 16
"""Those of mode-counts were looked at before."""
WIDER = math.sqrt(64 / 2)


@dataclass(frozen=True)
class Scaled(Setting):
    """A setting in which G's first weights are multiplied by a factor before training."""

    factor: float = 1.0

    def pair(self) -> tuple[ToyGenerator, ToyDiscriminator]:
        """G and D untrained, G's first weights scaled."""
        G, D = super().pair()
        with torch.no_grad():
            next(G.parameters()).mul_(self.factor)
        return G, D


def _scaled(setting: Setting, factor: float) -> Scaled:
    return Scaled(**vars(setting), factor=factor)


SETTINGS = (
    _scaled(on_ring("ring, z of 64", z_dim=64), 1.0),
    _scaled(on_ring("ring, z of 64: first weights of G / √32", z_dim=64), 1 / WIDER),
    _scaled(on_ring("ring, z of 64: rate of G / √32", z_dim=64, optimizer_g=Adam(1e-3 / WIDER)), 1.0),
    _scaled(on_ring("ring, z of 2: first weights of G × √32"), WIDER),
)


def units(seeds: Sequence[int]) -> dict[str, dict[str, Any]]:
    """A unit for each setting, with all seeds at once."""
    return mode_counts.units_of(SETTINGS, [FIRST_SEED + seed for seed in seeds])


def measure(unit: Unit, *, setting: Scaled, seeds: Sequence[int]) -> dict[str, Any]:
    """`mode_counts.run` as a unit of the study, with the factor."""
    return mode_counts.run(setting, seeds, unit.progress) | {"factor": round(setting.factor, 6)}


def rows(_: Record) -> list[Row]:
    """None: lesson 05 tells of it, and the long table has it."""
    return []


STUDY = replace(
    mode_counts.STUDY,
    name="mode-counts-first-weights",
    about="ring of 8, z of 64 and of 2 numbers: G's first weights scaled, or its rate: modes found, good samples",
    measure=measure,
    units=units,
    presets={"laptop": Preset("10 minutes on two cores")},
    rows=rows,
)
