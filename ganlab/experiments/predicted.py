"""Predictions beside measurements: for each pair of ways to train, what was said of it and what came out.

A prediction gives each way a rank: a lower one is before, equal ones are alike (`ganlab.experiments.verdicts`).
"""

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from ganlab.experiments.verdicts import Difference, Verdict, alike, before

Order = Literal["before", "alike", "after"]
JUDGES: dict[Order, Callable[[Difference, float], Verdict]] = {
    "before": before,
    "alike": alike,
    "after": lambda found, margin: before(Difference(-found.mean, -found.high, -found.low), margin),
}


@dataclass(frozen=True)
class Pair:
    """Two ways to train.

    said        by prediction: whether `one` is before `other`, alike, or after it
    difference  how much better `one` was than `other`; below `margin` it is of no interest
    """

    one: str
    other: str
    said: Mapping[str, Order]
    difference: Difference
    margin: float

    @property
    def verdicts(self) -> dict[str, Verdict]:
        """What became of each prediction."""
        return {name: JUDGES[order](self.difference, self.margin) for name, order in self.said.items()}


def pairs(
    names: Sequence[str],
    ranks: Mapping[str, Sequence[int]],
    compared: Callable[[str, str], tuple[Difference, float]],
) -> list[Pair]:
    """Every pair of the names, in their order.

    ranks     by prediction, one for each name
    compared  (one, other) → how much better the first was, and the margin
    """

    def order(first: int, second: int) -> Order:
        return "alike" if first == second else "before" if first < second else "after"

    found = []
    for i, j in itertools.combinations(range(len(names)), 2):
        said: dict[str, Order] = {name: order(of_all[i], of_all[j]) for name, of_all in ranks.items()}
        found.append(Pair(names[i], names[j], said, *compared(names[i], names[j])))
    return found


def judged(
    names: Sequence[str], ranks: Sequence[int], compared: Callable[[str, str], tuple[Difference, float]]
) -> dict[tuple[str, str], Verdict]:
    """What became of each pair of one prediction. Arguments are those of `pairs`."""
    return {(pair.one, pair.other): pair.verdicts["it"] for pair in pairs(names, {"it": ranks}, compared)}


def counts(found: Sequence[Pair]) -> dict[str, dict[Verdict, int]]:
    """By prediction: how many of its pairs hold, are refuted, and are undecided."""
    kinds: tuple[Verdict, ...] = ("holds", "refuted", "undecided")
    return {name: {kind: [one.verdicts[name] for one in found].count(kind) for kind in kinds} for name in found[0].said}


def table(found: Sequence[Pair]) -> str:
    """All pairs as a table in Markdown: the difference with its 95 % interval, the margin, each prediction's fate."""
    heads = ["pair", "measured: first better by", "margin", *found[0].said]
    lines = [heads, ["---"] * len(heads)]
    for pair in found:
        fates = (f"{order}: {pair.verdicts[name]}" for name, order in pair.said.items())
        lines.append([f"{pair.one}, {pair.other}", shown(pair.difference, pair.margin), f"{pair.margin:g}", *fates])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def shown(difference: Difference, margin: float) -> str:
    """Two digits of the margin and one more, such as "+4.06 (+3.93 to +4.20)" for half a mode."""
    digits = 2 if margin >= 0.1 else 4
    numbers = (f"{value:+.{digits}f}".replace("-", "−") for value in (difference.mean, difference.low, difference.high))
    return "{} ({} to {})".format(*numbers)
