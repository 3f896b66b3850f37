"""What became of a prediction about two ways to train: a rule that was fixed before the runs.

Both ways are run with the same seeds, so that each seed gives one difference. What is compared is their mean with its
95 % interval (Student's t), against a margin below which a difference is of no interest.
"""

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import scipy.stats

from ganlab.errors import ConfigError

Verdict = Literal["holds", "refuted", "undecided"]


@dataclass(frozen=True)
class Difference:
    """The mean of paired differences, and its 95 % interval from `low` to `high`."""

    mean: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.mean:+.2f} ({self.low:+.2f} to {self.high:+.2f})"


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


def judged(
    names: Sequence[str], ranks: Sequence[int], compared: Callable[[str, str], tuple[Difference, float]]
) -> dict[tuple[str, str], Verdict]:
    """What became of each pair of a prediction that ranks them: equal ranks are alike, a lower one is before.

    `compared` gives, for two names, how much better the first is, and the margin.
    """
    found: dict[tuple[str, str], Verdict] = {}
    for (one, rank), (other, next_rank) in itertools.combinations(zip(names, ranks, strict=True), 2):
        judge = alike if rank == next_rank else before
        found[one, other] = judge(*compared(one, other))
    return found
