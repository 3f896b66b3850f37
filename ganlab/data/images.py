"""Image sets behind one function, verified each time they are read."""

import math
import operator
import os
import re
import sys
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from ganlab.data import folders, mnist, readers, stacked_mnist, tfd
from ganlab.data.pictures import MOST_PIXELS, room_for, size_error
from ganlab.data.places import data_root, is_path, place_of, shown
from ganlab.errors import ConfigError, DatasetUnavailable, printable

NAMES = (
    *("digits", "mnist", "fashion-mnist", "stacked-mnist"),
    *("cifar10", "celeba", "tfd", "lsun/CATEGORY", "folder:PATH"),
)
RESIZED_AT_ONCE = 4096
MOST_SIDE = math.isqrt(MOST_PIXELS)
GRAY_LEVELS = 255
CHANNELS = (1, 3)
LUMA = (19595, 38470, 7471)
"""What red, green and blue weigh in grey, in 65,536ths (ITU-R BT.601), as Pillow rounds them."""


@dataclass(frozen=True, eq=False)
class ImageSet:
    """Images as one tensor, with labels.

    images   uint8 [N, C, H, W], 0 … 255
    labels   int64 [N], indices into `classes`
    note     what was left out, or taken in place of what was asked for; part of the description
    """

    name: str
    images: Tensor
    labels: Tensor
    classes: tuple[str, ...]
    note: str = ""

    def __len__(self) -> int:
        return len(self.images)

    @property
    def description(self) -> str:
        """What this is, in a line."""
        channels, height, width = self.images.shape[1:]
        colour = "grey" if channels == 1 else "colour"
        return printable(f"{self.name}: {len(self):,} {colour} images of {height}×{width} pixels{self.note}")


def load(
    name: str,
    *,
    root: Path | str | None = None,
    size: int | None = None,
    channels: int | None = None,
    split: str = "train",
    limit: int | None = None,
    download: bool = False,
) -> ImageSet:
    """An image set by name, verified against its published checksums where it has any.

    name      one of `NAMES`: "digits" comes with scikit-learn; "stacked-mnist" is made of MNIST; "folder:PATH" is any
              folder of images, its subfolders being the classes; the others are looked for in torchvision's layout.
              Picture files give what a viewer shows of them: upright, and on white where they are transparent
    root      where they lie (else `GANLAB_DATA`, else ~/.cache/ganlab)
    size      resize to size×size pixels (antialiased, middle square), at most 12,247; None keeps the set's own size
    channels  1 for grey, 3 for colour; None keeps the set's own (of a folder: grey if all its files are)
    split     "train" or "test": of the digits the first 1,500 or the last 297, of LSUN "train" or "val", of TFD
              the unlabelled faces or the test faces of the first fold; a folder has no "test"
    limit     take only the first `limit` images; of a folder with several classes, of each class in turn
    download  get it through torchvision first, when it is not there

    What of a folder was passed over is counted in the note and in a warning. Raises `DatasetUnavailable` for what is
    absent, damaged or cut off (never a part of it), `ConfigError` for an unknown name or option.
    """
    if not isinstance(name, str):
        own = f"; of a folder, give 'folder:{name}'" if isinstance(name, Path) else ""
        raise ConfigError(f"image set is {name!r}; give one of {', '.join(NAMES)}{own}.")
    if split not in readers.SPLITS:
        raise ConfigError(f"split is {split!r}; give 'train' or 'test'.")
    size = _whole("size", size, f"an integer of 1 … {MOST_SIDE:,}", range(1, MOST_SIDE + 1))
    limit = _whole("limit", limit, "an integer of at least 1", range(1, sys.maxsize))
    channels = _whole("channels", channels, "1 for grey, 3 for colour", CHANNELS)
    place = data_root(root)
    if download:
        _download(name, place)
    read = _read(name, place, split, size, limit, channels)
    images, labels = read.images[:limit], read.labels[:limit]
    if size is not None and images.shape[2:] != (size, size):
        images = _resized(images, size, name)
    if channels not in (None, images.shape[1]):
        images = images.repeat(1, 3, 1, 1) if channels == 3 else _grey(images)
    if read.note:
        warnings.warn(printable(f"{name}{read.note}"), stacklevel=2)
    return ImageSet(name, images, labels, read.classes, read.note)


def _whole(name: str, value: Any, wanted: str, allowed: Sequence[int]) -> int | None:
    """An option as Python's own int, whatever integer it comes as, or None. Raises `ConfigError`."""
    try:
        plain = None if value is None else operator.index(value)
    except TypeError:
        plain = 0
    if plain is not None and (plain not in allowed or isinstance(value, bool)):
        raise ConfigError(f"{name} is {value!r}; give {wanted}, or None.")
    return plain


