"""MNIST and the sets in its format: found under the names that people have them by, and known by their content."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from torch import Tensor

from ganlab.data import known
from ganlab.data.files import GET_AGAIN, PACKINGS, entries, is_folder, listing
from ganlab.data.idx import read_idx
from ganlab.data.places import how_to_get
from ganlab.data.readers import SPLITS, Read
from ganlab.errors import DatasetUnavailable


class IdxSet(NamedTuple):
    """A set in MNIST's format.

    name    as `data.load` knows it
    folder  below the root, as torchvision names it; its files lie in "raw" there, or in it
    md5     of each file, raw (None: not published) and packed
    shapes  [N, H, W] of the images of each split
    """

    name: str
    folder: str
    classes: tuple[str, ...]
    md5: dict[str, tuple[str | None, str]]
    shapes: dict[str, list[int]]


SHAPES = {"train": [60_000, 28, 28], "test": [10_000, 28, 28]}
MNIST = IdxSet("mnist", "MNIST", tuple("0123456789"), dict(known.MNIST), SHAPES)
FASHION_MNIST = IdxSet(
    "fashion-mnist",
    "FashionMNIST",
    ("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
    dict(known.FASHION_MNIST),
    SHAPES,
)
COPIED = re.compile(r"^copy of |[ -]*copy$|[ -]*\(\d+\)(?=$|\.)")
OTHER_FORMS = (".npz", ".pkl", ".pkl.gz", ".pt", ".csv", ".mat", ".parquet", ".zip", ".tar", ".tar.gz", ".tgz", ".7z")
"""What such a set is also handed out as, and not read here."""


def idx_set(kind: IdxSet, root: Path, split: str) -> Read:
    """MNIST (LeCun et al. 1998) or a set in its format, such as Fashion-MNIST (Xiao et al. 2017).

    A content of a published MD5 is taken under any usual name and in any packing. Without a published MD5 of the raw
    content the published packed file is read, where it is there; where it is not, what the values are cannot be
    verified, but structure, shape and labels are, and that it is no other known set.
    """
    stem = "train" if split == "train" else "t10k"
    images = _read(kind, root, f"{stem}-images-idx3-ubyte", 3)
    labels = _read(kind, root, f"{stem}-labels-idx1-ubyte", 1).long()
    place = root / kind.folder
    if list(images.shape) != kind.shapes[split]:
        raise DatasetUnavailable(
            f"{place} has {split} images {list(images.shape)}, not {kind.shapes[split]}; {GET_AGAIN}."
        )
    if len(images) != len(labels):
        raise DatasetUnavailable(f"{place} has {len(images)} images but {len(labels)} labels; {GET_AGAIN}.")
    if labels.max() >= len(kind.classes):
        raise DatasetUnavailable(
            f"{place} has a label {int(labels.max())}, beyond {len(kind.classes) - 1}; {GET_AGAIN}."
        )
    return Read(images[:, None], labels, kind.classes)


def found(kind: IdxSet, root: Path) -> list[Path]:
    """The files of a set that lie below a root, by their names.

    Raises `DatasetUnavailable` for a folder that cannot be looked into.
    """
    return [path for name in kind.md5 for path in _candidates(kind, root, name)]


def is_whole(kind: IdxSet, root: Path) -> bool:
    """Whether both splits lie below a root and are read."""
    try:
        return all(idx_set(kind, root, split) for split in SPLITS)
    except DatasetUnavailable:
        return False


def absence(kind: IdxSet, root: Path) -> str:
    """What to do where no file of the set was found: it may lie there in another form, or one folder further up."""
    wanted = f"wanted are {', '.join(kind.md5)}, raw or packed, in {root / kind.folder / 'raw'}"
    here = [path.name for path in entries(root) if _canonical(path.name) in kind.md5]
    if here:
        return f"{root} itself holds {listing(here)}; {wanted}"
    others = [path.name for path in entries(root) if _letters(path.name).startswith(_letters(kind.folder))]
    forms = [name for name in others if name.lower().endswith(OTHER_FORMS)]
    inside = [path for folder in _folders(kind, root) for path in entries(folder)]
    if forms := forms + [path.name for path in inside if not path.name.startswith(".") and not is_folder(path)]:
        return f"{root} holds {listing(forms)}, which is not read; {wanted}"
    return f"optional; {how_to_get(kind.name, root)}"


def _read(kind: IdxSet, root: Path, name: str, dimensions: int) -> Tensor:
    raw, packed = kind.md5[name]
    places = _candidates(kind, root, name) or [root / kind.folder / "raw" / name]
    return read_idx(places[0], dimensions, (raw, packed), how_to_get(kind.name, root))


def _candidates(kind: IdxSet, root: Path, name: str) -> list[Path]:
    """Files that are called `name`, or as people have it, the likeliest first: "train-images.idx3-ubyte" (Kaggle,
    7-Zip) or in a folder of that name, ending in .gz or not."""

    def rank(path: Path) -> tuple[bool, bool, bool]:
        packed = path.suffix.lower() in PACKINGS
        return (not path.name.startswith(name), packed != (kind.md5[name][0] is None), packed and path.suffix != ".gz")

    for folder in _folders(kind, root):
        fitting = [path for path in entries(folder) if _canonical(path.name) == name]
        inner = [one for path in fitting if is_folder(path) for one in entries(path) if _canonical(one.name) == name]
        if files := [path for path in (*fitting, *inner) if not is_folder(path)]:
            return sorted(files, key=rank)
    return []


def _folders(kind: IdxSet, root: Path) -> Iterator[Path]:
    """Where the files may lie: torchvision's folder first, then folders in it, then others of that name, however it is
    spelled."""
    spelled = [path for path in entries(root) if _letters(path.name) == _letters(kind.folder)]
    for folder in (root / kind.folder, *(path for path in spelled if path.name != kind.folder)):
        yield from (folder / "raw", folder)
        further = [path for path in entries(folder) if is_folder(path) and path.name != "raw"]
        yield from (place for path in further for place in (path / "raw", path))


def _canonical(name: str) -> str:
    """A name as the set's authors spell it: without the ending of a packed file and what browsers and systems add to a
    copy, in lower case, with dashes."""
    plain = COPIED.sub("", name.lower())
    while plain.endswith(PACKINGS):
        plain = COPIED.sub("", plain.rpartition(".")[0])
    return re.sub(r"[._ ]", "-", plain.replace("test", "t10k", 1))


def _letters(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())
