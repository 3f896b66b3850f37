"""Readers' attempts at the exercises, judged: what tests of the hints share."""

from collections.abc import Callable
from typing import Any

from ganlab import exercises
from ganlab.exercises import verdict

Answer = Callable[..., Any]


def judged(id_: str, right: Answer, wrong: list[tuple[Answer, str]]) -> None:
    """The right answer is right, each wrong one gets the hint with these words, and no hint of the exercise is left."""
    exercise = exercises.find(id_)
    assert verdict(exercise, right) == "right"
    said = [verdict(exercise, attempt) for attempt, _ in wrong]
    for line, (_, hint) in zip(said, wrong, strict=True):
        assert hint in line
    assert {f"not yet. {hint}" for _, hint in exercise.mistakes} == set(said)
    assert len(exercise.mistakes) == len(wrong)


def each_is_heard(id_: str, wrong: list[tuple[Answer, str]]) -> None:
    """Each wrong answer gets a hint with these words, and no hint of the exercise is left; several may share one."""
    exercise = exercises.find(id_)
    heard: set[str] = set()
    for attempt, hint in wrong:
        said = verdict(exercise, attempt)
        assert said.startswith("not yet. ")
        assert hint in said
        heard.add(said)
    assert {f"not yet. {hint}" for _, hint in exercise.mistakes} <= heard
