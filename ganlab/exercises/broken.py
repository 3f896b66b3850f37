"""Exercises that break something and explain it: what came out is a number, and the reason a letter to choose."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

WITHIN = 0.01
"""How far off, relative to what comes out, a number may be that was read from a screen."""


def outcome(seen: float, reasons: Mapping[str, str], slips: Iterable[tuple[float, str]]) -> Callable[[Any], str]:
    """The judge of (what came out, why).

    seen     what comes out when the thing is broken as the exercise says
    reasons  the letters to choose from, each with its hint; "" for the right one
    slips    other numbers that readers give, each with its hint
    """

    def judge(answer: Any) -> str:
        if not isinstance(answer, tuple | list) or len(answer) != 2:
            return 'Give two things: return what_came_out, "a" (or another letter).'
        number, letter = answer
        try:
            given = float(number)
        except (TypeError, ValueError):
            return f"The first thing is the number that came out, not {number!r}."
        if not _near(given, seen):
            other = (hint for value, hint in slips if _near(given, value))
            return next(other, f"{given:.4g} is not what comes out. Make this one change, run it, and look.")
        return reason(letter, reasons)

    return judge


def reason(letter: Any, reasons: Mapping[str, str]) -> str:
    """The hint for a letter; "" for the right one, which has none of its own."""
    if not isinstance(letter, str) or letter not in reasons:
        return f"The reason is one of the letters {', '.join(reasons)}."
    return reasons[letter]


def _near(given: float, value: float) -> bool:
    return bool(np.isclose(given, value, rtol=WITHIN, atol=WITHIN * 1e-3))
