"""One reader per image set: from what lies on the disk, verified, to images and labels."""

import functools
import importlib.util
import io
import pickle
import tarfile
import zlib
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from ganlab.data import known
from ganlab.data.files import GET_AGAIN, beyond_memory, holds, read_bytes, require_md5
from ganlab.data.pictures import decoded, open_picture, stack
from ganlab.data.places import how_to_get
from ganlab.errors import DatasetUnavailable

SPLITS = ("train", "test")
DIGITS_TRAIN = 1500
"""scikit-learn's digits come without a split: the first 1,500 scans are for training, the last 297 for testing."""


class Read(NamedTuple):
    """uint8 images [N, C, H, W], int64 labels [N], the names of the classes, and what was left out."""

    images: Tensor
    labels: Tensor
    classes: tuple[str, ...]
    note: str = ""


def digits(split: str) -> Read:
    """The 8×8 digits inside scikit-learn, their 17 grey values spread over 0 … 255."""
    table = _digits()
    part = table[:DIGITS_TRAIN] if split == "train" else table[DIGITS_TRAIN:]
    images = torch.from_numpy(np.rint(part[:, :-1] * (255 / 16)).astype(np.uint8))
    return Read(images.view(-1, 1, 8, 8), torch.from_numpy(part[:, -1].astype(np.int64)), tuple("0123456789"))


@functools.cache
def _digits() -> np.ndarray:
    """64 pixels from 0 to 16 and the digit, a row each. The file is read by itself, where it lies as it always did: to
    import scikit-learn takes seconds, in each process that trains on the digits."""
    found = importlib.util.find_spec("sklearn")
    for folder in found.submodule_search_locations or () if found else ():
        if (file := Path(folder, "datasets", "data", "digits.csv.gz")).is_file():
            return np.loadtxt(file, delimiter=",")
    from sklearn.datasets import load_digits

    bunch: Any = load_digits()
    return np.column_stack([bunch.data, bunch.target])


CIFAR10_FOLDER = "cifar-10-batches-py"
CIFAR10_ARCHIVES = ("cifar-10-python.tar.gz", "cifar-10-python.tgz", "cifar-10-python.tar")
CIFAR10_CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
CIFAR10_MD5 = {"train": known.CIFAR10_TRAIN, "test": known.CIFAR10_TEST}

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
        raise _NoArray(f"{module_name}.{global_name} is no array")


class _NoArray(Exception):
    """A pickle asks for something else than arrays and plain values."""


def cifar10_files(root: Path) -> list[Path]:
    """What of CIFAR-10 lies below a root: batches, or the archive that they come in."""
    names = [name for files in CIFAR10_MD5.values() for name in files]
    batches = [root / CIFAR10_FOLDER / name for name in names if holds(root / CIFAR10_FOLDER, [name])]
    return batches or [root / name for name in CIFAR10_ARCHIVES if holds(root, [name])]


def cifar10(root: Path, split: str) -> Read:
    """CIFAR-10 (Krizhevsky 2009) from its Python batches, five or one; nothing but arrays is taken from the pickles.

    Where there are no batches, they are read out of the archive that they come in.
    """
    archive = next((file for file in cifar10_files(root) if file.name in CIFAR10_ARCHIVES), None)
    contents = {} if archive is None else _batches(archive)
    images, labels = np.empty((0, 3, 32, 32), np.uint8), []
    for name, md5 in CIFAR10_MD5[split].items():
        path = (archive or root / CIFAR10_FOLDER) / name
        content = read_bytes(path, how_to_get("cifar10", root)) if archive is None else contents.get(name, b"")
        require_md5(path, content, md5)
        try:
            batch = _ArraysOnly(io.BytesIO(content), encoding="latin1").load()
            pixels = batch["data"].reshape(-1, 3, 32, 32)
            images.resize((len(images) + len(pixels), 3, 32, 32), refcheck=False)  # in place: nothing is held twice
            images[-len(pixels) :] = pixels
            labels.append(torch.tensor(batch["labels"]))
        except MemoryError as error:
            raise beyond_memory(str(path)) from error
        except Exception as error:  # unpickling arbitrary bytes may raise anything
            why = error if isinstance(error, _NoArray) else "no dictionary of data [n, 3072] and labels [n]"
            raise DatasetUnavailable(f"{path} is no CIFAR-10 batch ({why}); {GET_AGAIN}.") from error
    return Read(torch.from_numpy(images), torch.cat(labels), CIFAR10_CLASSES)


