"""Randomness as a pure function of (seed, rank, step, stream).

Nothing random is stored: batch order and noise of any step can be computed again at any time, so a resumed run
equals an uninterrupted one, and any step of a run can be looked at later.
"""

import contextlib
import hashlib
from collections.abc import Iterator

import torch


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
