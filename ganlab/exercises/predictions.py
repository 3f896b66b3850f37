"""Predictions: commit to an answer, run the cell, and see both. Kept in this process alone."""

from types import EllipsisType
from typing import Any

import numpy as np

from ganlab import shown

Prediction = float | str

_committed: dict[str, Prediction] = {}


def predict(id: str, answer: Prediction | EllipsisType, *, options: str = "") -> None:  # noqa: A002
    """Keep what a reader expects of a result that is still to come, and say in one line what is kept.

    `answer` is one of the letters in `options`, or a number where there are none; `...` makes no prediction.
    """
    _committed.pop(id, None)
    if isinstance(answer, EllipsisType):
        print(f"{id}: no prediction made")
        return
    fault = _fault(answer, options)
    if not fault:
        _committed[id] = answer
    print(f"{id}: {fault or f'you say {_said(answer)}'}")


def compare(id: str, result: Any, *, unit: str = "") -> None:  # noqa: A002
    """Show in one line what was predicted under this id beside what came out: a letter, a number, or one per seed."""
    came = result if isinstance(result, str) else ", ".join(map(shown.number, np.ravel(result)))
    expected = f"you said {_said(_committed[id])}" if id in _committed else "no prediction made"
    shown.line(f"{id}: {expected}", f"; it came out {came}{f' {unit}' if unit else ''}")


def _fault(answer: Any, options: str) -> str:
    if options:
        fits = isinstance(answer, str) and len(answer) == 1 and answer in options
        return "" if fits else f"{answer!r} is none of {', '.join(options)}"
    number = isinstance(answer, int | float) and not isinstance(answer, bool)
    return "" if number else f"{answer!r} is no number"


def _said(answer: Prediction) -> str:
    return answer if isinstance(answer, str) else shown.number(answer)
