"""Moving pictures of training, as in `ganlab.scenes`: the smallest GAN's walk, and samples on a ring over time."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Literal

import numpy as np
import sympy as sp
from matplotlib.figure import Figure
from torch import Tensor

from ganlab.data.toy import Mixture
from ganlab.metrics.modes import count_modes
from ganlab.plots import COLOURS
from ganlab.scenes import frames, legend, said
from ganlab.theory import dirac

Turns = int | Literal["at once"]
"""How many moves ψ makes for each of θ, or that both move at once."""
TIME = 60.0
"""How long the smallest GAN walks: so many moves of θ at rate 1, and 1/rate times as many at a smaller rate."""
EDGE = 3.0
"""Its plane is drawn from −EDGE to EDGE."""
SHOWN = 200
"""Samples that are drawn of a look."""


def dirac_walk(positions: Sequence[tuple[Turns, float, float]], *, title: str = "") -> Figure:
    """For each (k, rate, γ): the smallest GAN's field with the penalty γ/2 · ψ², and its walk from (1, −1).

    In turns ψ moves k times, then θ once. The arrows show which way small steps lead, where ψ counts k times.
    """
    figure, panels = frames(len(positions), 1, title)
    ticks = np.linspace(-EDGE, EDGE, 9)
    for (k, rate, penalty), axes in zip(positions, panels[0], strict=True):
        x, y = np.meshgrid(ticks, ticks)
        arrows = np.array(np.broadcast_arrays(*small_steps(k, penalty).compiled()(x, y)))
        arrows /= np.maximum(np.hypot(*arrows), 1e-12)
        look = {
            "color": COLOURS["reference"],
            "alpha": 0.6,
            "width": 0.006,
            "antialiased": False,
        }  # fewer shades of grey
        axes.quiver(x, y, *arrows, angles="xy", scale=14, **look)
        path = walk(k, rate, penalty)
        axes.plot(*path.T, color=COLOURS["generator"], linewidth=0.9, label="the walk")
        axes.plot(*path[0], "o", color="black", markersize=4, label="its start")
        axes.plot(0, 0, "+", color=COLOURS["data"], markersize=10, label="the solution")
        turns = "both at once" if k == "at once" else f"k = {k}"
        first, last = (said(dirac.radius(path[[i]])[0]) for i in (0, -1))
        axes.set_title(f"{turns}, rate {rate:g}, γ {penalty:g}:\ndistance {first} → {last}", fontsize=9)
        axes.set(xlim=(-EDGE, EDGE), ylim=(-EDGE, EDGE), xlabel="θ, the generator's point", aspect="equal")
        axes.grid(visible=False)
    panels[0, 0].set_ylabel("ψ, slope of D")
    legend(figure, panels[0, 0])
    return figure


@cache
def _field(penalty: float) -> dirac.Field:
    return dirac.with_gradient_penalty(dirac.GAN, sp.nsimplify(penalty))


@cache
def small_steps(k: Turns, penalty: float) -> dirac.Field:
    """How θ and ψ move in the limit of small steps, in the time that θ takes: ψ has k moves in it."""
    of, moves = _field(penalty), 1 if k == "at once" else k
    return dirac.Field(f"{of.name}, k = {k}", of.of_theta, moves * of.of_psi)


def walk(k: Turns, rate: float, penalty: float) -> np.ndarray:
    """The path of (θ, ψ), [n, 2], for `TIME`; D moves first, as in Algorithm 1."""
    of, steps = _field(penalty), round(TIME / rate)
    if k == "at once":
        return dirac.simulate(of, step=rate, steps=steps)
    return dirac.simulate(of, step=rate, steps=steps, alternating=True, n_d=k, first="D")


def ring(looks: Mapping[int, Tensor], law: Mixture, positions: Sequence[int], *, title: str = "") -> Figure:
    """For each round at which G was looked at: its samples over the data, and below the modes that it has found.

    looks  by round, samples [n, 2] of the same z each time
    """
    figure, panels = frames(len(positions), 2, title)
    found = {at: count_modes(points, law.modes, law.sigmas[0]).modes for at, points in looks.items()}
    for at, (top, bottom) in zip(positions, panels.T, strict=True):
        top.plot(*law.modes.T, "o", color=COLOURS["data"], markersize=6, markerfacecolor="none", label="data")
        top.plot(
            *looks[at][:SHOWN].T, ".", color=COLOURS["generator"], markersize=3, markeredgewidth=0, label="generated"
        )
        top.set_title(f"round {at}:\n{found[at]} of {len(law.modes)} found", fontsize=9)
        top.set(xlim=(-1.6, 1.6), ylim=(-1.6, 1.6), xlabel="$x_1$", aspect="equal")
        bottom.plot(list(found), list(found.values()), color=COLOURS["generator"])
        bottom.plot(at, found[at], "o", color="black")
        bottom.set(ylim=(-0.4, len(law.modes) + 0.4), yticks=(0, len(law.modes)), xlabel="round")
    panels[0, 0].set_ylabel("$x_2$")
    panels[1, 0].set_ylabel("modes found")
    legend(figure, panels[0, 0])
    return figure
