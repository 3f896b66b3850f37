"""What a record of stacked-mnist says: counts at the end, what became of its predictions, tables.

What was predicted, and by which rule it is judged, stands in `ganlab.experiments.stacked_mnist`.
"""

import math
from collections.abc import Sequence
from functools import partial
from typing import Any

from ganlab.experiments import lsgan_ring
from ganlab.experiments.predicted import judged
from ganlab.experiments.study import Published, Record, Row
from ganlab.experiments.tables import mean_and_range
from ganlab.experiments.verdicts import Difference, Verdict, by_modes_or_kl
from ganlab.objectives import RELATIVISTIC, Objective

PAIRED, REGULARISED, REAL = "RpGAN", "RpGAN, R1 and R2, no normalisation", "real test images"
OBJECTIVES: dict[str, Objective] = {**lsgan_ring.OBJECTIVES, PAIRED: RELATIVISTIC}
WIDTHS = {"a quarter": 8, "half": 16, "equal": 32}
"""Of D, by its share of G's 32."""
MARGIN_MODES, MARGIN_NATS, NEARLY_ALL = 20.0, 0.05, 990.0
MANY_MORE, REACHED = 100.0, 950.0
"""Of prediction 2, and of prediction 3."""
WHOLE = 4000
"""The steps that prediction 3 is about."""
PUBLISHED = (
    Published(
        value="30.6 ± 20.73 modes, KL 5.99 ± 0.42 (D a quarter); 628.0 ± 140.9, KL 2.58 ± 0.75 (D half)",
        unit="of 1,000 modes in 26,000 samples, and nats",
        source="Metz et al. 2017, DCGAN, as PacGAN (Lin et al. 2018) quotes it in its Table 3",
        protocol="other networks, a classifier of theirs",
    ),
    Published(
        value="78.9 ± 6.46 modes, KL 4.50 ± 0.127",
        unit="of 1,000 modes in 26,000 samples, and nats",
        source="PacGAN (Lin et al. 2018), Table 2, DCGAN",
        protocol="D of four layers from 64 maps on, two steps of G for each of D's, 50 epochs of 128,000 images",
    ),
    Published(
        value="78.5 ± 17.56 modes, KL 5.21 ± 0.19 (D a quarter); 487.7 ± 34.59, KL 2.24 ± 0.15 (D half)",
        unit="of 1,000 modes in 26,000 samples, and nats",
        source="PacGAN (Lin et al. 2018), Table 3, its own DCGAN over 50 runs",
        protocol="Metz et al.'s networks, PacGAN's classifier",
    ),
    Published(
        value="1,000 modes, KL 0.078 (RpGAN, R1 and R2); 693, KL 0.927 (GAN, R1 and R2)",
        unit="of 1,000 modes, and nats",
        source="R3GAN (Huang et al. 2024), ablation on stacked MNIST",
        protocol="small ResNets without normalisation",
    ),
)


def ends(record: Record, setting: str, share: str, what: str = "modes") -> list[float]:
    """Modes, or "kl", after the last step, seeds in their order."""
    of = [one for one in record["results"] if (one["setting"], one["share"]) == (setting, share)]
    return [one[what][-1] for one in of]


def _mean(record: Record, setting: str, share: str, what: str = "modes") -> float:
    found = ends(record, setting, share, what)
    return math.fsum(found) / len(found)


def compared(record: Record, share: str, one: str, other: str) -> tuple[Difference, float]:
    """How much better `one` is than `other` with such a D, and the margin: in modes, or in nats of KL where both find
    nearly all."""
    modes, kl = ((ends(record, one, share, what), ends(record, other, share, what)) for what in ("modes", "kl"))
    return by_modes_or_kl(modes, kl, nearly_all=NEARLY_ALL, margins=(MARGIN_MODES, MARGIN_NATS))


def verdicts(record: Record, ranks: Sequence[int], share: str) -> dict[tuple[str, str], Verdict]:
    """What became of each pair of a prediction with such a D."""
    return judged(list(lsgan_ring.OBJECTIVES), ranks, partial(compared, record, share))


def own_verdicts(record: Record) -> dict[int, Verdict]:
    """What became of the three further predictions, by their numbers."""
    more = {share: _mean(record, PAIRED, share) - _mean(record, "NS-GAN", share) for share in WIDTHS}
    came_out = {
        1: all(_mean(record, name, "a quarter") < _mean(record, name, "equal") for name in OBJECTIVES),
        2: min(more.values()) > 0 and more["a quarter"] >= MANY_MORE,
        3: _mean(record, REGULARISED, "equal") >= REACHED,
    }
    judged: dict[int, Verdict] = {number: "holds" if true else "refuted" for number, true in came_out.items()}
    if record["options"]["steps"] < WHOLE:
        judged[3] = "undecided"
    return judged


def _real(record: Record) -> dict[str, Any]:
    return next(one for one in record["results"] if one["share"] is None)


def means(record: Record) -> str:
    """A table in Markdown: real images, and for each setting and width of D the means after the last step."""
    lines = ["| modes of 1,000 (KL, nats) | " + " | ".join(f"D {share}" for share in WIDTHS) + " |"]
    lines.append("|---" * (1 + len(WIDTHS)) + "|")
    real = _real(record)
    lines.append(f"| {REAL} | {real['modes'][-1]} ({real['kl'][-1]:.2f}) |" + " – |" * (len(WIDTHS) - 1))
    for setting in (*OBJECTIVES, REGULARISED):
        cells = (
            f"{_mean(record, setting, share, 'modes'):.0f} ({_mean(record, setting, share, 'kl'):.2f})"
            for share in WIDTHS
        )
        lines.append(f"| {setting} | {' | '.join(cells)} |")
    return "\n".join(lines)


def rows(record: Record) -> list[Row]:
    """NS-GAN at each width of D, and what real images get."""
    found = (f"D {share}: {mean_and_range(ends(record, 'NS-GAN', share), digits=0)}" for share in WIDTHS)
    real = _real(record)
    anchor = (
        f"real images {real['modes'][-1]:,}, KL {real['kl'][-1]:.3f}, of which counting alone {real['counting']:.3f}"
    )
    text = f"Stacked MNIST, NS-GAN on a small DCGAN, {record['options']['steps']:,} steps: modes of 1,000"
    return [Row(text, f"{'; '.join(found)} ({anchor})", PUBLISHED[0])]


def every(record: Record) -> list[tuple[str, ...]]:
    """A row for each setting and width of D, a value for each seed."""
    real = _real(record)
    cells: list[tuple[str, ...]] = [(REAL, str(real["modes"][-1]), f"{real['kl'][-1]:.3f}")]
    for setting in (*OBJECTIVES, REGULARISED):
        for share in WIDTHS:
            modes, kl = ends(record, setting, share), ends(record, setting, share, "kl")
            cells.append(
                (f"{setting}, D {share}", " ".join(f"{n:.0f}" for n in modes), " ".join(f"{nats:.2f}" for nats in kl))
            )
    return cells
