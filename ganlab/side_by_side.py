"""Jobs in several processes: results in order, Ctrl-C and killed workers without a hang."""

import multiprocessing
import signal
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import TypeVar

import torch

from ganlab.errors import ConfigError

Item = TypeVar("Item")
Result = TypeVar("Result")


def side_by_side(
    job: Callable[[Item], Result], items: Iterable[Item], *, workers: int, threads: int = 1
) -> Iterator[Result]:
    """Yield job(item) for every item, in their order, from `workers` processes with so many torch threads each.

    When the caller is interrupted or a job fails, all processes end at once. Raises `ConfigError` when the system has
    killed one.
    """
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(workers, mp_context=context, initializer=_prepare, initargs=(threads,))
    try:
        yield from pool.map(job, items)
    except BrokenProcessPool as error:
        raise ConfigError(
            f"a worker process was killed, perhaps for memory; give fewer workers than {workers}."
        ) from error
    except BaseException:
        for process in multiprocessing.active_children():
            process.terminate()
        raise
    finally:
        pool.shutdown(cancel_futures=True)


def _prepare(threads: int) -> None:
    """Ctrl-C reaches every process of a terminal; only the first is to answer it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    torch.set_num_threads(threads)
