"""Randomness as a pure function of (seed, rank, step, stream).

Nothing random is stored: batch order and noise of any step can be computed again at any time, so a resumed run
equals an uninterrupted one, and any step of a run can be looked at later.
"""

import contextlib
import hashlib
import random
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import torch
from torch import nn

GENERATORS = (torch.Generator, np.random.Generator, np.random.RandomState, random.Random)


def derived_seed(seed: int, rank: int, step: int, stream: str) -> int:
    """A 63-bit seed that depends on all four arguments and on nothing else."""
    key = f"{seed}/{rank}/{step}/{stream}".encode()
    return int.from_bytes(hashlib.blake2b(key, digest_size=8).digest()) >> 1


def generator(device: torch.device, seed: int, rank: int, step: int, stream: str) -> torch.Generator:
    """A fresh generator on `device` for one use ("stream") within one step."""
    return torch.Generator(device).manual_seed(derived_seed(seed, rank, step, stream))


@contextlib.contextmanager
def forked(device: torch.device, seed: int | None = None) -> Iterator[None]:
    """What is drawn within leaves torch's own random numbers, on the CPU and on `device`, as they were.

    With a `seed` it is drawn from that seed's stream, else from the state that torch is in.
    """
    of_mps = torch.mps.get_rng_state() if device.type == "mps" else None
    try:
        with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
            if seed is not None:
                _seed(device, seed)
            yield
    finally:
        if of_mps is not None:
            torch.mps.set_rng_state(of_mps)


def _seed(device: torch.device, seed: int) -> None:
    """As `torch.manual_seed`, which also notes down a call, with its traceback, for each accelerator that is not there:
    in every step that takes a tenth of a small network's time, and memory that is never given back."""
    torch.default_generator.manual_seed(seed)
    if device.type == "cuda":
        torch.cuda.manual_seed_all(seed)
    elif device.type == "mps":
        torch.mps.manual_seed(seed)


@contextlib.contextmanager
def drawn_elsewhere(models: Mapping[str, nn.Module]) -> Iterator[list[str]]:
    """What is to be said of networks that draw from others than torch's own random numbers, after a forward pass of
    each within; Python's and NumPy's own are as they were."""
    said: list[str] = []
    of_python, of_numpy = random.getstate(), np.random.get_state(legacy=False)  # noqa: NPY002 (networks may use it)
    sources: list[str] = []
    try:
        yield said
    finally:
        if random.getstate() != of_python:
            random.setstate(of_python)
            sources.append("the networks draw from random")
        if not _equal(of_numpy, np.random.get_state(legacy=False)):  # noqa: NPY002
            np.random.set_state(of_numpy)  # noqa: NPY002
            sources.append("the networks draw from numpy.random")
    for role, model in models.items():
        for module in model.modules():
            names = [name for name, value in vars(module).items() if isinstance(value, GENERATORS)]
            sources += [f"{role} has a generator of its own, {name}" for name in names]
    said += [
        f"{source}, whose state no checkpoint holds: a resumed run will not equal one that was not cut off; draw from"
        " torch's own, as torch.randn_like does."
        for source in sources
    ]


def _equal(one: Any, other: Any) -> bool:
    """Whether two states of NumPy's generator are the same."""
    same = (one["state"]["pos"], one["has_gauss"], one["gauss"]) == (
        other["state"]["pos"],
        other["has_gauss"],
        other["gauss"],
    )
    return same and np.array_equal(one["state"]["key"], other["state"]["key"])
