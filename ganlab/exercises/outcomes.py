"""What came of a reader's change, when it is a number."""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

WITHIN = 0.01


def near(
    seen: float, slips: Iterable[tuple[float, str]], what: str, other: str, within: float = WITHIN
) -> Callable[[Any], str]:
    """The hint for what came out, "" for a number near `seen`.

    slips  numbers that come of other changes, each with its hint; first that of the code as it stands
    what   the name of what is to come out
    other  the hint for any other number
    within how far off, relative to what comes out, a number may be
    """

    def fault(came: Any) -> str:
        try:
            given = float(came)
        except (TypeError, ValueError, OverflowError):
            return f"What came of it is `{what}`, a number."
        if _near(given, seen, within):
            return ""
        return next((hint for value, hint in slips if _near(given, value, within)), other)

    return fault


def _near(given: float, value: float, within: float) -> bool:
    return bool(np.isclose(given, value, rtol=within, atol=within * 1e-3))
