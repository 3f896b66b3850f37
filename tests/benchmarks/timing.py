"""Ratios of times, taken side by side: A B B A A B B A … in one process, compared pair by pair; and ceilings."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_map_only
from torch.utils.flop_counter import FlopCounterMode

from ganlab.training import Trainer, quick_precision


def precisions() -> tuple[Literal["float32", "bfloat16"], ...]:
    """float32, and bfloat16 where the processor multiplies it: emulated it takes ten times as long."""
    return ("float32", "bfloat16") if quick_precision() == "bfloat16" else ("float32",)


@dataclass(frozen=True)
class Ratio:
    """time(ours)/time(other): the median over the rounds and the middle half; and the median time of each, in s."""

    median: float
    low: float
    high: float
    ours: float
    other: float

    def speed_up(self) -> str:
        """How many times as fast ours is, with the middle half of the rounds."""
        return f"{1 / self.median:.2f} × ({1 / self.high:.2f}–{1 / self.low:.2f})"


def ratio(ours: Callable[[], object], other: Callable[[], object], *, rounds: int = 60) -> Ratio:
    """Both in turns, after two calls of each."""
    for warm_up in (ours, other, ours, other):
        warm_up()
    pairs = []
    for i in range(rounds):
        first, second = (ours, other) if i % 2 == 0 else (other, ours)
        times = (seconds(first), seconds(second))
        pairs.append(times if i % 2 == 0 else times[::-1])
    low, median, high = statistics.quantiles((a / b for a, b in pairs), n=4, method="inclusive")
    return Ratio(median, low, high, *(statistics.median(times) for times in zip(*pairs, strict=True)))


def steps_of(trainer: Trainer, number: int) -> Callable[[], None]:
    """A function that does so many more steps of a trainer or an ensemble."""
    steps = trainer.run()

    def run() -> None:
        for _ in range(number):
            next(steps)

    return run


def seconds(run: Callable[[], object]) -> float:
    """Of wall time."""
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def flop_of(run: Callable[[], object]) -> int:
    """Floating-point operations of its matrix products and convolutions."""
    with FlopCounterMode(display=False) as counter:
        run()
    return counter.get_total_flops()


class _Kept(TorchDispatchMode):
    """Keeps each call of the library's products, convolutions and optimisers, with copies of what it was given."""

    NAMES = ("mm", "addmm", "bmm", "baddbmm", "convolution", "convolution_backward", "_fused_adam_", "_fused_sgd_")

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[Callable[[], object]] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func.overloadpacket.__name__ in self.NAMES:
            given, named = tree_map_only(torch.Tensor, torch.clone, (args, kwargs or {}))
            self.calls.append(lambda: func(*given, **named))
        return func(*args, **(kwargs or {}))


def products_of(run: Callable[[], object]) -> Callable[[], None]:
    """A function that does the products, convolutions and optimisers of `run` once more, and nothing else: the same
    calls in the same order, on copies."""
    with _Kept() as kept:
        run()

    def replay() -> None:
        with torch.no_grad():
            for call in kept.calls:
                call()

    return replay


def ceiling(dtype: torch.dtype, size: int = 1024) -> float:
    """Floating-point operations per second of a large matrix product, the best of ten."""
    one, other = (torch.randn(size, size).to(dtype) for _ in range(2))
    return 2 * size**3 / min(seconds(lambda: one @ other) for _ in range(10))