def _read(name: str, root: Path, split: str, size: int | None, limit: int | None, channels: int | None) -> readers.Read:
    exact: dict[str, Callable[[], readers.Read]] = {
        "digits": lambda: readers.digits(split),
        "mnist": lambda: mnist.idx_set(mnist.MNIST, root, split),
        "fashion-mnist": lambda: mnist.idx_set(mnist.FASHION_MNIST, root, split),
        "stacked-mnist": lambda: stacked_mnist.stacked_mnist(root, split, limit),
        "cifar10": lambda: readers.cifar10(root, split),
        "celeba": lambda: readers.celeba(root, split, size, limit, channels),
        "tfd": lambda: tfd.tfd(root, "unlabelled" if split == "train" else "test"),
    }
    if name in exact:
        return exact[name]()
    if name.startswith("lsun/") and name != "lsun/" and is_path(name):
        return readers.lsun(root, name.removeprefix("lsun/"), split, size, limit, channels)
    if name.startswith("folder:") and name != "folder:":
        if split != "train":
            raise ConfigError(f"split is {split!r} for {name}, which has none; give folder:PATH of the test images.")
        return folders.folder(place_of(name.removeprefix("folder:"), "folder"), size, limit, channels)
    own = f"; for a folder of your own, give 'folder:{name}'" if os.path.isdir(name) else ""  # noqa: PTH112 (any text)
    raise ConfigError(f"image set is {name!r}; give one of {', '.join(NAMES)}{own}.")


def _resized(images: Tensor, size: int, what: str = "images") -> Tensor:
    """Cut to the middle square and resize with antialiasing; uint8 [N, C, size, size]. Raises `ConfigError`."""
    height, width = images.shape[2:]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    square = images[:, :, top : top + side, left : left + side]
    resized = torch.from_numpy(room_for(len(images), (images.shape[1], size, size), what))
    for part, into in zip(square.split(RESIZED_AT_ONCE), resized.split(RESIZED_AT_ONCE), strict=True):
        try:
            exact = F.interpolate(part.float(), (size, size), mode="bilinear", antialias=True)
        except RuntimeError as error:  # torch has no class of its own for this
            if "memory" not in str(error):
                raise
            raise size_error(what, size) from error
        into.copy_(exact.round_().clamp_(0, GRAY_LEVELS))
    return resized


def _grey(images: Tensor) -> Tensor:
    """Colour images [N, 3, H, W] as grey ones [N, 1, H, W], with Pillow's weights and rounding."""
    grey = torch.empty(len(images), 1, *images.shape[2:], dtype=torch.uint8)
    for part, into in zip(images.split(RESIZED_AT_ONCE), grey.split(RESIZED_AT_ONCE), strict=True):
        red, green, blue = (weight * part[:, i].int() for i, weight in enumerate(LUMA))
        into.copy_((red + green + blue + 0x8000 >> 16)[:, None])
    return grey


def _download(name: str, root: Path) -> None:
    from torchvision import datasets

    sources = {
        "mnist": datasets.MNIST,
        "fashion-mnist": datasets.FashionMNIST,
        "stacked-mnist": datasets.MNIST,
        "cifar10": datasets.CIFAR10,
        "celeba": datasets.CelebA,
    }
    if name not in sources:
        raise ConfigError(f"image set is {name!r}, which cannot be downloaded; these can: {', '.join(sources)}.")
    sets = {"mnist": mnist.MNIST, "fashion-mnist": mnist.FASHION_MNIST, "stacked-mnist": mnist.MNIST}
    if name in sets and mnist.is_whole(sets[name], root):  # perhaps where torchvision does not look
        return
    try:
        sources[name](root, download=True)
    except Exception as error:  # torchvision passes on whatever networks, archives and damaged files give rise to
        raise DatasetUnavailable(
            f"{name} cannot be downloaded to {root} ({_reason(error)}); check the network, delete what is damaged "
            "there, or put the files there yourself."
        ) from error


def _reason(error: Exception) -> str:
    """What a failed download says, in one line and without addresses of objects: no one else knows why it failed."""
    said = re.sub(r"<?(\S+) (object )?at 0x[0-9a-fA-F]+>?", r"\1", str(error)).strip()
    return (said or type(error).__name__).splitlines()[0]


def default_images(root: Path | str | None = None) -> ImageSet:
    """MNIST's training images where they are on the disk, else the digits of scikit-learn; `description` says which.

    Raises `DatasetUnavailable` when MNIST is there but damaged.
    """
    place = data_root(root)
    if mnist.found(mnist.MNIST, place):
        return load("mnist", root=root)
    digits = load("digits", root=place)
    note = f" (no MNIST in {shown(place)})"
    return ImageSet(digits.name, digits.images, digits.labels, digits.classes, note)


def three_parts(name: str, root: Path | str | None = None) -> tuple[Tensor, Tensor, Tensor]:
    """Images to train on, to choose by, and to test on, uint8 [N, C, H, W] each.

    As in the 2014 paper's MNIST experiment: of the training images the first five sixths (50,000) are for training and
    the next 1,000 (or all that are left, if fewer) for choosing; all test images are for testing.
    """
    images, test = load(name, root=root).images, load(name, split="test", root=root).images
    kept = len(images) * 5 // 6
    return images[:kept], images[kept : kept + 1000], test


def contrast_normalized(images: Tensor, norm: float = 55.0) -> Tensor:
    """Images as floats [N, C, H, W], each less its own mean and then scaled to a Euclidean length of `norm`.

    As the 2014 paper's released code prepares CIFAR-10, where a length of 55 over 3,072 numbers means a standard
    deviation of 0.99. Constant images become 0.
    """
    flat = images.flatten(1).float()
    flat = flat - flat.mean(dim=1, keepdim=True)
    return (flat * (norm / flat.norm(dim=1, keepdim=True).clamp_min(1e-8))).view(images.shape)
