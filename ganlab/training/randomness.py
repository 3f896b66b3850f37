"""Randomness as a pure function of (seed, rank, step, stream).

Nothing random is stored: batch order and noise of any step can be computed again at any time, so a resumed run
equals an uninterrupted one, and any step of a run can be looked at later.
"""

import hashlib

import torch


def derived_seed(seed: int, rank: int, step: int, stream: str) -> int:
    """A 63-bit seed that depends on all four arguments and on nothing else."""
    key = f"{seed}/{rank}/{step}/{stream}".encode()
    return int.from_bytes(hashlib.blake2b(key, digest_size=8).digest()) >> 1


def generator(device: torch.device, seed: int, rank: int, step: int, stream: str) -> torch.Generator:
    """A fresh generator on `device` for one use ("stream") within one step."""
    return torch.Generator(device).manual_seed(derived_seed(seed, rank, step, stream))
