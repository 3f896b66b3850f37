"""Pictures of single lessons: named rows of images, walks and arithmetic in latent space, what filters see, scores over
time and by ablation.

In the style and the colours of `ganlab.plots`, whose grids of images these are made of.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from ganlab import plots
from ganlab.errors import ConfigError, ShapeError
from ganlab.plots import COLOURS, WIDEST

Range = tuple[float, float] | None


def rows(images: Mapping[str, Any], *, title: str, value_range: Range = None) -> Figure:
    """Rows of images [n, C, H, W] by name, equally many in each, with the names beside them. Raises `ShapeError`."""
    of_row = {name: plots.as_numpy(some) for name, some in images.items()}
    if len({some.shape for some in of_row.values()}) != 1:
        given = ", ".join(f"{name}: {list(some.shape)}" for name, some in of_row.items())
        raise ShapeError(f"images have shapes {given or 'of no row'}; give equally many of one shape in each row.")
    columns = len(next(iter(of_row.values())))
    fig = plots.sample_grid(
        np.concatenate(list(of_row.values())), title=title, columns=columns, value_range=value_range
    )
    plots.name_rows(fig.axes[0], list(of_row))
    return fig


def walk(images: Any, steps: int, *, title: str, value_range: Range = None) -> Figure:
    """Images along a walk through latent space, a row from each point to the next; the points' own are framed.

    images  [(p − 1)·steps + 1, C, H, W], as G makes them of `models.latent.walk`; the last of a row is the first of the
            next. Raises `ShapeError` for another number of them.
    """
    images = plots.as_numpy(images)
    legs, rest = divmod(len(images) - 1, steps)
    if legs < 1 or rest:
        raise ShapeError(f"there are {len(images)} images; give a multiple of {steps} steps, and one more.")
    rows = [images[leg * steps : (leg + 1) * steps + 1] for leg in range(legs)]
    fig = plots.sample_grid(np.concatenate(rows), title=title, columns=steps + 1, value_range=value_range)
    ax = fig.axes[0]
    height, width = (length - plots.GAP for length in ax.images[0].get_array().shape[:2])  # pyright: ignore[reportOptionalMemberAccess]
    tall, wide = height / legs, width / (steps + 1)
    for row in range(legs):
        for column in (0, steps):
            _frame(ax, column * wide, row * tall, wide, tall)
    return fig


def _frame(ax: Axes, left: float, top: float, wide: float, tall: float) -> None:
    """Draw a frame in the gap around a tile."""
    middle = plots.GAP / 2 - 0.5
    ax.add_patch(
        Rectangle((left + middle, top + middle), wide, tall, fill=False, edgecolor=COLOURS["generator"], linewidth=1.5)
    )


def arithmetic(
    exemplars: Mapping[str, Any], result: Any, control: Any, *, title: str, value_range: Range = None
) -> Figure:
    """Vector arithmetic with three concepts, as in Figure 7 of Radford, Metz & Chintala 2015.

    exemplars  a row of images [k, C, H, W] for each concept, by name and sign, such as {"+ thick 3": …, "− thin 3": …}
    result     [9, C, H, W]: the one that the arithmetic gives in the middle, among eight neighbours
    control    [m, C, H, W]: what the same arithmetic gives on pixels

    Raises `ShapeError` for rows of unlike lengths and another number of results.
    """
    rows = {name: plots.as_numpy(images) for name, images in exemplars.items()}
    lengths = {len(images) for images in rows.values()}
    if len(lengths) != 1:
        given = ", ".join(f"{name}: {len(images)}" for name, images in rows.items())
        raise ShapeError(f"exemplars have {given or 'no rows'}; give equally many of each.")
    if len(result) != 9:
        raise ShapeError(f"result holds {len(result)} images; give nine, with what was asked for in the middle.")
    columns = lengths.pop()
    shares = (columns + 1, 3, 1)
    fig, axes = plt.subplots(1, 3, figsize=(WIDEST, 0.5 + WIDEST * len(rows) / (sum(shares) + 1)), width_ratios=shares)
    left, middle, right = axes
    _show(left, np.concatenate(list(rows.values())), columns, value_range)
    plots.name_rows(left, list(rows))
    _show(middle, result, 3, value_range)
    _frame_middle(middle)
    _show(right, control, 1, value_range)
    for ax, name in zip(axes, ("exemplars", "in latent space", "on pixels"), strict=True):
        ax.set_title(name, fontsize=9)
    fig.suptitle(title, x=0.01, ha="left", fontsize=11)
    return fig


def _frame_middle(ax: Axes) -> None:
    height, width = (length - plots.GAP for length in ax.images[0].get_array().shape[:2])  # pyright: ignore[reportOptionalMemberAccess]
    _frame(ax, width / 3, height / 3, width / 3, height / 3)


def gradients(images: Any, seen: Mapping[str, Any], *, title: str) -> Figure:
    """Images [n, C, H, W] in [−1, 1], and below each what filters see in it.

    seen  by name, gradients [n, C, H, W], one for each image; each is scaled by its largest value, grey is 0. Raises
          `ShapeError` for others.
    """
    images = plots.as_numpy(images)
    scaled = {}
    for name, gradient in seen.items():
        values = plots.as_numpy(gradient)
        if values.shape != images.shape:
            raise ShapeError(f"{name} have shape {list(values.shape)} for images {list(images.shape)}; give one each.")
        largest = np.abs(values).max(axis=(1, 2, 3), keepdims=True)
        scaled[name] = values / np.where(largest > 0, largest, 1)
    return rows({"image": images, **scaled}, title=title, value_range=(-1, 1))


def _show(ax: Axes, images: Any, columns: int, value_range: Range) -> None:
    ax.imshow(plots.grid_array(images, columns, value_range), vmin=0, vmax=255, interpolation="nearest")
    ax.set_axis_off()


def score_over_time(
    x: Any,
    scores: Mapping[str, Any],
    floor: float,
    *,
    xlabel: str,
    title: str,
    ylabel: str = "Fréchet distance",
    **options: Any,
) -> Figure:
    """A score over training, less being better, with what real images score against real ones.

    Lines as in `plots.curves`, whose options and errors these are; `floor` is drawn as a line with its value.
    """
    fig = plots.curves(x, scores, xlabel=xlabel, ylabel=ylabel, title=title, **options)
    _draw_floor(fig.axes[0].axhline, floor)
    fig.axes[0].legend()
    return fig


def _draw_floor(line: Any, floor: float) -> None:
    line(floor, color=COLOURS["reference"], linestyle=":", linewidth=1.2, label=f"real against real: {floor:.3g}")


def ablation(
    scores: Mapping[str, Any],
    *,
    baseline: str,
    title: str,
    xlabel: str,
    floor: float | None = None,
    **options: Any,
) -> Figure:
    """What a score becomes when one thing is changed: a row for each change, a dot for each seed, a bar at their mean.

    scores    by name, from above, one number per seed, all finite
    baseline  the name of what nothing is changed of; the range of its seeds is shaded in all rows
    floor     what real images score against real ones
    options   further ones for `Axes.set`, such as xscale="log"

    Raises `ConfigError` for a baseline that is not among the names, `ShapeError` for no or other numbers.
    """
    if baseline not in scores:
        raise ConfigError(f"baseline is {baseline!r}; give one of {', '.join(scores)}.")
    rows = {name: np.asarray(values, dtype=np.float64) for name, values in scores.items()}
    for name, values in rows.items():
        if values.ndim != 1 or not len(values) or not np.isfinite(values).all():
            raise ShapeError(f"{name} has the scores {values.tolist()}; give a finite number per seed.")
    fig, ax = plt.subplots(figsize=(WIDEST, 0.32 * len(rows) + 1.2))
    ax.axvspan(rows[baseline].min(), rows[baseline].max(), color=COLOURS["reference"], alpha=0.15, linewidth=0)
    for row, values in enumerate(rows.values()):
        draw_seeds(ax, row, values)
    if floor is not None:
        _draw_floor(ax.axvline, floor)
        fig.legend(loc="outside lower left", frameon=False)
    ax.set(yticks=range(len(rows)), yticklabels=list(rows), ylim=(len(rows) - 0.5, -0.5), xlabel=xlabel, **options)
    ax.set_ylabel("changed")
    fig.suptitle(title, x=0.01, ha="left", fontsize=11)
    return fig


def draw_seeds(ax: Axes, row: int, values: Any) -> None:
    """A row of a picture: a dot for each seed's number, a bar at their mean."""
    numbers = np.asarray(values, dtype=np.float64)
    ax.plot(numbers, np.full(len(numbers), row), "o", color=COLOURS["generator"], alpha=0.6, markersize=5)
    ax.plot(numbers.mean(), row, "|", color="black", markersize=14)
