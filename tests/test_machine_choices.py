"""What the machine decides: where a run trains, in which precision, on how many threads, with which memory."""

import math
import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
import torch
from own import image_trainer, refusal
from tiny import run

from ganlab import models
from ganlab.training import leave_room, tune, tuning
from ganlab.training.config import pick_device
from ganlab.training.tuning import (
    BUSY_PERCENT,
    LOOK_SECONDS,
    is_small,
    keep_freed_memory,
    quick_precision,
    spare_a_core,
)


def here(monkeypatch: pytest.MonkeyPatch, *, cuda: bool, mps: bool) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)


@pytest.mark.parametrize(
    ("cuda", "mps", "picked"),
    [(True, True, "cuda"), (True, False, "cuda"), (False, True, "mps"), (False, False, "cpu")],
)
def test_auto_takes_cuda_then_mps_then_the_processor(
    cuda: bool, mps: bool, picked: str, monkeypatch: pytest.MonkeyPatch
):
    here(monkeypatch, cuda=cuda, mps=mps)
    assert pick_device("auto") == torch.device(picked)
    assert pick_device("cpu") == torch.device("cpu")


def test_a_device_that_is_not_here_is_answered_with_those_that_are(monkeypatch: pytest.MonkeyPatch):
    here(monkeypatch, cuda=False, mps=True)
    for name in ("cuda", "cuda:1", "meta", "no such"):
        assert refusal(lambda name=name: pick_device(name)) == (
            f"device is {name!r}; this machine has mps, cpu: give one of them, or 'auto'."
        )


