"""The loop of the studies that look at a network on its way."""

import time
from typing import Any

import pytest
from own import image_trainer

from ganlab.experiments import looks


@pytest.mark.parametrize(
    ("steps", "number", "due"),
    [(100, 4, [25, 50, 75, 100]), (10, 4, [2, 5, 8, 10]), (3, 7, [1, 2, 3]), (1, 5, [1]), (7, 1, [7])],
)
def test_looks_are_at_equal_distances_and_at_the_end(steps: int, number: int, due: list[int]):
    assert looks.evenly(steps, number) == due


def test_each_look_is_told_the_processor_seconds_of_the_training_alone():
    """Looks burn ten times what a step does."""
    seen: list[tuple[int, float]] = []
    told: list[tuple[float, str]] = []

    def look(step: int, seconds: float) -> str:
        seen.append((step, seconds))
        end = time.process_time() + 0.3
        while time.process_time() < end:
            pass
        return f"look {len(seen)}"

    trainer: Any = image_trainer(steps=4)
    begun = time.process_time()
    looks.train(trainer, [1, 3, 4], look, lambda *said: told.append(said))
    whole = time.process_time() - begun
    assert [step for step, _ in seen] == [1, 3, 4]
    assert sorted(seconds for _, seconds in seen) == [seconds for _, seconds in seen]
    assert seen[-1][1] <= whole - 0.6 + 0.05
    assert told == [(0.25, "look 1"), (0.5, ""), (0.75, "look 2"), (1.0, "look 3")]
