"""How a notebook shows things in the course: figures with alternative text, advice for a missing package."""

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


def as_html(words: str, png: str) -> str:
    """A picture, base64, with what it shows in words."""
    return f'<img alt="{html.escape(words)}" src="data:image/png;base64,{png.strip()}">'


def advise_on_missing_packages(shell: Any) -> None:
    """Let an import that fails for want of a package say in one line what to do."""

    def advise(shell: Any, _kind: type, error: ModuleNotFoundError, _trace: TracebackType, **_options: object) -> None:
        missing = MissingPackage(error)
        shell.showtraceback((MissingPackage, missing, None))

    shell.set_custom_exc((ModuleNotFoundError,), advise)