@pytest.mark.parametrize(
    ("flags", "found"),
    [
        ("flags: sse avx2 avx512f avx512_bf16 fma", "bfloat16"),
        ("flags: sse amx_bf16 amx_tile", "bfloat16"),
        ("flags: sse avx2 avx512f", "float32"),
    ],
)
def test_bfloat16_where_the_processor_multiplies_it(flags: str, found: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(Path, "read_text", lambda self, encoding: flags if str(self) == "/proc/cpuinfo" else encoding)
    assert quick_precision() == found


def test_where_nothing_tells_of_the_processor_it_is_float32(monkeypatch: pytest.MonkeyPatch):
    def missing(*_: object, **_options: object) -> str:
        raise FileNotFoundError

    monkeypatch.setattr(Path, "read_text", missing)
    assert quick_precision() == "float32"


@pytest.mark.parametrize(
    ("cores", "threads", "left"), [(8, 8, 7), (8, 4, 4), (3, 3, 2), (2, 2, 2), (2, 64, 2), (1, 1, 1), (1, 4, 2)]
)
def test_a_core_is_spared_where_there_are_more_than_two(
    cores: int, threads: int, left: int, monkeypatch: pytest.MonkeyPatch
):
    told: list[int] = []
    monkeypatch.setattr(tuning, "cores", lambda: cores)
    monkeypatch.setattr(torch, "get_num_threads", lambda: threads)
    monkeypatch.setattr(torch, "set_num_threads", told.append)
    spare_a_core()
    assert told == [left]


@pytest.mark.parametrize(
    ("kept", "quota", "cores"), [(8, math.inf, 8), (8, 2.0, 2), (8, 1.5, 2), (8, 0.1, 1), (2, 4.0, 2), (None, 2.0, 2)]
)
def test_cores_are_those_that_the_process_may_use(
    kept: int | None, quota: float, cores: int, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.delattr("os.sched_getaffinity", raising=False)
    monkeypatch.setattr("os.cpu_count", lambda: 64)
    if kept:
        monkeypatch.setattr("os.sched_getaffinity", lambda _: set(range(kept)), raising=False)
    monkeypatch.setattr(tuning, "_quota", lambda: quota)
    assert tuning.cores() == cores


VERSION_2, VERSION_1 = "0::/a.slice/b.scope\n", "5:memory:/\n4:cpu,cpuacct:/docker/c\n0::/\n"


@pytest.mark.parametrize(
    ("groups", "files", "quota"),
    [
        (None, {}, math.inf),
        (VERSION_2, {"cpu.max": "max 100000"}, math.inf),
        (VERSION_2, {"cpu.max": "200000 100000"}, 2),
        (VERSION_2, {"cpu.max": "max 100000", "a.slice/cpu.max": "150000 100000"}, 1.5),
        (VERSION_2, {"a.slice/cpu.max": "400000 100000", "a.slice/b.scope/cpu.max": "300000 100000"}, 3),
        (VERSION_2, {"other.slice/cpu.max": "100000 100000"}, math.inf),
        (VERSION_2, {"cpu.max": "what is this"}, math.inf),
        (VERSION_1, {"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"}, math.inf),
        (VERSION_1, {"cpu/cpu.cfs_quota_us": "50000", "cpu/cpu.cfs_period_us": "100000"}, 0.5),
        (VERSION_1, {"cpu/docker/c/cpu.cfs_quota_us": "400000", "cpu/docker/c/cpu.cfs_period_us": "100000"}, 4),
    ],
)
def test_the_bounds_of_a_container_are_found(groups: str | None, files: dict[str, str], quota: float, tmp_path: Path):
    """Written as Linux writes them, in version 2 and in version 1; for the process's own group and those around it."""
    if groups is not None:
        (tmp_path / "proc/self").mkdir(parents=True)
        (tmp_path / "proc/self/cgroup").write_text(groups, encoding="utf-8")
    for name, content in files.items():
        file = tmp_path / "sys/fs/cgroup" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content + "\n", encoding="utf-8")
    assert tuning._quota(tmp_path) == quota


@pytest.mark.skipif(not keep_freed_memory(), reason="the C library here is not glibc")
def test_memory_that_a_layer_freed_is_there_for_the_next_step():
    """Two tensors of 24 MiB, made and freed in turns: at first each is asked of the system anew, as glibc begins."""
    code = """
import ctypes, resource, torch
from ganlab.training.tuning import M_MMAP_THRESHOLD, keep_freed_memory
def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(10):
        tensors = [torch.zeros(6 * 2**20) for _ in range(2)]
        del tensors
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
ctypes.CDLL(None).mallopt(M_MMAP_THRESHOLD, 2**17)
faults(); asked = faults()
keep_freed_memory()
faults(); kept = faults()
print(asked, kept)
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    asked, kept = map(int, run.stdout.split())
    assert kept < 100 < asked


def test_tuning_says_what_it_set_and_changes_no_result(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(tuning, "keep_freed_memory", lambda: False)
    (line,) = tune()
    assert line == f"1 thread of {tuning.cores()} cores"
    monkeypatch.setattr(tuning, "keep_freed_memory", lambda: True)
    assert tune()[1] == "memory of layers up to 32 MiB is kept for the next step"
    assert torch.get_float32_matmul_precision() == "highest"


@pytest.mark.parametrize(("tuned", "threads"), [(True, 1), (False, 2)])
def test_small_networks_train_on_one_thread_where_that_was_asked_for(
    tuned: bool, threads: int, monkeypatch: pytest.MonkeyPatch
):
    """Two threads were made ready; what is set while the networks run, and after."""
    monkeypatch.setattr(tuning, "_tuned", tuned)
    trainer = image_trainer(steps=2)
    seen: list[int] = []
    trainer.D.register_forward_hook(lambda *_: seen.append(torch.get_num_threads()))
    torch.set_num_threads(2)
    try:
        run(trainer)
        assert set(seen) == {threads}
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(1)


def test_what_is_small():
    assert is_small(models.MLPGenerator(side=8), models.MLPDiscriminator(side=8))
    assert not is_small(models.MLPGenerator(side=8), models.MLPDiscriminator(side=28))  # 533,505 weights
    assert not is_small(models.MLPGenerator(side=8), models.DCGANDiscriminator(8, 1, 4))


def test_without_glibc_nothing_is_set(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    assert not keep_freed_memory()
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(tuning.ctypes, "CDLL", lambda _: object())  # such as musl's
    assert not keep_freed_memory()


@pytest.mark.parametrize(("threads", "busy", "left"), [(4, 100.0, [1]), (2, 90.0, [1]), (2, 89.0, []), (1, 100.0, [])])
def test_where_others_keep_the_cores_busy_one_thread_is_taken(
    threads: int, busy: float, left: list[int], monkeypatch: pytest.MonkeyPatch
):
    told: list[int] = []
    monkeypatch.setattr("psutil.cpu_percent", lambda _: busy)
    monkeypatch.setattr(torch, "get_num_threads", lambda: threads)
    monkeypatch.setattr(torch, "set_num_threads", told.append)
    assert leave_room() == bool(left)
    assert told == left


def test_a_busy_machine_is_seen_to_be_busy():
    """Endless loops on all cores, for a moment."""
    code = "import sys\nsys.stdout.write('!')\nsys.stdout.flush()\nwhile True: pass"
    loops = [subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) for _ in range(os.cpu_count() or 1)]
    try:
        for loop in loops:
            assert loop.stdout is not None
            assert loop.stdout.read(1) == b"!"
        assert psutil.cpu_percent(LOOK_SECONDS) >= BUSY_PERCENT
    finally:
        for loop in loops:
            loop.kill()
            loop.communicate()
