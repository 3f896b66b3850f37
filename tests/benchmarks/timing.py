"""Ratios of times, taken side by side: A B B A A B B A … in one process, compared pair by pair."""

import statistics
import time
from collections.abc import Callable

from ganlab.training import Trainer


def ratio(ours: Callable[[], object], other: Callable[[], object], *, rounds: int = 60) -> tuple[float, float, float]:
    """The median over rounds of time(ours)/time(other), and the median time of each in seconds."""
    for warm_up in (ours, other, ours, other):
        warm_up()
    pairs = []
    for i in range(rounds):
        first, second = (ours, other) if i % 2 == 0 else (other, ours)
        times = (_seconds(first), _seconds(second))
        pairs.append(times if i % 2 == 0 else times[::-1])
    return (
        statistics.median(a / b for a, b in pairs),
        statistics.median(a for a, _ in pairs),
        statistics.median(b for _, b in pairs),
    )


def steps_of(trainer: Trainer, number: int) -> Callable[[], None]:
    """A function that does so many more steps of a trainer or an ensemble."""
    steps = trainer.run()

    def run() -> None:
        for _ in range(number):
            next(steps)

    return run


def _seconds(run: Callable[[], object]) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start
