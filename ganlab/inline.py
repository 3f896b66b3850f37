"""How a notebook shows things in the course: figures with alternative text, advice for a missing package."""

import base64
import html
from types import TracebackType
from typing import Any

from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from ganlab import plots
from ganlab.errors import MissingPackage


def describe_figures(shell: Any) -> None:
    """Show figures as HTML with their titles as alternative text: JupyterLab takes none with a bare PNG."""
    plt.switch_backend(plt.get_backend())  # now, since a backend that is loaded later sets its own ways again
    formatters = shell.display_formatter.formatters
    draw = formatters["image/png"].pop(Figure, None)
    if draw is not None:  # the backend shows figures in the page
        formatters["text/html"].for_type(Figure, lambda figure: as_html(plots.in_words(figure), draw(figure)))


def as_html(words: str, png: str | bytes, style: str = "") -> str:
    """A picture, a PNG or one in base64, with what it shows in words, and CSS where a page has none for pictures."""
    encoded = base64.b64encode(png).decode("ascii") if isinstance(png, bytes) else png.strip()
    styled = f'style="{style}" ' if style else ""
    return f'<img {styled}alt="{html.escape(words)}" src="data:image/png;base64,{encoded}">'


def advise_on_missing_packages(shell: Any) -> None:
    """Let an import that fails for want of a package say in one line what to do."""

    def advise(shell: Any, _kind: type, error: ModuleNotFoundError, _trace: TracebackType, **_options: object) -> None:
        missing = MissingPackage(error)
        shell.showtraceback((MissingPackage, missing, None))

    shell.set_custom_exc((ModuleNotFoundError,), advise)
