"""lsgan-ring: which of eight objectives find the modes of a ring, over 16 seeds each.

Lesson 09 predicts it twice: by the push on one sample where samples are missing (`BY_SAMPLE`), and by the sum of the
pushes over all samples, which G's weights receive (`BY_SUM`). Both were written down, with the margins and what refutes
them, before any of these settings was run: in the lesson, and here. Where both of a pair find 7.75 of 8 modes or more
in the mean, modes cannot tell them apart: there KL(shares of the modes ‖ equal shares) decides.

What came out: (−1, 1, 0) keeps 4 of the 8 modes (3 in one seed), every other objective all 8 in all seeds. So all 28
pairs are as predicted by the sum, and 11 as predicted by the push on one sample; 17 of its orders are refuted. The
ring is easy for seven of the eight: whether they differ where modes are hard to keep, it cannot tell.
Below the margin, seen afterwards: of the 21 pairs of the seven, the intervals of 7 leave out 0, and all 7 lead as the
push on one sample says; 5 of them are the saturating GAN's.

The setting is that of mode-counts with noise and decay. NS-GAN's result in it was known then (lesson 05: all modes).
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import sympy as sp

from ganlab.experiments import mode_counts
from ganlab.experiments.mode_counts import CURE, on_ring
from ganlab.experiments.predicted import judged
from ganlab.experiments.study import Preset, Record, Row
from ganlab.experiments.tables import mean_and_range
from ganlab.experiments.verdicts import Difference, Verdict, by_modes_or_kl, counted
from ganlab.objectives import MINIMAX, NON_SATURATING, Objective, least_squares

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

SETTINGS = tuple(on_ring(name, objective=objective, **CURE) for name, objective in OBJECTIVES.items())


def units(seeds: Sequence[int]) -> dict[str, dict[str, Any]]:
    """A unit for each setting, with all seeds at once."""
    return mode_counts.units_of(SETTINGS, seeds)


def compared(record: Record, one: str, other: str) -> tuple[Difference, float]:
    """How much better `one` is than `other` after the last step, and the margin: in modes, or in nats of KL where both
    find nearly all."""
    results = {result["setting"]: result for result in record["results"]}
    first, second = results[one], results[other]
    modes, kl = ((first[what][-1], second[what][-1]) for what in ("modes", "kl"))
    return by_modes_or_kl(modes, kl, nearly_all=NEARLY_ALL, margins=(MARGIN_MODES, MARGIN_NATS))


def verdicts(record: Record, ranks: Sequence[int]) -> dict[tuple[str, str], Verdict]:
    """What became of each pair of a prediction."""
    return judged(list(OBJECTIVES), ranks, partial(compared, record))


def rows(record: Record) -> list[Row]:
    """Modes by objective, and how many pairs of each prediction hold."""
    results = {result["setting"]: result for result in record["results"]}
    found = [f"{name}: {mean_and_range(results[name]['modes'][-1], digits=1)}" for name in OBJECTIVES]
    of_both = {"the sum over samples": verdicts(record, BY_SUM), "the push on one sample": verdicts(record, BY_SAMPLE)}
    found += [f"of 28 pairs as predicted by {name}: {counted(list(kinds.values()))}" for name, kinds in of_both.items()]
    return [Row("Eight objectives on the ring of 8, noise and decay: modes found in 2,500 samples", "; ".join(found))]


STUDY = replace(
    mode_counts.STUDY,
    name="lsgan-ring",
    about="eight objectives on the ring of 8 with noise and decay: which modes are found, and how evenly",
    lesson="10",
    units=units,
    presets={"laptop": Preset("five minutes on two cores")},
    rule=f"{mode_counts.STUDY.rule}; predicted in commit 2fc43a1294, before the first run",
    rows=rows,
    columns=(*mode_counts.STUDY.columns, "KL (nats)"),
    every=lambda record: [
        (*cells, " ".join("–" if kl is None else f"{kl:.2f}" for kl in result["kl"][-1]))
        for cells, result in zip(mode_counts.every(record), record["results"], strict=True)
    ],
)
