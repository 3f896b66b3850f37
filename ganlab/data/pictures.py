"""Picture files: decoded in full or refused by name, and laid into one tensor."""

import io
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ganlab.data.idx import GET_AGAIN, reason
from ganlab.errors import ConfigError, DatasetUnavailable

GREY_MODES = ("1", "L", "LA")
WIDE_MODES = ("I", "F")


def open_image(file: Path | io.BytesIO, name: str | None = None) -> Any:
    """A fully decoded PIL image of mode "L" (the file is grey) or "RGB" (any other); transparency is dropped.

    Raises `DatasetUnavailable` naming a file that is missing, cut, no image, or of more than 8 bits per channel, which
    do not fit 0 … 255.
    """
    from PIL import Image

    try:
        with Image.open(file) as image:
            mode = image.mode
            plain = image.convert("L" if mode in GREY_MODES else "RGB")
    except Exception as error:  # what a damaged file raises depends on its format and on the spot
        raise DatasetUnavailable(
            f"{name or file} is missing or damaged ({reason(error)}); remove it or get it again."
        ) from error
    if mode.startswith(WIDE_MODES):
        raise DatasetUnavailable(
            f"{name or file} has pixels of mode {mode}, more than 8 bits each; convert it to 8-bit grey or RGB."
        )
    return plain


def stack(images: Iterable[Any], size: int | None, what: str) -> Tensor:
    """PIL images as one uint8 tensor [N, C, H, W]: cut to the middle square and resized when `size` is given.

    C is 1 when all are grey, else 3. Raises `ConfigError` for differing sizes without `size`, `DatasetUnavailable`
    for no images.
    """
    arrays = [_array(image, size) for image in images]
    if not arrays:
        raise DatasetUnavailable(f"{what} holds no images; {GET_AGAIN}.")
    shapes = {array.shape[:2] for array in arrays}
    if len(shapes) > 1:
        raise ConfigError(f"{what} has images of {len(shapes)} sizes, such as {sorted(shapes)[:2]}; give a size.")
    if any(array.ndim == 3 for array in arrays):
        arrays = [array if array.ndim == 3 else np.repeat(array[..., None], 3, axis=2) for array in arrays]
        return torch.from_numpy(np.stack(arrays).transpose(0, 3, 1, 2).copy())
    return torch.from_numpy(np.stack(arrays))[:, None]


def _array(image: Any, size: int | None) -> np.ndarray:
    from PIL import Image, ImageOps

    return np.asarray(image if size is None else ImageOps.fit(image, (size, size), Image.Resampling.BILINEAR))
