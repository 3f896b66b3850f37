"""For notebooks (ipywidgets): a GAN in the plane to stop, step and change while it learns."""

import asyncio
from collections.abc import Callable
from typing import Any

import ipywidgets as w

from ganlab import inline
from ganlab.bench import LAWS, OBJECTIVES, Game, Picture
from ganlab.data.toy import Mixture, mixture
from ganlab.errors import NonFiniteLoss

CELLS = 7
"""Own data are drawn on a board of CELLS × CELLS cells."""
ROUNDS_PER_PICTURE = 5
AT_A_PRESS = (1, 10, 100)
"""How many moves, or rounds, a press of a button may be worth."""
ON, OFF = "●", ""
"""What a cell of the board shows."""


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
        rows = [w.HBox([controls, self.board], layout=wrapped), w.HBox(presses, layout=wrapped)]
        self.box = w.VBox([*rows, self.status, self.image])
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
