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
import re
import stat
from collections import Counter, OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from ganlab.errors import CheckpointError
from ganlab.training.checks import shown

MAGIC = b"ganlab-checkpoint 1 "
PLAIN = (torch.Tensor, torch.nn.Parameter, str, bytes, int, float, bool, complex, torch.Size, torch.dtype, torch.device)
NAMED = 4
"""How many differences between two runs a message names."""


def place_of(path: Any) -> Path:
    """Where a path leads: with ~ for the home folder, and through a link. Raises `CheckpointError` for what is none."""
    refused = CheckpointError(f"path is {shown(path)}; give the name of a file, such as 'run.ckpt'.")
    try:
        place = Path(path).expanduser()
    except (TypeError, RuntimeError) as error:  # no path, or the home of a user who is not there
        raise refused from error
    if not place.name or "\0" in str(place):
        raise refused
    return Path(os.path.realpath(place)) if os.path.islink(place) else place  # noqa: PTH114 (raises nothing)


def previous(path: Path) -> Path:
    """Where the checkpoint before `path` is kept."""
    return path.with_name(path.name + ".previous")


def temporary(path: Path) -> Path:
    """Where a file is written before it is put in the place of `path`."""
    return path.with_name(path.name + ".tmp")


def content_of(path: Path, advice: str) -> bytes:
    """What a file holds. Raises `CheckpointError` for one that cannot be read, or is no file."""
    try:
        if not stat.S_ISREG(path.stat().st_mode) and not path.is_dir():  # reading a pipe would wait for ever
            raise CheckpointError(f"{path} is no file; {advice}.")
        return path.read_bytes()
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read ({error.strerror}); {advice}.") from error


def write(path: Path, state: dict[str, Any]) -> None:
    """Write `state` to `path`; a failure or a kill at any moment leaves the checkpoint before it in place.

    Raises `CheckpointError` when the disk is full or the folder cannot be written, when another kind of file is there,
    and for a state that could not be read again.
    """
    _require_plain(state, "state")
    for place in (path, previous(path), temporary(path)):
        refuse_foreign(place, lambda start: start.startswith(MAGIC))
    buffer = io.BytesIO()
    torch.save(state, buffer)
    payload = buffer.getbuffer()
    header = MAGIC + f"{hashlib.sha256(payload).hexdigest()} {len(payload)}\n".encode()
    write_whole(path, header, payload, keep=previous(path))


def _require_plain(value: Any, name: str) -> None:
    """Raise `CheckpointError` for what `read` would not read: all but tensors, plain values and their containers."""
    if type(value) in (dict, OrderedDict, Counter):
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
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            raise CheckpointError(f"{path} is a folder; give the name of a file, such as {path / 'run.ckpt'}.")
        if not stat.S_ISREG(mode):  # a pipe, or a device
            raise CheckpointError(f"{path} is there and no file; give another name.")
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
    unfinished = temporary(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with unfinished.open("wb") as file:
            for part in parts:
                file.write(part)
            file.flush()
            os.fsync(file.fileno())
        if keep is not None and path.exists():
            path.replace(keep)
        unfinished.replace(path)
    except OSError as error:
        raise CheckpointError(
            f"{path} cannot be written ({error.strerror}); free some space or give another place. What was there before"
            " is kept."
        ) from error
    finally:
        with contextlib.suppress(OSError):
            unfinished.unlink(missing_ok=True)


def find(path: Path) -> Path | None:
    """The newest whole-named checkpoint: `path`, or the one before it if a kill hit between the two renames."""
    return next((place for place in (path, previous(path)) if os.path.exists(place)), None)  # noqa: PTH110 (any name)


def read(path: Path) -> dict[str, Any]:
    """The state in a checkpoint file, on the CPU.

    Raises `CheckpointError` for a file that is missing, is no checkpoint, is cut off, or has a flipped bit.
    """
    content = content_of(path, "give the path of a checkpoint")
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

    Layers of a network of one's own ("G.net.0") are compared where the first description tells of them; what they are
    set to ("G.net.1:p"), which weights are trained ("G.net.0.weight:trained"), and what an objective's formulas are in,
    where both do: other versions tell of less or more.
    """
    layers = {key for key in now if key.startswith(("G.", "D."))}
    undescribed = layers if layers.isdisjoint(then) else set()
    undescribed |= {key for key in then.keys() ^ now.keys() if ":" in key or key == "objective.output"}
    different = [
        f"{key}: {then.get(key, 'absent')} then, {now.get(key, 'absent')} now"
        for key in sorted((then.keys() | now.keys()) - undescribed)
        if _spelled(key, then.get(key)) != _spelled(key, now.get(key))
    ]
    more = [f"and {len(different) - NAMED} more"] if len(different) > NAMED else []
    return "; ".join(different[:NAMED] + more)


def _spelled(key: str, value: Any) -> Any:
    """A value as it is compared: a whole number in a formula is the same with and without ".0"."""
    return re.sub(r"(\d)\.0+(?!\d)", r"\1", value) if key.startswith("objective.") and isinstance(value, str) else value


def refuse_drift(path: Path, then: dict[str, Any], now: dict[str, Any]) -> None:
    """Raise `CheckpointError` with the differences when a run's description is not the checkpoint's."""
    if different := differences(then, now):
        raise CheckpointError(
            f"{path} belongs to another run ({different}); give it the same options or another place."
        )
