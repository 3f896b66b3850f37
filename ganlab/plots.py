"""The pictures of the course, in one style: axes named, one message as title, colours that everybody can tell apart.

Colours have a meaning that is the same in every figure: blue is data, orange is the generator, green the
discriminator. They are from the palette of Okabe and Ito, which colour-blind readers can tell apart. What is drawn in
them otherwise is looked at by `ganlab.legible` when a figure is saved.
"""

import itertools
import os
import warnings
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image

from ganlab import legible
from ganlab.errors import ShapeError, printable

COLOURS = {"data": "#0072B2", "generator": "#D55E00", "discriminator": "#009E73", "reference": "#666666"}
INK = COLOURS | {"generator": "#B54A00", "discriminator": "#007D59"}
"""The same for texts, which are thinner than lines: darker where that is needed."""
STYLE: Any = {
    "figure.figsize": (6.4, 3.6),
    "figure.dpi": 100,
    "savefig.dpi": 100,
    "figure.constrained_layout.use": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 11,
    "axes.grid": True,
    "grid.alpha": 0.25,
    "legend.frameon": False,
    "lines.linewidth": 1.8,
    "image.cmap": "gray",
    "font.size": 10,
    "svg.hashsalt": "ganlab",
}
DASHES = ("-", "--", ":", "-.")
WIDEST = 6.4
"""Inches: the width of a figure, so that a title fits."""
GAP = 2
"""Pixels between the images of a grid, and around it."""
SMALLEST_TILE = 40
"""Pixels: smaller images are shown enlarged, each pixel as a square."""


def use_style() -> None:
    """Make the course's style the one of all figures that follow, whatever colours the reader's own settings have."""
    plt.style.use("default")
    mpl.rcParams.update(STYLE)


