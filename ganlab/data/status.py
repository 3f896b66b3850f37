"""Which sets can be loaded: what is called OK has been read."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ganlab.data import mnist, readers, stacked_mnist, tfd
from ganlab.data.files import entries, holds, listing
from ganlab.data.images import load
from ganlab.data.places import data_root, how_to_get
from ganlab.errors import DatasetUnavailable

OPENED = 32
"""So many pictures of a large set are decoded, spread over all of it."""


@dataclass(frozen=True)
class SetStatus:
    """Whether a set can be loaded, and what to do when not."""

    name: str
    state: Literal["OK", "absent", "damaged"]
    detail: str


def status(root: Path | str | None = None) -> list[SetStatus]:
    """Which sets can be loaded from `root`, as found by reading them.

    Sets that are loaded as a whole are read and verified. Of the large ones every file or entry is looked for, some are
    decoded, and the detail says how many.
    """
    place = data_root(root)
    checks: dict[str, Callable[[str, Path], tuple[bool, str]]] = {
        "digits": _whole,
        "mnist": lambda name, place: _idx(name, place, mnist.MNIST),
        "fashion-mnist": lambda name, place: _idx(name, place, mnist.FASHION_MNIST),
        "cifar10": _cifar10,
        "celeba": _celeba,
        "tfd": _tfd,
        "lsun": _lsun,
    }
    found = [_status(name, place, check) for name, check in checks.items()]
    return [*found, _stacked(place, next(one for one in found if one.name == "mnist"))]


def _status(name: str, place: Path, check: Callable[[str, Path], tuple[bool, str]]) -> SetStatus:
    try:
        there, detail = check(name, place)
    except DatasetUnavailable as error:
        return SetStatus(name, "damaged", str(error))
    return SetStatus(name, "OK" if there else "absent", detail)


def _whole(name: str, place: Path) -> tuple[bool, str]:
    """Both splits, read and verified."""
    train, _ = (load(name, root=place, split=split) for split in readers.SPLITS)
    return True, train.description


def _idx(name: str, place: Path, kind: mnist.IdxSet) -> tuple[bool, str]:
    if not mnist.found(kind, place):
        return False, mnist.absence(kind, place)
    return _whole(name, place)


def _stacked(place: Path, digits: SetStatus) -> SetStatus:
    """Of MNIST alone: it can be made where that can be read, and damage is MNIST's, so that it is counted once."""
    name = "stacked-mnist"
    if digits.state == "OK":
        return SetStatus(name, "OK", f"{stacked_mnist.IMAGES:,} colour images, made of mnist when they are loaded")
    if digits.state == "damaged":
        return SetStatus(name, "absent", "made of mnist, which is damaged")
    return SetStatus(name, "absent", f"optional; made of mnist: {how_to_get('mnist', place)}")


def _cifar10(name: str, place: Path) -> tuple[bool, str]:
    if readers.cifar10_files(place):
        return _whole(name, place)
    other = _lying(place, [f"cifar-10-{form}*" for form in ("batches-bin", "batches-mat", "binary", "matlab")])
    wanted = f"wanted is {readers.CIFAR10_ARCHIVES[0]}, or {readers.CIFAR10_FOLDER} unpacked from it"
    return False, f"{other}; {wanted}" if other else f"optional; {how_to_get(name, place)}"


def _tfd(name: str, place: Path) -> tuple[bool, str]:
    if holds(place, [tfd.FILE]):
        return _whole(name, place)
    other = _lying(place, ("TFD_*", "tfd_*"))
    return False, f"{other}; {tfd.ASK}" if other else f"optional; {tfd.ASK}"


def _celeba(_name: str, place: Path) -> tuple[bool, str]:
    """By CelebA's list: that every face has its file, and that some can be decoded."""
    listed, images = place / readers.CELEBA_PARTITION, place / readers.CELEBA_IMAGES
    missing = [part.name for part in (listed, images) if not holds(part.parent, [part.name])]
    if len(missing) == 2:
        other = _lying(listed.parent, ("*.zip", "*.7z", "*.csv"))
        return False, f"{other}; {readers.GET_CELEBA}" if other else f"optional; {readers.GET_CELEBA}"
    if missing:
        raise DatasetUnavailable(f"{listed.parent} lacks {missing[0]}; {readers.GET_CELEBA}.")
    faces = [face for split in readers.SPLITS for face in readers.celeba_faces(place, split)]
    there = {path.name for path in entries(faces[0].parent)}
    if gone := [face.name for face in faces if face.name not in there]:
        raise DatasetUnavailable(f"{faces[0].parent} lacks {listing(gone)} of {len(faces):,}; {readers.GET_CELEBA}.")
    opened = _spread(faces)
    for face in opened:
        readers.open_picture(face, readers.GET_CELEBA)
    return True, f"{len(faces):,} faces are there, {len(opened)} of them were opened"


def _lsun(_name: str, place: Path) -> tuple[bool, str]:
    """Every category, training and validation: that the database opens, and that its first pictures decode."""
    named = [path for path in entries(place) if path.name.endswith(("_train_lmdb", "_val_lmdb"))]
    found = [path.name for path in named if holds(path, ["data.mdb"])]
    if not found:
        other = _lying(place, ("*_lmdb", "*_lmdb.zip"))
        wanted = "get the zip archives of LSUN's categories from its authors, and unpack them there"
        return False, f"{other}; {wanted}" if other else f"optional; {wanted}"
    for folder in found:
        category, kind, _ = folder.rsplit("_", 2)
        readers.lsun(place, category, "train" if kind == "train" else "test", size=64, limit=OPENED, channels=3)
    names = ", ".join(name.removesuffix("_lmdb") for name in found)
    return True, f"{names}; of each, the first {OPENED} pictures at most were opened"


def _lying(place: Path, patterns: Iterable[str]) -> str:
    """What lies there in another form than the one that is read; "" for nothing."""
    names = sorted({path.name for pattern in patterns for path in place.glob(pattern)})
    return f"{place} holds {listing(names)}, which is not read" if names else ""


def _spread(faces: list[Path]) -> list[Path]:
    """So many of them that stand at equal distances, the first and the last among them."""
    most = min(OPENED, len(faces))
    return [faces[i * (len(faces) - 1) // max(1, most - 1)] for i in range(most)]
