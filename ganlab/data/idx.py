"""IDX files, the format of MNIST: read strictly, so that a damaged file is an error and never wrong images."""

import math
import struct
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ganlab.data.files import GET_AGAIN, is_packed, md5_of, read_bytes, refusal, unpacked
from ganlab.data.known import whose
from ganlab.errors import DatasetUnavailable

UNSIGNED_BYTE = 0x08


def read_idx(
    path: Path, dimensions: int, md5: tuple[str | None, str | None] = (None, None), advice: str = GET_AGAIN
) -> Tensor:
    """The uint8 tensor in an IDX file, raw or packed, whatever its name says.

    dimensions  how many the array must have (1: labels, 3: images)
    md5         of the raw content, and of the file as it was published; None where it is not known
    advice      what to do when there is no such file

    The format is that of MNIST's page (LeCun, Cortes, Burges 1998): two zero bytes, the type, the number of dimensions,
    each dimension as a big-endian 32-bit integer, then the values.

    Raises `DatasetUnavailable` for a file that is missing, cut, longer than its header says, not of unsigned bytes, of
    other dimensions, of a content with another checksum, or known as another set's.
    """
    raw, packed = md5
    content = _verified(path, read_bytes(path, advice), raw, packed)
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
    return torch.from_numpy(np.frombuffer(content, np.uint8, offset=header).reshape(shape).copy())


def _verified(path: Path, file: bytes, raw: str | None, packed: str | None) -> bytes:
    """The raw content of a file, by the file's own checksum or by the content's, where one is known."""
    found = md5_of(file)
    if whose(found) and found not in (raw, packed):
        raise refusal(path, found)
    content = unpacked(path, file) if is_packed(file) else file
    if found in (raw, packed):
        return content
    inside = md5_of(content)
    if inside == packed:  # the file as it was published, packed once more
        return unpacked(path, content)
    if inside != raw and whose(inside):
        raise refusal(path, inside)
    if inside != raw and raw is not None:
        raise refusal(path, found, packed if path.suffix == ".gz" else raw)
    return content