def grid_array(images: Any, columns: int = 8, value_range: tuple[float, float] | None = None) -> np.ndarray:
    """Images [n, C, H, W] (C 1 or 3) side by side as uint8 [rows, columns] or [rows, columns, 3], with white gaps.

    uint8 images are taken as they are; floats are mapped from `value_range` (black, white), and clipped. None takes
    (0, 1), a sigmoid's, where no value is below 0, else (−1, 1), that of tanh. Raises `ShapeError` for other shapes and
    dtypes.
    """
    images = as_numpy(images)
    if images.ndim != 4 or images.shape[1] not in (1, 3) or not len(images):
        raise ShapeError(
            f"images have shape {list(images.shape)}; give [n, 1, height, width] or [n, 3, height, width]."
        )
    if images.dtype != np.uint8 and images.dtype.kind != "f":
        raise ShapeError(f"images have dtype {images.dtype}; give uint8, or floats in value_range.")
    if images.dtype != np.uint8:
        low, high = value_range or (-1.0 if (images < 0).any() else 0.0, 1.0)
        images = np.rint(np.clip((images - low) / (high - low), 0, 1) * 255).astype(np.uint8)
    n, channels, height, width = images.shape
    scale = -(-SMALLEST_TILE // max(height, width)) if max(height, width) < SMALLEST_TILE else 1
    images = images.repeat(scale, axis=2).repeat(scale, axis=3)
    columns = min(columns, n)
    rows = -(-n // columns)
    tall, wide = height * scale + GAP, width * scale + GAP
    canvas = np.full((rows * tall + GAP, columns * wide + GAP, channels), 255, dtype=np.uint8)
    for i, image in enumerate(images):
        top, left = i // columns * tall + GAP, i % columns * wide + GAP
        canvas[top : top + tall - GAP, left : left + wide - GAP] = image.transpose(1, 2, 0)
    return canvas[..., 0] if channels == 1 else canvas


def save_grid_png(images: Any, path: Path, columns: int = 8, value_range: tuple[float, float] | None = None) -> None:
    """Write images [n, C, H, W] as one grid (see `grid_array`) into a PNG file, in one move."""
    _write(path, lambda place: Image.fromarray(grid_array(images, columns, value_range)).save(place, format="PNG"))


def sample_grid(images: Any, *, title: str, columns: int = 8, value_range: tuple[float, float] | None = None) -> Figure:
    """Images [n, C, H, W] in a grid: see `grid_array`."""
    canvas = grid_array(images, columns, value_range)
    height, width = canvas.shape[:2]
    shown = min(WIDEST, width / 80)
    fig, ax = plt.subplots(figsize=(WIDEST, shown * height / width + 0.4))
    ax.set_anchor("W")
    ax.imshow(canvas, vmin=0, vmax=255, interpolation="nearest")
    ax.set_axis_off()
    ax.set_title(title)
    return fig


def name_rows(ax: Axes, names: Sequence[str]) -> None:
    """Write the names of a grid's rows to the left of them."""
    height = ax.images[0].get_array().shape[0]  # pyright: ignore[reportOptionalMemberAccess]
    for row, name in enumerate(names):
        ax.text(-4, (row + 0.5) * height / len(names), name, ha="right", va="center", fontsize=9)


def losses(
    history: Any, *, title: str, unit: str = "nats", reference: Mapping[str, float] | None = None, smooth: int = 50
) -> Figure:
    """Both losses over training, raw (faint) and as running mean over `smooth` steps.

    history    [steps, ≥ 2]: D's and G's loss, as `Trainer.history`
    reference  values with a meaning, by name, such as {"2 log 2": 1.386}
    """
    history = as_numpy(history)
    if history.ndim != 2 or history.shape[1] < 2 or not len(history):
        raise ShapeError(f"history has shape {list(history.shape)}; give [steps, 2 or more], as Trainer.history.")
    fig, ax = plt.subplots()
    steps = np.arange(1, len(history) + 1)
    window = min(smooth, len(history))
    for column, (player, colour) in enumerate((("D", "discriminator"), ("G", "generator"))):
        values = history[:, column].astype(np.float64)
        ax.plot(steps, values, color=COLOURS[colour], alpha=0.2, linewidth=0.6)
        mean = np.convolve(values, np.ones(window) / window, mode="valid")
        ax.plot(steps[window - 1 :], mean, color=COLOURS[colour], label=f"loss of {player}")
    for name, value in (reference or {}).items():
        ax.axhline(value, color=COLOURS["reference"], linestyle=":", linewidth=1.2)
        ax.annotate(name, (steps[-1], value), ha="right", va="bottom", color=COLOURS["reference"])
    ax.set(xlabel="generator updates", ylabel=f"loss ({unit})", title=title)
    ax.legend()
    return fig


def curves(
    x: Any,
    lines: Mapping[str, Any],
    *,
    xlabel: str,
    ylabel: str,
    title: str,
    colours: str | Sequence[str] = "generator",
    **options: Any,
) -> Figure:
    """Lines over x [n], by label, each [n], or [k, n] for k thin lines of one kind. Raises `ShapeError`.

    colours  names of `COLOURS`, one for all lines or one each; the dashes tell lines of one colour apart
    options  further ones for `Axes.set`, such as yscale="log"
    """
    x = as_numpy(x)
    fig, ax = plt.subplots()
    colour_of = itertools.cycle([colours] if isinstance(colours, str) else colours)
    for (label, values), style, colour in zip(lines.items(), itertools.cycle(DASHES), colour_of, strict=False):
        y = np.atleast_2d(as_numpy(values))
        if x.ndim != 1 or y.ndim != 2 or y.shape[1] != len(x):
            raise ShapeError(f"{label}: x has shape {list(x.shape)}, the line {list(y.shape)}; give [n] and [n].")
        drawn = ax.plot(x, y.T, linestyle=style, color=COLOURS[colour], linewidth=1.8 if len(y) == 1 else 0.9)
        drawn[0].set_label(label)
    ax.set(xlabel=xlabel, ylabel=ylabel, title=title, **options)
    ax.legend()
    return fig


def samples_2d(
    real: Any,
    fake: Any,
    *,
    title: str,
    D: Callable[[np.ndarray], Any] | None = None,
    limits: tuple[float, float] = (-1.5, 1.5),
) -> Figure:
    """Real and generated points [n, 2] in the plane, over D's surface when `D` (points [n, 2] → [n]) is given."""
    real, fake = as_numpy(real), as_numpy(fake)
    for points in (real, fake):
        if points.ndim != 2 or points.shape[1] != 2:
            raise ShapeError(f"points have shape {list(points.shape)}; give [n, 2].")
    fig, ax = plt.subplots(figsize=(5.2, 4.4))
    if D is not None:
        ticks = np.linspace(*limits, 80)
        x, y = np.meshgrid(ticks, ticks)
        surface = as_numpy(D(np.stack([x.ravel(), y.ravel()], axis=1).astype(np.float32))).reshape(x.shape)
        fig.colorbar(ax.contourf(x, y, surface, levels=20, cmap="Greens", alpha=0.6), label="D(x)")
    ax.scatter(*real.T, s=6, color=COLOURS["data"], label="data", linewidths=0)
    ax.scatter(*fake.T, s=6, color=COLOURS["generator"], label="G(z)", linewidths=0)
    ax.set(xlabel="$x_1$", ylabel="$x_2$", title=title, xlim=limits, ylim=limits, aspect="equal")
    ax.legend(loc="upper right")
    return fig


def save(fig: Figure, name: str) -> Path | None:
    """Write a figure to `<GANLAB_FIGURES>/<name>.png`, the same bytes each time, and give the path.

    Without this variable nothing is written, so that whoever reads the course changes no file of it. Where the folder
    cannot be written to, a warning says so. Then None is given: the figure is shown all the same. A warning says, too,
    what keeps some readers from reading it.
    """
    if not os.environ.get("GANLAB_FIGURES"):
        return None
    path = Path(os.environ["GANLAB_FIGURES"]) / f"{name}.png"
    untitled = [] if in_words(fig) else ["it has no title; give it one that says what is to be seen"]
    for hindrance in untitled + legible.hindrances(fig):
        warnings.warn(f"hard to read, {name}: {hindrance}.", stacklevel=2)
    try:
        _write(path, lambda place: fig.savefig(place, format="png", metadata={"Software": None}))
    except OSError as error:
        advice = "to keep figures, set GANLAB_FIGURES to a folder of yours"
        warnings.warn(printable(f"{path.parent} cannot be written to ({error.strerror}); {advice}."), stacklevel=1)
        return None
    return path


def in_words(fig: Figure) -> str:
    """A figure's titles, its own and then those of its panels: the text for whoever cannot see it."""
    of_panels = (axes.get_title(loc=place) for axes in fig.axes for place in ("left", "center", "right"))
    titles = (title.replace("\n", " ").strip(" .") for title in (fig.get_suptitle(), *of_panels))
    return ". ".join(dict.fromkeys(filter(None, titles)))


def _write(path: Path, draw: Callable[[Path], object]) -> None:
    """Let `draw` write a file, and put it into its place in one move, or leave nothing behind."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(path.name + ".tmp")
    try:
        draw(temporary)
        temporary.replace(path)
    except OSError as error:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        error.filename = str(path)
        raise


def as_numpy(values: Any) -> np.ndarray:
    """A tensor's values, or an array of what else is given."""
    return values.detach().cpu().numpy() if hasattr(values, "detach") else np.asarray(values)
