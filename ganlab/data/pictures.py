"""Picture files: decoded to what a viewer shows, or refused by name, and laid into one tensor."""

import io
import math
import os
import stat
import sys
import threading
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ganlab.data.depth import is_deep
from ganlab.data.files import beyond_memory
from ganlab.errors import ConfigError, DatasetUnavailable

MOST_PIXELS = 150_000_000
"""More are not decoded: a small file can claim to be of any size. The sensors of most cameras have fewer."""
GREY_MODES = ("1", "L", "LA", "La")
OTHER_COLOURS = ("CMYK", "LAB")
TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
REDUCED_OR_MASK = 0b101
"""Bits of a TIFF page's kind (tag 254): a smaller copy of another page, or its transparency."""
NOT_PIXELS = frozenset({"EPS", "PDF", "WMF", "MPEG", "PALM", "IPTC", "BUFR", "GRIB", "HDF5"})
"""What Pillow registers and does not read by itself: drawings, documents, films, measurements."""
SIGNED = ("JPEG", "PNG", "WEBP", "GIF", "TIFF")
"""Kinds that no text begins like: what begins with "P1" or "BM" may be words."""
USUAL = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "PPM")
OUT_OF_MEMORY = "out of memory"
"""What Pillow says in an `OSError` where a decoder got no memory."""
REMOVE = "remove it or get it again"
SILENCED = threading.RLock()
"""Warnings and the terminal belong to the whole process: one thread at a time may put them aside and back."""


def open_picture(file: Path, advice: str = REMOVE) -> Any:
    """The picture in a file: see `decoded`. Raises `DatasetUnavailable` for what cannot be read, too."""
    try:
        if not stat.S_ISREG(file.stat().st_mode):  # reading a pipe would wait for ever
            raise DatasetUnavailable(f"{file} is no file; remove it.")
        content = file.read_bytes()
    except MemoryError as error:
        raise beyond_memory(str(file)) from error
    except PermissionError as error:
        raise DatasetUnavailable(f"{file} cannot be read ({error.strerror}); make it readable.") from error
    except OSError as error:
        raise DatasetUnavailable(f"{file} is missing or damaged ({error.strerror}); {advice}.") from error
    return decoded(content, str(file), advice)


def is_picture(file: str | Path) -> bool:
    """Whether a file begins as one of the `SIGNED` kinds, whatever its name. Raises nothing."""
    from PIL import Image

    Image.init()
    try:
        if not stat.S_ISREG((file := Path(file)).stat().st_mode):
            return False
        with file.open("rb") as opened:
            prefix = opened.read(16)
    except OSError:
        return False
    return any(accept(prefix) for kind in SIGNED if (accept := Image.OPEN[kind][1]))


def decoded(content: bytes, name: str, advice: str = REMOVE) -> Any:
    """What a viewer shows of a picture file, as a PIL image of mode "L" (the file is grey) or "RGB" (any other).

    The camera's orientation (EXIF) is applied, what is transparent is laid on white, and colours are those of the
    file's colour profile, in sRGB.

    name    what stands for the file in messages
    advice  what to do where the file is damaged

    Raises `DatasetUnavailable` naming a picture that is cut or none, of several pages, of more than 8 bits per channel,
    which do not fit 0 … 255, or of more than `MOST_PIXELS`; `ConfigError` for too little memory.
    """
    from PIL import Image

    Image.init()
    formats = _formats(len(Image.OPEN))
    try:
        with _silence(content), Image.open(io.BytesIO(content), formats=formats) as image:
            problem = _unfit(image, content)
            if not problem:
                frame = image.tile[0][1] if image.tile else None
                image.load()
                _spread_key(image, content)
                _clear_around(image, frame)
                return _on_white(_upright(image))
    except Image.DecompressionBombError:
        problem = _too_large()
    except Exception as error:  # what a damaged file raises depends on its format and on the spot
        if isinstance(error, MemoryError) or OUT_OF_MEMORY in str(error):
            raise beyond_memory(name) from error
        unknown = isinstance(error, Image.UnidentifiedImageError)
        why = "no picture of a kind that is read here" if unknown else "cut off, or not as its format wants"
        raise DatasetUnavailable(f"{name} is missing or damaged ({why}); {advice}.") from error
    raise DatasetUnavailable(f"{name} has {problem}.")


