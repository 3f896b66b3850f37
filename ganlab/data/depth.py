"""How many bits per channel a picture has: it stands in the file, while what the decoder gives has 8 of them left."""

import re
from collections.abc import Iterable, Iterator
from typing import Any

WIDE_MODES = ("I", "F")
WIDE_RAW = re.compile(r";(16|32)[BLNS]")
"""How Pillow names what it reduces to 8 bits as it reads, such as "RGB;16B" ("BGR;16" has 5 or 6 bits a channel)."""
DEEP_PNG = re.compile(rb"\x89PNG\r\n\x1a\n.{4}IHDR.{8}\x10", re.DOTALL)
"""The begin of a PNG file of 16 bits."""
BC6H = 6
"""DirectDraw's block compression of floating-point colours."""


def is_deep(image: Any, content: bytes) -> bool:
    """Whether an opened, not yet decoded PIL image has more than 8 bits in a channel. `content` is the file's."""
    if image.mode.startswith(WIDE_MODES) or image.info.get("bit_depth", 8) > 8:
        return True
    if image.format == "JPEG2000":
        return _jpeg2000_is_deep(content)
    if image.format == "AVIF":
        return _avif_is_deep(content)
    if image.format in ("ICO", "ICNS"):  # several pictures, packed as files of other formats
        return bool(DEEP_PNG.search(content)) or _jpeg2000_is_deep(content)
    return any(_tile_is_deep(codec, list(_flat(arguments))) for codec, _, _, arguments in image.tile)


def _tile_is_deep(codec: str, arguments: list[Any]) -> bool:
    if codec.startswith("ppm"):  # (mode, largest value); of a bitmap the mode alone
        return isinstance(arguments[-1], int) and arguments[-1] > 255
    if codec == "sgi_rle":  # (mode, orientation, bytes per channel)
        return arguments[-1] > 1
    if codec == "bcn":  # (number of the compression, …)
        return arguments[0] == BC6H
    return codec == "SGI16" or any(isinstance(one, str) and WIDE_RAW.search(one) for one in arguments)


def _flat(arguments: Any) -> Iterator[Any]:
    if isinstance(arguments, Iterable) and not isinstance(arguments, str | bytes):
        yield from arguments
    else:
        yield arguments


def _jpeg2000_is_deep(content: bytes) -> bool:
    """By the image and tile size marker (ISO/IEC 15444-1, A.5.1): a byte per component holds its bits less one."""
    begin = content.find(b"\xff\x4f\xff\x51")
    sizes = content[begin + 42 :]
    components = int.from_bytes(content[begin + 40 : begin + 42])
    return begin >= 0 and any((size & 0x7F) + 1 > 8 for size in sizes[: 3 * components : 3])


def _avif_is_deep(content: bytes) -> bool:
    """By the AV1 codec configuration box (AV1 in ISOBMFF, 2.3.3): a bit of its third byte says so."""
    begin = content.find(b"av1C")
    return begin >= 0 and bool(content[begin + 6] & 0x40)
