"""Pictures of the two players: who learns from what, and on the line their laws, D's answers and where G takes z.

In the style and the colours of `ganlab.plots`.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ganlab import plots
from ganlab.errors import ShapeError
from ganlab.plots import COLOURS, INK, WIDEST

HARDLY = 0.02
"""Share of the largest density below which there are hardly any samples that D could have learnt from."""


def densities_1d(x: Any, p_data: Any, p_g: Any, *, title: str, D: Any = None, best: Any = None) -> Figure:
    """Densities of data and generator over x, each [n]; D(x) in [0, 1], and the best D beside it, on an axis of their
    own. Raises `ShapeError`."""
    given = {"x": x, "p_data": p_data, "p_g": p_g, "D": D, "best": best}
    drawn = {name: plots.as_numpy(values) for name, values in given.items() if values is not None}
    x = drawn.pop("x")
    if x.ndim != 1 or any(values.shape != x.shape for values in drawn.values()):
        shapes = ", ".join(f"{name} {list(values.shape)}" for name, values in drawn.items())
        raise ShapeError(f"x has shape {list(x.shape)}, and {shapes}; give vectors of one length.")
    fig, ax = plt.subplots()
    lines = ax.plot(x, drawn["p_data"], color=COLOURS["data"], label="$p_{data}(x)$")
    lines += ax.plot(x, drawn["p_g"], color=COLOURS["generator"], label="$p_g(x)$")
    ax.set(xlabel="x", ylabel="density (per unit of x)", title=title)
    answers = {"D": ("--", COLOURS["discriminator"], "D(x)"), "best": (":", "black", "D*(x), the formula")}
    if D is not None or best is not None:
        right = ax.twinx()
        for name in (name for name in answers if name in drawn):
            style, colour, label = answers[name]
            lines += right.plot(x, drawn[name], linestyle=style, color=colour, label=label)
        right.set(ylabel="answer of D, 0 to 1", ylim=(-0.02, 1.02))
        right.spines["right"].set_visible(True)
        right.grid(False)
    fig.legend(handles=lines, loc="outside lower center", ncols=len(lines))
    return fig


def figure_1(panels: Mapping[str, Mapping[str, Any]], *, title: str) -> Figure:
    """Stages of a GAN on the line, one column each, as in Figure 1 of Goodfellow et al. 2014: the densities, what D
    answers beside the best D, and where G takes its z to.

    panels  by name, each a mapping with x [n], p_data [n], p_g [n], D [n] (0 … 1), and the arrows z [k] → G_z [k]

    Where there are hardly any samples (under `HARDLY` of the largest density), D is faint and has no best.
    """
    fig, axes = plt.subplots(
        3, len(panels), figsize=(WIDEST, 4.6), sharex="all", sharey="row", height_ratios=(3, 3, 1), squeeze=False
    )
    for (name, panel), (top, middle, bottom) in zip(panels.items(), axes.T, strict=True):
        top.set_title(name, fontsize=9)
        top.plot(panel["x"], panel["p_data"], color=COLOURS["data"], label="$p_{data}(x)$")
        top.plot(panel["x"], panel["p_g"], color=COLOURS["generator"], label="$p_g(x)$")
        _draw_answers(middle, panel)
        for z, x in zip(panel["z"], panel["G_z"], strict=True):
            bottom.annotate("", (x, 1), (z, 0), arrowprops={"arrowstyle": "->", "lw": 0.7})
        bottom.set(ylim=(0, 1), yticks=(0, 1), yticklabels=("z", "G(z)"), xlabel="x, and z")
        bottom.grid(visible=False)
    axes[0, 0].set_ylabel("density\n(per unit of x)")
    axes[1, 0].set_ylabel("answer of D")
    handles = axes[0, 0].lines + axes[1, 0].lines[-2:]
    fig.legend(handles=list(handles), loc="outside lower center", ncols=4)
    fig.suptitle(title, x=0.01, ha="left", fontsize=11)
    return fig


def _draw_answers(ax: Axes, panel: Mapping[str, Any]) -> None:
    """D and the best D, where there are samples; a line at ½."""
    x, p_data, p_g, D = (plots.as_numpy(panel[name]) for name in ("x", "p_data", "p_g", "D"))
    both = p_data + p_g
    sampled = both > HARDLY * both.max()
    ax.axhline(0.5, color=COLOURS["reference"], linewidth=0.8)
    ax.plot(x, D, color=COLOURS["discriminator"], alpha=0.3)
    ax.plot(x, np.where(sampled, D, np.nan), color=COLOURS["discriminator"], linestyle="--", label="D(x)")
    best = np.divide(p_data, both, out=np.full_like(both, np.nan), where=sampled)
    ax.plot(x, best, color="black", linestyle=":", label="D*(x), the formula")
    ax.set(ylim=(-0.04, 1.04), yticks=(0, 0.5, 1), yticklabels=("0", "½", "1"))


def game(*, title: str) -> Figure:
    """The two players as a diagram: what goes into G and D, what comes out, and who learns from what."""
    fig, ax = plt.subplots(figsize=(WIDEST, 2.9))
    ax.set(xlim=(0, 10), ylim=(-0.9, 3.5), title=title)
    ax.set_axis_off()
    boxes = {
        (1.0, 1.9): ("latent\nvector $z$", "reference"),
        (3.2, 1.9): ("generator $G$\n(the forger)", "generator"),
        (5.3, 1.9): ("$G(z)$\ngenerated", "generator"),
        (5.3, 0.3): ("$x$\nreal", "data"),
        (7.7, 1.1): ("discriminator $D$\n(the police)", "discriminator"),
    }
    for (x, y), (text, colour) in boxes.items():
        style = {"boxstyle": "round,pad=0.4", "facecolor": "white", "edgecolor": COLOURS[colour], "linewidth": 2}
        ax.text(x, y, text, bbox=style, va="center", ha="center", fontsize=9)
    ax.text(9.75, 1.1, "$D(\\cdot)$", va="center", ha="center", fontsize=12)
    forwards = (
        ((1.6, 1.9), (2.3, 1.9)),
        ((4.1, 1.9), (4.65, 1.9)),
        ((5.95, 1.75), (6.6, 1.4)),
        ((5.75, 0.4), (6.6, 0.8)),
    )
    for start, end in (*forwards, ((8.8, 1.1), (9.45, 1.1))):
        ax.annotate("", end, start, arrowprops={"arrowstyle": "-|>", "color": COLOURS["reference"]})
    learns = {"arrowstyle": "-|>", "linestyle": "--", "linewidth": 1.5}
    for (start, end), bend, player in (
        (((9.75, 1.4), (3.2, 2.4)), 0.28, "generator"),
        (((9.75, 0.8), (7.9, 0.65)), -0.5, "discriminator"),
    ):
        arrow = {**learns, "color": COLOURS[player], "connectionstyle": f"arc3,rad={bend}"}
        ax.annotate("", end, start, arrowprops=arrow)
    ax.text(5.3, 3.2, "$G$ learns from $D(G(z))$ alone", color=INK["generator"], ha="center", fontsize=9)
    words = "$D$ learns from $D(x)$ and $D(G(z))$"
    ax.text(8.2, -0.55, words, color=INK["discriminator"], ha="center", fontsize=9)
    return fig
