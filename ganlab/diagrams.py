"""Drawings of lesson 07: a kernel on its way over a line, a matrix with its numbers, how often kernels overlap."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from ganlab.plots import COLOURS, INK, WIDEST
from ganlab.theory.convolution import convolve, transpose_convolve, transposed_size

ROW = 1.6
"""From one row of cells to the next, in widths of a cell."""


def kernel_at(
    x: Sequence[int],
    y: Sequence[int],
    kernel: Sequence[int],
    stride: int,
    padding: int,
    positions: Sequence[int],
    *,
    title: str = "",
) -> Figure:
    """For each position a row: how one entry of the convolution of x gathers, and how the same entry of y scatters.

    x, y   integers; y has as many as the convolution of x gives
    """
    figure = Figure(figsize=(WIDEST, 1.75 * len(positions) + 0.5), layout="constrained")
    panels = figure.subplots(len(positions), 2, squeeze=False)
    for at, (left, right) in zip(positions, panels, strict=True):
        _gather(left, x, kernel, stride, padding, at)
        _scatter(right, y, kernel, stride, padding, at)
    panels[0, 0].set_title("convolution: the kernel gathers", fontsize=10)
    panels[0, 1].set_title("transposed: the kernel scatters", fontsize=10)
    return _headed(figure, title)


def _gather(axes: Axes, x: Sequence[int], kernel: Sequence[int], stride: int, padding: int, at: int) -> None:
    places = [at * stride + j - padding for j in range(len(kernel))]
    padded = [(a, x[a] if a in range(len(x)) else 0) for a in range(-padding, len(x) + padding)]
    _cells(axes, 2 * ROW, padded, touched=places, inside=range(len(x)), colour="data", name="x")
    _cells(axes, ROW, list(zip(places, kernel, strict=True)), touched=places, colour="reference", name="w")
    terms = " + ".join(f"{w}·{dict(padded)[a]}" for a, w in zip(places, kernel, strict=True))
    value = convolve(x, kernel, stride, padding)[at]
    axes.text(-padding, 0.5, f"$y_{at}$ = {terms} = {value}", va="center", fontsize=10, color=INK["discriminator"])
    _frame(axes, len(x), padding)


def _scatter(axes: Axes, y: Sequence[int], kernel: Sequence[int], stride: int, padding: int, at: int) -> None:
    size = transposed_size(len(y), len(kernel), stride, padding)
    places = [at * stride + j - padding for j in range(len(kernel))]
    so_far = transpose_convolve([*y[: at + 1], *[0] * (len(y) - at - 1)], kernel, stride, padding)
    text = f"$y_{at}$ = {y[at]}, times the kernel:"
    axes.text(-padding, 2 * ROW + 0.5, text, va="center", fontsize=10, color=INK["discriminator"])
    products = [(a, w * y[at]) for a, w in zip(places, kernel, strict=True)]
    _cells(axes, ROW, products, touched=places, inside=range(size), colour="reference", name="")
    _cells(axes, 0, list(enumerate(so_far)), touched=places, colour="generator", name="sum")
    _frame(axes, size, padding)


def _cells(
    axes: Axes,
    bottom: float,
    numbers: Sequence[tuple[int, Any]],
    *,
    touched: Sequence[int],
    colour: str,
    name: str,
    inside: Sequence[int] | None = None,
) -> None:
    """A row of cells, (place, number) each; those that are touched are filled, those outside have a dashed edge."""
    for place, number in numbers:
        dashed = inside is not None and place not in inside
        face = COLOURS[colour] if place in touched else "white"
        axes.add_patch(Rectangle((place, bottom), 1, 1, facecolor=face, alpha=0.25, linewidth=0))
        axes.add_patch(Rectangle((place, bottom), 1, 1, fill=False, linestyle=":" if dashed else "-", linewidth=0.8))
        axes.text(place + 0.5, bottom + 0.5, str(number), ha="center", va="center", fontsize=10)
    axes.text(min(place for place, _ in numbers) - 0.25, bottom + 0.5, name, ha="right", va="center", fontsize=9)


def _frame(axes: Axes, size: int, padding: int) -> None:
    axes.set(xlim=(-padding - 1.3, size + padding + 0.2), ylim=(-0.2, 2 * ROW + 1.2), aspect="equal")
    axes.set_axis_off()


def _headed(figure: Figure, title: str) -> Figure:
    if title:
        figure.suptitle(title, x=0.01, ha="left", fontsize=11)
    return figure


def matrices(named: dict[str, Any], *, title: str) -> Figure:
    """Matrices of small integers side by side, each number in its cell; 0 is left blank."""
    arrays = {name: np.array(matrix.tolist(), dtype=int) for name, matrix in named.items()}
    figure = Figure(figsize=(WIDEST, 3), layout="constrained")
    for axes, (name, array) in zip(figure.subplots(1, len(arrays), squeeze=False)[0], arrays.items(), strict=True):
        axes.imshow(array, cmap="Blues", vmin=0, vmax=2 * array.max())
        for (row, column), number in np.ndenumerate(array):
            axes.text(column, row, str(number) if number else "·", ha="center", va="center", fontsize=10)
        axes.set(xticks=range(array.shape[1]), yticks=range(array.shape[0]))
        axes.set_title(name, fontsize=10)
        axes.set(xlabel="place that goes in", ylabel="place that comes out")
        axes.grid(visible=False)
    return _headed(figure, title)


def overlap_counts(cases: Sequence[tuple[int, int]], size: int = 8, *, title: str) -> Figure:
    """For each (kernel, stride): how many kernel entries meet at each place of a transposed convolution, counted."""
    figure = Figure(figsize=(WIDEST, 2.6), layout="constrained")
    for axes, (kernel, stride) in zip(figure.subplots(1, len(cases), sharey=True), cases, strict=True):
        counts = transpose_convolve([1] * size, [1] * kernel, stride)
        ends = kernel - stride
        colours = [COLOURS["generator" if ends <= i < len(counts) - ends else "reference"] for i in range(len(counts))]
        axes.bar(range(len(counts)), [int(c) for c in counts], color=colours, width=0.9)
        axes.set_title(f"kernel {kernel}, stride {stride}", fontsize=10)
        axes.set_xlabel("place that comes out")
        axes.set_xticks(range(0, len(counts), 5))
        axes.grid(visible=False, axis="x")
    figure.axes[0].set_ylabel("entries that meet")
    return _headed(figure, title)
