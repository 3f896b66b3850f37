"""Pictures that one moves, with `ganlab.moving` or as a strip: each is the figure of some positions, side by side.

What is drawn comes from the course's objectives and theory; nothing is computed by a formula of its own here.
"""

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import numpy as np
import sympy as sp
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ganlab.objectives import MINIMAX, D, least_squares, p_d, p_g
from ganlab.plots import COLOURS, WIDEST
from ganlab.theory import divergences as div
from ganlab.theory import game
from ganlab.theory.densities import mixture, normal, x
from ganlab.theory.followed import r

ONE_FRAME = 4.2
"""Inches: the width of one position by itself."""
TINY = 1e-3
"""Half the way, in units of x, over which a slope is taken."""
LINE = np.linspace(-4, 12, 161)
"""Where two bells, their best D among them, are drawn."""
APART = np.linspace(0, 8, 33)
"""Distances at which the JSD of two bells is known."""
LETTERS = np.linspace(-5, 5, 61)
"""The places of the game with functions."""
RATE, ROUNDS = 0.2, 60
"""Of that game: how far p_g follows the slope in a round, and how many rounds there are."""
PLACES = np.linspace(-9, 9, 181)
"""Where a law of two modes and one bell are compared; beyond, neither has any mass to speak of."""
MEANS = np.linspace(-3, 3, 25)
"""Means of that bell at which both divergences are known."""
RATIOS, FAR = np.linspace(0, 5, 251), np.linspace(1e-3, 20, 20_000)
"""Ratios p_g/p_d at which φ is drawn, and those among which its string touches it."""


def frames(count: int, rows: int, title: str) -> tuple[Figure, np.ndarray]:
    """A figure with a column of `rows` panels for each position, axes shared along a row.

    The margins are given, in inches: to let matplotlib find them takes as long as the drawing.
    """
    alone = count == 1
    width, below = (ONE_FRAME, 1.0) if alone else (WIDEST, 0.8)
    panel = 2.6 if alone and rows == 1 else 1.75
    height = 0.15 + below + panel * rows + 0.3 * bool(title)
    figure = Figure(figsize=(width, height))
    figure.set_layout_engine("none")
    if title:
        figure.suptitle(title, x=0.01, y=1 - 0.08 / height, ha="left", va="top", fontsize=11)
    edges = {"left": 0.68 / width, "right": 1 - 0.12 / width, "bottom": below / height}
    edges |= {"top": 1 - (0.42 + 0.3 * bool(title)) / height, "hspace": 0.62, "wspace": 0.15}
    return figure, figure.subplots(rows, count, squeeze=False, sharex="row", sharey="row", gridspec_kw=edges)


def legend(figure: Figure, *panels: Axes) -> None:
    """What the lines of some panels are, below all of them."""
    named = {label: line for axes in panels for line, label in zip(*axes.get_legend_handles_labels(), strict=True)}
    columns = len(named) if figure.get_figwidth() == WIDEST else 2
    figure.legend(named.values(), named.keys(), loc="lower center", ncols=columns, fontsize=8)


def said(number: float) -> str:
    """With two digits; a zero has no sign."""
    return f"{round(number, 2) + 0.0:.2f}".replace("-", "−")


def one_place(positions: Sequence[tuple[float, float]], *, title: str = "") -> Figure:
    """For each (a, b) ≥ 0: what D earns at a place with densities a of data and b of samples, over its answer y.

    Drawn are a log y, b log(1 − y), their sum, and the answer that earns most, all of them from `MINIMAX`.
    """
    figure, panels = frames(len(positions), 1, title)
    y = np.linspace(0.005, 0.995, 199)
    earned, best = _one_place()
    for (a, b), axes in zip(positions, panels[0], strict=True):
        axes.plot(y, earned(a, 0, y), ":", color=COLOURS["data"], label="from real ones")
        axes.plot(y, earned(0, b, y), "--", color=COLOURS["generator"], label="from generated ones")
        axes.plot(y, earned(a, b, y), color=COLOURS["discriminator"], label="both together")
        if a + b:
            top = best(a, b)
            axes.axvline(top, color=COLOURS["reference"], linewidth=0.8)
            if 0 < top < 1:
                axes.plot(top, earned(a, b, top), "o", color="black", label="the most")
            axes.set_title(f"{a:g} real, {b:g} generated:\nbest answer {top:.2f}", fontsize=9)
        else:
            axes.set_title("0 real, 0 generated:\nany answer earns 0", fontsize=9)
        axes.set(xlim=(0, 1), ylim=(-5, 0.3), xticks=(0, 0.5, 1), xticklabels=("0", "½", "1"))
        axes.set_xlabel("answer of D at this place", fontsize=9)
    panels[0, 0].set_ylabel("what D earns here (nats)")
    legend(figure, panels[0, 0])
    return figure


