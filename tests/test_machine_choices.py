"""What the machine decides: where a run trains, in which precision, on how many threads."""

from pathlib import Path

import pytest
import torch
from own import refusal

from ganlab.training.config import pick_device, quick_precision, spare_a_core


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
    ("cores", "threads", "left"), [(8, 8, 7), (8, 4, 4), (3, 3, 2), (2, 2, 2), (1, 1, 1), (None, 4, 2)]
)
def test_a_core_is_spared_where_there_are_more_than_two(
    cores: int | None, threads: int, left: int, monkeypatch: pytest.MonkeyPatch
):
    told: list[int] = []
    monkeypatch.setattr("os.cpu_count", lambda: cores)
    monkeypatch.setattr(torch, "get_num_threads", lambda: threads)
    monkeypatch.setattr(torch, "set_num_threads", told.append)
    spare_a_core()
    assert told == [left]
