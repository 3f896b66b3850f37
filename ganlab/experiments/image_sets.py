"""The images that studies train on, choose by and test on; CIFAR-10 also as picture files, where they are all there is.

Under a root CIFAR-10 is looked for as torchvision keeps it, and else as pictures: one folder for each class in
`cifar10-pictures/train` and in `cifar10-pictures/test`. JPEG files have lost something of their images.
"""

from pathlib import Path

import torch
from torch import Tensor

from ganlab import data
from ganlab.data.readers import cifar10_files

PICTURES = "cifar10-pictures"
JPEG = (".jpg", ".jpeg")
NOT_ITSELF = "Numbers that were measured on JPEG copies are not those of CIFAR-10 itself"
CHOSEN_BY = {"cifar10": 5}
"""Of these sets one training image in so many is for choosing: of CIFAR-10 10,000, as many as there are test images."""
USUALLY_CHOSEN_BY = 6


def parts(images: str, root: Path | None = None) -> dict[str, tuple[Tensor, Tensor]]:
    """Images uint8 [N, C, H, W] and labels [N] to train on, to choose by, and to test on.

    For choosing is the last sixth of the training images, of CIFAR-10 the last fifth. Raises as `data.load` does.
    """
    (given, labels), test = (_split(images, split, root) for split in ("train", "test"))
    share = CHOSEN_BY.get(images, USUALLY_CHOSEN_BY)
    kept = len(given) * (share - 1) // share
    return {
        "training": (given[:kept], labels[:kept]),
        "validation": (given[kept:], labels[kept:]),
        "test": test,
    }


def called(images: str, root: Path | None = None) -> str:
    """What lies under a root for a set, in words: its name, or of what kind its picture files are."""
    if (place := _pictures(images, root)) is None:
        return images
    jpeg = any(file.suffix.lower() in JPEG for file in place.rglob("*"))
    return f"{'JPEG copies' if jpeg else 'picture files'} of CIFAR-10"


def _split(images: str, split: str, root: Path | None) -> tuple[Tensor, Tensor]:
    if (place := _pictures(images, root)) is None:
        loaded = data.load(images, split=split, root=root)
        return loaded.images, loaded.labels
    loaded = data.load(f"folder:{place / split}", channels=3)
    mixed = torch.randperm(len(loaded), generator=torch.Generator().manual_seed(0))  # they lie sorted by class
    return loaded.images[mixed], loaded.labels[mixed]


def _pictures(images: str, root: Path | None) -> Path | None:
    """The folder of a set's pictures, where they are what there is of it."""
    if images != "cifar10" or cifar10_files(place := data.data_root(root)):
        return None
    return place / PICTURES if (place / PICTURES).is_dir() else None
