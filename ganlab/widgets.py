"""For notebooks (ipywidgets): a GAN in the plane to stop, step and change while it learns."""

import asyncio
import io
from collections.abc import Callable
from typing import Any

import ipywidgets as w
import numpy as np
import sympy as sp
import torch
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image
from torch import Tensor

from ganlab import data, inline, plots
from ganlab.data.toy import Mixture, mixture
from ganlab.errors import NonFiniteLoss
from ganlab.metrics.modes import count_modes
from ganlab.models import ToyDiscriminator, ToyGenerator
from ganlab.objectives import MINIMAX, NON_SATURATING, Objective, least_squares, p_d, p_g
from ganlab.training import Adam, TrainConfig, Trainer

LIMIT = 1.6
"""The bench shows the square from −LIMIT to LIMIT."""
CELLS = 7
"""Own data are drawn on a board of CELLS × CELLS cells."""
SMOOTHING = 0.1
"""σ by which both laws are smoothed before D* is shown: the law of generated samples is known by samples only."""
LAWS: dict[str, Mixture] = {
    "ring": data.ring(sigma=0.05),
    "grid": data.grid(side=4, spacing=0.8, sigma=0.05),
    "two moons": data.two_moons(),
}
OBJECTIVES = {o.name: o for o in (NON_SATURATING, MINIMAX, least_squares(0, 1, 1), least_squares(-1, 1, 0))}
ENDLESS = 1_000_000
NOTHING = 1e-5
"""A density that counts as none: where neither law has more, D* is shown as undecided."""
ROUNDS_PER_PICTURE = 5
AT_A_PRESS = (1, 10, 100)
"""How many moves, or rounds, a press of a button may be worth."""
ON, OFF = "●", ""
"""What a cell of the board shows."""


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
        self._alone = {"D": 0, "G": 0}
        ticks = torch.linspace(-LIMIT, LIMIT, 48)
        self._places = torch.cartesian_prod(ticks, ticks)  # [48², 2]
        self._best = sp.lambdify((p_d, p_g), objective.optimal_discriminator.D, "numpy")
        self._p_d = self._smoothed(law.modes, law.sigmas, law.weights)

    def round(self) -> None:
        """One step of training: k moves of D, one of G. Raises `NonFiniteLoss`."""
        next(self._rounds)

    def move_D(self) -> None:
        """One move of D alone."""
        self._alone["D"] += 1
        moves = sum(self._alone.values())
        self.trainer.discriminator_step(self.trainer.real_batch(-moves), self.trainer.noise(f"D {moves}"))

    def move_G(self) -> None:
        """One move of G alone."""
        self._alone["G"] += 1
        self.trainer.generator_step(self.trainer.noise(f"G {sum(self._alone.values())}"))

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

    def arrows(self, n: int = 24) -> tuple[Tensor, Tensor]:
        """`n` generated points and the direction in which G's loss falls there, [n, 2] each."""
        x = self.samples(n).requires_grad_()
        loss = self.trainer.losses.generator(self.trainer.D(x))
        (slope,) = torch.autograd.grad(loss, x)
        return x.detach(), -slope * n

    @property
    def answers(self) -> tuple[float, float]:
        """The least and the largest answer of the best D: the ends of the colour scale."""
        ends = [float(self._best(1e-12, 1.0)), float(self._best(1.0, 1e-12))]
        return min(ends), max(ends)

    def said(self) -> str:
        """The count of modes, the moves that one player made alone, and the losses, in one line."""
        count = count_modes(self.samples(1000), self.law.modes, max(self.law.sigmas))
        found = f"{count.modes} of {len(self.law.modes)} modes, {count.high_quality:.0%} of the samples near one"
        found += "".join(f"; {player} alone: {times}" for player, times in self._alone.items() if times)
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
        self._arrows = first.quiver(*np.zeros((4, 24)), color="black", width=0.004, scale=8, label="push on G(z)")
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