@cache
def _one_place() -> tuple[Callable[..., Any], Callable[..., Any]]:
    """What D earns as a function of (p_d, p_g, D), and the best D of (p_d, p_g)."""
    earned, best = MINIMAX.value_integrand, MINIMAX.optimal_discriminator.D
    return sp.lambdify((p_d, p_g, D), earned, "numpy"), sp.lambdify((p_d, p_g), best, "numpy")


def two_bells(positions: Sequence[float], *, title: str = "") -> Figure:
    """For each distance, 0 to 8: two bells of σ = 1 so far apart with their best D, and below what G pays for it.

    Below is the JSD over the distance, by quadrature, with its slope at this distance: what is left to G to follow.
    """
    figure, panels = frames(len(positions), 2, title)
    _, best = _one_place()
    data = normal(0).compiled()(LINE)
    for apart, (top, bottom) in zip(positions, panels.T, strict=True):
        samples = normal(apart).compiled()(LINE)
        top.plot(LINE, data, color=COLOURS["data"], label="data")
        top.plot(LINE, samples, color=COLOURS["generator"], label="generated")
        top.plot(LINE, best(data, samples), "--", color=COLOURS["discriminator"], label="best D")
        top.set_title(f"{apart:g} apart", fontsize=9)
        top.set(ylim=(0, 1.02), xlabel="x")
        jsd, slope = jsd_of_bells(apart), slope_of_bells(apart)
        bottom.plot(APART, [jsd_of_bells(one) for one in APART], color=COLOURS["reference"])
        bottom.axhline(np.log(2), color=COLOURS["reference"], linestyle=":", linewidth=1)
        reach = np.array([-1.5, 1.5])
        bottom.plot(apart + reach, jsd + slope * reach, color="black", linewidth=1.2, label="slope")
        bottom.plot(apart, jsd, "o", color=COLOURS["generator"])
        bottom.set_title(f"JSD {said(jsd)}, slope {said(slope)}", fontsize=9)
        bottom.set(xlim=(-0.3, 8.3), ylim=(-0.05, 0.8), xlabel="distance of the bells")
    panels[0, 0].set_ylabel("density; answer of D")
    panels[1, 0].set_ylabel("JSD (nats)")
    legend(figure, *panels[:, 0])
    return figure


@cache
def jsd_of_bells(apart: float) -> float:
    """The JSD in nats of two normal laws with σ = 1 whose means are so far apart, by quadrature."""
    return div.by_quadrature(div.JENSEN_SHANNON, normal(0), normal(apart), -10, apart + 10).value


def slope_of_bells(apart: float) -> float:
    """How fast that JSD grows with the distance, by a central difference."""
    return (jsd_of_bells(apart + TINY) - jsd_of_bells(apart - TINY)) / (2 * TINY)


def flow(positions: Sequence[int], *, title: str = "") -> Figure:
    """For each round, 0 to `ROUNDS`: p_g in the game with functions, and below the best D against it.

    Shaded is where p_g grows in the next round.
    """
    figure, panels = frames(len(positions), 2, title)
    data, path = flowing()
    width = LETTERS[1] - LETTERS[0]
    for at, (top, bottom) in zip(positions, panels.T, strict=True):
        samples = path[at]
        top.plot(LETTERS, data / width, color=COLOURS["data"], label="data")
        top.plot(LETTERS, samples / width, color=COLOURS["generator"], label="generated")
        top.fill_between(LETTERS, samples / width, color=COLOURS["generator"], alpha=0.2, linewidth=0)
        top.set_title(f"round {at}: C = {said(game.criterion(data, samples))}", fontsize=9)
        top.set(ylim=(0, 0.5), xlabel="x")
        _answers(bottom, data, samples)
    panels[0, 0].set_ylabel("density")
    panels[1, 0].set_ylabel("answer of D")
    legend(figure, *panels[:, 0])
    return figure


def _answers(axes: Axes, data: np.ndarray, samples: np.ndarray) -> None:
    """The best D, and where p_g grows in the next round."""
    axes.plot(LETTERS, game.best_discriminator(data, samples), "--", color=COLOURS["discriminator"], label="best D")
    after = next(game.algorithm_1(data, samples, rate=RATE, steps=1))
    axes.fill_between(
        LETTERS, 0, 1, where=after > samples, color=COLOURS["generator"], alpha=0.12, linewidth=0, label="grows"
    )
    axes.set(ylim=(-0.02, 1.02), yticks=(0, 0.5, 1), yticklabels=("0", "½", "1"), xlabel="x")


@cache
def flowing() -> tuple[np.ndarray, list[np.ndarray]]:
    """The law of the data on `LETTERS`, two bells, and p_g from the start, one bell beside them, to the last round."""
    data, start = mixture([-2, 2], sp.Rational(7, 10)), normal(0, 1)
    laws = [law.compiled()(LETTERS) for law in (data, start)]
    p_data, p_start = (law / law.sum() for law in laws)
    return p_data, [p_start, *game.algorithm_1(p_data, p_start, rate=RATE, steps=ROUNDS)]


