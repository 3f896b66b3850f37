"""Train and look: the loop of every study that looks at a network on its way."""

import time
from collections.abc import Callable, Collection

from ganlab.training import Trainer

Told = Callable[[float, str], None]
"""How much is done, in [0, 1], and a note for the bar."""


def evenly(steps: int, looks: int) -> list[int]:
    """The steps of so many looks at equal distances, the end included: fewer where there are fewer steps."""
    return sorted({round(steps * (number + 1) / looks) for number in range(looks)} - {0})


def train(trainer: Trainer, due: Collection[int], look: Callable[[int, float], str], told: Told) -> None:
    """Train to the end. At each step of `due`, `look` is given the step and the processor seconds of the training up to
    it, of the training alone; it gives a note. Raises as `Trainer.run` and `look` do."""
    trained, begun = 0.0, time.process_time()
    for record in trainer.run():
        note = ""
        if record.step in due:
            trained += time.process_time() - begun
            note = look(record.step, round(trained, 1))
            begun = time.process_time()
        told(record.step / trainer.config.steps, note)
