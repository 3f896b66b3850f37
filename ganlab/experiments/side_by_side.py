"""Jobs in several processes: results in order, Ctrl-C and killed workers without a hang."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from typing import TypeVar

import torch

from ganlab.errors import ConfigError
from ganlab.training import tuning

Item = TypeVar("Item")
Result = TypeVar("Result")


def side_by_side(
    job: Callable[[Item], Result],
    items: Iterable[Item],
    *,
    workers: int,
    threads: int = 1,
    begin: Callable[[], None] | None = None,
) -> Iterator[Result]:
    """Yield job(item) for every item, in their order, from `workers` processes with so many torch threads each.

    `begin` is what each process does first; it may hold what processes share, such as arrays of `multiprocessing`.
    Where the caller has called `training.tune`, each of them does, too.
    When the caller is interrupted or killed, or a job fails, these processes end at once, and no others. Raises
    `ConfigError` for workers or threads that are no positive integers, and when a process dies before its job is done.
    """
    for name, value in {"workers": workers, "threads": threads}.items():
        if not isinstance(value, int) or value < 1:
            raise ConfigError(f"{name} is {value!r}; give an integer of at least 1.")
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(
        workers, mp_context=context, initializer=_prepare, initargs=(threads, tuning.is_tuned(), begin)
    )
    try:
        yield from _in_order([pool.submit(job, item) for item in items])
    except BrokenProcessPool as error:
        raise ConfigError(
            f"one of {workers} worker processes died: give fewer workers or smaller jobs if memory ran out; a script"
            " must call this under if __name__ == '__main__'."
        ) from error
    except BaseException:
        for process in list(pool._processes.values()):  # from Python 3.14 on: pool.terminate_workers()
            process.terminate()
        raise
    finally:
        pool.shutdown(cancel_futures=True)


def _in_order(futures: Sequence[Future[Result]]) -> Iterator[Result]:
    """Each result as soon as those before it were yielded; raises what any job raises while one is waited for."""
    for number, future in enumerate(futures):
        left = set(futures[number:])
        while not future.done():
            done, left = wait(left, return_when=FIRST_COMPLETED)
            for one in done:
                one.result()
        yield future.result()


def _prepare(threads: int, tuned: bool, begin: Callable[[], None] | None) -> None:
    """Ctrl-C reaches every process of a terminal; only the first is to answer it. Its end is the workers' end."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if tuned:
        tuning.tune()
    torch.set_num_threads(threads)
    os.environ["OMP_NUM_THREADS"] = str(threads)  # for libraries that are loaded later, such as scikit-learn
    threading.Thread(target=_end_with_the_caller, daemon=True).start()
    if begin is not None:
        begin()


def _end_with_the_caller() -> None:
    if (caller := multiprocessing.parent_process()) is not None:
        caller.join()
        os._exit(1)