class Bench:
    """The bench with its controls; `Bench()` as the last line of a cell shows it.

    Choose the data, the objective, k, the learning rates and the seed; a change starts a new game. Then let D or G move
    alone, or both, as often at a press as you like, or let them run. "own" data are drawn on a board: each cell that is
    on is one hump.
    """

    def __init__(self) -> None:
        rates = [("0.0001", 1e-4), ("0.0003", 3e-4), ("0.001", 1e-3), ("0.003", 3e-3), ("0.01", 1e-2)]
        self.data = w.Dropdown(options=[*LAWS, "own"], description="data")
        self.objective = w.Dropdown(options=list(OBJECTIVES), description="objective")
        self.k = w.IntSlider(value=1, min=1, max=10, description="k", continuous_update=False)
        self.lr_d = w.SelectionSlider(options=rates, value=1e-3, description="rate of D", continuous_update=False)
        self.lr_g = w.SelectionSlider(options=rates, value=1e-3, description="rate of G", continuous_update=False)
        self.seed = w.BoundedIntText(value=0, min=0, max=999, description="seed")
        self.buttons = {
            name: w.Button(description=name, layout={"width": "auto", "min_width": "100px"})
            for name in ("D moves", "G moves", "one round", "run", "reset")
        }
        self.times = w.Dropdown(options=AT_A_PRESS, description="at a press", layout={"width": "160px"})
        self.cells = [
            w.ToggleButton(
                description=OFF,
                tooltip=f"hump in row {row + 1}, column {column + 1}",
                layout={"width": "26px", "height": "24px", "padding": "0"},
            )
            for row, column in (divmod(i, CELLS) for i in range(CELLS**2))
        ]
        for cell in self.cells:
            cell.observe(lambda change: setattr(change.owner, "description", ON if change.new else OFF), names="value")
        for corner in (0, CELLS - 1, CELLS * (CELLS - 1), CELLS**2 - 1):
            self.cells[corner].value = True
        columns = f"repeat({CELLS}, 28px)"
        self.board = w.GridBox(self.cells, layout={"grid_template_columns": columns, "display": "none"})
        self.image, self.status = w.HTML(layout={"min_height": "400px"}), w.Label()
        self.picture = Picture()
        self._running: asyncio.Task[None] | None = None
        self._connect()
        presses, wrapped = [*self.buttons.values(), self.times], {"flex_flow": "row wrap"}
        controls = w.VBox([self.data, self.objective, self.k, self.lr_d, self.lr_g, self.seed])
        self.box = w.VBox([w.HBox([controls, self.board]), w.HBox(presses, layout=wrapped), self.status, self.image])
        self.reset()

    def _connect(self) -> None:
        for control in (self.data, self.objective, self.k, self.lr_d, self.lr_g, self.seed, *self.cells):
            control.observe(lambda _: self.reset(), names="value")
        moves: dict[str, Callable[[], None]] = {
            "D moves": lambda: self.game.move_D(),
            "G moves": lambda: self.game.move_G(),
        }
        for name, move in (moves | {"one round": lambda: self.game.round()}).items():
            self.buttons[name].on_click(lambda _, move=move: self._move(move))
        self.buttons["run"].on_click(lambda _: self.stop() if self._running else self.run())
        self.buttons["reset"].on_click(lambda _: self.reset())

    def _repr_mimebundle_(self, **options: Any) -> Any:
        return self.box._repr_mimebundle_(**options)

    @property
    def law(self) -> Mixture:
        """The chosen data. An empty board counts as one hump in the middle."""
        if self.data.value != "own":
            return LAWS[self.data.value]
        on = [divmod(i, CELLS) for i, cell in enumerate(self.cells) if cell.value] or [(CELLS // 2, CELLS // 2)]
        pitch = 2.4 / (CELLS - 1)
        return mixture([(column * pitch - 1.2, 1.2 - row * pitch) for row, column in on], 0.06)

    def reset(self) -> None:
        """A new game with what is chosen."""
        self.stop()
        self.board.layout.display = "grid" if self.data.value == "own" else "none"
        chosen = {"k": self.k.value, "lr_d": self.lr_d.value, "lr_g": self.lr_g.value, "seed": self.seed.value}
        self.game = Game(self.law, OBJECTIVES[self.objective.value], **chosen)
        self.show()

    def show(self) -> None:
        """Draw the game as it stands."""
        self.status.value = self.game.said()
        words = f"D's answers, the best D's, and the losses; {self.status.value}"
        self.image.value = inline.as_html(words, self.picture.png(self.game), "max-width: 100%")

    def run(self) -> None:
        """Play until `stop`. The notebook stays usable: the kernel's own loop gives the game its turns."""
        self._running = asyncio.get_running_loop().create_task(self._play())
        self.buttons["run"].description = "stop"

    def stop(self) -> None:
        """Pause."""
        if self._running:
            self._running.cancel()
        self._running = None
        self.buttons["run"].description = "run"

    async def _play(self) -> None:
        while True:
            try:
                for _ in range(ROUNDS_PER_PICTURE):
                    self.game.round()
            except NonFiniteLoss as error:
                self.stop()
                self.status.value = str(error)
                return
            self.show()
            await asyncio.sleep(0.01)

    def _move(self, move: Callable[[], None]) -> None:
        self.stop()
        for _ in range(self.times.value):
            move()
        self.show()