def both_ways(positions: Sequence[tuple[float, float]], *, title: str = "") -> Figure:
    """For each (mean, width), −3 ≤ mean ≤ 3 and width ≥ ½: one bell beside data of two modes, and below KL both ways.

    Below are KL(p_d‖p_g), asked at the data, and KL(p_g‖p_d), asked at the samples, over the mean for this width.
    """
    figure, panels = frames(len(positions), 2, title)
    strip = PLACES[1] - PLACES[0]
    for (mean, width), (top, bottom) in zip(positions, panels.T, strict=True):
        top.plot(PLACES, _two_modes() / strip, color=COLOURS["data"], label="data")
        top.plot(PLACES, _bell(mean, width) / strip, color=COLOURS["generator"], label="generated")
        top.set_title(f"mean {mean:g}, width {width:g}", fontsize=9)
        top.set(xlim=(-6, 6), ylim=(0, 0.85), xlabel="x")
        here = divergences_both_ways(mean, width)
        along = np.array([divergences_both_ways(one, width) for one in MEANS])
        ways = (("data", "-.", "KL(data‖generated)"), ("generator", "--", "KL(generated‖data)"))
        for (colour, style, label), at, values in zip(ways, here, along.T, strict=True):
            bottom.plot(MEANS, values, style, color=COLOURS[colour], label=label)
            bottom.plot(mean, at, "o", color=COLOURS[colour])
        bottom.set_title(f"KL {said(here[0])} and {said(here[1])} nats", fontsize=9)
        bottom.set(xlim=(-3.2, 3.2), ylim=(-0.3, 8), xlabel="mean of the bell")
    panels[0, 0].set_ylabel("density")
    panels[1, 0].set_ylabel("KL (nats)")
    legend(figure, *panels[:, 0])
    return figure


@cache
def divergences_both_ways(mean: float, width: float) -> tuple[float, float]:
    """KL(p_d‖p_g) and KL(p_g‖p_d) in nats, with p_d of two modes and p_g one bell, on `PLACES`."""
    laws = _two_modes(), _bell(mean, width)
    return div.on_alphabet(div.KL, *laws), div.on_alphabet(div.KL, *laws[::-1])


@cache
def _two_modes() -> np.ndarray:
    heights = mixture([-2, 2], sp.Rational(7, 10)).compiled()(PLACES)
    return heights / heights.sum()


def _bell(mean: float, width: float) -> np.ndarray:
    heights = _any_bell()(PLACES, mean, width)
    return heights / heights.sum()


@cache
def _any_bell() -> Callable[..., np.ndarray]:
    """The density of a normal law as a function of x, its mean and its width σ."""
    mean, sigma = sp.Symbol("mu", real=True), sp.Symbol("sigma", positive=True)
    return sp.lambdify((x, mean, sigma), normal(mean, sigma).expression, "numpy")


def strings(positions: Sequence[float], *, title: str = "") -> Figure:
    """For each s > 0: φ of least squares with (0, 1, s) over r = p_g/p_d, and the string pulled tight below it.

    The string is φ's convex hull. Marked are where it touches φ, and its height at r = 1: the least F that a law has.
    """
    figure, panels = frames(len(positions), 1, title)
    for s, axes in zip(positions, panels[0], strict=True):
        phi = _phi_of_squares(s)
        touches = FAR[((phi(FAR) - phi(0.0)) / FAR).argmin()]
        straight = phi(0.0) + (phi(touches) - phi(0.0)) * RATIOS / touches
        string = np.where(touches > RATIOS, straight, phi(RATIOS))
        axes.plot(RATIOS, phi(RATIOS), color=COLOURS["generator"], label="φ")
        axes.plot(RATIOS, string, "--", color="black", linewidth=1.2, label="the string")
        axes.axvline(1, color=COLOURS["reference"], linestyle=":", linewidth=1)
        axes.plot(touches, phi(touches), "o", color="black", markersize=4)
        axes.plot(1, np.interp(1, RATIOS, string), "o", color="black", fillstyle="none", label="the least F")
        where, share = ("before 1", 1) if touches <= 1 else (f"at {touches:.2f}", 1 / touches)
        axes.set_title(f"s = {s:g}: touches {where},\n{100 * share:.0f} % of the data", fontsize=9)
        axes.set(xlabel="r", xlim=(0, RATIOS[-1]), ylim=(-0.06, 0.13), yticks=(0, 0.1))
    panels[0, 0].set_ylabel("φ(r)")
    legend(figure, panels[0, 0])
    return figure


@cache
def _phi_of_squares(s: float) -> Callable[..., Any]:
    return sp.lambdify(r, least_squares(0, 1, sp.nsimplify(s)).followed.phi, "numpy")
