"""Image sets behind one function, verified each time they are read."""

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from ganlab.data import readers, tfd
from ganlab.data.idx import holds, reason
from ganlab.errors import ConfigError, DatasetUnavailable

NAMES = ("digits", "mnist", "fashion-mnist", "cifar10", "celeba", "tfd", "lsun/CATEGORY", "folder:PATH")
RESIZED_AT_ONCE = 4096
GRAY_LEVELS = 255


@dataclass(frozen=True, eq=False)
class ImageSet:
    """Images as one tensor, with labels.

    images   uint8 [N, C, H, W], 0 … 255
    labels   int64 [N], indices into `classes`
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
        return f"{self.name}: {len(self):,} {colour} images of {height}×{width} pixels{self.note}"


@dataclass(frozen=True)
class SetStatus:
    """Whether a set can be loaded, and what to do when not."""

    name: str
    state: Literal["OK", "absent", "damaged"]
    detail: str


def data_root(root: Path | str | None = None) -> Path:
    """Where the image sets lie: the argument, else `GANLAB_DATA`, else `~/.cache/ganlab`."""
    return Path(root or os.environ.get("GANLAB_DATA") or "~/.cache/ganlab").expanduser()


def load(
    name: str,
    *,
    root: Path | str | None = None,
    size: int | None = None,
    split: str = "train",
    limit: int | None = None,
    download: bool = False,
) -> ImageSet:
    """An image set by name, verified against its published checksums where it has any.

    name      one of `NAMES`: "digits" comes with scikit-learn; "folder:PATH" is any folder of images, its subfolders
              being the classes; the others are looked for in torchvision's layout
    root      where they lie (else `GANLAB_DATA`, else ~/.cache/ganlab)
    size      resize to size×size pixels (antialiased, middle square); None keeps the set's own size
    split     "train" or "test": of the digits the first 1,500 or the last 297, of LSUN "train" or "val", of TFD
              the unlabelled faces or the test faces of the first fold; a folder has no "test"
    limit     take only the first `limit` images
    download  get it through torchvision first, when it is not there

    Raises `DatasetUnavailable` for what is absent, damaged or cut off (never a part of it), `ConfigError` for an
    unknown name or option.
    """
    if split not in readers.SPLITS:
        raise ConfigError(f"split is {split!r}; give 'train' or 'test'.")
    for option, value in (("size", size), ("limit", limit)):
        if value is not None and (type(value) is not int or value < 1):
            raise ConfigError(f"{option} is {value!r}; give an integer of at least 1, or None.")
    place = data_root(root)
    if download:
        _download(name, place)
    read = _read(name, place, split, size, limit)
    images, labels = read.images[:limit], read.labels[:limit]
    if size is not None and images.shape[2:] != (size, size):
        images = _resized(images, size)
    return ImageSet(name, images, labels, read.classes)


def _read(name: str, root: Path, split: str, size: int | None, limit: int | None) -> readers.Read:
    exact: dict[str, Callable[[], readers.Read]] = {
        "digits": lambda: readers.digits(split),
        "mnist": lambda: readers.idx_set(readers.MNIST, root, split),
        "fashion-mnist": lambda: readers.idx_set(readers.FASHION_MNIST, root, split),
        "cifar10": lambda: readers.cifar10(root, split),
        "celeba": lambda: readers.celeba(root, split, size, limit),
        "tfd": lambda: tfd.tfd(root, "unlabelled" if split == "train" else "test"),
    }
    if name in exact:
        return exact[name]()
    if name.startswith("lsun/") and name != "lsun/":
        return readers.lsun(root, name.removeprefix("lsun/"), split, size, limit)
    if name.startswith("folder:") and name != "folder:":
        if split != "train":
            raise ConfigError(f"split is {split!r} for {name}, which has none; give folder:PATH of the test images.")
        return readers.folder(Path(name.removeprefix("folder:")).expanduser(), size, limit)
    raise ConfigError(f"image set is {name!r}; give one of {', '.join(NAMES)}.")


def _resized(images: Tensor, size: int) -> Tensor:
    """Cut to the middle square and resize with antialiasing; uint8 [N, C, size, size]."""
    height, width = images.shape[2:]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    square = images[:, :, top : top + side, left : left + side]
    parts = [
        F.interpolate(part.float(), (size, size), mode="bilinear", antialias=True).round().clamp(0, GRAY_LEVELS).byte()
        for part in square.split(RESIZED_AT_ONCE)
    ]
    return torch.cat(parts)


def _download(name: str, root: Path) -> None:
    from torchvision import datasets

    sources = {
        "mnist": datasets.MNIST,
        "fashion-mnist": datasets.FashionMNIST,
        "cifar10": datasets.CIFAR10,
        "celeba": datasets.CelebA,
    }
    if name not in sources:
        raise ConfigError(f"image set is {name!r}, which cannot be downloaded; these can: {', '.join(sources)}.")
    try:
        sources[name](root, download=True)
    except Exception as error:  # torchvision passes on whatever networks, archives and damaged files give rise to
        raise DatasetUnavailable(
            f"{name} cannot be downloaded to {root} ({reason(error)}); check the network, delete what is damaged "
            "there, or put the files there yourself."
        ) from error


def default_images(root: Path | str | None = None) -> ImageSet:
    """MNIST's training images where they are on the disk, else the digits of scikit-learn; `description` says which.

    Raises `DatasetUnavailable` when MNIST is there but damaged.
    """
    if holds(data_root(root) / readers.MNIST.folder, readers.MNIST.files):
        return load("mnist", root=root)
    digits = load("digits")
    return ImageSet(digits.name, digits.images, digits.labels, digits.classes, note=" (no MNIST on this machine)")


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


def status(root: Path | str | None = None) -> list[SetStatus]:
    """Which sets can be loaded from `root`: those with checksums are read and verified, the large ones looked for."""
    place = data_root(root)
    cifar10_files = [name for files in readers.CIFAR10_MD5.values() for name in files]
    return [
        SetStatus("digits", "OK", load("digits").description),
        _verified("mnist", place, readers.MNIST.folder, readers.MNIST.files),
        _verified("fashion-mnist", place, readers.FASHION_MNIST.folder, readers.FASHION_MNIST.files),
        _verified("cifar10", place, readers.CIFAR10_FOLDER, cifar10_files),
        _celeba(place),
        _tfd(place),
        _lsun(place),
    ]


def _verified(name: str, root: Path, folder: str, files: Iterable[str]) -> SetStatus:
    if not holds(root / folder, files):
        return SetStatus(name, "absent", f"optional; to get it: data.load({name!r}, download=True)")
    try:
        train, _ = (load(name, root=root, split=split) for split in readers.SPLITS)
    except DatasetUnavailable as error:
        return SetStatus(name, "damaged", str(error))
    return SetStatus(name, "OK", train.description)


GET_IT_YOURSELF = "optional; large, get it yourself"


def _celeba(root: Path) -> SetStatus:
    parts = (root / readers.CELEBA_IMAGES, root / readers.CELEBA_PARTITION)
    missing = [str(part) for part in parts if not holds(part.parent, [part.name])]
    if len(missing) == len(parts):
        return SetStatus("celeba", "absent", GET_IT_YOURSELF)
    if missing:
        return SetStatus("celeba", "damaged", f"{missing[0]} is not there; get it, or delete the rest of CelebA.")
    return SetStatus("celeba", "OK", "there")


def _tfd(root: Path) -> SetStatus:
    if not holds(root, [tfd.FILE]):
        return SetStatus("tfd", "absent", f"optional; {tfd.ASK}")
    try:
        return SetStatus("tfd", "OK", load("tfd", root=root).description)
    except DatasetUnavailable as error:
        return SetStatus("tfd", "damaged", str(error))


def _lsun(root: Path) -> SetStatus:
    found = sorted(file.parent.name.removesuffix("_train_lmdb") for file in root.glob("*_train_lmdb/data.mdb"))
    return SetStatus("lsun", "OK", ", ".join(found)) if found else SetStatus("lsun", "absent", GET_IT_YOURSELF)
