"""lsgan-ring-codings: how many modes of a ring training keeps with (0, 1, c), for five c, over 16 seeds each.

Up to scale every least-squares coding is one of these, with c = (c − a)/(b − a) of its own. What training follows, with
D at its best and modes that do not meet, is lowest where G makes `ganlab.theory.kept.modes_kept` of the eight: 1 for
c = 0.3, 2 for 0.4, 4 for 0.5, 6 for 0.6, all 8 for 0.7. Refuted for a c if the mean over the seeds is more than one
mode off.

The prediction was written in commit 1c78231, before any of these runs. What was known then is lsgan-ring: (−1, 1, 0),
which is c = 0.5 on another scale, keeps 4. Known when this study was written, but not when it was predicted, are runs
half as long with seeds 100 to 103 and 200 to 203 (lesson 10): 0.3 kept 1 or 2, 0.4 kept 2 or 3, 0.6 all 8,
and so did 1.

What came out: 1.6, 2.1, 4, 8 and 8 in the mean. So four hold, and c = 0.6 is refuted: all are kept.

The setting is that of lsgan-ring.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import sympy as sp

from ganlab.experiments import lsgan_ring, mode_counts
from ganlab.experiments.mode_counts import CURE, on_ring
from ganlab.experiments.study import Record, Row
from ganlab.experiments.verdicts import Difference, Verdict, paired
from ganlab.objectives import least_squares

KEPT = {"0.3": 1, "0.4": 2, "0.5": 4, "0.6": 6, "0.7": 8}
"""By c, the number of modes predicted."""
MARGIN_MODES = 1

SETTINGS = tuple(on_ring(f"(0, 1, {c})", objective=least_squares(0, 1, sp.Rational(c)), **CURE) for c in KEPT)


def units(seeds: Sequence[int]) -> dict[str, dict[str, Any]]:
    """A unit for each coding, with all seeds at once."""
    return mode_counts.units_of(SETTINGS, seeds)


def off(record: Record) -> dict[str, Difference]:
    """By c: by how many modes more than predicted were kept, after the last step."""
    results = {result["setting"]: result for result in record["results"]}
    ended = {c: results[f"(0, 1, {c})"]["modes"][-1] for c in KEPT}
    return {c: paired(modes, [KEPT[c]] * len(modes)) for c, modes in ended.items()}


def verdicts(record: Record) -> dict[str, Verdict]:
    """By c, what became of its prediction."""
    return {c: "holds" if abs(found.mean) <= MARGIN_MODES else "refuted" for c, found in off(record).items()}


def rows(_: Record) -> list[Row]:
    """None: the long table has them."""
    return []


STUDY = replace(
    lsgan_ring.STUDY,
    name="lsgan-ring-codings",
    about="(0, 1, c) with five c on the ring of 8 with noise and decay: how many modes are kept",
    units=units,
    rule=f"{mode_counts.STUDY.rule}; predicted in commit 1c78231, before the first run",
    rows=rows,
)
