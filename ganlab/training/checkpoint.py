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
from pathlib import Path
from typing import Any

import torch

from ganlab.errors import CheckpointError

MAGIC = b"ganlab-checkpoint 1 "


def previous(path: Path) -> Path:
    """Where the checkpoint before `path` is kept."""
    return path.with_name(path.name + ".previous")


def write(path: Path, state: dict[str, Any]) -> None:
    """Write `state` to `path`; a failure or a kill at any moment leaves the checkpoint before it in place.

    Raises `CheckpointError` when the disk is full or the folder cannot be written.
    """
    buffer = io.BytesIO()
    torch.save(state, buffer)
    payload = buffer.getbuffer()
    header = MAGIC + f"{hashlib.sha256(payload).hexdigest()} {len(payload)}\n".encode()
    write_whole(path, header, payload, keep=previous(path))


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


def refuse_drift(path: Path, then: dict[str, Any], now: dict[str, Any]) -> None:
    """Raise `CheckpointError` with the differences when a run's description is not the checkpoint's."""
    differences = [
        f"{key}: {then.get(key, 'absent')} then, {now.get(key, 'absent')} now"
        for key in sorted(then.keys() | now.keys())
        if then.get(key) != now.get(key)
    ]
    if differences:
        raise CheckpointError(
            f"{path} belongs to another run ({'; '.join(differences)}); give it the same options or another place."
        )
