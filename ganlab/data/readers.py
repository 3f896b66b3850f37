"""One reader per image set: from what lies on the disk, verified, to images and labels."""

import io
import os
import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from ganlab.data.idx import GET_AGAIN, holds, read_bytes, read_idx, reason
from ganlab.data.pictures import open_image, stack
from ganlab.errors import ConfigError, DatasetUnavailable

SPLITS = ("train", "test")
DIGITS_TRAIN = 1500
"""scikit-learn's digits come without a split: the first 1,500 scans are for training, the last 297 for testing."""


class Read(NamedTuple):
    """uint8 images [N, C, H, W], int64 labels [N], and the names of the classes."""

    images: Tensor
    labels: Tensor
    classes: tuple[str, ...]


def digits(split: str) -> Read:
    """The 8×8 digits inside scikit-learn, their 17 grey values spread over 0 … 255."""
    from sklearn.datasets import load_digits

    bunch: Any = load_digits()
    part = slice(None, DIGITS_TRAIN) if split == "train" else slice(DIGITS_TRAIN, None)
    images = torch.from_numpy(np.rint(bunch.images[part] * (255 / 16)).astype(np.uint8))
    return Read(images[:, None], torch.from_numpy(bunch.target[part].astype(np.int64)), tuple("0123456789"))


class IdxSet(NamedTuple):
    """A set in MNIST's format.

    md5     of each file, raw (None: not published) and packed
    shapes  [N, H, W] of the images of each split
    """

    folder: str
    classes: tuple[str, ...]
    md5: dict[str, tuple[str | None, str]]
    shapes: dict[str, list[int]]

    @property
    def files(self) -> list[str]:
        """The names of its files, raw and packed."""
        return [*self.md5, *(f"{name}.gz" for name in self.md5)]


MNIST_SHAPES = {"train": [60_000, 28, 28], "test": [10_000, 28, 28]}


