"""lsgan-ring: which objectives find the modes of a ring, in three ways to train, over 16 seeds each.

Lesson 09 predicts it twice: by the push on one sample where samples are missing (`BY_SAMPLE`), and by the sum of the
pushes over all samples, which G's weights receive (`BY_SUM`). Both were written down, with the margins and what refutes
them, before any of these settings was run. Where both ways of a pair find 7.75 of 8 modes or more in the mean, modes
cannot tell them apart: there KL(shares of the modes ‖ the law's) decides.

The authors' setting (Mao et al. 2017, released code): tanh networks, z of 256, batch 512, Adam at 0.0001 for D and
0.001 for G with β₁ 0.5, both at once. Their 35,000 steps are the preset "paper"; "laptop" has 8,000.
"""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import sympy as sp

from ganlab import data
from ganlab.data.toy import Mixture
from ganlab.experiments import mode_counts
from ganlab.experiments.mode_counts import CURE, Setting, on_ring
from ganlab.experiments.study import Preset, Record, Row, Study
from ganlab.experiments.tables import mean_and_range
from ganlab.experiments.units import Unit
from ganlab.experiments.verdicts import Difference, Verdict, alike, before, paired
from ganlab.objectives import MINIMAX, NON_SATURATING, Objective, least_squares
from ganlab.training import Adam, TrainConfig

OBJECTIVES: dict[str, Objective] = {
    "GAN (saturating)": MINIMAX,
    "LSGAN (0, 1, 2)": least_squares(0, 1, 2),
    "LSGAN (−1, 1, 2)": least_squares(-1, 1, 2),
    "LSGAN (0, 1, 1.5)": least_squares(0, 1, sp.Rational(3, 2)),
    "NS-GAN": NON_SATURATING,
    "LSGAN (0, 1, 1)": least_squares(0, 1, 1),
    "LSGAN (−1, 1, 1)": least_squares(-1, 1, 1),
    "LSGAN (−1, 1, 0)": least_squares(-1, 1, 0),
}
BY_SAMPLE = (1, 2, 3, 3, 3, 4, 4, 5)
"""The first prediction: each objective's rank, in their order. Equal ranks are alike, a lower one is before."""
BY_SUM = (1, 1, 1, 1, 1, 1, 1, 2)
"""The second."""
MARGIN_MODES, MARGIN_NATS, NEARLY_ALL = 0.5, 0.05, 7.75
WAYS = ("authors, double mode", "authors, equal modes", "noise and decay")


def _authors(name: str, law: Mixture, objective: Objective) -> Setting:
    config = TrainConfig(
        batch=512,
        update="simultaneous",
        optimizer_d=Adam(1e-4),
        optimizer_g=Adam(1e-3),
        device="cpu",
    )
    return Setting(name, law, objective, config, z_dim=256, activation="tanh")


def settings_of(name: str, objective: Objective) -> dict[str, Setting]:
    """The three ways to train with an objective."""
    named = [f"{way}: {name}" for way in WAYS]
    return {
        WAYS[0]: _authors(named[0], data.lsgan_ring(), objective),
        WAYS[1]: _authors(named[1], data.ring(), objective),
        WAYS[2]: on_ring(named[2], objective=objective, **CURE),
    }


SETTINGS = tuple(settings_of(name, one)[way] for way in WAYS for name, one in OBJECTIVES.items())


def units(seeds: Sequence[int]) -> dict[str, dict[str, Any]]:
    """A unit for each setting, with all seeds at once."""
    return mode_counts.units_of(SETTINGS, seeds)


def measure(unit: Unit, *, setting: Setting, seeds: Sequence[int], authors_steps: int) -> dict[str, Any]:
    """`mode_counts.run` as a unit of the study; the authors' ways take `authors_steps`, the other its own 4,000."""
    if setting.activation == "tanh":
        setting = replace(setting, config=replace(setting.config, steps=authors_steps))
    return mode_counts.run(setting, seeds, unit.progress)


def compared(record: Record, way: str, one: str, other: str) -> tuple[Difference, float]:
    """How much better `one` is than `other` after the last step, and the margin: in modes, or in nats of KL where both
    find nearly all."""
    results = {result["setting"]: result for result in record["results"]}
    first, second = (results[f"{way}: {name}"] for name in (one, other))
    modes = [result["modes"][-1] for result in (first, second)]
    if all(math.fsum(found) / len(found) >= NEARLY_ALL for found in modes):
        return paired(second["kl"][-1], first["kl"][-1]), MARGIN_NATS
    return paired(*modes), MARGIN_MODES


def verdicts(record: Record, way: str, ranks: Sequence[int]) -> dict[tuple[str, str], Verdict]:
    """What became of each pair of a prediction, in one way to train."""
    names = list(OBJECTIVES)
    found: dict[tuple[str, str], Verdict] = {}
    for i, one in enumerate(names):
        for j in range(i + 1, len(names)):
            judge = alike if ranks[i] == ranks[j] else before
            found[one, names[j]] = judge(*compared(record, way, one, names[j]))
    return found


def rows(record: Record) -> list[Row]:
    """For each way to train, modes by objective."""
    results = {result["setting"]: result for result in record["results"]}
    made = []
    for way in WAYS:
        parts = [f"{name}: {mean_and_range(results[f'{way}: {name}']['modes'][-1], digits=1)}" for name in OBJECTIVES]
        made.append(Row(f"Eight objectives on the ring of 8, {way}: modes found in 2,500 samples", "; ".join(parts)))
    return made


STUDY = Study(
    name="lsgan-ring",
    about="eight objectives on the ring of 8, in three ways to train: which modes are found, and how evenly",
    lesson="10",
    measure=measure,
    units=units,
    seeds=16,
    presets={
        "laptop": Preset("half an hour on two cores", {"authors_steps": 8_000}),
        "paper": Preset("two hours on two cores", {"authors_steps": 35_000}),
    },
    rule="the counts after the last step; those on the way are kept, too",
    rows=rows,
    columns=(*mode_counts.STUDY.columns, "KL (nats)"),
    every=lambda record: [
        (*cells, " ".join("–" if kl is None else f"{kl:.2f}" for kl in result["kl"][-1]))
        for cells, result in zip(mode_counts.every(record), record["results"], strict=True)
    ],
)
