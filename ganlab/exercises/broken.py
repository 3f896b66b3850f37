"""Exercises in which something is broken: say what will happen, change one line, look, and say why."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Broken:
    """Judges (predicted, came, why) in stages, each with its hint; whether the prediction was right is not judged.

    outcomes  the letters of what may happen
    outcome   the letter of what does happen
    fault     the hint for what came of a reader's change: that nothing broke yet, or something else; "" where it did
    reasons   the letters of what may be why, each with the hint for whoever gives it, "" for the right one
    """

    outcomes: str
    outcome: str
    fault: Callable[[Any], str]
    reasons: Mapping[str, str]

    def __call__(self, answer: Any) -> str:
        """The hint for an answer, "" for a right one."""
        if not (isinstance(answer, tuple | list) and len(answer) == 3):
            return "Leave the last line as it is, with three things: what you predict, what came of it, and why."
        predicted, came, why = answer
        if not _is_one_of(predicted, self.outcomes):
            letters = _listed(self.outcomes)
            return f"What will happen? Write it first, {letters} (one small letter): a wrong guess costs nothing."
        if fault := self.fault(came):
            return fault
        if not _is_one_of(why, self.reasons):
            reasons = _listed(self.reasons)
            seen = f"You said {predicted}, and it came out {self.outcome}."
            return f"It is broken. {seen} Now say why: {reasons} (one small letter)."
        return self.reasons[why]


def _is_one_of(answer: Any, letters: str | Mapping[str, str]) -> bool:
    return isinstance(answer, str) and len(answer) == 1 and answer in letters


def _listed(letters: str | Mapping[str, str]) -> str:
    *others, last = letters
    return f"{', '.join(others)} or {last}"
