"""One line for the reader, with a part that differs from machine to machine.

In a notebook the line is published in two forms: as HTML with that part, which the reader sees, and as plain text
without it, which is the same on every machine and which the lessons' tests and the ledger read.
"""

import html
import math
import sys
from typing import Any

STYLE = "margin: 0; padding: 0 5px; white-space: pre-wrap; word-break: normal"


def line(same: str, measured: str = "") -> None:
    """Show the text `same`, followed by what was measured here.

    The HTML begins with a comment: of a folded output JupyterLab shows the first line as it is written.
    """
    if in_notebook():
        from IPython.display import display

        whole = html.escape(same + measured, quote=False)
        page = f'<!-- result -->\n<pre style="{STYLE}">{whole}</pre>'
        display({"text/plain": same, "text/html": page}, raw=True)
    else:
        print(same + measured)


def in_notebook() -> bool:
    """Whether a kernel runs this code, so that more than text can be shown."""
    return hasattr(shell(), "kernel")


def shell() -> Any:
    """The IPython that runs this code, None where there is none."""
    ipython = sys.modules.get("IPython")  # one that runs this code is loaded
    return ipython and ipython.get_ipython()


def number(value: Any) -> str:
    """A measured number as the reader needs it: whole numbers whole, others to four digits, tiny ones to two."""
    value = float(value) + 0.0  # no −0
    whole = math.isfinite(value) and abs(value) < 1e15 and (value.is_integer() or abs(value) >= 1e4)
    text = f"{value:,.0f}" if whole else f"{value:.4g}" if abs(value) >= 1e-3 else f"{value:.2g}"
    return text.replace("-", "−")  # at a hyphen lines break
