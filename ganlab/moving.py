"""For notebooks (ipywidgets): a picture that sliders move."""

import inspect
import io
from collections.abc import Callable
from typing import Any

import ipywidgets as w
from matplotlib.figure import Figure

from ganlab import inline, plots


class Moving:
    """A picture that sliders move; as the last line of a cell it shows itself. `draw` gives the figure of some numbers,
    each by name, and its defaults say where the sliders stand at first.

    ranges  for each number (least, most) or (least, most, step); a list for a choice; True or False for a box to tick
    """

    def __init__(self, draw: Callable[..., Figure], **ranges: Any) -> None:
        self._draw = draw
        first = {name: number.default for name, number in inspect.signature(draw).parameters.items()}
        self.controls = {name: w.interactive.widget_from_abbrev(of, first[name]) for name, of in ranges.items()}
        for name, control in self.controls.items():
            control.description = name
            control.observe(lambda _: self.show(), names="value")
        self.picture = w.HTML()
        self.box = w.VBox([*self.controls.values(), self.picture])
        self.show()

    def show(self) -> None:
        """Draw what the sliders say; the figure's titles are the picture's text, for whoever cannot see it."""
        figure = self._draw(**{name: control.value for name, control in self.controls.items()})
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png")
        self.picture.layout.min_height = f"{figure.bbox.height:.0f}px"  # kept while one picture gives way to the next
        self.picture.value = inline.as_html(plots.in_words(figure), buffer.getvalue())

    def _repr_mimebundle_(self, **options: Any) -> Any:
        return self.box._repr_mimebundle_(**options)