@cache
def _formats(registered: int) -> list[str]:  # noqa: ARG001 (a package that registers one more is to be noticed)
    """What a content is tried as, the usual formats first."""
    from PIL import Image

    return [*USUAL, *(kind for kind in Image.OPEN if kind not in NOT_PIXELS.union(USUAL))]


def _unfit(image: Any, content: bytes) -> str:
    """What an opened, not yet decoded picture has that a set of pictures cannot have; "" for nothing."""
    if image.width * image.height > MOST_PIXELS:
        return _too_large()
    if is_deep(image, content):
        return "more than 8 bits per channel; convert it to 8-bit grey or RGB"
    if (pages := _pages(image)) > 1:
        return f"{pages} pages; save each as a picture of its own"
    return ""


def _too_large() -> str:
    return f"more than {MOST_PIXELS // 10**6} million pixels by what it says of itself; make it smaller"


def _pages(image: Any) -> int:
    """How many pictures of its own a file shows, one after the other.

    The layers of a PSD file are shown as one, and of a phone's MPO file only the first picture is shown.
    """
    pages = getattr(image, "n_frames", 1)
    if image.format in ("PSD", "MPO") or pages == 1:
        return 1
    if image.format == "TIFF":
        kinds = []
        for page in range(pages):
            image.seek(page)
            kinds.append(image.tag_v2.get(254, 0))
        image.seek(0)
        pages = sum(not kind & REDUCED_OR_MASK for kind in kinds)
    return pages


def _upright(image: Any) -> Any:
    """The picture turned as its camera was held. An orientation that cannot be read counts as none, as for viewers."""
    from PIL import ExifTags, Image

    turns = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_270,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_90,
    }
    orientation = None
    with suppress(Exception):  # damaged notes of a camera raise whatever the spot gives rise to
        orientation = image.getexif().get(ExifTags.Base.Orientation)
    return image.transpose(turns[orientation]) if orientation in turns else image


def _spread_key(image: Any, content: bytes) -> None:
    """Spread the transparent grey of a PNG file of 2 or 4 bits over 0 … 255, as Pillow does with its pixels alone."""
    key, bits = image.info.get("transparency"), content[24:25]
    if image.format == "PNG" and image.mode == "L" and isinstance(key, int) and bits in (b"\2", b"\4"):
        image.info["transparency"] = key * 255 // (2 ** bits[0] - 1)


def _clear_around(image: Any, frame: tuple[int, int, int, int] | None) -> None:
    """Let a GIF file that names no transparent colour be transparent around its frame, where it says nothing."""
    from PIL import Image

    if image.format == "GIF" and "transparency" not in image.info and frame not in (None, (0, 0, *image.size)):
        shown = Image.new("L", image.size, 0)
        shown.paste(255, frame)
        image.putalpha(shown)


def _on_white(image: Any) -> Any:
    """A decoded picture in sRGB, or in grey, with white behind what is transparent."""
    from PIL import ImageChops

    plain = "L" if image.mode in GREY_MODES else "RGB"
    if not image.has_transparency_data:
        return _as(plain, _in_srgb(image if image.mode in OTHER_COLOURS else _as(plain, image)))
    layered = _as(plain + "A", image)
    shown = _in_srgb(layered.convert(plain), image)
    shown.paste("white", mask=ImageChops.invert(layered.getchannel("A")))
    return shown


def _as(mode: str, image: Any) -> Any:
    """The image in this mode; it is not copied where it is in it already."""
    return image if image.mode == mode else image.convert(mode)


