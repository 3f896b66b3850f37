"""What became of a prediction about two ways to train: a rule that was fixed before the runs.

Both ways are run with the same seeds, so that each seed gives one difference. What is compared is their mean with its
95 % interval (Student's t), against a margin below which a difference is of no interest.

Where it is counted in how many runs something came out, Fisher's exact test compares, at 5 %. It sees little in few
runs: 5 of 10 is told from 0 of 10, but not from 1.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import scipy.stats

from ganlab.errors import ConfigError

Verdict = Literal["holds", "refuted", "undecided"]
WORDS: dict[Verdict, str] = {"holds": "hold", "refuted": "refuted", "undecided": "undecided"}
BothWays = tuple[Sequence[float], Sequence[float]]
"""Values of two ways to train, one for each seed."""
LEVEL = 0.05
"""Of Fisher's test."""


@dataclass(frozen=True)
class Difference:
    """The mean of paired differences, and its 95 % interval from `low` to `high`."""

    mean: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.mean:+.2f} ({self.low:+.2f} to {self.high:+.2f})"


def counted(found: Sequence[Verdict]) -> str:
    """How many of each kind, in words: "11 hold, 17 refuted, 0 undecided"."""
    return ", ".join(f"{found.count(kind)} {word}" for kind, word in WORDS.items())


def paired(one: Sequence[float], other: Sequence[float]) -> Difference:
    """one − other, seed by seed. Raises `ConfigError` for sequences of unlike length, and for fewer than 2 seeds."""
    if len(one) != len(other) or len(one) < 2:
        raise ConfigError(f"there are {len(one)} and {len(other)} values; give one of each for at least 2 seeds.")
    differences = [a - b for a, b in zip(one, other, strict=True)]
    mean = math.fsum(differences) / len(differences)
    spread = math.sqrt(math.fsum((d - mean) ** 2 for d in differences) / (len(differences) - 1) / len(differences))
    reach = float(scipy.stats.t.ppf(0.975, len(differences) - 1)) * spread
    return Difference(mean, mean - reach, mean + reach)


def before(difference: Difference, margin: float) -> Verdict:
    """Whether the first is better than the second, where more is better.

    It holds if the mean is at least the margin and the interval lies above 0; it is refuted if the whole interval lies
    below the margin.
    """
    if difference.mean >= margin and difference.low > 0:
        return "holds"
    return "refuted" if difference.high < margin else "undecided"


def alike(difference: Difference, margin: float) -> Verdict:
    """Whether both are equally good: it holds if the whole interval lies within the margin on both sides, and is
    refuted if the whole interval lies beyond it on one side."""
    if -margin < difference.low and difference.high < margin:
        return "holds"
    return "refuted" if difference.low > margin or difference.high < -margin else "undecided"


def by_modes_or_kl(
    modes: BothWays, kl: BothWays, *, nearly_all: float, margins: tuple[float, float]
) -> tuple[Difference, float]:
    """How much better the first of two ways is, and the margin: in modes, or, where both find nearly all in the mean,
    so that modes cannot tell them apart, in nats of KL, of which less is better.

    modes, kl   of each way, a value per seed
    nearly_all  in modes; `margins`: in modes, and in nats
    """
    if all(math.fsum(found) / len(found) >= nearly_all for found in modes):
        return paired(kl[1], kl[0]), margins[1]
    return paired(*modes), margins[0]


def share(found: int, runs: int) -> tuple[float, float]:
    """The exact 95 % interval (Clopper & Pearson 1934) of a share of which `found` of so many runs are an estimate."""
    low, high = scipy.stats.binomtest(found, runs).proportion_ci(0.95, method="exact")
    return float(low), float(high)


def as_often(found: int, published: int, runs: int, margin: int) -> Verdict:
    """Whether it came out as often as it was published, both in so many runs: it holds if the counts differ by no more
    than the margin, and is refuted if Fisher's test, of both sides, tells them apart."""
    if abs(found - published) <= margin:
        return "holds"
    return "refuted" if _fisher(found, published, runs, "two-sided") < LEVEL else "undecided"


def more_often(one: int, other: int, runs: int) -> Verdict:
    """Whether it came out more often in one of two ways, each run so many times: it holds if Fisher's test, of one
    side, says so, and is refuted if it came out no more often."""
    if one <= other:
        return "refuted"
    return "holds" if _fisher(one, other, runs, "greater") < LEVEL else "undecided"


def _fisher(one: int, other: int, runs: int, alternative: str) -> float:
    table = [[one, runs - one], [other, runs - other]]
    return float(scipy.stats.fisher_exact(table, alternative=alternative).pvalue)
