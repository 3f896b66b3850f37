"""What the bench of lesson 05 plays and shows: a GAN in the plane, one move at a time, and its picture."""

import io
from typing import Any

import numpy as np
import sympy as sp
import torch
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image
from torch import Tensor

from ganlab import data, plots
from ganlab.data.toy import Mixture
from ganlab.metrics.modes import count_modes
from ganlab.models import ToyDiscriminator, ToyGenerator
from ganlab.objectives import MINIMAX, NON_SATURATING, Objective, least_squares, p_d, p_g
from ganlab.training import Adam, TrainConfig, Trainer

LIMIT = 1.6
"""The bench shows the square from −LIMIT to LIMIT."""
SMOOTHING = 0.1
"""σ by which both laws are smoothed before D* is shown: the law of generated samples is known by samples only."""
LAWS: dict[str, Mixture] = {
    "ring": data.ring(sigma=0.05),
    "grid": data.grid(side=4, spacing=0.8, sigma=0.05),
    "two moons": data.two_moons(),
}
OBJECTIVES: dict[str, Objective] = {
    "non-saturating (NS-GAN)": NON_SATURATING,
    "saturating (minimax)": MINIMAX,
    "LSGAN (0, 1, 1)": least_squares(0, 1, 1),
    "LSGAN (−1, 1, 0)": least_squares(-1, 1, 0),
}
ENDLESS = 1_000_000
NOTHING = 1e-5
"""A density that counts as none: where neither law has more, D* is shown as undecided."""
ARROWS = 16


class Game:
    """What the bench plays: one pair of networks on a law in the plane, and all that there is to see of it."""

    def __init__(
        self, law: Mixture, objective: Objective, *, k: int = 1, lr_d: float = 1e-3, lr_g: float = 1e-3, seed: int = 0
    ) -> None:
        self.law, self.objective = law, objective
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            G, D = ToyGenerator(z_dim=2, width=64, activation="relu"), ToyDiscriminator(width=64, activation="relu")
        config = TrainConfig(
            steps=ENDLESS, k=k, batch=128, optimizer_d=Adam(lr_d), optimizer_g=Adam(lr_g), device="cpu", seed=seed
        )
        self.trainer = Trainer(G, D, objective, law, config)
        self._rounds = self.trainer.run()
        self._alone: dict[str, list[float]] = {"D": [], "G": []}  # what each of a player's moves alone cost it
        ticks = torch.linspace(-LIMIT, LIMIT, 48)
        self._places = torch.cartesian_prod(ticks, ticks)  # [48², 2]
        self._best = sp.lambdify((p_d, p_g), objective.optimal_discriminator.D, "numpy")
        self._p_d = self._smoothed(law.modes, law.sigmas, law.weights)

    def round(self) -> None:
        """One step of training: k moves of D, one of G. Raises `NonFiniteLoss`."""
        next(self._rounds)

    def move_D(self) -> None:
        """One move of D alone."""
        move = self._moves_alone() + 1
        loss, *_ = self.trainer.discriminator_step(self.trainer.real_batch(-move), self.trainer.noise(f"D {move}"))
        self._alone["D"].append(loss.item())

    def move_G(self) -> None:
        """One move of G alone."""
        loss = self.trainer.generator_step(self.trainer.noise(f"G {self._moves_alone() + 1}"))
        self._alone["G"].append(loss.item())

    def _moves_alone(self) -> int:
        return sum(map(len, self._alone.values()))

    @torch.no_grad()
    def surface(self) -> np.ndarray:
        """D's answers on the square, [48, 48], rows from bottom to top."""
        return self._as_image(self._answer(self.trainer.D(self._places)))

    def best_surface(self) -> np.ndarray:
        """D* on the square for the present G, [48, 48], both laws smoothed by `SMOOTHING`."""
        samples = self.trainer.sample(500, seed=1)
        n = len(samples)
        p_g_here = self._smoothed(samples, [0.0] * n, [1 / n] * n)
        return self._as_image(torch.from_numpy(np.asarray(self._best(self._p_d + NOTHING, p_g_here + NOTHING))))

    def samples(self, n: int = 400) -> Tensor:
        """Generated points [n, 2], of the same z each time."""
        return self.trainer.sample(n, seed=1)

    def arrows(self, n: int = ARROWS) -> tuple[Tensor, Tensor]:
        """`n` generated points, far from each other, and the direction in which G's loss falls there, [n, 2] each."""
        x = spread_out(self.samples(), n).requires_grad_()
        loss = self.trainer.losses.generator(self.trainer.D(x))
        (slope,) = torch.autograd.grad(loss, x)
        return x.detach(), -slope * n

    @property
    def answers(self) -> tuple[float, float]:
        """The least and the largest answer of the best D: the ends of the colour scale."""
        ends = [float(self._best(1e-12, 1.0)), float(self._best(1.0, 1e-12))]
        return min(ends), max(ends)

    def said(self) -> str:
        """The count of modes, the moves that one player made alone and what the last cost it, and the losses of both in
        the mean of the last rounds, in one line."""
        count = count_modes(self.samples(1000), self.law.modes, max(self.law.sigmas))
        found = f"{count.modes} of {len(self.law.modes)} modes, {count.high_quality:.0%} of the samples near one"
        for player, paid in self._alone.items():
            found += f"; {player} alone: {len(paid)}, loss {paid[-1]:.2f}" if paid else ""
        if not self.trainer.step:
            return f"step 0: {found}"
        loss_d, loss_g = self.trainer.history[-50:, :2].mean(dim=0).tolist()
        return f"step {self.trainer.step}: {found}; losses D {loss_d:.2f}, G {loss_g:.2f}"

    def _answer(self, logits: Tensor) -> Tensor:
        return logits.sigmoid() if self.objective.output == "probability" else logits

    def _as_image(self, values: Tensor) -> np.ndarray:
        return values.reshape(48, 48).T.numpy()

    def _smoothed(self, means: Tensor, sigmas: Any, weights: Any) -> np.ndarray:
        """The density of a mixture after smoothing, at all places [48²]."""
        variance = torch.tensor(sigmas).square() + SMOOTHING**2  # [n]
        distance = torch.cdist(self._places, means).square()  # [48², n]
        heights = torch.exp(-distance / (2 * variance)) / (2 * torch.pi * variance)
        return (heights @ torch.tensor(weights)).numpy()


