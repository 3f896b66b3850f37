"""Picture files: plain ones, and those made byte by byte, of kinds that no encoder at hand writes."""

import io
import struct
import zlib
from pathlib import Path

from PIL import Image


def file(image: Image.Image, kind: str, **options) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def png(size: tuple[int, int], depth: int, colour_type: int, rows: bytes, *chunks: tuple[bytes, bytes]) -> bytes:
    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", *size, depth, colour_type, 0, 0, 0))
    body = b"".join(chunk(*one) for one in (*chunks, (b"IDAT", zlib.compress(rows)), (b"IEND", b"")))
    return b"\x89PNG\r\n\x1a\n" + header + body


def tiff(tags: dict[int, list[int]], strip: bytes) -> bytes:
    """A little-endian TIFF file of one page and one strip; `tags` are of 16-bit values."""
    tags = tags | {278: [tags[257][0]]}
    entries, far, start = b"", b"", 8 + 2 + 12 * (len(tags) + 2) + 4
    where = start + sum(2 * len(values) for values in tags.values() if len(values) > 2)
    for tag, values in sorted((tags | {273: [0], 279: [0]}).items()):
        if tag in (273, 279):
            entries += struct.pack("<HHII", tag, 4, 1, where if tag == 273 else len(strip))
        elif len(values) > 2:
            entries += struct.pack("<HHII", tag, 3, len(values), start + len(far))
            far += struct.pack(f"<{len(values)}H", *values)
        else:
            entries += struct.pack("<HHI", tag, 3, len(values)) + struct.pack("<2H", *values, *[0] * (2 - len(values)))
    return b"II*\0" + struct.pack("<IH", 8, len(tags) + 2) + entries + bytes(4) + far + strip


def save(path: Path, size: tuple[int, int] = (6, 4), mode: str = "RGB", value: int = 100) -> None:
    """Write a picture of one colour."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size, value if mode == "L" else (value, 0, 255)).save(path)