def _batches(path: Path) -> dict[str, bytes]:
    """The content of each batch in the archive, by name."""
    try:
        with tarfile.open(path) as archive:
            batches = (member for member in archive if member.isfile() and "batch" in member.name)
            return {Path(member.name).name: archive.extractfile(member).read() for member in batches}  # pyright: ignore[reportOptionalMemberAccess]
    except MemoryError as error:
        raise beyond_memory(str(path)) from error
    except (OSError, EOFError, tarfile.TarError, zlib.error) as error:
        raise DatasetUnavailable(f"{path} is cut off or damaged; {GET_AGAIN}.") from error


CELEBA_IMAGES = "celeba/img_align_celeba"
CELEBA_PARTITION = "celeba/list_eval_partition.txt"
CELEBA_PARTITION_MD5 = known.CELEBA_PARTITION
GET_CELEBA = "get list_eval_partition.txt and img_align_celeba.zip from CelebA's authors, and unpack the archive there"


def celeba(root: Path, split: str, size: int | None, limit: int | None, channels: int | None) -> Read:
    """The aligned faces of CelebA (Liu et al. 2015), cut to the middle square when resized. All have label 0."""
    paths = celeba_faces(root, split)[:limit]
    pictures = (open_picture(path, GET_CELEBA) for path in paths)
    images = stack(pictures, len(paths), "celeba", size, channels)
    return Read(images, torch.zeros(len(images), dtype=torch.long), ("face",))


def celeba_faces(root: Path, split: str) -> list[Path]:
    """The files of a split, by CelebA's own list; some archives hold a folder of the same name around them."""
    place = root / CELEBA_PARTITION
    partition = read_bytes(place, GET_CELEBA).replace(b"\r\n", b"\n")
    require_md5(place, partition, CELEBA_PARTITION_MD5)
    folder = root / CELEBA_IMAGES
    if holds(folder, [folder.name]):
        folder /= folder.name
    rows = (line.split() for line in partition.decode().splitlines())
    wanted = "0" if split == "train" else "2"
    return [folder / row[0] for row in rows if row[1] == wanted]


def lsun(root: Path, category: str, split: str, size: int | None, limit: int | None, channels: int | None) -> Read:
    """A category of LSUN (Yu et al. 2015) from the LMDB `<category>_train_lmdb` or, for testing, `<category>_val_lmdb`.

    All images have label 0.
    """
    folder = root / f"{category}_{'train' if split == 'train' else 'val'}_lmdb"
    if not holds(folder, ["data.mdb"]):
        raise DatasetUnavailable(f"{folder / 'data.mdb'} is not there; get LSUN's {category} in LMDB form.")
    again = f"get LSUN's {category} again"
    try:
        import lmdb
    except ImportError as error:
        raise DatasetUnavailable(f"{folder} needs the package lmdb to be read; run: pip install lmdb") from error

    def entries(reader: Any, total: int) -> Iterator[Any]:
        count = 0
        for count, (key, value) in enumerate(islice(reader.cursor(), limit), 1):
            if count > total:
                break
            yield decoded(value, f"{folder} entry {key.decode(errors='backslashreplace')}", again)
        if count != min(total, limit or total):
            more = "more" if count > total else f"{count:,}"
            raise DatasetUnavailable(
                f"{folder} is damaged: it says that it holds {total:,} pictures, and has {more}; {again}."
            )

    try:
        (folder / "data.mdb").open("rb").close()
    except OSError as error:
        raise DatasetUnavailable(
            f"{folder / 'data.mdb'} cannot be read ({error.strerror}); make it readable."
        ) from error
    try:
        with lmdb.open(str(folder), readonly=True, lock=False, max_readers=1) as database, database.begin() as reader:
            total, page = database.stat()["entries"], database.stat()["psize"]
            wanted, size_on_disk = (database.info()["last_pgno"] + 1) * page, (folder / "data.mdb").stat().st_size
            if size_on_disk < wanted:  # reading on would end the process
                raise DatasetUnavailable(f"{folder} is cut off: {size_on_disk:,} of {wanted:,} bytes; {again}.")
            images = stack(entries(reader, total), min(total, limit or total), f"lsun/{category}", size, channels)
    except lmdb.Error as error:
        raise DatasetUnavailable(f"{folder} cannot be read: it is no LMDB database, or damaged; {again}.") from error
    return Read(images, torch.zeros(len(images), dtype=torch.long), (category,))