def spread_out(points: Tensor, n: int) -> Tensor:
    """`n` of the points [N, 2], [n, 2]: the first, and each time the one that is farthest from all before."""
    chosen = [0]
    for _ in range(n - 1):
        chosen.append(int(torch.cdist(points, points[chosen]).amin(dim=1).argmax()))
    return points[chosen]


class Picture:
    """The bench's picture: made once, then only its data change, which is what makes it quick."""

    def __init__(self) -> None:
        self.figure = Figure(figsize=(8, 6.4), dpi=80)
        self.figure.set_layout_engine("none")
        self._canvas = FigureCanvasAgg(self.figure)
        places = ((0.08, "D's answer, and G's pushes"), (0.495, "the best D against this G"))
        extent = (-LIMIT, LIMIT, -LIMIT, LIMIT)
        limits: dict[str, Any] = {"xlim": extent[:2], "ylim": extent[2:], "xlabel": "$x_1$"}
        self._maps = []
        for left, title in places:
            ax = self.figure.add_axes((left, 0.44, 0.376, 0.47), title=title, **limits)
            ax.grid(visible=False)
            blank = np.zeros((48, 48))
            self._maps.append(ax.imshow(blank, origin="lower", extent=extent, cmap="Greens", vmin=0, vmax=1, alpha=0.6))
        first, second = (picture.axes for picture in self._maps)
        first.set_ylabel("$x_2$", labelpad=-2)
        second.set_yticklabels([])
        self._bar = self.figure.colorbar(self._maps[0], cax=self.figure.add_axes((0.885, 0.44, 0.015, 0.47)))
        self._bar.set_label("answer of D")
        self._real = first.scatter([], [], s=4, color=plots.COLOURS["data"], label="data", linewidths=0)
        self._fake = first.scatter([], [], s=5, color=plots.COLOURS["generator"], label="G(z)", linewidths=0)
        self._arrows = first.quiver(*np.zeros((4, ARROWS)), color="black", width=0.004, scale=8, label="push on G(z)")
        self.figure.legend(*first.get_legend_handles_labels(), loc=(0.07, 0.325), ncols=3, fontsize=8, markerscale=3)
        self._losses = self.figure.add_axes((0.08, 0.09, 0.9, 0.19), title="losses", xlabel="step", ylabel="paid")
        names = {"by D": "discriminator", "by G": "generator"}
        self._lines = [self._losses.plot([], [], color=plots.COLOURS[c], label=by)[0] for by, c in names.items()]
        self._losses.legend(loc="lower right", bbox_to_anchor=(1, 0.98), ncols=2, fontsize=8)

    def png(self, game: Game) -> bytes:
        """The picture of a game as it stands."""
        for picture, values in zip(self._maps, (game.surface(), game.best_surface()), strict=True):
            picture.set_data(values)
            picture.set_clim(*game.answers)
        self._bar.set_ticks(list(np.linspace(*game.answers, 5)))
        self._real.set_offsets(game.law.sample(400, torch.Generator().manual_seed(0)).numpy())
        self._fake.set_offsets(game.samples().numpy())
        places, ways = (values.numpy() for values in game.arrows())
        self._arrows.set_offsets(places)
        longest = max(float(np.linalg.norm(ways, axis=1).max()), 1e-12)
        self._arrows.set_UVC(*(ways / longest).T)
        history = game.trainer.history[:, :2].numpy()
        history = history[:: max(1, len(history) // 400)]
        for line, values in zip(self._lines, history.T, strict=True):
            line.set_data(np.linspace(0, game.trainer.step, len(values)), values)
        self._losses.set(xlim=(0, max(game.trainer.step, 10)), ylim=(0, max(2.0, *history.flatten(), 0)))
        self._canvas.draw()
        buffer = io.BytesIO()
        Image.fromarray(np.asarray(self._canvas.buffer_rgba())).convert("RGB").save(buffer, "PNG", compress_level=1)
        return buffer.getvalue()
