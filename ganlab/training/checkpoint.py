"""Checkpoints that are either whole or not there.

A checkpoint file is one line of text, `ganlab-checkpoint 1 <sha256> <bytes>`, followed by what `torch.save` writes.
It holds tensors and plain values only and is read with `weights_only=True`, so it cannot run code. It is written to
a temporary file beside its place, flushed to the disk, and renamed; the one before it is kept as `<name>.previous`.
"""

import contextlib
import hashlib
import io
import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from ganlab.errors import CheckpointError

MAGIC = b"ganlab-checkpoint 1 "
PLAIN = (torch.Tensor, torch.nn.Parameter, str, bytes, int, float, bool, complex, torch.Size, torch.dtype, torch.device)
NAMED = 4
"""How many differences between two runs a message names."""


def previous(path: Path) -> Path:
    """Where the checkpoint before `path` is kept."""
    return path.with_name(path.name + ".previous")


def write(path: Path, state: dict[str, Any]) -> None:
    """Write `state` to `path`; a failure or a kill at any moment leaves the checkpoint before it in place.

    Raises `CheckpointError` when the disk is full or the folder cannot be written, when another kind of file is there,
    and for a state that could not be read again.
    """
    _require_plain(state, "state")
    for place in (path, previous(path)):
        refuse_foreign(place, lambda start: start.startswith(MAGIC))
    buffer = io.BytesIO()
    torch.save(state, buffer)
    payload = buffer.getbuffer()
    header = MAGIC + f"{hashlib.sha256(payload).hexdigest()} {len(payload)}\n".encode()
    write_whole(path, header, payload, keep=previous(path))


def _require_plain(value: Any, name: str) -> None:
    """Raise `CheckpointError` for what `read` would not read: all but tensors, plain values and their containers."""
    if isinstance(value, dict):
        for key, part in value.items():
            _require_plain(key, f"a key of {name}")
            _require_plain(part, f"{name}[{key!r}]")
    elif type(value) in (list, tuple, set):
        for number, part in enumerate(value):
            _require_plain(part, f"{name}[{number}]")
    elif value is not None and type(value) not in PLAIN:
        raise CheckpointError(
            f"{name} is a {type(value).__name__}, which could not be read again; let the network keep tensors and plain"
            " numbers in its state."
        )


def refuse_foreign(path: Path, ours: Callable[[bytes], bool]) -> None:
    """Raise `CheckpointError` for a path that is a folder, or a file that ganlab did not write: it is left alone.

    `ours` tells from the first 4 kB of a file whether it may be replaced.
    """
    if path.is_dir():
        raise CheckpointError(f"{path} is a folder; give the name of a file, such as {path / 'run.ckpt'}.")
    try:
        with path.open("rb") as file:
            start = file.read(4096)
    except OSError:
        return  # nothing there, or nothing that can be read: writing says what is wrong
    if start and not ours(start):
        raise CheckpointError(f"{path} is there and no file of this kind by ganlab; give another name or move it away.")


def write_whole(path: Path, *parts: "bytes | memoryview", keep: Path | None = None) -> None:
    """Put a file in its place in one move, with the one before it moved to `keep`.

    Raises `CheckpointError` when the disk is full or the folder cannot be written; nothing is left behind then.
    """
    temporary = path.with_name(path.name + ".tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as file:
            for part in parts:
                file.write(part)
            file.flush()
            os.fsync(file.fileno())
        if keep is not None and path.exists():
            path.replace(keep)
        temporary.replace(path)
    except OSError as error:
        raise CheckpointError(
            f"{path} cannot be written ({error.strerror}); free some space or give another place. What was there before"
            " is kept."
        ) from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def find(path: Path) -> Path | None:
    """The newest whole-named checkpoint: `path`, or the one before it if a kill hit between the two renames."""
    return next((place for place in (path, previous(path)) if place.exists()), None)


def read(path: Path) -> dict[str, Any]:
    """The state in a checkpoint file, on the CPU.

    Raises `CheckpointError` for a file that is missing, is no checkpoint, is cut off, or has a flipped bit.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read ({error.strerror}); give the path of a checkpoint.") from error
    header, newline, payload = content.partition(b"\n")
    fields = header.removeprefix(MAGIC).split()
    if not header.startswith(MAGIC) or not newline or len(fields) != 2:
        raise CheckpointError(f"{path} is no ganlab checkpoint; give one that ganlab wrote.")
    digest, length = (field.decode(errors="replace") for field in fields)
    if str(len(payload)) != length:
        raise _damaged(path, f"it holds {len(payload)} bytes where {length} were written")
    if hashlib.sha256(payload).hexdigest() != digest:
        raise _damaged(path, "its checksum is not the one that was written")
    try:
        return torch.load(io.BytesIO(payload), map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError) as error:
        raise CheckpointError(f"{path} holds more than tensors and plain values; do not trust it.") from error


def _damaged(path: Path, how: str) -> CheckpointError:
    spare = previous(path)
    advice = f"rename {spare.name} to {path.name}" if spare.exists() else "start the run anew"
    return CheckpointError(f"{path} is damaged: {how}; delete it and {advice}.")


def differences(then: dict[str, Any], now: dict[str, Any]) -> str:
    """What is not equal in two descriptions of a run, the first few of it; "" for none.

    Layers of a network of one's own ("G.net.0") are compared where the first description tells of them.
    """
    layers = {key for key in now if key.startswith(("G.", "D."))}
    undescribed = layers if layers.isdisjoint(then) else set()  # checkpoints of before told classes alone
    different = [
        f"{key}: {then.get(key, 'absent')} then, {now.get(key, 'absent')} now"
        for key in sorted((then.keys() | now.keys()) - undescribed)
        if then.get(key) != now.get(key)
    ]
    more = [f"and {len(different) - NAMED} more"] if len(different) > NAMED else []
    return "; ".join(different[:NAMED] + more)


def refuse_drift(path: Path, then: dict[str, Any], now: dict[str, Any]) -> None:
    """Raise `CheckpointError` with the differences when a run's description is not the checkpoint's."""
    if different := differences(then, now):
        raise CheckpointError(
            f"{path} belongs to another run ({different}); give it the same options or another place."
        )