MNIST = IdxSet(
    "MNIST/raw",
    tuple("0123456789"),
    {
        "train-images-idx3-ubyte": ("6bbc9ace898e44ae57da46a324031adb", "f68b3c2dcbeaaa9fbdd348bbdeb94873"),
        "train-labels-idx1-ubyte": ("a25bea736e30d166cdddb491f175f624", "d53e105ee54ea40749a09fcbcd1e9432"),
        "t10k-images-idx3-ubyte": ("2646ac647ad5339dbf082846283269ea", "9fb629c4189551a2d022fa330f9573f3"),
        "t10k-labels-idx1-ubyte": ("27ae3e4e09519cfbb04c329615203637", "ec29112dd5afa0611ce80d1b7f02629c"),
    },
    MNIST_SHAPES,
)
FASHION_MNIST = IdxSet(
    "FashionMNIST/raw",
    ("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
    {
        "train-images-idx3-ubyte": (None, "8d4fb7e6c68d591d4c3dfef9ec88bf0d"),
        "train-labels-idx1-ubyte": (None, "25c81989df183df01b3e8a0aad5dffbe"),
        "t10k-images-idx3-ubyte": (None, "bef4ecab320f06d8554ea6380940ec79"),
        "t10k-labels-idx1-ubyte": (None, "bb300cfdad3c16e7a12a480ee83cd310"),
    },
    MNIST_SHAPES,
)


def idx_set(kind: IdxSet, root: Path, split: str) -> Read:
    """MNIST (LeCun et al. 1998) or a set in its format, such as Fashion-MNIST (Xiao et al. 2017).

    Without a published MD5 of the raw file the packed one is read, where it is there; where it is not, what the raw
    file's values are cannot be verified, but its structure, shape and labels are.
    """
    stem = "train" if split == "train" else "t10k"
    images = _idx(kind, root, f"{stem}-images-idx3-ubyte", 3)
    labels = _idx(kind, root, f"{stem}-labels-idx1-ubyte", 1).long()
    if list(images.shape) != kind.shapes[split]:
        raise DatasetUnavailable(
            f"{root / kind.folder} has {split} images {list(images.shape)}, not {kind.shapes[split]}; {GET_AGAIN}."
        )
    if len(images) != len(labels):
        raise DatasetUnavailable(
            f"{root / kind.folder} has {len(images)} images but {len(labels)} labels; {GET_AGAIN}."
        )
    if labels.max() >= len(kind.classes):
        raise DatasetUnavailable(
            f"{root / kind.folder} has a label {int(labels.max())}, beyond {len(kind.classes) - 1}; {GET_AGAIN}."
        )
    return Read(images[:, None], labels, kind.classes)


def _idx(kind: IdxSet, root: Path, name: str, dimensions: int) -> Tensor:
    folder, packed = root / kind.folder, f"{name}.gz"
    md5_raw, md5_packed = kind.md5[name]
    if holds(folder, [packed]) and (md5_raw is None or not holds(folder, [name])):
        return read_idx(folder / packed, dimensions, md5_packed)
    return read_idx(folder / name, dimensions, md5_raw)


CIFAR10_FOLDER = "cifar-10-batches-py"
CIFAR10_CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
CIFAR10_MD5 = {
    "train": {
        "data_batch_1": "c99cafc152244af753f735de768cd75f",
        "data_batch_2": "d4bba439e000b95fd0a9bffe97cbabec",
        "data_batch_3": "54ebc095f3ab1f0389bbae665268c751",
        "data_batch_4": "634d18415352ddfa80567beed471001a",
        "data_batch_5": "482c414d41f54cd18b22e5b47cb7c3cb",
    },
    "test": {"test_batch": "40351d587109b95175f43aff81a1287e"},
}


ARRAY_PARTS = {
    ("numpy", "ndarray"),
    ("numpy", "dtype"),
    ("numpy.core.multiarray", "_reconstruct"),
    ("numpy._core.multiarray", "_reconstruct"),
}


class _ArraysOnly(pickle.Unpickler):
    """Rebuilds numpy arrays and plain values, and nothing else."""

    def find_class(self, module_name: str, global_name: str, /) -> Any:
        if (module_name, global_name) in ARRAY_PARTS:
            return super().find_class(module_name, global_name)
        raise pickle.UnpicklingError(f"{module_name}.{global_name} is no array")


def cifar10(root: Path, split: str) -> Read:
    """CIFAR-10 (Krizhevsky 2009) from its Python batches, five or one; nothing but arrays is taken from the pickles."""
    images, labels = [], []
    for name, md5 in CIFAR10_MD5[split].items():
        path = root / CIFAR10_FOLDER / name
        content = read_bytes(path, md5)
        try:
            batch = _ArraysOnly(io.BytesIO(content), encoding="latin1").load()
            images.append(torch.from_numpy(batch["data"]).reshape(-1, 3, 32, 32))
            labels.append(torch.tensor(batch["labels"]))
        except Exception as error:  # unpickling arbitrary bytes may raise anything
            raise DatasetUnavailable(f"{path} is no CIFAR-10 batch ({reason(error)}); {GET_AGAIN}.") from error
    return Read(torch.cat(images), torch.cat(labels), CIFAR10_CLASSES)


CELEBA_IMAGES = "celeba/img_align_celeba"
CELEBA_PARTITION = "celeba/list_eval_partition.txt"
CELEBA_PARTITION_MD5 = "d32c9cbf5e040fd4025c592c306e6668"


def celeba(root: Path, split: str, size: int | None, limit: int | None) -> Read:
    """The aligned faces of CelebA (Liu et al. 2015), cut to the middle square when resized. All have label 0."""
    partition = read_bytes(root / CELEBA_PARTITION, CELEBA_PARTITION_MD5).decode()
    wanted = "0" if split == "train" else "2"
    rows = (line.split() for line in partition.splitlines())
    paths = [root / CELEBA_IMAGES / row[0] for row in rows if row[1] == wanted]
    images = stack((open_image(path) for path in paths[:limit]), size, "celeba")
    return Read(images, torch.zeros(len(images), dtype=torch.long), ("face",))


def lsun(root: Path, category: str, split: str, size: int | None, limit: int | None) -> Read:
    """A category of LSUN (Yu et al. 2015) from the LMDB `<category>_train_lmdb` or, for testing, `<category>_val_lmdb`.

    All images have label 0.
    """
    folder = root / f"{category}_{'train' if split == 'train' else 'val'}_lmdb"
    if not holds(folder, ["data.mdb"]):
        raise DatasetUnavailable(f"{folder / 'data.mdb'} is not there; get LSUN's {category} in LMDB form.")
    try:
        import lmdb
    except ImportError as error:
        raise DatasetUnavailable(f"{folder} needs the package lmdb to be read; run: pip install lmdb") from error

    def entries() -> Iterator[Any]:
        with lmdb.open(str(folder), readonly=True, lock=False, max_readers=1) as database, database.begin() as reader:
            for number, (key, value) in enumerate(reader.cursor()):
                if number == limit:
                    return
                yield open_image(io.BytesIO(value), f"{folder} entry {key.decode(errors='replace')}")

    try:
        images = stack(entries(), size, f"lsun/{category}")
    except lmdb.Error as error:
        raise DatasetUnavailable(f"{folder} cannot be read ({error}); {GET_AGAIN}.") from error
    return Read(images, torch.zeros(len(images), dtype=torch.long), (category,))


def folder(path: Path, size: int | None, limit: int | None) -> Read:
    """Images below a folder: one class per subfolder, or a single class when they lie in the folder itself.

    Names that begin with a dot are passed over. Raises `DatasetUnavailable` for a folder without images, `ConfigError`
    for one that has them both in itself and in subfolders.
    """
    files = _image_files(path)
    flat = [file for file in files if file.parent == path]
    if flat and len(flat) < len(files):
        raise ConfigError(f"{path} has images both in itself ({flat[0].name}) and in subfolders; put all in either.")
    names = [path.resolve().name if flat else file.relative_to(path).parts[0] for file in files]
    classes = sorted(set(names))
    images = stack((open_image(file) for file in files[:limit]), size, str(path))
    return Read(images, torch.tensor([classes.index(name) for name in names[:limit]]), tuple(classes))


def _image_files(path: Path) -> list[Path]:
    from torchvision.datasets.folder import IMG_EXTENSIONS

    def refuse(error: OSError) -> None:
        raise DatasetUnavailable(
            f"{error.filename} cannot be read ({error.strerror}); give folder:PATH of a folder of images."
        ) from error

    found: list[Path] = []
    for place, folders, files in os.walk(path, onerror=refuse, followlinks=True):
        folders[:] = [name for name in folders if not name.startswith(".")]
        seen = (Path(place, name) for name in files if not name.startswith("."))
        found += [file for file in seen if file.suffix.lower() in IMG_EXTENSIONS]
    if not found:
        raise DatasetUnavailable(f"{path} holds no image files; give a folder with {', '.join(IMG_EXTENSIONS)} in it.")
    return sorted(found)