def _in_srgb(image: Any, source: Any = None) -> Any:
    """Colours of the profile that stands in the file (`source`, else the image itself), as those of sRGB."""
    from PIL import ImageCms

    profile = (source or image).info.get("icc_profile")
    if image.mode == "L" or not (profile or image.mode == "LAB"):
        return image
    try:
        own: Any = ImageCms.ImageCmsProfile(io.BytesIO(profile)) if profile else ImageCms.createProfile("LAB")
        if profile and "sRGB" in ImageCms.getProfileDescription(own):
            return image
        return ImageCms.profileToProfile(image, own, ImageCms.createProfile("sRGB"), outputMode="RGB")
    except (OSError, ImageCms.PyCMSError):  # damaged, or of another kind of colours: viewers pass over it, too
        return image


@contextmanager
def _silence(content: bytes) -> Iterator[None]:
    """Keep off the terminal what decoders print: warnings, and the lines that libtiff writes by itself."""
    with SILENCED, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if not content.startswith(TIFF):
            yield
            return
        try:
            sys.stderr.flush()
            terminal = os.dup(2)
        except (OSError, AttributeError):  # no terminal that could show them
            yield
            return
        try:
            with Path(os.devnull).open("wb") as nothing:
                os.dup2(nothing.fileno(), 2)
            yield
        finally:
            os.dup2(terminal, 2)
            os.close(terminal)


# One tensor ---------------------------------------------------------------------------------------------------------


def stack(images: Iterable[Any], n: int, what: str, size: int | None = None, channels: int | None = None) -> Tensor:
    """At most `n` PIL images as one uint8 tensor [N, C, H, W], filled as they come: nothing is held twice.

    size      cut to the middle square and resized to size×size pixels
    channels  C: 1 grey, 3 colour; None: 1 when all are grey, else 3

    Raises `ConfigError` for differing sizes without `size` and for more than the memory holds, `DatasetUnavailable` for
    no images.
    """
    filled, count = np.empty((0, 0, 0, 0), np.uint8), 0
    for count, image in enumerate(images, 1):
        try:
            pixels = _pixels(image, size, channels)
        except MemoryError as error:
            raise (size_error(what, size) if size else beyond_memory(what)) from error
        if count == 1:
            filled = room_for(n, pixels.shape, what)
        if pixels.shape[1:] != filled.shape[2:]:
            shapes = " and ".join(f"{height}×{width}" for height, width in (filled.shape[2:], pixels.shape[1:]))
            raise ConfigError(f"{what} has images of several sizes, such as {shapes}; give a size.")
        if len(pixels) > filled.shape[1]:  # the first in colour, after grey ones
            grey, filled = filled, room_for(n, pixels.shape, what)
            filled[: count - 1] = grey[: count - 1]
        filled[count - 1] = pixels
    if not count:
        raise DatasetUnavailable(f"{what} holds no images; get it again.")
    return torch.from_numpy(filled[:count])


def size_error(what: str, size: int) -> ConfigError:
    """The error for images that take more memory than there is while they are resized."""
    return ConfigError(f"{what} at a size of {size:,} takes more memory than there is; give a smaller one.")


def room_for(n: int, shape: tuple[int, ...], what: str) -> np.ndarray:
    """An empty array of n uint8 images of a shape [C, H, W]. Raises `ConfigError` for more than the memory holds."""
    try:
        return np.empty((n, *shape), np.uint8)
    except (MemoryError, ValueError) as error:  # the second: more than any machine holds
        room = f"{math.ceil(n * math.prod(shape) / 2**30)} GiB"
        raise ConfigError(f"{what} takes {room}, more than there is; give a smaller size, or a limit.") from error


def _pixels(image: Any, size: int | None, channels: int | None) -> np.ndarray:
    """A PIL image as uint8 [C, H, W]."""
    from PIL import Image, ImageOps

    if channels is not None:
        image = _as("L" if channels == 1 else "RGB", image)
    if size is not None:
        image = ImageOps.fit(image, (size, size), Image.Resampling.BILINEAR)
    pixels = np.asarray(image)
    return pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1)
