"""IDX files, the format of MNIST: read strictly, so that a damaged file is an error and never wrong images."""

import gzip
import hashlib
import math
import struct
import zlib
from collections.abc import Iterable
from pathlib import Path

import torch
from torch import Tensor

from ganlab.errors import DatasetUnavailable

UNSIGNED_BYTE = 0x08
GET_AGAIN = "delete it and get it again"


def read_idx(path: Path, dimensions: int, md5: str | None = None) -> Tensor:
    """The uint8 tensor in an IDX file, raw or gzipped (name ending in .gz).

    dimensions  how many the array must have (1: labels, 3: images)
    md5         of the file as it lies on the disk, when it is known

    The format is that of MNIST's page (LeCun, Cortes, Burges 1998): two zero bytes, the type, the number of dimensions,
    each dimension as a big-endian 32-bit integer, then the values.

    Raises `DatasetUnavailable` for a file that is missing, cut, longer than its header says, not of unsigned bytes, of
    other dimensions, or of another checksum.
    """
    raw = read_bytes(path, md5)
    content = raw if path.suffix != ".gz" else _unpacked(path, raw)
    header = 4 + 4 * dimensions
    if len(content) < header or content[:4] != bytes((0, 0, UNSIGNED_BYTE, dimensions)):
        wanted = f"an IDX file of unsigned bytes in {dimensions} dimensions"
        raise DatasetUnavailable(f"{path} begins with {content[:4].hex() or 'nothing'}, not as {wanted}; {GET_AGAIN}.")
    shape = struct.unpack(f">{dimensions}I", content[4:header])
    length = header + math.prod(shape)
    if len(content) != length:
        raise DatasetUnavailable(
            f"{path} holds {len(content)} bytes where its header asks for {length} (shape {list(shape)}); {GET_AGAIN}."
        )
    return torch.frombuffer(bytearray(content), dtype=torch.uint8)[header:].reshape(shape).clone()


def holds(folder: Path, names: Iterable[str]) -> bool:
    """Whether any of the files lies in a folder. One that cannot be looked into counts: reading it then says why."""
    try:
        return not {entry.name for entry in folder.iterdir()}.isdisjoint(names)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True


def reason(error: Exception) -> str:
    """What an error of another library says, in one line."""
    return (str(error).strip() or type(error).__name__).splitlines()[0]


def read_bytes(path: Path, md5: str | None = None) -> bytes:
    """A file's content. Raises `DatasetUnavailable` when it cannot be read or has another MD5 than it should."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DatasetUnavailable(
            f"{path} cannot be read ({error.strerror}); put a readable file there: `python -m ganlab doctor` says how."
        ) from error
    found = hashlib.md5(content, usedforsecurity=False).hexdigest()
    if md5 is not None and found != md5:
        raise DatasetUnavailable(f"{path} is damaged: its MD5 is {found}, not {md5}; {GET_AGAIN}.")
    return content


def _unpacked(path: Path, packed: bytes) -> bytes:
    try:
        return gzip.decompress(packed)
    except (OSError, EOFError, zlib.error) as error:
        raise DatasetUnavailable(f"{path} cannot be unpacked ({reason(error)}); {GET_AGAIN}.") from error
