"""Pictures of lesson 10: what many seeds of several objectives found, over time and at the end, and what was predicted.

In the style and the colours of `ganlab.plots`; a coding is called by its numbers alone, "(0, 1, 1)".
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from ganlab.errors import ShapeError
from ganlab.experiments.predicted import Pair
from ganlab.experiments.verdicts import Verdict
from ganlab.panels import draw_seeds
from ganlab.plots import COLOURS, WIDEST

FATES: dict[Verdict, tuple[str, str]] = {
    "holds": ("discriminator", "✓"),
    "refuted": ("generator", "✗"),
    "undecided": ("reference", "?"),
}
"""Colour and sign of what became of a prediction."""


def over_time(
    steps: Sequence[int],
    found: Mapping[str, Any],
    *,
    title: str,
    ylabel: str,
    columns: int = 4,
    best: float | None = None,
    **options: Any,
) -> Figure:
    """What seeds found over training, a panel for each name: all seeds, their middle half, their median.

    found    by name, [looks, seeds], a row for each of `steps`; NaN is left out
    best     a value to hold them against, as a dotted line
    options  further ones for `Axes.set`, such as yscale="log"

    Raises `ShapeError` for other numbers of looks.
    """
    rows = -(-len(found) // columns)
    fig, axes = plt.subplots(
        rows, columns, figsize=(WIDEST, 1.25 * rows + 0.7), sharex="all", sharey="all", squeeze=False
    )
    for ax, (name, values) in zip(axes.flat, found.items(), strict=False):
        counts = np.asarray(values, dtype=np.float64)
        if counts.ndim != 2 or len(counts) != len(steps):
            raise ShapeError(f"{name} has shape {list(counts.shape)} for {len(steps)} steps; give [steps, seeds].")
        low, first, middle, third, high = np.nanpercentile(counts, (0, 25, 50, 75, 100), axis=1)
        ax.fill_between(steps, low, high, color=COLOURS["generator"], alpha=0.2, linewidth=0)
        ax.fill_between(steps, first, third, color=COLOURS["generator"], alpha=0.4, linewidth=0)
        ax.plot(steps, middle, color=COLOURS["generator"])
        if best is not None:
            ax.axhline(best, color=COLOURS["reference"], linestyle=":", linewidth=1.2)
        ax.set_title(_short(name), fontsize=9)
        ax.set(**options)
    for ax in axes.flat[len(found) :]:
        ax.set_axis_off()
    for ax in axes[-1]:
        ax.set_xlabel("steps")
    for ax in axes[:, 0]:
        ax.set_ylabel(ylabel)
    fig.suptitle(title, x=0.01, ha="left", fontsize=11)
    return fig


def verdicts(found: Sequence[Pair], *, title: str) -> Figure:
    """Pairs as a square: how the row fared against the column as measured, coloured by what became of a prediction.

    Above the diagonal by the first prediction, below it by the second, where there is one. What it said of the row
    against the column stands in the cell: > before, = alike, < after, and the difference if it is not below the margin.
    Raises `ShapeError` for three.
    """
    predictions = list(found[0].said)
    if len(predictions) > 2:
        raise ShapeError(f"there are {len(predictions)} predictions; give one or two.")
    names = list(dict.fromkeys(name for pair in found for name in (pair.one, pair.other)))
    fig, ax = plt.subplots(figsize=(WIDEST, 0.36 * len(names) + 1.4))
    for pair in found:
        one, other = names.index(pair.one), names.index(pair.other)
        for prediction, (row, column) in zip(predictions, ((one, other), (other, one)), strict=False):
            _cell(ax, row, column, pair, prediction)
    ends = (-0.5, len(names) - 0.5)
    ax.set(xlim=ends, ylim=ends[::-1], xticks=range(len(names)), yticks=range(len(names)))
    ax.set_xticklabels([_short(name) for name in names], rotation=20, ha="right", fontsize=7)
    ax.set_yticklabels([_short(name) for name in names], fontsize=7)
    ax.set(ylabel="this one …", xlabel="… against this one")
    sides = (f"{side}: by {name}" for side, name in zip(("above", "below"), predictions, strict=False))
    ax.set_title(", ".join(sides), fontsize=9)
    ax.grid(visible=False)
    fig.suptitle(title, x=0.01, ha="left", fontsize=11)
    return fig


def _cell(ax: Axes, row: int, column: int, pair: Pair, prediction: str) -> None:
    colour, sign = FATES[pair.verdicts[prediction]]
    turned = row > column  # below the diagonal the second of the pair is the row
    order = {"before": "><", "alike": "==", "after": "<>"}[pair.said[prediction]][turned]
    lead = -pair.difference.mean if turned else pair.difference.mean
    square = Rectangle((column - 0.5, row - 0.5), 1, 1, facecolor=COLOURS[colour], alpha=0.3, edgecolor="white")
    ax.add_patch(square)
    size = f" {lead:+.2f}".replace("-", "−") if abs(lead) >= pair.margin else ""
    ax.text(column, row, f"{order}{size} {sign}", ha="center", va="center", fontsize=6.5)


def at_the_end(
    groups: Mapping[str, Mapping[str, Sequence[float]]],
    *,
    title: str,
    xlabel: str,
    lines: Mapping[str, float] | None = None,
    **options: Any,
) -> Figure:
    """What each seed found at the end: a panel for each group, a row for each name, a dot per seed, a bar at the mean.

    groups   by title, by name, one number per seed; all groups have the names of the first
    lines    values to hold them against, by name, as dotted lines in all panels
    options  further ones for `Axes.set`

    Raises `ShapeError` for groups of other names.
    """
    names = list(next(iter(groups.values())))
    fig, axes = plt.subplots(
        1, len(groups), figsize=(WIDEST, 0.3 * len(names) + 1.3), sharey="all", sharex="all", squeeze=False
    )
    for ax, (group, found) in zip(axes[0], groups.items(), strict=True):
        if list(found) != names:
            raise ShapeError(f"group {group!r} has {', '.join(found)}; give {', '.join(names)}, as in the first.")
        for row, values in enumerate(found.values()):
            draw_seeds(ax, row, values)
        for label, value in (lines or {}).items():
            ax.axvline(value, color=COLOURS["reference"], linestyle=":", linewidth=1.2, label=label)
        ax.set_yticks(range(len(names)), [_short(name) for name in names])
        ax.set(ylim=(len(names) - 0.5, -0.5), xlabel=xlabel, **options)
        ax.set_title(group, fontsize=9)
    axes[0, 0].set_ylabel("objective")
    if lines:
        axes[0, -1].legend(fontsize=8)
    fig.suptitle(title, x=0.01, ha="left", fontsize=11)
    return fig


def _short(name: str) -> str:
    return name.removeprefix("LSGAN ")
