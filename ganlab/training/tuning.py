"""What makes training quicker on this machine: settings of the whole process, none of which changes a result but for
the order of its sums, and the precision in which its processor multiplies quickest."""

import contextlib
import ctypes
import math
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import psutil
import torch
from torch import nn

# Of glibc's malloc.h: from how much free memory at its end the heap is given back, and from which size a block is asked
# of the system by itself, to be given back at once (32 MiB is the most that glibc takes).
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
HEAP_KEPT, LARGEST_BLOCK = 2**31 - 1, 2**25


BUSY_PERCENT, LOOK_SECONDS = 90, 0.3
"""Of the time of all cores, as they are found busy while this process sleeps so long."""
SMALL = 300_000
"""Weights of a network below which one thread is as quick as two."""
_tuned = False


def tune() -> tuple[str, ...]:
    """Spare a core, train small networks on one thread, keep freed memory; what was set, a line each. Call it once,
    before training."""
    global _tuned
    _tuned = True
    spare_a_core()
    threads = torch.get_num_threads()
    said = [f"{threads} thread{'s, one for small networks,' if threads > 1 else ''} of {cores()} cores"]
    if keep_freed_memory():
        said.append(f"memory of layers up to {LARGEST_BLOCK >> 20} MiB is kept for the next step")
    return tuple(said)


def cores() -> int:
    """How many cores this process may use: those that it is kept to, and as many as its container is given the time of,
    rounded up, where the system tells."""
    kept = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, math.ceil(min(kept, _quota())))


def _quota(root: Path = Path("/")) -> float:
    """How many cores' time Linux's control groups, this process's and those around it, allow; else infinite."""
    places = [root / "sys/fs/cgroup", root / "sys/fs/cgroup/cpu"]
    with contextlib.suppress(OSError, ValueError):  # ValueError: lines of another kind
        for line in (root / "proc/self/cgroup").read_text(encoding="utf-8").splitlines():
            _, controllers, path = line.split(":", 2)
            if not controllers or "cpu" in controllers.split(","):
                top = places[1 if controllers else 0]
                inner = top / path.lstrip("/")
                places += [inner, *(outer for outer in inner.parents if top in outer.parents)]
    return min((quota for place in places for quota in _quotas(place)), default=math.inf)


def _quotas(place: Path) -> Iterator[float]:
    """Of one control group: version 2 has both numbers in a file, version 1 has two files."""
    for files in (("cpu.max",), ("cpu.cfs_quota_us", "cpu.cfs_period_us")):
        with contextlib.suppress(OSError, ValueError):  # ValueError: "max", no bound
            quota, period = (int(word) for file in files for word in (place / file).read_text(encoding="utf-8").split())
            if quota > 0 and period > 0:
                yield quota / period


def is_tuned() -> bool:
    """Whether this process has called `tune`."""
    return _tuned


def is_small(*networks: nn.Module) -> bool:
    """Whether networks are so small that a second thread makes a step no quicker: no convolutions, few weights."""
    layers = (layer for network in networks for layer in network.modules())
    few = all(sum(weight.numel() for weight in network.parameters()) < SMALL for network in networks)
    return few and not any(isinstance(layer, nn.modules.conv._ConvNd) for layer in layers)


@contextlib.contextmanager
def one_thread(wanted: bool) -> Iterator[None]:
    """Within it torch uses one thread, if that is wanted and `tune()` was called: where other programs run, the threads
    of a small network wait for each other most of the time."""
    threads = torch.get_num_threads()
    if not (wanted and _tuned) or threads == 1:
        yield
        return
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def spare_a_core() -> None:
    """Let torch use all cores but one (at least two), unless it was told to use fewer.

    Every step waits for its slowest thread: where something else runs on one of the cores, be it the browser, training
    on all of them can be ten times slower than on all but one.
    """
    torch.set_num_threads(min(torch.get_num_threads(), max(2, cores() - 1)))


def leave_room() -> bool:
    """Let torch use one thread if other programs keep nearly all cores busy just now, and tell whether they do.

    Then two threads wait for each other most of the time: with three programs beside, on two cores, they are two to
    three times slower than one. For that a third of a second is looked at, unless torch has one thread anyway.
    """
    if torch.get_num_threads() == 1 or psutil.cpu_percent(LOOK_SECONDS) < BUSY_PERCENT:
        return False
    torch.set_num_threads(1)
    return True


def keep_freed_memory() -> bool:
    """Let the process keep what layers free instead of asking the system for it again in each step, where every page
    of it has to be set to 0. False where the C library is not glibc."""
    if not sys.platform.startswith("linux"):
        return False
    mallopt: Any = getattr(ctypes.CDLL(None), "mallopt", None)
    return bool(mallopt and mallopt(M_TRIM_THRESHOLD, HEAP_KEPT) and mallopt(M_MMAP_THRESHOLD, LARGEST_BLOCK))


def quick_precision() -> Literal["float32", "bfloat16"]:
    """bfloat16 where the processor multiplies it natively (as far as Linux tells), else float32."""
    try:
        flags = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return "float32"
    return "bfloat16" if "avx512_bf16" in flags or "amx_bf16" in flags else "float32"
