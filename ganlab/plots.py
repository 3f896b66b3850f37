"""The pictures of the course, in one style: axes named, one message as title, colours that everybody can tell apart.

Colours have a meaning that is the same in every figure: blue is data, orange is the generator, green the
discriminator. They are from the palette of Okabe and Ito, which colour-blind readers can tell apart.
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
from matplotlib.figure import Figure
from PIL import Image

from ganlab.errors import ShapeError, printable

COLOURS = {"data": "#0072B2", "generator": "#D55E00", "discriminator": "#009E73", "reference": "#666666"}
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
    """Make the course's style the one of all figures that follow."""
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


def densities_1d(x: Any, p_data: Any, p_g: Any, *, title: str, D: Any = None) -> Figure:
    """Densities of data and generator over x, each [n], and D(x) in [0, 1] on an axis of its own."""
    x, p_data, p_g = (as_numpy(values) for values in (x, p_data, p_g))
    if x.ndim != 1 or not x.shape == p_data.shape == p_g.shape or (D is not None and as_numpy(D).shape != x.shape):
        shapes = ", ".join(
            str(list(as_numpy(values).shape)) for values in (x, p_data, p_g, *([] if D is None else [D]))
        )
        raise ShapeError(f"x, p_data, p_g and D have shapes {shapes}; give vectors of one length.")
    fig, ax = plt.subplots()
    lines = ax.plot(x, p_data, color=COLOURS["data"], label="$p_{data}(x)$")
    lines += ax.plot(x, p_g, color=COLOURS["generator"], label="$p_g(x)$")
    ax.set(xlabel="x", ylabel="density (per unit of x)", title=title)
    if D is not None:
        right = ax.twinx()
        lines += right.plot(x, as_numpy(D), color=COLOURS["discriminator"], linestyle="--", label="D(x)")
        right.set(ylabel="D(x)", ylim=(-0.02, 1.02))
        right.spines["right"].set_visible(True)
        right.grid(False)
    ax.legend(handles=lines)
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


def figure_1(panels: Mapping[str, Mapping[str, Any]], *, title: str) -> Figure:
    """Stages of a GAN on the line, one panel each, as in Figure 1 of Goodfellow et al. 2014.

    panels  by name, each a mapping with x [n], p_data [n], p_g [n], D [n] (0 … 1), and the arrows z [k] → G_z [k]
    """
    fig, axes = plt.subplots(2, len(panels), figsize=(2.7 * len(panels), 3.4), sharex="all", height_ratios=(3, 1))
    for (name, panel), (top, bottom) in zip(panels.items(), axes.T, strict=True):
        top.plot(panel["x"], panel["p_data"], ":", color=COLOURS["data"], label="$p_{data}$")
        top.plot(panel["x"], panel["p_g"], color=COLOURS["generator"], label="$p_g$")
        top.plot(panel["x"], panel["D"], "--", color=COLOURS["discriminator"], label="$D(x)$")
        top.set_title(name, fontsize=9)
        for z, x in zip(panel["z"], panel["G_z"], strict=True):
            bottom.annotate("", (x, 1), (z, 0), arrowprops={"arrowstyle": "->", "lw": 0.7})
        bottom.set(ylim=(0, 1), yticks=(0, 1), yticklabels=("z", "x"), xlabel="x above, z below")
        bottom.grid(visible=False)
    axes[0, 0].set_ylabel("density, and D")
    axes[0, 0].legend(fontsize=8)
    fig.suptitle(title, x=0.01, ha="left", fontsize=11)
    return fig


def game(*, title: str) -> Figure:
    """The two players as a diagram: what goes into G and D, what comes out, and who learns from what."""
    fig, ax = plt.subplots(figsize=(7.2, 2.4))
    ax.set(xlim=(0, 10.4), ylim=(0, 3), title=title)
    ax.set_axis_off()
    boxes = {
        (0.2, 2.4): ("latent vector $z$\n(random numbers)", "reference"),
        (3.0, 2.4): ("generator $G$\n(the forger)", "generator"),
        (5.4, 2.4): ("$G(z)$\ngenerated", "generator"),
        (5.4, 0.4): ("$x$\nreal", "data"),
        (7.6, 1.4): ("discriminator $D$\n(the police)", "discriminator"),
    }
    for (x, y), (text, colour) in boxes.items():
        style = {"boxstyle": "round,pad=0.5", "facecolor": "white", "edgecolor": COLOURS[colour], "linewidth": 2}
        ax.text(x, y, text, bbox=style, va="center", ha="left")
    arrow = {"arrowstyle": "-|>", "color": COLOURS["reference"], "shrinkA": 2, "shrinkB": 2}
    for start, end in (((2.2, 2.4), (2.9, 2.4)), ((4.5, 2.4), (5.3, 2.4)), ((6.55, 2.3), (7.5, 1.75))):
        ax.annotate("", end, start, arrowprops=arrow)
    ax.annotate("", (7.5, 1.05), (6.1, 0.45), arrowprops=arrow)
    ax.annotate("", (10.2, 1.4), (9.55, 1.4), arrowprops=arrow)
    ax.text(10.25, 1.4, "$D$", va="center", fontsize=13)
    ax.text(7.7, 0.45, "probability that\nits input is real", va="center", color=COLOURS["reference"])
    return fig


def save(fig: Figure, name: str) -> Path | None:
    """Write a figure to `<GANLAB_FIGURES>/<name>.png`, the same bytes each time, and give the path.

    Without this variable nothing is written, so that whoever reads the course changes no file of it. Where the folder
    cannot be written to, a warning says so. Then None is given: the figure is shown all the same.
    """
    if not os.environ.get("GANLAB_FIGURES"):
        return None
    path = Path(os.environ["GANLAB_FIGURES"]) / f"{name}.png"
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
    except OSError:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise


def as_numpy(values: Any) -> np.ndarray:
    """A tensor's values, or an array of what else is given."""
    return values.detach().cpu().numpy() if hasattr(values, "detach") else np.asarray(values)
